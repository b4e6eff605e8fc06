package alg

import (
	"github.com/gosmime/gosmime/internal/oid"
)

// A Scheme is a signature algorithm to sign with. The numbers are those of pkcs7.Scheme.
type Scheme uint16

const (
	_ Scheme = iota
	SchemePKCS1SHA256
	SchemePKCS1SHA384
	SchemePKCS1SHA512
	SchemePSSSHA256
	SchemePSSSHA384
	SchemePSSSHA512
	SchemeECDSASHA256
	SchemeECDSASHA384
	SchemeECDSASHA512
	SchemeEd25519
	SchemeEd448
	SchemeMLDSA44
	SchemeMLDSA65
	SchemeMLDSA87
	SchemeSLHDSASHA2128s
	SchemeSLHDSASHA2128f
	SchemeSLHDSASHA2192s
	SchemeSLHDSASHA2192f
	SchemeSLHDSASHA2256s
	SchemeSLHDSASHA2256f
	SchemeSLHDSASHAKE128s
	SchemeSLHDSASHAKE128f
	SchemeSLHDSASHAKE192s
	SchemeSLHDSASHAKE192f
	SchemeSLHDSASHAKE256s
	SchemeSLHDSASHAKE256f
	schemes
)

// schemeTable has the signature algorithm of each Scheme and the digest that
// goes with it: RFC 8419 section 3 for Ed25519 and Ed448, RFC 9882 section 3.3
// for ML-DSA, RFC 9814 section 4 for SLH-DSA.
var schemeTable = [schemes]struct {
	oid  oid.OID
	hash Hash
}{
	SchemePKCS1SHA256:     {oid.SHA256WithRSA, SHA256},
	SchemePKCS1SHA384:     {oid.SHA384WithRSA, SHA384},
	SchemePKCS1SHA512:     {oid.SHA512WithRSA, SHA512},
	SchemePSSSHA256:       {oid.RSASSAPSS, SHA256},
	SchemePSSSHA384:       {oid.RSASSAPSS, SHA384},
	SchemePSSSHA512:       {oid.RSASSAPSS, SHA512},
	SchemeECDSASHA256:     {oid.ECDSAWithSHA256, SHA256},
	SchemeECDSASHA384:     {oid.ECDSAWithSHA384, SHA384},
	SchemeECDSASHA512:     {oid.ECDSAWithSHA512, SHA512},
	SchemeEd25519:         {oid.Ed25519, SHA512},
	SchemeEd448:           {oid.Ed448, SHAKE256},
	SchemeMLDSA44:         {oid.MLDSA44, SHA512},
	SchemeMLDSA65:         {oid.MLDSA65, SHA512},
	SchemeMLDSA87:         {oid.MLDSA87, SHA512},
	SchemeSLHDSASHA2128s:  {oid.SLHDSA_SHA2_128s, SHA256},
	SchemeSLHDSASHA2128f:  {oid.SLHDSA_SHA2_128f, SHA256},
	SchemeSLHDSASHA2192s:  {oid.SLHDSA_SHA2_192s, SHA512},
	SchemeSLHDSASHA2192f:  {oid.SLHDSA_SHA2_192f, SHA512},
	SchemeSLHDSASHA2256s:  {oid.SLHDSA_SHA2_256s, SHA512},
	SchemeSLHDSASHA2256f:  {oid.SLHDSA_SHA2_256f, SHA512},
	SchemeSLHDSASHAKE128s: {oid.SLHDSA_SHAKE_128s, SHAKE128},
	SchemeSLHDSASHAKE128f: {oid.SLHDSA_SHAKE_128f, SHAKE128},
	SchemeSLHDSASHAKE192s: {oid.SLHDSA_SHAKE_192s, SHAKE256},
	SchemeSLHDSASHAKE192f: {oid.SLHDSA_SHAKE_192f, SHAKE256},
	SchemeSLHDSASHAKE256s: {oid.SLHDSA_SHAKE_256s, SHAKE256},
	SchemeSLHDSASHAKE256f: {oid.SLHDSA_SHAKE_256f, SHAKE256},
}

// SchemeFor returns the scheme for a key where the caller has no wish: PKCS #1
// v1.5 with SHA-256 for plain RSA, the natural one for all others.
func SchemeFor(pub *PublicKey) (Scheme, error) {
	switch pub.Kind {
	case RSA:
		return SchemePKCS1SHA256, nil
	case RSAPSS:
		return schemeForPSS(pub)
	case EC:
		switch {
		case pub.Bits <= 256:
			return SchemeECDSASHA256, nil
		case pub.Bits <= 384:
			return SchemeECDSASHA384, nil
		}
		return SchemeECDSASHA512, nil
	case Ed25519Key, Ed448Key, MLDSA, SLHDSA:
		for s := SchemeEd25519; s < schemes; s++ {
			if schemeTable[s].oid == pub.Algorithm.OID {
				return s, nil
			}
		}
	}
	return 0, fail(ErrUnsupported, "signing with a key of %v", pub.Algorithm.OID)
}

// schemeForPSS takes the hash that the key is restricted to.
func schemeForPSS(pub *PublicKey) (Scheme, error) {
	if pub.pss == nil {
		return SchemePSSSHA256, nil
	}
	for s := SchemePSSSHA256; s <= SchemePSSSHA512; s++ {
		if schemeTable[s].hash == pub.pss.hash {
			return s, nil
		}
	}
	return 0, fail(ErrUnsupported, "signing with a PSS key for %v", pub.pss.hash)
}

// Identifiers returns the digest and signature algorithm to write, for a message
// with signedAttrs. It fails if pub is of another kind or restricted to other parameters.
func (s Scheme) Identifiers(pub *PublicKey) (digest, signature Identifier, err error) {
	if s == 0 || s >= schemes {
		return Identifier{}, Identifier{}, fail(ErrUnsupported, "signature scheme %d", s)
	}
	digest = s.Hash().Identifier()
	signature = Identifier{OID: schemeTable[s].oid}
	switch {
	case s <= SchemePKCS1SHA512:
		signature.Params = []byte(nullDER) // RFC 5754 section 3.2
	case s <= SchemePSSSHA512:
		signature.Params = s.pssFor(pub).params()
	case s == SchemeEd448:
		// RFC 8419 section 3.1: with signedAttrs, id-shake256-len.
		digest = Identifier{OID: oid.SHAKE256Len, Params: []byte(shake512Bits)}
	}
	alg, err := SignatureOf(signature, s.Hash())
	if err == nil {
		err = alg.fits(pub)
	}
	if err != nil {
		return Identifier{}, Identifier{}, err
	}
	return digest, signature, nil
}

// pssFor returns the parameters to sign with: a salt as long as the hash, which
// is what all readers take, unless the key asks for a longer one.
func (s Scheme) pssFor(pub *PublicKey) pss {
	p := pss{s.Hash(), s.Hash(), s.Hash().Size()}
	if pub != nil && pub.pss != nil && pub.pss.salt > p.salt {
		p.salt = pub.pss.salt
	}
	if pub != nil && pub.pss != nil && pub.pss.hash == p.hash {
		p.mgf = pub.pss.mgf
	}
	return p
}

// Hash returns the digest to use with the scheme; for pure ones that of the content.
func (s Scheme) Hash() Hash {
	if s >= schemes {
		return 0
	}
	return schemeTable[s].hash
}

// Pure reports whether the scheme signs the message itself, not a digest.
func (s Scheme) Pure() bool { return s >= SchemeEd25519 && s < schemes }
