package alg

// A Cipher is a content encryption algorithm. The numbers are those of
// pkcs7.Cipher; further ones, read only, follow them.
type Cipher uint16

// A Content is a content encryption algorithm with its nonce or IV.
type Content struct {
	Cipher Cipher
	ID     Identifier // as received or to be written; for CEK-HKDF the outer one
	HKDF   bool       // RFC 9709: the key is derived from the CEK and the identifier
	// TagLen is the length of the tag in octets; 0: not authenticated.
	TagLen int
	// DefaultICVLen says that aes-ICVlen was omitted, so that TagLen is 12; the one pattern of RFC 8551
	// section 3.4, a mac of 16 octets, is accepted by SetTag.
	DefaultICVLen bool

	nonce []byte
}

// ContentOf parses a ContentEncryptionAlgorithmIdentifier strictly.
func ContentOf(id Identifier) (*Content, error) { panic("sketch") }

// NewContent returns c with a fresh nonce or IV; with hkdf it is wrapped as RFC 9709 says.
func NewContent(c Cipher, hkdf bool) (*Content, error) { panic("sketch") }

// KeyLen returns the length of the content-encryption key in octets.
func (c *Content) KeyLen() int { panic("sketch") }

// NewKey returns a fresh content-encryption key.
func (c *Content) NewKey() []byte { panic("sketch") }

// Strength returns nil or an error that wraps ErrWeak.
func (c *Content) Strength() error { panic("sketch") }

// An Encrypter encrypts one content, in chunks of any size.
type Encrypter interface {
	// Update appends the ciphertext of src, as far as it is ready, to dst. src may be the spare capacity of dst or not overlap it.
	Update(dst, src []byte) []byte
	// Final appends the rest (padding) to dst and returns the tag, nil if there is none.
	Final(dst []byte) (out, tag []byte)
}

// Encrypter starts encryption with the key and, for authenticated ciphers, the
// associated data.
func (c *Content) Encrypter(cek, aad []byte) (Encrypter, error) { panic("sketch") }

// An Authenticator checks the tag of one content over its ciphertext, without decrypting
// where the cipher allows it (GCM, ChaCha20-Poly1305); for CCM it decrypts and discards.
type Authenticator interface {
	Write(ciphertext []byte) (int, error)
	// Check reports in constant time whether tag is right, its length included.
	Check(tag []byte) bool
}

// Authenticator starts the first pass over an authenticated content. size is the total length of
// the ciphertext, which CCM needs first; −1: unknown, an error for CCM.
func (c *Content) Authenticator(cek, aad []byte, size int64) (Authenticator, error) { panic("sketch") }

// A Decrypter decrypts one content, in chunks of any size.
type Decrypter interface {
	// Update appends the plaintext of src, as far as it is ready, to dst.
	Update(dst, src []byte) []byte
	// Final appends the rest to dst. ok is false, found out in constant time, if the length or the padding is
	// wrong; it is always true for ciphers without padding.
	Final(dst []byte) (out []byte, ok bool)
}

// Decrypter starts decryption. For authenticated ciphers it is the second
// pass: it does not look at the tag.
func (c *Content) Decrypter(cek []byte) (Decrypter, error) { panic("sketch") }
