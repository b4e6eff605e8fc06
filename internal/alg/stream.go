package alg

import (
	"slices"
)

// An Encrypter encrypts one content, in chunks of any size.
type Encrypter interface {
	// Update appends the ciphertext of src, as far as it is ready, to dst: up to
	// a block more or less than src. src may be the spare capacity of dst, from
	// its first octet, or not overlap it. More than MaxSize octets in all are not
	// encrypted.
	Update(dst, src []byte) []byte
	// Final appends the rest (padding) to dst and returns the tag, nil if there
	// is none or if there was too much content.
	Final(dst []byte) (out, tag []byte)
}

// An Authenticator checks the tag of one content over its ciphertext, without decrypting
// where the cipher allows it (GCM, ChaCha20-Poly1305); for CCM it decrypts and discards.
type Authenticator interface {
	// Write takes ciphertext. It fails if that is more than there may be.
	Write(ciphertext []byte) (int, error)
	// Check reports in constant time whether tag is right, its length included.
	// It ends the pass.
	Check(tag []byte) bool
}

// A Decrypter decrypts one content, in chunks of any size.
type Decrypter interface {
	// Update appends the plaintext of src, as far as it is ready, to dst; src as for Encrypter.
	Update(dst, src []byte) []byte
	// Final appends the rest to dst. ok is false, found out in constant time, if the length or the padding is
	// wrong; it is always true for ciphers without padding.
	Final(dst []byte) (out []byte, ok bool)
}

// Encrypter starts encryption with the key and, for authenticated ciphers, the
// associated data. CCM has to know the length of the content first, so what this
// returns for CCM keeps the content in memory until Final.
func (c *Content) Encrypter(cek, aad []byte) (Encrypter, error) {
	return c.EncrypterSize(cek, aad, -1)
}

// EncrypterSize is Encrypter for a content of size octets; −1: unknown.
func (c *Content) EncrypterSize(cek, aad []byte, size int64) (Encrypter, error) {
	if err := c.Strength(); err != nil {
		return nil, err
	}
	key, err := c.key(cek)
	if err != nil {
		return nil, err
	}
	if size > c.MaxSize() {
		return nil, fail(ErrUnsupported, "content of %d octets", size)
	}
	switch cipherTable[c.Cipher].mode {
	case modePoly:
		return newPolyEncrypter(key, c.nonce, aad)
	case modeGCM:
		return newGCMEncrypter(key, c.nonce, aad, c.TagLen)
	case modeCCM:
		return newCCMEncrypter(c, key, aad, size)
	}
	b, err := c.block(key)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	return newCBCEncrypter(b, c.nonce), nil
}

// Authenticator starts the first pass over an authenticated content. size is the total length of
// the ciphertext, which CCM needs first; −1: unknown, an error for CCM.
func (c *Content) Authenticator(cek, aad []byte, size int64) (Authenticator, error) {
	key, err := c.key(cek)
	if err != nil {
		return nil, err
	}
	if size > c.MaxSize() {
		return nil, fail(ErrDecrypt, "content of %d octets", size)
	}
	switch cipherTable[c.Cipher].mode {
	case modePoly:
		return newPolyAuthenticator(key, c.nonce, aad)
	case modeGCM:
		return newGCMAuthenticator(c, key, aad)
	case modeCCM:
		return newCCMAuthenticator(c, key, aad, size)
	}
	return nil, fail(ErrMismatch, "a cipher that does not authenticate")
}

// Decrypter starts decryption. For authenticated ciphers it is the second
// pass: it does not look at the tag.
func (c *Content) Decrypter(cek []byte) (Decrypter, error) {
	key, err := c.key(cek)
	if err != nil {
		return nil, err
	}
	switch cipherTable[c.Cipher].mode {
	case modePoly:
		return newPolyDecrypter(key, c.nonce)
	case modeGCM:
		return newGCMDecrypter(key, c.nonce)
	case modeCCM:
		return newCCMDecrypter(key, c.nonce)
	}
	b, err := c.block(key)
	if err != nil {
		return nil, fail(ErrDecrypt, "content-encryption key")
	}
	return newCBCDecrypter(b, c.nonce), nil
}

// extend lengthens dst by n octets and returns it and the new part.
func extend(dst []byte, n int) (all, part []byte) {
	all = slices.Grow(dst, n)[:len(dst)+n]
	return all, all[len(dst):]
}
