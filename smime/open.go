package smime

import (
	"context"
	"github.com/gosmime/gosmime/chain"
	"io"
)

// Open reads a message from r, opens every layer that it has the keys for,
// checks every signature and returns the result. The error is about reading: a
// message that is unsigned, forged or locked is not an error of Open but is
// one of [Message.Signer] and [Message.Confidential].
//
// The caller must call [Message.Close].
func Open(ctx context.Context, r io.Reader, opts *OpenOptions) (*Message, error) { panic("sketch") }

// OpenOptions are the options of [Open].
type OpenOptions struct {
	Trust      *chain.Collection // nil: nobody is trusted
	Keys       Keyring           // nil: what is encrypted stays closed
	Chain      chain.Options
	Sender     string            // as in VerifyOptions
	Timestamps *chain.Collection // as in VerifyOptions
	Limits     Limits
}
