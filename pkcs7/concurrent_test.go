package pkcs7

import (
	"bytes"
	"io"
	"sync"
	"testing"
	"time"
)

// The signers of a message that was read can be judged at the same time.
func TestSignersAtTheSameTime(t *testing.T) {
	t.Parallel()
	msg := sign(t, "content", nil, newSigner(t, "p256"), newSigner(t, "ed25519"))
	r, err := NewSignedReader(bytes.NewReader(msg), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	signers, err := r.Signers()
	if err != nil || len(signers) != 2 {
		t.Fatal(len(signers), err)
	}
	var all sync.WaitGroup
	for range 4 {
		for _, s := range signers {
			all.Go(func() {
				if _, err := s.verify(t.Context(), trustAll, time.Time{}, r.elements()); err != nil {
					t.Error(err)
				}
			})
		}
	}
	all.Wait()
}
