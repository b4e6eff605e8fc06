package alg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/binary"
	"slices"

	"github.com/gosmime/gosmime/internal/oid"
)

// A Wrap is a key-wrap algorithm: AES (RFC 3394, RFC 5649), Triple DES to read.
type Wrap struct {
	ID     Identifier
	KEKLen int
}

// WrapOf parses a KeyWrapAlgorithm. Parameters must be absent (RFC 3565 section
// 2.3.2), but NULL, which old Java programs write, is read too.
func WrapOf(id Identifier) (*Wrap, error) {
	w := &Wrap{ID: id}
	switch id.OID {
	case oid.AES128Wrap, oid.AES128WrapPad:
		w.KEKLen = 16
	case oid.AES192Wrap, oid.AES192WrapPad, oid.TripleDESWrap:
		w.KEKLen = 24
	case oid.AES256Wrap, oid.AES256WrapPad:
		w.KEKLen = 32
	default:
		return nil, fail(ErrUnsupported, "key wrap %v", id.OID)
	}
	if !id.noParams() {
		return nil, fail(ErrMalformed, "parameters of key wrap %v", id.OID)
	}
	return w, nil
}

// WrapFor returns the AES wrap for a key of that many octets: no shorter than it
// (RFC 8551 section 2.7.2).
func WrapFor(cekLen int) *Wrap {
	switch {
	case cekLen <= 16:
		return &Wrap{Identifier{OID: oid.AES128Wrap}, 16}
	case cekLen <= 24:
		return &Wrap{Identifier{OID: oid.AES192Wrap}, 24}
	}
	return &Wrap{Identifier{OID: oid.AES256Wrap}, 32}
}

// Strength returns nil or an error that wraps ErrWeak: Triple DES.
func (w *Wrap) Strength() error {
	if w.ID.OID == oid.TripleDESWrap {
		return fail(ErrWeak, "key wrap by Triple DES")
	}
	return nil
}

// maxWrapped bounds the keys that are wrapped and unwrapped.
const maxWrapped = 4096

// Wrap encrypts a key. It fails with ErrMismatch if the length of a key does not
// fit, with ErrWeak for Triple DES.
func (w *Wrap) Wrap(kek, cek []byte) ([]byte, error) {
	if err := w.Strength(); err != nil {
		return nil, err
	}
	b, err := aes.NewCipher(kek)
	if err != nil || len(kek) != w.KEKLen || len(cek) == 0 || len(cek) > maxWrapped {
		return nil, fail(ErrMismatch, "length of a key to wrap")
	}
	if w.padded() {
		return wrapPadded(b, cek), nil
	}
	if len(cek)%8 != 0 || len(cek) < 16 {
		return nil, fail(ErrMismatch, "length of a key to wrap")
	}
	return wrapBlocks(b, wrapIV, cek), nil
}

// Unwrap decrypts a key. Whatever is wrong, the error is ErrDecrypt.
func (w *Wrap) Unwrap(kek, wrapped []byte) ([]byte, error) {
	if len(kek) != w.KEKLen || len(wrapped) > maxWrapped {
		return nil, ErrDecrypt
	}
	if w.ID.OID == oid.TripleDESWrap {
		return unwrapTripleDES(kek, wrapped)
	}
	b, err := aes.NewCipher(kek)
	if err != nil || len(wrapped)%8 != 0 {
		return nil, ErrDecrypt
	}
	if w.padded() {
		return unwrapPadded(b, wrapped)
	}
	if len(wrapped) < 24 {
		return nil, ErrDecrypt
	}
	a, key := unwrapBlocks(b, wrapped)
	if subtle.ConstantTimeCompare(a, []byte(wrapIV)) != 1 {
		clear(key)
		return nil, ErrDecrypt
	}
	return key, nil
}

func (w *Wrap) padded() bool {
	return w.ID.OID == oid.AES128WrapPad || w.ID.OID == oid.AES192WrapPad || w.ID.OID == oid.AES256WrapPad
}

// wrapIV is the initial value of RFC 3394 section 2.2.3.1; paddedIV the
// constant half of that of RFC 5649 section 3.
const (
	wrapIV   = "\xa6\xa6\xa6\xa6\xa6\xa6\xa6\xa6"
	paddedIV = "\xa6\x59\x59\xa6"
)

// wrapBlocks is RFC 3394 section 2.2.1, in the form with an index.
func wrapBlocks(b cipher.Block, iv string, key []byte) []byte {
	out := append([]byte(iv), key...)
	n := uint64(len(key) / 8)
	var block [16]byte
	copy(block[:8], iv)
	for j := range uint64(6) {
		for i := uint64(1); i <= n; i++ {
			copy(block[8:], out[8*i:])
			b.Encrypt(block[:], block[:])
			copy(out[8*i:], block[8:])
			binary.BigEndian.PutUint64(block[:], binary.BigEndian.Uint64(block[:])^(n*j+i))
		}
	}
	copy(out, block[:8])
	return out
}

// unwrapBlocks is RFC 3394 section 2.2.2 without the check of the integrity value a.
func unwrapBlocks(b cipher.Block, wrapped []byte) (a, key []byte) {
	out := slices.Clone(wrapped)
	n := uint64(len(wrapped)/8 - 1)
	var block [16]byte
	copy(block[:8], out)
	for j := uint64(6); j > 0; j-- {
		for i := n; i >= 1; i-- {
			binary.BigEndian.PutUint64(block[:], binary.BigEndian.Uint64(block[:])^(n*(j-1)+i))
			copy(block[8:], out[8*i:])
			b.Decrypt(block[:], block[:])
			copy(out[8*i:], block[8:])
		}
	}
	copy(out, block[:8])
	return out[:8], out[8:]
}

// wrapPadded is RFC 5649 section 4.1.
func wrapPadded(b cipher.Block, key []byte) []byte {
	iv := string(binary.BigEndian.AppendUint32([]byte(paddedIV), uint32(len(key))))
	padded := append(slices.Clone(key), make([]byte, -len(key)&7)...)
	if len(padded) == 8 {
		out := append([]byte(iv), padded...)
		b.Encrypt(out, out)
		return out
	}
	return wrapBlocks(b, iv, padded)
}

// unwrapPadded is RFC 5649 section 4.2.
func unwrapPadded(b cipher.Block, wrapped []byte) ([]byte, error) {
	var a, key []byte
	switch {
	case len(wrapped) < 16:
		return nil, ErrDecrypt
	case len(wrapped) == 16:
		var out [16]byte
		b.Decrypt(out[:], wrapped)
		a, key = out[:8], out[8:]
	default:
		a, key = unwrapBlocks(b, wrapped)
	}
	// The length must need all blocks and the padding be zeros.
	n := int(binary.BigEndian.Uint32(a[4:]) & 0x7fffffff)
	good := subtle.ConstantTimeCompare(a[:4], []byte(paddedIV)) &
		subtle.ConstantTimeByteEq(a[4]&0x80, 0) &
		subtle.ConstantTimeLessOrEq(len(key)-7, n) & subtle.ConstantTimeLessOrEq(n, len(key))
	var pad byte
	for i := len(key) - 7; i < len(key); i++ {
		mask := byte(-subtle.ConstantTimeLessOrEq(n, i))
		pad |= key[i] & mask
	}
	good &= subtle.ConstantTimeByteEq(pad, 0)
	if good != 1 {
		clear(key)
		return nil, ErrDecrypt
	}
	return key[:n], nil
}

// unwrapTripleDES is RFC 3217 section 3.2; the parity of the key is not looked at.
func unwrapTripleDES(kek, wrapped []byte) ([]byte, error) {
	// DEVIATION: the RFC wraps Triple DES keys only; OpenSSL wraps AES keys so.
	if n := len(wrapped) - 16; n < 16 || n > 32 || n%8 != 0 {
		return nil, ErrDecrypt
	}
	b, err := des.NewTripleDESCipher(kek)
	if err != nil {
		return nil, ErrDecrypt
	}
	temp := slices.Clone(wrapped)
	cipher.NewCBCDecrypter(b, []byte("\x4a\xdd\xa2\x2c\x79\xe8\x21\x05")).CryptBlocks(temp, temp)
	slices.Reverse(temp)
	out := make([]byte, len(temp)-8)
	cipher.NewCBCDecrypter(b, temp[:8]).CryptBlocks(out, temp[8:])
	keyLen := len(out) - 8
	sum := sha1.Sum(out[:keyLen])
	if subtle.ConstantTimeCompare(sum[:8], out[keyLen:]) != 1 {
		clear(out)
		return nil, ErrDecrypt
	}
	return out[:keyLen], nil
}
