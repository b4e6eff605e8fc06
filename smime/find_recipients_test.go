package smime_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A slowSource is a directory somewhere else.
type slowSource struct {
	chain.Source
	latency time.Duration
	fail    func(mailbox string)
	now     atomic.Int32 // looked up at this moment
	most    atomic.Int32
	total   atomic.Int32
}

func (s *slowSource) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	if q.Mailbox == "" {
		return s.Source.Find(ctx, q)
	}
	return func(yield func(*chain.Entry, error) bool) {
		n := s.now.Add(1)
		defer s.now.Add(-1)
		s.total.Add(1)
		for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
		}
		if s.fail != nil {
			s.fail(q.Mailbox)
		}
		select {
		case <-ctx.Done():
			yield(nil, ctx.Err())
			return
		case <-time.After(s.latency):
		}
		for e, err := range s.Source.Find(ctx, q) {
			if !yield(e, err) {
				return
			}
		}
	}
}

// newCrowd returns mailboxes of which every seventh has no certificate and one
// stands there twice, and a source of the certificates.
func newCrowd(t *testing.T, w *sendFixture, n int) (boxes []string, src *slowSource) {
	var certs []*x509.Certificate
	for i := range n {
		boxes = append(boxes, fmt.Sprintf("p%d@example.com", i))
		if i%7 != 3 {
			certs = append(certs, w.ca.Identity(boxes[i]).Certificate())
		}
	}
	return append(boxes, boxes[1], boxes[3]), &slowSource{Source: chain.Certs(certs...), latency: 100 * time.Millisecond}
}

// TestFindRecipientsTogether: a slow directory is asked for several people at a
// time, within a bound, and the answer is the same as one by one.
func TestFindRecipientsTogether(t *testing.T) {
	w := newSendFixture(t)
	boxes, src := newCrowd(t, w, 200)
	synctest.Test(t, func(t *testing.T) {
		var calls, inside atomic.Int32
		start := time.Now()
		list, err := smime.FindRecipients(t.Context(), boxes, w.ca.Trust().With(chain.Untrusted(src)), &smime.RecipientOptions{
			Chain: chain.Options{
				At: smimetest.Now(), // the clock of the bubble is another
				Check: func(*chain.Path) error {
					if inside.Add(1) != 1 {
						t.Error("Check is called twice at a time")
					}
					runtime.Gosched()
					inside.Add(-1)
					return nil
				},
			},
			Capabilities: func(string, *x509.Certificate) smime.Capabilities {
				if inside.Add(1) != 1 {
					t.Error("Capabilities is called twice at a time")
				}
				calls.Add(1)
				inside.Add(-1)
				return nil
			},
		})
		if took := time.Since(start); took > 4*time.Second {
			t.Errorf("took %v for 200 times %v", took, src.latency)
		}
		if src.most.Load() < 2 || src.most.Load() > 8 || src.total.Load() != 200 {
			t.Errorf("%d at a time, %d times in all", src.most.Load(), src.total.Load())
		}
		var failed smime.RecipientErrors
		if !errors.As(err, &failed) || len(list) != len(boxes) {
			t.Fatalf("%d recipients, %v", len(list), err)
		}
		n, found := 0, 0
		for i, box := range boxes {
			if i%200%7 != 3 && i != 201 {
				if found++; list[i] == nil || list[i].Mailbox() != box {
					t.Errorf("%s: %v", box, list[i])
				}
				continue
			}
			if list[i] != nil || n == len(failed) || failed[n].Mailbox != box || !errors.Is(failed[n], smime.ErrNoCertificate) {
				t.Fatalf("%s: %v", box, failed)
			}
			n++
		}
		if n != len(failed) || found != 172 || int(calls.Load()) != found-1 {
			t.Errorf("%d found, %d calls, %d errors of %d", found, calls.Load(), n, len(failed))
		}
	})
}

func TestFindRecipientsStops(t *testing.T) {
	w := newSendFixture(t)
	boxes, src := newCrowd(t, w, 40)
	synctest.Test(t, func(t *testing.T) {
		src.latency = time.Hour
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		list, err := smime.FindRecipients(ctx, boxes, w.ca.Trust().With(chain.Untrusted(src)), nil)
		var failed smime.RecipientErrors
		if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &failed) || len(failed) != len(boxes) || len(list) != len(boxes) {
			t.Errorf("%d recipients, %v", len(list), err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

// TestFindRecipientsPanic: what a source of the caller does is seen where the
// caller can recover from it.
func TestFindRecipientsPanic(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	boxes, src := newCrowd(t, w, 20)
	src.latency = 0
	src.fail = func(box string) {
		if box == boxes[11] {
			panic("a bug in the source")
		}
	}
	defer func() {
		if p := recover(); p != "a bug in the source" {
			t.Errorf("recovered %v", p)
		}
	}()
	list, err := smime.FindRecipients(t.Context(), boxes, w.ca.Trust().With(chain.Untrusted(src)), nil)
	t.Errorf("%d recipients, %v", len(list), err)
}

// TestFindRecipientsExit: nobody is missing silently whose source ended the
// goroutine, as t.FailNow does.
func TestFindRecipientsExit(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	boxes, src := newCrowd(t, w, 20)
	src.latency = 0
	src.fail = func(string) { runtime.Goexit() }
	list, err := smime.FindRecipients(t.Context(), boxes, w.ca.Trust().With(chain.Untrusted(src)), nil)
	var failed smime.RecipientErrors
	if !errors.As(err, &failed) || len(failed) != len(boxes) || len(list) != len(boxes) {
		t.Errorf("%d recipients, %v", len(list), err)
	}
}
