package chain_test

import (
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

type limboCase struct {
	ID            string
	Features      []string
	Trusted       []string `json:"trusted_certs"`
	Intermediates []string `json:"untrusted_intermediates"`
	Peer          string   `json:"peer_certificate"`
	Time          *string  `json:"validation_time"`
	EKU           []string `json:"extended_key_usage"`
	Expected      string   `json:"expected_result"`
	Depth         *int     `json:"max_chain_depth"`
	CRLs          []string
}

// limboElsewhere says which cases are not about path validation.
func limboElsewhere(id string) bool {
	return strings.HasPrefix(id, "webpki::") || strings.HasPrefix(id, "online::")
}

// limboExceptions are the cases with another outcome, and why.
func limboExceptions(id string) string {
	switch id {
	case "crl::crlnumber-missing", "crl::crlnumber-critical":
		return "RFC 5280 section 5.2.3 binds who issues CRLs; to refuse one would keep it from condemning"
	case "crl::issuer-no-keyusage-extension":
		return "RFC 10007 section 4, newer than the case: a v3 CRL issuer needs keyUsage with cRLSign"
	case "pathlen::max-chain-depth-1-self-issued":
		return "Limits.Depth counts every certificate, self-issued ones too"
	case "rfc5280::eku::ee-wrong-eku":
		return "there is no purpose for TLS servers"
	case "rfc5280::ca-as-leaf-wrong-san", "rfc5280::san::underscore-dns", "rfc5280::san::ip-in-dns":
		return "names of hosts are not judged, unless a constraint speaks of them"
	case "rfc5280::aki::leaf-missing-aki", "rfc5280::aki::intermediate-missing-aki",
		"rfc5280::aki::cross-signed-root-missing-aki", "rfc5280::ski::root-missing-ski",
		"rfc5280::ski::intermediate-missing-ski":
		return "key identifiers are hints: a CA must write them, nothing depends on it"
	case "rfc5280::nc::permitted-dns-match-noncritical", "rfc5280::pc::ica-noncritical-pc",
		"rfc5280::root-non-critical-basic-constraints", "rfc5280::san::noncritical-with-empty-subject":
		return "what must be critical but isn't is processed all the same, and occurs"
	case "rfc5280::nc::invalid-dnsname-leading-period":
		return "enterprise CAs write it, and it constrains no less"
	case "rfc5280::serial::too-long", "rfc5280::serial::zero", "rfc5280::serial::negative":
		return "old mail has such serial numbers"
	case "rfc5280::leaf-ku-keycertsign":
		return "without cA the certificate can't issue, whatever keyUsage says"
	}
	return ""
}

// TestLimbo runs the cases of x509-limbo that are not about TLS servers.
func TestLimbo(t *testing.T) {
	var suite struct{ Testcases []limboCase }
	readJSON(t, suites.Corpus(t, "x509-limbo", "limbo.json"), &suite)
	run := 0
	for _, c := range suite.Testcases {
		if limboElsewhere(c.ID) {
			continue
		}
		run++
		t.Run(c.ID, func(t *testing.T) {
			var bag [][]byte
			for _, text := range append(c.Intermediates, c.CRLs...) {
				bag = append(bag, unPEM(t, text))
			}
			var anchors [][]byte
			for _, text := range c.Trusted {
				anchors = append(anchors, unPEM(t, text))
			}
			trust := chain.NewCollection(chain.Anchors(chain.DER(anchors...)), chain.Untrusted(chain.DER(bag...)))
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose}
			if len(c.CRLs) > 0 {
				p.Revocation = chain.RevocationRequireLeaf
			}
			if c.Time != nil {
				at, err := time.Parse(time.RFC3339, *c.Time)
				if err != nil {
					t.Fatal(err)
				}
				p.At = at
			}
			if c.Depth != nil {
				p.Limits.Depth = *c.Depth + 2 // the suite counts intermediates
			}
			_, err := trust.Verify(t.Context(), &x509.Certificate{Raw: unPEM(t, c.Peer)}, p)
			why := limboExceptions(c.ID)
			if (err == nil) != (c.Expected == "SUCCESS") {
				if why == "" {
					t.Errorf("want %s: %v", c.Expected, err)
				}
				return
			}
			if why != "" {
				t.Errorf("stale exception: %s", why)
			}
			if err != nil {
				checkError(t, err)
				t.Log(err)
			}
		})
	}
	if run != 138 {
		t.Errorf("%d cases, want 138", run)
	}
}

func unPEM(t testing.TB, text string) []byte {
	t.Helper()
	b, _ := pem.Decode([]byte(text))
	if b == nil {
		t.Fatal("no PEM block")
	}
	return b.Bytes
}
