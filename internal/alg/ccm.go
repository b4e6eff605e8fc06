package alg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// ccm is AES-CCM (RFC 3610, NIST SP 800-38C), which the standard library lacks.
type ccm struct {
	block cipher.Block
	nonce []byte
	mac   cipher.BlockMode // CBC encryption, whose last block is the MAC
	last  [16]byte         // the last block that came out of it
	keys  cipher.Stream
	buf   []byte // less than a block of plaintext, not in the MAC yet
	space []byte // for what the MAC makes of a chunk
	left  int64  // octets still to come
}

// newCCM starts both the MAC over a content of size octets and the key stream.
func newCCM(c *Content, key, aad []byte, size int64) (*ccm, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	if size < 0 || size > c.MaxSize() {
		return nil, fail(ErrUnsupported, "AES-CCM content of %d octets", size)
	}
	m := &ccm{block: b, nonce: c.nonce, left: size}
	var zero [16]byte
	m.mac = cipher.NewCBCEncrypter(b, zero[:])
	m.keys = ccmStream(b, c.nonce)
	m.authenticate(firstBlock(c, len(aad) > 0, size))
	if len(aad) > 0 {
		m.authenticate(aadLength(len(aad)))
		m.authenticate(aad)
		m.flush()
	}
	return m, nil
}

// firstBlock is B_0 of RFC 3610 section 2.2.
func firstBlock(c *Content, hasAAD bool, size int64) []byte {
	var b [16]byte
	l := 15 - len(c.nonce)
	b[0] = byte((c.TagLen-2)/2<<3 | (l - 1))
	if hasAAD {
		b[0] |= 0x40
	}
	binary.BigEndian.PutUint64(b[8:], uint64(size))
	// The length has l octets, fewer than 8 where MaxSize keeps the others zero.
	copy(b[1:], c.nonce)
	return b[:]
}

// aadLength is the encoding of the length of the associated data.
func aadLength(n int) []byte {
	if n < 0xff00 {
		return binary.BigEndian.AppendUint16(nil, uint16(n))
	}
	return binary.BigEndian.AppendUint32([]byte{0xff, 0xfe}, uint32(n))
}

// ccmStream is the key stream from A_1 on; A_0 makes the tag.
func ccmStream(b cipher.Block, nonce []byte) cipher.Stream {
	a := counterBlock(nonce)
	a[15] = 1
	return cipher.NewCTR(b, a[:])
}

func counterBlock(nonce []byte) (a [16]byte) {
	a[0] = byte(15 - len(nonce) - 1)
	copy(a[1:], nonce)
	return a
}

// ccmStep is how much goes through the MAC at once.
const ccmStep = 8 << 10

// authenticate takes plaintext.
func (m *ccm) authenticate(p []byte) {
	if m.space == nil {
		m.space = make([]byte, ccmStep)
	}
	for len(p) > 0 {
		if len(m.buf) > 0 || len(p) < 16 {
			n := min(len(p), 16-len(m.buf))
			m.buf = append(m.buf, p[:n]...)
			p = p[n:]
			if len(m.buf) == 16 {
				m.blocks(m.buf)
				m.buf = m.buf[:0]
			}
			continue
		}
		n := min(len(p)&^15, ccmStep)
		m.blocks(p[:n])
		p = p[n:]
	}
}

func (m *ccm) blocks(p []byte) {
	out := m.space[:len(p)]
	m.mac.CryptBlocks(out, p)
	copy(m.last[:], out[len(out)-16:])
}

// flush fills the block with zeros.
func (m *ccm) flush() {
	if len(m.buf) > 0 {
		var block [16]byte
		copy(block[:], m.buf)
		m.buf = m.buf[:0]
		m.blocks(block[:])
	}
}

// tag ends the MAC.
func (m *ccm) tag() (tag [16]byte) {
	m.flush()
	a := counterBlock(m.nonce)
	m.block.Encrypt(tag[:], a[:])
	subtle.XORBytes(tag[:], tag[:], m.last[:])
	return tag
}

// A ccmEncrypter of a content of known size.
type ccmEncrypter struct {
	*ccm
	tagLen int
}

func newCCMEncrypter(c *Content, key, aad []byte, size int64) (Encrypter, error) {
	if size < 0 {
		if _, err := newCCM(c, key, aad, 0); err != nil {
			return nil, err
		}
		return &ccmHolder{content: c, key: key, aad: append([]byte(nil), aad...)}, nil
	}
	m, err := newCCM(c, key, aad, size)
	if err != nil {
		return nil, err
	}
	return &ccmEncrypter{m, c.TagLen}, nil
}

func (e *ccmEncrypter) Update(dst, src []byte) []byte {
	e.left -= int64(len(src))
	if e.left < 0 {
		return dst
	}
	e.authenticate(src)
	dst, out := extend(dst, len(src))
	e.keys.XORKeyStream(out, src)
	return dst
}

func (e *ccmEncrypter) Final(dst []byte) (out, tag []byte) {
	if e.left != 0 {
		return dst, nil
	}
	t := e.tag()
	return dst, t[:e.tagLen]
}

// A ccmHolder keeps a content of unknown size.
type ccmHolder struct {
	content  *Content
	key, aad []byte
	held     []byte
}

func (h *ccmHolder) Update(dst, src []byte) []byte {
	h.held = append(h.held, src...)
	return dst
}

func (h *ccmHolder) Final(dst []byte) (out, tag []byte) {
	e, err := newCCMEncrypter(h.content, h.key, h.aad, int64(len(h.held)))
	if err != nil { // too long for the nonce
		return dst, nil
	}
	return e.Final(e.Update(dst, h.held))
}

// A ccmAuthenticator decrypts and discards.
type ccmAuthenticator struct {
	*ccm
	tagLen int
	plain  []byte
}

func newCCMAuthenticator(c *Content, key, aad []byte, size int64) (Authenticator, error) {
	m, err := newCCM(c, key, aad, size)
	if err != nil {
		return nil, err
	}
	return &ccmAuthenticator{m, c.TagLen, make([]byte, ccmStep)}, nil
}

func (a *ccmAuthenticator) Write(p []byte) (int, error) {
	n := len(p)
	a.left -= int64(n)
	if a.left < 0 {
		return 0, fail(ErrDecrypt, "content longer than announced")
	}
	for len(p) > 0 {
		k := min(len(p), len(a.plain))
		a.keys.XORKeyStream(a.plain[:k], p[:k])
		a.authenticate(a.plain[:k])
		p = p[k:]
	}
	return n, nil
}

func (a *ccmAuthenticator) Check(tag []byte) bool {
	t := a.tag()
	clear(a.plain)
	return a.left == 0 && len(tag) == a.tagLen && subtle.ConstantTimeCompare(tag, t[:len(tag)]) == 1
}

// A streamDecrypter decrypts with a key stream alone.
type streamDecrypter struct{ keys cipher.Stream }

func newCCMDecrypter(key, nonce []byte) (Decrypter, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	return streamDecrypter{ccmStream(b, nonce)}, nil
}

func (s streamDecrypter) Update(dst, src []byte) []byte {
	dst, out := extend(dst, len(src))
	s.keys.XORKeyStream(out, src)
	return dst
}

func (s streamDecrypter) Final(dst []byte) ([]byte, bool) { return dst, true }
