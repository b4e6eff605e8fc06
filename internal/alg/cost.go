package alg

import (
	"crypto/rsa"
	"math/bits"
)

// Cost is how much a signature check by the key costs at most, in checks by RSA
// with 4096 bits and the exponent 65537: it grows with the square of the
// modulus and with the bits of the exponent.
func (p *PublicKey) Cost() int {
	k, ok := p.Key.(*rsa.PublicKey)
	if !ok {
		return 1
	}
	n, e := int64(k.N.BitLen()), uint(k.E)
	steps := int64(bits.Len(e) + bits.OnesCount(e) - 1) // squarings and multiplications: 18 for 65537
	return int(max(1, n*n*steps/(4096*4096*18)))
}
