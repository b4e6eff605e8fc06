package pkcs7

import "github.com/gosmime/gosmime/internal/alg"

// Cipher is a content encryption algorithm. The zero Cipher is refused when
// reading; when writing it means AES-256-GCM.
type Cipher uint16

const (
	AES128GCM        = Cipher(alg.AES128GCM)
	AES192GCM        = Cipher(alg.AES192GCM)
	AES256GCM        = Cipher(alg.AES256GCM)
	AES128CCM        = Cipher(alg.AES128CCM)
	AES256CCM        = Cipher(alg.AES256CCM)
	ChaCha20Poly1305 = Cipher(alg.ChaCha20Poly1305)
	AES128CBC        = Cipher(alg.AES128CBC)
	AES192CBC        = Cipher(alg.AES192CBC)
	AES256CBC        = Cipher(alg.AES256CBC)
	TripleDES        = Cipher(alg.TripleDES) // historic: read only
	RC2              = Cipher(alg.RC2)       // historic: read only
	AES192CCM        = Cipher(alg.AES192CCM) // read only
	DES              = Cipher(alg.DES)       // historic: read only
)

// Authenticated reports whether the cipher detects a change of the content. It
// says nothing about who encrypted it: every recipient can make another
// message with the same key (RFC 8551 section 6).
func (c Cipher) Authenticated() bool { return alg.Cipher(c).Authenticated() }

// String returns a name such as "AES-256-GCM".
func (c Cipher) String() string { return alg.Cipher(c).String() }

// writable reports whether messages are made with c.
func (c Cipher) writable() bool { return alg.Cipher(c).Writable() }
