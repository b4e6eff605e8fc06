package spool

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/stream"
)

// seekOnly hides that its source has random access.
type seekOnly struct{ r io.ReadSeeker }

func (s seekOnly) Read(p []byte) (int, error)                { return s.r.Read(p) }
func (s seekOnly) Seek(off int64, whence int) (int64, error) { return s.r.Seek(off, whence) }

// halves reads less than was asked for.
type halves struct{ io.ReadSeeker }

func (h halves) Read(p []byte) (int, error) { return h.ReadSeeker.Read(p[:(len(p)+1)/2]) }

// pipe can't seek although it has the method.
type pipe struct{ io.Reader }

func (pipe) Seek(int64, int) (int64, error) { return 0, errors.New("illegal seek") }

func TestReplay(t *testing.T) {
	needDisk(t)
	const before = 11
	all := noise(before + 3*largeChunk + 5000)
	file := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(file, all, 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, src := range map[string]io.Reader{
		"memory": bytes.NewReader(all), "file": f, "seeker": seekOnly{bytes.NewReader(all)},
		"short reads": halves{bytes.NewReader(all)}, "stream": struct{ io.Reader }{bytes.NewReader(all)},
		"pipe": pipe{bytes.NewReader(all)}, "data with EOF": iotest.DataErrReader(bytes.NewReader(all)),
	} {
		t.Run(name, func(t *testing.T) {
			for _, size := range []int{0, 1, 5000, largeChunk - 1, largeChunk, largeChunk + 1, 2 * largeChunk, len(all) - before} {
				if s, ok := src.(io.Seeker); ok && name != "pipe" {
					if _, err := s.Seek(before, io.SeekStart); err != nil {
						t.Fatal(err)
					}
				} else {
					src = struct{ io.Reader }{bytes.NewReader(all[before:])}
				}
				want := all[before : before+size]
				p := NewReplay(src, limits(100_000, 1<<30), t.TempDir())
				got, err := io.ReadAll(io.LimitReader(p, int64(size)))
				if err != nil || !bytes.Equal(got, want) {
					t.Fatalf("%d: first pass: %d octets, %v", size, len(got), err)
				}
				for range 2 {
					again, err := p.Again()
					if err != nil {
						t.Fatal(err)
					}
					if size <= 5000 {
						if err := iotest.TestReader(stream.PlainReader{Reader: again}, want); err != nil {
							t.Errorf("%d: %v", size, err)
						}
					} else if got, err := io.ReadAll(stream.PlainReader{Reader: again}); err != nil || !bytes.Equal(got, want) {
						t.Errorf("%d: %d octets, %v", size, len(got), err)
					}
					if again, err = p.Again(); err != nil {
						t.Fatal(err)
					}
					var out bytes.Buffer
					if n, err := again.(io.WriterTo).WriteTo(&out); n != int64(size) || err != nil || !bytes.Equal(out.Bytes(), want) {
						t.Errorf("%d: WriteTo: %d, %v", size, n, err)
					}
				}
				at, n, err := p.ReaderAt()
				if err != nil || n != int64(size) {
					t.Fatal(n, err)
				}
				rnd := rand.New(rand.NewPCG(1, 2))
				for range 10 {
					off, n := rnd.IntN(size+1), rnd.IntN(size+2)
					b := make([]byte, n)
					m, err := at.ReadAt(b, int64(off))
					if !bytes.Equal(b[:m], want[off:min(size, off+n)]) || err != nil && err != io.EOF {
						t.Errorf("%d: ReadAt %d of %d: %d, %v", size, n, off, m, err)
					}
				}
				if _, err := p.Read(make([]byte, 1)); err == nil {
					t.Error("Read after the first pass")
				}
				if err := p.Close(); err != nil {
					t.Error(err)
				}
				if _, err := p.Again(); !errors.Is(err, fs.ErrClosed) {
					t.Errorf("after Close: %v", err)
				}
			}
		})
	}
}

// Nothing of a chunk that changed is handed out.
func TestChangedSource(t *testing.T) {
	for _, wrap := range []func(io.ReadSeeker) io.Reader{
		func(r io.ReadSeeker) io.Reader { return r },
		func(r io.ReadSeeker) io.Reader { return seekOnly{r} },
	} {
		for _, at := range []int{0, largeChunk - 1, largeChunk, 2*largeChunk + 17} {
			data := noise(2*largeChunk + 1000)
			want := bytes.Clone(data)
			p := NewReplay(wrap(bytes.NewReader(data)), limits(0, 0), "")
			if n, err := io.Copy(io.Discard, p); n != int64(len(data)) || err != nil {
				t.Fatal(n, err)
			}
			data[at] ^= 1
			good := at / largeChunk * largeChunk
			for _, read := range []func(io.Reader) ([]byte, error){
				func(r io.Reader) ([]byte, error) { return io.ReadAll(stream.PlainReader{Reader: r}) },
				func(r io.Reader) ([]byte, error) { var b bytes.Buffer; _, err := io.Copy(&b, r); return b.Bytes(), err },
			} {
				r, err := p.Again()
				if err != nil {
					t.Fatal(err)
				}
				got, err := read(r)
				if !errors.Is(err, ErrChanged) || !bytes.Equal(got, want[:good]) {
					t.Errorf("changed at %d: %d octets, %v", at, len(got), err)
				}
			}
			r, _, err := p.ReaderAt()
			if err != nil {
				t.Fatal(err)
			}
			b := make([]byte, 10)
			if n, err := r.ReadAt(b, int64(good)); n != 0 || !errors.Is(err, ErrChanged) {
				t.Errorf("changed at %d: ReadAt: %d, %v", at, n, err)
			}
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A small source that changes is given out as it was.
func TestSmallSourceIsKept(t *testing.T) {
	data := []byte("as it was")
	p := NewReplay(bytes.NewReader(data), limits(0, 0), "")
	defer p.Close()
	if _, err := io.Copy(io.Discard, p); err != nil {
		t.Fatal(err)
	}
	copy(data, "XX")
	r, err := p.Again()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "as it was" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestShrunkSource(t *testing.T) {
	name := filepath.Join(t.TempDir(), "source")
	if err := os.WriteFile(name, noise(3*largeChunk), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, src := range []io.Reader{f, seekOnly{f}} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		p := NewReplay(src, limits(0, 0), "")
		n, err := io.Copy(io.Discard, p)
		if n == 0 || err != nil {
			t.Fatal(n, err)
		}
		if err := os.Truncate(name, n-1); err != nil {
			t.Fatal(err)
		}
		r, err := p.Again()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, r); n != 2*largeChunk || !errors.Is(err, ErrChanged) {
			t.Errorf("%d, %v", n, err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := os.Truncate(name, n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReplayErrors(t *testing.T) {
	broken := errors.New("broken")
	p := NewReplay(io.MultiReader(bytes.NewReader([]byte("abc")), iotest.ErrReader(broken)), limits(1000, 0), "")
	defer p.Close()
	if got, err := io.ReadAll(p); string(got) != "abc" || !errors.Is(err, broken) {
		t.Errorf("%q, %v", got, err)
	}
	q := NewReplay(struct{ io.Reader }{bytes.NewReader(noise(10_000))}, limits(1000, 0), "")
	defer q.Close()
	_, err := io.Copy(io.Discard, q)
	if e, ok := errors.AsType[*budget.Exceeded](err); !ok || e.Resource != budget.Memory {
		t.Error(err)
	}
	if _, err := q.Again(); err == nil {
		t.Error("a stream that was not kept was read again")
	}
}

func FuzzReplay(f *testing.F) {
	f.Add(uint32(600_000), uint32(1000), uint32(5), true)
	f.Add(uint32(largeChunk), uint32(largeChunk), uint32(largeChunk), false)
	f.Fuzz(func(t *testing.T, size, piece, step uint32, seek bool) {
		data := noise(int(size % (1 << 20)))
		var src io.Reader = bytes.NewReader(data)
		if !seek {
			src = struct{ io.Reader }{src}
		}
		p := NewReplay(src, limits(1<<30, 0), "")
		buf := make([]byte, piece%(1<<20)+1)
		for {
			if _, err := p.Read(buf); err == io.EOF {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
		at, n, err := p.ReaderAt()
		if err != nil || n != int64(len(data)) {
			t.Fatal(n, err)
		}
		off := int64(step)
		m, err := at.ReadAt(buf, off)
		if off > n && m != 0 || off <= n && !bytes.Equal(buf[:m], data[off:min(n, off+int64(len(buf)))]) {
			t.Fatal(m, err)
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	})
}

func BenchmarkReplay64MiB(b *testing.B) {
	data := noise(64 << 20)
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		p := NewReplay(bytes.NewReader(data), limits(0, 0), "")
		buf := make([]byte, 256<<10)
		if _, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, stream.PlainReader{Reader: p}, buf); err != nil {
			b.Fatal(err)
		}
		r, err := p.Again()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			b.Fatal(err)
		}
		if err := p.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
