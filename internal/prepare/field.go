package prepare

import (
	"bytes"
	"fmt"
	"maps"
	"mime"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/quoted"
)

// A Field is a header Field as it is written.
type Field struct {
	Name  string
	Value string // unfolded
	Raw   []byte // with folds, ends with CR LF
}

// NewField makes a Field and folds it. The value must not have a line end or
// NUL: who composes a Field from what others wrote could be made to write more
// fields than one.
func NewField(name, value string) (Field, error) {
	if strings.ContainsAny(value, "\r\n\x00") {
		return Field{}, headerError(name, "line end or NUL in the value")
	}
	raw, err := fold(name, value)
	return Field{name, value, raw}, err
}

// Sendable returns a Field of the input as it can be sent: with CR LF, lines
// that transport carries and, where that can be, in ASCII. changed says that
// more than line ends is new.
func Sendable(in *mimetree.Field) (f Field, changed bool, err error) {
	f = Field{Name: in.Name, Value: in.Value}
	raw := in.Raw
	if bytes.IndexByte(raw, 0) >= 0 || bytes.Count(raw, []byte{'\r'}) != bytes.Count(raw, []byte("\r\n")) {
		return f, false, headerError(in.Name, "lone CR or NUL")
	}
	if !IsASCII(f.Value) {
		if f.Value, err = ASCIIValue(f.Name, f.Value); err != nil {
			return f, false, err
		}
		changed = f.Value != in.Value
	}
	if !changed && wellFolded(in) {
		f.Raw = canonicalLines(raw)
		return f, false, nil
	}
	if IsAddressField(f.Name) && longestWord(f.Value) > maxLine/2 {
		f.Value = strings.ReplaceAll(f.Value, ",", ", ") // room for folds
	}
	f.Raw, err = fold(f.Name, f.Value)
	return f, true, err
}

// wellFolded reports whether the lines of a Field can be kept.
func wellFolded(f *mimetree.Field) bool {
	if len(f.Raw) <= len(f.Name) || f.Raw[len(f.Name)] != ':' {
		return false
	}
	for line := range bytes.Lines(f.Raw) {
		line = bytes.TrimRight(line, "\r\n")
		if n := len(line); n == 0 || n > maxLine || line[n-1] == ' ' || line[n-1] == '\t' {
			return false
		}
	}
	return true
}

// canonicalLines returns lines that end in LF or CR LF with CR LF.
func canonicalLines(raw []byte) []byte {
	var b bytes.Buffer
	for line := range bytes.Lines(raw) {
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteString("\r\n")
	}
	return b.Bytes()
}

// fold writes a Field with lines of at most 78 octets where it has blanks
// (RFC 5322 section 2.1.1).
func fold(name, value string) ([]byte, error) {
	value = strings.Trim(value, " \t")
	var b bytes.Buffer
	b.WriteString(name)
	b.WriteByte(':')
	rest := ""
	if value != "" {
		rest = " " + value
	}
	for col, first := len(name)+1, true; rest != ""; first = false {
		n := wordEnd(rest)
		if !first && col+n > 78 {
			b.WriteString("\r\n")
			col = 0
		}
		b.WriteString(rest[:n])
		if col += n; col > maxLine {
			return nil, headerError(name, fmt.Sprintf("a word of %d octets", n))
		}
		rest = rest[n:]
	}
	b.WriteString("\r\n")
	return b.Bytes(), nil
}

// wordEnd returns the length of the blanks that s begins with and the word
// that follows.
func wordEnd(s string) int {
	n := len(s) - len(strings.TrimLeft(s, " \t"))
	if w := strings.IndexAny(s[n:], " \t"); w >= 0 {
		return n + w
	}
	return len(s)
}

// IsASCII reports whether s has no octet above 127.
func IsASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// ASCIIValue returns a value in ASCII: by RFC 2231 in parameters, by RFC 2047
// elsewhere. An address or message identifier that is not ASCII stays UTF-8, as
// RFC 6532 has it: mail that has one travels by SMTPUTF8 or not at all.
func ASCIIValue(name, value string) (string, error) {
	value = toUTF8(value)
	switch strings.ToLower(name) {
	case "message-id", "in-reply-to", "references", "content-id":
		return value, nil
	case "content-type", "content-disposition":
		t, err := mimetree.ParseMediaType(value)
		if err == nil {
			if s := FormatMediaType(t.Type, t.Params); s != "" {
				return s, nil
			}
		}
		return "", headerError(name, quoted.Text(value))
	}
	if IsAddressField(name) {
		return asciiAddresses(value), nil
	}
	// An encoded word among the octets would be encoded once more.
	dec := new(mime.WordDecoder)
	if s, err := dec.DecodeHeader(value); err == nil {
		value = s
	}
	return mime.QEncoding.Encode("utf-8", value), nil
}

// asciiAddresses returns a list of addresses, or one group of them, with its
// names in ASCII, or the value itself where it is something else.
func asciiAddresses(value string) string {
	rest := strings.TrimSpace(value)
	group, members, isGroup := strings.Cut(strings.TrimSuffix(rest, ";"), ":")
	isGroup = isGroup && strings.HasSuffix(rest, ";") && !strings.ContainsAny(group, "\"()<>@,;\\") && !strings.ContainsAny(members, ":;")
	list, err := mail.ParseAddressList(rest)
	if err != nil || !isGroup && (len(list) == 0 || strings.Contains(rest, ";") && strings.Contains(rest, ":")) {
		return value // what several groups say would be lost
	}
	parts := make([]string, len(list))
	for i, a := range list {
		if !IsASCII(a.Address) {
			return value
		}
		parts[i] = a.String()
	}
	all := strings.Join(parts, ", ")
	if isGroup {
		// RFC 2047 section 5 (3): in a phrase Q would need more care than B.
		return mime.BEncoding.Encode("utf-8", group) + ": " + all + ";"
	}
	return all
}

// IsAddressField reports whether the value of a field is a list of addresses.
func IsAddressField(name string) bool {
	switch strings.ToLower(name) {
	case "from", "to", "cc", "reply-to", "sender", "resent-from", "resent-to", "resent-cc", "resent-sender":
		return true
	}
	return false
}

func longestWord(s string) int {
	longest := 0
	for w := range strings.FieldsSeq(s) {
		longest = max(longest, len(w))
	}
	return longest
}

// toUTF8 takes what is no UTF-8 for ISO 8859-1, as it most often is.
func toUTF8(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// WithParameter returns a Content-Type value with the parameter, in place of
// any that it had. The value is kept as it is where that can be.
func WithParameter(value string, t mimetree.MediaType, name, v string) string {
	if _, has := t.Params[name]; !has && !t.Sloppy && len(t.Duplicate) == 0 {
		return strings.TrimRight(value, "; \t") + "; " + name + `="` + v + `"`
	}
	if s := FormatMediaType(t.Type, Merged(t.Params, name, v)); s != "" {
		return s
	}
	return t.Type + "; " + name + `="` + v + `"`
}

// FormatMediaType is mime.FormatMediaType with long values in pieces (RFC 2231
// section 3), since no fold can divide them: a file name may have 255 characters,
// each of them nine octets here.
func FormatMediaType(t string, params map[string]string) string {
	short, long := make(map[string]string), make(map[string][]string)
	for name, v := range params {
		if mime.FormatMediaType("a/a", map[string]string{name: v}) == "" || len(url.PathEscape(v)) < maxLine/2 {
			short[name] = v
			continue
		}
		long[name] = continuations(v)
	}
	s := mime.FormatMediaType(t, short)
	if s == "" {
		return ""
	}
	for _, name := range slices.Sorted(maps.Keys(long)) {
		for i, piece := range long[name] {
			charset := ""
			if i == 0 {
				charset = "utf-8''"
			}
			s += fmt.Sprintf("; %s*%d*=%s%s", name, i, charset, piece)
		}
	}
	return s
}

// continuations returns a value percent-encoded, in pieces that fit into a line.
func continuations(v string) []string {
	var list []string
	var b strings.Builder
	for i := range len(v) {
		if c := v[i]; c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
		if b.Len() >= 50 {
			list = append(list, b.String())
			b.Reset()
		}
	}
	return append(list, b.String())
}

// Merged returns params with one more.
func Merged(params map[string]string, name, value string) map[string]string {
	m := map[string]string{name: value}
	for k, v := range params {
		if k != name {
			m[k] = v
		}
	}
	return m
}

// IsStructural reports whether a field belongs to the MIME structure and not to
// the message (RFC 9787 section 1.1.1).
func IsStructural(name string) bool {
	lower := strings.ToLower(name)
	return lower == "mime-version" || strings.HasPrefix(lower, "content-")
}

// IsDropped reports whether a field is never written: who a blind copy went to
// (RFC 5322 section 3.6.3), and what only the payload of an encrypted message
// may have (RFC 9788 section 2.2).
func IsDropped(name string) bool {
	switch strings.ToLower(name) {
	case "bcc", "resent-bcc", "hp-outer":
		return true
	}
	return false
}
