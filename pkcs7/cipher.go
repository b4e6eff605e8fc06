package pkcs7

import (
	"fmt"
)

// Cipher is a content encryption algorithm. The zero Cipher is refused when
// reading; when writing it means AES-256-GCM.
type Cipher uint16

const (
	_ Cipher = iota
	AES128GCM
	AES192GCM
	AES256GCM
	AES128CCM
	AES256CCM
	ChaCha20Poly1305
	AES128CBC
	AES192CBC
	AES256CBC
	TripleDES // historic: read only
	RC2       // historic: read only
	// AES192CCM is read only, and authenticated like the ciphers up to ChaCha20Poly1305.
	AES192CCM
	DES // historic: read only
)

// Authenticated reports whether the cipher detects a change of the content. It
// says nothing about who encrypted it: every recipient can make another
// message with the same key (RFC 8551 section 6).
func (c Cipher) Authenticated() bool {
	return c >= AES128GCM && c <= ChaCha20Poly1305 || c == AES192CCM
}

// String returns a name such as "AES-256-GCM".
func (c Cipher) String() string {
	switch c {
	case AES128GCM:
		return "AES-128-GCM"
	case AES192GCM:
		return "AES-192-GCM"
	case AES256GCM:
		return "AES-256-GCM"
	case AES128CCM:
		return "AES-128-CCM"
	case AES192CCM:
		return "AES-192-CCM"
	case AES256CCM:
		return "AES-256-CCM"
	case ChaCha20Poly1305:
		return "ChaCha20-Poly1305"
	case AES128CBC:
		return "AES-128-CBC"
	case AES192CBC:
		return "AES-192-CBC"
	case AES256CBC:
		return "AES-256-CBC"
	case TripleDES:
		return "Triple DES"
	case RC2:
		return "RC2"
	case DES:
		return "DES"
	}
	return fmt.Sprintf("cipher %d", uint16(c))
}

// writable reports whether messages are made with c.
func (c Cipher) writable() bool { return c >= AES128GCM && c <= AES256CBC }
