package alg

import (
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// ghash is GHASH of SP 800-38D section 6.4, at the speed of the standard
// library: that hashes the associated data of a GCM message, so each chunk X is
// sealed as the associated data of an empty message under a fixed nonce, which
// gives t = (GHASH(X) ⊕ len(X))·H under a known mask. Chunks are chained by
// GHASH(A‖B) = GHASH(A)·H^m ⊕ GHASH(B), where B has m blocks. No tag made this
// way leaves the package.
type ghash struct {
	aead  cipher.AEAD
	nonce [12]byte // fixed: zeros
	mask  [16]byte // of that nonce
	tag   [16]byte
	h     field
	state field // GHASH of all before, times H

	step field  // H to the power of the blocks of a step
	buf  []byte // what does not fill a step yet
}

// ghashStep is the length of a chunk. All but the last of a message have it, so
// that one power of H is enough.
const ghashStep = 32 << 10

func (g *ghash) init(b cipher.Block) error {
	var err error
	if g.aead, err = cipher.NewGCM(b); err != nil {
		return err
	}
	var zero [16]byte
	b.Encrypt(zero[:], zero[:])
	g.h = loadField(&zero)
	b.Encrypt(g.mask[:], []byte{15: 1}) // J0 of a nonce of zeros
	return nil
}

func (g *ghash) reset() { g.state, g.buf = field{}, g.buf[:0] }

func (g *ghash) write(p []byte) {
	if len(g.buf) > 0 {
		n := min(len(p), ghashStep-len(g.buf))
		g.buf = append(g.buf, p[:n]...)
		p = p[n:]
		if len(g.buf) < ghashStep {
			return
		}
		g.chunk(g.buf)
		g.buf = g.buf[:0]
	}
	for len(p) >= ghashStep {
		g.chunk(p[:ghashStep])
		p = p[ghashStep:]
	}
	g.buf = append(g.buf, p...)
}

// pad fills the block with zeros and hashes what there is.
func (g *ghash) pad() {
	var zero [16]byte
	g.buf = append(g.buf, zero[:-len(g.buf)&15]...)
	if len(g.buf) > 0 {
		g.chunk(g.buf)
		g.buf = g.buf[:0]
	}
}

// sum ends the hash with the lengths in octets of associated data and content.
func (g *ghash) sum(out *[16]byte, aad, size uint64) {
	g.pad()
	g.state.xor(field{aad * 8, size * 8}.mul(g.h)).store(out)
}

// chunk hashes whole blocks, at most a step.
func (g *ghash) chunk(p []byte) {
	blocks := uint64(len(p) / 16)
	g.aead.Seal(g.tag[:0], g.nonce[:], nil, p)
	subtle.XORBytes(g.tag[:], g.tag[:], g.mask[:])
	sum := loadField(&g.tag).xor(field{blocks * 128, 0}.mul(g.h))
	if g.state != (field{}) {
		sum = sum.xor(g.state.mul(g.power(blocks)))
	}
	g.state = sum
}

// power returns H^blocks.
func (g *ghash) power(blocks uint64) field {
	if blocks != ghashStep/16 {
		return g.h.pow(blocks)
	}
	if g.step == (field{}) {
		g.step = g.h.pow(blocks)
	}
	return g.step
}

// A field is an element of GF(2^128) as GCM writes it: the first bit of a block
// is the constant term.
type field struct{ hi, lo uint64 }

func loadField(b *[16]byte) field {
	return field{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

func (f field) store(b *[16]byte) {
	binary.BigEndian.PutUint64(b[:8], f.hi)
	binary.BigEndian.PutUint64(b[8:], f.lo)
}

func (f field) xor(g field) field { return field{f.hi ^ g.hi, f.lo ^ g.lo} }

// mul is the multiplication of SP 800-38D section 6.3 in constant time.
func (f field) mul(v field) (z field) {
	for _, word := range [2]uint64{f.hi, f.lo} {
		for range 64 {
			bit := -(word >> 63)
			word <<= 1
			z.hi ^= v.hi & bit
			z.lo ^= v.lo & bit
			carry := -(v.lo & 1)
			v.lo = v.lo>>1 | v.hi<<63
			v.hi = v.hi>>1 ^ carry&(0xe1<<56)
		}
	}
	return z
}

// pow returns f to the power of n ≥ 1; n is public.
func (f field) pow(n uint64) field {
	z := field{1 << 63, 0} // one
	for ; n > 0; n >>= 1 {
		if n&1 == 1 {
			z = z.mul(f)
		}
		f = f.mul(f)
	}
	return z
}
