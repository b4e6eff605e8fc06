package stream

import "io"

const (
	// SmallChunk is how much of a stream is read at first.
	SmallChunk = 8 << 10
	// MaxHeld is the longest stream that [ReadHeld] holds.
	MaxHeld = 1 << 20
	// AheadFrom is how much of a stream is read before a goroutine reads on
	// while what was read is worked on.
	AheadFrom = 2 << 20
	aheadBufs = 3
)

// A Chunker reads a stream in chunks: small ones for small messages, which are
// most, and large ones for the rest of large messages. The zero Chunker has
// nothing to read.
type Chunker struct {
	stream io.Reader
	ahead  bool   // a goroutine may read ahead
	held   []byte // all that there is to read, instead of a stream
	buf    []byte
	read   int64
	last   bool
	err    error
	full   chan chunk  // from the goroutine, which closes it
	free   chan []byte // to it, closed to end it
}

type chunk struct {
	b    []byte
	last bool
	err  error
}

// Expect makes the first buffer no larger than a stream of that length needs,
// if it is not -1. It must be called before any octet is read.
func (c *Chunker) Expect(length int64) { c.buf = make([]byte, firstSize(length)) }

// Reset begins with another stream. ahead allows a goroutine to read it: do not
// set it for a stream whose Read may block after the caller has returned.
func (c *Chunker) Reset(stream io.Reader, ahead bool) {
	c.Stop()
	// The last chunk read ahead may have been an empty one.
	*c = Chunker{stream: stream, ahead: ahead, buf: c.buf[:cap(c.buf)]}
	if h, ok := stream.(*HeldReader); ok {
		c.held, c.stream = h.B, nil
	}
}

// Size returns the length of the buffer: no chunk until now was longer.
func (c *Chunker) Size() int { return len(c.buf) }

// Next returns the next octets of the stream; last reports that it ended. The
// octets are valid until the next call of any method. An error is final.
func (c *Chunker) Next() (b []byte, last bool, err error) {
	if c.last || c.err != nil {
		return nil, c.last, c.err
	}
	var got chunk
	switch {
	case c.stream == nil:
		n := min(len(c.held), LargeChunk)
		got = chunk{b: c.held[:n], last: n == len(c.held)}
		c.held = c.held[n:]
	case c.full != nil:
		c.free <- c.buf
		got = <-c.full
		c.buf = got.b
	case c.ahead && c.read >= AheadFrom:
		c.start()
		got = <-c.full
		c.buf = got.b
	default:
		if c.buf == nil {
			c.buf = make([]byte, SmallChunk)
		} else if c.read > 0 && len(c.buf) < LargeChunk {
			c.buf = getBuffer()
		}
		got = readChunk(c.stream, c.buf)
	}
	c.read += int64(len(got.b))
	c.last, c.err = got.last, got.err
	return got.b, got.last, got.err
}

func (c *Chunker) start() {
	c.free = make(chan []byte, aheadBufs)
	c.full = make(chan chunk, aheadBufs)
	for range aheadBufs - 1 {
		c.free <- getBuffer()
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

// Stop waits until the stream is not used any more. What Next returned last
// stays valid.
func (c *Chunker) Stop() {
	if c.full == nil {
		return
	}
	close(c.free)
	for got := range c.full {
		putBuffer(got.b, LargeChunk)
	}
	for b := range c.free {
		putBuffer(b, LargeChunk)
	}
	c.full, c.free = nil, nil
}

// Close is Stop and frees the buffer: what Next returned last is cleared.
func (c *Chunker) Close() {
	c.Stop()
	clear(c.buf[:cap(c.buf)])
	putBuffer(c.buf, 0)
	*c = Chunker{}
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

// A HeldReader is a stream that is in memory, for a [Chunker], which takes its
// octets without a copy. Read fails.
type HeldReader struct{ B []byte }

func (*HeldReader) Read([]byte) (int, error) { return 0, io.ErrNoProgress }

// ReadHeld reads a stream to its end if that comes within [MaxHeld] octets; last
// is false if there is more. length is what the stream is said to have, or -1.
// Memory is taken only as octets come.
func ReadHeld(stream io.Reader, length int64) (b []byte, last bool, err error) {
	all := readChunk(stream, make([]byte, firstSize(length)))
	for all.err == nil && !all.last && length <= MaxHeld && len(all.b) <= MaxHeld {
		n := len(all.b)
		b := make([]byte, min(16*n, MaxHeld+1))
		copy(b, all.b)
		more := readChunk(stream, b[n:])
		all = chunk{b: b[:n+len(more.b)], last: more.last, err: more.err}
	}
	return all.b, all.last, all.err
}

// firstSize returns how large the buffer for the first chunk is to be, if the
// stream is said to have that length.
func firstSize(length int64) int {
	if length < 0 || length >= SmallChunk {
		return SmallChunk
	}
	return int(length) + 1 // to see the end
}
