package smime

import (
	"bytes"
	"crypto/rand"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
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

// TestMicalg reads the names of RFC 8551 section 3.5.3.2, of RFC 8692, and
// those of older programs.
func TestMicalg(t *testing.T) {
	for micalg, want := range map[string][]oid.OID{
		"md5": {oid.MD5}, "sha-1": {oid.SHA1}, "SHA1": {oid.SHA1}, "rsa-sha1": {oid.SHA1}, "rsa-md5": {oid.MD5}, "sha-224": {oid.SHA224},
		"sha-256": {oid.SHA256}, "sha256": {oid.SHA256}, "SHA-384": {oid.SHA384}, "sha-512": {oid.SHA512}, "shake128": {oid.SHAKE128}, "shake256": {oid.SHAKE256},
		"sha3-256": {oid.SHA3_256}, "sha-256,sha-512": {oid.SHA256, oid.SHA512}, "sha-256, shake256": {oid.SHA256, oid.SHAKE256}, "2.16.840.1.101.3.4.2.3": {oid.SHA512},
		"unknown": nil, "": nil, "sha-256,unknown": nil, "sha-256,sha-256,sha-256,sha-256,sha-256": nil, "1.2.": nil,
	} {
		got := digestsOf(micalg)
		if len(got) != len(want) {
			t.Errorf("%q: %v", micalg, got)
			continue
		}
		for i := range want {
			if oid.FromX509(got[i]) != want[i] {
				t.Errorf("%q: %v", micalg, got)
			}
		}
	}
}
