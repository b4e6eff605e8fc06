package alg

import (
	"crypto"
	"crypto/rand"
	"crypto/subtle"

	"github.com/cloudflare/circl/kem/mlkem/mlkem512"
)

// A MLKEM512PublicKey is an encapsulation key of ML-KEM-512, which the standard
// library leaves out. It is a crypto.Encapsulator.
type MLKEM512PublicKey struct {
	key   mlkem512.PublicKey
	bytes []byte
}

func newMLKEM512PublicKey(b []byte) (*MLKEM512PublicKey, error) {
	p := &MLKEM512PublicKey{bytes: append([]byte(nil), b...)}
	if len(b) != mlkem512.PublicKeySize || p.key.Unpack(b) != nil { // with the modulus check of FIPS 203 section 7.2
		return nil, fail(ErrMalformed, "ML-KEM-512 key")
	}
	return p, nil
}

// Bytes returns the encoding.
func (p *MLKEM512PublicKey) Bytes() []byte { return append([]byte(nil), p.bytes...) }

// Encapsulate makes a shared key and the ciphertext that carries it.
func (p *MLKEM512PublicKey) Encapsulate() (sharedKey, ciphertext []byte) {
	var seed [mlkem512.EncapsulationSeedSize]byte
	_, _ = rand.Read(seed[:]) // never fails
	ciphertext = make([]byte, mlkem512.CiphertextSize)
	sharedKey = make([]byte, mlkem512.SharedKeySize)
	p.key.EncapsulateTo(ciphertext, sharedKey, seed[:])
	return sharedKey, ciphertext
}

// A MLKEM512PrivateKey is a decapsulation key of ML-KEM-512. It is a
// crypto.Decapsulator.
type MLKEM512PrivateKey struct {
	key    mlkem512.PrivateKey
	public *MLKEM512PublicKey
}

// newMLKEM512 takes a seed of 64 octets.
func newMLKEM512(seed []byte) (*MLKEM512PrivateKey, error) {
	pub, key := mlkem512.NewKeyFromSeed(seed)
	b, err := pub.MarshalBinary()
	if err != nil {
		return nil, fail(ErrMalformed, "ML-KEM-512 key")
	}
	return &MLKEM512PrivateKey{key: *key, public: &MLKEM512PublicKey{key: *pub, bytes: b}}, nil
}

// Encapsulator returns the *MLKEM512PublicKey.
func (k *MLKEM512PrivateKey) Encapsulator() crypto.Encapsulator { return k.public }

// Decapsulate returns the shared key. A ciphertext of the right length that was
// not made for the key gives an unrelated one (implicit rejection).
func (k *MLKEM512PrivateKey) Decapsulate(ciphertext []byte) ([]byte, error) {
	if len(ciphertext) != mlkem512.CiphertextSize {
		return nil, fail(ErrMalformed, "length of a ML-KEM ciphertext")
	}
	shared := make([]byte, mlkem512.SharedKeySize)
	k.key.DecapsulateTo(shared, ciphertext)
	return shared, nil
}

// Equal reports whether x is the same key.
func (k *MLKEM512PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*MLKEM512PrivateKey)
	if !ok || o == nil {
		return false
	}
	var a, b [mlkem512.PrivateKeySize]byte
	k.key.Pack(a[:])
	o.key.Pack(b[:])
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1
}
