// Package spool holds what must be withheld until a verdict: in memory up to a
// limit, then in a temporary file, 0600, unlinked at once where the system can,
// encrypted under a key that dies with the process.
package spool

import (
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/stream"
)

const (
	// blockSize is that of the pieces in memory and in the file.
	blockSize = 64 << 10
	// largeChunk is how much is handed on at once.
	largeChunk = 256 << 10
)

// An Error is a failure that this package finds.
type Error string

// ErrChanged says that a source or a temporary file is not what it was when it
// was read or written.
const ErrChanged Error = "spool: data changed between two readings"

const errEnded Error = "spool: the first pass has ended"

func (e Error) Error() string { return string(e) }

// A Spool is written once, from start to end, and then read at any offset, also concurrently.
//
// Beside what it takes of the budget it holds at most three blocks of 64 KiB, and
// no file before the first of them is full.
type Spool struct {
	budget *budget.Budget
	parent *budget.Budget // that budget was taken from, of a Spool made by Reserve
	dir    string
	blocks [][]byte // full
	tail   []byte   // the last block, not full; in memory also where blocks are in the file
	memory int64    // taken
	disk   int64    // taken
	size   int64
	spill  bool // memory has run out: further blocks go to the file
	err    error

	mu   sync.Mutex // for reading
	file *file      // holds the blocks after those in blocks
}

// New returns an empty Spool. Memory and Disk of b bound it; with no Disk left nothing
// touches a disk. dir is where files go; empty: os.TempDir.
func New(b *budget.Budget, dir string) *Spool { return &Spool{budget: b, dir: dir} }

// Reserve returns an empty Spool for at most size octets and takes the memory
// or disk for all of them from b at once, so that no later Write reaches a
// limit. It returns an [*budget.Exceeded] if there is not enough of either, or
// the error of the file. [Spool.Settle] and Close give back what was not used.
func Reserve(b *budget.Budget, dir string, size int64) (*Spool, error) {
	s := &Spool{parent: b, dir: dir}
	var want budget.Limits
	memory := (size + blockSize - 1) / blockSize * blockSize
	disk := max(size/blockSize, 1) * sealedSize
	err := b.Take(budget.Memory, memory)
	if err == nil {
		want[budget.Memory] = memory
	} else if !hasDisk || b.Left(budget.Disk) < sealedSize {
		return nil, err
	} else if err := b.Take(budget.Disk, disk); err != nil {
		return nil, err
	} else {
		want[budget.Disk], s.spill = disk, true
	}
	s.budget = budget.New(want)
	if s.spill {
		if s.file, err = newFile(dir); err != nil {
			s.Settle()
			return nil, err
		}
	}
	return s, nil
}

// Settle gives back what a Spool of [Reserve] did not use. It must be called
// after the last Write.
func (s *Spool) Settle() {
	if s.parent == nil {
		return
	}
	for _, r := range [...]budget.Resource{budget.Memory, budget.Disk} {
		left := s.budget.Left(r)
		if s.budget.Take(r, left) == nil {
			s.parent.Give(r, left)
		}
	}
	s.budget, s.parent = s.parent, nil
}

// Write appends p. An error is final: an [*budget.Exceeded] at a limit, else
// that of the file.
func (s *Spool) Write(p []byte) (int, error) {
	done := 0
	for done < len(p) && s.err == nil {
		n := min(len(p)-done, blockSize-len(s.tail))
		piece := p[done : done+n]
		if s.file != nil && n == blockSize {
			s.err = s.flush(piece)
		} else if s.err = s.reserve(len(s.tail) + n); s.err == nil {
			s.tail = append(s.tail, piece...)
			if len(s.tail) == blockSize {
				s.err = s.flush(s.tail)
			}
		}
		if s.err == nil {
			done += n
			s.size += int64(n)
		}
	}
	return done, s.err
}

// reserve makes room for n octets in the tail.
func (s *Spool) reserve(n int) error {
	if n <= cap(s.tail) {
		return nil
	}
	c := max(2*cap(s.tail), n, 512)
	if c > blockSize/2 {
		c = blockSize
	}
	if !s.spill {
		more := int64(c - cap(s.tail))
		if err := s.budget.Take(budget.Memory, more); err == nil {
			s.memory += more
		} else if hasDisk && s.budget.Left(budget.Disk) >= sealedSize {
			s.spill = true
		} else {
			return err
		}
	}
	tail := make([]byte, len(s.tail), c)
	copy(tail, s.tail)
	s.tail = tail
	return nil
}

// flush puts a full block, the tail or what comes instead, where it stays.
func (s *Spool) flush(block []byte) error {
	if !s.spill {
		s.blocks = append(s.blocks, s.tail)
		s.tail = nil
		return nil
	}
	if s.file == nil {
		f, err := newFile(s.dir)
		if err != nil {
			return err
		}
		s.file = f
	}
	if err := s.budget.Take(budget.Disk, sealedSize); err != nil {
		return err
	}
	s.disk += sealedSize
	if err := s.file.append(block); err != nil {
		return err
	}
	s.tail = s.tail[:0]
	return nil
}

// Size returns how much was written.
func (s *Spool) Size() int64 { return s.size }

// ReadAt implements io.ReaderAt. A file that somebody changed is [ErrChanged].
func (s *Spool) ReadAt(p []byte, off int64) (int, error) {
	if errors.Is(s.err, fs.ErrClosed) {
		return 0, s.err
	}
	if off < 0 {
		return 0, fs.ErrInvalid
	}
	done := 0
	for done < len(p) {
		if off >= s.size {
			return done, io.EOF
		}
		n, err := s.readBlock(p[done:], off)
		done += n
		off += int64(n)
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

// readBlock reads from the one block that holds the offset.
func (s *Spool) readBlock(p []byte, off int64) (int, error) {
	i, at := int(off/blockSize), int(off%blockSize)
	if i < len(s.blocks) {
		return copy(p, s.blocks[i][at:]), nil
	}
	if off-int64(at) == s.size-int64(len(s.tail)) {
		return copy(p, s.tail[at:]), nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.file.read(p, i-len(s.blocks), at)
}

// WriteTo writes all of it to w, in large chunks.
func (s *Spool) WriteTo(w io.Writer) (int64, error) {
	if errors.Is(s.err, fs.ErrClosed) {
		return 0, s.err
	}
	var done int64
	for _, b := range s.blocks {
		n, err := write(w, b)
		if done += n; err != nil {
			return done, err
		}
	}
	// What is in the file.
	n, err := stream.Copy(w, io.NewSectionReader(s, done, s.size-int64(len(s.tail))-done))
	if done += n; err != nil {
		return done, err
	}
	n, err = write(w, s.tail)
	return done + n, err
}

func write(w io.Writer, b []byte) (int64, error) {
	if len(b) == 0 {
		return 0, nil
	}
	n, err := stream.WriteFull(w, b)
	return int64(n), err
}

// Close frees memory and file. Reading then fails with fs.ErrClosed. It must not
// be called while others read.
func (s *Spool) Close() error {
	if errors.Is(s.err, fs.ErrClosed) {
		return nil
	}
	s.Settle()
	s.budget.Give(budget.Memory, s.memory)
	s.budget.Give(budget.Disk, s.disk)
	f := s.file
	s.blocks, s.tail, s.file, s.err = nil, nil, nil, fs.ErrClosed
	if f != nil {
		return f.close()
	}
	return nil
}
