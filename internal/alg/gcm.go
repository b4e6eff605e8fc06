package alg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"encoding/binary"
)

// gcm streams AES-GCM (NIST SP 800-38D), which the standard library has only in
// one piece.
type gcm struct {
	block   cipher.Block
	hash    ghash
	counter [16]byte // J0
	aad     uint64   // octets
	size    uint64   // octets of ciphertext
}

const maxGCM = 1<<36 - 32

func newGCM(key, nonce []byte) (*gcm, error) {
	b, err := aes.NewCipher(key)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	g := &gcm{block: b}
	if err := g.hash.init(b); err != nil {
		return nil, fail(ErrUnsupported, "AES-GCM")
	}
	// SP 800-38D section 7.1 step 2.
	if len(nonce) == 12 {
		copy(g.counter[:], nonce)
		g.counter[15] = 1
		return g, nil
	}
	g.hash.write(nonce)
	g.hash.sum(&g.counter, 0, uint64(len(nonce)))
	g.hash.reset()
	return g, nil
}

// start takes the associated data.
func (g *gcm) start(aad []byte) {
	g.hash.write(aad)
	g.hash.pad()
	g.aad = uint64(len(aad))
}

// stream returns the key stream.
func (g *gcm) stream() *gcmStream {
	c := g.counter
	binary.BigEndian.PutUint32(c[12:], binary.BigEndian.Uint32(c[12:])+1)
	return newGCMStream(g.block, c)
}

// tag ends the hash.
func (g *gcm) tag() (tag [16]byte) {
	var mask [16]byte
	g.block.Encrypt(mask[:], g.counter[:])
	g.hash.sum(&tag, g.aad, g.size)
	subtle.XORBytes(tag[:], tag[:], mask[:])
	return tag
}

// A gcmStream is CTR mode with the counter of GCM: only its last 32 bits count,
// so it starts again where they wrap.
type gcmStream struct {
	block cipher.Block
	iv    [16]byte
	ctr   cipher.Stream
	left  uint64 // octets until the counter wraps
}

func newGCMStream(b cipher.Block, iv [16]byte) *gcmStream {
	blocks := 1<<32 - uint64(binary.BigEndian.Uint32(iv[12:]))
	return &gcmStream{b, iv, cipher.NewCTR(b, iv[:]), 16 * blocks}
}

func (s *gcmStream) xor(dst, src []byte) {
	for uint64(len(src)) > s.left {
		n := s.left
		s.ctr.XORKeyStream(dst[:n], src[:n])
		dst, src = dst[n:], src[n:]
		clear(s.iv[12:])
		*s = *newGCMStream(s.block, s.iv)
	}
	s.ctr.XORKeyStream(dst[:len(src)], src)
	s.left -= uint64(len(src))
}

// Update makes streamCipher and Decrypter of it.
func (s *gcmStream) Update(dst, src []byte) []byte {
	dst, out := extend(dst, len(src))
	s.xor(out, src)
	return dst
}

func (s *gcmStream) Final(dst []byte) ([]byte, bool) { return dst, true }

func newGCMDecrypter(key, nonce []byte) (Decrypter, error) {
	g, err := newGCM(key, nonce)
	if err != nil {
		return nil, err
	}
	return g.stream(), nil
}

type gcmEncrypter struct {
	*gcm
	keys   *gcmStream
	tagLen int
}

func newGCMEncrypter(key, nonce, aad []byte, tagLen int) (Encrypter, error) {
	g, err := newGCM(key, nonce)
	if err != nil {
		return nil, err
	}
	g.start(aad)
	return &gcmEncrypter{g, g.stream(), tagLen}, nil
}

// encryptStep keeps what was just encrypted in the cache until it is hashed.
const encryptStep = 64 << 10

func (e *gcmEncrypter) Update(dst, src []byte) []byte {
	e.size += uint64(len(src))
	if e.size > maxGCM {
		return dst
	}
	dst, out := extend(dst, len(src))
	for len(src) > 0 {
		n := min(len(src), encryptStep)
		e.keys.xor(out[:n], src[:n])
		e.hash.write(out[:n])
		out, src = out[n:], src[n:]
	}
	return dst
}

func (e *gcmEncrypter) Final(dst []byte) (out, tag []byte) {
	if e.size > maxGCM {
		return dst, nil
	}
	t := e.tag()
	return dst, t[:e.tagLen]
}

type gcmAuthenticator struct {
	*gcm
	content *Content
}

func newGCMAuthenticator(c *Content, key, aad []byte) (Authenticator, error) {
	g, err := newGCM(key, c.nonce)
	if err != nil {
		return nil, err
	}
	g.start(aad)
	return &gcmAuthenticator{g, c}, nil
}

func (a *gcmAuthenticator) Write(p []byte) (int, error) {
	a.size += uint64(len(p))
	if a.size > maxGCM {
		return 0, fail(ErrDecrypt, "content longer than AES-GCM allows")
	}
	a.hash.write(p)
	return len(p), nil
}

func (a *gcmAuthenticator) Check(tag []byte) bool {
	t := a.tag()
	if len(tag) != a.content.TagLen && !a.content.fallbackTag(len(tag)) {
		return false
	}
	return subtle.ConstantTimeCompare(tag, t[:len(tag)]) == 1
}
