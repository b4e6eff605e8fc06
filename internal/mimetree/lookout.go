package mimetree

import "bytes"

// A lookout counts the lines of a stream that begin with a delimiter, wherever
// some program sees a line begin: after CR, LF, VT, FF, FS, GS, RS, NUL, NEL,
// U+2028 and U+2029.
type lookout struct {
	needles [][]byte
	longest int
	buf     []byte // with what stands before at
	at      int    // what was looked at
	hits    int    // lines that begin with a needle
	matched int    // of these, the delimiters of the scanner
}

// before is how many octets a line break can have.
const before = 3

func newLookout(boundaries ...string) *lookout {
	l := &lookout{buf: []byte{'\n'}, at: 1}
	for _, b := range boundaries {
		l.needles = append(l.needles, []byte("--"+b))
		l.longest = max(l.longest, len(b)+2)
	}
	return l
}

// begins reports whether line begins with a needle.
func (l *lookout) begins(line []byte) bool {
	for _, n := range l.needles {
		if bytes.HasPrefix(line, n) {
			return true
		}
	}
	return false
}

// look looks at the next octets of the stream.
func (l *lookout) look(p []byte) {
	l.buf = append(l.buf, p...)
	l.search(len(l.buf) - l.longest + 1)
	keep := max(0, l.at-before)
	l.buf = append(l.buf[:0], l.buf[keep:]...)
	l.at -= keep
}

// end looks at what is left.
func (l *lookout) end() { l.search(len(l.buf)) }

// search looks at the lines that begin before end.
func (l *lookout) search(end int) {
	first := []byte("--")
	if len(l.needles) == 1 {
		first = l.needles[0]
	}
	for l.at < end {
		i := bytes.Index(l.buf[l.at:min(len(l.buf), end-1+len(first))], first)
		if i < 0 {
			l.at = end
			return
		}
		l.at += i
		if breaksLine(l.buf[:l.at]) && l.begins(l.buf[l.at:]) {
			l.hits++
		}
		l.at++
	}
}

// breaksLine reports whether b ends with what is a line break to some program.
func breaksLine(b []byte) bool {
	switch b[len(b)-1] {
	case 0, '\n', '\v', '\f', '\r', 0x1c, 0x1d, 0x1e, 0x85:
		return true
	}
	return bytes.HasSuffix(b, []byte("\u2028")) || bytes.HasSuffix(b, []byte("\u2029"))
}
