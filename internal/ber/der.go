package ber

import (
	"bytes"
	"io"
	"slices"
)

// ToDER returns the one BER element in b as DER: minimal definite lengths,
// strings in one piece, SET OF sorted if sortSets is set. It is for small elements such as
// algorithm parameters; more than max octets or 32 levels is a LimitError.
// If b already is DER, b itself is returned.
//
// An implicitly tagged string in segments can't be told from a structure: it
// stays as it is, with definite lengths.
func ToDER(b []byte, sortSets bool, max int) ([]byte, error) {
	if len(b) > max {
		return nil, &LimitError{Limit: "bytes"}
	}
	if CheckDER(b, sortSets) == nil {
		return b, nil
	}
	c := converter{in: b, sortSets: sortSets}
	out, end, err := c.element(nil, 0, len(b), 0)
	if err != nil {
		return nil, err
	}
	if end != len(b) {
		return nil, &SyntaxError{Offset: int64(end), Reason: "data after the element"}
	}
	if err := CheckDER(out, sortSets); err != nil {
		return nil, err
	}
	return out, nil
}

// TrimEnd returns the one BER element at the start of b without what follows it
// if that is at most 16 octets of NUL, blank, tab, CR and LF, which editors and
// transfers leave at the end of files. Otherwise it returns b.
func TrimEnd(b []byte) []byte {
	end, found := len(b), 0
	for end > 0 && isFiller(b[end-1]) && found < maxTrailing {
		end, found = end-1, found+1
	}
	if found == 0 {
		return b
	}
	// The end-of-contents octets of an element are NUL, too: ask where it ends.
	at, err := elementEnd(b)
	if err != nil || at < end {
		return b
	}
	return b[:at]
}

// elementEnd returns where the element at the start of b ends.
func elementEnd(b []byte) (int, error) {
	e, body, err := header(b, 0, len(b))
	if err != nil {
		return 0, err
	}
	if e.Length >= 0 {
		return body + int(e.Length), nil
	}
	c := converter{in: b}
	_, end, err := c.element(nil, 0, len(b), 0)
	return end, err
}

// isFiller reports whether c is among the octets that may follow an element.
func isFiller(c byte) bool {
	return c == 0 || c == ' ' || c == '\t' || c == '\r' || c == '\n'
}

// A converter rewrites one element. Its recursion is bounded by maxDepth.
type converter struct {
	in       []byte
	sortSets bool
}

// element appends to out the DER of the element at in[at:end] and returns where the
// element ends.
func (c *converter) element(out []byte, at, end, depth int) ([]byte, int, error) {
	e, body, err := header(c.in, at, end)
	if err != nil {
		return nil, 0, err
	}
	switch {
	case !e.Constructed:
		stop := body + int(e.Length)
		out, err = c.primitive(out, e, c.in[body:stop])
		return out, stop, err
	case depth == maxDepth:
		return nil, 0, &LimitError{Offset: e.Offset, Limit: "depth"}
	case isString(e.Tag):
		var text []byte
		var bits stringBits
		text, stop, err := c.segments(nil, &bits, e, body, end, depth)
		if err != nil {
			return nil, 0, err
		}
		if e.Tag == BitString {
			text = append([]byte{bits.unused}, text...)
		}
		out, err = c.primitive(out, e, text)
		return out, stop, err
	}
	var parts [][]byte
	stop, err := c.children(e, body, end, func(at, end int) (int, error) {
		part, next, err := c.element(nil, at, end, depth+1)
		parts = append(parts, part)
		return next, err
	})
	if err != nil {
		return nil, 0, err
	}
	if e.Tag == Set && c.sortSets {
		slices.SortFunc(parts, bytes.Compare) // X.690 clause 11.6
	}
	return Append(out, e.Tag, true, parts...), stop, nil
}

// children calls visit for each element inside e, until it has returned the
// position after the last, and returns the position after e.
func (c *converter) children(e Element, body, end int, visit func(at, end int) (int, error)) (int, error) {
	if e.Length >= 0 {
		end = body + int(e.Length)
	}
	at, err := body, error(nil)
	for at < end {
		if e.Length < 0 && end-at >= 2 && c.in[at] == 0 && c.in[at+1] == 0 {
			return at + 2, nil
		}
		if at, err = visit(at, end); err != nil {
			return 0, err
		}
	}
	if e.Length < 0 {
		return 0, &SyntaxError{Offset: int64(end), Reason: "end-of-contents octets missing", err: io.ErrUnexpectedEOF}
	}
	return end, nil
}

// stringBits is what is known of the segments of a BIT STRING.
type stringBits struct {
	unused byte
	seen   bool
}

// segments appends the contents of the string e, whose segments have its own
// tag (X.690 clauses 8.6.4, 8.7.3 and 8.23.6: an OCTET STRING for the
// restricted character strings).
func (c *converter) segments(text []byte, bits *stringBits, e Element, body, end, depth int) ([]byte, int, error) {
	tag := e.Tag
	if tag != BitString {
		tag = OctetString
	}
	stop, err := c.children(e, body, end, func(at, end int) (int, error) {
		s, inner, err := header(c.in, at, end)
		if err != nil {
			return 0, err
		}
		if s.Tag != tag && s.Tag != e.Tag {
			return 0, &SyntaxError{Offset: s.Offset, Reason: s.Tag.String() + " inside a string"}
		}
		if s.Constructed {
			if depth+1 == maxDepth {
				return 0, &LimitError{Offset: s.Offset, Limit: "depth"}
			}
			var next int
			text, next, err = c.segments(text, bits, s, inner, end, depth+1)
			return next, err
		}
		piece := c.in[inner : inner+int(s.Length)]
		if tag == BitString {
			// X.690 clause 8.6.4: only the last segment may have unused bits.
			if len(piece) == 0 || piece[0] > 7 || bits.seen && bits.unused != 0 || len(piece) == 1 && piece[0] != 0 {
				return 0, &SyntaxError{Offset: s.Offset, Reason: "BIT STRING with bad unused bits"}
			}
			bits.unused, bits.seen = piece[0], true
			piece = piece[1:]
		}
		text = append(text, piece...)
		return inner + int(s.Length), nil
	})
	return text, stop, err
}

// primitive appends a primitive element with its contents as DER has them.
func (c *converter) primitive(out []byte, e Element, v []byte) ([]byte, error) {
	switch e.Tag {
	case Boolean: // X.690 clause 11.1
		if len(v) == 1 && v[0] != 0 {
			v = []byte{0xff}
		}
	case Integer, Enumerated: // X.690 clause 8.3.2
		for len(v) > 1 && paddedInteger(v) {
			v = v[1:]
		}
	case BitString: // X.690 clause 11.2.1
		if n := len(v); n > 1 && v[0] < 8 {
			v = slices.Clone(v)
			v[n-1] &^= 1<<v[0] - 1
		}
	}
	return Append(out, e.Tag, false, v), nil
}

// header reads the header at b[at:end], of an element that must fit there.
func header(b []byte, at, end int) (e Element, body int, err error) {
	e, fault := parseHeader(b[at:end])
	e.Offset = int64(at)
	switch {
	case fault == short:
		err = &SyntaxError{Offset: int64(at), Reason: fault, err: io.ErrUnexpectedEOF}
	case fault != "":
		err = &SyntaxError{Offset: int64(at), Reason: fault}
	case e.Tag == 0:
		err = &SyntaxError{Offset: int64(at), Reason: "unexpected end-of-contents octets"}
	case e.Length > int64(end-at-e.HeaderLen):
		err = &SyntaxError{Offset: int64(at), Reason: "element ends after its container", err: io.ErrUnexpectedEOF}
	}
	return e, at + e.HeaderLen, err
}

// isString reports whether t is a universal string type, which BER allows in
// segments.
func isString(t Tag) bool {
	switch t {
	case BitString, OctetString, UTF8String, UTCTime, GeneralizedTime:
		return true
	}
	return t >= 18 && t <= 30 || t == 7 // the character strings, the times, ObjectDescriptor
}

func paddedInteger(v []byte) bool {
	return v[0] == 0 && v[1]&0x80 == 0 || v[0] == 0xff && v[1]&0x80 != 0
}
