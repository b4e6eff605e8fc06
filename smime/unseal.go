package smime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/pkcs7"
)

// Unseal undoes [Seal], and reads whatever else is signed inside encryption,
// triple-wrapped mail included: it decrypts, verifies the signature inside
// against the From fields of the message and of its protected header, and
// writes the innermost entity to w. If anything of it fails it writes nothing.
//
// Of a signature outside the encryption only the integrity is required: it
// says nothing about the author. The Encryption is the outermost.
func Unseal(ctx context.Context, w io.Writer, r io.Reader, keys Keyring, trust *chain.Collection, opts *UnsealOptions) (*Signer, *Encryption, error) {
	if opts == nil {
		opts = &UnsealOptions{}
	}
	u := &unsealing{
		v:        newVerification(ctx, trust, &opts.Verify, opts.Verify.Limits.workload()),
		keys:     keys,
		decrypts: opts.Decrypt,
	}
	defer u.close()
	if err := u.run(w, r); err != nil {
		return nil, nil, err
	}
	return u.signer, u.enc, nil
}

// UnsealOptions are the options of [Unseal].
type UnsealOptions struct {
	Verify  VerifyOptions // its Limits count for all
	Decrypt DecryptOptions
}

// An unsealing takes off one layer after the other.
type unsealing struct {
	v        *verification
	keys     Keyring
	decrypts DecryptOptions

	signer  *Signer     // of all that is inside, unless encryption follows
	enc     *Encryption // the outermost
	outside bool        // there was a signature outside of encryption

	malleable bool // what is read now was in a cipher that does not authenticate
	closers   []func()
}

func (u *unsealing) close() {
	for i := len(u.closers) - 1; i >= 0; i-- {
		u.closers[i]()
	}
}

// run makes one error of whatever can't be read inside of a cipher that lets
// everybody change the content: where it went wrong would tell an attacker
// what the plaintext is (RFC 8551 section 6).
func (u *unsealing) run(w io.Writer, r io.Reader) error {
	err := u.takeOff(w, r)
	if u.malleable && (errors.Is(err, ErrMalformed) || errors.Is(err, pkcs7.ErrSyntax) || errors.Is(err, pkcs7.ErrUnsupported)) {
		return fmt.Errorf("smime: %w", pkcs7.ErrDecrypt)
	}
	return err
}

func (u *unsealing) takeOff(w io.Writer, r io.Reader) error {
	src := newSource(r)
	for {
		e, body, err := readEntity(src.r)
		if err != nil {
			return err
		}
		var kind oid.OID
		switch e.form {
		case formPlain:
			return u.finish(w, e, io.MultiReader(bytes.NewReader(e.section), body))
		case formClear:
			kind = oid.SignedData
		case formCMS:
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
		who := findAuthors(u.v.j.required, append(u.v.outer, e.part.Header)...)
		if err := who.namedBy(u.signer.report.UnverifiedCertificate); err != nil {
			return err
		}
	}
	_, err := copyAll(w, &cancelReader{u.v.ctx, content})
	return cmsError(err)
}

func (u *unsealing) encrypted(e *entity, body io.Reader, src *source) (*source, error) {
	if err := u.v.work.layer(); err != nil {
		return nil, err
	}
	l := *u.v.layerReader
	l.historic = u.decrypts.InsecureHistoric
	d, err := l.decrypt(e, body, src, u.keys, u.decrypts.RequireAuthenticated)
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, d.close)
	if !d.mime {
		return nil, fmt.Errorf("smime: %w", pkcs7.ErrDecrypt)
	}
	if u.enc == nil {
		u.enc = d.enc
	}
	u.malleable = u.malleable || !d.enc.Cipher.Authenticated()
	// What signed the ciphertext did not sign what is inside.
	u.outside = u.outside || u.signer != nil
	u.signer = nil
	u.v.outer = append(u.v.outer, e.part.Header)
	return newSource(d.reader), nil
}

func (u *unsealing) compressed(e *entity, body io.Reader) (*source, error) {
	if err := u.v.work.layer(); err != nil {
		return nil, err
	}
	s, err := u.v.decompress(e.part, body)
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, func() { s.Close() })
	u.v.outer = append(u.v.outer, e.part.Header)
	open := func() (io.Reader, error) { return io.NewSectionReader(s, 0, s.Size()), nil }
	first, err := open()
	return &source{first, open}, err
}

// decompress returns what the CompressedData in an undecoded body holds.
func (l *layerReader) decompress(p *mimetree.Part, body io.Reader) (*spool.Spool, error) {
	decoded, err := decodeBody(p, body)
	if err != nil {
		return nil, err
	}
	s := spool.New(l.work.cms.Budget(), l.work.cms.Dir)
	if err := pkcs7.Decompress(s, &cancelReader{l.ctx, decoded}, &pkcs7.ReadOptions{Limits: l.work.cms}); err != nil {
		s.Close()
		return nil, cmsError(err)
	}
	return s, nil
}

// signed checks one signed layer. The signer of the innermost one inside of
// the encryption is the result; all others must at least have signed what is there.
func (u *unsealing) signed(e *entity, body io.Reader, src *source) (*source, error) {
	first := io.MultiReader(bytes.NewReader(e.section), body)
	c, err := u.v.read(newRereader(first, src.open))
	if err != nil {
		return nil, err
	}
	u.closers = append(u.closers, c.close)
	if u.enc != nil && !u.layered(c) {
		if u.signer, err = u.v.judge(c); err != nil {
			return nil, err
		}
	} else if err := u.holds(c); err != nil {
		return nil, err
	}
	u.v.outer = append(u.v.outer, e.part.Header)
	open := func() (io.Reader, error) { return c.open() }
	r, err := open()
	return &source{r, open}, err
}

// layered reports whether the content of c is signed or encrypted itself.
func (u *unsealing) layered(c *readContent) bool {
	p, section := c.head.part()
	if p == nil {
		return false
	}
	switch f, _ := formOf(p); f {
	case formClear:
		return true
	case formCMS:
		kind, err := sniffBytes(p, c.head.buf[len(section):])
		return err == nil && kind != oid.CompressedData
	}
	return false
}

// holds returns nil if a signature of the layer is good, whoever made it.
func (u *unsealing) holds(c *readContent) error {
	form, reports, _ := u.v.j.choose(c.signedContent, &authors{})
	c.form = form
	u.outside = true
	for _, r := range reports {
		if r.Integrity.passed {
			return nil
		}
	}
	_, err := verdict(reports, &authors{})
	return err
}
