package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"testing"
)

// A key that can sign only, as many cards hold it, is no wrong key: what is
// missing is said before anything is decrypted.
func TestKeyThatCanNotAgree(t *testing.T) {
	t.Parallel()
	signer := newSigner(t, "p256")
	var msg bytes.Buffer
	w, err := NewEncryptWriter(t.Context(), &msg, []Recipient{ToCertificate(signer.Certificate, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for _, key := range []struct {
		key  crypto.PrivateKey
		want error
	}{{struct{ crypto.Signer }{signer.Key}, ErrUnsupported}, {signer.Key, nil}} {
		keys := func(context.Context, []CertID) ([]DecryptionKey, error) {
			return []DecryptionKey{KeyOf(signer.Certificate, key.key)}, nil
		}
		if _, err := NewDecryptReader(t.Context(), bytes.NewReader(msg.Bytes()), keys, nil); !errors.Is(err, key.want) {
			t.Errorf("%T: %v", key.key, err)
		}
	}
}
