package spool

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"sync"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/stream"
)

// A Replay reads a stream that can be read a second time: again from the
// source if that is an io.Seeker whose Seek(0, io.SeekCurrent) succeeds, else
// from a Spool. Pass 1 keeps a keyed 16-byte MAC of each 256 KiB chunk of a
// seekable source and pass 2 compares before it hands a chunk out.
//
// A seekable source of at most one chunk is kept as it is.
type Replay struct {
	src    io.Reader
	spool  *Spool // nil: the source is read again
	size   int64
	chunk  []byte // what was read of the current chunk
	macs   [][macSize]byte
	aead   cipher.AEAD // from the first full chunk on
	source source
	ended  bool
	err    error
}

const macSize = 16

// NewReplay returns a Replay of r from its current offset.
func NewReplay(r io.Reader, b *budget.Budget, dir string) *Replay {
	p := &Replay{src: r}
	if again := stream.NewRewind(r); again != nil {
		at, _ := r.(io.ReaderAt)
		p.source = source{r: r, seeker: r.(io.Seeker), at: at, base: again.Start(), pos: -1}
		return p
	}
	p.spool = New(b, dir)
	return p
}

// Read reads in the first pass, no further than it returns.
func (p *Replay) Read(b []byte) (int, error) {
	switch {
	case p.err != nil:
		return 0, p.err
	case p.ended:
		return 0, errEnded
	case p.spool == nil:
		b = b[:min(len(b), largeChunk-len(p.chunk))]
	}
	n, err := p.src.Read(b)
	if n < 0 || n > len(b) {
		n, err = 0, fs.ErrInvalid
	}
	p.size += int64(n)
	if e := p.keep(b[:n]); e != nil {
		p.err = e
		return 0, e
	}
	return n, err
}

// keep notes what was read.
func (p *Replay) keep(b []byte) error {
	if p.spool != nil {
		_, err := p.spool.Write(b)
		return err
	}
	if len(b) < largeChunk {
		p.chunk = append(p.chunk, b...)
		b = p.chunk
	}
	if len(b) < largeChunk {
		return nil
	}
	p.chunk = p.chunk[:0]
	return p.authenticate(b)
}

// authenticate appends the MAC of the next chunk.
func (p *Replay) authenticate(chunk []byte) error {
	if p.aead == nil {
		key := make([]byte, 16)
		_, _ = rand.Read(key) // never fails
		block, err := aes.NewCipher(key)
		clear(key)
		if err != nil {
			return err
		}
		if p.aead, err = cipher.NewGCM(block); err != nil {
			return err
		}
	}
	p.macs = append(p.macs, mac(p.aead, len(p.macs), chunk))
	return nil
}

// mac is AES-GMAC with the number of the chunk as nonce. A number is used again
// only to compare, and nobody else sees the result.
func mac(aead cipher.AEAD, i int, chunk []byte) (m [macSize]byte) {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], uint64(i))
	aead.Seal(m[:0], nonce[:], nil, chunk)
	return m
}

// end ends the first pass.
func (p *Replay) end() error {
	if p.err != nil || p.ended {
		return p.err
	}
	p.ended = true
	if p.spool == nil && len(p.macs) > 0 && len(p.chunk) > 0 {
		p.err = p.authenticate(p.chunk)
		p.chunk = nil
	}
	return p.err
}

// Again ends the first pass at what was read until now and returns a reader of the
// same octets from the first, which fails with [ErrChanged] before it returns
// any octet of a chunk that changed.
// It may be called again for a further pass. The reader is an io.WriterTo.
func (p *Replay) Again() (io.Reader, error) {
	at, size, err := p.ReaderAt()
	if err != nil {
		return nil, err
	}
	if b, ok := at.(*bytes.Reader); ok {
		return b, nil
	}
	return &pass{at: at, size: size}, nil
}

// ReaderAt ends the first pass and returns random access to what was read, with its size.
func (p *Replay) ReaderAt() (io.ReaderAt, int64, error) {
	if err := p.end(); err != nil {
		return nil, 0, err
	}
	if p.spool != nil {
		return p.spool, p.size, nil
	}
	if len(p.macs) == 0 {
		return bytes.NewReader(p.chunk), p.size, nil
	}
	return &verified{p: p}, p.size, nil
}

// Close frees the spool. The source is left alone, at any offset.
func (p *Replay) Close() error {
	p.ended, p.err = true, fs.ErrClosed
	p.chunk, p.macs = nil, nil
	if p.spool != nil {
		return p.spool.Close()
	}
	return nil
}

// A source is what can be read again.
type source struct {
	mu     sync.Mutex
	r      io.Reader
	seeker io.Seeker
	at     io.ReaderAt // may be nil
	base   int64
	pos    int64 // of r after the first pass; -1: not known
}

// read fills b from an offset after the base.
func (s *source) read(b []byte, off int64) error {
	if s.at != nil {
		n, err := s.at.ReadAt(b, s.base+off)
		if n == len(b) {
			return nil
		}
		return changed(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pos != off {
		s.pos = -1
		if _, err := s.seeker.Seek(s.base+off, io.SeekStart); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	s.pos = -1
	if _, err := io.ReadFull(s.r, b); err != nil {
		return changed(err)
	}
	s.pos = off + int64(len(b))
	return nil
}

// changed is the error of a source that has less to give than it had.
func changed(err error) error {
	if err == nil || err == io.EOF || err == io.ErrUnexpectedEOF {
		return ErrChanged
	}
	return fmt.Errorf("spool: %w", err)
}

// verified reads a source again and compares each chunk before it gives any of it.
type verified struct {
	p     *Replay
	mu    sync.Mutex
	chunk []byte
	have  int // number of the chunk + 1
}

func (v *verified) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	done := 0
	for done < len(b) {
		if off >= v.p.size {
			return done, io.EOF
		}
		i := int(off / largeChunk)
		if err := v.load(i); err != nil {
			return done, err
		}
		n := copy(b[done:], v.chunk[off-int64(i)*largeChunk:])
		done += n
		off += int64(n)
	}
	return done, nil
}

// next returns the verified chunk that begins at an offset.
func (v *verified) next(off int64) ([]byte, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.load(int(off / largeChunk))
	return v.chunk, err
}

func (v *verified) load(i int) error {
	if v.p.err != nil {
		return v.p.err
	}
	if v.have == i+1 {
		return nil
	}
	v.have = 0
	if v.chunk == nil {
		v.chunk = make([]byte, 0, largeChunk)
	}
	off := int64(i) * largeChunk
	chunk := v.chunk[:min(largeChunk, v.p.size-off)]
	if err := v.p.source.read(chunk, off); err != nil {
		return err
	}
	// The MAC never leaves the process: no time is to be hidden.
	if mac(v.p.aead, i, chunk) != v.p.macs[i] {
		return ErrChanged
	}
	v.chunk, v.have = chunk, i+1
	return nil
}

// A pass reads from the first octet to the last.
type pass struct {
	at   io.ReaderAt
	size int64
	off  int64
}

func (s *pass) Read(b []byte) (int, error) {
	if s.off == s.size {
		return 0, io.EOF
	}
	n, err := s.at.ReadAt(b[:min(int64(len(b)), s.size-s.off)], s.off)
	s.off += int64(n)
	if n > 0 {
		err = nil // it comes again
	}
	return n, err
}

// WriteTo writes what is left to w, in large chunks.
func (s *pass) WriteTo(w io.Writer) (int64, error) {
	start := s.off
	if sp, ok := s.at.(*Spool); ok && s.off == 0 {
		n, err := sp.WriteTo(w)
		s.off += n
		return n, err
	}
	v, ok := s.at.(*verified)
	if !ok {
		return stream.Copy(w, s)
	}
	for s.off < s.size {
		b, err := v.next(s.off)
		if err != nil {
			return s.off - start, err
		}
		n, err := write(w, b[s.off%largeChunk:])
		if s.off += n; err != nil {
			return s.off - start, err
		}
	}
	return s.off - start, nil
}
