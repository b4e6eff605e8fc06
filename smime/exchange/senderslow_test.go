package exchange_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A slowDirectory takes a tenth of a second for each address.
type slowDirectory struct{ chain.Source }

func (d slowDirectory) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	if q.Mailbox != "" {
		time.Sleep(100 * time.Millisecond)
	}
	return d.Source.Find(ctx, q)
}

// TestSlowDirectory: many people are looked up in little time, by any of their
// addresses, and who is missing is told in order, blind copies last.
func TestSlowDirectory(t *testing.T) {
	ca := smimetest.NewCA(t)
	var certs []*x509.Certificate
	var to, bcc []exchange.Person
	for i := range 200 {
		p := exchange.Person{Mailbox: fmt.Sprintf("p%d@example.com", i), Proxies: []string{fmt.Sprintf("x%d@example.com", i), fmt.Sprintf("y%d@example.com", i)}}
		at := p.Mailbox
		if i%10 == 0 {
			at = p.Proxies[1]
		}
		certs = append(certs, ca.Identity(at).Certificate())
		if to = append(to, p); i%4 == 0 {
			to, bcc = to[:len(to)-1], append(bcc, p)
		}
	}
	s := exchange.Sender{Trust: ca.Trust().With(chain.Untrusted(slowDirectory{chain.Certs(certs...)}))}
	mail := smimetest.Mail(alice, "p1@example.com", "hello")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Until(smimetest.Now()))
		start := time.Now()
		var list []sent
		if err := s.Send(t.Context(), exchange.Outgoing{Message: bytes.NewReader(mail), To: to, BCC: bcc, Encrypt: true}, collect(&list)); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 5*time.Second || len(list) != 1+len(bcc) {
			t.Errorf("%d messages took %v", len(list), took)
		}
		list = nil
		missing := exchange.Person{Mailbox: "none@example.com", Proxies: []string{"nobody@example.com"}}
		other := exchange.Person{Mailbox: "bad address"}
		err := s.Send(t.Context(), exchange.Outgoing{Message: bytes.NewReader(mail), To: append([]exchange.Person{other}, to...), BCC: append(bcc, missing), Encrypt: true}, collect(&list))
		failed, ok := errors.AsType[smime.RecipientErrors](err)
		if !ok || len(failed) != 2 || len(list) > 0 {
			t.Fatalf("%d messages, %v", len(list), err)
		}
		if failed[0].Mailbox != other.Mailbox || !errors.Is(failed[0], smime.ErrMalformed) || failed[1].Mailbox != missing.Mailbox || !errors.Is(failed[1], smime.ErrNoCertificate) {
			t.Errorf("%v", []*smime.RecipientError(failed))
		}
	})
}
