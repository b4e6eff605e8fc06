package smime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites/products"
	"github.com/gosmime/gosmime/smime"
)

// errDecrypted stands for success, where all else has an error.
var errDecrypted = errors.New("decrypted")

// TestProducts holds that messages in which counts multiply are judged right or
// reach a limit, without hundreds of MiB being allocated, let alone held: once
// they took minutes. internal/bench/products measures all pairs of counts.
func TestProducts(t *testing.T) {
	const most = 96 << 20 // allocated, over all of the time; most of it is garbage at once
	key, cert, err := products.Recipient()
	if err != nil {
		t.Fatal(err)
	}
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	keys := smime.Identities{id}
	for name, spec := range products.Named() {
		t.Run(name, func(t *testing.T) {
			mail, err := products.Message(spec)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for _, verb := range []struct {
				name string
				run  func() error
			}{
				{"Verify", func() error {
					_, err := smime.Verify(ctx, io.Discard, bytes.NewReader(mail), nil, nil)
					return err
				}},
				{"Open", func() error {
					m, err := smime.Open(ctx, bytes.NewReader(mail), &smime.OpenOptions{Keys: keys})
					if err != nil {
						return err
					}
					defer m.Close()
					_ = m.String()
					if err := m.WriteDisplay(io.Discard); err != nil {
						return err
					}
					for p := range m.Parts() {
						if r, err := p.Content(); err == nil {
							_, _ = io.Copy(io.Discard, r) // what can't be decoded costs too
						}
					}
					_, err = m.Signer()
					return err
				}},
				{"Unseal", func() error {
					_, _, err := smime.Unseal(ctx, io.Discard, bytes.NewReader(mail), keys, nil, nil)
					return err
				}},
				{"Decrypt", func() error {
					_, err := smime.Decrypt(ctx, io.Discard, bytes.NewReader(mail), keys, nil)
					if err == nil && spec.Encrypted > 0 {
						return errDecrypted
					}
					return err
				}},
			} {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				err := verb.run()
				runtime.ReadMemStats(&after)
				if err == nil || errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: %v", verb.name, err)
				}
				if n := after.TotalAlloc - before.TotalAlloc; n > most*uint64(1+spec.Encrypted/2) { // buffers of each layer
					t.Errorf("%s allocates %d MiB, and says %v", verb.name, n>>20, err)
				}
			}
		})
	}
}
