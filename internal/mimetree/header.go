package mimetree

import (
	"bytes"
	"strings"
)

// A Field is one header field as it stands in the input.
type Field struct {
	Name   string // as written
	Value  string // unfolded, not decoded, surrounding space trimmed
	Raw    []byte // with folds and line end
	Offset int64  // of Raw in the input
}

// Is reports whether the field has that name.
func (f *Field) Is(name string) bool { return strings.EqualFold(f.Name, name) }

// Folded returns the value as it stands in the input, with its line ends.
func (f *Field) Folded() string { return string(f.Raw[bytes.IndexByte(f.Raw, ':')+1:]) }

// A Header is a header section in order.
type Header []Field

// Get returns the values of the fields with that name, in order.
func (h Header) Get(name string) []string {
	var values []string
	for i := range h {
		if h[i].Is(name) {
			values = append(values, h[i].Value)
		}
	}
	return values
}

// Fields returns the fields with that name, in order.
func (h Header) Fields(name string) []*Field {
	var list []*Field
	for i := range h {
		if h[i].Is(name) {
			list = append(list, &h[i])
		}
	}
	return list
}

// Count returns how many fields have that name.
func (h Header) Count(name string) int {
	n := 0
	for i := range h {
		if h[i].Is(name) {
			n++
		}
	}
	return n
}

// ParseHeader reads a header section, which may end in a blank line, that
// stands at an offset of the input. Fields keep slices of section. malformed
// counts the lines that are no fields to every program, such as the "From "
// line of an mbox.
//
// Some programs end a line at a CR alone, or ignore a byte order mark and
// control characters around a name. A field that only they see is malformed
// and is in the result too, so that it counts wherever a field may occur once.
func ParseHeader(section []byte, offset int64) (h Header, malformed int, err error) {
	for at := 0; at < len(section); {
		if section[at] == '\n' || bytes.HasPrefix(section[at:], []byte("\r\n")) {
			break
		}
		end := fieldEnd(section, at)
		raw := section[at:end]
		bad := bytes.IndexByte(raw, 0) >= 0
		if _, clean := h.add(raw, offset+int64(at)); !clean {
			malformed++
			bad = false
		}
		for n := nextLine(raw); n < len(raw) && len(h) <= maxFields; {
			piece := raw[n : n+nextLine(raw[n:])]
			cr := raw[n-1] == '\r'
			bad = bad || cr
			if name, _, found, _ := splitField(piece); found && (cr || isBinding(name)) {
				h.add(piece, offset+int64(at+n))
				malformed++
			}
			n += len(piece)
		}
		if bad {
			malformed++
		}
		if len(h) > maxFields {
			return nil, 0, &LimitError{"header fields", maxFields}
		}
		at = end
	}
	return h, malformed, nil
}

// hasObsolete reports whether a field has white space before its colon, where
// Python ends the header.
func (h Header) hasObsolete() bool {
	for i := range h {
		if raw := h[i].Raw; len(raw) > len(h[i].Name) && (raw[len(h[i].Name)] == ' ' || raw[len(h[i].Name)] == '\t') {
			return true
		}
	}
	return false
}

// isBinding reports whether a field decides what a message is or whose it is.
func isBinding(name string) bool {
	for _, b := range [...]string{"From", "Sender", "Content-Type", "Content-Transfer-Encoding", "MIME-Version"} {
		if strings.EqualFold(name, b) {
			return true
		}
	}
	return false
}

// add appends a field, if raw is one, and says whether it is one by the rules.
func (h *Header) add(raw []byte, offset int64) (found, clean bool) {
	name, value, found, clean := splitField(raw)
	if !found {
		return false, false
	}
	if *h == nil {
		*h = make(Header, 0, 8)
	}
	*h = append(*h, Field{Name: name, Value: unfold(value), Raw: raw, Offset: offset})
	return true, clean
}

// nextLine returns where the text after the first line break that only some
// programs know begins, or len(raw): a CR without LF, or one of the others of
// [breaksLine].
func nextLine(raw []byte) int {
	for at := 0; at < len(raw); {
		n := bytes.IndexFunc(raw[at:], func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r >= 0x80 })
		if n < 0 {
			return len(raw)
		}
		if at += n + 1; raw[at-1] == '\r' {
			if at == len(raw) || raw[at] != '\n' {
				return at
			}
		} else if breaksLine(raw[:at]) {
			return at
		}
	}
	return len(raw)
}

// fieldEnd returns where the field that starts at at ends: after the first
// line end that no white space follows.
func fieldEnd(b []byte, at int) int {
	for {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			return len(b)
		}
		at += n + 1
		if at == len(b) || b[at] != ' ' && b[at] != '\t' {
			return at
		}
	}
}

// splitField splits a field at its colon. The name is clean if it is one of
// RFC 5322 section 2.2, with nothing around it but the white space before the
// colon of section 4.5. What some programs take for one of the names that bind
// is found too.
func splitField(raw []byte) (name string, value []byte, found, clean bool) {
	colon := bytes.IndexByte(raw, ':')
	if colon < 0 {
		return "", nil, false, false
	}
	n := raw[:colon]
	bare := bytes.TrimFunc(bytes.TrimPrefix(n, []byte("\ufeff")), func(r rune) bool { return r <= ' ' || r == 0x7f })
	if len(bare) > 0 && bytes.IndexFunc(bare, notPrintable) < 0 {
		if raw[0] != ' ' && raw[0] != '\t' || isBinding(string(bare)) {
			return string(bare), raw[colon+1:], true, len(bare) == len(bytes.TrimRight(n, " \t"))
		}
		return "", nil, false, false
	}
	if len(n) > maxObscured {
		return "", nil, false, false
	}
	kept := bytes.Map(func(r rune) rune {
		if notPrintable(r) && r != ' ' {
			return -1
		}
		return r
	}, n)
	if kept = bytes.Trim(kept, " "); isBinding(string(kept)) {
		return string(kept), raw[colon+1:], true, false
	}
	return "", nil, false, false
}

// maxObscured is how long a name can be that has octets in it that some
// programs ignore.
const maxObscured = 256

func notPrintable(r rune) bool { return r <= ' ' || r >= 0x7f }

// unfold removes the line ends of a field's value (RFC 5322 section 2.2.3).
func unfold(value []byte) string {
	value = bytes.Trim(value, " \t\r\n")
	if bytes.IndexByte(value, '\n') < 0 {
		return string(value)
	}
	var b strings.Builder
	b.Grow(len(value))
	for line := range bytes.Lines(value) {
		line = bytes.TrimSuffix(line, []byte{'\n'})
		b.Write(bytes.TrimSuffix(line, []byte{'\r'}))
	}
	return b.String()
}
