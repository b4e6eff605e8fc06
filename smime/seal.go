package smime

import (
	"bytes"
	"context"
	"io"

	"github.com/gosmime/gosmime/internal/headerprotection"
)

// Seal signs a message as id and encrypts the result to the recipients. What
// [Sign] and [Encrypt] promise holds for it. The signature is inside, as it must
// be to say that the author knew the content, and the header fields that are
// protected under it say whom it was written to.
func Seal(ctx context.Context, w io.Writer, r io.Reader, id *Identity, to []*Recipient, opts *SealOptions) error {
	if opts == nil {
		opts = new(SealOptions)
	}
	e, err := newEncryption(to, &opts.Encrypt)
	if err != nil {
		return err
	}
	d, err := readDraft(ctx, r, opts.Encrypt.Limits)
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := d.newSigning(id, &opts.Sign, headerprotection.Options{Policy: opts.Encrypt.Header.protection(), Cipher: true, Hidden: hiddenFields(opts.Encrypt.Hidden)})
	if err != nil {
		return err
	}
	outer, err := d.outside(s.payload, &opts.Encrypt)
	if err != nil {
		return err
	}
	if s.small() {
		// Of known size the encoding can be DER, which all programs read.
		var b bytes.Buffer
		if err := s.write(ctx, &b); err != nil {
			return err
		}
		return e.write(ctx, w, outer, int64(b.Len()), func(w io.Writer) error { _, err := w.Write(b.Bytes()); return err })
	}
	return e.write(ctx, w, outer, -1, func(w io.Writer) error { return s.write(ctx, w) })
}

// SealOptions are the options of [Seal].
type SealOptions struct {
	Sign    SignOptions // its Header, ForEncryption and Limits do not count
	Encrypt EncryptOptions
}
