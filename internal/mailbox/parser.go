package mailbox

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	// maxLocal is generous: RFC 5321 section 4.5.3.1.1 has 64.
	maxLocal   = 255
	maxComment = 32 // depth
)

// A parser reads addresses. It never goes back and never recurses.
type parser struct {
	in       string
	pos      int
	comments []byte // text of those that were skipped

	// What some programs take for the end, or the beginning, of an address.
	oddComment bool // a comment with parentheses or a backslash in it
	bracketed  bool // a display name has square brackets
	bare       bool // an address stands without angle brackets
}

func (p *parser) fail(reason string) error {
	from := max(0, p.pos-40)
	return &Error{reason, p.in[from:min(len(p.in), p.pos+40)]}
}

// peek returns the next octet, 0 at the end. NUL never gets through: no
// production takes it.
func (p *parser) peek() byte {
	if p.pos < len(p.in) {
		return p.in[p.pos]
	}
	return 0
}

func (p *parser) take(c byte) bool {
	if p.peek() != c || p.pos == len(p.in) {
		return false
	}
	p.pos++
	return true
}

// addrSpec reads local-part "@" domain. With cfws, white space and comments
// may stand around both, but not within.
func (p *parser) addrSpec(cfws bool) (Address, error) {
	local, err := p.localPart()
	if err != nil {
		return Address{}, err
	}
	return p.restOfAddr(local, cfws)
}

// restOfAddr reads what follows a local part.
func (p *parser) restOfAddr(local string, cfws bool) (a Address, err error) {
	if err := p.checkLocal(local); err != nil {
		return a, err
	}
	if cfws {
		if err := p.skipCFWS(); err != nil {
			return a, err
		}
	}
	if !p.take('@') {
		return a, p.fail("no @")
	}
	if cfws {
		if err := p.skipCFWS(); err != nil {
			return a, err
		}
	}
	a.Local = local
	a.Domain, err = p.domain()
	return a, err
}

// localPart reads word *("." word) without white space and returns it unquoted.
//
//	local-part = dot-atom / quoted-string / obs-local-part
func (p *parser) localPart() (string, error) {
	var b strings.Builder
	for {
		if p.peek() == '"' {
			s, err := p.quotedString()
			if err != nil {
				return "", err
			}
			b.WriteString(s)
		} else {
			s := p.atom()
			if s == "" {
				return "", p.fail("no local part")
			}
			b.WriteString(s)
		}
		if !p.take('.') {
			return b.String(), nil
		}
		b.WriteByte('.')
	}
}

// checkLocal refuses local parts whose meaning or look is doubtful.
func (p *parser) checkLocal(s string) error {
	if s == "" || len(s) > maxLocal {
		return p.fail("local part is empty or too long")
	}
	if !utf8.ValidString(s) {
		return p.fail("local part is not UTF-8")
	}
	for _, r := range s {
		if unsafeRune(r) {
			return p.fail("local part has a control, space, direction or look-alike character")
		}
	}
	// RFC 2047 section 5 (3): not an encoded word, but read as one by some.
	if strings.Contains(s, "=?") && strings.Contains(s, "?=") {
		return p.fail("local part looks like an encoded word")
	}
	return nil
}

// unsafeRune reports characters that no address needs and that make one look
// like another: controls, spaces beyond the quoted ASCII one, direction marks,
// what is never seen, and the other at signs. Joiners and variation selectors
// can be seen: they change the letters and emoji beside them.
func unsafeRune(r rune) bool {
	switch {
	case r == ' ':
		return false
	case unicode.IsControl(r), unicode.IsSpace(r), unicode.Is(unicode.Zs, r), unicode.Is(unicode.Bidi_Control, r):
		return true
	case r == utf8.RuneError, r == 0xff20, r == 0xfe6b:
		return true
	case r == 0x200c, r == 0x200d, unicode.Is(unicode.Prepended_Concatenation_Mark, r):
		return false
	case unicode.Is(unicode.Cf, r), unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r):
		return true
	}
	return r&0xfffe == 0xfffe || r >= 0xfdd0 && r <= 0xfdef // noncharacters
}

// domain reads a dot-atom or a domain literal.
func (p *parser) domain() (string, error) {
	if p.take('[') {
		end := strings.IndexByte(p.in[p.pos:], ']')
		if end < 0 || end > 64 {
			return "", p.fail("address literal without end")
		}
		lit, ok := literal(p.in[p.pos : p.pos+end])
		if !ok {
			return "", p.fail("address literal is neither IPv4 nor IPv6")
		}
		p.pos += end + 1
		return lit, nil
	}
	start := p.pos
	for p.pos < len(p.in) && (isAtext(p.in[p.pos]) || p.in[p.pos] == '.') {
		p.pos++
	}
	raw := p.in[start:p.pos]
	if !utf8.ValidString(raw) {
		return "", p.fail("domain is not UTF-8")
	}
	return Domain(raw)
}

func (p *parser) atom() string {
	start := p.pos
	for p.pos < len(p.in) && isAtext(p.in[p.pos]) {
		p.pos++
	}
	return p.in[start:p.pos]
}

// quotedString reads a quoted-string and returns its contents, folding undone.
func (p *parser) quotedString() (string, error) {
	p.pos++ // the quote
	var b strings.Builder
	folded := false
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		switch {
		case c == '"':
			p.pos++
			if folded && strings.Contains(b.String(), "@") {
				// Python ends the string at the line break.
				return "", p.fail("line break in a quoted string with @")
			}
			return b.String(), nil
		case c == '\\':
			if p.pos++; p.pos == len(p.in) || control(p.in[p.pos]) {
				return "", p.fail("control character after a backslash")
			}
			b.WriteByte(p.in[p.pos])
			p.pos++
		case c == '\r', c == '\n':
			if err := p.fold(); err != nil {
				return "", err
			}
			folded = true
		case control(c):
			return "", p.fail("control character in a quoted string")
		default:
			b.WriteByte(c)
			p.pos++
		}
	}
	return "", p.fail("quoted string without end")
}

func control(c byte) bool { return c < 0x20 && c != '\t' || c == 0x7f }

// fold reads a line break, which white space must follow (RFC 5322 section
// 2.2.3): anything else would be the next field.
func (p *parser) fold() error {
	p.take('\r')
	if !p.take('\n') || p.peek() != ' ' && p.peek() != '\t' {
		return p.fail("line break that is not folding")
	}
	return nil
}

// skipCFWS skips white space, folding and comments.
func (p *parser) skipCFWS() error {
	for p.pos < len(p.in) {
		switch p.in[p.pos] {
		case ' ', '\t':
			p.pos++
		case '\r', '\n':
			if err := p.fold(); err != nil {
				return err
			}
		case '(':
			if err := p.comment(); err != nil {
				return err
			}
		default:
			return nil
		}
	}
	return nil
}

// comment skips a comment with those inside it.
func (p *parser) comment() error {
	depth, start := 0, p.pos+1
	for p.pos < len(p.in) {
		c := p.in[p.pos]
		switch {
		case c == '(':
			if depth++; depth > maxComment {
				return p.fail("comments nested too deep")
			}
			p.oddComment = p.oddComment || depth > 1
		case c == ')':
			if depth--; depth == 0 {
				p.comments = append(append(p.comments, p.in[start:p.pos]...), ' ')
				p.pos++
				return nil
			}
		case c == '\\':
			if p.pos++; p.pos == len(p.in) || control(p.in[p.pos]) {
				return p.fail("control character after a backslash")
			}
			p.oddComment = true
		case c == '\r', c == '\n':
			if err := p.fold(); err != nil {
				return err
			}
			continue
		case control(c):
			return p.fail("control character in a comment")
		}
		p.pos++
	}
	return p.fail("comment without end")
}
