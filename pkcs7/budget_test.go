package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// All layers of a message together hold no more elements than Limits.Memory.
func TestElementsShareMemory(t *testing.T) {
	t.Parallel()
	lim := Limits{Memory: 40 << 10}.Shared()
	one := func() error {
		var msg bytes.Buffer
		der := append([]byte{0x30, 0x82, 0x40, 0x00, 0x04, 0x82, 0x3f, 0xfc}, make([]byte, 0x3ffc)...)
		if err := WriteCertificates(&msg, [][]byte{der}, nil); err != nil {
			t.Fatal(err)
		}
		_, _, err := ReadCertificates(&msg, &ReadOptions{Limits: lim})
		return err
	}
	for range 2 {
		if err := one(); err != nil {
			t.Fatal(err)
		}
	}
	if err := one(); !errors.Is(err, ErrLimit) {
		t.Errorf("third layer: %v", err)
	}
}

// A ciphertext that is elsewhere counts as much as one inside.
func TestDetachedCiphertextCounts(t *testing.T) {
	t.Parallel()
	kek := bytes.Repeat([]byte{7}, 32)
	keys := func(context.Context, []CertID) ([]DecryptionKey, error) {
		return []DecryptionKey{KeyFromKEK([]byte("k"), kek)}, nil
	}
	for _, cipher := range []Cipher{AES256CBC, AES256GCM} {
		for name, source := range map[string]func([]byte) io.Reader{
			"seekable": func(b []byte) io.Reader { return bytes.NewReader(b) },
			"stream":   func(b []byte) io.Reader { return io.MultiReader(bytes.NewReader(b)) },
		} {
			var msg, ciphertext bytes.Buffer
			w, err := NewEncryptWriter(t.Context(), &msg, []Recipient{ToKey([]byte("k"), kek)}, &EncryptOptions{Cipher: cipher, Ciphertext: &ciphertext})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(make([]byte, 1<<20)); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for limit, want := range map[int64]error{64 << 10: ErrLimit, 2 << 20: nil} {
				r, err := NewDecryptReader(t.Context(), bytes.NewReader(msg.Bytes()), keys,
					&DecryptOptions{Limits: Limits{Bytes: limit}, Ciphertext: source(ciphertext.Bytes())})
				if err != nil {
					t.Fatal(err)
				}
				if _, err = io.Copy(io.Discard, r); !errors.Is(err, want) {
					t.Errorf("%v, %s, %d octets allowed: %v", cipher, name, limit, err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}
