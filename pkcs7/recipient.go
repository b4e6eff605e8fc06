package pkcs7

import (
	"crypto"
	"crypto/x509"
)

// A Recipient can decrypt. The constructors below make the kinds of RFC 5652,
// RFC 9629 and RFC 9936; the kind for a certificate follows from its key.
type Recipient interface{ recipient() }

// ToCertificate encrypts to the key of cert: RSA (OAEP with SHA-256, see
// [RecipientOptions]), ECDH (P-256, P-384, P-521, X25519, X448) or ML-KEM.
func ToCertificate(cert *x509.Certificate, opts *RecipientOptions) Recipient { panic("sketch") }

// RecipientOptions are the options of [ToCertificate]; nil means the defaults.
type RecipientOptions struct {
	ByKeyID bool // name the recipient by subject key identifier
	// PKCS1v15 uses RSAES-PKCS1-v1_5 where OAEP is the default: some installed
	// programs know nothing else.
	PKCS1v15 bool
	// OAEPHash and MGFHash are the hashes of OAEP; zero: SHA-256.
	OAEPHash, MGFHash crypto.Hash
}

// ToPassword encrypts to a password (PBKDF2-HMAC-SHA-256 and PWRI-KEK).
func ToPassword(password []byte) Recipient { panic("sketch") }

// ToKey encrypts to a symmetric key-encryption key (AES key wrap).
func ToKey(id, kek []byte) Recipient { panic("sketch") }
