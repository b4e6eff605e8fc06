package alg

import (
	"crypto/rand"
	"crypto/rsa"
	"math/big"
)

// rsaRaw is RSADP (RFC 8017 section 5.1.2), which the standard library does not
// offer. Its time depends on a random multiple of the ciphertext, not on the
// ciphertext.
func rsaRaw(key *rsa.PrivateKey, ciphertext []byte) ([]byte, error) {
	n := key.N
	if n.BitLen() < minRSABits || n.BitLen() > maxRSABits || len(ciphertext) != key.Size() {
		return nil, fail(ErrMalformed, "length of a RSA ciphertext")
	}
	c := new(big.Int).SetBytes(ciphertext)
	if c.Cmp(n) >= 0 {
		return nil, fail(ErrMalformed, "RSA ciphertext")
	}
	var r, inverse *big.Int
	for inverse == nil {
		var err error
		if r, err = rand.Int(rand.Reader, n); err != nil {
			return nil, fail(ErrUnsupported, "random numbers")
		}
		inverse = new(big.Int).ModInverse(r, n)
	}
	blind := r.Exp(r, big.NewInt(int64(key.E)), n)
	c.Mul(c, blind).Mod(c, n)
	c.Exp(c, key.D, n)
	c.Mul(c, inverse).Mod(c, n)
	return c.FillBytes(make([]byte, key.Size())), nil
}
