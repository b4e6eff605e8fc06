package mimetree

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/budget"
)

// A scanner reads its input through a window. What lies before pos was given
// to the tap, but for the line end in held, which may belong to a delimiter.
type scanner struct {
	r      io.Reader
	buf    []byte
	pos, n int
	base   int64 // offset of buf[0]
	eof    bool
	err    error

	bounds   [][]byte    // "--" and the boundary, outermost first
	begin    [256]uint16 // how many boundaries begin with an octet
	held     [2]byte
	nheld    int
	untapped bool // what is held is not for the tap
	tap      io.Writer
	tapLevel int  // delimiters of this level and deeper are octets for the tap
	text     bool // whether anything but white space was read since it was cleared
	watch    *lookout

	keepOutside bool   // keep the text outside of the parts of the outermost entity
	isOutside   bool   // what is read is outside of these
	outside     []byte // that text, up to maxOutside

	opts    Options
	section []byte // the header section read last
}

// A delimiter ends a body. Level is the index of its boundary, -1 at the end of
// the input; end is where the body ends.
type delimiter struct {
	level   int
	closing bool
	size    int // with its line end
	eol     int // size of the line end
	end     int64
}

func newScanner(r io.Reader, opts *Options, window int) *scanner {
	s := &scanner{r: r, buf: make([]byte, window)}
	if opts != nil {
		s.opts = *opts
	}
	if s.opts.Depth <= 0 {
		s.opts.Depth = defaultDepth
	}
	return s
}

func (s *scanner) offset() int64 { return s.base + int64(s.pos) }

// fill reads more behind what is left of the window. It returns false at the
// end of the input and sets eof.
func (s *scanner) fill() bool {
	if s.eof {
		return false
	}
	if s.n == len(s.buf) {
		s.compact()
	}
	for idle := 0; s.n < len(s.buf); idle++ {
		n, err := s.r.Read(s.buf[s.n:])
		if s.watch != nil {
			s.watch.look(s.buf[s.n : s.n+n])
		}
		s.n += n
		if err != nil {
			s.eof = true
			if !errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				s.err = err
			}
			return n > 0
		}
		if n > 0 {
			return true
		}
		if idle == 100 {
			s.eof, s.err = true, io.ErrNoProgress
			return false
		}
	}
	return false
}

// compact moves what is left of the window to the start of a window that
// grows with the input: a small message shall not pay for a large one.
func (s *scanner) compact() {
	buf := s.buf
	if len(buf) < chunk {
		buf = make([]byte, min(chunk, 4*len(buf)))
	}
	copy(buf, s.buf[s.pos:s.n])
	s.buf = buf
	s.base += int64(s.pos)
	s.n -= s.pos
	s.pos = 0
}

func (s *scanner) emit(b []byte) {
	if !s.text && len(bytes.TrimLeft(b, " \t\r\n")) > 0 {
		s.text = true
	}
	if s.isOutside && len(s.outside) <= maxOutside {
		s.outside = append(s.outside, b...)
	}
	if s.tap == nil || len(b) == 0 || s.err != nil {
		return
	}
	if _, err := s.tap.Write(b); err != nil {
		s.err, s.eof, s.n = err, true, s.pos
	}
}

func (s *scanner) flushHeld() {
	if s.nheld > 0 && !s.untapped {
		s.emit(s.held[:s.nheld])
	}
	s.nheld = 0
}

func (s *scanner) hold(eol []byte) { s.nheld, s.untapped = copy(s.held[:], eol), false }

// delimiter consumes a delimiter line at pos, if there is one.
func (s *scanner) delimiter() (delimiter, bool) {
	for {
		d, m := matchDelimiter(s.buf[s.pos:s.n], s.bounds, s.eof)
		switch m {
		case needMore:
			s.fill()
			continue
		case noMatch:
			return d, false
		}
		d.end = s.offset() - int64(s.nheld)
		line := s.buf[s.pos : s.pos+d.size]
		if s.watch != nil && s.watch.begins(line) {
			s.watch.matched++
		}
		s.pos += d.size
		tapped := s.tap != nil && d.level >= s.tapLevel
		if tapped {
			text := s.text
			s.flushHeld()
			s.emit(line[:d.size-d.eol])
			s.text = text
		}
		// Where a delimiter of an outer level follows at once, the line end belongs to that.
		s.hold(line[d.size-d.eol:])
		s.untapped = !tapped
		return d, true
	}
}

// A match is the outcome of comparing the start of the input with a boundary.
type match uint8

const (
	noMatch match = iota
	matched
	needMore // the input ends too early to decide
)

// matchDelimiter compares the line at the start of w with each boundary.
func matchDelimiter(w []byte, bounds [][]byte, eof bool) (delimiter, match) {
	for level, bound := range bounds {
		if d, m := matchBoundary(w, bound, eof); m != noMatch {
			d.level = level
			return d, m
		}
	}
	return delimiter{}, noMatch
}

// matchBoundary compares the line at the start of w with one boundary.
//
// DEVIATION: RFC 2046 section 5.1.1 lets a line begin with the boundary and go
// on; we compare the whole line, as the parsers of mail clients do, so that a
// boundary can be the beginning of another.
func matchBoundary(w, bound []byte, eof bool) (delimiter, match) {
	rest, found := bytes.CutPrefix(w, bound)
	if !found {
		if !eof && bytes.HasPrefix(bound, w) {
			return delimiter{}, needMore
		}
		return delimiter{}, noMatch
	}
	if len(rest) < 2 && !eof {
		return delimiter{}, needMore
	}
	rest, closing := bytes.CutPrefix(rest, []byte("--"))
	rest = bytes.TrimLeft(rest, " \t")
	if len(w)-len(rest) > maxDelimiter {
		return delimiter{}, noMatch
	}
	eol, m := lineBreak(rest, eof)
	return delimiter{closing: closing, size: len(w) - len(rest) + eol, eol: eol}, m
}

// lineBreak returns the length of the line break that b begins with; the end
// of the input is one of length 0.
func lineBreak(b []byte, eof bool) (int, match) {
	switch {
	case len(b) == 0 && eof:
		return 0, matched
	case len(b) == 0, len(b) == 1 && b[0] == '\r' && !eof:
		return 0, needMore
	case b[0] == '\n':
		return 1, matched
	case len(b) > 1 && b[0] == '\r' && b[1] == '\n':
		return 2, matched
	}
	return 0, noMatch
}

// body reads up to and with the next delimiter line. It starts at a line start.
func (s *scanner) body() delimiter {
	if len(s.bounds) == 0 {
		return s.rest()
	}
	for {
		if d, ok := s.delimiter(); ok {
			return d
		}
		s.flushHeld()
		if !s.lines() {
			return delimiter{level: -1, end: s.offset()}
		}
	}
}

// lines reads up to the start of a line that may be a delimiter; false: to the
// end of the input.
func (s *scanner) lines() bool {
	for {
		w := s.buf[s.pos:s.n]
		for k := 0; ; {
			j := bytes.IndexByte(w[k:], '\n')
			if j < 0 {
				break
			}
			k += j + 1
			if k+2 < len(w) && (w[k] != '-' || w[k+1] != '-' || s.begin[w[k+2]] == 0) {
				continue
			}
			e := lineEnd(w[:k])
			s.pos += k // first: an error of the tap ends the window here
			s.emit(w[:e])
			s.hold(w[e:k])
			return true
		}
		s.endOfWindow(w)
		if !s.fill() && s.pos == s.n {
			return false
		}
	}
}

// endOfWindow gives w to the tap but for a CR, whose LF may be yet to come.
func (s *scanner) endOfWindow(w []byte) {
	m := len(w)
	if m > 0 && w[m-1] == '\r' && !s.eof {
		m--
	}
	s.pos += m // first: an error of the tap ends the window here
	s.emit(w[:m])
}

// rest reads to the end of the input, where no delimiter can come.
func (s *scanner) rest() delimiter {
	s.flushHeld()
	for {
		s.emit(s.buf[s.pos:s.n])
		s.pos = s.n
		if !s.fill() {
			return delimiter{level: -1, end: s.offset()}
		}
	}
}

// lineEnd returns where the CR LF or LF at the end of line begins.
func lineEnd(line []byte) int {
	e := len(line) - 1
	if e > 0 && line[e-1] == '\r' {
		e--
	}
	return e
}

// header reads the header section of p. If a delimiter ended it, that is returned.
func (s *scanner) header(p *Part) (d delimiter, ended bool, err error) {
	var section []byte
	for start := 0; ; start = len(section) {
		if d, ended = s.delimiter(); ended {
			p.Defects |= NoHeaderEnd
			break
		}
		s.flushHeld()
		var whole bool
		if section, whole, err = s.headerLine(section); err != nil {
			return d, false, err
		}
		if !whole {
			p.Defects |= NoHeaderEnd
			d, ended = delimiter{level: -1, end: s.offset()}, true
			break
		}
		if lineEnd(section[start:]) == 0 {
			break
		}
	}
	s.section = section
	p.Body = s.offset()
	if ended {
		p.Body = d.end
	}
	if err := s.charge(len(section)); err != nil {
		return d, false, err
	}
	if err = p.parseHeader(section); err != nil {
		return d, false, err
	}
	if err := s.charge(fieldMemory * len(p.Header)); err != nil {
		return d, false, err
	}
	return d, ended, nil
}

// A field and a parameter take about so much memory beside their octets. Fields
// of three octets and parameters of four can fill a message.
const (
	fieldMemory     = 96
	parameterMemory = 160
)

// charge takes memory for what is kept of a header.
func (s *scanner) charge(n int) error {
	if s.opts.Budget == nil {
		return nil
	}
	return s.opts.Budget.Take(budget.Memory, int64(n))
}

// headerLine appends a line to section; whole is false if the input ended before its line end.
func (s *scanner) headerLine(section []byte) (_ []byte, whole bool, err error) {
	for {
		w := s.buf[s.pos:s.n]
		j := bytes.IndexByte(w, '\n')
		if j >= 0 {
			w = w[:j+1]
		} else if m := len(w); m > 0 && w[m-1] == '\r' && !s.eof {
			w = w[:m-1]
		}
		if len(section)+len(w) > maxHeader {
			return nil, false, &LimitError{"octets of header", maxHeader}
		}
		section = append(section, w...)
		if j >= 0 {
			e := lineEnd(w)
			s.emit(w[:e])
			s.hold(w[e:])
			s.pos += j + 1
			return section, true, nil
		}
		s.emit(w)
		s.pos += len(w)
		if !s.fill() && s.pos == s.n {
			return section, false, nil
		}
	}
}

// entity reads p, whose start is pos, up to and with the delimiter behind it.
func (s *scanner) entity(parent, p *Part, depth int) (delimiter, error) {
	if depth > s.opts.Depth {
		return delimiter{}, &LimitError{"levels of MIME", s.opts.Depth}
	}
	if s.opts.Budget != nil {
		if err := s.opts.Budget.Take(budget.Parts, 1); err != nil {
			return delimiter{}, err
		}
	}
	p.Start = s.offset()
	d, ended, err := s.header(p)
	if err != nil {
		return d, err
	}
	boundary, message := p.classify(parent)
	if err := s.charge(parameterMemory * len(p.Type.Params)); err != nil {
		return d, err
	}
	if ended {
		p.setEnd(d.end)
		return d, s.err
	}
	if (boundary != "" || message) && s.opts.Enter != nil && !s.opts.Enter(parent, p) {
		boundary, message = "", false
	}
	switch {
	case boundary != "" && parent == nil && s.opts.Watch:
		d, err = s.watched(p, boundary, depth)
	case boundary != "":
		d, err = s.multipart(p, boundary, depth)
	case message:
		child := &Part{}
		p.Children = []*Part{child}
		d, err = s.entity(p, child, depth+1)
	default:
		d = s.body()
	}
	p.setEnd(d.end)
	if err == nil {
		err = s.err
	}
	return d, err
}

// watched is multipart for the outermost entity: it finds what other programs
// may take for a delimiter.
func (s *scanner) watched(p *Part, boundary string, depth int) (delimiter, error) {
	readings := []string{boundary}
	if odd := p.Defects&OddParameter != 0; odd || p.Type.loose || p.Defects&SloppyBoundary != 0 {
		others, ok := otherBoundaries(p.Header.Fields("Content-Type")[0].Folded(), boundary)
		if encodedWord := strings.Contains(boundary, "=?") && strings.Contains(boundary, "?="); !ok || encodedWord {
			p.Defects |= AmbiguousBoundary
		}
		readings = append(readings, others...)
		// Ruby then has no boundary.
		if p.Type.loose || odd && (p.Defects&SloppyBoundary != 0 || strings.Contains(boundary, " ")) {
			readings = append(readings, "")
		}
	}
	s.watch, s.keepOutside = newLookout(readings...), p.Defects&EncodedMultiple != 0
	s.watch.look(s.buf[s.pos:s.n])
	d, err := s.multipart(p, boundary, depth)
	s.watch.end()
	if s.watch.hits != s.watch.matched {
		p.Defects |= AmbiguousDelimiter
	}
	if p.Defects&SloppyBoundary != 0 && p.Defects&(PreambleText|EpilogueText) != 0 {
		p.Defects |= AmbiguousBoundary
	}
	if p.Defects&SloppyBoundary != 0 && p.Defects&EncodedMultiple != 0 || decodesToDelimiter(p.Encoding, s.outside) {
		p.Defects |= AmbiguousEncoding
	}
	s.watch = nil
	return d, err
}

func (s *scanner) multipart(p *Part, boundary string, depth int) (d delimiter, err error) {
	level := len(s.bounds)
	s.bounds = append(s.bounds, []byte("--"+boundary))
	s.begin[boundary[0]]++
	start := s.offset()
	d = s.unread(level)
	p.Preamble = Range{start, max(d.end, start)}
	if s.text {
		p.Defects |= PreambleText
	}
	if d.level != level {
		p.Defects |= NoParts
	}
	for i := 0; d.level == level && !d.closing; i++ {
		child := &Part{}
		tapped := false
		if s.tap == nil && s.opts.Tap != nil {
			s.tap, s.tapLevel = s.opts.Tap(p, i), level+1
			tapped = s.tap != nil
		}
		d, err = s.entity(p, child, depth+1)
		if tapped {
			s.tap = nil
		}
		if err != nil {
			return d, err
		}
		p.Children = append(p.Children, child)
	}
	s.bounds = s.bounds[:level]
	s.begin[boundary[0]]--
	if d.level != level {
		p.Defects |= Unclosed
		return d, nil
	}
	start = s.offset()
	d = s.unread(level)
	p.Epilogue = Range{start, max(d.end, start)}
	if s.text {
		p.Defects |= EpilogueText
	}
	return d, nil
}

// unread reads a body that is outside of the parts of a multipart.
func (s *scanner) unread(level int) delimiter {
	s.text = false
	s.isOutside = s.keepOutside && level == 0
	d := s.body()
	s.isOutside = false
	return d
}
