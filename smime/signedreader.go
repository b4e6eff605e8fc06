package smime

import (
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// A signedContent is a SignedData with its content, hashed but not judged.
type signedContent struct {
	opaque  bool
	forms   []signedForm // as received and, if that differs, canonical
	head    head         // of the content
	notes   []Note
	kind    oid.OID // eContentType
	content func(f *signedForm) (io.Reader, error)
	payload mimetree.Range // of clear-signed content in its entity

	structure error // [ErrAmbiguousStructure] or nil
}

// A signedForm is what the signatures say about one form of the content.
type signedForm struct {
	canonical bool
	infos     []*pkcs7.SignerInfo
	elements  [][]byte
	limits    pkcs7.Limits
}

// clear reads a multipart/signed from src to its end. open gives the same
// octets again, after that.
func (l *layerReader) clear(src io.Reader, open func() (io.Reader, error)) (*signedContent, error) {
	c := &clearReader{layerReader: l}
	defer c.close()
	if err := c.scan(src, nil); err != nil {
		return nil, err
	}
	structure, err := c.structure(open)
	if err != nil {
		return nil, err
	}
	sc, err := c.content(open)
	if sc != nil {
		sc.structure = structure
	}
	return sc, err
}

// structure looks at the multipart once more where a line in it begins with
// the delimiter: it may be the delimiter of a part inside.
func (c *clearReader) structure(open func() (io.Reader, error)) (structure, err error) {
	defects := c.root.Defects
	if defects&mimetree.Ambiguous == mimetree.AmbiguousDelimiter {
		src, err := open()
		if err != nil {
			return nil, inputError(err)
		}
		opts := c.uncounted().work.scanOptions()
		opts.Watch = true
		root, err := mimetree.Scan(stream.ContextReader(c.ctx, src), &opts)
		if err != nil {
			return nil, inputError(err)
		}
		defects = root.Defects
	}
	return structureError(defects), nil
}

// content reads the signatures of what was scanned.
func (c *clearReader) content(open func() (io.Reader, error)) (*signedContent, error) {
	sc, err := c.signatures()
	if errors.Is(err, pkcs7.ErrSyntax) {
		if same, ok := c.embedded(open); ok {
			return same, nil
		}
	}
	if !errors.Is(err, errOtherDigest) {
		return sc, err
	}
	// micalg promised another digest than the signature has (RFC 8551 section
	// 3.5.3.2: recover gracefully).
	src, err := open()
	if err != nil {
		return nil, inputError(err)
	}
	c.close()
	c.layerReader = c.uncounted()
	if err := c.scan(src, c.digests); err != nil {
		return nil, err
	}
	return c.signatures()
}

const errOtherDigest constError = "smime: the signature has another digest"

// A clearReader reads one multipart/signed.
type clearReader struct {
	*layerReader
	root      *mimetree.Part
	hash      *contentHash
	signature *spool.Spool
	digests   []x509.OID
	given     bool // digests were asked for, not guessed from micalg
	micalg    string
}

func (c *clearReader) close() {
	if c.signature != nil {
		c.signature.Close()
		c.signature = nil
	}
}

// scan reads the parts: it hashes the first and keeps the second.
func (c *clearReader) scan(src io.Reader, digests []x509.OID) error {
	opts := c.work.scanOptions()
	opts.Enter = func(parent, _ *mimetree.Part) bool { return parent == nil }
	opts.Watch = true
	var background *stream.BackgroundWriter
	c.given = digests != nil
	opts.Tap = func(parent *mimetree.Part, i int) io.Writer {
		switch i {
		case 0:
			c.micalg = parent.Type.Params["micalg"]
			if digests == nil {
				digests = digestsOf(c.micalg)
			}
			c.hash = newContentHash(digests)
			background = stream.NewBackgroundWriter(c.hash)
			return background
		case 1:
			c.signature = spool.New(c.work.cms.Budget(), c.work.cms.Dir)
			return c.signature
		}
		return nil
	}
	root, err := mimetree.Scan(stream.ContextReader(c.ctx, src), &opts)
	if background != nil {
		background.Close()
		c.hash.finish()
	}
	c.root = root
	return inputError(err)
}

// signatures reads the second part.
func (c *clearReader) signatures() (*signedContent, error) {
	parts := c.root.Children
	if len(parts) != 2 {
		return nil, fmt.Errorf("%w: multipart/signed with %d parts", ErrMalformed, len(parts))
	}
	sig := parts[1]
	notes, err := c.checkParts(sig)
	if err != nil {
		return nil, err
	}
	sc := &signedContent{notes: notes, head: c.hash.head, payload: parts[0].Range}
	for i, d := range []*pkcs7.Digester{c.hash.received, c.hash.canonical} {
		if d == nil {
			continue
		}
		limits := c.work.cms
		if i > 0 {
			limits = c.work.uncounted()
		}
		form, kind, err := c.form(sig, d, limits, sc)
		if err != nil {
			return nil, err
		}
		form.canonical = i > 0
		sc.kind = kind
		sc.forms = append(sc.forms, *form)
	}
	return sc, nil
}

// embedded reads a signature that has the content inside once more. It is
// taken only where that is, octet by octet, the first part.
//
// DEVIATION: RFC 8551 section 3.5.3.1 wants eContent to be absent, and a
// verifier that looks at it instead of the part is fooled. With both equal there is
// nothing to be confused about, and mail made by Python's cryptography is like that.
func (c *clearReader) embedded(open func() (io.Reader, error)) (*signedContent, bool) {
	sig, payload := c.root.Children[1], c.root.Children[0].Range
	for _, canonical := range [...]bool{false, true} {
		if canonical && c.hash.canonical == nil {
			break
		}
		body, err := decodeCMS(sig, io.NewSectionReader(c.signature, sig.Body-sig.Start, sig.End-sig.Body))
		if err != nil {
			return nil, false
		}
		limits := c.work.uncounted()
		r, err := pkcs7.NewSignedReader(body, nil, &pkcs7.ReadOptions{Limits: limits, InsecureHistoric: c.historic})
		if err != nil {
			return nil, false
		}
		src, err := open()
		if err != nil {
			return nil, false
		}
		if _, err := io.CopyN(io.Discard, src, payload.Start); err != nil {
			return nil, false
		}
		part := canonicalReader(io.LimitReader(src, payload.Len()), canonical)
		if !stream.Equal(stream.ContextReader(c.ctx, r), part) {
			continue
		}
		f := signedForm{canonical: canonical, limits: limits}
		if f.infos, f.elements, err = signersOf(r); err != nil {
			return nil, false
		}
		return &signedContent{
			forms: []signedForm{f}, head: c.hash.head, payload: payload, kind: oid.FromX509(r.ContentType()),
			notes: []Note{{Code: NoteEmbeddedContent}},
		}, true
	}
	return nil, false
}

// checkParts holds the multipart to RFC 1847 section 2.1 and RFC 8551 section 3.5.3.
func (c *clearReader) checkParts(sig *mimetree.Part) (notes []Note, err error) {
	t := sig.Type.Type
	name, byName := mimetree.CMSFileName(sig)
	switch {
	case sig.Defects&mimetree.DuplicateField != 0:
		return nil, fmt.Errorf("%w: the type of the second part of multipart/signed stands there twice", ErrMalformed)
	case mimetree.IsSignatureType(t):
	case t == "application/octet-stream" && byName:
		notes = append(notes, Note{Code: NoteByFileName, Detail: quote(name)})
	default:
		return nil, fmt.Errorf("%w: second part of multipart/signed is %s", ErrMalformed, quote(t))
	}
	protocol := strings.ToLower(c.root.Type.Params["protocol"])
	if protocol != "" && mimetree.IsSignatureType(t) && strings.Contains(protocol, "/x-") != strings.Contains(t, "/x-") {
		notes = append(notes, Note{Code: NoteOtherProtocol, Detail: quote(protocol)})
	}
	for _, d := range [...]struct {
		defect mimetree.Defect
		code   NoteCode
	}{
		{mimetree.PreambleText, NotePreamble}, {mimetree.EpilogueText, NoteEpilogue}, {mimetree.Unclosed, NoteUnclosed},
	} {
		if c.root.Defects&d.defect != 0 {
			notes = append(notes, Note{Code: d.code})
		}
	}
	return notes, nil
}

// form reads the signatures over one form of the content.
func (c *clearReader) form(sig *mimetree.Part, d *pkcs7.Digester, limits pkcs7.Limits, sc *signedContent) (*signedForm, oid.OID, error) {
	raw := io.NewSectionReader(c.signature, sig.Body-sig.Start, sig.End-sig.Body)
	body, err := decodeCMS(sig, raw)
	if err != nil {
		return nil, "", err
	}
	r, err := pkcs7.NewDetachedReader(body, d, &pkcs7.ReadOptions{Limits: limits, InsecureHistoric: c.historic})
	if err != nil {
		return nil, "", cmsError(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, "", cmsError(err)
	}
	f := &signedForm{limits: limits}
	if f.infos, f.elements, err = signersOf(r); err != nil {
		return nil, "", err
	}
	sc.notes = append(sc.notes, toleranceNotes(body)...)
	return f, oid.FromX509(r.ContentType()), c.checkDigests(r, sc)
}

// checkDigests compares micalg with the digests of the signatures.
func (c *clearReader) checkDigests(r *pkcs7.SignedReader, sc *signedContent) error {
	used, err := r.DigestAlgorithms()
	if err != nil {
		return cmsError(err)
	}
	named := digestsOf(c.micalg)
	if len(sc.forms) == 0 && (!containsAll(named, used) || !containsAll(used, named)) {
		sc.notes = append(sc.notes, Note{Code: NoteMicalg, Detail: quote(c.micalg)})
	}
	if c.given {
		return nil
	}
	if len(named) == 0 {
		named = []x509.OID{oid.SHA256.X509(), oid.SHA384.X509(), oid.SHA512.X509()} // what NewDigester does then
	}
	if containsAll(named, used) {
		return nil
	}
	c.digests = used
	return errOtherDigest
}

func containsAll(list, ids []x509.OID) bool {
	for _, id := range ids {
		if !slices.ContainsFunc(list, id.Equal) {
			return false
		}
	}
	return true
}

func signersOf(r *pkcs7.SignedReader) ([]*pkcs7.SignerInfo, [][]byte, error) {
	infos, err := r.Signers()
	if err != nil {
		return nil, nil, cmsError(err)
	}
	elements, err := r.UnverifiedElements()
	return infos, elements, cmsError(err)
}

// opaque reads a SignedData with its content from body to its end. open gives
// the same octets again, after that.
func (l *layerReader) opaque(body io.Reader, content io.Writer, open func() (io.Reader, error)) (*signedContent, error) {
	r, err := pkcs7.NewSignedReader(stream.ContextReader(l.ctx, body), nil, &pkcs7.ReadOptions{Limits: l.work.cms, InsecureHistoric: l.historic})
	if err != nil {
		return nil, cmsError(err)
	}
	sc := &signedContent{opaque: true, head: head{max: maxHead}, kind: oid.FromX509(r.ContentType())}
	var w io.Writer = &sc.head
	if content != nil {
		w = io.MultiWriter(&sc.head, content)
	}
	if _, err := stream.Copy(w, r); err != nil {
		return nil, cmsError(err)
	}
	f := signedForm{limits: l.work.cms}
	if f.infos, f.elements, err = signersOf(r); err != nil {
		return nil, err
	}
	sc.forms = []signedForm{f}
	sc.notes = toleranceNotes(body)
	sc.content = func(*signedForm) (io.Reader, error) {
		again, err := open()
		if err != nil {
			return nil, inputError(err)
		}
		r, err := pkcs7.NewSignedReader(stream.ContextReader(l.ctx, again), nil, &pkcs7.ReadOptions{Limits: l.work.uncounted(), InsecureHistoric: l.historic})
		return r, cmsError(err)
	}
	return sc, nil
}

// canonicalReader is the content as CRLF if that is what was signed.
func canonicalReader(r io.Reader, canonical bool) io.Reader {
	if canonical {
		return mimetree.Canonical(r)
	}
	return r
}

// checkKind refuses content of another type than the message is for: what was
// signed as one thing must not be shown as another (RFC 8551 section 2.4.1).
func checkKind(kind oid.OID) error {
	if kind == oid.Data {
		return nil
	}
	return fmt.Errorf("%w: signed content of type %s is not mail", ErrMalformed, kind)
}

// isReceipt reports whether an entity claims to be a receipt.
func isReceipt(p *mimetree.Part) bool {
	return strings.EqualFold(p.Type.Params["smime-type"], "signed-receipt")
}
