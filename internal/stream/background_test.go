package stream

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
)

type failingWriter struct{ left int }

var errFull = errors.New("full")

func (f *failingWriter) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func TestBackgroundWriterErrors(t *testing.T) {
	want := make([]byte, 5<<20+17)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	var got bytes.Buffer
	a := NewBackgroundWriter(&got)
	for p := want; len(p) > 0; p = p[min(300_000, len(p)):] {
		if _, err := a.Write(p[:min(300_000, len(p))]); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.Close(); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("%d octets, error %v", got.Len(), err)
	}
	for _, left := range []int{0, 100, 2 << 20, 4 << 20} {
		a := NewBackgroundWriter(&failingWriter{left})
		var err error
		for range 100 {
			if _, err = a.Write(want[:100_000]); err != nil {
				break
			}
		}
		if !errors.Is(err, errFull) || !errors.Is(a.Close(), errFull) {
			t.Errorf("after %d octets: %v", left, err)
		}
	}
	// What is short fails at the latest when it is closed.
	a = NewBackgroundWriter(&failingWriter{1 << 20})
	if _, err := a.Write(want[:2<<20]); err == nil {
		if err = a.Close(); !errors.Is(err, errFull) {
			t.Error(err)
		}
	}
}

// countingWriter counts the writes it gets.
type countingWriter struct {
	bytes.Buffer
	writes int
}

func (w *countingWriter) Write(p []byte) (int, error) {
	w.writes++
	return w.Buffer.Write(p)
}

func TestBackgroundWriter(t *testing.T) {
	const size = backgroundFrom + 3*LargeChunk + 12345
	content := make([]byte, size)
	rand.Read(content)
	for _, step := range []int{7, 1000, LargeChunk - 1, LargeChunk, backgroundFrom, size} {
		var got countingWriter
		w := NewBackgroundWriter(&got)
		direct := 0
		for p := content; len(p) > 0; {
			n := min(step, len(p))
			if m, err := w.Write(p[:n]); m != n || err != nil {
				t.Fatalf("%d octets, %v", m, err)
			}
			if p = p[n:]; w.full == nil {
				direct++
			}
		}
		for range 2 {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		if !bytes.Equal(got.Bytes(), content) {
			t.Errorf("by %d: other octets", step)
		}
		// What comes in small pieces must not be handed over in small pieces.
		if most := direct + size/LargeChunk + 1; got.writes > most {
			t.Errorf("by %d: %d writes, want at most %d", step, got.writes, most)
		}
	}
}
