package ber

import (
	"fmt"
	"io"
	"math"
)

// maxTrailing is how many octets of padding End tolerates.
const maxTrailing = 16

// A Reader reads elements from a stream. The input itself is the outermost
// container. After an error every method returns that error.
type Reader struct {
	in    input
	lim   Limits
	stack []frame
	next  Element // valid if have
	have  bool
	eoc   bool // end-of-contents octets come next
	busy  bool // a string is being read
	count int64
	err   error
	arena []byte
	first [12]frame
}

// A frame is an open container.
type frame struct {
	end        int64 // of the innermost container of definite length
	bounded    bool  // there is such a container; else end is the limit of bytes
	indefinite bool
}

// NewReader returns a Reader. It buffers: it may read more of r than it uses.
func NewReader(r io.Reader, lim Limits) *Reader {
	n := &Reader{in: input{src: r}, lim: lim.withDefaults()}
	n.stack = append(n.first[:0], frame{end: n.lim.Bytes})
	return n
}

// Next returns the header of the next element of the current container
// without consuming it, and io.EOF at the container's end. Calling it again
// returns the same.
func (r *Reader) Next() (Element, error) {
	switch {
	case r.err != nil:
		return Element{}, r.err
	case r.busy:
		return Element{}, misuse("a string was not read to its end")
	}
	return r.header()
}

// Enter makes the next element, which must be constructed and have that tag,
// the current container.
func (r *Reader) Enter(tag Tag) error {
	e, err := r.want(tag)
	if err != nil {
		return err
	}
	if !e.Constructed {
		return r.syntax(e.Offset, fmt.Sprintf("%v is primitive", tag))
	}
	return r.open(e)
}

// Leave ends the current container, of which nothing may be left unread.
func (r *Reader) Leave() error {
	if len(r.stack) == 1 && r.err == nil {
		return misuse("no container to leave")
	}
	e, err := r.Next()
	if err == nil {
		return r.syntax(e.Offset, fmt.Sprintf("unexpected %v", e.Tag))
	}
	if err != io.EOF {
		return err
	}
	r.close()
	return nil
}

// Skip consumes the next element, whatever it is, without keeping it. What is
// in an element of definite length is not looked at.
func (r *Reader) Skip() error {
	if _, err := r.any(); err != nil {
		return err
	}
	_, err := r.walk(nil, false, 0)
	return err
}

// Raw consumes the next element and returns its encoding as it came, header
// and end-of-contents octets included, in memory of its own. An element of
// more than max octets is a LimitError; memory grows only with what is really
// there.
func (r *Reader) Raw(max int) ([]byte, error) {
	e, err := r.any()
	if err != nil {
		return nil, err
	}
	if e.Length >= 0 {
		total := int64(e.HeaderLen) + e.Length
		if e.Length > int64(max) || total > int64(max) {
			return nil, r.tooLong(e)
		}
		r.have = false
		return r.take(total)
	}
	return r.walk(nil, true, max)
}

// Contents consumes the next element, which must be primitive and have that tag, and
// returns its contents octets, at most max.
func (r *Reader) Contents(tag Tag, max int) ([]byte, error) {
	e, err := r.want(tag)
	if err != nil {
		return nil, err
	}
	if e.Constructed {
		return nil, r.syntax(e.Offset, fmt.Sprintf("%v is constructed", tag))
	}
	if e.Length > int64(max) {
		return nil, r.tooLong(e)
	}
	r.consumeHeader()
	return r.take(e.Length)
}

// Offset returns how many octets of input were consumed.
func (r *Reader) Offset() int64 { return r.in.off }

// Depth returns how many containers are open.
func (r *Reader) Depth() int { return len(r.stack) - 1 }

// End reads to the end of the input, which must hold nothing but at most a few
// octets of NUL, blank, tab, CR and LF; anything else is a SyntaxError.
func (r *Reader) End() error { return r.end(maxTrailing) }

// EndFiller is End where any number of those octets may follow.
func (r *Reader) EndFiller() error { return r.end(math.MaxInt) }

func (r *Reader) end(trailing int) error {
	switch {
	case r.err != nil:
		return r.err
	case r.busy || len(r.stack) != 1:
		return misuse("the end of the input was asked for inside an element")
	}
	r.have = false
	for n := 0; ; n++ {
		b, err := r.in.peek(1)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return r.source(err)
		}
		if n == trailing || !isFiller(b[0]) {
			return r.syntax(r.in.off, "data after the end")
		}
		r.in.skip(1)
	}
}

// header parses the next header unless that was done.
func (r *Reader) header() (Element, error) {
	if r.have {
		return r.next, nil
	}
	if r.eoc {
		return Element{}, io.EOF
	}
	f := &r.stack[len(r.stack)-1]
	room := f.end - r.in.off
	if room == 0 && f.bounded {
		if f.indefinite {
			return Element{}, r.syntax(r.in.off, "end-of-contents octets missing")
		}
		return Element{}, io.EOF
	}
	e, err := r.parse(f, room)
	if err != nil {
		return e, err
	}
	if e.Tag == 0 {
		if !f.indefinite || e.Constructed || e.Length != 0 || e.HeaderLen != 2 {
			return e, r.syntax(r.in.off, "unexpected end-of-contents octets")
		}
		r.eoc = true
		return Element{}, io.EOF
	}
	if r.count++; r.count > r.lim.Elements {
		return e, r.limit(r.in.off, "elements")
	}
	e.Offset = r.in.off
	if e.Length > room-int64(e.HeaderLen) {
		if f.bounded {
			return e, r.outruns(f)
		}
		return e, r.tooLong(e)
	}
	r.next, r.have = e, true
	return e, nil
}

func (r *Reader) parse(f *frame, room int64) (Element, error) {
	b := r.in.buffered()
	for {
		if int64(len(b)) > room {
			b = b[:room]
		}
		e, fault := parseHeader(b)
		if fault == "" {
			return e, nil
		}
		if fault != short {
			return e, r.syntax(r.in.off, fault)
		}
		if int64(len(b)) == room && f.bounded {
			return e, r.outruns(f)
		}
		had := len(b)
		var err error
		b, err = r.in.peek(had + 1)
		switch {
		case err == io.EOF && had == 0 && len(r.stack) == 1:
			return e, io.EOF
		case err != nil:
			return e, r.source(err)
		case int64(had) == room:
			return e, r.limit(r.in.off, "bytes")
		}
	}
}

// outruns is the error of an element that does not fit into what contains it.
func (r *Reader) outruns(f *frame) error {
	if f.bounded {
		return r.syntax(r.in.off, "element ends after its container")
	}
	return r.limit(r.in.off, "bytes")
}

// tooLong is the error of an element, not consumed yet, whose declared length is
// above a limit. The limit was reached only if there is as much input: else the
// length is wrong, which is no matter of limits.
func (r *Reader) tooLong(e Element) error {
	rest := r.lim.Bytes - e.Offset
	if e.Length < rest-int64(e.HeaderLen) {
		rest = e.Length + int64(e.HeaderLen)
	}
	r.have = false
	if err := r.in.discard(rest); err != nil {
		return r.source(err)
	}
	return r.limit(e.Offset, "bytes")
}

// any returns the next element, which must be there.
func (r *Reader) any() (Element, error) {
	e, err := r.Next()
	if err == io.EOF {
		return e, r.missing("an element")
	}
	return e, err
}

// want returns the next element, which must be there and have that tag.
func (r *Reader) want(tag Tag) (Element, error) {
	e, err := r.Next()
	if err == io.EOF {
		return e, r.missing(tag.String())
	}
	if err == nil && e.Tag != tag {
		return e, r.syntax(e.Offset, fmt.Sprintf("%v where %v is due", e.Tag, tag))
	}
	return e, err
}

// missing is the error of a container, or an input, that ends too early.
func (r *Reader) missing(what string) error {
	e := &SyntaxError{Offset: r.in.off, Reason: "missing " + what}
	if len(r.stack) == 1 {
		e.err = io.ErrUnexpectedEOF
	}
	return r.fail(e)
}

// open consumes the header e and makes it the current container.
func (r *Reader) open(e Element) error {
	if len(r.stack) > r.lim.Depth {
		return r.limit(e.Offset, "depth")
	}
	r.consumeHeader()
	f := frame{end: r.in.off + e.Length, bounded: true}
	if e.Length < 0 {
		f = r.stack[len(r.stack)-1]
		f.indefinite = true
	}
	r.stack = append(r.stack, f)
	return nil
}

// close leaves the current container, whose end was reached.
func (r *Reader) close() {
	if r.eoc {
		r.in.skip(2)
		r.eoc = false
	}
	r.stack = r.stack[:len(r.stack)-1]
}

func (r *Reader) consumeHeader() {
	r.in.skip(r.next.HeaderLen)
	r.have = false
}

// walk consumes the next element and appends it to b if keep is set. Only
// elements of indefinite length are entered.
func (r *Reader) walk(b []byte, keep bool, max int) ([]byte, error) {
	base, start := len(r.stack), r.in.off
	for {
		e, err := r.header()
		var n int64
		switch {
		case err == io.EOF:
			if keep {
				b = append(b, 0, 0)
			}
			r.close()
		case err != nil:
			return nil, err
		case e.Length < 0:
			if keep {
				b = append(b, r.in.buffered()[:e.HeaderLen]...)
			}
			if err := r.open(e); err != nil {
				return nil, err
			}
		default:
			n = int64(e.HeaderLen) + e.Length
			r.have = false
		}
		if keep && n > int64(max)-int64(len(b)) {
			if err != nil || e.Length < 0 {
				return nil, r.limit(start, "bytes")
			}
			return nil, r.tooLong(e)
		}
		if keep {
			b, err = r.in.appendTo(b, n)
		} else {
			err = r.in.discard(n)
		}
		if err != nil && n > 0 {
			return nil, r.source(err)
		}
		if len(r.stack) == base {
			return b, nil
		}
	}
}

// take returns the next n octets. Small pieces share blocks of memory.
func (r *Reader) take(n int64) ([]byte, error) {
	const small, block = 512, 2048
	if n > small || n > int64(len(r.in.buffered())) {
		b, err := r.in.appendTo(nil, n)
		if err != nil {
			return nil, r.source(err)
		}
		return b, nil
	}
	if int64(cap(r.arena)-len(r.arena)) < n {
		r.arena = make([]byte, 0, block)
	}
	at := len(r.arena)
	r.arena = append(r.arena, r.in.buffered()[:n]...)
	r.in.skip(int(n))
	return r.arena[at:len(r.arena):len(r.arena)], nil
}

func (r *Reader) fail(err error) error {
	r.err = err
	return err
}

func (r *Reader) syntax(off int64, reason string) error {
	return r.fail(&SyntaxError{Offset: off, Reason: reason})
}

func (r *Reader) limit(off int64, what string) error {
	return r.fail(&LimitError{Offset: off, Limit: what})
}

// source is the error of an input that ended too early or could not be read.
func (r *Reader) source(err error) error {
	off := r.in.off + int64(len(r.in.buffered()))
	if err == io.EOF {
		return r.fail(&SyntaxError{Offset: off, Reason: "input ends inside an element", err: io.ErrUnexpectedEOF})
	}
	return r.fail(fmt.Errorf("ber: offset %d: %w", off, err))
}
