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

// TestProducts holds that messages in which counts multiply are judged right or
// reach a limit, without hundreds of MiB being allocated, let alone held: once
// they took minutes. internal/bench/products measures all pairs of counts.
func TestProducts(t *testing.T) {
	const most = 96 << 20 // allocated, over all of the time; most of it is garbage at once
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
					m, err := smime.Open(ctx, bytes.NewReader(mail), nil)
					if err != nil {
						return err
					}
					defer m.Close()
					_ = m.String()
					if err := m.WriteDisplay(io.Discard); err != nil {
						return err
					}
					_, err = m.Signer()
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
				if n := after.TotalAlloc - before.TotalAlloc; n > most {
					t.Errorf("%s allocates %d MiB, and says %v", verb.name, n>>20, err)
				}
			}
		})
	}
}
