package chain_test

import (
	"crypto/x509"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// pkitsRevoked are the cases of PKITS sections 4.4, 4.14 and 4.15 that the
// documentation of the suite calls revoked. The other refused ones lack a CRL
// that could show the certificate to be good.
func pkitsRevoked() []string {
	return []string{
		"4.4.2", "4.4.3", "4.4.15", "4.4.18", "4.4.20",
		"4.14.2", "4.14.6", "4.14.15", "4.14.16", "4.14.20", "4.14.21", "4.14.23", "4.14.31", "4.14.32", "4.14.34",
		"4.15.3", "4.15.4", "4.15.6", "4.15.9",
	}
}

// TestPKITSReasons holds that the suite's certificates are refused for what is
// wrong with them, and that only those that are revoked are where nothing is
// required to be known.
func TestPKITSReasons(t *testing.T) {
	dir := suites.Corpus(t, "pkits")
	var suite struct {
		Time  time.Time `json:"verification_time"`
		Tests []pkitsCase
	}
	readJSON(t, filepath.Join(dir, "pkits_expectations.json"), &suite)
	revoked, unknown, good := 0, 0, 0
	for _, c := range suite.Tests {
		t.Run(c.Number, func(t *testing.T) {
			if !strings.HasPrefix(c.Number, "4.4.") && !strings.HasPrefix(c.Number, "4.14.") && !strings.HasPrefix(c.Number, "4.15.") {
				return
			}
			var bag [][]byte
			for _, name := range c.Certs {
				bag = append(bag, readFile(t, filepath.Join(dir, "certs", name)))
			}
			for _, name := range c.CRLs {
				bag = append(bag, readFile(t, filepath.Join(dir, "crls", name)))
			}
			trust := chain.NewCollection(
				chain.Anchors(chain.DER(readFile(t, filepath.Join(dir, "certs", c.TrustAnchor)))), chain.Untrusted(chain.DER(bag...)))
			target := &x509.Certificate{Raw: readFile(t, filepath.Join(dir, "certs", c.Target))}
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose, Options: chain.Options{At: suite.Time, InsecureSHA1: true, InsecureShortKeys: true}}
			_, known := trust.Verify(t.Context(), target, p)
			p.Revocation = chain.RevocationRequireAll
			_, required := trust.Verify(t.Context(), target, p)
			var want, wantKnown error
			switch {
			case c.Valid:
				good++
			case slices.Contains(pkitsRevoked(), c.Number):
				want, wantKnown = chain.ErrRevoked, chain.ErrRevoked
				revoked++
			default:
				want = chain.ErrRevocationUnknown
				unknown++
			}
			if !errors.Is(required, want) || !errors.Is(known, wantKnown) {
				t.Errorf("%s %s: %v, want %v; where known: %v, want %v", c.Number, c.Title, required, want, known, wantKnown)
			}
		})
	}
	if revoked != 19 || unknown != 22 || good != 25 {
		t.Errorf("%d revoked, %d unknown, %d good", revoked, unknown, good)
	}
}

// TestConcurrentRevocation has many goroutines ask the same lists at once.
func TestConcurrentRevocation(t *testing.T) {
	root := newRoot(t, "Root")
	crl := list{by: root, number: 1, this: -day, next: day}
	var leaves []*party
	for i := range 16 {
		leaves = append(leaves, root.newLeaf(t, alice))
		if i%2 == 0 {
			crl.entries = append(crl.entries, listed{cert: leaves[i], date: -2 * day})
		}
	}
	response := response{by: root, produced: -day}
	for _, l := range leaves {
		response.answers = append(response.answers, reply{cert: l, issuer: root, this: -day, next: day})
	}
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(chain.DER(crl.der(t), response.der(t))))
	var wait sync.WaitGroup
	for i, l := range leaves {
		for range 2 {
			wait.Go(func() {
				_, err := trust.Verify(t.Context(), l.Certificate, signing())
				if i%2 == 0 {
					wantReason(t, err, chain.ErrRevoked)
				} else {
					wantReason(t, err, 0)
				}
			})
		}
	}
	wait.Wait()
}
