package smime

import "io"

// A wholeWriter is the writer of a caller that may break the contract of
// io.Writer: what it does not take is an error, so that no part is missing
// silently.
type wholeWriter struct{ w io.Writer }

func (o wholeWriter) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	switch {
	case n < 0 || n > len(p):
		return 0, io.ErrShortWrite
	case n < len(p) && err == nil:
		err = io.ErrShortWrite
	}
	return n, err
}
