package smime

import "io"

// asyncFrom is how much is written before a goroutine is worth its start, and
// asyncPiece how much it gets at a time.
const (
	asyncFrom   = 1 << 20
	asyncPiece  = 256 << 10
	asyncPieces = 2
)

// An asyncWriter writes what is long in a goroutine, so that what comes before
// it and what comes after can work at the same time. Close must be called: it
// waits for the goroutine and returns the first error of w.
type asyncWriter struct {
	w          io.Writer
	total      int64
	free, full chan []byte
	failed     chan error // has the error of the goroutine
	err        error
}

func newAsyncWriter(w io.Writer) *asyncWriter { return &asyncWriter{w: w} }

func (a *asyncWriter) Write(p []byte) (int, error) {
	if a.err != nil {
		return 0, a.err
	}
	a.total += int64(len(p))
	if a.full == nil {
		if a.total < asyncFrom {
			var n int
			n, a.err = a.w.Write(p)
			return n, a.err
		}
		a.start()
	}
	for rest := p; len(rest) > 0; {
		select {
		case a.err = <-a.failed:
			return 0, a.err
		case b := <-a.free:
			n := copy(b[:cap(b)], rest)
			a.full <- b[:n]
			rest = rest[n:]
		}
	}
	return len(p), nil
}

func (a *asyncWriter) start() {
	a.free, a.full = make(chan []byte, asyncPieces), make(chan []byte, asyncPieces)
	a.failed = make(chan error, 1)
	for range asyncPieces {
		a.free <- make([]byte, asyncPiece)
	}
	go func(w io.Writer, free chan<- []byte, full <-chan []byte, failed chan<- error) {
		for b := range full {
			if _, err := w.Write(b); err != nil {
				failed <- err
				return
			}
			free <- b
		}
		failed <- nil
	}(a.w, a.free, a.full, a.failed)
}

// Close waits until all is written. It does not close the writer below.
func (a *asyncWriter) Close() error {
	if a.full == nil {
		return a.err
	}
	close(a.full)
	a.full = nil
	if a.err == nil {
		a.err = <-a.failed
	}
	if a.err == nil {
		a.err = errWritten
		return nil
	}
	return a.err
}

// errWritten is what writing to a closed asyncWriter gives.
const errWritten = constError("smime: write after the end")
