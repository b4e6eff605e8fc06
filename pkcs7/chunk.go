package pkcs7

import "io"

const (
	smallChunk = 8 << 10
	largeChunk = 256 << 10
)

// A chunker reads streams in chunks: small ones for small messages, which are
// most, and large ones for the rest of large messages.
type chunker struct{ buf []byte }

// next returns the next octets of stream, fewer than the buffer holds only at
// its end, which last tells. They are good until the next call.
func (c *chunker) next(stream io.Reader) (chunk []byte, last bool, err error) {
	if c.buf == nil {
		c.buf = make([]byte, smallChunk)
	}
	n := 0
	for n < len(c.buf) {
		m, err := stream.Read(c.buf[n:])
		n += m
		if err == io.EOF {
			return c.buf[:n], true, nil
		}
		if err != nil {
			return nil, false, err
		}
	}
	chunk = c.buf
	if len(c.buf) < largeChunk {
		c.buf = make([]byte, largeChunk)
	}
	return chunk, false, nil
}
