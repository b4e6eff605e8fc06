package chain_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestGoldenChains judges every end entity of the golden PKI, with today's
// floor and with that of the past.
func TestGoldenChains(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Operation == "chain" })
	if len(rows) < 100 {
		t.Fatalf("%d chains", len(rows))
	}
	for _, g := range rows {
		t.Run(g.Case, func(t *testing.T) {
			src := func(names []string) (list []chain.Source) {
				for _, n := range names {
					if der := g.Read(t, n); len(der) > 0 && der[0] == 0x30 {
						list = append(list, chain.DER(der))
						continue
					}
					list = append(list, mustPEM(t, g.Read(t, n)))
				}
				return list
			}
			trust := chain.NewCollection()
			for _, s := range src(g.Trust) {
				trust = trust.With(chain.Anchors(s))
			}
			for _, s := range src(append(g.Intermediates, g.CRLs...)) {
				trust = trust.With(chain.Untrusted(s))
			}
			block, _ := pem.Decode(g.Read(t, g.File))
			p := chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: chain.Options{
				At: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC),
			}}
			if g.Usage == "encrypt" {
				p.Purpose = chain.EmailEncryption
			}
			if len(g.SubjectEmails) > 0 {
				p.Mailbox, p.InsecureAnyMailbox = g.SubjectEmails[0], false
			}
			cert := &x509.Certificate{Raw: block.Bytes}
			_, err := trust.Verify(t.Context(), cert, p)
			if g.Legacy {
				if !errors.Is(err, chain.ErrWeakAlgorithm) {
					t.Errorf("default floor: %v", err)
				}
				p.InsecureSHA1, p.InsecureShortKeys = true, true
				_, err = trust.Verify(t.Context(), cert, p)
			}
			verdict := "ok"
			if err != nil {
				verdict = "fail"
				checkError(t, err)
				t.Log(err)
			}
			if !g.Accepts(verdict) && !(verdict == "ok" && g.Accepts("ok-with-warning")) {
				t.Errorf("%s, want %v (%s): %v", verdict, g.Accept, g.Reason, err)
			}
		})
	}
}

func mustPEM(t testing.TB, text []byte) chain.Source {
	t.Helper()
	s, err := chain.PEM(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
