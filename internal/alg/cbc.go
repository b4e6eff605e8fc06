package alg

import (
	"crypto/cipher"
	"crypto/subtle"
)

// cbc has what is common to both directions: the octets that do not fill a block yet.
type cbc struct {
	mode    cipher.BlockMode
	pending []byte // capacity of one block
}

// update crypts all whole blocks of pending and src but keep of the octets at
// the end, which stay pending.
func (c *cbc) update(dst, src []byte, keep int) []byte {
	size := c.mode.BlockSize()
	total := len(c.pending) + len(src)
	if total < size+keep {
		c.pending = append(c.pending, src...)
		return dst
	}
	full := (total - keep) / size * size
	rest := total - full
	// src may lie where out goes, so its end is saved before out is written.
	var tail [16]byte
	copy(tail[:rest], src[len(src)-min(rest, len(src)):])
	dst, out := extend(dst, full)
	copy(out[len(c.pending):], src[:full-len(c.pending)])
	copy(out, c.pending)
	c.mode.CryptBlocks(out, out)
	c.pending = append(c.pending[:0], tail[:rest]...)
	return dst
}

type cbcEncrypter struct{ cbc }

func newCBCEncrypter(b cipher.Block, iv []byte) *cbcEncrypter {
	return &cbcEncrypter{cbc{cipher.NewCBCEncrypter(b, iv), make([]byte, 0, b.BlockSize())}}
}

func (c *cbcEncrypter) Update(dst, src []byte) []byte { return c.update(dst, src, 0) }

// Final pads as RFC 5652 section 6.3 says.
func (c *cbcEncrypter) Final(dst []byte) (out, tag []byte) {
	size := c.mode.BlockSize()
	pad := size - len(c.pending)
	for range pad {
		c.pending = append(c.pending, byte(pad))
	}
	dst, block := extend(dst, size)
	c.mode.CryptBlocks(block, c.pending)
	return dst, nil
}

type cbcDecrypter struct{ cbc }

func newCBCDecrypter(b cipher.Block, iv []byte) *cbcDecrypter {
	return &cbcDecrypter{cbc{cipher.NewCBCDecrypter(b, iv), make([]byte, 0, b.BlockSize())}}
}

// Update holds back the last block, which may be padding.
func (c *cbcDecrypter) Update(dst, src []byte) []byte { return c.update(dst, src, 1) }

func (c *cbcDecrypter) Final(dst []byte) ([]byte, bool) {
	size := c.mode.BlockSize()
	if len(c.pending) != size { // public: the length of the ciphertext
		return dst, false
	}
	c.mode.CryptBlocks(c.pending, c.pending)
	n, good := unpad(c.pending)
	// With bad padding nothing is appended, after the same work.
	return append(dst, c.pending[:n]...), good == 1
}

// unpad returns the number of octets before the padding of the last block and 1,
// or 0 and 0 if the padding is wrong, in constant time: the last octet p is from
// 1 to the size of the block and the last p octets equal it.
func unpad(block []byte) (n, good int) {
	size := len(block)
	p := int(block[size-1])
	good = subtle.ConstantTimeLessOrEq(1, p) & subtle.ConstantTimeLessOrEq(p, size)
	for i := range size {
		within := subtle.ConstantTimeLessOrEq(i+1, p)
		same := subtle.ConstantTimeByteEq(block[size-1-i], byte(p))
		good &= subtle.ConstantTimeSelect(within, same, 1)
	}
	return subtle.ConstantTimeSelect(good, size-p, 0), good
}
