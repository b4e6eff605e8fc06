package x509der

import "golang.org/x/crypto/cryptobyte"

// ReadCRLReason reads CRLReason ::= ENUMERATED (RFC 5280 section 5.3.1). One that
// is not known counts as unspecified, 0.
func ReadCRLReason(s *cryptobyte.String) (uint8, bool) {
	var n int
	if !s.ReadASN1Enum(&n) {
		return 0, false
	}
	if n < 0 || n > 10 {
		return 0, true
	}
	return uint8(n), true
}

// TrimInteger takes the padding off the content octets of an INTEGER, which
// DER does not have.
func TrimInteger(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}
