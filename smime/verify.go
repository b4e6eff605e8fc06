package smime

import (
	"context"
	"github.com/gosmime/gosmime/chain"
	"io"
)

// Verify reads a signed message from r. If one signature covers all of its
// content, its certificate is valid under trust and names the author of the
// message, then Verify writes the content, a MIME entity exactly as signed, to
// w and returns the signer. In every other case it writes nothing and returns
// an error.
func Verify(ctx context.Context, w io.Writer, r io.Reader, trust *chain.Collection, opts *VerifyOptions) (*Signer, error) {
	panic("sketch")
}

// VerifyOptions are the options of [Verify].
type VerifyOptions struct {
	Chain chain.Options // Chain.At: for stored mail, when it was received
	// Sender, if set, must have signed too: it is required beside From, and
	// takes its place only where there is no From field at all.
	Sender string
	// OuterHeader is the header section of the message that this entity was
	// taken out of, as [Encryption.OuterHeader] has it. Its From fields are
	// checked like those of a message.
	OuterHeader []byte
	// Timestamps are the trusted RFC 3161 authorities; nil: tokens are ignored.
	Timestamps *chain.Collection
	Limits     Limits
	// InsecureAnySender accepts any signer that trust knows. [Signer.Mailboxes]
	// then says who it was.
	InsecureAnySender bool
	// InsecureHistoric accepts SHA-1 and RSA from 1024 bits, as mail before 2017
	// has them: forgeable today.
	InsecureHistoric bool
}
