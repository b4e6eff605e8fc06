package smime

import (
	"context"
	"io"
)

// Seal signs a message as id and encrypts the result to the recipients.
func Seal(ctx context.Context, w io.Writer, r io.Reader, id *Identity, to []*Recipient, opts *SealOptions) error {
	panic("sketch")
}

// SealOptions are the options of [Seal].
type SealOptions struct {
	Sign    SignOptions
	Encrypt EncryptOptions
}
