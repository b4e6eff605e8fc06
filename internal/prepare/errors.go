// Package prepare reads a message that is to be sent as S/MIME and writes it in
// the form that RFC 8551 section 3.1 demands: with lines that end in CR LF and,
// where a transport could change something, encoded so that it cannot. It knows
// nothing of signatures and encryption.
package prepare

import (
	"errors"

	"github.com/gosmime/gosmime/internal/quoted"
)

// A Problem is the kind of an [Error].
type Problem uint8

const (
	BadHeader Problem = iota // a header field can't be sent as it is
	Unsafe                   // a part would not survive mail transport and can't be encoded
	Malformed                // the message can't be read
)

// An Error says why a message can't be sent.
type Error struct {
	Problem Problem
	Detail  string // quoted where it is text of the message
	Err     error  // may be nil
}

func (e *Error) Error() string {
	if e.Err == nil {
		return e.Detail
	}
	return e.Detail + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// headerError is the error of a header field.
func headerError(name, detail string) error {
	return &Error{Problem: BadHeader, Detail: quoted.Text(name) + ": " + detail}
}

// isUnsafe reports whether err is that of a part that can't be made safe.
func isUnsafe(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && e.Problem == Unsafe
}
