package ber

import "io"

const (
	smallBuffer = 4 << 10
	largeBuffer = 64 << 10
	// growth is how much memory is taken at once for octets not yet seen.
	growth = 64 << 10
)

// input is a buffer before a stream that counts what was consumed. Its errors
// are those of the stream; what it could not read is io.EOF.
type input struct {
	src   io.Reader
	buf   []byte
	start int
	stop  int
	off   int64 // consumed
	err   error // of src, due when the buffer is empty
}

func (in *input) buffered() []byte { return in.buf[in.start:in.stop] }

func (in *input) skip(n int) {
	in.start += n
	in.off += int64(n)
}

// peek returns at least n buffered octets, or what there is with an error.
// n must not be above smallBuffer.
func (in *input) peek(n int) ([]byte, error) {
	for in.stop-in.start < n {
		if err := in.fill(); err != nil {
			return in.buffered(), err
		}
	}
	return in.buffered(), nil
}

// fill reads once into the buffer, of which at least one octet is free after
// it was moved to the front.
func (in *input) fill() error {
	if in.err != nil {
		return in.err
	}
	if in.buf == nil {
		in.buf = make([]byte, smallBuffer)
	}
	if in.start > 0 {
		in.stop = copy(in.buf, in.buf[in.start:in.stop])
		in.start = 0
	}
	n, err := in.readSource(in.buf[in.stop:])
	in.stop += n
	return err
}

// enlarge makes the buffer fit for many small segments.
func (in *input) enlarge() {
	if len(in.buf) < largeBuffer {
		b := make([]byte, largeBuffer)
		in.stop = copy(b, in.buffered())
		in.start, in.buf = 0, b
	}
}

// readSource returns octets or an error, not both: the error waits in in.err.
func (in *input) readSource(p []byte) (int, error) {
	if in.err != nil {
		return 0, in.err
	}
	for range 100 {
		n, err := in.src.Read(p)
		if n < 0 || n > len(p) {
			n, err = 0, misuse("invalid count from Read")
		}
		in.err = err
		if n > 0 {
			return n, nil
		}
		if err != nil {
			return 0, err
		}
	}
	in.err = io.ErrNoProgress
	return 0, in.err
}

// read consumes at least one octet into p, straight from the source where p is
// large and nothing is buffered.
func (in *input) read(p []byte) (int, error) {
	if in.start == in.stop {
		if len(p) >= smallBuffer && len(p) >= len(in.buf) {
			n, err := in.readSource(p)
			in.off += int64(n)
			return n, err
		}
		if err := in.fill(); err != nil {
			return 0, err
		}
	}
	n := copy(p, in.buffered())
	in.skip(n)
	return n, nil
}

// appendTo consumes n octets and appends them to b.
func (in *input) appendTo(b []byte, n int64) ([]byte, error) {
	if n == 0 {
		return b, nil
	}
	if room := min(n, growth); int64(cap(b)-len(b)) < room {
		b = append(make([]byte, 0, max(int64(2*cap(b)), int64(len(b))+room)), b...)
	}
	for n > 0 {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(2*int64(cap(b)), int64(len(b))+n))
			copy(grown, b)
			b = grown
		}
		m, err := in.read(b[len(b) : len(b)+int(min(n, int64(cap(b)-len(b))))])
		if err != nil {
			return b, err
		}
		b = b[:len(b)+m]
		n -= int64(m)
	}
	return b, nil
}

// discard consumes n octets.
func (in *input) discard(n int64) error {
	if n > largeBuffer {
		in.enlarge()
	}
	for n > 0 {
		if in.start == in.stop {
			if err := in.fill(); err != nil {
				return err
			}
		}
		m := min(n, int64(in.stop-in.start))
		in.skip(int(m))
		n -= m
	}
	return nil
}
