package smime

import (
	"context"
	"github.com/gosmime/gosmime/pkcs7"
	"io"
)

// Decrypt reads an encrypted message from r and writes the MIME entity inside
// to w, after all of it was decrypted. What it writes may have been changed by
// anyone unless Encryption.Cipher.Authenticated: don't render it as HTML. It
// does not look at signatures, inside or outside: see [Unseal].
func Decrypt(ctx context.Context, w io.Writer, r io.Reader, keys Keyring, opts *DecryptOptions) (*Encryption, error) {
	panic("sketch")
}

// DecryptOptions are the options of [Decrypt].
type DecryptOptions struct {
	// RequireAuthenticated fails with ErrNotAuthenticated if the cipher lets
	// an attacker change the content.
	RequireAuthenticated bool
	Limits               Limits
	InsecureHistoric     bool // decrypts Triple DES and RC2
}

// Encryption says how an entity was encrypted.
type Encryption struct {
	Cipher     pkcs7.Cipher
	Key        *Identity // the one that opened it
	Recipients []pkcs7.CertID
	// OuterHeader is the header section of the message, for [VerifyOptions].
	OuterHeader []byte
}
