package stream

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func octets(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}

// lying claims to have read or written n octets, whatever happened.
type lying struct{ n int }

func (l lying) Read([]byte) (int, error)  { return l.n, nil }
func (l lying) Write([]byte) (int, error) { return l.n, nil }

func TestCopy(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, 4096, LargeChunk - 1, LargeChunk, 3*LargeChunk + 7} {
		want := octets(size)
		for name, wrap := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "halves": iotest.HalfReader, "end with data": iotest.DataErrReader,
		} {
			var got bytes.Buffer
			n, err := Copy(&got, wrap(bytes.NewReader(want)))
			if err != nil || n != int64(size) || !bytes.Equal(got.Bytes(), want) {
				t.Errorf("%s, %d octets: %d copied, %v", name, size, n, err)
			}
		}
	}
	failure := errors.New("no more")
	if n, err := Copy(io.Discard, io.MultiReader(bytes.NewReader(octets(100)), iotest.ErrReader(failure))); n != 100 || err != failure {
		t.Errorf("failing source: %d copied, %v", n, err)
	}
	for _, n := range []int{-1, LargeChunk + 1} {
		if _, err := Copy(io.Discard, lying{n}); err != ErrCount {
			t.Errorf("source that claims %d: %v", n, err)
		}
	}
	if _, err := Copy(io.Discard, lying{0}); err != io.ErrNoProgress {
		t.Errorf("source that never gets on: %v", err)
	}
	for _, n := range []int{-1, 99, 101} {
		if _, err := Copy(lying{n}, bytes.NewReader(octets(100))); err != io.ErrShortWrite {
			t.Errorf("destination that claims %d: %v", n, err)
		}
	}
}

// TestBuffersAreCleared looks at what the next user of a buffer gets.
func TestBuffersAreCleared(t *testing.T) {
	for range 100 {
		if _, err := Copy(io.Discard, bytes.NewReader(octets(3*LargeChunk+7))); err != nil {
			t.Fatal(err)
		}
		b := getBuffer()
		if !bytes.Equal(b, make([]byte, LargeChunk)) {
			t.Fatal("a buffer still has what was copied")
		}
		putBuffer(b, 0)
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	a := octets(2*LargeChunk + 5)
	b := bytes.Clone(a)
	b[len(b)-1]++
	for _, c := range []struct {
		name string
		x, y io.Reader
		want bool
	}{
		{"same", bytes.NewReader(a), iotest.OneByteReader(bytes.NewReader(a)), true},
		{"nothing", bytes.NewReader(nil), bytes.NewReader(nil), true},
		{"last octet", bytes.NewReader(a), bytes.NewReader(b), false},
		{"shorter", bytes.NewReader(a), bytes.NewReader(a[:len(a)-1]), false},
		{"shorter by chunks", bytes.NewReader(a[:LargeChunk]), bytes.NewReader(a[:2*LargeChunk]), false},
		{"error", io.MultiReader(bytes.NewReader(a), iotest.ErrReader(io.ErrClosedPipe)), bytes.NewReader(a), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := Equal(c.x, c.y); got != c.want {
				t.Error(got)
			}
		})
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	r := ContextReader(ctx, bytes.NewReader(octets(10)))
	if _, ok := r.(io.Seeker); ok {
		t.Error("ContextReader seeks")
	}
	src := ContextSource(ctx, bytes.NewReader(octets(10)))
	if _, ok := src.(io.ReadSeeker); !ok {
		t.Error("ContextSource does not seek")
	}
	at := src.(io.ReaderAt)
	if _, ok := ContextSource(ctx, io.MultiReader()).(io.Seeker); ok {
		t.Error("ContextSource seeks in what does not")
	}
	w := ContextWriter(ctx, io.Discard)
	b := make([]byte, 3)
	try := map[string]func() error{
		"reader":   func() error { _, err := r.Read(b); return err },
		"source":   func() error { _, err := src.Read(b); return err },
		"ReaderAt": func() error { _, err := at.ReadAt(b, 0); return err },
		"writer":   func() error { _, err := w.Write(b); return err },
	}
	for name, f := range try {
		if err := f(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	cancel()
	for name, f := range try {
		if err := f(); err != context.Canceled {
			t.Errorf("%s after the end: %v", name, err)
		}
	}
}

func TestSource(t *testing.T) {
	t.Parallel()
	in := bytes.NewReader([]byte("0123456789"))
	in.Seek(3, io.SeekStart)
	src := NewSource(in)
	for range 2 {
		r, err := src.Open()
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(r); err != nil || string(b) != "3456789" {
			t.Errorf("%q, %v", b, err)
		}
	}
	if NewSource(io.MultiReader(in)).Open != nil {
		t.Error("a stream can be opened again")
	}
	var failure error
	watched := NewSource(io.MultiReader(iotest.ErrReader(io.ErrClosedPipe))).Watch(&failure)
	if _, err := watched.Reader.Read(make([]byte, 1)); err != io.ErrClosedPipe || failure != err {
		t.Errorf("%v, watched %v", err, failure)
	}
}

func TestRereader(t *testing.T) {
	t.Parallel()
	const text = "0123456789"
	opened := 0
	r := NewRereader(bytes.NewReader([]byte(text)), func() (io.Reader, error) {
		opened++
		return bytes.NewReader([]byte(text)), nil
	})
	for _, c := range []struct {
		at     int64
		opened int
	}{{0, 0}, {4, 0}, {9, 0}, {2, 1}, {5, 1}, {0, 2}} {
		if n, err := r.Seek(c.at, io.SeekStart); n != c.at || err != nil {
			t.Fatal(n, err)
		}
		b := make([]byte, 1)
		if _, err := io.ReadFull(r, b); err != nil || b[0] != text[c.at] || opened != c.opened {
			t.Errorf("at %d: %q, %v, opened %d times", c.at, b, err, opened)
		}
		if n, err := r.Seek(0, io.SeekCurrent); n != c.at+1 || err != nil {
			t.Error(n, err)
		}
	}
	if _, err := r.Seek(20, io.SeekStart); err != nil {
		t.Error(err)
	}
	if _, err := r.Read(make([]byte, 1)); err != io.ErrUnexpectedEOF {
		t.Errorf("after the end: %v", err)
	}
	for _, bad := range []struct {
		r      *Rereader
		offset int64
		whence int
	}{{r, -1, io.SeekStart}, {r, 1, io.SeekCurrent}, {r, 0, io.SeekEnd}, {NewRereader(bytes.NewReader(nil), nil), 0, io.SeekStart}} {
		if _, err := bad.r.Seek(bad.offset, bad.whence); err != ErrNoRewind {
			t.Errorf("%+v: %v", bad, err)
		}
	}
}

func TestChunker(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 1, SmallChunk - 1, SmallChunk, SmallChunk + LargeChunk, AheadFrom + 5*LargeChunk + 3} {
		want := octets(size)
		var c Chunker
		for _, how := range []struct {
			name   string
			stream io.Reader
			ahead  bool
		}{
			{"stream", bytes.NewReader(want), false}, {"ahead", iotest.HalfReader(bytes.NewReader(want)), true}, {"held", &HeldReader{want}, true},
		} {
			c.Reset(how.stream, how.ahead)
			var got []byte
			for last := false; !last; {
				var b []byte
				var err error
				if b, last, err = c.Next(); err != nil {
					t.Fatal(err)
				}
				got = append(got, b...)
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s of %d octets: other octets, %d of them", how.name, size, len(got))
			}
		}
		c.Close()
		b, last, err := ReadHeld(iotest.HalfReader(bytes.NewReader(want)), -1)
		if err != nil || last != (size <= MaxHeld) || !bytes.HasPrefix(want, b) || last && len(b) != size {
			t.Errorf("%d octets held of %d, %v, %v", len(b), size, last, err)
		}
	}
	var c Chunker
	c.Reset(io.MultiReader(bytes.NewReader(octets(AheadFrom+2*LargeChunk)), iotest.ErrReader(io.ErrClosedPipe)), true)
	var err error
	for last := false; !last && err == nil; {
		_, last, err = c.Next()
	}
	if _, _, again := c.Next(); err != io.ErrClosedPipe || again != err {
		t.Errorf("%v, then %v", err, again)
	}
	c.Close()
}
