package chain_test

import (
	"crypto/x509"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestWeakChains judges certificates of the golden PKI that are below the
// floor, with each switch alone.
func TestWeakChains(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Case == "chain-rsa1024" || g.Case == "chain-sha1cert" || g.Case == "chain-md5cert"
	})
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(mustPEM(t, g.Read(t, g.Trust[0]))), chain.Untrusted(mustPEM(t, g.Read(t, g.Intermediates[0]))))
			leaf := &x509.Certificate{Raw: unPEM(t, string(g.Read(t, g.File)))}
			for _, on := range []struct{ sha1, short bool }{{}, {sha1: true}, {short: true}, {true, true}} {
				p := chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: chain.Options{
					InsecureSHA1: on.sha1, InsecureShortKeys: on.short}}
				_, err := trust.Verify(t.Context(), leaf, p)
				want := chain.ErrWeakAlgorithm
				if g.Case == "chain-sha1cert" && on.sha1 || g.Case == "chain-rsa1024" && on.short {
					want = 0
				}
				t.Log(g.Case, on)
				wantReason(t, err, want)
			}
		})
	}
}

// TestPostQuantum builds paths of ML-DSA certificates.
func TestPostQuantum(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "chain" && len(g.KeyAlg) > 2 && g.KeyAlg[:2] == "ML" && g.Expected == "ok"
	})
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(mustPEM(t, g.Read(t, g.Trust[0]))), chain.Untrusted(mustPEM(t, g.Read(t, g.Intermediates[0]))))
			p := chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true}
			if g.Usage == "encrypt" {
				p.Purpose = chain.EmailEncryption
			}
			path, err := trust.Verify(t.Context(), &x509.Certificate{Raw: unPEM(t, string(g.Read(t, g.File)))}, p)
			if err != nil {
				t.Errorf("%s: %v", g.Case, err)
				return
			}
			if len(path.Certificates()) < 2 {
				t.Error("too short")
			}
		})
	}
}
