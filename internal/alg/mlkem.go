package alg

import (
	"bytes"
	"crypto"
	"crypto/mlkem"
	"crypto/subtle"

	"github.com/cloudflare/circl/kem"
	"github.com/cloudflare/circl/kem/mlkem/mlkem1024"
	"github.com/cloudflare/circl/kem/mlkem/mlkem512"
	"github.com/cloudflare/circl/kem/mlkem/mlkem768"
	"github.com/gosmime/gosmime/internal/oid"
)

// mlkemSizes returns the lengths of key and ciphertext (FIPS 203 table 3); 0: another algorithm.
func mlkemSizes(o oid.OID) (key, ciphertext int) {
	switch o {
	case oid.MLKEM512:
		return 800, 768
	case oid.MLKEM768:
		return 1184, 1088
	case oid.MLKEM1024:
		return 1568, 1568
	}
	return 0, 0
}

// mlkemWrapLen returns the key length of the wrap that RFC 9936 section 2.2
// has for the parameter set.
func mlkemWrapLen(id oid.OID) int {
	if id == oid.MLKEM512 {
		return 16
	}
	return 32
}

func (p *PublicKey) parseMLKEM() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of ML-KEM") // RFC 9935 section 3
	}
	var err error
	switch p.Algorithm.OID {
	case oid.MLKEM512:
		p.Key, err = newMLKEM512PublicKey(p.raw)
	case oid.MLKEM768:
		p.Key, err = mlkem.NewEncapsulationKey768(p.raw)
	default:
		p.Key, err = mlkem.NewEncapsulationKey1024(p.raw)
	}
	if err != nil {
		return fail(ErrMalformed, "ML-KEM key")
	}
	p.Kind, p.Bits = MLKEM, 8*len(p.raw)
	return nil
}

func parseMLKEMPrivate(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
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
