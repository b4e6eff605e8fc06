package sst

import (
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/internal/quoted"
)

// A Problem says what is wrong with a store or trust list. It is an error and a
// constant: errors.Is finds it in an [*Error].
type Problem uint8

// The problems. With ReadOptions.Lenient those from ErrEndMarker to
// ErrPropertyID are warnings; ErrMismatch is never more than that.
const (
	_             Problem = iota
	ErrNotStore           // no header of a serialized store
	ErrVersion            // a version of the format other than 0
	ErrTruncated          // the file ends inside a record
	ErrEncoding           // an encoding type other than 1
	ErrNotDER             // a certificate, CRL or CTL that is not one DER SEQUENCE of the length given
	ErrNoContext          // a single element without certificate, CRL or CTL
	ErrEndMarker          // no end marker, or one that is not zero
	ErrTrailing           // data after the end
	ErrDangling           // properties that belong to no certificate
	ErrPropertyID         // a property identifier above 0xffff, or one that is reserved
	ErrProperty           // a property whose value is not as its identifier has it
	ErrMismatch           // a hash that is not the one of the certificate
	ErrTrustList          // not a certificate trust list
	ErrFormat             // none of the formats of ReadAny
	ErrLimit              // a limit of ReadOptions was reached
)

func (p Problem) Error() string {
	texts := [...]string{
		ErrNotStore: "not a serialized store", ErrVersion: "unsupported version", ErrTruncated: "truncated",
		ErrEncoding: "encoding type is not 1", ErrNotDER: "not one DER element of the given length",
		ErrNoContext: "no certificate, CRL or CTL", ErrEndMarker: "bad end marker", ErrTrailing: "data after the end",
		ErrDangling: "properties without a certificate", ErrPropertyID: "bad property identifier",
		ErrProperty: "bad property value", ErrMismatch: "hash does not match", ErrTrustList: "not a certificate trust list",
		ErrFormat: "unknown format", ErrLimit: "limit reached",
	}
	if int(p) < len(texts) && texts[p] != "" {
		return "sst: " + texts[p]
	}
	return fmt.Sprintf("sst: problem %d", uint8(p))
}

// An Error says where and why a file is not a serialized store. It unwraps to
// its Problem, and to the error behind it if there is one.
type Error struct {
	Problem  Problem
	Offset   int64      // of the record, or of what is wrong outside of one
	Element  int        // index in Store.Elements; -1: none
	Property PropertyID // 0: none
	Reason   string
	err      error
}

func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "sst: offset %d", e.Offset)
	if e.Element >= 0 {
		fmt.Fprintf(&b, ", element %d", e.Element)
	}
	if e.Property != 0 {
		fmt.Fprintf(&b, ", property %v", e.Property)
	}
	b.WriteString(": " + e.Reason)
	if e.err != nil {
		fmt.Fprintf(&b, ": %v", e.err)
	}
	return b.String()
}

func (e *Error) Unwrap() []error {
	if e.err != nil {
		return []error{e.Problem, e.err}
	}
	return []error{e.Problem}
}

// quote makes text of the input fit for an error or a terminal.
func quote(s string) string { return quoted.Text(s) }
