// Package stream has the plumbing between readers and writers: those that end
// with a context, those that distrust the reader or writer of a caller, and
// those that work in the background. It knows no format.
package stream

// An Error is a failure that this package finds.
type Error string

const (
	ErrCount    Error = "stream: invalid count from Read of a source"
	ErrClosed   Error = "stream: write after Close"
	ErrNoRewind Error = "stream: the input can't be read again"
)

func (e Error) Error() string { return string(e) }
