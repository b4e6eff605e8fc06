package smime

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// Verify reads a signed message from r. If one signature covers all of its
// content, its certificate is valid under trust and names the author of the
// message, then Verify writes the content, a MIME entity exactly as signed, to
// w and returns the signer. In every other case it writes nothing and returns
// an error. Of a signed receipt the content is the Receipt of RFC 2634.
//
// A signature counts only where every mail program in use would show what it
// covers: else the error is both [ErrNotCovered] and [ErrAmbiguousStructure],
// for a header line that is no field, a type or boundary that programs read
// differently, or a line that only some take for a delimiter.
//
// An r that is an io.Seeker is read twice, from where it is; of any other a
// copy is kept within Limits.CMS.Memory and Disk.
func Verify(ctx context.Context, w io.Writer, r io.Reader, trust *chain.Collection, opts *VerifyOptions) (*Signer, error) {
	if opts == nil {
		opts = &VerifyOptions{}
	}
	v := newVerification(ctx, trust, opts, opts.Limits.workload())
	c, err := v.read(r)
	if err != nil {
		return nil, err
	}
	defer c.close()
	signer, err := v.signerOf(c)
	if err != nil {
		return nil, err
	}
	if err := c.writeTo(w); err != nil {
		return nil, err
	}
	return signer, nil
}

// VerifyOptions are the options of [Verify].
type VerifyOptions struct {
	Chain chain.Options // Chain.At: for stored mail, when it was received
	// Sender, if set, must have signed too: it is required beside From, and
	// takes its place only where there is no From field at all.
	Sender string
	// OuterHeader is the header section of the message that this entity was
	// taken out of, as [Encryption.OuterHeader] has it. Its structure and From are
	// checked like those of a message.
	OuterHeader []byte
	// Timestamps are the trusted RFC 3161 authorities; nil: tokens are ignored.
	Timestamps *chain.Collection
	Limits     Limits
	// RequireNamedPath demands that a signature that names more certificates than
	// the signer's own names all of the path but the anchor (RFC 5035 section
	// 5.4.1, see [pkcs7.SignerInfo.CheckPath]).
	RequireNamedPath bool
	// InsecureAnySender accepts any signer that trust knows. [Signer.Mailboxes]
	// then says who it was.
	InsecureAnySender bool
	// InsecureHistoric accepts SHA-1, P-224 and RSA from 1024 bits, as mail before 2017
	// has them: forgeable today.
	InsecureHistoric bool
}

// A verification is one call of Verify or the part of Unseal that verifies.
type verification struct {
	*layerReader
	j     *judge
	outer []mimetree.Header // of messages that the entity was taken out of, outermost first

	structure error // [ErrAmbiguousStructure] of VerifyOptions.OuterHeader

	// cleartextHeaders is how many of outer were in the clear, where the cipher
	// around the rest does not authenticate; else -1.
	cleartextHeaders int
}

func newVerification(ctx context.Context, trust *chain.Collection, opts *VerifyOptions, work *workload) *verification {
	v := &verification{
		layerReader:      &layerReader{ctx: ctx, work: work, historic: opts.InsecureHistoric},
		cleartextHeaders: -1,
		j: &judge{ctx: ctx, trust: trust, opts: opts.Chain, timestamps: opts.Timestamps,
			required: opts.Sender, anySender: opts.InsecureAnySender, namedPath: opts.RequireNamedPath},
	}
	if opts.InsecureHistoric {
		v.j.historic, v.j.opts.InsecureSHA1, v.j.opts.InsecureShortKeys = true, true, true
	}
	if len(opts.OuterHeader) > 0 {
		p, _, err := mimetree.HeaderOf(opts.OuterHeader)
		if err == nil {
			v.outer = append(v.outer, p.Header)
			v.structure = structureError(p.Defects)
		} else {
			// Nothing can agree with a header that can't be read.
			v.outer = append(v.outer, mimetree.Header{{Name: "From"}})
		}
	}
	return v
}

// A readContent is signed content that was read once, with what it takes to
// read it again.
type readContent struct {
	*signedContent
	entity *entity
	replay *spool.Replay
	form   *signedForm // chosen by the judgement
	intact bool        // some signature holds for the form
	ctx    context.Context
}

func (c *readContent) close() { c.replay.Close() }

// read reads a signed entity to its end.
func (v *verification) read(r io.Reader) (*readContent, error) {
	if err := v.work.layer(); err != nil {
		return nil, err
	}
	c := &readContent{replay: spool.NewReplay(r, v.work.cms.Budget(), v.work.cms.Dir), ctx: v.ctx}
	err := v.fill(c)
	if err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (v *verification) fill(c *readContent) error {
	e, body, err := readEntity(c.replay)
	if err != nil {
		return err
	}
	c.entity = e
	switch e.form {
	case mimetree.FormClear:
		src := io.MultiReader(bytes.NewReader(e.section), body)
		c.signedContent, err = v.clear(src, c.replay.Again)
		return err
	case mimetree.FormCMS:
		if c.signedContent, err = v.readOpaque(c, body); err == nil {
			c.structure = structureError(e.part.Defects)
		}
		return err
	}
	return plainError(ErrNotSigned, e)
}

// readOpaque reads the body of an application/pkcs7-mime, which must be a SignedData.
func (v *verification) readOpaque(c *readContent, body io.Reader) (*signedContent, error) {
	part := c.entity.part
	kind, body, err := sniff(part, body)
	if err != nil {
		return nil, err
	}
	if kind == oid.EnvelopedData || kind == oid.AuthEnvelopedData {
		return nil, fmt.Errorf("%w: decrypt and verify it with Unseal", ErrLocked)
	}
	if kind != oid.SignedData {
		return nil, fmt.Errorf("%w: the content is %s", ErrNotSigned, kind)
	}
	decoded, err := decodeCMS(part, body)
	if err != nil {
		return nil, err
	}
	sc, err := v.opaque(decoded, nil, sameBody(part, c.replay.Again))
	if err != nil {
		return nil, err
	}
	return sc, drain(decoded)
}

// signerOf returns the signer of the content if everything holds.
func (v *verification) signerOf(c *readContent) (*Signer, error) {
	at := position{around: v.outer, entity: c.entity.part.Header, cleartext: v.cleartextHeaders}
	if c.kind != oid.ContentReceipt || !isReceipt(c.entity.part) {
		if len(c.forms[0].infos) == 0 {
			return nil, fmt.Errorf("%w: %w", ErrNotSigned, pkcs7.ErrNoSigner)
		}
		if err := checkKind(c.kind); err != nil {
			return nil, err
		}
		var err error
		if at.content, err = c.head.header(); err != nil {
			return nil, err
		}
	}
	who := findAuthors(v.j.required, bindingHeaders(at, false)...)
	if who.err != nil && v.j.anySender {
		who = &authors{}
	}
	g := v.judge(c, who)
	if err := v.ctx.Err(); err != nil {
		return nil, err
	}
	if g.err != nil && at.cleartext >= 0 {
		return nil, v.visibleError(c, at, g.err)
	}
	if g.err != nil {
		return nil, g.err
	}
	g.signer.notes = c.notes(who, g.reports)
	return g.signer, nil
}

// visibleError returns the error to report for a failed signature inside a cipher
// that does not authenticate. Where only headers that are neither public nor
// signed are wrong it is ErrDecrypt, so that the error is no decryption oracle.
func (v *verification) visibleError(c *readContent, at position, err error) error {
	if v.j.anySender {
		return err
	}
	if g := v.judge(c, findAuthors(v.j.required, bindingHeaders(at, true)...)); g.err != nil {
		return g.err
	}
	c.intact = false
	return pkcs7.ErrDecrypt
}

// judge judges the signatures over the content and notes the form that they are
// about.
func (v *verification) judge(c *readContent, who *authors) *judgement {
	structure := c.structure
	if structure == nil {
		structure = v.structure
	}
	g := v.j.judge(c.signedContent, c.forms, who, structure)
	c.form, c.intact = g.form, c.intact || g.intact
	return g
}

// writeTo writes the content as the signature covers it.
func (c *readContent) writeTo(w io.Writer) error {
	r, err := c.open()
	if err != nil {
		return err
	}
	_, err = stream.Copy(w, stream.ContextReader(c.ctx, r))
	return inputError(err)
}

// open returns the content from its start, any number of times.
func (c *readContent) open() (io.Reader, error) {
	if c.opaque {
		return c.content(c.form)
	}
	at, _, err := c.replay.ReaderAt()
	if err != nil {
		return nil, inputError(err)
	}
	return canonicalReader(io.NewSectionReader(at, c.payload.Start, c.payload.Len()), c.form.canonical), nil
}

// notes returns what was tolerated in a signed content that passed.
func (c *readContent) notes(who *authors, reports []*SignerReport) []Note {
	notes := append(entityNotes(c.entity.part), c.signedContent.notes...)
	if c.form.canonical {
		notes = append(notes, Note{Code: NoteLineEnds})
	}
	notes = append(notes, who.notes...)
	for _, r := range reports {
		notes = append(append(notes, r.notes...), attributeNotes(r)...)
	}
	return notes
}
