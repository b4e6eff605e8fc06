package smime

import (
	"bytes"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/stream"
)

// A form is what a header says about an entity (RFC 8551 section 3.10).
type form uint8

const (
	formPlain form = iota
	formClear      // multipart/signed by application/pkcs7-signature
	formCMS        // a CMS object: its ContentInfo says which
)

// An entity is a MIME entity whose header was read.
type entity struct {
	part    *mimetree.Part
	section []byte // the header section
	form    form
	notes   []Note
}

// readEntity reads the header of r and returns a reader of the body.
func readEntity(r io.Reader) (*entity, io.Reader, error) {
	part, section, body, err := mimetree.ReadHeader(r)
	if err != nil {
		return nil, nil, inputError(err)
	}
	e := &entity{part: part, section: section}
	e.form, e.notes = formOf(part)
	return e, body, nil
}

// formOf decides what a part claims to be. Two fields of one name that matters
// make it plain (see mimetree.DuplicateField).
func formOf(p *mimetree.Part) (form, []Note) {
	var notes []Note
	note := func(code NoteCode, detail string) { notes = append(notes, Note{Code: code, Detail: quote(detail)}) }
	if p.Defects&mimetree.DuplicateField != 0 {
		note(NoteDuplicateField, "")
	}
	if p.Defects&mimetree.MalformedHeader != 0 {
		note(NoteMalformedHeader, "")
	}
	for _, d := range p.Type.Duplicate {
		note(NoteDuplicateParameter, d)
	}
	switch t := p.Type.Type; t {
	case "multipart/signed":
		protocol, given := p.Type.Params["protocol"]
		protocol = strings.ToLower(protocol)
		switch {
		case p.Defects&mimetree.EncodedMultiple != 0 || p.Defects&mimetree.BadBoundary != 0:
			return formPlain, notes
		case isSignatureType(protocol):
			if strings.HasPrefix(protocol, "application/x-") {
				note(NoteLegacyType, protocol)
			}
		case !given && len(p.Children) == 2 && isSignatureType(p.Children[1].Type.Type), !given && len(p.Children) == 0:
			note(NoteProtocol, "")
		default:
			return formPlain, notes
		}
		return formClear, notes
	case "application/pkcs7-mime", "application/x-pkcs7-mime", "application/pkcs7-signature", "application/x-pkcs7-signature":
		if strings.HasPrefix(t, "application/x-") {
			note(NoteLegacyType, t)
		}
		return formCMS, notes
	case "application/octet-stream":
		// The file name is a fallback where the type says nothing.
		if name, ok := cmsFileName(p); ok {
			note(NoteByFileName, name)
			return formCMS, notes
		}
	case "application/ms-tnef":
		note(NoteWinmail, "")
	}
	return formPlain, notes
}

func isSignatureType(t string) bool {
	return t == "application/pkcs7-signature" || t == "application/x-pkcs7-signature"
}

// cmsFileName returns the name of a part if it ends like one of S/MIME.
func cmsFileName(p *mimetree.Part) (string, bool) {
	names := []string{p.Type.Params["name"]}
	for _, d := range p.Header.Get("Content-Disposition") {
		if m, err := mimetree.ParseMediaType(d); err == nil {
			names = append(names, m.Params["filename"])
		}
	}
	for _, n := range names {
		if i := strings.LastIndexByte(n, '.'); i >= 0 {
			switch strings.ToLower(n[i+1:]) {
			case "p7m", "p7s", "p7c", "p7z":
				return n, true
			}
		}
	}
	return "", false
}

// decodeBody returns a reader of what the transfer encoding of p hides.
func decodeBody(p *mimetree.Part, body io.Reader) (io.Reader, error) {
	switch p.Encoding {
	case "", "7bit", "8bit", "binary":
		return body, nil
	case "base64":
		return mimetree.NewBase64Reader(body), nil
	case "quoted-printable":
		q := &quotedReader{}
		q.r = quotedprintable.NewReader(stream.Watch(body, &q.failure))
		return q, nil
	}
	return nil, fmt.Errorf("%w: transfer encoding %s", ErrMalformed, quote(p.Encoding))
}

// decodeCMS is decodeBody for a CMS object.
//
// DEVIATION: RFC 2045 section 6.1 makes 7bit of what has no transfer encoding.
// Gateways lose the field, and what begins like base64 is no BER.
func decodeCMS(p *mimetree.Part, body io.Reader) (io.Reader, error) {
	switch p.Encoding {
	case "", "7bit", "8bit", "binary":
		return &unlabelledReader{src: body}, nil
	}
	return decodeBody(p, body)
}

// An unlabelledReader reads a CMS object, or base64 of one.
type unlabelledReader struct {
	src    io.Reader
	r      io.Reader
	base64 *mimetree.Base64Reader // nil if it is none
}

func (u *unlabelledReader) Read(p []byte) (int, error) {
	if u.r == nil && len(p) > 0 {
		if err := u.look(); err != nil {
			return 0, err
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return u.r.Read(p)
}

// look reads to the first octet that is not white space: 'M' is how base64 of a
// SEQUENCE begins.
func (u *unlabelledReader) look() error {
	var first []byte
	for c := [1]byte{'\n'}; bytes.IndexByte([]byte(" \t\r\n"), c[0]) >= 0 && len(first) < headBody; {
		if _, err := io.ReadFull(u.src, c[:]); err != nil {
			return err
		}
		first = append(first, c[0])
	}
	u.r = io.MultiReader(bytes.NewReader(first), u.src)
	if first[len(first)-1] == 'M' {
		u.base64 = mimetree.NewBase64Reader(u.r)
		u.r = u.base64
	}
	return nil
}

// A quotedReader tells what is wrong with quoted-printable from what is wrong
// with its source.
type quotedReader struct {
	r       io.Reader
	failure error // of the source
}

func (q *quotedReader) Read(p []byte) (int, error) {
	n, err := q.r.Read(p)
	if err != nil && err != io.EOF && q.failure == nil {
		err = fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return n, err
}

type constError string

func (e constError) Error() string { return string(e) }

// sameBody returns the body of an entity that src can be asked for again: it
// skips the header.
func sameBody(p *mimetree.Part, src func() (io.Reader, error)) func() (io.Reader, error) {
	return func() (io.Reader, error) {
		r, err := src()
		if err != nil {
			return nil, err
		}
		if _, err := io.CopyN(io.Discard, r, p.Body); err != nil {
			return nil, err
		}
		return decodeCMS(p, r)
	}
}

// A head keeps the first octets written to it: the header of an entity, and
// enough of the body to tell what it is.
type head struct {
	buf     []byte
	max     int
	ended   bool // the header is complete
	read    bool // p and section are known
	p       *mimetree.Part
	section []byte
	err     error
}

const (
	maxHead  = 1 << 20 // as much as a header section may have
	headBody = 4 << 10
)

func (h *head) Write(p []byte) (int, error) {
	room := h.max - len(h.buf)
	if room <= 0 {
		return len(p), nil
	}
	from := max(0, len(h.buf)-2)
	h.buf = append(h.buf, p[:min(room, len(p))]...)
	if !h.ended {
		if end := blankLine(h.buf, from); end >= 0 {
			h.ended, h.max = true, min(h.max, end+headBody)
			h.buf = h.buf[:min(len(h.buf), h.max)]
		}
	}
	return len(p), nil
}

// blankLine returns where the first blank line ends of which nothing is before from.
func blankLine(b []byte, from int) int {
	if from == 0 {
		if bytes.HasPrefix(b, []byte("\n")) {
			return 1
		}
		if bytes.HasPrefix(b, []byte("\r\n")) {
			return 2
		}
	}
	for at := from; ; {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return -1
		}
		at += n + 1
		switch rest := b[at:]; {
		case bytes.HasPrefix(rest, []byte("\n")):
			return at + 1
		case bytes.HasPrefix(rest, []byte("\r\n")):
			return at + 2
		}
	}
}

// part reads what was kept as the header of an entity, nil if that has no end
// within the limits.
func (h *head) part() (*mimetree.Part, []byte) {
	if !h.read {
		h.read = true
		if !h.ended && len(h.buf) == maxHead {
			h.err = fmt.Errorf("%w: header of the content", ErrLimit)
		} else {
			h.p, h.section, h.err = mimetree.HeaderOf(h.buf)
		}
	}
	return h.p, h.section
}

// header returns the header of the content.
func (h *head) header() (mimetree.Header, error) {
	p, _ := h.part()
	if p == nil {
		return nil, inputError(h.err)
	}
	return p.Header, nil
}

// quote is [clip] for notes, where no text says nothing.
func quote(s string) string {
	if s == "" {
		return ""
	}
	return clip(s)
}
