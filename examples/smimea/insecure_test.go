package main

import (
	"bytes"
	"errors"
	"net"
	"testing"

	"github.com/miekg/dns"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestNothingFound says why a look-up found nobody.
func TestNothingFound(t *testing.T) {
	bob := smimetest.NewCA(t).Identity("bob@example.com")
	full, digest := record(t, "bob@example.com", 3, 0, 0, bob.Certificate().Raw), record(t, "bob@example.com", 1, 0, 1, make([]byte, 32))
	for _, tt := range []struct {
		name      string
		record    string // empty: none
		rcode     int
		validated bool
		want      error // nil: found
	}{
		{"validated", full, dns.RcodeSuccess, true, nil},
		{"not validated", full, dns.RcodeSuccess, false, ErrInsecure},
		{"no record, not validated", "", dns.RcodeNameError, false, ErrInsecure},
		{"no such name", "", dns.RcodeNameError, true, ErrNoRecords},
		{"no record", "", dns.RcodeSuccess, true, ErrNoRecords},
		{"a digest alone", digest, dns.RcodeSuccess, true, ErrNotInFull},
	} {
		t.Run(tt.name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			server := &dns.Server{Listener: listener, Handler: dns.HandlerFunc(func(w dns.ResponseWriter, q *dns.Msg) {
				m := new(dns.Msg).SetRcode(q, tt.rcode)
				m.AuthenticatedData = tt.validated
				if tt.record != "" {
					rr, err := dns.NewRR(tt.record)
					if err != nil {
						t.Error(err)
					}
					m.Answer = []dns.RR{rr}
				}
				w.WriteMsg(m)
			})}
			go server.ActivateAndServe()
			t.Cleanup(func() { server.Shutdown() })
			var out bytes.Buffer
			mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
			err = run(t.Context(), &Resolver{Server: listener.Addr().String()}, []string{"bob@example.com"}, bytes.NewReader(mail), &out)
			if tt.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, tt.want) || out.Len() > 0 {
				t.Errorf("%v, want %v", err, tt.want)
			}
			if _, ok := errors.AsType[smime.RecipientErrors](err); ok != (tt.want != ErrInsecure) {
				t.Errorf("%v", err)
			}
		})
	}
}
