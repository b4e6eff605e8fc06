package alg

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// readSeed reads the CHOICE of RFC 9881 section 6 and RFC 9935 section 6. What
// is absent comes back nil. The bare seed is what Bouncy Castle wrote before.
//
//	PrivateKey ::= CHOICE {
//	    seed         [0] IMPLICIT OCTET STRING,
//	    expandedKey  OCTET STRING,
//	    both         SEQUENCE { seed OCTET STRING, expandedKey OCTET STRING } }
func readSeed(s cryptobyte.String, seedLen, expandedLen int) (seed, expanded []byte, err error) {
	var both cryptobyte.String
	ok := false
	switch {
	case len(s) == seedLen:
		return s, nil, nil
	case s.PeekASN1Tag(asn1.Tag(0).ContextSpecific()):
		ok = s.ReadASN1Bytes(&seed, asn1.Tag(0).ContextSpecific())
	case s.PeekASN1Tag(asn1.OCTET_STRING):
		ok = s.ReadASN1Bytes(&expanded, asn1.OCTET_STRING)
	default:
		ok = s.ReadASN1(&both, asn1.SEQUENCE) && both.ReadASN1Bytes(&seed, asn1.OCTET_STRING) &&
			both.ReadASN1Bytes(&expanded, asn1.OCTET_STRING) && both.Empty()
	}
	if !ok || !s.Empty() || seed != nil && len(seed) != seedLen || expanded != nil && len(expanded) != expandedLen {
		return nil, nil, fail(ErrMalformed, "post-quantum private key")
	}
	return seed, expanded, nil
}
