package prepare

import (
	"encoding/base64"
	"io"

	simd "github.com/segmentio/asm/base64"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// base64 lines have 57 octets in 76 characters, the most that RFC 2045 section
// 6.8 allows.
const (
	base64Line   = 76
	base64Octets = 57
	base64Piece  = 57 * 2048
)

// A Base64Writer writes lines of base64. Close writes what is pending.
type Base64Writer struct {
	w    io.Writer
	in   []byte // fewer than a line
	raw  []byte
	out  []byte
	err  error
	done bool
}

// NewBase64Writer returns a Base64Writer to w.
func NewBase64Writer(w io.Writer) *Base64Writer { return &Base64Writer{w: w} }

func (b *Base64Writer) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	n := len(p)
	if len(b.in) > 0 {
		k := min(base64Octets-len(b.in), len(p))
		b.in = append(b.in, p[:k]...)
		p = p[k:]
		if len(b.in) < base64Octets {
			return n, nil
		}
		b.lines(b.in)
		b.in = b.in[:0]
	}
	for len(p) >= base64Octets && b.err == nil {
		k := min(len(p)/base64Octets*base64Octets, base64Piece)
		b.lines(p[:k])
		p = p[k:]
	}
	if b.err != nil {
		return 0, b.err
	}
	b.in = append(b.in, p...)
	return n, nil
}

// lines writes p, whose last line alone may be short.
func (b *Base64Writer) lines(p []byte) {
	size := base64.StdEncoding.EncodedLen(len(p))
	if cap(b.raw) < size {
		b.raw = make([]byte, size)
	}
	raw := b.raw[:size]
	simd.StdEncoding.Encode(raw, p)
	b.out = b.out[:0]
	for len(raw) > base64Line {
		b.out = append(b.out, raw[:base64Line]...)
		b.out = append(b.out, '\r', '\n')
		raw = raw[base64Line:]
	}
	b.out = append(b.out, raw...)
	b.out = append(b.out, '\r', '\n')
	_, b.err = b.w.Write(b.out)
}

// Close does not close the writer below.
func (b *Base64Writer) Close() error {
	if b.err == nil && !b.done && len(b.in) > 0 {
		b.lines(b.in)
	}
	b.done = true
	return b.err
}

// A QuotedWriter writes canonical text as quoted-printable (RFC 2045 section
// 6.7). No line of it begins with "From ", "." or "--", or ends in a blank.
type QuotedWriter struct {
	w     io.Writer
	out   []byte
	col   int
	blank byte // a space or TAB that waits to see whether a line end follows
	cr    bool
	err   error
}

const quotedPiece = 32 << 10

// NewQuotedWriter returns a QuotedWriter to w.
func NewQuotedWriter(w io.Writer) *QuotedWriter { return &QuotedWriter{w: w} }

func (q *QuotedWriter) Write(p []byte) (int, error) {
	for _, c := range p {
		if q.cr {
			q.cr = false
			if c == '\n' {
				q.endLine()
				continue
			}
			q.put('\r', true)
		}
		switch {
		case c == '\r':
			q.cr = true
		case c == ' ' || c == '\t':
			q.flushBlank()
			q.blank = c
		default:
			q.flushBlank()
			q.put(c, c < '!' || c > '~' || c == '=')
		}
		if len(q.out) >= quotedPiece {
			q.flush()
		}
	}
	return len(p), q.err
}

// flushBlank writes the blank that is followed by something else than a line end.
func (q *QuotedWriter) flushBlank() {
	if c := q.blank; c != 0 {
		q.blank = 0
		q.put(c, false)
	}
}

// put writes one octet, as it is or as "=XX", with a soft line break before it
// where the line is full.
func (q *QuotedWriter) put(c byte, encode bool) {
	size := 1
	if encode {
		size = 3
	}
	if q.col+size > base64Line-1 {
		q.out = append(q.out, "=\r\n"...)
		q.col = 0
	}
	if q.col == 0 && (c == 'F' || c == '.' || c == '-' || c == ' ' || c == '\t') {
		encode, size = true, 3
	}
	if encode {
		const digits = "0123456789ABCDEF"
		q.out = append(q.out, '=', digits[c>>4], digits[c&15])
	} else {
		q.out = append(q.out, c)
	}
	q.col += size
}

func (q *QuotedWriter) endLine() {
	if c := q.blank; c != 0 {
		q.blank = 0
		q.put(c, true)
	}
	q.out = append(q.out, "\r\n"...)
	q.col = 0
}

func (q *QuotedWriter) flush() {
	if q.err == nil && len(q.out) > 0 {
		_, q.err = q.w.Write(q.out)
	}
	q.out = q.out[:0]
}

// Close writes what is pending. It does not close the writer below.
func (q *QuotedWriter) Close() error {
	if c := q.blank; c != 0 {
		q.blank = 0
		q.put(c, true)
	}
	if q.cr {
		q.cr = false
		q.put('\r', true)
	}
	q.flush()
	return q.err
}

// A trimWriter drops blanks that a CR LF follows.
type trimWriter struct {
	w       io.Writer
	blanks  []byte // that may be dropped
	pending bool   // whether blanks are followed by a CR
	out     []byte
}

func (t *trimWriter) Write(p []byte) (int, error) {
	t.out = t.out[:0]
	for _, c := range p {
		switch {
		case t.pending:
			if c != '\n' {
				t.out = append(t.out, t.blanks...)
			}
			t.out = append(t.out, '\r', c)
			t.blanks, t.pending = t.blanks[:0], false
		case c == ' ' || c == '\t':
			t.blanks = append(t.blanks, c)
		case c == '\r' && len(t.blanks) > 0:
			t.pending = true
		default:
			t.out = append(append(t.out, t.blanks...), c)
			t.blanks = t.blanks[:0]
		}
	}
	if _, err := t.w.Write(t.out); err != nil {
		return 0, err
	}
	return len(p), nil
}

// flush writes what is pending, but for blanks at the very end.
func (t *trimWriter) flush() error {
	if !t.pending {
		return nil
	}
	t.pending = false
	_, err := t.w.Write([]byte{'\r'})
	return err
}

// EncodeBody returns a writer that writes to w in the transfer encoding of p.
func EncodeBody(p *mimetree.Part, w io.Writer) io.WriteCloser {
	switch p.Encoding {
	case "base64":
		return NewBase64Writer(w)
	case "quoted-printable":
		return NewQuotedWriter(w)
	}
	return nopCloser{w}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }
