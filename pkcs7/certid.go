package pkcs7

import (
	"bytes"
	"crypto/x509"
	"math/big"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A CertID names a certificate the way a message does.
type CertID struct {
	Issuer []byte   // DER Name, with Serial
	Serial *big.Int // or nil
	KeyID  []byte   // or nil; the KEK identifier where Kind is a KEK
	Kind   IDKind
}

// IDKind says what kind of recipient a [CertID] names.
type IDKind uint8

const (
	ByCertificate IDKind = iota
	ByKEK
	ByPassword
)

// Matches reports whether id names cert: by issuer and serial number, the
// names compared as RFC 5280 section 7.1 says, or by a key identifier, that of
// the certificate or one computed from its key.
func (id CertID) Matches(cert *x509.Certificate) bool {
	if cert == nil {
		return false
	}
	c, err := x509der.Parse(cert.Raw)
	return err == nil && id.rank(c) > 0
}

// rank says how well id names c: 0 not at all, else the higher the better.
func (id CertID) rank(c *x509der.Certificate) int {
	if id.Kind != ByCertificate {
		return 0
	}
	if id.Serial != nil {
		switch {
		case c.Serial == nil || id.Serial.Cmp(c.Serial) != 0:
			return 0
		case bytes.Equal(id.Issuer, c.Issuer):
			return 5
		case x509der.EqualNames(id.Issuer, c.Issuer):
			return 4
		}
		return 0
	}
	if len(id.KeyID) == 0 {
		return 0
	}
	if bytes.Equal(id.KeyID, c.SubjectKeyID) {
		return 3
	}
	for _, k := range c.KeyIDs() {
		if bytes.Equal(id.KeyID, k) {
			return 2
		}
	}
	return 0
}

func (id CertID) clone() CertID {
	id.Issuer, id.KeyID = bytes.Clone(id.Issuer), bytes.Clone(id.KeyID)
	if id.Serial != nil {
		id.Serial = new(big.Int).Set(id.Serial)
	}
	return id
}

// issuerAndSerial names c by issuer and serial number.
func issuerAndSerial(c *x509der.Certificate) CertID {
	return CertID{Issuer: c.Issuer, Serial: c.Serial}
}

// keyID names c by its key identifier. Where the certificate has none, which a
// reader would have to compute by the same rule, it is named by issuer and
// serial number (RFC 5652 section 5.3).
func keyID(c *x509der.Certificate) CertID {
	if len(c.SubjectKeyID) == 0 {
		return issuerAndSerial(c)
	}
	return CertID{KeyID: c.SubjectKeyID}
}

// parseCertID reads a SignerIdentifier or RecipientIdentifier from DER, of
// which nothing may be left.
//
//	SignerIdentifier ::= CHOICE {
//	    issuerAndSerialNumber IssuerAndSerialNumber,
//	    subjectKeyIdentifier [0] SubjectKeyIdentifier }
func parseCertID(der []byte) (CertID, bool) {
	s := cryptobyte.String(der)
	if s.PeekASN1Tag(asn1.SEQUENCE) {
		return parseIssuerAndSerial(der)
	}
	id, ok := readKeyID(&s)
	return CertID{KeyID: id}, ok && s.Empty() && len(id) > 0
}

// readKeyID reads [0] IMPLICIT OCTET STRING, of which nothing but its place tells
// that it may come in segments.
func readKeyID(s *cryptobyte.String) (id []byte, ok bool) {
	var contents, segment cryptobyte.String
	if s.PeekASN1Tag(asn1.Tag(0).ContextSpecific()) {
		ok = s.ReadASN1(&contents, asn1.Tag(0).ContextSpecific())
		return contents, ok
	}
	if !s.ReadASN1(&contents, contextTag0) {
		return nil, false
	}
	for !contents.Empty() {
		if !contents.ReadASN1(&segment, asn1.OCTET_STRING) {
			return nil, false
		}
		id = append(id, segment...)
	}
	return id, true
}

// parseIssuerAndSerial reads DER, of which nothing may be left. Negative and
// padded serial numbers exist and are compared as integers.
//
//	IssuerAndSerialNumber ::= SEQUENCE {
//	    issuer Name,
//	    serialNumber CertificateSerialNumber }
func parseIssuerAndSerial(der []byte) (CertID, bool) {
	var seq, issuer, serial cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() ||
		!seq.ReadASN1Element(&issuer, asn1.SEQUENCE) ||
		!seq.ReadASN1(&serial, asn1.INTEGER) || !seq.Empty() || len(serial) == 0 {
		return CertID{}, false
	}
	return CertID{Issuer: issuer, Serial: twosComplement(serial)}, true
}

func twosComplement(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(len(b))*8))
	}
	return n
}

// encode returns the SignerIdentifier or RecipientIdentifier.
func (id CertID) encode() []byte {
	if id.Serial == nil {
		return ber.Append(nil, ber.Context(0), false, id.KeyID)
	}
	return id.encodeIssuerAndSerial()
}

func (id CertID) encodeIssuerAndSerial() []byte {
	var b cryptobyte.Builder
	b.AddASN1BigInt(id.Serial)
	return ber.Append(nil, ber.Sequence, true, id.Issuer, b.BytesOrPanic())
}
