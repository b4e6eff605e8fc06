package pkcs7

import (
	"bytes"
	"crypto/subtle"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// parseTime reads a Time of RFC 5652 section 11.3. A GeneralizedTime before
// 2050 is against the RFC and unambiguous.
func parseTime(der []byte) (t time.Time, ok bool) {
	s := cryptobyte.String(der)
	switch {
	case s.PeekASN1Tag(asn1.UTCTime):
		ok = s.ReadASN1UTCTime(&t)
	case s.PeekASN1Tag(asn1.GeneralizedTime):
		ok = s.ReadASN1GeneralizedTime(&t)
	}
	return t, ok && s.Empty()
}

// encodeTime writes UTCTime from 1950 to 2049, else GeneralizedTime.
func encodeTime(t time.Time) []byte {
	var b cryptobyte.Builder
	t = t.UTC()
	if y := t.Year(); 1950 <= y && y < 2050 {
		b.AddASN1UTCTime(t)
	} else {
		b.AddASN1GeneralizedTime(t)
	}
	der, err := b.Bytes()
	if err != nil {
		return nil // a year of five digits
	}
	return der
}

// maxCertIDs bounds the certificates that one attribute names.
const maxCertIDs = 64

// certIDs reads all of the certs of a SigningCertificate or SigningCertificateV2.
func certIDs(der []byte, v2 bool) ([]*essCertID, error) {
	var seq, certs cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&certs, asn1.SEQUENCE) || certs.Empty() {
		return nil, ErrSyntax
	}
	var list []*essCertID
	for !certs.Empty() {
		e, err := readCertID(&certs, v2)
		if err != nil {
			return nil, err
		}
		if list = append(list, e); len(list) > maxCertIDs {
			return nil, ErrLimit
		}
	}
	return list, nil
}

// An essCertID is an ESSCertID or ESSCertIDv2.
type essCertID struct {
	hash   alg.Hash
	digest []byte
	issuer []byte // GeneralNames, contents octets; nil: no issuerSerial
	serial []byte // INTEGER, contents octets
}

func (e *essCertID) names(c *x509der.Certificate) bool {
	h := e.hash.New()
	h.Write(c.Raw)
	if subtle.ConstantTimeCompare(h.Sum(nil), e.digest) != 1 {
		return false
	}
	if e.serial == nil {
		return true
	}
	if twosComplement(e.serial).Cmp(c.Serial) != 0 {
		return false
	}
	// RFC 5035 section 4: one directoryName, which is [4] EXPLICIT Name.
	var name cryptobyte.String
	names := cryptobyte.String(e.issuer)
	return names.ReadASN1(&name, asn1.Tag(4).ContextSpecific().Constructed()) && names.Empty() &&
		(bytes.Equal(name, c.Issuer) || x509der.EqualNames(name, c.Issuer))
}

// firstCertID reads the first of the certs.
//
//	SigningCertificateV2 ::= SEQUENCE {
//	    certs SEQUENCE OF ESSCertIDv2,
//	    policies SEQUENCE OF PolicyInformation OPTIONAL }
func firstCertID(der []byte, v2 bool) (*essCertID, error) {
	var seq, certs cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&certs, asn1.SEQUENCE) {
		return nil, ErrSyntax
	}
	return readCertID(&certs, v2)
}

// readCertID reads
//
//	ESSCertIDv2 ::= SEQUENCE {
//	    hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256},
//	    certHash OCTET STRING,
//	    issuerSerial IssuerSerial OPTIONAL }
//
// where ESSCertID has no hashAlgorithm and is of SHA-1.
func readCertID(certs *cryptobyte.String, v2 bool) (*essCertID, error) {
	var seq, hash, issuerSerial cryptobyte.String
	if !certs.ReadASN1(&seq, asn1.SEQUENCE) {
		return nil, ErrSyntax
	}
	e := &essCertID{hash: alg.SHA1}
	if v2 {
		e.hash = alg.SHA256
	}
	if v2 && seq.PeekASN1Tag(asn1.SEQUENCE) {
		var id alg.Identifier
		if !alg.ReadIdentifier(&seq, &id) {
			return nil, ErrSyntax
		}
		var err error
		if e.hash, err = alg.HashOf(id); err != nil {
			return nil, algError(err, "hashAlgorithm")
		}
	}
	if !seq.ReadASN1(&hash, asn1.OCTET_STRING) {
		return nil, ErrSyntax
	}
	e.digest = hash
	if seq.Empty() {
		return e, nil
	}
	var issuer, serial cryptobyte.String
	if !seq.ReadASN1(&issuerSerial, asn1.SEQUENCE) || !seq.Empty() ||
		!issuerSerial.ReadASN1(&issuer, asn1.SEQUENCE) ||
		!issuerSerial.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 || !issuerSerial.Empty() {
		return nil, ErrSyntax
	}
	e.issuer, e.serial = issuer, serial
	return e, nil
}

// encodeSigningCertificate returns a SigningCertificateV2 that names c by hash
// and by issuerSerial. SHA-256 is the default, which DER leaves out.
func encodeSigningCertificate(c *x509der.Certificate, hash alg.Hash) []byte {
	h := hash.New()
	h.Write(c.Raw)
	var algorithm []byte
	if hash != alg.SHA256 {
		algorithm = hash.Identifier().DER()
	}
	names := total(ber.Context(4), int64(len(c.Issuer)))
	issuerSerial := total(ber.Sequence, names) + total(ber.Integer, int64(len(c.SerialDER)))
	id := int64(len(algorithm)) + total(ber.OctetString, int64(h.Size())) + total(ber.Sequence, issuerSerial)
	certs := total(ber.Sequence, id)

	b := make([]byte, 0, certs+16)
	b = ber.AppendHeader(b, ber.Sequence, true, total(ber.Sequence, certs))
	b = ber.AppendHeader(b, ber.Sequence, true, certs)
	b = append(ber.AppendHeader(b, ber.Sequence, true, id), algorithm...)
	b = h.Sum(ber.AppendHeader(b, ber.OctetString, false, int64(h.Size())))
	b = ber.AppendHeader(b, ber.Sequence, true, issuerSerial)
	b = ber.AppendHeader(b, ber.Sequence, true, names)
	b = append(ber.AppendHeader(b, ber.Context(4), true, int64(len(c.Issuer))), c.Issuer...)
	return append(ber.AppendHeader(b, ber.Integer, false, int64(len(c.SerialDER))), c.SerialDER...)
}

// encodeAlgorithmProtection returns a CMSAlgorithmProtection for a signature.
func encodeAlgorithmProtection(digest, signature alg.Identifier) []byte {
	sig := bytes.Clone(signature.DER())
	sig[0] = 0xa1 // [1] IMPLICIT
	return ber.Append(nil, ber.Sequence, true, digest.DER(), sig)
}

// forged reports whether the content is the signed attributes of another
// signature: whoever strips them from a SignerInfo has a signature of the
// victim over that "content" (draft-ietf-lamps-cms-euf-cma-signeddata).
func (d *Digester) forged() bool {
	if content, ok := d.content(); ok {
		return looksSigned(content)
	}
	// Content too long to be held: a SET that is exactly as long as the content
	// is nothing that anybody would write.
	if d.head[0] != byte(asn1.SET) || d.head[1] < 0x82 || d.head[1] > 0x86 {
		return false
	}
	octets, length := int(d.head[1]&0x7f), int64(0)
	for _, b := range d.head[2 : 2+octets] {
		length = length<<8 | int64(b)
	}
	return length+2+int64(octets) == d.size
}

// looksSigned reports whether content is a SET OF Attribute with content type
// and message digest.
func looksSigned(content []byte) bool {
	if len(content) == 0 || content[0] != byte(asn1.SET) {
		return false
	}
	der, err := ber.ToDER(content, false, 2*len(content)+16)
	if err != nil {
		return false
	}
	list, err := parseAttributes(der, 0, "")
	return err == nil && list.has(oid.AttrContentType) && list.has(oid.AttrMessageDigest)
}
