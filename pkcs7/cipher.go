package pkcs7

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
)

// Authenticated reports whether the cipher detects a change of the content.
func (c Cipher) Authenticated() bool { return c >= AES128GCM && c <= ChaCha20Poly1305 }
