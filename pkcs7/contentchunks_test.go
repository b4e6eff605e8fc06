package pkcs7

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/stream"
)

// A content that ends where a chunk does leaves an empty chunk behind, whose
// memory the next pass uses again.
func TestContentEndsWithChunk(t *testing.T) {
	t.Parallel()
	kek := bytes.Repeat([]byte{7}, 32)
	for _, cipher := range []Cipher{AES256CBC, AES256GCM} {
		size := stream.SmallChunk + 10*stream.LargeChunk
		if cipher == AES256CBC {
			size-- // one octet of padding
		}
		content := bytes.Repeat([]byte{'x'}, size)
		var msg bytes.Buffer
		w, err := NewEncryptWriter(t.Context(), &msg, []Recipient{ToKey([]byte("k"), kek)}, &EncryptOptions{Cipher: cipher, Size: int64(size)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		keys := func(context.Context, []CertID) ([]DecryptionKey, error) {
			return []DecryptionKey{KeyFromKEK([]byte("k"), kek)}, nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		r, err := NewDecryptReader(ctx, bytes.NewReader(msg.Bytes()), keys, &DecryptOptions{Withhold: true})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %d octets, %v", cipher, len(got), err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
