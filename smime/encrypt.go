package smime

import (
	"context"
	"github.com/gosmime/gosmime/pkcs7"
	"io"
)

// Encrypt reads a message from r and writes it to w encrypted to the
// recipients. If encryption to any of them fails, nothing is written and the
// error is a [RecipientErrors]. The list of recipients can be read from the
// result: call Encrypt once for each blind copy. A Recipient whose certificate is
// not valid now is refused. A Bcc field is never written.
func Encrypt(ctx context.Context, w io.Writer, r io.Reader, to []*Recipient, opts *EncryptOptions) error {
	panic("sketch")
}

// EncryptOptions are the options of [Encrypt].
type EncryptOptions struct {
	// ToSelf also encrypts to the sender, who else could not read the copy in
	// the folder of sent mail.
	ToSelf *Recipient
	// Header says which header fields are hidden (RFC 9788 hcp); zero:
	// HideSubject. A message that was signed with ForEncryption has decided.
	Header HeaderPolicy
	Limits Limits
	// Cipher is the cipher to use; zero means AES-256-GCM if every recipient is
	// known to read it, else AES-256-CBC.
	Cipher pkcs7.Cipher
	// RequireAuthenticated refuses a cipher that an attacker can tamper with,
	// at the price of programs that know no other.
	RequireAuthenticated bool
}
