package mimetree

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"

	simd "github.com/segmentio/asm/base64"
)

// A Base64Error says where base64 is wrong.
type Base64Error struct {
	Offset int64 // in the encoded input
	Reason string
}

func (e *Base64Error) Error() string { return fmt.Sprintf("base64: offset %d: %s", e.Offset, e.Reason) }

// Base64Tolerance is what a [Base64Reader] let pass.
type Base64Tolerance uint8

const (
	BlanksInBase64   Base64Tolerance = 1 << iota // SP or TAB among the characters
	MissingPadding                               // the end is not padded
	LongBase64Lines                              // a line of more than 76 characters
	UnlabelledBase64                             // no Content-Transfer-Encoding says that it is base64
)

// A Base64Reader decodes the base64 of a MIME body. It skips CR, LF, SP and
// TAB and nothing else; padding may stand at the end alone, and the bits beside the
// last octet must be zero (RFC 4648 section 3.5). RFC 2045 section 6.8 would
// have all other characters skipped, but then readers differ in what they see.
type Base64Reader struct {
	src       io.Reader
	in        []byte // read, not decoded: in[:n]
	compact   []byte // characters without white space, fewer than 4 left over
	left      int
	out       []byte // decoded, not returned
	buf       []byte
	offset    int64 // of what is to be read next
	padded    bool  // the end was seen
	full      bool  // the last read filled in
	err       error
	tolerance Base64Tolerance
}

// NewBase64Reader returns a reader of what src holds as base64.
func NewBase64Reader(src io.Reader) *Base64Reader { return &Base64Reader{src: src} }

// Tolerance returns what was let pass until now.
func (r *Base64Reader) Tolerance() Base64Tolerance { return r.tolerance }

func (r *Base64Reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.more()
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

// WriteTo decodes all that is left to w.
func (r *Base64Reader) WriteTo(w io.Writer) (total int64, err error) {
	for {
		n, err := w.Write(r.out)
		total += int64(n)
		r.out = r.out[n:]
		if err != nil {
			return total, err
		}
		if r.err == io.EOF {
			return total, nil
		}
		if r.err != nil {
			return total, r.err
		}
		r.more()
	}
}

// more reads and decodes a chunk.
func (r *Base64Reader) more() {
	r.grow()
	n, err := r.src.Read(r.in)
	r.full = n == len(r.in)
	if n > 0 && !r.padded {
		r.decode(r.in[:n])
	} else if n > 0 {
		r.onlySpace(r.in[:n], 0)
	}
	r.offset += int64(n)
	if r.err != nil || err == nil {
		return
	}
	if err != io.EOF {
		r.err = err
		return
	}
	r.err = r.flush()
}

// grow makes the buffers larger when a read filled them, up to the usual size.
func (r *Base64Reader) grow() {
	size := min(chunk, max(firstChunk, 4*len(r.in)))
	if size == len(r.in) || r.in != nil && !r.full {
		return
	}
	compact := make([]byte, size+4)
	copy(compact, r.compact[:r.left])
	r.in, r.compact, r.buf = make([]byte, size), compact, make([]byte, size/4*3+64)
}

// decode decodes all whole groups of four in src.
func (r *Base64Reader) decode(src []byte) {
	n := r.left + r.strip(r.compact[r.left:], src)
	whole := n &^ 3
	if slices.ContainsFunc(r.compact[whole:n], notBase64) || !r.quick(whole) {
		r.slow(src)
		return
	}
	r.left = copy(r.compact, r.compact[whole:n])
}

// strip copies src to dst without line ends.
func (r *Base64Reader) strip(dst, src []byte) (n int) {
	for len(src) > 0 {
		j := bytes.IndexByte(src, '\n')
		line := src
		if j >= 0 {
			line, src = src[:j], src[j+1:]
			if j > 0 && line[j-1] == '\r' {
				line = line[:j-1]
			}
		} else {
			src = nil
			if k := len(line); k > 0 && line[k-1] == '\r' {
				line = line[:k-1]
			}
		}
		if len(line) > 76 {
			r.tolerance |= LongBase64Lines
		}
		n += copy(dst[n:], line)
	}
	return n
}

// quick decodes compact[:whole] if that holds nothing but characters of the alphabet.
func (r *Base64Reader) quick(whole int) bool {
	n, err := simd.StdEncoding.Decode(r.buf, r.compact[:whole])
	// The decoder skips CR and LF, so only the size shows that there were none.
	if err != nil || n != whole/4*3 {
		return false
	}
	r.out = r.buf[:n]
	return true
}

// slow does what decode does, octet by octet, for input with blanks, padding or errors.
func (r *Base64Reader) slow(src []byte) {
	n, out := r.left, 0
	for i, c := range src {
		switch {
		case c == '\r' || c == '\n':
			continue
		case c == ' ' || c == '\t':
			r.tolerance |= BlanksInBase64
			continue
		case c == '=':
			r.left = n
			if m, ok := r.quantum(r.buf[out:]); ok {
				out += m
				r.padded = true
				r.onlySpace(src[i+1:], i+1)
			} else {
				r.fail(i, "padding")
			}
			r.left = 0
			r.out = r.buf[:out]
			return
		case notBase64(c):
			r.fail(i, "not a base64 character")
			r.out = r.buf[:out]
			return
		}
		r.compact[n] = c
		if n++; n == 4 {
			m, _ := base64.StdEncoding.Decode(r.buf[out:], r.compact[:4])
			out += m
			n = 0
		}
	}
	r.left = n
	r.out = r.buf[:out]
}

// quantum decodes the last, incomplete group.
func (r *Base64Reader) quantum(dst []byte) (int, bool) {
	if r.left < 2 {
		return 0, false
	}
	n, err := base64.RawStdEncoding.Strict().Decode(dst, r.compact[:r.left])
	return n, err == nil
}

// onlySpace checks what follows the padding: more padding and white space.
func (r *Base64Reader) onlySpace(b []byte, at int) {
	for i, c := range b {
		switch c {
		case '\r', '\n', ' ', '\t', '=':
		default:
			r.fail(at+i, "text after the end")
			return
		}
	}
}

// flush ends the input.
func (r *Base64Reader) flush() error {
	if r.left == 0 {
		return io.EOF
	}
	// What was decoded just now is at the start of buf.
	at := len(r.out)
	n, ok := r.quantum(r.buf[at:])
	if !ok {
		return &Base64Error{r.offset, "cut"}
	}
	r.tolerance |= MissingPadding
	r.out, r.left = r.buf[:at+n], 0
	return io.EOF
}

func (r *Base64Reader) fail(i int, reason string) {
	r.err = &Base64Error{r.offset + int64(i), reason}
}

func notBase64(c byte) bool {
	return !('A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/')
}
