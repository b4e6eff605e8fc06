// Package spool holds what must be withheld until a verdict: in memory up to a
// limit, then in a temporary file, 0600, unlinked at once where the system can,
// encrypted under a key that dies with the process.
package spool

import (
	"io"

	"github.com/gosmime/gosmime/internal/budget"
)

// A Spool is written once, from start to end, and then read at any offset, also concurrently.
type Spool struct{}

// New returns an empty Spool. Memory and Disk of b bound it; with no Disk left nothing
// touches a disk. dir is where files go; empty: os.TempDir.
func New(b *budget.Budget, dir string) *Spool { panic("sketch") }

func (s *Spool) Write(p []byte) (int, error) { panic("sketch") }

// Size returns how much was written.
func (s *Spool) Size() int64 { panic("sketch") }

// ReadAt implements io.ReaderAt. A file that somebody changed is an error.
func (s *Spool) ReadAt(p []byte, off int64) (int, error) { panic("sketch") }

// WriteTo writes all of it to w, in large chunks.
func (s *Spool) WriteTo(w io.Writer) (int64, error) { panic("sketch") }

// Close frees memory and file. Reading then fails.
func (s *Spool) Close() error { panic("sketch") }

// A Replay reads a stream that can be read a second time: again from the
// source if that is an io.Seeker whose Seek(0, io.SeekCurrent) succeeds, else
// from a Spool. Pass 1 keeps a keyed 16-byte MAC of each 256 KiB chunk of a
// seekable source and pass 2 compares before it hands a chunk out.
type Replay struct{}

// NewReplay returns a Replay of r from its current offset.
func NewReplay(r io.Reader, b *budget.Budget, dir string) *Replay { panic("sketch") }

// Read reads in the first pass.
func (p *Replay) Read(b []byte) (int, error) { panic("sketch") }

// Again ends the first pass at what was read until now and returns a reader of the
// same octets from the first. It fails with an error if the source changed.
// It may be called again for a further pass.
func (p *Replay) Again() (io.Reader, error) { panic("sketch") }

// ReaderAt ends the first pass and returns random access to what was read, with its size.
func (p *Replay) ReaderAt() (io.ReaderAt, int64, error) { panic("sketch") }

// Close frees the spool. The source is left alone.
func (p *Replay) Close() error { panic("sketch") }
