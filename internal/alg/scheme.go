package alg

import (
	"fmt"

	"github.com/gosmime/gosmime/internal/oid"
)

// A Scheme is a signature algorithm to sign with. Package pkcs7 takes its
// constants from these.
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

// A signatureRow has the facts of a signature algorithm.
type signatureRow struct {
	name string
	oid  oid.OID
	// hash is the digest that the algorithm names or, for pure algorithms, the
	// one that goes with it; zero where the SignerInfo or a parameter names it.
	hash   Hash
	family family
	length int // of every signature in octets; 0: it depends on the key
}

// A family is a kind of signature algorithm.
type family uint8

const (
	_ family = iota
	rsaPKCS1
	rsaPSS
	ecdsaSig
	// pure algorithms sign the message itself; the OID of the algorithm is that
	// of the key.
	pure
	// preHash algorithms sign the digest of a message; the OID of the algorithm is
	// that of the key. They are for certificates, CRLs and OCSP responses: CMS
	// allows pure SLH-DSA only (RFC 9814 section 3).
	preHash
)

// schemeTable has one row for each Scheme: RFC 8419 section 3 for the digests of
// Ed25519 and Ed448, RFC 9882 section 3.3 for those of ML-DSA, RFC 9814 section
// 4 for those of SLH-DSA; FIPS 204 table 2 and FIPS 205 table 2 for lengths.
var schemeTable = [schemes]signatureRow{
	SchemePKCS1SHA256:     {"RSA PKCS #1 v1.5 with SHA-256", oid.SHA256WithRSA, SHA256, rsaPKCS1, 0},
	SchemePKCS1SHA384:     {"RSA PKCS #1 v1.5 with SHA-384", oid.SHA384WithRSA, SHA384, rsaPKCS1, 0},
	SchemePKCS1SHA512:     {"RSA PKCS #1 v1.5 with SHA-512", oid.SHA512WithRSA, SHA512, rsaPKCS1, 0},
	SchemePSSSHA256:       {"RSASSA-PSS with SHA-256", oid.RSASSAPSS, SHA256, rsaPSS, 0},
	SchemePSSSHA384:       {"RSASSA-PSS with SHA-384", oid.RSASSAPSS, SHA384, rsaPSS, 0},
	SchemePSSSHA512:       {"RSASSA-PSS with SHA-512", oid.RSASSAPSS, SHA512, rsaPSS, 0},
	SchemeECDSASHA256:     {"ECDSA with SHA-256", oid.ECDSAWithSHA256, SHA256, ecdsaSig, 0},
	SchemeECDSASHA384:     {"ECDSA with SHA-384", oid.ECDSAWithSHA384, SHA384, ecdsaSig, 0},
	SchemeECDSASHA512:     {"ECDSA with SHA-512", oid.ECDSAWithSHA512, SHA512, ecdsaSig, 0},
	SchemeEd25519:         {"Ed25519", oid.Ed25519, SHA512, pure, 64},
	SchemeEd448:           {"Ed448", oid.Ed448, SHAKE256, pure, 114},
	SchemeMLDSA44:         {"ML-DSA-44", oid.MLDSA44, SHA512, pure, 2420},
	SchemeMLDSA65:         {"ML-DSA-65", oid.MLDSA65, SHA512, pure, 3309},
	SchemeMLDSA87:         {"ML-DSA-87", oid.MLDSA87, SHA512, pure, 4627},
	SchemeSLHDSASHA2128s:  {"SLH-DSA-SHA2-128s", oid.SLHDSA_SHA2_128s, SHA256, pure, 7856},
	SchemeSLHDSASHA2128f:  {"SLH-DSA-SHA2-128f", oid.SLHDSA_SHA2_128f, SHA256, pure, 17088},
	SchemeSLHDSASHA2192s:  {"SLH-DSA-SHA2-192s", oid.SLHDSA_SHA2_192s, SHA512, pure, 16224},
	SchemeSLHDSASHA2192f:  {"SLH-DSA-SHA2-192f", oid.SLHDSA_SHA2_192f, SHA512, pure, 35664},
	SchemeSLHDSASHA2256s:  {"SLH-DSA-SHA2-256s", oid.SLHDSA_SHA2_256s, SHA512, pure, 29792},
	SchemeSLHDSASHA2256f:  {"SLH-DSA-SHA2-256f", oid.SLHDSA_SHA2_256f, SHA512, pure, 49856},
	SchemeSLHDSASHAKE128s: {"SLH-DSA-SHAKE-128s", oid.SLHDSA_SHAKE_128s, SHAKE128, pure, 7856},
	SchemeSLHDSASHAKE128f: {"SLH-DSA-SHAKE-128f", oid.SLHDSA_SHAKE_128f, SHAKE128, pure, 17088},
	SchemeSLHDSASHAKE192s: {"SLH-DSA-SHAKE-192s", oid.SLHDSA_SHAKE_192s, SHAKE256, pure, 16224},
	SchemeSLHDSASHAKE192f: {"SLH-DSA-SHAKE-192f", oid.SLHDSA_SHAKE_192f, SHAKE256, pure, 35664},
	SchemeSLHDSASHAKE256s: {"SLH-DSA-SHAKE-256s", oid.SLHDSA_SHAKE_256s, SHAKE256, pure, 29792},
	SchemeSLHDSASHAKE256f: {"SLH-DSA-SHAKE-256f", oid.SLHDSA_SHAKE_256f, SHAKE256, pure, 49856},
}

// readOnlySignatures are the algorithms that are read and never written: RFC
// 9909 section 3 for HashSLH-DSA.
var readOnlySignatures = [...]signatureRow{
	{"RSA PKCS #1 v1.5", oid.RSAEncryption, 0, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with MD5", oid.MD5WithRSA, MD5, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA-1", oid.SHA1WithRSA, SHA1, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA-1", oid.SHA1WithRSAOIW, SHA1, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA-224", oid.SHA224WithRSA, SHA224, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA-512/224", oid.SHA512_224WithRSA, SHA512_224, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA-512/256", oid.SHA512_256WithRSA, SHA512_256, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA3-224", oid.SHA3_224WithRSA, SHA3_224, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA3-256", oid.SHA3_256WithRSA, SHA3_256, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA3-384", oid.SHA3_384WithRSA, SHA3_384, rsaPKCS1, 0},
	{"RSA PKCS #1 v1.5 with SHA3-512", oid.SHA3_512WithRSA, SHA3_512, rsaPKCS1, 0},
	{"RSASSA-PSS with SHAKE128", oid.RSAPSSSHAKE128, SHAKE128, rsaPSS, 0},
	{"RSASSA-PSS with SHAKE256", oid.RSAPSSSHAKE256, SHAKE256, rsaPSS, 0},
	{"ECDSA", oid.ECPublicKey, 0, ecdsaSig, 0},
	{"ECDSA", oid.ECDSAWithSpecified, 0, ecdsaSig, 0},
	{"ECDSA with SHA-1", oid.ECDSAWithSHA1, SHA1, ecdsaSig, 0},
	{"ECDSA with SHA-224", oid.ECDSAWithSHA224, SHA224, ecdsaSig, 0},
	{"ECDSA with SHA3-224", oid.ECDSAWithSHA3_224, SHA3_224, ecdsaSig, 0},
	{"ECDSA with SHA3-256", oid.ECDSAWithSHA3_256, SHA3_256, ecdsaSig, 0},
	{"ECDSA with SHA3-384", oid.ECDSAWithSHA3_384, SHA3_384, ecdsaSig, 0},
	{"ECDSA with SHA3-512", oid.ECDSAWithSHA3_512, SHA3_512, ecdsaSig, 0},
	{"ECDSA with SHAKE128", oid.ECDSAWithSHAKE128, SHAKE128, ecdsaSig, 0},
	{"ECDSA with SHAKE256", oid.ECDSAWithSHAKE256, SHAKE256, ecdsaSig, 0},
	{"SLH-DSA-SHA2-128s with SHA-256", oid.HashSLHDSA_SHA2_128s, SHA256, preHash, 7856},
	{"SLH-DSA-SHA2-128f with SHA-256", oid.HashSLHDSA_SHA2_128f, SHA256, preHash, 17088},
	{"SLH-DSA-SHA2-192s with SHA-512", oid.HashSLHDSA_SHA2_192s, SHA512, preHash, 16224},
	{"SLH-DSA-SHA2-192f with SHA-512", oid.HashSLHDSA_SHA2_192f, SHA512, preHash, 35664},
	{"SLH-DSA-SHA2-256s with SHA-512", oid.HashSLHDSA_SHA2_256s, SHA512, preHash, 29792},
	{"SLH-DSA-SHA2-256f with SHA-512", oid.HashSLHDSA_SHA2_256f, SHA512, preHash, 49856},
	{"SLH-DSA-SHAKE-128s with SHAKE128", oid.HashSLHDSA_SHAKE_128s, SHAKE128, preHash, 7856},
	{"SLH-DSA-SHAKE-128f with SHAKE128", oid.HashSLHDSA_SHAKE_128f, SHAKE128, preHash, 17088},
	{"SLH-DSA-SHAKE-192s with SHAKE256", oid.HashSLHDSA_SHAKE_192s, SHAKE256, preHash, 16224},
	{"SLH-DSA-SHAKE-192f with SHAKE256", oid.HashSLHDSA_SHAKE_192f, SHAKE256, preHash, 35664},
	{"SLH-DSA-SHAKE-256s with SHAKE256", oid.HashSLHDSA_SHAKE_256s, SHAKE256, preHash, 29792},
	{"SLH-DSA-SHAKE-256f with SHAKE256", oid.HashSLHDSA_SHAKE_256f, SHAKE256, preHash, 49856},
}

// signatureRowOf returns the first row with the identifier, nil if there is none.
func signatureRowOf(o oid.OID) *signatureRow {
	for i := range schemeTable {
		if schemeTable[i].oid == o {
			return &schemeTable[i]
		}
	}
	for i := range readOnlySignatures {
		if readOnlySignatures[i].oid == o {
			return &readOnlySignatures[i]
		}
	}
	return nil
}

// row returns the facts of s; those of an unknown Scheme are zero.
func (s Scheme) row() *signatureRow {
	if s >= schemes {
		s = 0
	}
	return &schemeTable[s]
}

// SchemeFor returns the scheme for a key where the caller has no wish: PKCS #1
// v1.5 with SHA-256 for plain RSA, the natural one for all others.
func SchemeFor(pub *PublicKey) (Scheme, error) {
	h := SHA256
	switch {
	case pub.Kind == RSAPSS && pub.pss != nil:
		h = pub.pss.hash
	case pub.Kind == EC && pub.Bits > 384:
		h = SHA512
	case pub.Kind == EC && pub.Bits > 256:
		h = SHA384
	}
	return SchemeWith(pub, h)
}

// SchemeWith returns the scheme for a key with that digest: PKCS #1 v1.5 for
// plain RSA. Pure algorithms have one digest, which is used whatever h is.
func SchemeWith(pub *PublicKey, h Hash) (Scheme, error) {
	f := pub.Kind.row().family
	for s := Scheme(1); s < schemes; s++ {
		switch r := s.row(); {
		case f == 0 || r.family != f:
		case f == pure && r.oid == pub.Algorithm.OID, f != pure && r.hash == h:
			return s, nil
		}
	}
	return 0, fail(ErrUnsupported, "signing with a key of %v and %v", pub.Algorithm.OID, h)
}

// Scheme returns the Scheme of an algorithm that was read, zero if there is none.
func (s *Signature) Scheme() Scheme {
	for n := Scheme(1); n < schemes; n++ {
		r := n.row()
		if r.family == s.family && (r.family == pure && r.oid == s.ID.OID || r.family != pure && r.hash == s.Hash) {
			return n
		}
	}
	return 0
}

// Identifiers returns the digest and signature algorithm to write, for a message
// with signedAttrs. It fails if pub is of another kind or restricted to other parameters.
func (s Scheme) Identifiers(pub *PublicKey) (digest, signature Identifier, err error) {
	r := s.row()
	if r.family == 0 {
		return Identifier{}, Identifier{}, fail(ErrUnsupported, "signature scheme %d", s)
	}
	digest = r.hash.Identifier()
	signature = Identifier{OID: r.oid}
	switch {
	case r.family == rsaPKCS1:
		signature.Params = []byte(nullDER) // RFC 5754 section 3.2
	case r.family == rsaPSS:
		signature.Params = s.pssFor(pub).params()
	case r.oid == oid.Ed448:
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
func (s Scheme) Hash() Hash { return s.row().hash }

// Pure reports whether the scheme signs the message itself, not a digest.
func (s Scheme) Pure() bool { return s.row().family == pure }

// String returns a name such as "RSASSA-PSS with SHA-256".
func (s Scheme) String() string {
	switch {
	case s == 0:
		return "unknown"
	case s >= schemes:
		return fmt.Sprintf("Scheme(%d)", uint16(s))
	}
	return s.row().name
}

// SignatureLen returns how many octets a signature by the key has at most, and
// whether all have as many; 0 if the key does not sign.
func (p *PublicKey) SignatureLen() (n int, fixed bool) {
	switch p.Kind.row().family {
	case rsaPKCS1, rsaPSS:
		return (p.Bits + 7) / 8, true
	case ecdsaSig:
		// A SEQUENCE of two INTEGERs, each perhaps with an octet for the sign.
		return 3 + 2*(2+(p.Bits+7)/8+1), false
	case pure:
		return signatureRowOf(p.Algorithm.OID).length, true
	}
	return 0, false
}
