// Package ber reads and writes the Basic Encoding Rules (X.690) as a stream.
//
// The [Reader] is iterative: it holds a stack of container ends, never
// recurses, never allocates from a declared length, keeps the offset of every
// element and hands long strings out as a stream.
package ber

import (
	"fmt"
	"math"
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
func Context(n uint32) Tag { return classContext | Tag(n)&^classMask }

// Number returns the tag number.
func (t Tag) Number() uint32 { return uint32(t &^ classMask) }

func (t Tag) String() string {
	names := [...]string{
		Boolean: "BOOLEAN", Integer: "INTEGER", BitString: "BIT STRING", OctetString: "OCTET STRING",
		Null: "NULL", OID: "OBJECT IDENTIFIER", Enumerated: "ENUMERATED", UTF8String: "UTF8String",
		Sequence: "SEQUENCE", Set: "SET", UTCTime: "UTCTime", GeneralizedTime: "GeneralizedTime",
	}
	switch t & classMask {
	case classContext:
		return fmt.Sprintf("[%d]", t.Number())
	case classApplication:
		return fmt.Sprintf("[APPLICATION %d]", t.Number())
	case classPrivate:
		return fmt.Sprintf("[PRIVATE %d]", t.Number())
	}
	if int(t) < len(names) && names[t] != "" {
		return names[t]
	}
	return fmt.Sprintf("[UNIVERSAL %d]", t.Number())
}

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

// maxDepth bounds what is read from memory, where no Limits are given.
const maxDepth = 32

func (l Limits) withDefaults() Limits {
	if l.Bytes <= 0 {
		l.Bytes = 4 << 30
	}
	if l.Depth <= 0 {
		l.Depth = maxDepth
	}
	if l.Elements <= 0 {
		l.Elements = 10_000_000
	}
	return l
}

// A SyntaxError says where the encoding is wrong. Where the input ended too
// early it wraps io.ErrUnexpectedEOF.
type SyntaxError struct {
	Offset int64
	Reason string
	err    error
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("ber: offset %d: %s", e.Offset, e.Reason) }
func (e *SyntaxError) Unwrap() error { return e.err }

// A LimitError says which of the Limits was reached.
type LimitError struct {
	Offset int64
	Limit  string // "bytes", "depth" or "elements"
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("ber: offset %d: limit of %s", e.Offset, e.Limit)
}

// misuse is the error of calls in the wrong order.
type misuse string

func (e misuse) Error() string { return "ber: " + string(e) }

// What parseHeader found wrong; empty: nothing, and short: too few octets yet.
const (
	short         = "truncated header"
	badTag        = "tag number not in its shortest form"
	bigTag        = "tag number above 2^30-1"
	badLength     = "reserved length octet"
	primitiveOpen = "primitive element of indefinite length"
)

// parseHeader reads the header that b begins with. A length above 2^63-1 is
// given as 2^63-1, which no limit allows either.
func parseHeader(b []byte) (e Element, fault string) {
	if len(b) < 2 {
		return e, short
	}
	e.Tag = Tag(b[0]>>6)<<30 | Tag(b[0]&0x1f)
	e.Constructed = b[0]&0x20 != 0
	n := 1
	if b[0]&0x1f == 0x1f {
		if e.Tag, n, fault = parseLongTag(b); fault != "" {
			return e, fault
		}
		if n == len(b) {
			return e, short
		}
	}
	l := b[n]
	n++
	if l < 0x80 {
		e.Length, e.HeaderLen = int64(l), n
		return e, ""
	}
	if l == 0x80 {
		e.Length, e.HeaderLen = -1, n
		if !e.Constructed {
			return e, primitiveOpen // X.690 clause 8.1.3.2
		}
		return e, ""
	}
	if l == 0xff { // X.690 clause 8.1.3.5 c
		return e, badLength
	}
	end := n + int(l&0x7f)
	for ; n < min(end, len(b)); n++ {
		if e.Length > math.MaxInt64>>8 {
			e.Length = math.MaxInt64
			continue
		}
		e.Length = e.Length<<8 | int64(b[n])
	}
	if len(b) < end {
		return e, short
	}
	e.HeaderLen = end
	return e, ""
}

// parseLongTag reads identifier octets of the form of X.690 clause 8.1.2.4.
func parseLongTag(b []byte) (t Tag, n int, fault string) {
	for i := 1; i < len(b); i++ {
		c := b[i]
		if i == 1 && c == 0x80 {
			return 0, 0, badTag
		}
		if t > (1<<30-1)>>7 {
			return 0, 0, bigTag
		}
		t = t<<7 | Tag(c&0x7f)
		if c&0x80 == 0 {
			if t < 0x1f {
				return 0, 0, badTag
			}
			return Tag(b[0]>>6)<<30 | t, i + 1, ""
		}
	}
	return 0, 0, short
}
