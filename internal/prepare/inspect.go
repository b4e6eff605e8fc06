package prepare

import (
	"bytes"
	"encoding/binary"
	"io"
	"unicode/utf8"
)

// hazards are what mail transport might change, or can't carry at all.
type hazards uint16

const (
	eightBit hazards = 1 << iota // octets above 127
	nul                          // NUL
	longLine                     // more than 998 octets (RFC 5322 section 2.1.1)
	fromLine                     // a line that begins with "From " (RFC 8551 section 3.1.3)
	blankEnd                     // a space or TAB at the end of a line
	loneLF                       // LF without CR
	loneCR                       // CR without LF
	notUTF8                      // some octets above 127 are no UTF-8
	dashLine                     // the boundary that was to be looked for occurs
	dotLine                      // a line that is a single dot (RFC 5321 section 4.5.2)
	// As a line end, a lone CR could make the two before it.
	unsafeText = eightBit | nul | longLine | fromLine | blankEnd | loneCR
)

// maxLine is the longest line that transport carries, without its end.
const maxLine = 998

// An transportScanner is a writer that finds hazards. It keeps no octets but those of
// a boundary, a UTF-8 sequence or a line start that a piece may end in.
type transportScanner struct {
	hazards  hazards
	boundary []byte // what must not occur, or nil
	utf8     bool   // whether to look for octets that are no UTF-8

	line    int     // octets of the current line, seen before the current piece
	last    [2]byte // the last octets seen, latest first
	start   [5]byte // of the current line
	high    int64   // octets above 127
	total   int64
	tail    []byte // end of the last piece, for boundary
	partial []byte // unfinished UTF-8 sequence
}

func (s *transportScanner) Write(p []byte) (int, error) {
	n := len(p)
	if n == 0 {
		return 0, nil
	}
	s.total += int64(n)
	if s.boundary != nil && s.hazards&dashLine == 0 {
		s.seek(p)
	}
	if s.hazards&nul == 0 && bytes.IndexByte(p, 0) >= 0 {
		s.hazards |= nul
	}
	if high := countHigh(p); high > 0 {
		s.hazards |= eightBit
		s.high += high
	}
	if s.utf8 && s.hazards&(eightBit|notUTF8) == eightBit {
		s.checkUTF8(p)
	}
	s.lines(p)
	return n, nil
}

// lines looks at every line that ends in p.
func (s *transportScanner) lines(p []byte) {
	cr := bytes.Count(p, []byte{'\r'})
	if s.last[0] == '\r' && p[0] != '\n' {
		s.hazards |= loneCR
	}
	rest := p
	for len(rest) > 0 {
		j := bytes.IndexByte(rest, '\n')
		if j < 0 {
			s.begin(rest)
			s.line += len(rest)
			break
		}
		s.begin(rest[:j])
		at := len(p) - len(rest) + j
		before, length := s.octet(p, at-1), s.line+j
		if before == '\r' && length > 0 {
			if j > 0 {
				cr--
			}
			length--
			before = s.octet(p, at-2)
		} else {
			s.hazards |= loneLF
		}
		if length > 0 && (before == ' ' || before == '\t') {
			s.hazards |= blankEnd
		}
		s.endLine(length)
		rest = rest[j+1:]
		s.line = 0
	}
	if p[len(p)-1] == '\r' {
		cr-- // its LF may come
	}
	if cr > 0 {
		s.hazards |= loneCR
	}
	if s.line > maxLine+1 {
		s.hazards |= longLine
	}
	s.last = [2]byte{p[len(p)-1], s.octet(p, len(p)-2)}
}

// octet returns p[i], or what came before p where i is negative.
func (s *transportScanner) octet(p []byte, i int) byte {
	if i >= 0 {
		return p[i]
	}
	return s.last[-i-1]
}

// begin keeps the first octets of the line.
func (s *transportScanner) begin(p []byte) {
	if s.line < len(s.start) {
		copy(s.start[s.line:], p)
	}
}

// endLine looks at a line of that length, whose first octets are kept.
func (s *transportScanner) endLine(length int) {
	if length > maxLine {
		s.hazards |= longLine
	}
	if length >= 5 && s.start[0] == 'F' && string(s.start[:]) == "From " {
		s.hazards |= fromLine
	}
	if length == 1 && s.start[0] == '.' {
		s.hazards |= dotLine
	}
}

// finish looks at a last line without end and returns everything found.
func (s *transportScanner) finish() hazards {
	if s.line > 0 {
		length, last := s.line, s.last[0]
		if last == '\r' {
			s.hazards |= loneCR
			length--
			last = s.last[1]
		}
		if length > 0 && (last == ' ' || last == '\t') {
			s.hazards |= blankEnd
		}
		s.endLine(length)
	}
	if len(s.partial) > 0 {
		s.hazards |= notUTF8
	}
	return s.hazards
}

// seek looks for the boundary across pieces.
func (s *transportScanner) seek(p []byte) {
	keep := len(s.boundary) - 1
	if len(s.tail) > 0 {
		s.tail = append(s.tail, p[:min(len(p), keep)]...)
		if bytes.Contains(s.tail, s.boundary) {
			s.hazards |= dashLine
		}
	}
	if bytes.Contains(p, s.boundary) {
		s.hazards |= dashLine
	}
	if len(p) >= keep {
		s.tail = append(s.tail[:0], p[len(p)-keep:]...)
	} else if len(s.tail) == 0 {
		s.tail = append(s.tail, p...)
	} else if n := len(s.tail) - keep; n > 0 {
		s.tail = append(s.tail[:0], s.tail[n:]...)
	}
}

func (s *transportScanner) checkUTF8(p []byte) {
	if len(s.partial) > 0 {
		for len(p) > 0 && !utf8.FullRune(s.partial) {
			s.partial = append(s.partial, p[0])
			p = p[1:]
		}
		if !utf8.FullRune(s.partial) {
			return
		}
		if !utf8.Valid(s.partial) {
			s.hazards |= notUTF8
			s.partial = nil
			return
		}
		s.partial = s.partial[:0]
	}
	end := len(p)
	for back := 1; back < utf8.UTFMax && back <= len(p); back++ {
		if utf8.RuneStart(p[len(p)-back]) {
			if !utf8.FullRune(p[len(p)-back:]) {
				end = len(p) - back
			}
			break
		}
	}
	if !utf8.Valid(p[:end]) {
		s.hazards |= notUTF8
		return
	}
	s.partial = append(s.partial, p[end:]...)
}

// countHigh counts the octets above 127.
func countHigh(p []byte) int64 {
	const mask = 0x8080808080808080
	var n int64
	for len(p) >= 32 {
		a := binary.LittleEndian.Uint64(p)
		b := binary.LittleEndian.Uint64(p[8:])
		c := binary.LittleEndian.Uint64(p[16:])
		d := binary.LittleEndian.Uint64(p[24:])
		if (a|b|c|d)&mask != 0 {
			for _, x := range p[:32] {
				n += int64(x >> 7)
			}
		}
		p = p[32:]
	}
	for _, x := range p {
		n += int64(x >> 7)
	}
	return n
}

var _ io.Writer = (*transportScanner)(nil)
