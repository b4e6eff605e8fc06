package alg

import (
	"crypto"
	"crypto/sha3"
	"crypto/subtle"
	"errors"
	"io"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign"
	"github.com/cloudflare/circl/sign/mldsa/mldsa44"
	"github.com/cloudflare/circl/sign/mldsa/mldsa65"
	"github.com/cloudflare/circl/sign/mldsa/mldsa87"
	"github.com/gosmime/gosmime/internal/oid"
)

func (p *PublicKey) parseMLDSA() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of ML-DSA") // RFC 9881 section 2
	}
	params, _ := mldsaParameters(p.Algorithm.OID)
	key, err := mldsa.NewPublicKey(params, p.raw)
	if err != nil {
		return fail(ErrMalformed, "ML-DSA key")
	}
	p.Kind, p.Bits, p.Key = MLDSA, 8*len(p.raw), key
	return nil
}

func (p *PublicKey) verifyMLDSA(message, sig []byte) bool {
	key, ok := p.Key.(*mldsa.PublicKey)
	return ok && mldsa.Verify(key, message, sig, nil) == nil
}

// mldsaParameters returns the parameter set with that name.
func mldsaParameters(o oid.OID) (mldsa.Parameters, bool) {
	switch o {
	case oid.MLDSA44:
		return mldsa.MLDSA44(), true
	case oid.MLDSA65:
		return mldsa.MLDSA65(), true
	case oid.MLDSA87:
		return mldsa.MLDSA87(), true
	}
	return mldsa.Parameters{}, false
}

func parseMLDSAPrivate(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
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
