package smime

import (
	"context"
	"github.com/gosmime/gosmime/chain"
	"io"
)

// Unseal undoes [Seal], and reads whatever else is signed inside encryption,
// triple-wrapped mail included: it decrypts, verifies the signature inside
// against the From fields of the message and of its protected header, and
// writes the innermost entity to w. If anything of it fails it writes nothing.
func Unseal(ctx context.Context, w io.Writer, r io.Reader, keys Keyring, trust *chain.Collection, opts *UnsealOptions) (*Signer, *Encryption, error) {
	panic("sketch")
}

// UnsealOptions are the options of [Unseal].
type UnsealOptions struct {
	Verify  VerifyOptions // its Limits count for all
	Decrypt DecryptOptions
}
