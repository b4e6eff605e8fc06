package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
)

// What a caller writes to what was given out changes no verdict.
func TestCallerChangesNoVerdict(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	read := func(content string) *SignerInfo {
		var msg bytes.Buffer
		if err := SignDetached(context.Background(), &msg, bytes.NewReader([]byte("genuine")), []SigningKey{key}, nil); err != nil {
			t.Fatal(err)
		}
		r, err := NewSignedReader(&msg, bytes.NewReader([]byte(content)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		signers, err := r.Signers()
		if err != nil {
			t.Fatal(err)
		}
		return signers[0]
	}
	s := read("forgery")
	changed := 0
	for _, a := range s.Signed() {
		if oid.FromX509(a.Type) == oid.AttrMessageDigest {
			sum, ok := s.over.digest.sum(s.hash)
			if !ok {
				t.Fatal("no digest")
			}
			changed += copy(a.Values[0][2:], sum)
		}
	}
	if changed == 0 {
		t.Fatal("no message digest")
	}
	if err := s.CheckSignature(key.Certificate); !errors.Is(err, ErrDigest) {
		t.Errorf("forgery: %v", err)
	}
	s = read("genuine")
	s.ID().Serial.SetInt64(0)
	if !s.ID().Matches(key.Certificate) {
		t.Error("the identifier was changed")
	}
}
