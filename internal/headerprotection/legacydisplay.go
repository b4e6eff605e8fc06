package headerprotection

import (
	"bytes"
	"html"
	"io"
	"mime"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A legacyText is what a Legacy Display Element says: the hidden fields, for
// programs that decrypt and do not know header protection (RFC 9788 section
// 5.2.2).
type legacyText []prepare.Field

// addTo adds the element to every main body part of root.
func (t legacyText) addTo(p *prepare.Rewrite, root *mimetree.Part) {
	mainBodies(root, func(part *mimetree.Part) {
		isHTML := part.Type.Type == "text/html"
		element, utf8, ok := t.encode(isHTML, part.Type.Params["charset"])
		if !ok {
			return
		}
		legacy := &legacyDisplay{element: element, html: isHTML}
		if !p.Insert(part, element, legacy.writer) {
			return
		}
		if utf8 {
			p.SetParameter(part, "charset", "utf-8")
		}
		p.SetParameter(part, "hp-legacy-display", "1")
	})
}

// mainBodies calls f with each main body part (RFC 9787 section 7.1): what is
// no attachment, and the first child only of mixed and related multiparts.
func mainBodies(part *mimetree.Part, f func(*mimetree.Part)) {
	for _, v := range part.Header.Get("Content-Disposition") {
		if d, err := mimetree.ParseMediaType(v); err != nil || d.Type == "attachment" {
			return
		}
	}
	switch part.Type.Type {
	case "text/plain", "text/html":
		f(part)
	case "multipart/mixed", "multipart/related":
		if len(part.Children) > 0 {
			mainBodies(part.Children[0], f)
		}
	case "multipart/alternative":
		for _, c := range part.Children {
			mainBodies(c, f)
		}
	}
}

// encode returns the element in the charset of a part; utf8 says that the part
// must be labelled as UTF-8, of which ASCII is a part. ok is false for a charset
// in which not even ASCII is itself.
func (t legacyText) encode(isHTML bool, charset string) (element []byte, utf8, ok bool) {
	var b strings.Builder
	dec := new(mime.WordDecoder)
	for _, f := range t {
		v := f.Value
		if s, err := dec.DecodeHeader(v); err == nil {
			v = s
		}
		v = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return ' '
			}
			return r
		}, v)
		b.WriteString(f.Name + ": " + strings.TrimSpace(v) + "\r\n")
	}
	s := b.String()
	if isHTML {
		s = "\r\n<div class=\"header-protection-legacy-display\">\r\n<pre>" + html.EscapeString(strings.TrimSuffix(s, "\r\n")) + "</pre></div>"
	} else {
		s += "\r\n"
	}
	charset = strings.ToLower(charset)
	switch {
	case strings.HasPrefix(charset, "utf-16"), strings.HasPrefix(charset, "utf-32"), strings.HasPrefix(charset, "utf-7"),
		strings.HasPrefix(charset, "ucs-"), strings.HasPrefix(charset, "iso-10646-"), strings.HasPrefix(charset, "ibm037"), strings.HasPrefix(charset, "ebcdic"):
		return nil, false, false
	case prepare.IsASCII(s), charset == "utf-8", charset == "utf8":
		return []byte(s), false, true
	case charset == "", charset == "us-ascii":
		return []byte(s), true, true
	}
	latin := charset == "iso-8859-1" || charset == "iso-8859-15" || charset == "windows-1252"
	var out []byte
	for _, r := range s {
		switch {
		case r < 0x80, latin && r >= 0xc0 && r <= 0xff:
			out = append(out, byte(r))
		default:
			out = append(out, '?')
		}
	}
	return out, false, true
}

// A legacyDisplay is an element ready for one part.
type legacyDisplay struct {
	element []byte
	html    bool
}

func (l *legacyDisplay) writer(w io.Writer) io.WriteCloser {
	return &legacyWriter{w: w, legacy: l}
}

// maxHTMLHead is how far the start of the HTML body is looked for.
const maxHTMLHead = 64 << 10

// A legacyWriter puts an element into the content that is written to it: at
// the start of a text, after <body> of HTML.
type legacyWriter struct {
	w      io.Writer
	legacy *legacyDisplay
	head   []byte
	done   bool
}

func (l *legacyWriter) Write(p []byte) (int, error) {
	if l.done {
		return l.w.Write(p)
	}
	l.head = append(l.head, p...)
	if at, sure := l.position(); sure || len(l.head) > maxHTMLHead {
		return len(p), l.insert(at)
	}
	return len(p), nil
}

// position returns where the element goes; sure is false if more input may tell better.
func (l *legacyWriter) position() (at int, sure bool) {
	if !l.legacy.html {
		return 0, true
	}
	lower := bytes.ToLower(l.head)
	for from := 0; ; {
		i := bytes.Index(lower[from:], []byte("<body"))
		if i < 0 {
			break
		}
		i += from + len("<body")
		if end := bytes.IndexByte(lower[i:], '>'); end >= 0 && (end == 0 || lower[i] <= ' ' || lower[i] == '/') {
			return i + end + 1, true
		}
		from = i
	}
	for _, tag := range []string{"</head>", "<html", "<!doctype"} {
		if i := bytes.Index(lower, []byte(tag)); i >= 0 {
			if end := bytes.IndexByte(lower[i:], '>'); end >= 0 {
				return i + end + 1, false
			}
		}
	}
	return 0, false
}

func (l *legacyWriter) insert(at int) error {
	l.done = true
	for _, b := range [][]byte{l.head[:at], l.legacy.element, l.head[at:]} {
		if len(b) == 0 {
			continue
		}
		if _, err := l.w.Write(b); err != nil {
			return err
		}
	}
	l.head = nil
	return nil
}

// Close writes what is pending. It does not close the writer below.
func (l *legacyWriter) Close() error {
	if l.done {
		return nil
	}
	at, _ := l.position()
	return l.insert(at)
}
