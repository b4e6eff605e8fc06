package ber

import (
	"fmt"
	"io"
	"math"
)

// String consumes the next element, an OCTET STRING with that tag (universal
// or implicit), primitive or in segments, and streams its contents octets. The Reader can be
// used again once the stream has returned io.EOF.
//
// A Read of the stream fills the caller's buffer unless the string ends or
// fails before.
func (r *Reader) String(tag Tag) (io.Reader, error) {
	e, err := r.want(tag)
	if err != nil {
		return nil, err
	}
	s := &stringReader{r: r, base: len(r.stack)}
	if e.Constructed {
		if err := r.open(e); err != nil {
			return nil, err
		}
	} else {
		r.consumeHeader()
		s.left = e.Length
	}
	r.busy = true
	return s, nil
}

// Octets consumes the next element, an OCTET STRING with that tag, primitive or
// in segments, and returns its contents octets, at most max.
func (r *Reader) Octets(tag Tag, max int) ([]byte, error) {
	e, err := r.want(tag)
	if err != nil {
		return nil, err
	}
	if !e.Constructed {
		return r.Contents(tag, max)
	}
	s, err := r.String(tag)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(s, int64(min(max, math.MaxInt-1))+1))
	if err != nil {
		return nil, err
	}
	if len(b) > max {
		return nil, r.limit(e.Offset, "bytes")
	}
	return b, nil
}

// A stringReader streams the contents of one string. Segments are entered as
// containers of the Reader (X.690 clause 8.7.3).
type stringReader struct {
	r        *Reader
	base     int   // len(r.stack) before the string
	left     int64 // of the current segment
	segments int
	err      error
}

func (s *stringReader) Read(p []byte) (int, error) {
	done := 0
	for s.err == nil && done < len(p) {
		if s.left == 0 {
			s.err = s.segment()
			continue
		}
		n, err := s.r.in.read(p[done : done+int(min(s.left, int64(len(p)-done)))])
		done += n
		s.left -= int64(n)
		if err != nil {
			s.err = s.r.source(err)
		}
	}
	if done > 0 || len(p) == 0 {
		return done, nil
	}
	return 0, s.err
}

// segment goes to the next piece of contents, or to the end.
func (s *stringReader) segment() error {
	r := s.r
	for len(r.stack) > s.base {
		e, err := r.header()
		switch {
		case err == io.EOF:
			r.close()
			continue
		case err != nil:
			return err
		case e.Tag != OctetString:
			return r.syntax(e.Offset, fmt.Sprintf("%v inside a string", e.Tag))
		case e.Constructed:
			if err := r.open(e); err != nil {
				return err
			}
			continue
		}
		r.consumeHeader()
		// Segments of a thousand octets are common.
		if s.segments++; s.segments == 16 {
			r.in.enlarge()
		}
		if e.Length > 0 {
			s.left = e.Length
			return nil
		}
	}
	r.busy = false
	return io.EOF
}
