package pkcs7

import "io"

const (
	smallChunk = 8 << 10
	largeChunk = 256 << 10
	maxWhole   = 1 << 20 // of a content that is held instead of read again
	// aheadFrom is how much of a stream is read before a goroutine reads on
	// while what was read is worked on.
	aheadFrom = 2 << 20
	aheadBufs = 3
)

// A chunker reads a stream in chunks: small ones for small messages, which are
// most, and large ones for the rest of large messages.
type chunker struct {
	stream io.Reader
	ahead  bool   // a goroutine may read ahead
	whole  []byte // all that there is to read, instead of a stream
	buf    []byte
	read   int64
	last   bool
	full   chan chunk  // from the goroutine, which closes it
	free   chan []byte // to it, closed to end it
}

// A steadyReader reads a source of the caller's as [readSome] does.
type steadyReader struct{ r io.Reader }

func (s steadyReader) Read(p []byte) (int, error) { return readSome(s.r, p) }

// readSome is Read of a source that may break the contract of io.Reader: one
// that claims to have read more than there is room for, or never gets on, fails.
func readSome(r io.Reader, p []byte) (int, error) {
	for range 100 {
		n, err := r.Read(p)
		if n < 0 || n > len(p) {
			return 0, errCount
		}
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
	}
	return 0, io.ErrNoProgress
}

// writeWhole is Write to a destination that may break the contract of io.Writer:
// one that takes less, or claims to take more, and says nothing fails.
func writeWhole(w io.Writer, p []byte) (int, error) {
	n, err := w.Write(p)
	if n < 0 || n > len(p) {
		n = 0
	}
	if err == nil && n != len(p) {
		err = io.ErrShortWrite
	}
	return n, err
}

type chunk struct {
	b    []byte
	last bool
	err  error
}

// reset begins with another stream. ahead says that a goroutine may read it,
// which must not be if the stream can block after the caller has lost interest.
func (c *chunker) reset(stream io.Reader, ahead bool) {
	c.stop()
	// The last chunk read ahead may have been an empty one.
	*c = chunker{stream: stream, ahead: ahead, buf: c.buf[:cap(c.buf)]}
	if w, ok := stream.(*wholeReader); ok {
		c.whole, c.stream = w.b, nil
	}
}

// A wholeReader is a stream that is in memory. It is never read.
type wholeReader struct{ b []byte }

func (*wholeReader) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// readWhole reads a stream to its end if that comes within maxWhole octets.
// length is what it is said to have, or -1. Memory is taken only as octets come.
func readWhole(stream io.Reader, length int64) chunk {
	all := readChunk(stream, make([]byte, firstSize(length)))
	for all.err == nil && !all.last && length <= maxWhole && len(all.b) <= maxWhole {
		n := len(all.b)
		b := make([]byte, min(16*n, maxWhole+1))
		copy(b, all.b)
		more := readChunk(stream, b[n:])
		all = chunk{b: b[:n+len(more.b)], last: more.last, err: more.err}
	}
	return all
}

// firstSize returns how large the buffer for the first chunk is to be, if the
// stream is said to have that length.
func firstSize(length int64) int {
	if length < 0 || length >= smallChunk {
		return smallChunk
	}
	return int(length) + 1 // to see the end
}

// next returns the next octets of the stream; last tells its end. They are good
// until the next call.
func (c *chunker) next() (b []byte, last bool, err error) {
	if c.last {
		return nil, true, nil
	}
	var got chunk
	switch {
	case c.stream == nil:
		n := min(len(c.whole), largeChunk)
		got = chunk{b: c.whole[:n], last: n == len(c.whole)}
		c.whole = c.whole[n:]
	case c.full != nil:
		c.free <- c.buf
		got = <-c.full
		c.buf = got.b
	case c.ahead && c.read >= aheadFrom:
		c.start()
		got = <-c.full
		c.buf = got.b
	default:
		if c.buf == nil {
			c.buf = make([]byte, smallChunk)
		} else if c.read > 0 && len(c.buf) < largeChunk {
			c.buf = make([]byte, largeChunk)
		}
		got = readChunk(c.stream, c.buf)
	}
	c.read += int64(len(got.b))
	c.last = got.last
	return got.b, got.last, got.err
}

// readChunk fills b unless the stream ends.
func readChunk(stream io.Reader, b []byte) chunk {
	n := 0
	for n < len(b) {
		m, err := stream.Read(b[n:])
		n += m
		if err == io.EOF {
			return chunk{b: b[:n], last: true}
		}
		if err != nil {
			return chunk{b: b[:0], err: err}
		}
	}
	return chunk{b: b}
}

func (c *chunker) start() {
	c.free = make(chan []byte, aheadBufs)
	c.full = make(chan chunk, aheadBufs)
	for range aheadBufs - 1 {
		c.free <- make([]byte, largeChunk)
	}
	c.free <- c.buf
	go func(stream io.Reader, free <-chan []byte, full chan<- chunk) {
		defer close(full)
		for b := range free {
			got := readChunk(stream, b[:cap(b)])
			full <- got
			if got.last || got.err != nil {
				return
			}
		}
	}(c.stream, c.free, c.full)
}

// stop waits until the stream is not used any more.
func (c *chunker) stop() {
	if c.full == nil {
		return
	}
	close(c.free)
	for range c.full {
	}
	c.full, c.free = nil, nil
}
