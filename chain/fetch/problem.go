package fetch

import (
	"fmt"

	"github.com/gosmime/gosmime/internal/quoted"
)

// A Problem says why nothing was fetched or an answer was refused. It is an
// error and a constant.
type Problem uint8

const (
	_           Problem = iota
	ErrURL              // too long, not http or https, no host, a user name, or a port that is not allowed
	ErrAddress          // the host has no public address
	ErrRedirect         // too many redirects
	ErrStatus           // an HTTP status other than 200
	ErrTooLarge         // more than MaxBytes
	ErrContent          // not what was asked for
)

var problemText = [...]string{
	ErrURL: "URL not allowed", ErrAddress: "address not public", ErrRedirect: "too many redirects",
	ErrStatus: "HTTP status", ErrTooLarge: "answer too large", ErrContent: "answer is not what was asked for",
}

func (p Problem) Error() string {
	if int(p) < len(problemText) && problemText[p] != "" {
		return "fetch: " + problemText[p]
	}
	return fmt.Sprintf("fetch: problem %d", uint8(p))
}

// problem returns p with a detail.
func problem(p Problem, format string, args ...any) error {
	return fmt.Errorf("%w: %s", p, fmt.Sprintf(format, args...))
}

// quote makes text from input fit to be printed.
func quote(s string) string { return quoted.Text(s) }
