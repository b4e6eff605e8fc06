package alg

import (
	"crypto"
	"crypto/rand"
	"crypto/subtle"

	"github.com/cloudflare/circl/dh/x448"
)

const x448Size = x448.Size

// A X448PublicKey is a public key for X448 (RFC 7748).
type X448PublicKey struct{ u x448.Key }

// Bytes returns the encoded coordinate.
func (p *X448PublicKey) Bytes() []byte { return append([]byte(nil), p.u[:]...) }

// Equal reports whether x is the same key.
func (p *X448PublicKey) Equal(x crypto.PublicKey) bool {
	q, ok := x.(*X448PublicKey)
	return ok && q != nil && p.u == q.u
}

// A X448PrivateKey is a private key for X448.
type X448PrivateKey struct {
	secret x448.Key
	public X448PublicKey
}

// GenerateX448 makes a key.
func GenerateX448() *X448PrivateKey {
	var secret [x448Size]byte
	_, _ = rand.Read(secret[:]) // never fails
	return newX448(secret[:])
}

// newX448 takes 56 octets.
func newX448(secret []byte) *X448PrivateKey {
	k := new(X448PrivateKey)
	copy(k.secret[:], secret)
	x448.KeyGen(&k.public.u, &k.secret)
	return k
}

// Public returns the *X448PublicKey.
func (k *X448PrivateKey) Public() crypto.PublicKey { return &k.public }

// Equal reports whether x is the same key.
func (k *X448PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*X448PrivateKey)
	return ok && o != nil && subtle.ConstantTimeCompare(k.secret[:], o.secret[:]) == 1
}

// X448 returns the shared secret with peer. It fails with ErrMalformed if peer
// is of low order, which makes the secret zero (RFC 8418 section 2).
func (k *X448PrivateKey) X448(peer *X448PublicKey) ([]byte, error) {
	var shared x448.Key
	if !x448.Shared(&shared, &k.secret, &peer.u) {
		return nil, fail(ErrMalformed, "X448 point of low order")
	}
	return shared[:], nil
}
