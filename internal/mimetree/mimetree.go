// Package mimetree finds the parts of a MIME message as byte ranges of the
// input. It never re-serialises anything: what was signed is a range. It reads
// a stream once, in large chunks, with no allocation per line.
package mimetree

import (
	"bytes"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/budget"
)

// chunk is how much is read and written at a time.
const (
	chunk       = 256 << 10
	firstChunk  = 8 << 10
	firstHeader = 2 << 10
)

const (
	defaultDepth  = 32
	maxHeader     = 1 << 20 // octets of one header section
	maxFields     = 10_000  // of one header section
	maxParameters = 1000    // of one field
	maxBoundary   = 998     // a line of RFC 5322 section 2.1.1
	maxDelimiter  = 4096    // octets of a delimiter line with its padding
)

// A LimitError says which limit of this package was reached. Limits of a
// budget give a [*budget.Exceeded].
type LimitError struct {
	What  string
	Limit int
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("mime: limit of %d %s reached", e.Limit, e.What)
}

// A Range is the octets of the input from Start up to and without End.
type Range struct{ Start, End int64 }

// Len returns the number of octets.
func (r Range) Len() int64 { return r.End - r.Start }

// A Defect is something wrong with a part that does not stop it being read.
type Defect uint32

const (
	DuplicateField  Defect = 1 << iota // Content-Type or Content-Transfer-Encoding twice, or MIME-Version with two values: Type is empty
	BadContentType                     // the Content-Type can't be read
	BadBoundary                        // a multipart without a usable boundary
	EncodedMultiple                    // a transfer encoding on a multipart or message (RFC 2045 section 6.4)
	MalformedHeader                    // a line of the header that is no field
	NoHeaderEnd                        // no blank line after the header
	Unclosed                           // no closing delimiter
	PreambleText                       // text before the first part
	EpilogueText                       // text after the last part
	NoParts                            // a multipart in which the boundary does not occur
	RepeatedVersion                    // MIME-Version twice with one value
	OddParameter                       // a parameter other than the boundary that RFC 2045 does not allow as it is
	SloppyBoundary                     // a boundary that programs read differently

	// The following are found for the outermost entity only. Another program
	// may show other text than the parts as they are read here.

	AmbiguousHeader    // a line of the header, other than the "From " line of an mbox, that is no field to everybody
	AmbiguousType      // a type that programs read differently
	AmbiguousBoundary  // SloppyBoundary, and something in the body that is a delimiter, or text, to some
	AmbiguousEncoding  // EncodedMultiple, and text outside of the parts that decodes to a delimiter
	AmbiguousDelimiter // a line that begins with the delimiter and is none, or is one to some programs only
)

// Ambiguous are the defects for which programs may show different text.
const Ambiguous = AmbiguousHeader | AmbiguousType | AmbiguousBoundary | AmbiguousEncoding | AmbiguousDelimiter

// A Part is a MIME entity. The range of the whole is without the line end that
// belongs to the delimiter after it (RFC 2046 section 5.1.1).
type Part struct {
	Header   Header
	Type     MediaType // the default of RFC 2045 section 5.2 where there is none
	Encoding string    // Content-Transfer-Encoding in lower case; "7bit" where there is none

	Range
	Body     int64 // where the body starts
	Children []*Part

	Preamble, Epilogue Range
	Defects            Defect
}

// HeaderRange returns the header section, with the blank line.
func (p *Part) HeaderRange() Range { return Range{p.Start, p.Body} }

// BodyRange returns the body.
func (p *Part) BodyRange() Range { return Range{p.Body, p.End} }

// Options are the options of [Scan].
type Options struct {
	Depth  int            // default 32
	Budget *budget.Budget // nil: no limit; takes Parts, and Memory for headers
	// Enter says whether to look inside a multipart or message; nil: always.
	Enter func(parent, p *Part) bool
	// Watch finds AmbiguousBoundary, AmbiguousEncoding and AmbiguousDelimiter of
	// a multipart that is the outermost entity.
	Watch bool
	// Tap, if set, is asked before each part of a multipart is read and may
	// return a writer that is given the octets of the part. While it is in use Tap
	// is not asked again.
	Tap func(parent *Part, index int) io.Writer
}

// Scan reads an entity from r to its end. Offsets count from 0 at the first
// octet of r. A message with errors in its structure still gives a Part; the
// error is one of r, of a writer of Tap, or of a limit.
func Scan(r io.Reader, opts *Options) (*Part, error) {
	s := newScanner(r, opts, firstChunk)
	root := &Part{}
	if _, err := s.entity(nil, root, 1); err != nil {
		return nil, err
	}
	return root, s.err
}

// HeaderOf reads the header section that b begins with, as [ReadHeader] does.
func HeaderOf(b []byte) (p *Part, section []byte, err error) {
	end := len(b)
	for at := 0; at < len(b); {
		n := bytes.IndexByte(b[at:], '\n')
		if n < 0 {
			break
		}
		if n == 0 || n == 1 && b[at] == '\r' {
			end = at + n + 1
			break
		}
		at += n + 1
	}
	if end > maxHeader {
		return nil, nil, &LimitError{"octets of header", maxHeader}
	}
	p = &Part{Body: int64(end)}
	p.End = p.Body
	if err = p.parseHeader(b[:end]); err != nil {
		return nil, nil, err
	}
	p.classify(nil)
	return p, b[:end], nil
}

// ReadHeader reads the header section of r and returns the entity without its
// End and Children, the section as it stands there, and a reader of the body.
func ReadHeader(r io.Reader) (p *Part, section []byte, body io.Reader, err error) {
	s := newScanner(r, nil, firstHeader)
	p = &Part{}
	_, ended, err := s.header(p)
	if err == nil {
		err = s.err
	}
	if err != nil {
		return nil, nil, nil, err
	}
	p.classify(nil)
	p.End = p.Body
	if ended {
		return p, s.section, bytes.NewReader(nil), nil
	}
	return p, s.section, io.MultiReader(bytes.NewReader(s.buf[s.pos:s.n]), r), nil
}
