package smime

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// WriteDisplay writes Body to w without what a sender put into it for programs
// that don't know protected header fields (RFC 9788 section 4.5.3): what they
// say is in [Message.Header]. It is for display, replies and programs that act
// on the text; no signature covers what it writes.
func (m *Message) WriteDisplay(w io.Writer) error {
	w = wholeWriter{w}
	body := m.Body()
	var marked []*mimetree.Part
	if m.state != nil && m.state.encrypted && m.payload != nil {
		root, err := mimetree.Scan(body, nil)
		if err != nil {
			return inputError(err)
		}
		marked = decorated(nil, root)
	}
	at := int64(0)
	body = m.Body()
	for _, p := range marked {
		if _, err := copyAll(w, io.NewSectionReader(body, at, p.Body-at)); err != nil {
			return err
		}
		if err := writeUndecorated(w, p, io.NewSectionReader(body, p.Body, p.End-p.Body)); err != nil {
			return err
		}
		at = p.End
	}
	_, err := copyAll(w, io.NewSectionReader(body, at, body.Size()-at))
	return err
}

// decorated appends the parts that say they have a Legacy Display Element, in
// order (RFC 9788 section 4.5.3.1). An attached message has a payload of its own.
func decorated(list []*mimetree.Part, p *mimetree.Part) []*mimetree.Part {
	if isMessage(p) {
		return list
	}
	text := p.Type.Type == "text/plain" || p.Type.Type == "text/html"
	if text && p.Type.Params["hp-legacy-display"] == "1" {
		return append(list, p)
	}
	for _, c := range p.Children {
		list = decorated(list, c)
	}
	return list
}

// maxDecorated is how far the decoration is looked for.
const maxDecorated = 256 << 10

// writeUndecorated writes the body of a part, in its transfer encoding, without
// the element.
func writeUndecorated(w io.Writer, p *mimetree.Part, body io.Reader) error {
	decoded, err := decodeBody(p, body)
	if err != nil {
		return err
	}
	head := make([]byte, min(maxDecorated, p.End-p.Body))
	n, err := io.ReadFull(decoded, head)
	if err != nil && !ended(err) {
		return inputError(err)
	}
	head = head[:n]
	start, end := 0, 0
	if p.Type.Type == "text/html" {
		start, end = legacyElement(head)
	} else {
		end = firstBlankLine(head)
	}
	out := encodeBody(p, w)
	for _, r := range []io.Reader{bytes.NewReader(head[:start]), bytes.NewReader(head[end:]), decoded} {
		if _, err := copyAll(out, r); err != nil {
			return inputError(err)
		}
	}
	return out.Close()
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func encodeBody(p *mimetree.Part, w io.Writer) io.WriteCloser {
	switch p.Encoding {
	case "base64":
		return newBase64Writer(w)
	case "quoted-printable":
		return newQuotedWriter(w)
	}
	return nopCloser{w}
}

// firstBlankLine returns where the text after the first blank line begins, 0
// if there is none.
func firstBlankLine(text []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(text[at:], '\n')
		if n < 0 {
			return 0
		}
		if len(bytes.TrimRight(text[at:at+n], "\r")) == 0 {
			return at + n + 1
		}
		at += n + 1
	}
}

const legacyClass = "header-protection-legacy-display"

// legacyElement returns the range of the <div> with the class in HTML, with
// what is nested in it.
func legacyElement(html []byte) (start, end int) {
	depth := 0
	for at := 0; ; {
		tag, from, to := nextTag(html, at)
		if to == 0 {
			return 0, 0
		}
		at = to
		name, closing := tagName(tag)
		if name != "div" {
			continue
		}
		switch {
		case depth == 0 && !closing && hasLegacyClass(tag):
			start, depth = from, 1
		case depth > 0 && closing:
			if depth--; depth == 0 {
				return start, to
			}
		case depth > 0:
			depth++
		}
	}
}

// nextTag returns the next tag outside of comments, without its brackets, and
// its range; to is 0 at the end.
func nextTag(html []byte, at int) (tag []byte, from, to int) {
	for {
		i := bytes.IndexByte(html[at:], '<')
		if i < 0 {
			return nil, 0, 0
		}
		from = at + i
		if bytes.HasPrefix(html[from:], []byte("<!--")) {
			j := bytes.Index(html[from+4:], []byte("-->"))
			if j < 0 {
				return nil, 0, 0
			}
			at = from + 4 + j + 3
			continue
		}
		quote := byte(0)
		for k := from + 1; k < len(html); k++ {
			switch c := html[k]; {
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '>':
				return html[from+1 : k], from, k + 1
			}
		}
		return nil, 0, 0
	}
}

func tagName(tag []byte) (name string, closing bool) {
	s := string(tag)
	if s, closing = strings.CutPrefix(s, "/"); s == "" {
		return "", closing
	}
	if i := strings.IndexAny(s, " \t\r\n/>"); i >= 0 {
		s = s[:i]
	}
	return strings.ToLower(s), closing
}

// hasLegacyClass reports whether the class attribute of a tag has the class.
func hasLegacyClass(tag []byte) bool {
	const blanks = " \t\r\n"
	rest := strings.ToLower(string(tag))
	for {
		var ok bool
		if _, rest, ok = strings.Cut(rest, "class"); !ok {
			return false
		}
		value, ok := strings.CutPrefix(strings.TrimLeft(rest, blanks), "=")
		if !ok {
			continue
		}
		value = strings.TrimLeft(value, blanks)
		if value != "" && (value[0] == '"' || value[0] == '\'') {
			value, rest, _ = strings.Cut(value[1:], value[:1])
		} else if i := strings.IndexAny(value, blanks); i >= 0 {
			value, rest = value[:i], value[i:]
		} else {
			rest = ""
		}
		if slices.Contains(strings.Fields(value), legacyClass) {
			return true
		}
	}
}
