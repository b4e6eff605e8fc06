// Package pkcs12 reads and writes PKCS #12 files (RFC 7292), password privacy
// and integrity mode. It knows keys and certificates as their encodings and
// joins none of them.
package pkcs12

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/quoted"
)

const tagBMPString = cbasn1.Tag(30)

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
	maxBytes           = 16 << 20
	maxBags            = 4096
	maxDepth           = 4   // of SafeContents in SafeContents
	maxFriendlyName    = 255 // characters (RFC 2985 section 5.5.1)
	maxIterations      = 10_000_000
	maxIterationsTotal = 30_000_000
)

// Contents are the keys and certificates of a file, in its order.
type Contents struct {
	Keys         []Item // each a PrivateKeyInfo in DER (PKCS #8)
	Certificates []Item

	// Skipped has an error for each key, or safe of several, that can't be
	// decrypted: it has another password or an unsupported cipher. Of a file
	// without a MAC that may be all.
	Skipped []error
}

// An Item is a key or a certificate.
type Item struct {
	DER          []byte
	FriendlyName string // PKCS #9 friendlyName; may be anything
}

// Decode checks the MAC of a PFX in DER or BER and returns the contents of
// every bag. CRLs and secrets are passed over. At most 16 octets of NUL, blank, tab,
// CR and LF may follow the PFX. What a file may cost is bounded: 16 MiB, 4096
// bags, 10 000 000 iterations of one key derivation and 30 000 000 of all.
// Every error wraps a [Problem].
func Decode(pfx []byte, password string) (*Contents, error) {
	outer, err := readOuter(pfx)
	if err != nil {
		return nil, err
	}
	d := &decoder{passwords: encodings(password)}
	if err := d.unlock(outer); err != nil {
		return nil, err
	}
	if err := d.authenticatedSafe(outer.content); err != nil {
		return nil, err
	}
	return &d.out, nil
}

// outer is the outermost structure.
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
type outer struct {
	content    []byte // of authSafe: what the MAC covers
	hasMAC     bool
	macAlg     alg.Identifier
	mac, salt  []byte
	iterations int64
}

type decoder struct {
	passwords []encodedPassword // one once the MAC is right
	work      int64             // iterations spent
	derived   map[derivation][]byte
	bags      int
	out       Contents
}

// A derivation is how a key of PBES2 is derived from the password.
type derivation struct {
	kdf  string // DER
	size int
}

// skip notes that something can't be decrypted. An error that is fatal for the
// file is returned.
func (d *decoder) skip(err error) error {
	if !errors.Is(err, ErrPassword) && !errors.Is(err, ErrUnsupported) {
		return err
	}
	d.out.Skipped = append(d.out.Skipped, err)
	return nil
}

func readOuter(pfx []byte) (*outer, error) {
	der, err := ber.ToDER(ber.TrimEnd(pfx), false, maxBytes)
	if err != nil {
		return nil, classify("PFX", err)
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
	o := &outer{content: content, iterations: 1}
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
func (d *decoder) authenticatedSafe(b []byte) error {
	der, err := ber.ToDER(b, false, maxBytes)
	if err != nil {
		return classify("AuthenticatedSafe", err)
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
			err = d.safeContents(contents, 0)
		case oid.EncryptedData:
			err = d.encryptedSafe(body)
		default:
			// Encrypted to a certificate (RFC 7292 section 3.1): nobody writes it.
			err = d.skip(fmt.Errorf("a safe of type %v: %w", kind, ErrUnsupported))
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
func (d *decoder) encryptedSafe(body cryptobyte.String) error {
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
	plain, err := d.decrypt(algorithm, ciphertext, isSequence)
	if err != nil {
		return d.skip(fmt.Errorf("encrypted safe: %w", err))
	}
	return d.safeContents(plain, 0)
}

// isSequence reports whether b is one SEQUENCE in BER, as everything that is
// encrypted in a PFX. Padding alone is right by chance once in 256 times.
func isSequence(b []byte) bool {
	der, err := ber.ToDER(b, false, maxBytes)
	s := cryptobyte.String(der)
	return err == nil && s.SkipASN1(cbasn1.SEQUENCE) && s.Empty()
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
func (d *decoder) safeContents(b []byte, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("nested SafeContents: %w", ErrLimit)
	}
	der, err := ber.ToDER(b, false, maxBytes)
	if err != nil {
		return classify("SafeContents", err)
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
		if d.bags++; d.bags > maxBags {
			return fmt.Errorf("%d bags: %w", d.bags, ErrLimit)
		}
		if err := d.bag(oid.OID(id), value, friendlyName(bag), depth); err != nil {
			return err
		}
	}
	return nil
}

// bag keeps keys and certificates; CRLs and secrets are passed over.
func (d *decoder) bag(kind oid.OID, value cryptobyte.String, name string, depth int) error {
	switch kind {
	case oidKeyBag:
		d.out.Keys = append(d.out.Keys, Item{value, name})
	case oidShroudedKeyBag:
		return d.shroudedKey(value, name)
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
		d.out.Certificates = append(d.out.Certificates, Item{cert, name})
	case oidSafeContentsBag:
		return d.safeContents(value, depth+1)
	}
	return nil
}

// shroudedKey decrypts an EncryptedPrivateKeyInfo (RFC 5208 section 6). One key
// store of Java can have keys under passwords of their own.
func (d *decoder) shroudedKey(value cryptobyte.String, name string) error {
	var info, ciphertext cryptobyte.String
	var algorithm alg.Identifier
	if !value.ReadASN1(&info, cbasn1.SEQUENCE) || !alg.ReadIdentifier(&info, &algorithm) ||
		!info.ReadASN1(&ciphertext, cbasn1.OCTET_STRING) {
		return malformed("EncryptedPrivateKeyInfo")
	}
	plain, err := d.decrypt(algorithm, ciphertext, isSequence)
	if err != nil {
		return d.skip(fmt.Errorf("private key %s: %w", quoted.Text(name), err))
	}
	der, err := ber.ToDER(plain, false, maxBytes)
	if err != nil {
		return classify("private key", err)
	}
	d.out.Keys = append(d.out.Keys, Item{der, name})
	return nil
}

// friendlyName returns the name among the attributes of a bag, the empty string
// if there is none that can be read.
//
//	PKCS12Attribute ::= SEQUENCE {
//	    attrId     ATTRIBUTE.&id ({PKCS12AttrSet}),
//	    attrValues SET OF ATTRIBUTE.&Type ({PKCS12AttrSet}{@attrId}) }
//
//	friendlyName ::= BMPString (SIZE (1..255))
func friendlyName(attributes cryptobyte.String) string {
	var set, attribute, id, values, text cryptobyte.String
	if !attributes.ReadASN1(&set, cbasn1.SET) {
		return ""
	}
	for set.ReadASN1(&attribute, cbasn1.SEQUENCE) {
		if !attribute.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || oid.OID(id) != oid.FriendlyName {
			continue
		}
		if !attribute.ReadASN1(&values, cbasn1.SET) || !values.ReadASN1(&text, tagBMPString) || len(text) > 2*maxFriendlyName {
			return ""
		}
		return bmpText(text)
	}
	return ""
}
