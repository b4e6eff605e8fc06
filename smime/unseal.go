package smime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Unseal undoes [Seal], and reads whatever else is signed inside encryption,
// triple-wrapped mail included: it decrypts, verifies the signature inside
// against the From fields of the message and of its protected header, and
// writes the innermost entity to w. If anything of it fails it writes nothing.
//
// A signature outside the encryption, as on triple-wrapped mail (RFC 2634 section
// 1.1), says nothing about the author and decides nothing, here as in [Open]:
// whoever changes the message can leave it out. One that does not hold is among
// the Notes of the Encryption, which is the outermost. Those of the Signer are
// about what the signer signed.
//
// Inside a cipher that does not authenticate, whatever is wrong before a
// signature was found to hold is one error, which is both [pkcs7.ErrDecrypt] and
// [ErrNotSigned]: what went wrong, a limit too, would tell an attacker who
// changes the ciphertext what the plaintext is (RFC 8551 section 6).
func Unseal(ctx context.Context, w io.Writer, r io.Reader, keys Keyring, trust *chain.Collection, opts *UnsealOptions) (*Signer, *Encryption, error) {
	if opts == nil {
		opts = &UnsealOptions{}
	}
	u := &unsealing{
		v:             newVerification(ctx, trust, &opts.Verify, opts.Verify.Limits.workload()),
		keys:          keys,
		authenticated: opts.RequireAuthenticated,
		display:       opts.ForDisplay,
	}
	defer u.close()
	if err := u.run(w, r); err != nil {
		return nil, nil, err
	}
	return u.signer, u.enc, nil
}

// UnsealOptions are the options of [Unseal].
type UnsealOptions struct {
	// Verify says how to verify. Its Limits are for the decryption too, and its
	// InsecureHistoric also accepts Triple DES and RC2.
	Verify VerifyOptions
	// RequireAuthenticated is that of [DecryptOptions].
	RequireAuthenticated bool
	// ForDisplay leaves out the copy of hidden header fields in the text, as
	// [Message.WriteDisplay] does: no signature covers what is then written.
	ForDisplay bool
}

// An unsealing takes off one layer after the other.
type unsealing struct {
	v             *verification
	keys          Keyring
	authenticated bool // RequireAuthenticated
	display       bool // ForDisplay

	signer      *Signer     // of all that is inside, unless encryption follows
	enc         *Encryption // the outermost
	outside     bool        // there was a signature outside of encryption
	mailingList bool        // an outer signature is that of a mailing list
	notes       []Note      // of what is around the outermost encryption

	opened    int   // layers
	malleable bool  // what is read now was in a cipher that does not authenticate, and no signature holds yet
	failure   error // of the input or the keys, not of what is read
	closers   []func()
}

func (u *unsealing) close() {
	for i := len(u.closers) - 1; i >= 0; i-- {
		u.closers[i]()
	}
}

// run makes one error of whatever an attacker can bring about by changing a
// malleable ciphertext.
func (u *unsealing) run(w io.Writer, r io.Reader) error {
	err := u.unwrapLayers(w, r)
	switch {
	case err == nil || !u.malleable || u.v.ctx.Err() != nil || u.failure != nil:
		return err
	case errors.Is(err, spool.ErrChanged):
		return err
	case u.outside:
		return fmt.Errorf("smime: %w, or %w: %w", pkcs7.ErrDecrypt, ErrNotSigned, ErrSignedOutside)
	}
	return fmt.Errorf("smime: %w, or %w", pkcs7.ErrDecrypt, ErrNotSigned)
}

func (u *unsealing) unwrapLayers(w io.Writer, r io.Reader) error {
	src := stream.NewSource(r).Watch(&u.failure)
	for {
		e, body, err := readEntity(src.Reader)
		if err != nil {
			return err
		}
		if u.opened >= maxReread && e.form != mimetree.FormPlain {
			if src, err = u.bufferSource(src); err != nil {
				return err
			}
			if e, body, err = readEntity(src.Reader); err != nil {
				return err
			}
		}
		u.opened++
		if e.form != mimetree.FormPlain {
			if err := structureError(e.part.Defects); err != nil {
				return err
			}
		}
		var kind oid.OID
		switch e.form {
		case mimetree.FormPlain:
			return u.finish(w, e, io.MultiReader(bytes.NewReader(e.section), body))
		case mimetree.FormClear:
			kind = oid.SignedData
		case mimetree.FormCMS:
			if kind, body, err = sniff(e.part, body); err != nil {
				return err
			}
		}
		switch kind {
		case oid.SignedData:
			src, err = u.signed(e, body, src)
		case oid.EnvelopedData, oid.AuthEnvelopedData:
			src, err = u.encrypted(e, body, src)
		case oid.CompressedData:
			src, err = u.compressed(e, body)
		default:
			err = fmt.Errorf("%w: content of type %s", pkcs7.ErrUnsupported, kind)
		}
		if err != nil {
			return err
		}
	}
}

// maxReread is how many layers are undone again for each pass over what is in
// them, those of triple-wrapped mail: with more the passes would grow with the
// square of the layers.
const maxReread = 3

// bufferSource returns a source of the same octets that costs nothing to read again,
// or src where there is no room for them.
func (u *unsealing) bufferSource(src *stream.Source) (*stream.Source, error) {
	if src.Open == nil {
		return src, nil
	}
	r, err := src.Open()
	if err != nil {
		return nil, err
	}
	s := spool.New(u.v.work.cms.Budget(), u.v.work.cms.Dir)
	if _, err = stream.Copy(s, stream.ContextReader(u.v.ctx, r)); err == nil {
		u.closers = append(u.closers, func() { s.Close() })
		src = spooled(s)
	} else {
		s.Close()
		var full *budget.Exceeded
		if !errors.As(err, &full) {
			return nil, cmsError(err)
		}
	}
	src.Reader, err = src.Open()
	return src, err
}

// spooled is the source of what was spooled.
func spooled(s *spool.Spool) *stream.Source {
	open := func() (io.Reader, error) { return io.NewSectionReader(s, 0, s.Size()), nil }
	r, _ := open()
	return &stream.Source{Reader: r, Open: open}
}

// watchedKeys notes an error of a Keyring.
type watchedKeys struct {
	Keyring
	failure *error
}

func (w watchedKeys) Find(ctx context.Context, to []pkcs7.CertID) ([]*Identity, error) {
	if w.Keyring == nil {
		return nil, nil
	}
	ids, err := w.Keyring.Find(ctx, to)
	if err != nil {
		*w.failure = err
	}
	return ids, err
}

// finish writes the innermost entity, whose From must be that of the signer
// too: the signature is around the compression that may have hidden it.
func (u *unsealing) finish(w io.Writer, e *entity, content io.Reader) error {
	switch {
	case u.enc == nil:
		return ErrNotEncrypted
	case u.signer == nil && u.outside:
		return fmt.Errorf("%w: %w", ErrNotSigned, ErrSignedOutside)
	case u.signer == nil:
		return ErrNotSigned
	}
	if !u.v.j.anySender {
		at := position{around: u.v.outer, entity: e.part.Header}
		who := findAuthors(u.v.j.required, bindingHeaders(at, false)...)
		if err := who.namedBy(u.signer.report.UnverifiedCertificate); err != nil {
			return err
		}
	}
	u.signer.layer.refused = u.signer.layer.refused || u.mailingList
	if u.display {
		return u.v.writeDisplay(w, content)
	}
	_, err := stream.Copy(w, stream.ContextReader(u.v.ctx, content))
	return cmsError(err)
}

func (u *unsealing) encrypted(e *entity, body io.Reader, src *stream.Source) (*stream.Source, error) {
	if err := u.v.work.layer(); err != nil {
		return nil, err
	}
	// There must be a signed layer inside.
	if u.v.work.layers < 1 {
		return nil, u.v.work.layer()
	}
	l := u.v.layerReader
	keys := u.keys
	if !u.malleable {
		// Which keys the inside of a malleable ciphertext asks for depends on
		// the plaintext, and so do their errors.
		keys = watchedKeys{u.keys, &u.failure}
	}
	d, err := l.envelope(e, body, src, keys, u.authenticated)
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, d.close)
	u.v.outer = append(u.v.outer, e.part.Header)
	// What is wrong with the structure everybody can see.
	err = d.check()
	if err != nil && !errors.Is(err, pkcs7.ErrDecrypt) {
		return nil, err
	}
	if !u.malleable && !d.enc.Cipher.Authenticated() {
		u.malleable, u.v.cleartextHeaders = true, len(u.v.outer)
	}
	if err != nil || !d.mime && !d.enc.Cipher.Authenticated() {
		return nil, fmt.Errorf("smime: %w", pkcs7.ErrDecrypt)
	}
	notes := d.notes(e.part)
	if u.enc == nil {
		u.enc = d.enc
		notes = append(u.notes, notes...)
	}
	u.enc.Notes = append(u.enc.Notes, notes...)
	// What signed the ciphertext did not sign what is inside.
	u.outside = u.outside || u.signer != nil
	u.signer = nil
	return stream.NewSource(d.reader), nil
}

func (u *unsealing) compressed(e *entity, body io.Reader) (*stream.Source, error) {
	if err := u.v.work.layer(); err != nil {
		return nil, err
	}
	s, err := u.v.decompress(e.part, body)
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, func() { s.Close() })
	u.v.outer = append(u.v.outer, e.part.Header)
	return spooled(s), nil
}

// signed checks one signed layer. The signer of the innermost one inside of
// the encryption is the result; all others must at least have signed what is there.
func (u *unsealing) signed(e *entity, body io.Reader, src *stream.Source) (*stream.Source, error) {
	first := io.MultiReader(bytes.NewReader(e.section), body)
	c, err := u.v.read(stream.NewRereader(first, src.Open))
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, c.close)
	if u.enc != nil && !u.containsLayer(c) {
		u.signer, err = u.v.signerOf(c)
	} else {
		err = u.checkIntegrity(c)
	}
	// Who signed knew the content: nothing of it can be found out any more, but
	// of the structure outside of it.
	if c.intact && c.structure == nil {
		u.malleable, u.v.cleartextHeaders = false, -1
	}
	if err != nil {
		return nil, err
	}
	u.v.outer = append(u.v.outer, e.part.Header)
	open := func() (io.Reader, error) { return c.open() }
	r, err := open()
	return &stream.Source{Reader: r, Open: open}, err
}

// containsLayer reports whether the content of c is signed or encrypted itself.
func (u *unsealing) containsLayer(c *readContent) bool {
	p, section := c.head.part()
	if p == nil {
		return false
	}
	switch f, _ := mimetree.FormOf(p); f {
	case mimetree.FormClear:
		return true
	case mimetree.FormCMS:
		kind, err := sniffBytes(p, c.head.buf[len(section):])
		return err == nil && kind != oid.CompressedData
	}
	return false
}

// checkIntegrity judges a signature around encryption or another signature, whoever made
// it. One that does not hold is noted: anybody could have left it out. What it
// must not do is show another message than what is inside.
func (u *unsealing) checkIntegrity(c *readContent) error {
	g := u.v.judge(c, &authors{})
	if err := u.v.ctx.Err(); err != nil {
		return err
	}
	u.mailingList = u.mailingList || expanded(g.reports)
	if g.intact {
		u.outside = true
		return c.structure
	}
	if c.structure == nil {
		n := Note{Code: NoteOuterSignature, Detail: quote(g.err.Error())}
		if u.enc == nil {
			u.notes = append(u.notes, n)
		} else {
			u.enc.Notes = append(u.enc.Notes, n)
		}
	}
	return c.structure
}
