package stream

import "io"

const (
	// backgroundFrom is how much is written before a goroutine is worth its start.
	backgroundFrom = 512 << 10
	backgroundBufs = 3
)

// A BackgroundWriter writes on another goroutine once there is much to write,
// so that what comes before it and what comes after can work at the same time.
// Short writes are gathered. Close must be called: it waits for the goroutine
// and returns the first error of the writer below.
type BackgroundWriter struct {
	w          io.Writer
	total      int64
	piece      []byte // being filled
	free, full chan []byte
	failed     chan error // has the error of the goroutine
	err        error
}

// NewBackgroundWriter returns a writer that writes to w.
func NewBackgroundWriter(w io.Writer) *BackgroundWriter { return &BackgroundWriter{w: w} }

func (b *BackgroundWriter) Write(p []byte) (int, error) {
	if b.err != nil {
		return 0, b.err
	}
	if b.full == nil {
		if b.total += int64(len(p)); b.total < backgroundFrom {
			var n int
			n, b.err = b.w.Write(p)
			return n, b.err
		}
		b.start()
	}
	for rest := p; len(rest) > 0; {
		if b.piece == nil {
			select {
			case b.err = <-b.failed:
				return 0, b.err
			case buf := <-b.free:
				b.piece = buf[:0]
			}
		}
		n := min(len(rest), LargeChunk-len(b.piece))
		b.piece = append(b.piece, rest[:n]...)
		rest = rest[n:]
		if len(b.piece) == LargeChunk {
			b.full <- b.piece // there is room for all buffers
			b.piece = nil
		}
	}
	return len(p), nil
}

func (b *BackgroundWriter) start() {
	b.free, b.full = make(chan []byte, backgroundBufs), make(chan []byte, backgroundBufs)
	b.failed = make(chan error, 1)
	for range backgroundBufs {
		b.free <- getBuffer()
	}
	go func(w io.Writer, free chan<- []byte, full <-chan []byte, failed chan<- error) {
		for p := range full {
			if _, err := w.Write(p); err != nil {
				failed <- err
				return
			}
			free <- p
		}
		failed <- nil
	}(b.w, b.free, b.full, b.failed)
}

// Close waits until all is written. It does not close the writer below.
func (b *BackgroundWriter) Close() error {
	if b.full == nil {
		if b.err == ErrClosed {
			return nil
		}
		return b.err
	}
	if b.err == nil && len(b.piece) > 0 {
		b.full <- b.piece
	}
	close(b.full)
	b.full, b.piece = nil, nil
	if b.err == nil {
		b.err = <-b.failed
	}
	for len(b.free) > 0 {
		putBuffer(<-b.free, LargeChunk)
	}
	if b.err == nil {
		b.err = ErrClosed
		return nil
	}
	return b.err
}
