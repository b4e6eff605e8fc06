// Package mimetree finds the parts of a MIME message as byte ranges of the
// input. It never re-serialises anything: what was signed is a range. It reads
// a stream once, in large chunks, with no allocation per line.
package mimetree

import "io"

// A Field is one header field as it stands in the input.
type Field struct {
	Name  string // as written
	Value string // unfolded, not decoded, surrounding space trimmed
	Raw   []byte // with folds and line end
}

// A Header is a header section in order.
type Header []Field

// Get returns the values of the fields with that name, in order.
func (h Header) Get(name string) []string { panic("sketch") }

// A MediaType is a parsed Content-Type or Content-Disposition (RFC 2045, RFC 2231).
type MediaType struct {
	Type   string            // lower case, "type/subtype"
	Params map[string]string // names in lower case, RFC 2231 continuations and charsets decoded
	// Duplicate lists the parameters that stood there more than once.
	Duplicate []string
}

// ParseMediaType reads a field value leniently where clients are sloppy: comments, missing quotes, trailing semicolons.
func ParseMediaType(value string) (MediaType, error) { panic("sketch") }

// Canonical returns a reader of r with every line end, CR LF, LF or CR, as CR LF. (design to be settled by its owner)
func Canonical(r io.Reader) io.Reader { panic("sketch") }
