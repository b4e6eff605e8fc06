package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites/products"
	"github.com/gosmime/gosmime/smime"
)

// A watchedContext counts how often it is asked whether it is done, and measures
// the longest time between two questions. The question numbered last cancels it.
type watchedContext struct {
	context.Context
	cancel func()
	last   int

	mu      sync.Mutex
	asked   int
	at      time.Time
	longest time.Duration
}

func watchContext(t *testing.T, last int) *watchedContext {
	ctx, cancel := context.WithCancel(t.Context())
	return &watchedContext{Context: ctx, cancel: cancel, last: last, at: time.Now()}
}

func (c *watchedContext) look() {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.longest, c.at = max(c.longest, now.Sub(c.at)), now
	if c.asked++; c.asked == c.last {
		c.cancel()
	}
}

func (c *watchedContext) Err() error {
	c.look()
	return c.Context.Err()
}

// A contextRow is a call that does a lot.
type contextRow struct {
	name string
	do   func(ctx context.Context) error
}

func contextRows(t *testing.T) []contextRow {
	t.Helper()
	w := newSendFixture(t)
	plain := "From: alice@example.com\r\nTo: bob@example.com\r\nContent-Type: text/plain\r\n\r\n" + strings.Repeat("0123456789abcdef\r\n", 100_000)
	in := func() io.Reader { return strings.NewReader(plain) }
	var many []*smime.Recipient
	for range 200 {
		many = append(many, w.toBob...)
	}
	var sealed, encrypted bytes.Buffer
	if err := errors.Join(
		smime.Seal(t.Context(), &sealed, in(), w.alice, many, nil),
		smime.Encrypt(t.Context(), &encrypted, in(), many, nil),
	); err != nil {
		t.Fatal(err)
	}
	rows := []contextRow{
		{"Sign", func(ctx context.Context) error { return smime.Sign(ctx, io.Discard, in(), w.alice, nil) }},
		{"Encrypt", func(ctx context.Context) error { return smime.Encrypt(ctx, io.Discard, in(), many, nil) }},
		{"Seal", func(ctx context.Context) error { return smime.Seal(ctx, io.Discard, in(), w.alice, many, nil) }},
		{"Decrypt", func(ctx context.Context) error {
			_, err := smime.Decrypt(ctx, io.Discard, bytes.NewReader(encrypted.Bytes()), smime.Identities{w.bob}, nil)
			return err
		}},
		{"Unseal", func(ctx context.Context) error {
			_, _, err := smime.Unseal(ctx, io.Discard, bytes.NewReader(sealed.Bytes()), smime.Identities{w.bob}, w.trust, nil)
			return err
		}},
		openRow(w, "sealed", sealed.Bytes()),
		openRow(w, "compressed", compressedEntity(t, []byte(plain))),
	}
	for name, spec := range products.Named() {
		mail, err := products.Message(spec)
		if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, openRow(w, name, mail))
		if spec.Compressed+spec.Encrypted > 0 {
			continue // Verify refuses it at once
		}
		rows = append(rows, contextRow{"Verify " + name, func(ctx context.Context) error {
			_, err := smime.Verify(ctx, io.Discard, bytes.NewReader(mail), w.trust, nil)
			return err
		}})
	}
	return rows
}

func openRow(w *sendFixture, name string, mail []byte) contextRow {
	return contextRow{"Open " + name, func(ctx context.Context) error {
		m, err := smime.Open(ctx, bytes.NewReader(mail), &smime.OpenOptions{Trust: w.trust, Keys: smime.Identities{w.bob}})
		if err != nil {
			return err
		}
		return m.Close()
	}}
}

// TestContextIsAsked requires that no call works for long without looking at its
// context, and that a call ends with its error and little more work, wherever it
// is when the context ends.
func TestContextIsAsked(t *testing.T) {
	const (
		longest = time.Second // the aim is a tenth; machines that run tests are busy
		further = 5           // questions asked after the one that was answered with an error
	)
	for _, row := range contextRows(t) {
		t.Run(row.name, func(t *testing.T) {
			var gap time.Duration
			var asked int
			var limit bool
			for range 5 {
				c := watchContext(t, 0)
				limit = errors.Is(row.do(c), smime.ErrLimit) // many of the messages are refused
				c.look()
				asked = c.asked
				if gap = c.longest; gap < longest {
					break
				}
			}
			if gap >= longest {
				t.Errorf("nobody looks at the context for %v", gap)
			}
			if asked < 3 {
				t.Fatalf("the context is looked at %d times", asked)
			}
			for last := 1; last < asked; last += 1 + asked/8 {
				c := watchContext(t, last)
				err := row.do(c)
				if c.asked < last {
					continue // keys and signatures are of random length
				}
				// The limit may be reached before the error of the context is seen.
				if !errors.Is(err, context.Canceled) && !(limit && errors.Is(err, smime.ErrLimit)) {
					t.Errorf("cancelled at question %d of %d: %v", last, asked, err)
				}
				if n := c.asked - last; n > further {
					t.Errorf("cancelled at question %d of %d, and %d more are asked", last, asked, n)
				}
			}
		})
	}
}

// A cancellingSource cancels when it is asked for the time numbered last.
type cancellingSource struct {
	last   int32
	asked  atomic.Int32
	cancel func()
}

func (s *cancellingSource) Find(context.Context, chain.Query) iter.Seq2[*chain.Entry, error] {
	if s.asked.Add(1) == s.last {
		s.cancel()
	}
	return func(func(*chain.Entry, error) bool) {}
}

// TestFindRecipientsCancelled requires that sources are asked for no more
// mailboxes than are being looked up when the context ends.
func TestFindRecipientsCancelled(t *testing.T) {
	var boxes []string
	for i := range 500 {
		boxes = append(boxes, fmt.Sprintf("p%d@example.com", i))
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &cancellingSource{last: 100, cancel: cancel}
	_, err := smime.FindRecipients(ctx, boxes, chain.NewCollection(chain.Untrusted(s)), nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if n := s.asked.Load(); n < s.last || n > s.last+50 {
		t.Errorf("the source was asked %d times, cancelled at %d", n, s.last)
	}
}
