package smime

import (
	"context"
	"io"

	"github.com/gosmime/gosmime/chain"
)

// Open reads a message from r, opens every layer that it has the keys for,
// checks every signature and returns the result. The error is about reading: a
// message that is unsigned, forged or locked is not an error of Open but is
// one of [Message.Signer] and [Message.Confidential].
//
// A CMS object that stands alone, such as a file smime.p7m in DER, PEM or base64,
// is read as the body of an application/pkcs7-mime, see [CMSEntity].
//
// No error depends on what is inside a cipher that does not authenticate: if
// reading that exceeds a limit, its layer stays closed with [pkcs7.ErrDecrypt],
// as with bad padding. That is so even where a signature inside holds, of which
// [Unseal] tells the limit: Open judges signatures after all was read. What the tree says about such a layer is for the caller
// alone. A program that answers somebody else by it helps an attacker who
// changes the ciphertext to find out the plaintext.
//
// The caller must call [Message.Close]. Open does not use r after it returns.
func Open(ctx context.Context, r io.Reader, opts *OpenOptions) (*Message, error) {
	if opts == nil {
		opts = &OpenOptions{}
	}
	return open(ctx, r, opts.Keys, &judge{
		ctx: ctx, trust: opts.Trust, opts: opts.Chain, timestamps: opts.Timestamps, required: opts.Sender,
	}, opts.Limits)
}

// open opens a message whose signatures j judges.
func open(ctx context.Context, r io.Reader, keys Keyring, j *judge, limits Limits) (*Message, error) {
	o := &opener{
		layerReader: &layerReader{ctx: ctx, work: limits.workload(), historic: true},
		j:           j,
		keys:        keys,
		msg:         &Message{},
	}
	if err := o.run(r); err != nil {
		o.msg.Close()
		return nil, inputError(err)
	}
	return o.msg, nil
}

// OpenOptions are the options of [Open].
type OpenOptions struct {
	Trust      *chain.Collection // nil: nobody is trusted
	Keys       Keyring           // nil: what is encrypted stays closed
	Chain      chain.Options
	Sender     string            // as in VerifyOptions
	Timestamps *chain.Collection // as in VerifyOptions
	Limits     Limits
}
