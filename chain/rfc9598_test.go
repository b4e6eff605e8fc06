package chain_test

import (
	"testing"
	"time"

	"crypto/x509"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestRFC9598 runs the checks that OpenSSL makes with the certificates of RFC
// 9598 appendix B: addresses beyond ASCII under constraints on their domains.
func TestRFC9598(t *testing.T) {
	load := func(name string) []*x509.Certificate {
		var list []*x509.Certificate
		for _, der := range boringChain(t, suites.Corpus(t, "rfc9598-smtputf8", name)) {
			list = append(list, &x509.Certificate{Raw: der})
		}
		return list
	}
	run := 0
	for _, tt := range []struct {
		leaf, chain, mailbox string
		want                 chain.Reason
	}{
		{"ascii_leaf.pem", "ascii_chain.pem", "学生@elementary.school.example.com", 0},
		{"utf8_leaf.pem", "utf8_chain.pem", "医生@大学.example.com", 0},
		{"ascii_leaf.pem", "ascii_chain.pem", "", 0},
		{"utf8_leaf.pem", "utf8_chain.pem", "", 0},
		{"utf8_leaf.pem", "ascii_chain.pem", "", chain.ErrNameConstraint},
		{"ascii_leaf.pem", "utf8_chain.pem", "", chain.ErrNameConstraint},
		{"kdc-cert.pem", "kdc-root-cert.pem", "joe@example.com", 0},
		{"kdc-cert.pem", "kdc-root-cert.pem", "moe@example.com", chain.ErrWrongMailbox},
	} {
		t.Run(tt.leaf+" below "+tt.chain+" "+tt.mailbox, func(t *testing.T) {
			leaf, bag := load(tt.leaf)[0], load(tt.chain)
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose, Mailbox: tt.mailbox, Options: chain.Options{
				InsecureSHA1: true, InsecureShortKeys: true}}
			c, err := x509.ParseCertificate(leaf.Raw)
			if err != nil {
				t.Fatal(err)
			}
			p.At = c.NotBefore.Add(time.Hour)
			trust := chain.NewCollection(chain.Anchors(chain.Certs(bag[len(bag)-1])), chain.Untrusted(chain.Certs(bag...)))
			_, err = trust.Verify(t.Context(), leaf, p)
			t.Log(tt.leaf, tt.chain, tt.mailbox)
			wantReason(t, err, tt.want)
			run++
		})
	}
	if run != 8 {
		t.Error(run)
	}
}
