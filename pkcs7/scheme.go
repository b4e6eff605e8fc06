package pkcs7

import (
	"crypto"

	"github.com/gosmime/gosmime/internal/alg"
)

// Scheme is a signature algorithm with its digest. The zero Scheme means the
// best one for the key; it is never written to a message.
type Scheme uint16

const (
	RSAPKCS1SHA256  = Scheme(alg.SchemePKCS1SHA256)
	RSAPKCS1SHA384  = Scheme(alg.SchemePKCS1SHA384)
	RSAPKCS1SHA512  = Scheme(alg.SchemePKCS1SHA512)
	RSAPSSSHA256    = Scheme(alg.SchemePSSSHA256)
	RSAPSSSHA384    = Scheme(alg.SchemePSSSHA384)
	RSAPSSSHA512    = Scheme(alg.SchemePSSSHA512)
	ECDSASHA256     = Scheme(alg.SchemeECDSASHA256)
	ECDSASHA384     = Scheme(alg.SchemeECDSASHA384)
	ECDSASHA512     = Scheme(alg.SchemeECDSASHA512)
	Ed25519         = Scheme(alg.SchemeEd25519)
	Ed448           = Scheme(alg.SchemeEd448)
	MLDSA44         = Scheme(alg.SchemeMLDSA44)
	MLDSA65         = Scheme(alg.SchemeMLDSA65)
	MLDSA87         = Scheme(alg.SchemeMLDSA87)
	SLHDSASHA2128s  = Scheme(alg.SchemeSLHDSASHA2128s)
	SLHDSASHA2128f  = Scheme(alg.SchemeSLHDSASHA2128f)
	SLHDSASHA2192s  = Scheme(alg.SchemeSLHDSASHA2192s)
	SLHDSASHA2192f  = Scheme(alg.SchemeSLHDSASHA2192f)
	SLHDSASHA2256s  = Scheme(alg.SchemeSLHDSASHA2256s)
	SLHDSASHA2256f  = Scheme(alg.SchemeSLHDSASHA2256f)
	SLHDSASHAKE128s = Scheme(alg.SchemeSLHDSASHAKE128s)
	SLHDSASHAKE128f = Scheme(alg.SchemeSLHDSASHAKE128f)
	SLHDSASHAKE192s = Scheme(alg.SchemeSLHDSASHAKE192s)
	SLHDSASHAKE192f = Scheme(alg.SchemeSLHDSASHAKE192f)
	SLHDSASHAKE256s = Scheme(alg.SchemeSLHDSASHAKE256s)
	SLHDSASHAKE256f = Scheme(alg.SchemeSLHDSASHAKE256f)
)

// SchemeFor returns the scheme for a public key, of a type of the standard
// library or the one that a private key for Ed448, ML-DSA or SLH-DSA returns,
// with hash. A zero hash means the best scheme for the
// key. Plain RSA keys sign by PKCS #1 v1.5; Ed25519, Ed448, ML-DSA and SLH-DSA
// have a digest of their own, whatever hash is. The error wraps
// [ErrUnsupported], for hashes other than SHA-256, SHA-384 and SHA-512 too.
func SchemeFor(pub crypto.PublicKey, hash crypto.Hash) (Scheme, error) {
	p, err := alg.PublicKeyOf(pub)
	if err != nil {
		return 0, algError(err, "public key")
	}
	var s alg.Scheme
	if hash == 0 {
		s, err = alg.SchemeFor(p)
	} else {
		s, err = alg.SchemeWith(p, alg.HashOfCrypto(hash))
	}
	return Scheme(s), algError(err, "public key")
}

// Hash returns the digest of the content that goes with s. It is zero for the
// zero Scheme and for SHAKE, which crypto.Hash does not have; Micalg names it.
func (s Scheme) Hash() crypto.Hash { return alg.Scheme(s).Hash().Crypto() }

// Micalg returns the name of the digest in the parameter micalg of
// multipart/signed (RFC 8551 section 3.5.3.2), such as "sha-256"; "unknown" for
// the zero Scheme.
func (s Scheme) Micalg() string { return alg.Scheme(s).Hash().Micalg() }

// String returns the name, such as RSASSA-PSS with SHA-256.
func (s Scheme) String() string { return alg.Scheme(s).String() }
