package smime

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// The bags of RFC 7292 section 4.2.
const (
	oidKeyBag          oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01" // 1.2.840.113549.1.12.10.1.1
	oidShroudedKeyBag  oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02" // 1.2.840.113549.1.12.10.1.2
	oidCertBag         oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03" // 1.2.840.113549.1.12.10.1.3
	oidSafeContentsBag oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x06" // 1.2.840.113549.1.12.10.1.6
	oidX509Certificate oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"     // 1.2.840.113549.1.9.22.1
)

// Limits of a file. Real ones have some kilobytes and a few bags.
const (
	maxPFXBytes        = 16 << 20
	maxPFXBags         = 4096
	maxPFXDepth        = 4 // of SafeContents in SafeContents
	maxIterations      = 10_000_000
	maxIterationsTotal = 30_000_000
)

// pfxBags are the contents of a file.
type pfxBags struct {
	keys  [][]byte // PKCS #8
	certs [][]byte
}

// pfxOuter is the outermost structure.
//
//	PFX ::= SEQUENCE {
//	    version  INTEGER {v3(3)}(v3,...),
//	    authSafe ContentInfo,
//	    macData  MacData OPTIONAL }
//
//	MacData ::= SEQUENCE {
//	    mac        DigestInfo,
//	    macSalt    OCTET STRING,
//	    iterations INTEGER DEFAULT 1 }
type pfxOuter struct {
	content    []byte // of authSafe: what the MAC covers
	hasMAC     bool
	macAlg     alg.Identifier
	mac, salt  []byte
	iterations int64
}

type pfxReader struct {
	password pfxPassword
	work     int64 // iterations spent
	derived  map[derivation][]byte
	bags     int
	out      pfxBags
}

// A derivation is how a key of PBES2 is derived from the password.
type derivation struct {
	kdf  string // DER
	size int
}

func malformed(what string) error {
	return fmt.Errorf("%w: PKCS #12: %s", ErrMalformed, what)
}

// readPFX checks the MAC and returns the contents of every bag.
func readPFX(pfx []byte, password string) (*pfxBags, error) {
	outer, err := readPFXOuter(pfx)
	if err != nil {
		return nil, err
	}
	r := &pfxReader{}
	if err := r.unlock(outer, password); err != nil {
		return nil, err
	}
	if err := r.authenticatedSafe(outer.content); err != nil {
		return nil, err
	}
	return &r.out, nil
}

func readPFXOuter(pfx []byte) (*pfxOuter, error) {
	der, err := ber.ToDER(pfx, false, maxPFXBytes)
	if err != nil {
		return nil, fmt.Errorf("%w: PKCS #12: %w", ErrMalformed, err)
	}
	in := cryptobyte.String(der)
	var seq, content, mac cryptobyte.String
	var version int64
	var hasMAC bool
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || version != 3 {
		return nil, malformed("PFX")
	}
	kind, body, err := readContentInfo(&seq)
	if err != nil {
		return nil, err
	}
	if kind != oid.Data {
		return nil, malformed("authSafe is not password-protected data")
	}
	if !body.ReadASN1(&content, cbasn1.OCTET_STRING) {
		return nil, malformed("authSafe")
	}
	o := &pfxOuter{content: content, iterations: 1}
	if !seq.ReadOptionalASN1(&mac, &hasMAC, cbasn1.SEQUENCE) || !seq.Empty() {
		return nil, malformed("PFX")
	}
	if !hasMAC {
		return o, nil
	}
	o.hasMAC = true
	var info, digest, salt cryptobyte.String
	if !mac.ReadASN1(&info, cbasn1.SEQUENCE) || !alg.ReadIdentifier(&info, &o.macAlg) ||
		!info.ReadASN1(&digest, cbasn1.OCTET_STRING) || !info.Empty() || !mac.ReadASN1(&salt, cbasn1.OCTET_STRING) {
		return nil, malformed("MacData")
	}
	if !mac.Empty() && (!mac.ReadASN1Integer(&o.iterations) || !mac.Empty()) {
		return nil, malformed("MacData.iterations")
	}
	o.mac, o.salt = digest, salt
	return o, nil
}

// readContentInfo reads a ContentInfo and returns its type and the contents of
// its [0].
func readContentInfo(s *cryptobyte.String) (oid.OID, cryptobyte.String, error) {
	var info, id, body cryptobyte.String
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&body, cbasn1.Tag(0).ContextSpecific().Constructed()) || !info.Empty() {
		return "", nil, malformed("ContentInfo")
	}
	return oid.OID(id), body, nil
}

// authenticatedSafe reads a SEQUENCE OF ContentInfo.
func (r *pfxReader) authenticatedSafe(b []byte) error {
	der, err := ber.ToDER(b, false, maxPFXBytes)
	if err != nil {
		return fmt.Errorf("%w: PKCS #12: AuthenticatedSafe: %w", ErrMalformed, err)
	}
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return malformed("AuthenticatedSafe")
	}
	for !list.Empty() {
		kind, body, err := readContentInfo(&list)
		if err != nil {
			return err
		}
		switch kind {
		case oid.Data:
			var contents cryptobyte.String
			if !body.ReadASN1(&contents, cbasn1.OCTET_STRING) {
				return malformed("SafeContents")
			}
			err = r.safeContents(contents, 0)
		case oid.EncryptedData:
			err = r.encryptedSafe(body)
		default:
			// Encrypted to a certificate (RFC 7292 section 3.1): nobody writes it.
			return fmt.Errorf("smime: PKCS #12: a safe of type %v: %w", kind, ErrMalformed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// encryptedSafe reads an EncryptedData (RFC 5652 section 8).
//
//	EncryptedContentInfo ::= SEQUENCE {
//	    contentType                ContentType,
//	    contentEncryptionAlgorithm ContentEncryptionAlgorithmIdentifier,
//	    encryptedContent       [0] IMPLICIT EncryptedContent OPTIONAL }
func (r *pfxReader) encryptedSafe(body cryptobyte.String) error {
	var data, info, id cryptobyte.String
	var version int64
	var algorithm alg.Identifier
	if !body.ReadASN1(&data, cbasn1.SEQUENCE) || !data.ReadASN1Integer(&version) || !data.ReadASN1(&info, cbasn1.SEQUENCE) ||
		!info.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || !alg.ReadIdentifier(&info, &algorithm) {
		return malformed("EncryptedData")
	}
	ciphertext, ok := readSegments(&info)
	if !ok {
		return malformed("EncryptedData.encryptedContent")
	}
	plain, err := r.decrypt(algorithm, ciphertext)
	if err != nil {
		return err
	}
	if err := r.safeContents(plain, 0); err != nil {
		if errors.Is(err, ErrLimit) || errors.Is(err, ErrPassword) {
			return err
		}
		return fmt.Errorf("%w: %w", ErrPassword, err)
	}
	return nil
}

// readSegments reads an OCTET STRING tagged [0], in one piece or, as BER has
// it, in several.
func readSegments(s *cryptobyte.String) ([]byte, bool) {
	var b cryptobyte.String
	if s.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific()) {
		return b, s.ReadASN1(&b, cbasn1.Tag(0).ContextSpecific())
	}
	if !s.ReadASN1(&b, cbasn1.Tag(0).ContextSpecific().Constructed()) {
		return nil, false
	}
	var all []byte
	for !b.Empty() {
		var part cryptobyte.String
		if !b.ReadASN1(&part, cbasn1.OCTET_STRING) {
			return nil, false
		}
		all = append(all, part...)
	}
	return all, true
}

// safeContents reads a SEQUENCE OF SafeBag.
//
//	SafeBag ::= SEQUENCE {
//	    bagId         BAG-TYPE.&id ({PKCS12BagSet}),
//	    bagValue      [0] EXPLICIT BAG-TYPE.&Type({PKCS12BagSet}{@bagId}),
//	    bagAttributes SET OF PKCS12Attribute OPTIONAL }
func (r *pfxReader) safeContents(b []byte, depth int) error {
	if depth > maxPFXDepth {
		return fmt.Errorf("smime: PKCS #12: nested SafeContents: %w", ErrLimit)
	}
	der, err := ber.ToDER(b, false, maxPFXBytes)
	if err != nil {
		return fmt.Errorf("%w: PKCS #12: SafeContents: %w", ErrMalformed, err)
	}
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return malformed("SafeContents")
	}
	for !list.Empty() {
		var bag, id, value cryptobyte.String
		if !list.ReadASN1(&bag, cbasn1.SEQUENCE) || !bag.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!bag.ReadASN1(&value, cbasn1.Tag(0).ContextSpecific().Constructed()) {
			return malformed("SafeBag")
		}
		if r.bags++; r.bags > maxPFXBags {
			return fmt.Errorf("smime: PKCS #12: %d bags: %w", r.bags, ErrLimit)
		}
		if err := r.bag(oid.OID(id), value, depth); err != nil {
			return err
		}
	}
	return nil
}

// bag keeps keys and certificates; CRLs and secrets are passed over.
func (r *pfxReader) bag(kind oid.OID, value cryptobyte.String, depth int) error {
	switch kind {
	case oidKeyBag:
		r.out.keys = append(r.out.keys, value)
	case oidShroudedKeyBag:
		return r.shroudedKey(value)
	case oidCertBag:
		var bag, id, wrapped, cert cryptobyte.String
		if !value.ReadASN1(&bag, cbasn1.SEQUENCE) || !bag.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) ||
			!bag.ReadASN1(&wrapped, cbasn1.Tag(0).ContextSpecific().Constructed()) {
			return malformed("CertBag")
		}
		if oid.OID(id) != oidX509Certificate {
			return nil // an SDSI certificate
		}
		if !wrapped.ReadASN1(&cert, cbasn1.OCTET_STRING) {
			return malformed("CertBag")
		}
		r.out.certs = append(r.out.certs, cert)
	case oidSafeContentsBag:
		return r.safeContents(value, depth+1)
	}
	return nil
}

// shroudedKey decrypts an EncryptedPrivateKeyInfo (RFC 5208 section 6).
func (r *pfxReader) shroudedKey(value cryptobyte.String) error {
	var info, ciphertext cryptobyte.String
	var algorithm alg.Identifier
	if !value.ReadASN1(&info, cbasn1.SEQUENCE) || !alg.ReadIdentifier(&info, &algorithm) ||
		!info.ReadASN1(&ciphertext, cbasn1.OCTET_STRING) {
		return malformed("EncryptedPrivateKeyInfo")
	}
	plain, err := r.decrypt(algorithm, ciphertext)
	if err != nil {
		return err
	}
	der, err := ber.ToDER(plain, false, maxPFXBytes)
	if err != nil {
		return fmt.Errorf("%w: private key: %w", ErrPassword, err)
	}
	r.out.keys = append(r.out.keys, der)
	return nil
}
