package headerprotection

import (
	"bytes"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// StripBody returns a body with a Legacy Display Element, in its transfer
// encoding, without the element.
func StripBody(p *mimetree.Part, body *io.SectionReader) io.Reader {
	decoded, err := mimetree.Decode(p, body)
	if err != nil {
		// Nobody can say where the element ends.
		return body
	}
	u := &recoder{src: Strip(p, decoded)}
	u.dst = prepare.EncodeBody(p, &u.out)
	return u
}

// A recoder reads src in a transfer encoding.
type recoder struct {
	src io.Reader
	dst io.WriteCloser // to out
	out bytes.Buffer
	err error // of src
}

func (r *recoder) Read(p []byte) (int, error) {
	var buf [4096]byte
	for r.out.Len() == 0 {
		if r.err != nil {
			return 0, r.err
		}
		n, err := r.src.Read(buf[:])
		// A bytes.Buffer takes everything.
		_, _ = r.dst.Write(buf[:n])
		if r.err = err; err == io.EOF {
			if err := r.dst.Close(); err != nil {
				r.err = err
			}
		}
	}
	return r.out.Read(p)
}

// Decorated returns the parts that say they have a Legacy Display Element, in
// order (RFC 9788 section 4.5.3.1). An attached message has a payload of its own.
func Decorated(p *mimetree.Part) []*mimetree.Part { return decorated(nil, p) }

func decorated(list []*mimetree.Part, p *mimetree.Part) []*mimetree.Part {
	if p.IsMessage() {
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

// Strip returns the text of a decorated part, plain or HTML, without the element
// (RFC 9788 section 4.5.3). It reads nothing before it is read itself.
func Strip(p *mimetree.Part, text io.Reader) io.Reader {
	return &stripper{html: p.Type.Type == "text/html", src: text}
}

type stripper struct {
	html bool
	src  io.Reader
	r    io.Reader // nil at the start
}

func (u *stripper) Read(p []byte) (int, error) {
	if u.r == nil {
		head, err := io.ReadAll(io.LimitReader(u.src, maxDecorated))
		if err != nil {
			return 0, err
		}
		start, end := 0, 0
		if u.html {
			start, end = legacyElement(head)
		} else {
			end = firstBlankLine(head)
		}
		u.r = io.MultiReader(bytes.NewReader(head[:start]), bytes.NewReader(head[end:]), u.src)
	}
	return u.r.Read(p)
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
