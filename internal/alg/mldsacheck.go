package alg

import (
	"crypto/sha3"
	"crypto/subtle"
)

// The few steps of FIPS 204 that tell whether the parts of an expanded private
// key belong together: t = A·s1 + s2, whose high bits are the public key and
// whose low bits t0 are in the private one.

const mldsaQ = 8380417

// mldsaPoly is a polynomial with coefficients modulo q.
type mldsaPoly [256]uint32

// mldsaShape has the dimensions of a parameter set, and the bits and the bound
// of the coefficients of s1 and s2 (FIPS 204 table 1).
type mldsaShape struct{ k, l, bits, eta int }

// mldsaConsistent reports whether t0 of an expanded key follows from the rest,
// and whether its secret coefficients are small.
func mldsaConsistent(s mldsaShape, expanded []byte) bool {
	rho, rest := expanded[:32], expanded[128:]
	small := 1
	read := func() (p mldsaPoly) {
		for i := range p {
			v := int(littleBits(rest, i*s.bits, s.bits))
			small &= subtle.ConstantTimeLessOrEq(v, 2*s.eta)
			p[i] = uint32(s.eta-v+mldsaQ) % mldsaQ
		}
		rest = rest[32*s.bits:]
		return p
	}
	s1 := make([]mldsaPoly, s.l)
	for i := range s1 {
		s1[i] = read()
		s1[i].ntt()
	}
	s2 := make([]mldsaPoly, s.k)
	for i := range s2 {
		s2[i] = read()
	}
	same := 1
	for i := range s2 {
		var t mldsaPoly
		for j := range s1 {
			a := mldsaExpand(rho, byte(j), byte(i))
			for n := range t {
				t[n] = uint32((uint64(t[n]) + uint64(a[n])*uint64(s1[j][n])) % mldsaQ)
			}
		}
		t.inverseNTT()
		for n := range t {
			low := power2Round((t[n] + s2[i][n]) % mldsaQ)
			v := int(littleBits(rest, 13*n, 13))
			same &= subtle.ConstantTimeEq(int32(1<<12-v), int32(low))
		}
		rest = rest[32*13:]
	}
	return small&same == 1
}

// power2Round returns the low part of algorithm 35 with d = 13.
func power2Round(r uint32) int {
	low := int(r & (1<<13 - 1))
	return low - (1<<13)*subtle.ConstantTimeLessOrEq(1<<12+1, low)
}

// littleBits returns n ≤ 16 bits of b from bit i on, lowest first.
func littleBits(b []byte, i, n int) uint32 {
	var v uint32
	for j := i / 8; j <= (i+n-1)/8; j++ {
		v |= uint32(b[j]) << (8 * (j - i/8))
	}
	return v >> (i % 8) & (1<<n - 1)
}

// mldsaExpand is an element of ExpandA, algorithms 32 and 30.
func mldsaExpand(rho []byte, s, r byte) (p mldsaPoly) {
	x := sha3.NewSHAKE128()
	_, _ = x.Write(rho)
	_, _ = x.Write([]byte{s, r})
	var b [3]byte
	for n := 0; n < 256; {
		_, _ = x.Read(b[:])
		v := uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2]&0x7f)<<16
		if v < mldsaQ {
			p[n] = v
			n++
		}
	}
	return p
}

// zeta returns 1753^BitRev8(k) modulo q, a power of the 512th root of unity.
func zeta(k int) uint64 {
	rev := 0
	for i := range 8 {
		rev |= k >> i & 1 << (7 - i)
	}
	return powMod(1753, uint64(rev))
}

func powMod(base, n uint64) uint64 {
	z := uint64(1)
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z = z * base % mldsaQ
		}
		base = base * base % mldsaQ
	}
	return z
}

// ntt is algorithm 41.
func (p *mldsaPoly) ntt() {
	m := 0
	for length := 128; length >= 1; length /= 2 {
		for start := 0; start < 256; start += 2 * length {
			m++
			z := zeta(m)
			for j := start; j < start+length; j++ {
				t := uint32(z * uint64(p[j+length]) % mldsaQ)
				p[j+length] = (p[j] + mldsaQ - t) % mldsaQ
				p[j] = (p[j] + t) % mldsaQ
			}
		}
	}
}

// inverseNTT is algorithm 42.
func (p *mldsaPoly) inverseNTT() {
	m := 256
	for length := 1; length < 256; length *= 2 {
		for start := 0; start < 256; start += 2 * length {
			m--
			z := mldsaQ - zeta(m)
			for j := start; j < start+length; j++ {
				t := p[j]
				p[j] = (t + p[j+length]) % mldsaQ
				p[j+length] = uint32(z * uint64((t+mldsaQ-p[j+length])%mldsaQ) % mldsaQ)
			}
		}
	}
	f := powMod(256, mldsaQ-2)
	for j := range p {
		p[j] = uint32(f * uint64(p[j]) % mldsaQ)
	}
}
