// Package alg has the algorithms of CMS and X.509 by their AlgorithmIdentifiers:
// digests, public keys, signatures, content ciphers, key wrapping, agreement,
// encapsulation and derivation.
package alg

import (
	"context"
	"crypto"
	"hash"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// A Problem is why something could not be done. It is an error and a constant.
type Problem uint8

const (
	_                 Problem = iota
	ErrMalformed              // parameters, key or signature are not as the standard has them
	ErrUnsupported            // known or unknown, but not implemented here
	ErrWeak                   // below the floor
	ErrSignature              // the signature does not match
	ErrMismatch               // key and algorithm, or two algorithms, do not fit together
	ErrDecrypt                // integrity check of a wrapped key failed
	ErrKeyUnavailable         // the key can't answer whatever it is asked
)

func (p Problem) Error() string { panic("sketch") }

// An Identifier is an AlgorithmIdentifier.
//
//	AlgorithmIdentifier ::= SEQUENCE {
//	    algorithm   OBJECT IDENTIFIER,
//	    parameters  ANY DEFINED BY algorithm OPTIONAL }
type Identifier struct {
	OID    oid.OID
	Params []byte // one DER element; nil: absent
	Raw    []byte // as received; nil: made here
}

// ReadIdentifier reads a DER AlgorithmIdentifier.
func ReadIdentifier(s *cryptobyte.String, out *Identifier) bool { panic("sketch") }

// DER returns the encoding: Raw where there is one.
func (a Identifier) DER() []byte { panic("sketch") }

// Equal compares modulo encoding, as RFC 6211 section 2 asks: absent parameters equal NULL,
// omitted defaults equal explicit ones.
func (a Identifier) Equal(b Identifier) bool { panic("sketch") }

// A Hash is a digest algorithm. The zero Hash is none.
type Hash uint8

const (
	_ Hash = iota
	MD5
	SHA1
	SHA224
	SHA256
	SHA384
	SHA512
	SHA3_224
	SHA3_256
	SHA3_384
	SHA3_512
	SHAKE128 // 32 octets, RFC 8702
	SHAKE256 // 64 octets
)

// HashOf returns the digest algorithm that id names (shake256-len(512) is SHAKE256).
func HashOf(id Identifier) (Hash, error) { panic("sketch") }

func (h Hash) New() hash.Hash         { panic("sketch") }
func (h Hash) Size() int              { panic("sketch") }
func (h Hash) Identifier() Identifier { panic("sketch") } // parameters absent
func (h Hash) Crypto() crypto.Hash    { panic("sketch") } // 0 for SHAKE
func (h Hash) Weak() bool             { panic("sketch") } // SHA-1, MD5
func (h Hash) String() string         { panic("sketch") }

// A PublicKey is a parsed SubjectPublicKeyInfo.
type PublicKey struct {
	Algorithm Identifier
	Kind      KeyKind
	Bits      int // of security-relevant size: modulus or field
	Key       any // *rsa.PublicKey, *ecdsa.PublicKey (P-224…521), *ecdh.PublicKey (X25519), ed25519.PublicKey, or a type of this package
}

// KeyKind is the kind of a public key.
type KeyKind uint8

const (
	_ KeyKind = iota
	RSA
	RSAPSS  // id-RSASSA-PSS: signs only, perhaps with fixed parameters
	RSAOAEP // id-RSAES-OAEP: encrypts only
	EC      // named curve of the NIST
	Ed25519Key
	Ed448Key
	X25519Key
	X448Key
	MLDSA
	SLHDSA
	MLKEM
	RSAKEM
	DSA        // recognised only
	OtherCurve // recognised only: brainpool, secp256k1
)

// ParsePublicKey reads a SubjectPublicKeyInfo. Sizes are capped before any
// arithmetic: RSA 1024 to 16384 bits, odd modulus, 3 ≤ e < 2^31 odd.
func ParsePublicKey(spki []byte) (*PublicKey, error) { panic("sketch") }

// Matches reports whether key is the private key of p, as far as its Public or
// PublicKey or Encapsulator method tells.
func (p *PublicKey) Matches(key crypto.PrivateKey) bool { panic("sketch") }

// A Signature is a signature algorithm with its parameters and digest.
type Signature struct {
	ID   Identifier
	Hash Hash // of the message (of signedAttrs); for pure algorithms the digest of the content
}

// SignatureOf returns the algorithm that id names. digest is that of
// SignerInfo.digestAlgorithm, which rsaEncryption depends on and all others
// must agree with (RFC 8933 section 3; RFC 8419, 9882 and 9814 for the pure algorithms); zero where there is none, as in
// certificates.
func SignatureOf(id Identifier, digest Hash) (*Signature, error) { panic("sketch") }

// Pure reports whether the algorithm signs the message itself, not a digest.
func (s *Signature) Pure() bool { panic("sketch") }

// Strength returns nil or an error that wraps ErrWeak: SHA-1, MD5, RSA below 2048 bits …
func (s *Signature) Strength(pub *PublicKey) error { panic("sketch") }

// Verify checks sig over a digest, or over the message itself if Pure. It fails with
// ErrSignature, ErrMismatch, ErrUnsupported or ErrMalformed. Strength is not its concern, but RSA below 1024 bits and MD5 never verify.
func (s *Signature) Verify(pub *PublicKey, digest, sig []byte) error { panic("sketch") }

// VerifyMessage checks sig over message, which it hashes if need be.
func (s *Signature) VerifyMessage(pub *PublicKey, message, sig []byte) error { panic("sketch") }

// A Scheme is a signature algorithm to sign with. The numbers are those of pkcs7.Scheme.
type Scheme uint16

// SchemeFor returns the scheme for a key where the caller has no wish: PKCS #1
// v1.5 with SHA-256 for plain RSA, the natural one for all others.
func SchemeFor(pub *PublicKey) (Scheme, error) { panic("sketch") }

// Identifiers returns the digest and signature algorithm to write.
func (s Scheme) Identifiers(pub *PublicKey) (digest, signature Identifier, err error) {
	panic("sketch")
}

func (s Scheme) Hash() Hash { panic("sketch") }
func (s Scheme) Pure() bool { panic("sketch") }

// Sign signs message with key, through crypto.MessageSigner where there is one. pub is the certificate's key. A key with a
// method WithContext(context.Context) crypto.PrivateKey is asked for one of ctx first.
// The signature is checked against pub before it is returned.
func Sign(ctx context.Context, key crypto.Signer, pub *PublicKey, s Scheme, message []byte) ([]byte, error) {
	panic("sketch")
}

// WithContext returns key bound to ctx, if it can be.
func WithContext(ctx context.Context, key crypto.PrivateKey) crypto.PrivateKey { panic("sketch") }
