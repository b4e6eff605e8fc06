package alg

import (
	"bytes"
	"crypto"
	"crypto/mlkem"
	"crypto/sha3"
	"crypto/subtle"
	"errors"
	"io"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/kem"
	"github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	"github.com/cloudflare/circl/kem/mlkem/mlkem512"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
	"github.com/gosmime/gosmime/internal/oid"
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

func parseMLDSAPrivate(id Identifier, private []byte) (crypto.PrivateKey, error) {
	if len(id.Params) > 0 {
		return nil, fail(ErrMalformed, "parameters of ML-DSA")
	}
	scheme := mldsaScheme(id.OID)
	seed, expanded, err := readSeed(private, mldsa.PrivateKeySize, scheme.PrivateKeySize())
	if err != nil {
		return nil, err
	}
	if seed == nil {
		return newMLDSAExpanded(scheme, expanded)
	}
	if expanded != nil {
		// RFC 9881 section 6: a mismatch MUST be rejected.
		_, own := scheme.DeriveKey(seed)
		b, err := own.MarshalBinary()
		if err != nil || subtle.ConstantTimeCompare(b, expanded) != 1 {
			return nil, fail(ErrMismatch, "seed and expanded key of ML-DSA")
		}
	}
	params, _ := mldsaParameters(id.OID)
	key, err := mldsa.NewPrivateKey(params, seed)
	if err != nil {
		return nil, fail(ErrMalformed, "ML-DSA key")
	}
	return key, nil
}

func mldsaScheme(o oid.OID) sign.Scheme {
	switch o {
	case oid.MLDSA44:
		return mldsa44.Scheme()
	case oid.MLDSA65:
		return mldsa65.Scheme()
	}
	return mldsa87.Scheme()
}

// A MLDSAExpandedKey is a private key for ML-DSA of which the seed is not
// known. It is a crypto.Signer of whole messages.
type MLDSAExpandedKey struct {
	key    sign.PrivateKey
	public *mldsa.PublicKey
}

// newMLDSAExpanded checks the key as RFC 9881 section 8 advises: small
// coefficients, the low bits of t, the hash of the public key, and that it signs.
func newMLDSAExpanded(scheme sign.Scheme, expanded []byte) (*MLDSAExpandedKey, error) {
	bad := fail(ErrMismatch, "parts of an expanded ML-DSA key")
	if !mldsaConsistent(mldsaShapeOf(scheme), expanded) {
		return nil, bad
	}
	key, err := scheme.UnmarshalBinaryPrivateKey(expanded)
	if err != nil {
		return nil, fail(ErrMalformed, "ML-DSA key")
	}
	k := &MLDSAExpandedKey{key: key}
	pub, ok := key.(crypto.Signer).Public().(sign.PublicKey)
	if !ok {
		return nil, bad
	}
	raw, err := pub.MarshalBinary()
	// FIPS 204 algorithm 24: rho, K and then tr, the hash of the public key.
	if err != nil || subtle.ConstantTimeCompare(sha3.SumSHAKE256(raw, 64), expanded[64:128]) != 1 {
		return nil, bad
	}
	params, _ := mldsaParameters(mldsaName(scheme))
	if k.public, err = mldsa.NewPublicKey(params, raw); err != nil {
		return nil, bad
	}
	sig, err := k.Sign(nil, nil, crypto.Hash(0))
	if err != nil || mldsa.Verify(k.public, nil, sig, nil) != nil {
		return nil, bad
	}
	return k, nil
}

func mldsaName(scheme sign.Scheme) oid.OID {
	switch scheme.PrivateKeySize() {
	case mldsa44.PrivateKeySize:
		return oid.MLDSA44
	case mldsa65.PrivateKeySize:
		return oid.MLDSA65
	}
	return oid.MLDSA87
}

// mldsaShapeOf returns the numbers of FIPS 204 table 1.
func mldsaShapeOf(scheme sign.Scheme) mldsaShape {
	switch scheme.PrivateKeySize() {
	case mldsa44.PrivateKeySize:
		return mldsaShape{4, 4, 3, 2}
	case mldsa65.PrivateKeySize:
		return mldsaShape{6, 5, 4, 4}
	}
	return mldsaShape{8, 7, 3, 2}
}

// Public returns the *mldsa.PublicKey.
func (k *MLDSAExpandedKey) Public() crypto.PublicKey { return k.public }

// Sign signs message, which must not be hashed: the hash of opts must be zero.
func (k *MLDSAExpandedKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 {
		return nil, errors.New("alg: ML-DSA signs messages, not digests")
	}
	sig := make([]byte, k.key.Scheme().SignatureSize())
	var err error
	switch key := k.key.(type) { // hedged, as RFC 9882 section 3.1 recommends
	case *mldsa44.PrivateKey:
		err = mldsa44.SignTo(key, message, nil, true, sig)
	case *mldsa65.PrivateKey:
		err = mldsa65.SignTo(key, message, nil, true, sig)
	case *mldsa87.PrivateKey:
		err = mldsa87.SignTo(key, message, nil, true, sig)
	}
	if err != nil {
		return nil, errors.New("alg: ML-DSA can't sign")
	}
	return sig, nil
}

func parseMLKEMPrivate(id Identifier, private []byte) (crypto.PrivateKey, error) {
	if len(id.Params) > 0 {
		return nil, fail(ErrMalformed, "parameters of ML-KEM")
	}
	scheme := mlkemScheme(id.OID)
	seed, expanded, err := readSeed(private, mlkem.SeedSize, scheme.PrivateKeySize())
	if err != nil {
		return nil, err
	}
	if expanded != nil {
		key, err := newMLKEM(scheme, expanded)
		if err != nil || seed == nil {
			return key, err
		}
		// RFC 9935 section 6: a mismatch MUST be rejected.
		_, own := scheme.DeriveKeyPair(seed)
		if b, err := own.MarshalBinary(); err != nil || subtle.ConstantTimeCompare(b, expanded) != 1 {
			return nil, fail(ErrMismatch, "seed and expanded key of ML-KEM")
		}
	}
	switch id.OID {
	case oid.MLKEM768:
		return mlkem.NewDecapsulationKey768(seed)
	case oid.MLKEM1024:
		return mlkem.NewDecapsulationKey1024(seed)
	}
	_, own := scheme.DeriveKeyPair(seed)
	b, err := own.MarshalBinary()
	if err != nil {
		return nil, fail(ErrMalformed, "ML-KEM key")
	}
	return newMLKEM(scheme, b)
}

func mlkemScheme(o oid.OID) kem.Scheme {
	switch o {
	case oid.MLKEM512:
		return mlkem512.Scheme()
	case oid.MLKEM768:
		return mlkem768.Scheme()
	}
	return mlkem1024.Scheme()
}

// A MLKEMPrivateKey is a decapsulation key that the standard library can't
// hold: of ML-KEM-512, or without a seed. It is a crypto.Decapsulator.
type MLKEMPrivateKey struct {
	key    kem.PrivateKey
	public crypto.Encapsulator
}

// newMLKEM takes an expanded key and makes the checks of FIPS 203 section 7.3.
func newMLKEM(scheme kem.Scheme, expanded []byte) (*MLKEMPrivateKey, error) {
	key, err := scheme.UnmarshalBinaryPrivateKey(expanded) // with the hash check
	if err != nil {
		return nil, fail(ErrMismatch, "parts of an expanded ML-KEM key")
	}
	// All coefficients have to be below the modulus: what is packed again is the same.
	if b, err := key.MarshalBinary(); err != nil || !bytes.Equal(b, expanded) {
		return nil, fail(ErrMalformed, "ML-KEM key")
	}
	pub := expanded[len(expanded)-scheme.PublicKeySize()-64 : len(expanded)-64]
	k := &MLKEMPrivateKey{key: key}
	switch len(pub) {
	case mlkem512.PublicKeySize:
		k.public, err = newMLKEM512PublicKey(pub)
	case mlkem768.PublicKeySize:
		k.public, err = mlkem.NewEncapsulationKey768(pub)
	default:
		k.public, err = mlkem.NewEncapsulationKey1024(pub)
	}
	if err != nil {
		return nil, fail(ErrMalformed, "ML-KEM key")
	}
	// The two halves belong together if one opens what the other seals.
	secret, ct := k.public.Encapsulate()
	if got, err := k.Decapsulate(ct); err != nil || subtle.ConstantTimeCompare(got, secret) != 1 {
		return nil, fail(ErrMismatch, "parts of an expanded ML-KEM key")
	}
	return k, nil
}

// Encapsulator returns the public key.
func (k *MLKEMPrivateKey) Encapsulator() crypto.Encapsulator { return k.public }

// Decapsulate returns the shared key. A ciphertext of the right length that was
// not made for the key gives an unrelated one (implicit rejection).
func (k *MLKEMPrivateKey) Decapsulate(ciphertext []byte) ([]byte, error) {
	shared, err := k.key.Scheme().Decapsulate(k.key, ciphertext)
	if err != nil {
		return nil, fail(ErrMalformed, "length of a ML-KEM ciphertext")
	}
	return shared, nil
}

// Equal reports whether x is the same key.
func (k *MLKEMPrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*MLKEMPrivateKey)
	return ok && o != nil && k.key.Equal(o.key)
}

// A MLKEM512PublicKey is an encapsulation key of ML-KEM-512, which the standard
// library leaves out. It is a crypto.Encapsulator.
type MLKEM512PublicKey struct {
	key   kem.PublicKey
	bytes []byte
}

func newMLKEM512PublicKey(b []byte) (*MLKEM512PublicKey, error) {
	key, err := mlkem512.Scheme().UnmarshalBinaryPublicKey(b) // with the modulus check of FIPS 203 section 7.2
	if err != nil {
		return nil, fail(ErrMalformed, "ML-KEM-512 key")
	}
	return &MLKEM512PublicKey{key, bytes.Clone(b)}, nil
}

// Bytes returns the encoding.
func (p *MLKEM512PublicKey) Bytes() []byte { return bytes.Clone(p.bytes) }

// Encapsulate makes a shared key and the ciphertext that carries it.
func (p *MLKEM512PublicKey) Encapsulate() (sharedKey, ciphertext []byte) {
	// It fails only for keys of other types or without random numbers, which
	// ends the program before.
	ciphertext, sharedKey, _ = mlkem512.Scheme().Encapsulate(p.key)
	return sharedKey, ciphertext
}
