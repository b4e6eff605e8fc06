package pkcs12

import (
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
)

// A Problem is why a file can't be read or written. It is an error and a
// constant.
type Problem uint8

const (
	_              Problem = iota
	ErrMalformed           // the input is not as RFC 7292 has it
	ErrPassword            // the password is wrong or the file was changed
	ErrLimit               // the file asks for more work or memory than is allowed
	ErrUnsupported         // an algorithm or structure that is not implemented
	ErrWeak                // a key or parameter below the floor
)

var problemText = [...]string{ErrMalformed: "malformed", ErrPassword: "wrong password or changed file", ErrLimit: "limit reached",
	ErrUnsupported: "unsupported", ErrWeak: "weak"}

// Error returns the text of p.
func (p Problem) Error() string {
	if int(p) < len(problemText) && problemText[p] != "" {
		return problemText[p]
	}
	return fmt.Sprintf("problem %d", uint8(p))
}

func malformed(what string) error { return fmt.Errorf("%s: %w", what, ErrMalformed) }

// classify returns err, which another package returned for what, with the
// Problem that it amounts to.
func classify(what string, err error) error {
	p := ErrMalformed
	var limit *ber.LimitError
	switch {
	case errors.As(err, &limit):
		p = ErrLimit
	case errors.Is(err, alg.ErrUnsupported):
		p = ErrUnsupported
	case errors.Is(err, alg.ErrWeak):
		p = ErrWeak
	}
	return &classified{what, p, err}
}

// A classified error has the text of err, which names the fact already.
type classified struct {
	what    string
	problem Problem
	err     error
}

func (e *classified) Error() string   { return e.what + ": " + e.err.Error() }
func (e *classified) Unwrap() []error { return []error{e.problem, e.err} }
