package smime

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Decrypt reads an encrypted message from r and writes the MIME entity inside
// to w, after all of it was decrypted. What it writes may have been changed by
// anyone unless Encryption.Cipher.Authenticated: don't render it as HTML. It
// does not look at signatures, inside or outside: see [Unseal].
//
// Whatever is wrong once a key was found is one error, [pkcs7.ErrDecrypt], and
// so is a content that does not begin like a MIME entity, unless the cipher
// authenticates it: then it is written as it is.
//
// With a cipher that does not authenticate, such as AES in CBC mode, success
// itself says something about the plaintext: that its last octets are a padding
// and that its first ones look like a header. Whoever can change a stolen
// message, have it decrypted again and again, and learn whether Decrypt
// succeeded, finds out the plaintext octet by octet (RFC 8551 section 6). A
// program that answers others, such as a server, therefore sets
// RequireAuthenticated, or uses [Unseal], or gives the same answer in both cases.
func Decrypt(ctx context.Context, w io.Writer, r io.Reader, keys Keyring, opts *DecryptOptions) (*Encryption, error) {
	if opts == nil {
		opts = &DecryptOptions{}
	}
	l := &layerReader{ctx: ctx, work: opts.Limits.workload(), historic: opts.InsecureHistoric}
	if err := l.work.layer(); err != nil {
		return nil, err
	}
	src := stream.NewSource(r)
	e, body, err := readEntity(src.Reader)
	if err != nil {
		return nil, err
	}
	if e.form != mimetree.FormCMS {
		return nil, plainError(ErrNotEncrypted, e)
	}
	if err := structureError(e.part.Defects); err != nil {
		return nil, err
	}
	kind, body, err := sniff(e.part, body)
	if err != nil {
		return nil, err
	}
	if !isEncrypted(kind) {
		return nil, fmt.Errorf("%w: the content is %s", ErrNotEncrypted, kind)
	}
	d, err := l.decrypt(e, body, src, keys, opts.RequireAuthenticated)
	if err != nil {
		return nil, err
	}
	defer d.close()
	if !d.mime && !d.enc.Cipher.Authenticated() {
		return nil, fmt.Errorf("smime: %w", pkcs7.ErrDecrypt)
	}
	if opts.ForDisplay {
		err := l.writeDisplay(w, d.reader)
		if errors.Is(err, ErrLimit) && !d.enc.Cipher.Authenticated() {
			err = fmt.Errorf("smime: %w", pkcs7.ErrDecrypt) // which limit depends on the plaintext
		}
		if err != nil {
			return nil, err
		}
	} else if _, err := d.reader.WriteTo(stream.FullWriter{W: w}); err != nil {
		return nil, cmsError(err)
	}
	d.enc.Notes = d.notes(e.part)
	return d.enc, nil
}

// DecryptOptions are the options of [Decrypt].
type DecryptOptions struct {
	// RequireAuthenticated fails with ErrNotAuthenticated, before any key is
	// used, if the cipher lets an attacker change the content. Without it the
	// success of Decrypt tells about the plaintext.
	RequireAuthenticated bool
	// ForDisplay leaves out the copy of hidden header fields in the text, as
	// [Message.WriteDisplay] does. A part that is not in its transfer encoding is
	// left as it is. The content must be within the limits for parts of MIME.
	ForDisplay       bool
	Limits           Limits
	InsecureHistoric bool // decrypts Triple DES and RC2
}
