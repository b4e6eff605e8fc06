package smime

import (
	"context"
	"github.com/gosmime/gosmime/chain"
	"io"
)

// WriteReceipt writes the signed receipt for a message that s signed. Sending
// it is the application's choice: it tells that the mail was read.
func WriteReceipt(ctx context.Context, w io.Writer, s *Signer, id *Identity) error { panic("sketch") }

// CheckReceipt checks a receipt against the message as it was sent.
func CheckReceipt(ctx context.Context, receipt, sent io.Reader, trust *chain.Collection, opts *VerifyOptions) (*Signer, error) {
	panic("sketch")
}
