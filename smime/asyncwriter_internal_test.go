package smime

import (
	"bytes"
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

func TestAsyncWriter(t *testing.T) {
	want := make([]byte, 5<<20+17)
	for i := range want {
		want[i] = byte(i * 7 >> 3)
	}
	var got bytes.Buffer
	a := newAsyncWriter(&got)
	pieces(nopClose{a}, want, 300_000)
	if err := a.Close(); err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Fatalf("%d octets, error %v", got.Len(), err)
	}
	for _, left := range []int{0, 100, 2 << 20, 4 << 20} {
		a := newAsyncWriter(&failingWriter{left})
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
	a = newAsyncWriter(&failingWriter{1 << 20})
	if _, err := a.Write(want[:2<<20]); err == nil {
		if err = a.Close(); !errors.Is(err, errFull) {
			t.Error(err)
		}
	}
}

type nopClose struct{ *asyncWriter }

func (nopClose) Close() error { return nil }
