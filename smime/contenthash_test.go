package smime

import (
	"bytes"
	"crypto/rand"
	"testing"
)

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
	const size = backgroundFrom + 3*backgroundChunk + 12345
	content := make([]byte, size)
	rand.Read(content)
	for _, step := range []int{7, 1000, backgroundChunk - 1, backgroundChunk, backgroundFrom, size} {
		var got countingWriter
		w := &backgroundWriter{w: &got}
		direct := 0
		for p := content; len(p) > 0; {
			n := min(step, len(p))
			if m, err := w.Write(p[:n]); m != n || err != nil {
				t.Fatalf("%d octets, %v", m, err)
			}
			if p = p[n:]; w.work == nil {
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
		if most := direct + size/backgroundChunk + 1; got.writes > most {
			t.Errorf("by %d: %d writes, want at most %d", step, got.writes, most)
		}
	}
}
