package x509der

import (
	"crypto/sha1"
	"crypto/sha256"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyBits returns the contents of subjectPublicKey, nil if SPKI can't be read.
//
//	SubjectPublicKeyInfo ::= SEQUENCE {
//	    algorithm         AlgorithmIdentifier,
//	    subjectPublicKey  BIT STRING }
func (c *Certificate) KeyBits() []byte {
	var spki cryptobyte.String
	var bits []byte
	s := cryptobyte.String(c.SPKI)
	if !s.ReadASN1(&spki, asn1.SEQUENCE) || !spki.SkipASN1(asn1.SEQUENCE) ||
		!spki.ReadASN1BitStringAsBytes(&bits) || !spki.Empty() {
		return nil
	}
	return bits
}

// KeyIDs returns the identifiers by which a message may name the key: the
// extension's, then SHA-1 of the key bits and the 60-bit form (RFC 5280
// section 4.2.1.2), then SHA-256 truncated to 160 bits (RFC 7093), and SHA-1 of
// the whole SPKI, which Windows takes where there is no extension.
func (c *Certificate) KeyIDs() [][]byte {
	ids := make([][]byte, 0, 5)
	if c.SubjectKeyID != nil {
		ids = append(ids, c.SubjectKeyID)
	}
	bits := c.KeyBits()
	if bits == nil {
		return ids
	}
	h1 := sha1.Sum(bits) // a name, not a protection
	short := append([]byte(nil), h1[12:]...)
	short[0] = 0x40 | short[0]&0x0f
	h256 := sha256.Sum256(bits)
	whole := sha1.Sum(c.SPKI)
	return append(ids, h1[:], short, h256[:20], whole[:])
}
