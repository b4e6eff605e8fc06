package pkcs7

import (
	"context"
	"io"
)

// NewEncryptWriter returns a writer that encrypts what is written to it and
// writes an EnvelopedData or AuthEnvelopedData to dst. The content key is
// wrapped for all recipients before anything is written; the errors of all
// that fail are joined, each a [*RecipientError].
func NewEncryptWriter(ctx context.Context, dst io.Writer, to []Recipient, opts *EncryptOptions) (io.WriteCloser, error) {
	panic("sketch")
}

// EncryptOptions are the options of encryption; nil means the defaults.
type EncryptOptions struct {
	Cipher Cipher // zero: AES256GCM
	Size   int64  // of the content if known: the output is DER, else BER
}
