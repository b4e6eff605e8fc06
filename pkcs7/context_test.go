package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
)

// An endless content ends the context while it is read.
type endless struct {
	cancel func()
	n      int
}

func (e *endless) Read(p []byte) (int, error) {
	if e.n += len(p); e.n > 1<<20 {
		e.cancel()
	}
	if e.n > 64<<20 {
		return 0, errors.New("read on after the context ended")
	}
	clear(p)
	return len(p), nil
}

func TestContextEndsWhileContentIsRead(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	var detached, embedded bytes.Buffer
	if err := SignDetached(t.Context(), &detached, bytes.NewReader(nil), []SigningKey{key}, nil); err != nil {
		t.Fatal(err)
	}
	// The beginning of a SignedData whose content does not end.
	w, err := NewSignWriter(t.Context(), &embedded, []SigningKey{key}, &SignOptions{Size: 1 << 40})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	for name, run := range map[string]func(ctx context.Context, content io.Reader) error{
		"Verify detached": func(ctx context.Context, content io.Reader) error {
			_, err := Verify(ctx, io.Discard, bytes.NewReader(detached.Bytes()), content, trustAll, nil)
			return err
		},
		"Verify": func(ctx context.Context, content io.Reader) error {
			_, err := Verify(ctx, io.Discard, io.MultiReader(bytes.NewReader(embedded.Bytes()), content), nil, trustAll, nil)
			return err
		},
		"SignDetached": func(ctx context.Context, content io.Reader) error {
			return SignDetached(ctx, io.Discard, content, []SigningKey{key}, nil)
		},
		"NewSignWriter": func(ctx context.Context, content io.Reader) error {
			w, err := NewSignWriter(ctx, io.Discard, []SigningKey{key}, nil)
			if err != nil {
				return err
			}
			_, err = io.Copy(w, content)
			return err
		},
		"AddSigner": func(ctx context.Context, content io.Reader) error {
			return AddSigner(ctx, io.Discard, bytes.NewReader(detached.Bytes()), key, &SignOptions{Detached: content})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			if err := run(ctx, &endless{cancel: cancel}); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: %v", name, err)
			}
			cancel()
		})
	}
}
