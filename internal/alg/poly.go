package alg

import (
	"crypto/subtle"
	"encoding/binary"

	"golang.org/x/crypto/chacha20"
	"golang.org/x/crypto/poly1305" //lint:ignore SA1019 the AEAD package can't stream
)

// poly streams ChaCha20-Poly1305 (RFC 8439 section 2.8).
type poly struct {
	keys *chacha20.Cipher
	mac  *poly1305.MAC
	aad  uint64
	size uint64
}

const maxPoly = 1<<38 - 64

func newPoly(key, nonce, aad []byte) (*poly, error) {
	keys, err := chacha20.NewUnauthenticatedCipher(key, nonce)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	var macKey [32]byte
	keys.XORKeyStream(macKey[:], macKey[:])
	keys.SetCounter(1)
	p := &poly{keys: keys, mac: poly1305.New(&macKey), aad: uint64(len(aad))}
	p.authenticate(aad)
	p.pad(p.aad)
	return p, nil
}

func (p *poly) authenticate(b []byte) { _, _ = p.mac.Write(b) } // never fails

func (p *poly) pad(n uint64) {
	var zero [16]byte
	p.authenticate(zero[:-n&15])
}

func (p *poly) tag() []byte {
	p.pad(p.size)
	var lengths [16]byte
	binary.LittleEndian.PutUint64(lengths[:8], p.aad)
	binary.LittleEndian.PutUint64(lengths[8:], p.size)
	p.authenticate(lengths[:])
	return p.mac.Sum(nil)
}

type polyEncrypter struct{ *poly }

func newPolyEncrypter(key, nonce, aad []byte) (Encrypter, error) {
	p, err := newPoly(key, nonce, aad)
	return polyEncrypter{p}, err
}

func (e polyEncrypter) Update(dst, src []byte) []byte {
	e.size += uint64(len(src))
	if e.size > maxPoly {
		return dst
	}
	dst, out := extend(dst, len(src))
	e.keys.XORKeyStream(out, src)
	e.authenticate(out)
	return dst
}

func (e polyEncrypter) Final(dst []byte) (out, tag []byte) {
	if e.size > maxPoly {
		return dst, nil
	}
	return dst, e.tag()
}

type polyAuthenticator struct{ *poly }

func newPolyAuthenticator(key, nonce, aad []byte) (Authenticator, error) {
	p, err := newPoly(key, nonce, aad)
	return polyAuthenticator{p}, err
}

func (a polyAuthenticator) Write(b []byte) (int, error) {
	a.size += uint64(len(b))
	if a.size > maxPoly {
		return 0, fail(ErrDecrypt, "content longer than ChaCha20 allows")
	}
	a.authenticate(b)
	return len(b), nil
}

func (a polyAuthenticator) Check(tag []byte) bool {
	return subtle.ConstantTimeCompare(tag, a.tag()) == 1
}

func newPolyDecrypter(key, nonce []byte) (Decrypter, error) {
	p, err := newPoly(key, nonce, nil)
	if err != nil {
		return nil, err
	}
	return streamDecrypter{p.keys}, nil
}
