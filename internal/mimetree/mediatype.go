package mimetree

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A MediaType is a parsed Content-Type or Content-Disposition (RFC 2045, RFC 2231).
type MediaType struct {
	Type   string            // lower case, "type/subtype", or the type of a Content-Disposition
	Params map[string]string // names in lower case, RFC 2231 continuations and charsets decoded
	// Duplicate lists the parameters that stood there more than once, sorted. The first
	// counts.
	Duplicate []string
	// Sloppy says that something was not as RFC 2045 has it.
	Sloppy bool

	clearBoundary bool // all programs read the boundary alike
	loose         bool // some programs read no parameter at all
}

// IsDuplicate reports whether a parameter, named in lower case, stood there
// more than once.
func (m *MediaType) IsDuplicate(name string) bool { return slices.Contains(m.Duplicate, name) }

// errMediaType is a constant so that it can't be changed.
type errMediaType string

func (e errMediaType) Error() string { return "mime: " + string(e) }

// ParseMediaType reads a field value leniently where clients are sloppy:
// comments, missing quotes, trailing semicolons. It fails if there is no type, and
// for more parameters than a field can sensibly have.
func ParseMediaType(value string) (MediaType, error) {
	p := paramParser{rest: value}
	p.space()
	t := p.mediaType()
	m := MediaType{Type: strings.ToLower(t)}
	if t == "" || strings.Count(t, "/") > 1 || strings.HasPrefix(t, "/") || strings.HasSuffix(t, "/") {
		return MediaType{}, errMediaType("no media type")
	}
	seen, repeated := make(map[string]string), make(map[string]bool)
	for {
		if p.rest == "" {
			break
		}
		if p.rest[0] != ';' {
			m.Sloppy = true
			p.until(";")
			continue
		}
		p.rest = p.rest[1:]
		p.space()
		if p.rest == "" || p.rest[0] == ';' {
			continue
		}
		name, v, ok := p.param()
		if !ok {
			m.Sloppy = true
			continue
		}
		if _, dup := seen[name]; dup {
			if base := baseName(name); !repeated[base] {
				repeated[base] = true
				m.Duplicate = append(m.Duplicate, base)
			}
			continue
		}
		if len(seen) == maxParameters {
			return MediaType{}, &LimitError{"parameters", maxParameters}
		}
		seen[name] = v
	}
	m.Sloppy = m.Sloppy || p.sloppy
	m.collect(seen)
	return m, nil
}

// Token returns the first token of a field value without comments, in lower
// case: what Content-Transfer-Encoding says.
func Token(value string) string {
	p := paramParser{rest: value}
	p.space()
	return strings.ToLower(p.until(";(, \t\r\n\""))
}

// collect joins and decodes what RFC 2231 spreads over several parameters.
func (m *MediaType) collect(seen map[string]string) {
	m.Params = make(map[string]string, len(seen))
	sources := make(map[string]int) // of a name: plain, extended, continued
	for full, v := range seen {
		name := baseName(full)
		switch suffix := full[len(name):]; suffix {
		case "":
			sources[name]++
			if _, ok := m.Params[name]; !ok {
				m.Params[name] = v
			}
		case "*":
			sources[name]++
			if d, err := decodeExtended(v); err == nil {
				m.Params[name] = d
			} else if _, ok := m.Params[name]; !ok {
				m.Params[name], m.Sloppy = v, true
			}
		case "*0", "*0*":
			sources[name]++
			m.Params[name] = m.join(name, seen)
		}
	}
	for name, n := range sources {
		if n > 1 {
			m.Duplicate = append(m.Duplicate, name)
		}
	}
	slices.Sort(m.Duplicate)
	m.Duplicate = slices.Compact(m.Duplicate)
}

// join puts the continuations of a parameter together (RFC 2231 section 3 and 4.1).
func (m *MediaType) join(name string, seen map[string]string) string {
	var b strings.Builder
	charset := ""
	for i := 0; ; i++ {
		key := name + "*" + strconv.Itoa(i)
		plain, isPlain := seen[key]
		v, isExtended := seen[key+"*"]
		if isPlain && isExtended {
			m.Duplicate = append(m.Duplicate, name)
		}
		if !isPlain && !isExtended {
			break
		}
		if isPlain {
			b.WriteString(plain)
			continue
		}
		if i == 0 {
			if parts := strings.SplitN(v, "'", 3); len(parts) == 3 {
				charset, v = parts[0], parts[2]
			} else {
				m.Sloppy = true
			}
		}
		d, err := unpercent(v)
		if err != nil {
			m.Sloppy = true
			d = v
		}
		b.WriteString(d)
	}
	return toUTF8(charset, b.String())
}

// baseName returns the parameter that name is a piece of: "x" of "x*0*".
func baseName(name string) string {
	if i := strings.IndexByte(name, '*'); i > 0 {
		return name[:i]
	}
	return name
}

// decodeExtended decodes charset'language'percent-encoded (RFC 2231 section 4).
func decodeExtended(v string) (string, error) {
	parts := strings.SplitN(v, "'", 3)
	if len(parts) != 3 {
		return "", errors.New("not an extended value")
	}
	d, err := unpercent(parts[2])
	if err != nil {
		return "", err
	}
	return toUTF8(parts[0], d), nil
}

func unpercent(v string) (string, error) {
	if !strings.Contains(v, "%") {
		return v, nil
	}
	b := make([]byte, 0, len(v))
	for i := 0; i < len(v); i++ {
		if v[i] != '%' {
			b = append(b, v[i])
			continue
		}
		if i+2 >= len(v) {
			return "", errMediaType("cut percent encoding")
		}
		c, err := strconv.ParseUint(v[i+1:i+3], 16, 8)
		if err != nil {
			return "", err
		}
		b = append(b, byte(c))
		i += 2
	}
	return string(b), nil
}

// toUTF8 converts the one charset beside UTF-8 that is spelt out in use.
func toUTF8(charset, v string) string {
	if !strings.EqualFold(charset, "iso-8859-1") || utf8.ValidString(v) && isASCII(v) {
		return v
	}
	r := make([]rune, 0, len(v))
	for i := 0; i < len(v); i++ {
		r = append(r, rune(v[i]))
	}
	return string(r)
}

func isASCII(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// A paramParser reads a field value from its start.
type paramParser struct {
	rest   string
	sloppy bool
}

// space skips white space and comments, nested ones too (RFC 5322 section 3.2.2).
func (p *paramParser) space() {
	for {
		p.rest = strings.TrimLeft(p.rest, " \t\r\n")
		if p.rest == "" || p.rest[0] != '(' {
			return
		}
		depth, i := 0, 0
		for ; i < len(p.rest); i++ {
			switch p.rest[i] {
			case '\\':
				i++
			case '(':
				depth++
			case ')':
				depth--
			}
			if depth == 0 {
				break
			}
		}
		if i >= len(p.rest) {
			p.rest, p.sloppy = "", true
			return
		}
		p.rest = p.rest[i+1:]
	}
}

// until returns what stands before the first of stop or the end.
func (p *paramParser) until(stop string) string {
	i := strings.IndexAny(p.rest, stop)
	if i < 0 {
		i = len(p.rest)
	}
	v := p.rest[:i]
	p.rest = p.rest[i:]
	return v
}

// mediaType reads type and subtype. Comments may also stand around the slash
// (RFC 2045 section 5.1, RFC 822 section 3.1.4).
func (p *paramParser) mediaType() string {
	const stop = ";(, \t\r\n\"="
	t := p.until(stop)
	p.space()
	if t != "" && !strings.Contains(t, "/") && strings.HasPrefix(p.rest, "/") {
		t += p.until(stop)
		p.space()
	}
	if strings.HasSuffix(t, "/") {
		t += p.until(stop)
		p.space()
	}
	return t
}

// param reads one parameter.
func (p *paramParser) param() (name, value string, ok bool) {
	name = strings.ToLower(p.until("=;( \t\r\n\""))
	p.space()
	if name == "" || p.rest == "" || p.rest[0] != '=' {
		p.until(";")
		return "", "", false
	}
	p.rest = p.rest[1:]
	p.space()
	if p.rest != "" && p.rest[0] == '"' {
		value = p.quoted()
	} else {
		value = p.until("; \t\r\n(\"")
		if strings.ContainsAny(value, "()<>@,;:\\\"/[]?=") {
			p.sloppy = true
		}
	}
	p.space()
	// What is not quoted may still hold blanks: the rest up to the semicolon belongs to it.
	if p.rest != "" && p.rest[0] != ';' {
		p.sloppy = true
		if more := strings.TrimRight(p.until(";"), " \t\r\n"); more != "" {
			value += " " + more
		}
	}
	return name, value, true
}

// quoted reads a quoted-string; one that is not closed goes to the end.
func (p *paramParser) quoted() string {
	var b strings.Builder
	s := p.rest[1:]
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '"':
			p.rest = s[i+1:]
			return b.String()
		case '\\':
			if i+1 < len(s) {
				i++
				b.WriteByte(s[i])
			}
		case '\r', '\n':
		default:
			b.WriteByte(c)
		}
	}
	p.rest, p.sloppy = "", true
	return b.String()
}
