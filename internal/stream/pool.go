package stream

import "sync"

// LargeChunk is how much of a long stream is handled at a time.
const LargeChunk = 256 << 10

// pool holds buffers of LargeChunk octets. It is the only package variable of
// the module that changes.
var pool = sync.Pool{New: func() any { return new([LargeChunk]byte) }}

// getBuffer returns a buffer of LargeChunk octets.
func getBuffer() []byte { return pool.Get().(*[LargeChunk]byte)[:] }

// putBuffer gives back a buffer of which the first used octets were written to.
// They may be plaintext, so they are cleared.
func putBuffer(b []byte, used int) {
	if cap(b) < LargeChunk {
		return
	}
	b = b[:LargeChunk]
	clear(b[:used])
	pool.Put((*[LargeChunk]byte)(b))
}
