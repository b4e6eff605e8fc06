package chain_test

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// pkitsLists returns a folder with the CRLs of PKITS, from the corpus or from
// Debian's python3-cryptography-vectors; "" if there is none.
func pkitsLists() string {
	_, file, _, _ := runtime.Caller(0)
	for _, dir := range []string{
		filepath.Join(os.Getenv("GOSMIME_CORPUS"), "pkits", "crls"),
		filepath.Join(filepath.Dir(file), "..", "..", "shared", "corpus", "pkits", "crls"),
		"/usr/lib/python3/dist-packages/cryptography_vectors/x509/PKITS_data/crls",
	} {
		if _, err := os.Stat(filepath.Join(dir, "TrustAnchorRootCRL.crl")); err == nil {
			return dir
		}
	}
	return ""
}

// needsLists says which cases are decided by CRLs.
func needsLists(name string) bool {
	for _, p := range []string{"4.4.", "4.5.2 ", "4.5.5 ", "4.5.7 ", "4.7.4 ", "4.7.5 ", "4.14.", "4.15."} {
		if strings.HasPrefix(name, p) {
			return true
		}
	}
	return false
}

// TestPKITSOfGo runs PKITS from the Go distribution, which has the
// expectations and the certificates, so that it runs wherever Go is. With no
// CRLs at hand the cases that need them are left out.
func TestPKITSOfGo(t *testing.T) {
	dir := filepath.Join(suites.GOROOT(t), "src", "crypto", "x509", "testdata", "nist-pkits")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("this Go has no PKITS")
	}
	var cases []struct {
		Name                        string
		CertPath, CRLPath           []string
		ShouldValidate              bool
		InitialPolicySet            []string
		InitialPolicyMappingInhibit bool
		InitialExplicitPolicy       bool
		InitialAnyPolicyInhibit     bool
	}
	readJSON(t, filepath.Join(dir, "vectors.json"), &cases)
	if len(cases) != 249 {
		t.Fatalf("%d cases, want 249", len(cases))
	}
	lists := pkitsLists()
	run := 0
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			if lists == "" && needsLists(c.Name) {
				return
			}
			run++
			var path, crls [][]byte
			for _, name := range c.CertPath {
				path = append(path, readFile(t, filepath.Join(dir, "certs", name)))
			}
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose, Options: chain.Options{
				At: time.Date(2011, 4, 15, 0, 0, 0, 0, time.UTC), InsecureSHA1: true, InsecureShortKeys: true,
				Revocation: chain.InsecureSkipRevocation, RequireExplicitPolicy: c.InitialExplicitPolicy,
				InhibitPolicyMapping: c.InitialPolicyMappingInhibit, InhibitAnyPolicy: c.InitialAnyPolicyInhibit,
			}}
			if lists != "" {
				p.Revocation = chain.RevocationRequireAll
				for _, name := range c.CRLPath {
					crls = append(crls, readFile(t, filepath.Join(lists, name)))
				}
			}
			for _, name := range c.InitialPolicySet {
				if name == "anyPolicy" {
					continue
				}
				o, err := x509.ParseOID("2.16.840.1.101.3.2.1.48." + strings.TrimPrefix(name, "NIST-test-policy-"))
				if err != nil {
					t.Fatal(err)
				}
				p.Policies = append(p.Policies, o)
			}
			last := len(path) - 1
			trust := chain.NewCollection(chain.Anchors(chain.DER(path[0])), chain.Untrusted(chain.DER(path[1:last]...)), chain.Untrusted(chain.DER(crls...)))
			_, err := trust.Verify(t.Context(), &x509.Certificate{Raw: path[last]}, p)
			number, _, _ := strings.Cut(c.Name, " ")
			if why := pkitsExceptions(number); why != "" {
				if (err == nil) == c.ShouldValidate {
					t.Errorf("stale exception: %s", why)
				}
				return
			}
			if (err == nil) != c.ShouldValidate {
				t.Errorf("valid %v, want %v: %v", err == nil, c.ShouldValidate, err)
			}
		})
	}
	if run < 150 {
		t.Errorf("only %d cases", run)
	}
	t.Logf("%d cases, CRLs of %q", run, lists)
}
