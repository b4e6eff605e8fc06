package smime

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/stream"
)

// A plan says how the body of a draft is written: the ranges of its edits are
// replaced, everything else is copied with line ends as CR LF. The same plan
// gives the same octets each time.
type plan struct {
	d     *draft
	mind  hazard // what is encoded away
	body  mimetree.Range
	edits []edit // sorted, disjoint
	err   error  // why the body can't be made safe, or nil
	root  rootEdit
	size  int64 // of the body as written; -1: not known

	legacy bool // the edits for Legacy Display Elements are being made
}

// An edit replaces a range of the input.
type edit struct {
	mimetree.Range
	text   []byte    // what stands in its place, unless
	recode *recoding // the range is a body to be encoded anew, or
	keep   bool      // the range is copied as it is
}

// A rootEdit is what an edit of a header would be for the root, whose header
// is not part of the body.
type rootEdit struct {
	encoding string // the new Content-Transfer-Encoding, or empty: as before
	utf8     bool   // charset=utf-8 is to be added
	legacy   bool   // hp-legacy-display="1" is to be added
}

// A recoding writes a body in another transfer encoding.
type recoding struct {
	from, to string // transfer encodings; to is 7bit, quoted-printable or base64
	exact    bool   // octets, not lines of text
	legacy   *legacyDisplay
}

// newPlan finds out what has to be changed. With strict everything is encoded
// that transport might change, without only what it can't carry. What can't be
// encoded is an error if it must be, and else left as it is. The legacy text, if
// any, goes into the main body parts where that can be.
func (d *draft) newPlan(strict, must bool, legacy *legacyText) (*plan, error) {
	mind := unsafeText
	if !strict {
		mind = eightBit | nul | longLine // RFC 8551 section 3.1.2
	}
	p, err := d.makePlan(mind, legacy)
	if errors.Is(err, ErrNotTransportSafe) && legacy != nil {
		p, err = d.makePlan(mind, nil)
	}
	switch {
	case errors.Is(err, ErrNotTransportSafe) && !must:
		// Inside encryption a part that can't even be decoded is no harm.
		p = &plan{d: d, body: d.root.BodyRange(), size: -1, err: err}
		p.keepSigned(d.root)
		return p, nil
	case err != nil:
		return nil, err
	case must && p.err != nil:
		return nil, p.err
	}
	return p, nil
}

func (d *draft) makePlan(mind hazard, legacy *legacyText) (*plan, error) {
	p := &plan{d: d, mind: mind, body: d.root.BodyRange(), size: -1}
	slow := d.found&(mind|loneCR) != 0 || d.found&loneLF != 0 && !d.bareLF || labelled(d.root) || legacy != nil
	switch {
	case untouchable(d.root):
		p.edits = append(p.edits, edit{Range: p.body, keep: true})
	case !slow:
		p.keepSigned(d.root)
	default:
		if err := p.part(d.root, true); err != nil {
			return nil, err
		}
		if legacy != nil {
			p.addLegacy(legacy)
		}
	}
	slices.SortStableFunc(p.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	if slow {
		return p, p.check()
	}
	if d.found&loneLF == 0 {
		p.size = p.body.Len()
	}
	return p, nil
}

// check writes the plan to nowhere to see whether all of it is safe.
func (p *plan) check() error {
	s := &inspector{}
	if err := p.writeBody(s); err != nil {
		return err
	}
	if s.finish()&(eightBit|nul|longLine|loneCR|loneLF) != 0 {
		p.unsafe("an octet or a line that can't be encoded")
	}
	p.size = s.total
	return nil
}

// labelled reports whether a part says to be 8bit or binary. Some relays
// re-encode by the label alone.
func labelled(p *mimetree.Part) bool {
	return p.Encoding == "8bit" || p.Encoding == "binary" || slices.ContainsFunc(p.Children, labelled)
}

// keepSigned adds the ranges of signed parts, which are copied as they are.
func (p *plan) keepSigned(part *mimetree.Part) {
	if untouchable(part) {
		r := part.Range
		if part == p.d.root {
			r = p.body
		}
		p.edits = append(p.edits, edit{Range: r, keep: true})
		return
	}
	for _, c := range part.Children {
		p.keepSigned(c)
	}
}

func (p *plan) unsafe(what string) {
	if p.err == nil {
		p.err = fmt.Errorf("%w: %s", ErrNotTransportSafe, what)
	}
}

// part adds the edits of a part and of those inside it.
func (p *plan) part(part *mimetree.Part, root bool) error {
	if untouchable(part) {
		p.edits = append(p.edits, edit{Range: part.Range, keep: true})
		return nil
	}
	if !root {
		p.header(part)
	}
	if len(part.Children) == 0 {
		return p.leaf(part, root)
	}
	if part.Type.Type == "message/global" {
		if done, err := p.global(part, root); done || err != nil {
			return err
		}
	}
	for _, r := range []mimetree.Range{part.Preamble, part.Epilogue} {
		s, err := p.inspect(r)
		if err != nil {
			return err
		}
		// Nobody reads these (RFC 2046 section 5.1.1), so they can go.
		if s.found&p.mind != 0 {
			p.edits = append(p.edits, edit{Range: r})
		}
	}
	for _, c := range part.Children {
		if err := p.part(c, false); err != nil {
			return err
		}
	}
	if part.Encoding == "8bit" || part.Encoding == "binary" {
		p.relabel(part, root, "7bit")
	}
	return nil
}

// global encodes a message with a header in UTF-8 as a whole, which nothing but
// its own type allows (RFC 6532 section 3.7); done is false if that is not needed.
func (p *plan) global(part *mimetree.Part, root bool) (done bool, err error) {
	s, err := p.inspect(part.BodyRange())
	if err != nil || s.found&eightBit == 0 {
		return false, err
	}
	p.recode(part, root, recoding{from: "7bit", to: "base64", exact: !p.d.bareLF})
	return true, nil
}

// header adds the edits of fields that can't be sent as they are.
func (p *plan) header(part *mimetree.Part) {
	for i := range part.Header {
		in := &part.Header[i]
		f, changed, err := sendable(in)
		switch {
		case err != nil:
			p.unsafe("a header field of a part: " + err.Error())
		case changed:
			in.Value = f.value
			p.edits = append(p.edits, edit{Range: fieldRange(in), text: f.raw})
		}
	}
}

func fieldRange(f *mimetree.Field) mimetree.Range {
	return mimetree.Range{Start: f.Offset, End: f.Offset + int64(len(f.Raw))}
}

// inspect looks at a range.
func (p *plan) inspect(r mimetree.Range) (*inspector, error) {
	s := &inspector{utf8: true}
	if r.Len() <= 0 {
		return s, nil
	}
	if _, err := stream.Copy(s, p.d.section(r)); err != nil {
		return nil, err
	}
	s.finish()
	return s, nil
}

// leaf decides how the body of a part is encoded.
func (p *plan) leaf(part *mimetree.Part, root bool) error {
	s, err := p.inspect(part.BodyRange())
	if err != nil {
		return err
	}
	switch part.Encoding {
	case "", "7bit", "8bit":
		lone := s.found&loneCR != 0 || s.found&loneLF != 0 && !p.d.bareLF
		exact := s.found&nul != 0 || !isText(part) && (lone || s.found&eightBit != 0)
		if s.found&p.mind == 0 && !exact {
			if part.Encoding == "8bit" {
				p.relabel(part, root, "7bit")
			}
			return nil
		}
		to := "base64"
		if isText(part) && !exact && s.high*6 <= s.total {
			to = "quoted-printable"
		}
		p.recode(part, root, recoding{from: "7bit", to: to, exact: exact})
		p.addCharset(part, root, s.found)
	case "binary":
		p.recode(part, root, recoding{from: "binary", to: "base64", exact: true})
	case "quoted-printable", "base64":
		if s.found&p.mind != 0 {
			p.recode(part, root, recoding{from: part.Encoding, to: part.Encoding, exact: part.Encoding == "base64"})
		}
	default:
		if s.found&p.mind != 0 {
			p.unsafe("a part with transfer encoding " + clip(part.Encoding))
		}
	}
	return nil
}

// isText reports whether the line ends of a part are no more than that.
func isText(p *mimetree.Part) bool {
	t := p.Type.Type
	return len(t) > 5 && t[:5] == "text/" || len(t) > 8 && t[:8] == "message/"
}

// recode adds the edits that encode a body anew.
func (p *plan) recode(part *mimetree.Part, root bool, r recoding) {
	if t := part.Type.Type; part.Defects&(mimetree.EncodedMultiple|mimetree.BadBoundary) != 0 || t == "message/rfc822" || len(t) > 10 && t[:10] == "multipart/" {
		// RFC 2045 section 6.4: these have no transfer encoding of their own.
		p.unsafe("a " + clip(t) + " part that can't be split")
		return
	}
	p.edits = append(p.edits, edit{Range: part.BodyRange(), recode: &r})
	if r.to != part.Encoding {
		p.relabel(part, root, r.to)
	}
}

// relabel sets the Content-Transfer-Encoding of a part.
func (p *plan) relabel(part *mimetree.Part, root bool, encoding string) {
	if root {
		p.root.encoding = encoding
		return
	}
	text := []byte("Content-Transfer-Encoding: " + encoding + "\r\n")
	for i := range part.Header {
		if part.Header[i].Is("Content-Transfer-Encoding") {
			p.replace(edit{Range: fieldRange(&part.Header[i]), text: text})
			return
		}
	}
	p.edits = append(p.edits, edit{Range: mimetree.Range{Start: part.Start, End: part.Start}, text: text})
}

// replace adds an edit in place of any of the same range.
func (p *plan) replace(e edit) {
	if i := p.last(e.Range, func(*edit) bool { return true }); i >= 0 {
		p.edits[i] = e
		return
	}
	p.edits = append(p.edits, e)
}

// last returns the index of the last edit of that range that is wanted, or -1.
// Edits are made in the order of the parts, but for the last ones, so that
// those before the range need not be looked at.
func (p *plan) last(r mimetree.Range, want func(*edit) bool) int {
	for i, e := range slices.Backward(p.edits) {
		if e.Range == r && want(&e) {
			return i
		}
		if e.End < r.Start && !p.legacy {
			break
		}
	}
	return -1
}

// addCharset says what the octets above 127 of a text without charset are, if
// they are UTF-8: without it they mean nothing (RFC 2046 section 4.1.2).
func (p *plan) addCharset(part *mimetree.Part, root bool, found hazard) {
	_, given := part.Type.Params["charset"]
	if given || found&eightBit == 0 || found&notUTF8 != 0 || part.Type.Type != "text/plain" && part.Type.Type != "text/html" {
		return
	}
	p.typeParameter(part, root, "charset", "utf-8")
}

// typeParameter adds a parameter to the Content-Type of a part.
func (p *plan) typeParameter(part *mimetree.Part, root bool, name, value string) {
	if root {
		p.root.utf8 = p.root.utf8 || name == "charset"
		p.root.legacy = p.root.legacy || name == "hp-legacy-display"
		return
	}
	before := part.Type
	part.Type.Params = merged(before.Params, name, value)
	for i := range part.Header {
		in := &part.Header[i]
		if !in.Is("Content-Type") {
			continue
		}
		f, err := newField(in.Name, withParameter(in.Value, before, name, value))
		if err != nil {
			p.unsafe(err.Error())
			return
		}
		in.Value = f.value
		p.replace(edit{Range: fieldRange(in), text: f.raw})
		return
	}
	const contentType = "Content-Type: "
	at := mimetree.Range{Start: part.Start, End: part.Start}
	if i := p.last(at, func(e *edit) bool { return strings.HasPrefix(string(e.text), contentType) }); i >= 0 {
		// The field that was added for an earlier parameter.
		v := strings.TrimSpace(strings.TrimPrefix(string(p.edits[i].text), contentType))
		p.edits[i].text = []byte(contentType + withParameter(v, before, name, value) + "\r\n")
		return
	}
	text := []byte(contentType + withParameter(before.Type, before, name, value) + "\r\n")
	p.edits = append(p.edits, edit{Range: at, text: text})
}

// recoded reports whether more than line ends is changed.
func (p *plan) recoded() bool {
	return p.root != rootEdit{} || slices.ContainsFunc(p.edits, func(e edit) bool { return !e.keep })
}

// writeBody writes the body.
func (p *plan) writeBody(w io.Writer) error {
	at := p.body.Start
	canonical := p.d.found&(loneCR|loneLF) != 0
	for i := range p.edits {
		e := &p.edits[i]
		if e.Start < at {
			return constError("smime: edits overlap")
		}
		if err := p.gap(w, mimetree.Range{Start: at, End: e.Start}, canonical); err != nil {
			return err
		}
		if err := p.writeEdit(w, e); err != nil {
			return err
		}
		at = e.End
	}
	return p.gap(w, mimetree.Range{Start: at, End: p.body.End}, canonical)
}

// gap copies what stands between the edits. Blanks at the ends of lines can
// only be padding of delimiters there (RFC 2046 section 5.1.1), which relays
// may remove.
func (p *plan) gap(w io.Writer, r mimetree.Range, canonical bool) error {
	if p.mind&p.d.found&blankEnd == 0 {
		return p.copy(w, r, canonical)
	}
	t := &trimWriter{w: w}
	if err := p.copy(t, r, canonical); err != nil {
		return err
	}
	return t.flush()
}

// copy writes a range, with lines that end in CR LF if canonical is set.
func (p *plan) copy(w io.Writer, r mimetree.Range, canonical bool) error {
	if r.Len() <= 0 {
		return nil
	}
	if from, ok := w.(io.ReaderFrom); ok && !canonical {
		// A writer of package pkcs7 reads by itself, which is fastest.
		_, err := from.ReadFrom(stream.PlainReader{Reader: p.d.section(r)})
		return err
	}
	if !canonical {
		_, err := stream.Copy(w, p.d.section(r))
		return err
	}
	c := mimetree.NewCRLFWriter(w)
	if _, err := stream.Copy(c, p.d.section(r)); err != nil {
		return err
	}
	return c.Close()
}

func (p *plan) writeEdit(w io.Writer, e *edit) error {
	switch {
	case e.keep:
		// Lines that end in LF alone are how the file was stored. In a message
		// with CR LF an LF is an octet of what was signed, but none that passes
		// transport: what was signed to pass it was signed with CR LF.
		passing := p.mind&blankEnd != 0 && p.d.found&loneCR == 0
		return p.copy(w, e.Range, p.d.bareLF || passing && p.d.found&loneLF != 0)
	case e.recode != nil:
		return e.recode.write(w, p.d.section(e.Range))
	}
	_, err := w.Write(e.text)
	return err
}

// write writes what the body hides in the new encoding.
func (r *recoding) write(w io.Writer, body *io.SectionReader) error {
	src, err := mimetree.Decode(&mimetree.Part{Encoding: r.from}, body)
	if err != nil {
		return err
	}
	var closers []io.Closer
	dst := w
	through := func(c io.WriteCloser) { dst, closers = c, append(closers, c) }
	switch r.to {
	case "base64":
		through(newBase64Writer(dst))
	case "quoted-printable":
		through(newQuotedWriter(dst))
	}
	if r.legacy != nil {
		through(r.legacy.writer(dst))
	}
	if !r.exact {
		through(mimetree.NewCRLFWriter(dst))
	}
	if err := r.pump(dst, src); err != nil {
		return err
	}
	for _, c := range slices.Backward(closers) {
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// pump copies and tells what can't be decoded from what can't be written.
func (r *recoding) pump(dst io.Writer, src io.Reader) error {
	var failure error
	_, err := stream.Copy(dst, stream.Watch(src, &failure))
	if failure != nil && r.from != "7bit" && r.from != "binary" {
		return fmt.Errorf("%w: %s: %w", ErrNotTransportSafe, clip(r.from), err)
	}
	return err
}
