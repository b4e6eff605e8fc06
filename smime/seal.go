package smime

import (
	"bytes"
	"context"
	"crypto"
	"io"

	"github.com/gosmime/gosmime/pkcs7"
)

// Seal signs a message as id and encrypts the result to the recipients. What
// [Sign] and [Encrypt] promise holds for it. The signature is inside, as it must
// be to say that the author knew the content, and the header fields that are
// protected under it say whom it was written to.
func Seal(ctx context.Context, w io.Writer, r io.Reader, id *Identity, to []*Recipient, opts *SealOptions) error {
	if opts == nil {
		opts = new(SealOptions)
	}
	encrypt := opts.encryptOptions()
	e, err := newEncryption(to, encrypt)
	if err != nil {
		return err
	}
	d, err := readDraft(ctx, r, encrypt.Limits)
	if err != nil {
		return err
	}
	defer d.Close()
	s, err := d.newSigning(id, &opts.Sign, encrypt.protection(e.to))
	if err != nil {
		return err
	}
	outer, err := d.outside(s.payload, encrypt)
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

// SealOptions are the options of [Seal]. Fields that have the name of one of
// [EncryptOptions] mean the same.
type SealOptions struct {
	// Sign says how to sign. Its Header and Limits are for the encryption too;
	// ForEncryption is implied.
	Sign                 SignOptions
	ToSelf               *Recipient
	NoLegacyDisplay      bool
	Cipher               pkcs7.Cipher
	RequireAuthenticated bool
	RequireOAEP          bool
	OAEPHash             crypto.Hash
	Hidden               []HeaderField
	Binary               bool // of what is written; inside it is Sign.Binary
	RecipientsByKeyID    bool // EncryptOptions.ByKeyID
}

// encryptOptions returns the options of the encryption.
func (o *SealOptions) encryptOptions() *EncryptOptions {
	return &EncryptOptions{
		ToSelf: o.ToSelf, Header: o.Sign.Header, NoLegacyDisplay: o.NoLegacyDisplay, Limits: o.Sign.Limits, Cipher: o.Cipher,
		RequireAuthenticated: o.RequireAuthenticated, RequireOAEP: o.RequireOAEP, OAEPHash: o.OAEPHash, Hidden: o.Hidden, Binary: o.Binary, ByKeyID: o.RecipientsByKeyID,
	}
}
