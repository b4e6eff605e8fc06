package ber

import (
	"fmt"
	"io"
	"math"
	"math/bits"
	"slices"
)

// segmentSize is that of the segments of a string of unknown length.
const segmentSize = 64 << 10

// AppendHeader appends the identifier and the definite length of an element.
func AppendHeader(b []byte, tag Tag, constructed bool, length int64) []byte {
	b = appendTag(b, tag, constructed)
	if length < 0x80 {
		return append(b, byte(length))
	}
	n := lengthOctets(length)
	b = append(b, 0x80|byte(n))
	for i := n - 1; i >= 0; i-- {
		b = append(b, byte(length>>(8*i)))
	}
	return b
}

// HeaderLen returns the length of what AppendHeader appends.
func HeaderLen(tag Tag, length int64) int {
	n := 2
	if num := tag.Number(); num >= 0x1f {
		n += (bits.Len32(num) + 6) / 7
	}
	if length >= 0x80 {
		n += lengthOctets(length)
	}
	return n
}

// Append appends a whole definite-length element.
func Append(b []byte, tag Tag, constructed bool, contents ...[]byte) []byte {
	var length int64
	for _, c := range contents {
		length += int64(len(c))
	}
	b = slices.Grow(b, HeaderLen(tag, length)+int(length))
	b = AppendHeader(b, tag, constructed, length)
	for _, c := range contents {
		b = append(b, c...)
	}
	return b
}

func lengthOctets(length int64) int { return (bits.Len64(uint64(length)) + 7) / 8 }

func appendTag(b []byte, tag Tag, constructed bool) []byte {
	first := byte(tag>>30) << 6
	if constructed {
		first |= 0x20
	}
	num := tag.Number()
	if num < 0x1f {
		return append(b, first|byte(num))
	}
	b = append(b, first|0x1f)
	for i := (bits.Len32(num)+6)/7 - 1; i > 0; i-- {
		b = append(b, 0x80|byte(num>>(7*i)))
	}
	return append(b, byte(num)&0x7f)
}

// A Writer writes elements to a stream, with definite or indefinite lengths.
// After an error every method does nothing; Err and Close return it.
type Writer struct {
	w       io.Writer
	written int64
	stack   []open
	busy    bool // an OCTET STRING is open
	err     error
	scratch [32]byte
}

// An open element ends, or must have ended, at an offset of the output.
type open struct {
	limit      int64 // of the innermost element of definite length
	indefinite bool
}

// NewWriter returns a Writer on w. It does not buffer more than one header.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Begin opens a constructed element. length is that of its contents, or -1 for
// the indefinite form.
func (w *Writer) Begin(tag Tag, length int64) {
	if w.ready() {
		w.begin(tag, true, length)
	}
}

// End closes the innermost open element. It is an error if a definite length was not met.
func (w *Writer) End() {
	if !w.ready() {
		return
	}
	if len(w.stack) == 0 {
		w.err = misuse("no open element to end")
		return
	}
	w.end()
}

// Raw writes elements that are already encoded.
func (w *Writer) Raw(der ...[]byte) {
	for _, b := range der {
		if w.ready() {
			w.write(b)
		}
	}
}

// OctetString opens an OCTET STRING with that tag and returns a writer of its
// contents: primitive if size is known (≥ 0), else constructed of indefinite
// length in segments of 64 KiB. Its Close must be called before anything else is
// written; it fails if a known size was not met.
func (w *Writer) OctetString(tag Tag, size int64) io.WriteCloser {
	s := &stringWriter{w: w, segmented: size < 0}
	if w.ready() {
		w.begin(tag, s.segmented, max(size, -1))
		w.busy = true
	}
	return s
}

// Err returns the first error.
func (w *Writer) Err() error { return w.err }

// Close returns the first error, or that an element is still open. It does not
// close the underlying writer.
func (w *Writer) Close() error {
	if w.ready() && len(w.stack) > 0 {
		w.err = misuse(fmt.Sprintf("%d elements are open", len(w.stack)))
	}
	return w.err
}

func (w *Writer) ready() bool {
	if w.err == nil && w.busy {
		w.err = misuse("an OCTET STRING is open")
	}
	return w.err == nil
}

// limit is the offset that what is written now must not pass.
func (w *Writer) limit() int64 {
	if len(w.stack) == 0 {
		return math.MaxInt64
	}
	return w.stack[len(w.stack)-1].limit
}

func (w *Writer) begin(tag Tag, constructed bool, length int64) {
	o := open{limit: w.limit(), indefinite: length < 0}
	b := w.scratch[:0]
	if o.indefinite {
		b = append(appendTag(b, tag, constructed), 0x80)
	} else {
		b = AppendHeader(b, tag, constructed, length)
	}
	w.write(b)
	if w.err != nil {
		return
	}
	if length > o.limit-w.written {
		w.err = misuse("element ends after its container")
		return
	}
	if !o.indefinite {
		o.limit = w.written + length
	}
	w.stack = append(w.stack, o)
}

func (w *Writer) end() {
	o := w.stack[len(w.stack)-1]
	switch {
	case o.indefinite:
		w.write(append(w.scratch[:0], 0, 0))
	case w.written != o.limit:
		w.err = misuse(fmt.Sprintf("%d octets are missing in an element", o.limit-w.written))
	}
	w.stack = w.stack[:len(w.stack)-1]
}

func (w *Writer) write(b []byte) {
	if w.err != nil || len(b) == 0 {
		return
	}
	if int64(len(b)) > w.limit()-w.written {
		w.err = misuse("contents longer than declared")
		return
	}
	n, err := w.w.Write(b)
	if err == nil && n != len(b) {
		err = io.ErrShortWrite
	}
	w.written += int64(n)
	w.err = err
}

// A stringWriter writes the contents of one OCTET STRING.
type stringWriter struct {
	w         *Writer
	segmented bool
	buf       []byte // of the segment that is not full yet
	closed    bool
}

func (s *stringWriter) Write(p []byte) (int, error) {
	if s.closed {
		return 0, misuse("write after Close")
	}
	done := len(p)
	if !s.segmented {
		s.w.write(p)
		p = nil
	}
	for len(p) > 0 && s.w.err == nil {
		if len(s.buf) == 0 && len(p) >= segmentSize {
			s.segment(p[:segmentSize])
			p = p[segmentSize:]
			continue
		}
		n := min(len(p), segmentSize-len(s.buf))
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		if len(s.buf) == segmentSize {
			s.segment(s.buf)
			s.buf = s.buf[:0]
		}
	}
	if s.w.err != nil {
		return 0, s.w.err
	}
	return done, nil
}

func (s *stringWriter) segment(p []byte) {
	s.w.write(AppendHeader(s.w.scratch[:0], OctetString, false, int64(len(p))))
	s.w.write(p)
}

func (s *stringWriter) Close() error {
	if s.closed {
		return s.w.err
	}
	s.closed = true
	if s.w.err != nil {
		return s.w.err
	}
	if len(s.buf) > 0 {
		s.segment(s.buf)
		s.buf = nil
	}
	s.w.busy = false
	s.w.end()
	return s.w.err
}
