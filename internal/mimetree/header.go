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
// counts the lines, such as the "From " of an mbox, that are no fields; they
// are left out.
//
// Some programs end a line at a CR alone, or pass over a byte order mark and
// control characters around a name. A field that only they see is malformed and
// is in the result too, so that it counts wherever a field may stand once.
func ParseHeader(section []byte, offset int64) (h Header, malformed int, err error) {
	for at := 0; at < len(section); {
		if section[at] == '\n' || bytes.HasPrefix(section[at:], []byte("\r\n")) {
			break
		}
		end := fieldEnd(section, at)
		raw := section[at:end]
		if _, clean := h.add(raw, offset+int64(at)); !clean {
			malformed++
		}
		for n := afterCR(raw); n < len(raw) && len(h) <= maxFields; {
			piece := raw[n : n+afterCR(raw[n:])]
			if found, _ := h.add(piece, offset+int64(at+n)); found {
				malformed++
			}
			n += len(piece)
		}
		if len(h) > maxFields {
			return nil, 0, &LimitError{"header fields", maxFields}
		}
		at = end
	}
	return h, malformed, nil
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

// afterCR returns where the text after the first CR without LF begins, or len(raw).
func afterCR(raw []byte) int {
	for at := 0; ; {
		n := bytes.IndexByte(raw[at:], '\r')
		if n < 0 {
			return len(raw)
		}
		if at += n + 1; at == len(raw) || raw[at] != '\n' {
			return at
		}
	}
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

// splitField splits a field at its colon. White space before it is obsolete
// syntax that must be accepted (RFC 5322 section 4.5); what else is around the
// name makes the field unclean.
func splitField(raw []byte) (name string, value []byte, found, clean bool) {
	colon := bytes.IndexByte(raw, ':')
	if colon < 0 || raw[0] == ' ' || raw[0] == '\t' {
		return "", nil, false, false
	}
	n := bytes.TrimRight(raw[:colon], " \t")
	bare := bytes.TrimFunc(bytes.TrimPrefix(n, []byte("\ufeff")), func(r rune) bool { return r <= ' ' || r == 0x7f })
	if len(bare) == 0 {
		return "", nil, false, false
	}
	for _, c := range bare {
		if c <= ' ' || c >= 0x7f {
			return "", nil, false, false
		}
	}
	return string(bare), raw[colon+1:], true, len(bare) == len(n)
}

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
