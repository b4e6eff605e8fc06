package pkcs7

import (
	"bytes"
	"io"
	"sync"
	"testing"
)

// Keys, recipients and options may be used by several goroutines at the same
// time. The race detector watches.
func TestKeysAtTheSameTime(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat([]byte("content "), 1000)
	signer := newSigner(t, "p256")
	var to []Recipient
	var keys []DecryptionKey
	for _, k := range interopKeys() {
		to = append(to, ToCertificate(k.cert, nil))
		keys = append(keys, KeyOf(k.cert, k.key))
	}
	opts, read := &EncryptOptions{Cipher: AES256CBC}, &DecryptOptions{}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			var signed, sealed, out bytes.Buffer
			if err := SignDetached(t.Context(), &signed, bytes.NewReader(content), []SigningKey{signer}, nil); err != nil {
				t.Error(err)
			}
			if _, err := Verify(t.Context(), &out, &signed, bytes.NewReader(content), trustAll, nil); err != nil || !bytes.Equal(out.Bytes(), content) {
				t.Errorf("%d octets, %v", out.Len(), err)
			}
			w, err := NewEncryptWriter(t.Context(), &sealed, to, opts)
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := w.Write(content); err != nil {
				t.Error(err)
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
			for i := range keys {
				r, err := NewDecryptReader(t.Context(), bytes.NewReader(sealed.Bytes()), fixed(keys[i]), read)
				if err != nil {
					t.Error(err)
					continue
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) {
					t.Errorf("key %d: %d octets, %v", i, len(got), err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
