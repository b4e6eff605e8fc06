// Package ber reads and writes the Basic Encoding Rules (X.690) as a stream.
//
// The [Reader] is iterative: it holds a stack of container ends, never
// recurses, never allocates from a declared length, keeps the offset of every
// element and hands long strings out as a stream.
package ber

import (
	"fmt"
	"io"
)

// A Tag is a tag class and number, without the constructed bit.
type Tag uint32

// Class is the class part of a Tag.
const (
	classApplication Tag = 1 << 30
	classContext     Tag = 2 << 30
	classPrivate     Tag = 3 << 30
	classMask        Tag = 3 << 30
)

// The universal tags in use.
const (
	Boolean         Tag = 1
	Integer         Tag = 2
	BitString       Tag = 3
	OctetString     Tag = 4
	Null            Tag = 5
	OID             Tag = 6
	Enumerated      Tag = 10
	UTF8String      Tag = 12
	Sequence        Tag = 16
	Set             Tag = 17
	UTCTime         Tag = 23
	GeneralizedTime Tag = 24
)

// Context returns the context-specific tag [n].
func Context(n uint32) Tag { return classContext | Tag(n) }

// Number returns the tag number, IsContext whether the class is context-specific.
func (t Tag) Number() uint32  { return uint32(t &^ classMask) }
func (t Tag) IsContext() bool { return t&classMask == classContext }

// An Element is the header of one encoded element.
type Element struct {
	Tag         Tag
	Constructed bool
	Length      int64 // of the contents; -1: indefinite
	Offset      int64 // of the first identifier octet, from the start of the input
	HeaderLen   int
}

// Limits bound what a Reader accepts; a zero field has the default.
type Limits struct {
	Bytes    int64 // of input; default 4 GiB
	Depth    int   // of nested containers, string segments included; default 32
	Elements int64 // headers read; default 10 000 000
}

// A SyntaxError says where the encoding is wrong.
type SyntaxError struct {
	Offset int64
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("ber: offset %d: %s", e.Offset, e.Reason) }

// A LimitError says which of the Limits was reached.
type LimitError struct {
	Offset int64
	Limit  string // "bytes", "depth" or "elements"
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("ber: offset %d: limit of %s", e.Offset, e.Limit)
}

// A Reader reads elements from a stream. The input itself is the outermost
// container. After an error every method returns that error.
type Reader struct{}

// NewReader returns a Reader. It buffers: it may read more of r than it uses.
func NewReader(r io.Reader, lim Limits) *Reader { panic("sketch") }

// Next returns the header of the next element of the current container
// without consuming it, and io.EOF at the container's end. Calling it again
// returns the same.
func (r *Reader) Next() (Element, error) { panic("sketch") }

// Enter makes the next element, which must be constructed and have that tag,
// the current container.
func (r *Reader) Enter(tag Tag) error { panic("sketch") }

// Leave ends the current container, of which nothing may be left unread.
func (r *Reader) Leave() error { panic("sketch") }

// Skip consumes the next element, whatever it is, without keeping it.
func (r *Reader) Skip() error { panic("sketch") }

// Raw consumes the next element and returns its encoding as it came, header
// and end-of-contents octets included. An element of more than max octets is a
// LimitError; memory grows only with what is really there.
func (r *Reader) Raw(max int) ([]byte, error) { panic("sketch") }

// Contents consumes the next element, which must be primitive and have that tag, and
// returns its contents octets, at most max.
func (r *Reader) Contents(tag Tag, max int) ([]byte, error) { panic("sketch") }

// String consumes the next element, an OCTET STRING with that tag (universal
// or implicit), primitive or in segments, and streams its contents octets. The Reader can be
// used again once the stream has returned io.EOF.
func (r *Reader) String(tag Tag) (io.Reader, error) { panic("sketch") }

// Offset returns how many octets of input were consumed.
func (r *Reader) Offset() int64 { panic("sketch") }

// Depth returns how many containers are open.
func (r *Reader) Depth() int { panic("sketch") }

// End reads to the end of the input, which must hold nothing but at most a few
// octets of CR, LF and NUL; anything else is a SyntaxError.
func (r *Reader) End() error { panic("sketch") }

// ToDER returns the one BER element in b as DER: minimal definite lengths,
// strings in one piece, SET OF sorted if sort is set. It is for small elements such as
// algorithm parameters; more than max octets or 32 levels is a LimitError.
// If b already is DER, b itself is returned.
func ToDER(b []byte, sortSets bool, max int) ([]byte, error) { panic("sketch") }

// CheckDER returns nil only if b is one element and as DER would have it: in tags, lengths,
// BOOLEAN and INTEGER values, primitive strings, and, with sortedSets, the order of SET OF.
func CheckDER(b []byte, sortedSets bool) error { panic("sketch") }

// AppendHeader appends the identifier and the definite length of an element.
func AppendHeader(b []byte, tag Tag, constructed bool, length int64) []byte { panic("sketch") }

// HeaderLen returns the length of what AppendHeader appends.
func HeaderLen(tag Tag, length int64) int { panic("sketch") }

// Append appends a whole definite-length element.
func Append(b []byte, tag Tag, constructed bool, contents ...[]byte) []byte { panic("sketch") }

// A Writer writes elements to a stream, with definite or indefinite lengths.
// After an error every method does nothing; Err and Close return it.
type Writer struct{}

// NewWriter returns a Writer on w. It does not buffer more than one header.
func NewWriter(w io.Writer) *Writer { panic("sketch") }

// Begin opens a constructed element. length is that of its contents, or -1 for
// the indefinite form.
func (w *Writer) Begin(tag Tag, length int64) { panic("sketch") }

// End closes the innermost open element. It is an error if a definite length was not met.
func (w *Writer) End() { panic("sketch") }

// Raw writes elements that are already encoded.
func (w *Writer) Raw(der ...[]byte) { panic("sketch") }

// OctetString opens an OCTET STRING with that tag and returns a writer of its
// contents: primitive if size is known (≥ 0), else constructed of indefinite
// length in segments of 64 KiB or so. Its Close must be called before anything else is
// written; it fails if a known size was not met.
func (w *Writer) OctetString(tag Tag, size int64) io.WriteCloser { panic("sketch") }

// Err returns the first error.
func (w *Writer) Err() error { panic("sketch") }
