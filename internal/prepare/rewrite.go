package prepare

import (
	"cmp"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/quoted"
	"github.com/gosmime/gosmime/internal/stream"
)

// A Rewrite says how the body of a Message is written: the ranges of its edits are
// replaced, everything else is copied with line ends as CR LF. The same Rewrite
// gives the same octets each time.
type Rewrite struct {
	Err  error    // why the body can't be made safe, or nil
	Root RootEdit // of the header of the message, which is not part of the body
	Size int64    // of the body as written; -1: not known

	d         *Message
	escape    hazards // what is encoded away
	body      mimetree.Range
	edits     []edit // sorted, disjoint
	extending bool   // the edits of the extension are being made
}

// An Extension is called when all edits of a Rewrite are there, to make more by
// [Rewrite.Insert] and [Rewrite.SetParameter].
type Extension func(p *Rewrite)

// An edit replaces a range of the input.
type edit struct {
	mimetree.Range
	text   []byte    // what stands in its place, unless
	recode *recoding // the range is a body to be encoded anew, or
	keep   bool      // the range is copied as it is
}

// A RootEdit is what an edit of a header would be for the root.
type RootEdit struct {
	Encoding   string      // the new Content-Transfer-Encoding, or empty: as before
	Parameters []Parameter // to be added to the Content-Type
}

// A Parameter is one of a Content-Type.
type Parameter struct{ Name, Value string }

// A recoding writes a body in another transfer encoding.
type recoding struct {
	from, to string                         // transfer encodings; to is 7bit, quoted-printable or base64
	exact    bool                           // octets, not lines of text
	insert   func(io.Writer) io.WriteCloser // puts something into the decoded body, or nil
}

// Rewrite finds out what has to be changed. With clearSigned everything is
// encoded that transport might change, without only what it can't carry. What
// can't be encoded is an error if requireSafe is set, and else left as it is. The
// extension, if there is one, counts only where it leaves the body safe.
func (d *Message) Rewrite(clearSigned, requireSafe bool, ext Extension) (*Rewrite, error) {
	escape := unsafeText
	if !clearSigned {
		escape = eightBit | nul | longLine // RFC 8551 section 3.1.2
	}
	p, err := d.plan(escape, ext)
	if isUnsafe(err) && ext != nil {
		p, err = d.plan(escape, nil)
	}
	switch {
	case isUnsafe(err) && !requireSafe:
		// Inside encryption a part that can't even be decoded is no harm.
		p = &Rewrite{d: d, body: d.Root.BodyRange(), Size: -1, Err: err}
		p.keepSigned(d.Root)
		return p, nil
	case err != nil:
		return nil, err
	case requireSafe && p.Err != nil:
		return nil, p.Err
	}
	return p, nil
}

// Unchanged returns a Rewrite that copies the body octet by octet.
func (d *Message) Unchanged() *Rewrite {
	body := d.Root.BodyRange()
	return &Rewrite{d: d, body: body, Size: body.Len(), edits: []edit{{Range: body, keep: true}}}
}

func (d *Message) plan(escape hazards, ext Extension) (*Rewrite, error) {
	p := &Rewrite{d: d, escape: escape, body: d.Root.BodyRange(), Size: -1}
	slow := d.hazards&(escape|loneCR) != 0 || d.hazards&loneLF != 0 && !d.bareLF || labelled(d.Root) || ext != nil
	switch {
	case untouchable(d.Root):
		p.edits = append(p.edits, edit{Range: p.body, keep: true})
	case !slow:
		p.keepSigned(d.Root)
	default:
		if err := p.part(d.Root, true); err != nil {
			return nil, err
		}
		if ext != nil {
			p.extending = true
			ext(p)
		}
	}
	slices.SortStableFunc(p.edits, func(a, b edit) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	if slow {
		return p, p.check()
	}
	if d.hazards&loneLF == 0 {
		p.Size = p.body.Len()
	}
	return p, nil
}

// check writes the Rewrite to nowhere to see whether all of it is safe.
func (p *Rewrite) check() error {
	s := &transportScanner{}
	if err := p.WriteBody(s); err != nil {
		return err
	}
	if s.finish()&(eightBit|nul|longLine|loneCR|loneLF) != 0 {
		p.unsafe("an octet or a line that can't be encoded")
	}
	p.Size = s.total
	return nil
}

// labelled reports whether a part says to be 8bit or binary. Some relays
// re-encode by the label alone.
func labelled(p *mimetree.Part) bool {
	return p.Encoding == "8bit" || p.Encoding == "binary" || slices.ContainsFunc(p.Children, labelled)
}

// keepSigned adds the ranges of signed parts, which are copied as they are.
func (p *Rewrite) keepSigned(part *mimetree.Part) {
	if untouchable(part) {
		r := part.Range
		if part == p.d.Root {
			r = p.body
		}
		p.edits = append(p.edits, edit{Range: r, keep: true})
		return
	}
	for _, c := range part.Children {
		p.keepSigned(c)
	}
}

func (p *Rewrite) unsafe(what string) {
	if p.Err == nil {
		p.Err = &Error{Problem: Unsafe, Detail: what}
	}
}

// part adds the edits of a part and of those inside it.
func (p *Rewrite) part(part *mimetree.Part, root bool) error {
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
		if s.hazards&p.escape != 0 {
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
func (p *Rewrite) global(part *mimetree.Part, root bool) (done bool, err error) {
	s, err := p.inspect(part.BodyRange())
	if err != nil || s.hazards&eightBit == 0 {
		return false, err
	}
	p.recode(part, root, recoding{from: "7bit", to: "base64", exact: !p.d.bareLF})
	return true, nil
}

// header adds the edits of fields that can't be sent as they are.
func (p *Rewrite) header(part *mimetree.Part) {
	for i := range part.Header {
		in := &part.Header[i]
		f, changed, err := Sendable(in)
		switch {
		case err != nil:
			p.unsafe("a header Field of a part: " + err.Error())
		case changed:
			in.Value = f.Value
			p.edits = append(p.edits, edit{Range: fieldRange(in), text: f.Raw})
		}
	}
}

func fieldRange(f *mimetree.Field) mimetree.Range {
	return mimetree.Range{Start: f.Offset, End: f.Offset + int64(len(f.Raw))}
}

// inspect looks at a range.
func (p *Rewrite) inspect(r mimetree.Range) (*transportScanner, error) {
	s := &transportScanner{utf8: true}
	if r.Len() <= 0 {
		return s, nil
	}
	if _, err := stream.Copy(s, p.d.Section(r)); err != nil {
		return nil, err
	}
	s.finish()
	return s, nil
}

// leaf decides how the body of a part is encoded.
func (p *Rewrite) leaf(part *mimetree.Part, root bool) error {
	s, err := p.inspect(part.BodyRange())
	if err != nil {
		return err
	}
	switch part.Encoding {
	case "", "7bit", "8bit":
		lone := s.hazards&loneCR != 0 || s.hazards&loneLF != 0 && !p.d.bareLF
		exact := s.hazards&nul != 0 || !isText(part) && (lone || s.hazards&eightBit != 0)
		if s.hazards&p.escape == 0 && !exact {
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
		p.addCharset(part, root, s.hazards)
	case "binary":
		p.recode(part, root, recoding{from: "binary", to: "base64", exact: true})
	case "quoted-printable", "base64":
		if s.hazards&p.escape != 0 {
			p.recode(part, root, recoding{from: part.Encoding, to: part.Encoding, exact: part.Encoding == "base64"})
		}
	default:
		if s.hazards&p.escape != 0 {
			p.unsafe("a part with transfer encoding " + quoted.Text(part.Encoding))
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
func (p *Rewrite) recode(part *mimetree.Part, root bool, r recoding) {
	if t := part.Type.Type; part.Defects&(mimetree.EncodedMultiple|mimetree.BadBoundary) != 0 || t == "message/rfc822" || len(t) > 10 && t[:10] == "multipart/" {
		// RFC 2045 section 6.4: these have no transfer encoding of their own.
		p.unsafe("a " + quoted.Text(t) + " part that can't be split")
		return
	}
	p.edits = append(p.edits, edit{Range: part.BodyRange(), recode: &r})
	if r.to != part.Encoding {
		p.relabel(part, root, r.to)
	}
}

// relabel sets the Content-Transfer-Encoding of a part.
func (p *Rewrite) relabel(part *mimetree.Part, root bool, encoding string) {
	if root {
		p.Root.Encoding = encoding
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
func (p *Rewrite) replace(e edit) {
	if i := p.last(e.Range, func(*edit) bool { return true }); i >= 0 {
		p.edits[i] = e
		return
	}
	p.edits = append(p.edits, e)
}

// last returns the index of the last edit of that range that is wanted, or -1.
// Edits are made in the order of the parts, but for the last ones, so that
// those before the range need not be looked at.
func (p *Rewrite) last(r mimetree.Range, want func(*edit) bool) int {
	for i, e := range slices.Backward(p.edits) {
		if e.Range == r && want(&e) {
			return i
		}
		if e.End < r.Start && !p.extending {
			break
		}
	}
	return -1
}

// addCharset says what the octets above 127 of a text without charset are, if
// they are UTF-8: without it they mean nothing (RFC 2046 section 4.1.2).
func (p *Rewrite) addCharset(part *mimetree.Part, root bool, hazards hazards) {
	_, given := part.Type.Params["charset"]
	if given || hazards&eightBit == 0 || hazards&notUTF8 != 0 || part.Type.Type != "text/plain" && part.Type.Type != "text/html" {
		return
	}
	p.typeParameter(part, root, "charset", "utf-8")
}

// typeParameter adds a parameter to the Content-Type of a part.
func (p *Rewrite) typeParameter(part *mimetree.Part, root bool, name, value string) {
	if root {
		if v := (Parameter{name, value}); !slices.Contains(p.Root.Parameters, v) {
			p.Root.Parameters = append(p.Root.Parameters, v)
		}
		return
	}
	before := part.Type
	part.Type.Params = Merged(before.Params, name, value)
	for i := range part.Header {
		in := &part.Header[i]
		if !in.Is("Content-Type") {
			continue
		}
		f, err := NewField(in.Name, WithParameter(in.Value, before, name, value))
		if err != nil {
			p.unsafe(err.Error())
			return
		}
		in.Value = f.Value
		p.replace(edit{Range: fieldRange(in), text: f.Raw})
		return
	}
	const contentType = "Content-Type: "
	at := mimetree.Range{Start: part.Start, End: part.Start}
	if i := p.last(at, func(e *edit) bool { return strings.HasPrefix(string(e.text), contentType) }); i >= 0 {
		// The Field that was added for an earlier parameter.
		v := strings.TrimSpace(strings.TrimPrefix(string(p.edits[i].text), contentType))
		p.edits[i].text = []byte(contentType + WithParameter(v, before, name, value) + "\r\n")
		return
	}
	text := []byte(contentType + WithParameter(before.Type, before, name, value) + "\r\n")
	p.edits = append(p.edits, edit{Range: at, text: text})
}

// Insert puts something into the decoded body of a part, which must be text. The
// writer that insert returns writes what is written to it, with the insertion,
// and text is what it inserts. ok is false if the transfer encoding is unknown.
func (p *Rewrite) Insert(part *mimetree.Part, text []byte, insert func(io.Writer) io.WriteCloser) (ok bool) {
	body := part.BodyRange()
	found := false
	for i := range p.edits {
		if e := &p.edits[i]; e.recode != nil && e.Range == body {
			e.recode.insert, found = insert, true
		}
	}
	if found {
		return true
	}
	r := recoding{from: part.Encoding, to: part.Encoding, exact: part.Encoding == "base64", insert: insert}
	switch part.Encoding {
	case "", "7bit", "8bit":
		r.from, r.to = "7bit", "7bit"
		s := &transportScanner{}
		s.Write(text)
		if s.finish()&p.escape != 0 {
			r.to = "quoted-printable"
		}
	case "quoted-printable", "base64":
	default:
		return false
	}
	p.edits = append(p.edits, edit{Range: body, recode: &r})
	if r.to == "quoted-printable" && part.Encoding != r.to {
		p.relabel(part, part == p.d.Root, r.to)
	}
	return true
}

// SetParameter adds a parameter to the Content-Type of a part.
func (p *Rewrite) SetParameter(part *mimetree.Part, name, value string) {
	p.typeParameter(part, part == p.d.Root, name, value)
}

// Recoded reports whether more than line ends is changed.
func (p *Rewrite) Recoded() bool {
	return p.Root.Encoding != "" || len(p.Root.Parameters) > 0 || slices.ContainsFunc(p.edits, func(e edit) bool { return !e.keep })
}

// WriteBody writes the body. It writes the same octets each time.
func (p *Rewrite) WriteBody(w io.Writer) error {
	at := p.body.Start
	canonical := p.d.hazards&(loneCR|loneLF) != 0
	for i := range p.edits {
		e := &p.edits[i]
		if e.Start < at {
			return errors.New("prepare: edits overlap")
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
func (p *Rewrite) gap(w io.Writer, r mimetree.Range, canonical bool) error {
	if p.escape&p.d.hazards&blankEnd == 0 {
		return p.copy(w, r, canonical)
	}
	t := &trimWriter{w: w}
	if err := p.copy(t, r, canonical); err != nil {
		return err
	}
	return t.flush()
}

// copy writes a range, with lines that end in CR LF if canonical is set.
func (p *Rewrite) copy(w io.Writer, r mimetree.Range, canonical bool) error {
	if r.Len() <= 0 {
		return nil
	}
	if from, ok := w.(io.ReaderFrom); ok && !canonical {
		// A writer of package pkcs7 reads by itself, which is fastest.
		_, err := from.ReadFrom(stream.PlainReader{Reader: p.d.Section(r)})
		return err
	}
	if !canonical {
		_, err := stream.Copy(w, p.d.Section(r))
		return err
	}
	c := mimetree.NewCRLFWriter(w)
	if _, err := stream.Copy(c, p.d.Section(r)); err != nil {
		return err
	}
	return c.Close()
}

func (p *Rewrite) writeEdit(w io.Writer, e *edit) error {
	switch {
	case e.keep:
		// Lines that end in LF alone are how the file was stored. In a message
		// with CR LF an LF is an octet of what was signed, but none that passes
		// transport: what was signed to pass it was signed with CR LF.
		passing := p.escape&blankEnd != 0 && p.d.hazards&loneCR == 0
		return p.copy(w, e.Range, p.d.bareLF || passing && p.d.hazards&loneLF != 0)
	case e.recode != nil:
		return e.recode.write(w, p.d.Section(e.Range))
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
		through(NewBase64Writer(dst))
	case "quoted-printable":
		through(NewQuotedWriter(dst))
	}
	if r.insert != nil {
		through(r.insert(dst))
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
		return &Error{Problem: Unsafe, Detail: quoted.Text(r.from), Err: err}
	}
	return err
}
