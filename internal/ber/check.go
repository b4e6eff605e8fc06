package ber

import "bytes"

// CheckDER returns nil only if b is one element and as DER would have it: in tags, lengths,
// BOOLEAN and INTEGER values, primitive strings, and, with sortedSets, the order of SET OF.
// More than 32 levels is a LimitError.
func CheckDER(b []byte, sortedSets bool) error {
	type level struct {
		end  int
		set  bool
		last []byte // the element before, in a set
	}
	var stack [maxDepth + 1]level
	depth, at := 0, 0
	stack[0].end = len(b)
	for {
		e, body, err := header(b, at, stack[depth].end)
		if err != nil {
			return err
		}
		if fault := notDER(e, b[body:]); fault != "" {
			return &SyntaxError{Offset: e.Offset, Reason: fault}
		}
		end := body + int(e.Length)
		if l := &stack[depth]; l.set {
			if bytes.Compare(l.last, b[at:end]) > 0 { // X.690 clause 11.6
				return &SyntaxError{Offset: e.Offset, Reason: "SET OF not sorted"}
			}
			l.last = b[at:end]
		}
		at = end
		if e.Constructed {
			if depth == maxDepth {
				return &LimitError{Offset: e.Offset, Limit: "depth"}
			}
			depth++
			stack[depth] = level{end: end, set: sortedSets && e.Tag == Set}
			at = body
		}
		for depth > 0 && at == stack[depth].end {
			depth--
		}
		if depth == 0 {
			break
		}
	}
	if at != len(b) {
		return &SyntaxError{Offset: int64(at), Reason: "data after the element"}
	}
	return nil
}

// notDER says why an element is not as DER would have it; b begins with its contents.
func notDER(e Element, b []byte) string {
	if e.Length < 0 {
		return "indefinite length" // X.690 clause 10.1
	}
	if e.HeaderLen != HeaderLen(e.Tag, e.Length) {
		return "length not in its shortest form"
	}
	v := b[:e.Length]
	switch e.Tag {
	case Boolean, Integer, Enumerated, Null, OID, 9, 13: // 9: REAL, 13: RELATIVE-OID
		if e.Constructed {
			return "constructed " + e.Tag.String()
		}
	case Sequence, Set, 8, 11: // 8: EXTERNAL, 11: EMBEDDED PDV
		if !e.Constructed {
			return "primitive " + e.Tag.String()
		}
		return ""
	default:
		if e.Constructed && isString(e.Tag) {
			return "string in segments" // X.690 clause 10.2
		}
	}
	return badValue(e.Tag, v)
}

func badValue(t Tag, v []byte) string {
	switch t {
	case Boolean:
		if len(v) != 1 || v[0] != 0 && v[0] != 0xff {
			return "bad BOOLEAN"
		}
	case Integer, Enumerated:
		if len(v) == 0 || len(v) > 1 && paddedInteger(v) {
			return "bad INTEGER"
		}
	case Null:
		if len(v) != 0 {
			return "NULL with contents"
		}
	case OID:
		if !validOID(v) {
			return "bad OBJECT IDENTIFIER"
		}
	case BitString:
		if len(v) == 0 || v[0] > 7 || len(v) == 1 && v[0] != 0 || v[len(v)-1]&(1<<v[0]-1) != 0 && len(v) > 1 {
			return "bad BIT STRING"
		}
	}
	return ""
}

// validOID holds the encoding to X.690 clause 8.19: no padded or unfinished
// subidentifier.
func validOID(v []byte) bool {
	start := true
	for _, c := range v {
		if start && c == 0x80 {
			return false
		}
		start = c&0x80 == 0
	}
	return len(v) > 0 && start
}
