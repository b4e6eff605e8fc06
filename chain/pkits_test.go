package chain_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"crypto/x509"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

type pkitsCase struct {
	Number      string
	Subpart     int
	Title       string
	TrustAnchor string `json:"trust_anchor"`
	Target      string
	Certs       []string
	CRLs        []string `json:"crls"`
	InitialSet  []string `json:"initial_policy_set"`
	Explicit    bool     `json:"initial_explicit_policy"`
	NoMapping   bool     `json:"initial_policy_mapping_inhibit"`
	NoAny       bool     `json:"initial_inhibit_any_policy"`
	UserSet     []string `json:"user_constrained_policy_set"`
	Valid       bool     `json:"should_validate"`
}

// pkitsExceptions are the cases with another outcome, and why.
func pkitsExceptions(number string) string {
	switch number {
	case "4.1.4", "4.1.5":
		return "DSA is not supported: its certificates are gone and its parameters may be inherited"
	}
	return ""
}

// TestPKITS runs the Public Key Interoperability Test Suite of the NIST.
func TestPKITS(t *testing.T) {
	dir := suites.Corpus(t, "pkits")
	var suite struct {
		Time       time.Time         `json:"verification_time"`
		PolicyOIDs map[string]string `json:"policy_oids"`
		Tests      []pkitsCase
	}
	readJSON(t, filepath.Join(dir, "pkits_expectations.json"), &suite)
	if len(suite.Tests) != 249 {
		t.Fatalf("%d cases, want 249", len(suite.Tests))
	}
	file := func(elem ...string) []byte { return readFile(t, filepath.Join(append([]string{dir}, elem...)...)) }
	oids := func(names []string) (out []x509.OID) {
		for _, n := range names {
			o, err := x509.ParseOID(suite.PolicyOIDs[n])
			if err != nil {
				t.Fatalf("policy %s: %v", n, err)
			}
			out = append(out, o)
		}
		return out
	}
	for _, c := range suite.Tests {
		t.Run(c.Number+"/"+c.Title, func(t *testing.T) {
			var bag [][]byte
			for _, name := range c.Certs {
				if name != c.TrustAnchor && name != c.Target {
					bag = append(bag, file("certs", name))
				}
			}
			for _, name := range c.CRLs {
				bag = append(bag, file("crls", name))
			}
			trust := chain.NewCollection(
				chain.Anchors(chain.DER(file("certs", c.TrustAnchor))), chain.Untrusted(chain.DER(bag...)))
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose, Options: chain.Options{
				At: suite.Time, Revocation: chain.RevocationRequireAll, InsecureSHA1: true, InsecureShortKeys: true,
				RequireExplicitPolicy: c.Explicit, InhibitPolicyMapping: c.NoMapping, InhibitAnyPolicy: c.NoAny,
			}}
			if !slices.Equal(c.InitialSet, []string{"anyPolicy"}) {
				p.Policies = oids(c.InitialSet)
			}
			path, err := trust.Verify(t.Context(), &x509.Certificate{Raw: file("certs", c.Target)}, p)
			why := pkitsExceptions(c.Number)
			if (err == nil) != c.Valid {
				if why == "" {
					t.Fatalf("valid: %v, want %v: %v", err == nil, c.Valid, err)
				}
				return
			}
			if why != "" {
				t.Fatalf("stale exception: %s", why)
			}
			if err != nil {
				checkError(t, err)
				return
			}
			if got, want := names(path.Policies()), names(oids(c.UserSet)); !slices.Equal(got, want) {
				t.Errorf("policies %v, want %v", got, want)
			}
		})
	}
}

func names(oids []x509.OID) (out []string) {
	for _, o := range oids {
		out = append(out, o.String())
	}
	slices.Sort(out)
	return out
}

// checkError holds an error of Verify to what its doc says.
func checkError(t *testing.T, err error) {
	t.Helper()
	e, ok := errors.AsType[*chain.Error](err)
	if !ok || e.Reason == 0 || !errors.Is(err, e.Reason) {
		t.Fatalf("not a *chain.Error with a reason: %v", err)
	}
	if e.Cert == nil {
		t.Errorf("no certificate in %v", err)
	}
	if e.Detail == "" && e.Err == nil {
		t.Errorf("no detail in %v", err)
	}
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	if err := json.Unmarshal(readFile(t, path), v); err != nil {
		t.Fatal(err)
	}
}
