package stream

import "io"

// ReadSome calls Read of a source that may break the contract of io.Reader: a
// source that claims to have read more than there is room for fails, and so does
// one that returns neither octets nor an error many times.
func ReadSome(r io.Reader, p []byte) (int, error) {
	for range 100 {
		n, err := r.Read(p)
		if n < 0 || n > len(p) {
			return 0, ErrCount
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// A SteadyReader reads a source as [ReadSome] does.
type SteadyReader struct{ R io.Reader }

func (s SteadyReader) Read(p []byte) (int, error) { return ReadSome(s.R, p) }

// WriteFull calls Write of a destination that may break the contract of
// io.Writer: one that takes less than p, or claims to have taken more, without
// an error fails, so that no part of the output is missing silently.
func WriteFull(w io.Writer, p []byte) (int, error) {
	n, err := w.Write(p)
	if n < 0 || n > len(p) {
		n = 0
	}
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

// A FullWriter writes to a destination as [WriteFull] does.
type FullWriter struct{ W io.Writer }

func (f FullWriter) Write(p []byte) (int, error) { return WriteFull(f.W, p) }
