package spool

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/internal/budget"
)

func limits(memory, disk int64) *budget.Budget {
	var l budget.Limits
	l[budget.Memory], l[budget.Disk] = memory, disk
	return budget.New(l)
}

// noise returns n octets that are the same each time.
func noise(n int) []byte {
	b := make([]byte, n)
	src := rand.NewChaCha8([32]byte{1})
	_, _ = src.Read(b)
	return b
}

func writeAll(t testing.TB, s *Spool, data []byte, piece int) {
	t.Helper()
	for p := data; len(p) > 0; {
		n := min(piece, len(p))
		if m, err := s.Write(p[:n]); m != n || err != nil {
			t.Fatal(m, err)
		}
		p = p[n:]
	}
}

func TestSpool(t *testing.T) {
	needDisk(t)
	data := noise(9*blockSize + 777)
	for _, memory := range []int64{0, 1000, blockSize, 3*blockSize + 5, 1 << 30} {
		for _, size := range []int{0, 1, 511, blockSize - 1, blockSize, blockSize + 1, 4 * blockSize, len(data)} {
			for _, piece := range []int{100, 10_000, blockSize, 5 * blockSize} {
				dir := t.TempDir()
				b := limits(memory, 1<<30)
				s := New(b, dir)
				want := data[:size]
				writeAll(t, s, want, piece)
				if s.Size() != int64(size) {
					t.Fatalf("size %d, want %d", s.Size(), size)
				}
				if b.Left(budget.Memory) < 0 || memory > 1<<20 && b.Left(budget.Disk) != 1<<30 {
					t.Errorf("%d left of memory, %d of disk", b.Left(budget.Memory), b.Left(budget.Disk))
				}
				if err := testReader(s, want, piece); err != nil {
					t.Errorf("%d of memory, %d octets in pieces of %d: %v", memory, size, piece, err)
				}
				var out bytes.Buffer
				if n, err := s.WriteTo(&out); n != int64(size) || err != nil || !bytes.Equal(out.Bytes(), want) {
					t.Errorf("WriteTo of %d: %d, %v", size, n, err)
				}
				if unlinkOpen {
					noFiles(t, dir)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				noFiles(t, dir)
				if b.Left(budget.Memory) != memory || b.Left(budget.Disk) != 1<<30 {
					t.Errorf("after Close %d left of memory, %d of disk", b.Left(budget.Memory), b.Left(budget.Disk))
				}
			}
		}
	}
}

func noFiles(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, "*")); len(left) != 0 || err != nil {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestRandomAccess(t *testing.T) {
	needDisk(t)
	data := noise(8*blockSize + 100)
	s := New(limits(2*blockSize, 1<<30), t.TempDir())
	defer s.Close()
	writeAll(t, s, data, len(data))
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(1, uint64(g)))
			for range 200 {
				off := rnd.IntN(len(data))
				n := rnd.IntN(3 * blockSize)
				if g == 0 {
					off, n = off/blockSize*blockSize, n/blockSize*blockSize
				}
				p := make([]byte, n)
				m, err := s.ReadAt(p, int64(off))
				want := data[off:min(len(data), off+n)]
				if !bytes.Equal(p[:m], want) || (err == io.EOF) != (len(want) < n) || err != nil && err != io.EOF {
					t.Errorf("ReadAt %d of %d: %d, %v", n, off, m, err)
				}
			}
		})
	}
	wg.Wait()
	if _, err := s.ReadAt(make([]byte, 1), -1); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("negative offset: %v", err)
	}
	if _, err := s.ReadAt(make([]byte, 1), s.Size()); err != io.EOF {
		t.Errorf("at the end: %v", err)
	}
}

func TestSpoolLimits(t *testing.T) {
	needDisk(t)
	for _, c := range []struct {
		name         string
		memory, disk int64
		resource     budget.Resource
		writable     int64 // at least
	}{
		{"nothing", 0, 0, budget.Memory, 0},
		{"memory without disk", 100_000, 0, budget.Memory, blockSize},
		{"memory with disk forbidden", 100_000, -1, budget.Memory, blockSize},
		{"little disk", 0, 3 * sealedSize, budget.Disk, 3 * blockSize},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			s := New(limits(c.memory, c.disk), dir)
			n, err := s.Write(noise(6 * blockSize))
			e, ok := errors.AsType[*budget.Exceeded](err)
			if !ok || e.Resource != c.resource || int64(n) < c.writable || int64(n) != s.Size() {
				t.Errorf("%d, %v", n, err)
			}
			if _, again := s.Write([]byte{1}); !errors.Is(again, err) {
				t.Errorf("then %v", again)
			}
			if c.disk <= 0 {
				noFiles(t, dir)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			noFiles(t, dir)
		})
	}
}

func TestNoFileForLittle(t *testing.T) {
	needDisk(t)
	s := New(limits(0, 1<<30), "/nonexistent")
	defer s.Close()
	data := noise(blockSize - 1)
	writeAll(t, s, data, 1000)
	if _, err := s.Write([]byte{1}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was written: %v", err)
	}
}

func TestChangedFile(t *testing.T) {
	needDisk(t)
	data := noise(4 * blockSize)
	for name, change := range map[string]func(*os.File) error{
		"flipped": func(f *os.File) error { _, err := f.WriteAt([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 100); return err },
		"moved": func(f *os.File) error {
			b := make([]byte, sealedSize)
			if _, err := f.ReadAt(b, sealedSize); err != nil {
				return err
			}
			_, err := f.WriteAt(b, 0)
			return err
		},
		"cut": func(f *os.File) error { return f.Truncate(sealedSize - 1) },
	} {
		t.Run(name, func(t *testing.T) {
			s := New(limits(0, 1<<30), t.TempDir())
			writeAll(t, s, data, len(data))
			if info, err := s.file.f.Stat(); err != nil || info.Mode().Perm() != 0o600 && unlinkOpen {
				t.Errorf("%v, %v", info.Mode(), err)
			}
			all, err := io.ReadAll(io.NewSectionReader(s.file.f, 0, 1<<20))
			if err != nil || bytes.Contains(all, data[100:132]) {
				t.Errorf("the file holds the plaintext, or %v", err)
			}
			if err := change(s.file.f); err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if n, err := s.WriteTo(&out); !errors.Is(err, ErrChanged) || n != 0 || out.Len() != 0 {
				t.Errorf("WriteTo: %d, %v", n, err)
			}
			if n, err := s.ReadAt(make([]byte, 10), 5); !errors.Is(err, ErrChanged) || n != 0 {
				t.Errorf("ReadAt: %d, %v", n, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestClosed(t *testing.T) {
	s := New(limits(1<<20, 0), "")
	writeAll(t, s, []byte("abc"), 3)
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	_, err1 := s.Write([]byte("x"))
	_, err2 := s.ReadAt(make([]byte, 1), 0)
	_, err3 := s.WriteTo(io.Discard)
	for i, err := range []error{err1, err2, err3} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func benchSpool(b *testing.B, memory int64) {
	p := noise(256 << 10)
	dir := b.TempDir()
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		s := New(limits(memory, 1<<30), dir)
		for range 256 {
			if _, err := s.Write(p); err != nil {
				b.Fatal(err)
			}
		}
		if _, err := s.WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMemory64MiB(b *testing.B) { benchSpool(b, 1<<30) }
func BenchmarkDisk64MiB(b *testing.B)   { benchSpool(b, 0) }

// testReader reads small spools in every way there is, large ones in two.
func testReader(s *Spool, want []byte, piece int) error {
	r := io.NewSectionReader(s, 0, s.Size())
	if len(want) <= 1000 {
		return iotest.TestReader(r, want)
	}
	for _, size := range []int{piece, 3*blockSize + 1} {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return err
		}
		var got bytes.Buffer
		if _, err := io.CopyBuffer(struct{ io.Writer }{&got}, struct{ io.Reader }{r}, make([]byte, size)); err != nil {
			return err
		}
		if !bytes.Equal(got.Bytes(), want) {
			return errors.New("read something else")
		}
	}
	return nil
}

// needDisk skips a test of temporary files where there are none: in a browser
// nothing touches a disk.
func needDisk(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "js" {
		t.Skip("no temporary files on js")
	}
}

// TestReserve holds that what was reserved suffices for every size, that no more
// is taken later, and that all of it is given back.
func TestReserve(t *testing.T) {
	needDisk(t)
	for _, memory := range []int64{0, 64 << 10, 1 << 20} {
		for _, size := range []int{0, 1, 511, 512, 513, 32 << 10, 64<<10 - 1, 64 << 10, 64<<10 + 1, 200_000, 1 << 20} {
			t.Run(fmt.Sprintf("%d of %d", size, memory), func(t *testing.T) {
				b := limits(memory, 2<<20)
				s, err := Reserve(b, t.TempDir(), int64(size))
				if err != nil {
					t.Fatal(err)
				}
				left := b.Left(budget.Memory) + b.Left(budget.Disk)
				want := bytes.Repeat([]byte("0123456"), size/7+1)[:size]
				for piece := range slices.Chunk(want, 777) {
					if _, err := s.Write(piece); err != nil {
						t.Fatal(err)
					}
				}
				if now := b.Left(budget.Memory) + b.Left(budget.Disk); now != left {
					t.Errorf("%d left, then %d", left, now)
				}
				s.Settle()
				got, err := io.ReadAll(io.NewSectionReader(s, 0, s.Size()))
				if err != nil || !bytes.Equal(got, want) {
					t.Errorf("%d octets, %v", len(got), err)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				if b.Left(budget.Memory) != memory || b.Left(budget.Disk) != 2<<20 {
					t.Errorf("%d and %d left", b.Left(budget.Memory), b.Left(budget.Disk))
				}
			})
		}
	}
	b := limits(1<<10, 100<<10)
	var over *budget.Exceeded
	if _, err := Reserve(b, t.TempDir(), 200<<10); !errors.As(err, &over) || b.Left(budget.Memory) != 1<<10 || b.Left(budget.Disk) != 100<<10 {
		t.Errorf("too much: %v", err)
	}
	b = limits(0, 1<<20)
	if _, err := Reserve(b, filepath.Join(t.TempDir(), "none"), 200<<10); !errors.Is(err, fs.ErrNotExist) || b.Left(budget.Disk) != 1<<20 {
		t.Errorf("no directory: %v", err)
	}
}
