package smime

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// An entity is a MIME entity whose header was read.
type entity struct {
	part    *mimetree.Part
	section []byte // the header section
	form    mimetree.Form
}

// readEntity reads the header of r and returns a reader of the body.
func readEntity(r io.Reader) (*entity, io.Reader, error) {
	part, section, body, err := mimetree.ReadHeader(r)
	if err != nil {
		return nil, nil, inputError(err)
	}
	e := &entity{part: part, section: section}
	e.form, _ = mimetree.FormOf(part)
	return e, body, nil
}

// octets are a range of a store.
type octets struct {
	at io.ReaderAt
	mimetree.Range
}

func (s octets) reader() *io.SectionReader {
	if s.at == nil {
		return io.NewSectionReader(bytes.NewReader(nil), 0, 0)
	}
	return io.NewSectionReader(s.at, s.Start, s.Len())
}

// decodeCMS returns a reader of what the transfer encoding of a CMS object hides.
func decodeCMS(p *mimetree.Part, body io.Reader) (io.Reader, error) {
	r, err := mimetree.DecodeCMS(p, body)
	return r, inputError(err)
}

type constError string

func (e constError) Error() string { return string(e) }

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

// IsSMIME reports whether a header section is that of an S/MIME message: the
// cheap test for programs that only route mail (RFC 8551 section 3.10). It can
// only say what the header claims.
func IsSMIME(header []byte) bool {
	part, _, err := mimetree.HeaderOf(header)
	if err != nil {
		return false
	}
	f, _ := mimetree.FormOf(part)
	return f != mimetree.FormPlain
}

// plainError says why an entity is not S/MIME.
func plainError(problem Problem, e *entity) error {
	switch d := e.part.Defects; {
	case d&mimetree.DuplicateField != 0:
		return fmt.Errorf("%w: a header field that decides the type stands there twice", problem)
	case d&mimetree.BadContentType != 0:
		return fmt.Errorf("%w: the Content-Type can't be read", problem)
	case d&mimetree.BadBoundary != 0:
		return fmt.Errorf("%w: multipart without a usable boundary", problem)
	}
	return fmt.Errorf("%w: the type is %s", problem, quote(e.part.Type.Type))
}

// structureError returns [ErrAmbiguousStructure] with what it is about, or nil.
func structureError(d mimetree.Defect) error {
	var what []string
	for _, x := range [...]struct {
		defect mimetree.Defect
		text   string
	}{
		{mimetree.AmbiguousHeader, "a header line that is no field to every program"},
		{mimetree.AmbiguousType, "a type that programs read differently"},
		{mimetree.AmbiguousBoundary, "a boundary that programs read differently"},
		{mimetree.AmbiguousEncoding, "a transfer encoding on a multipart, and text outside of its parts"},
		{mimetree.AmbiguousDelimiter, "a line that only some programs take for a delimiter"},
	} {
		if d&x.defect != 0 {
			what = append(what, x.text)
		}
	}
	if len(what) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s", ErrAmbiguousStructure, strings.Join(what, ", "))
}

// CMSEntity returns a CMS object that stands alone as the MIME entity that it
// would be in mail, for [Verify], [Decrypt] and [Unseal]: a file smime.p7m or
// smime.p7c in DER, PEM or base64. The entity has no From field, so that Verify
// goes by the From inside, or by VerifyOptions.Sender. If src begins with
// anything else the error is [ErrMalformed].
func CMSEntity(src io.Reader) (io.Reader, error) {
	entity, ok, err := mimetree.Bare(src)
	if err != nil {
		return nil, inputError(err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: the input is no CMS object", ErrMalformed)
	}
	return entity, nil
}
