package chain_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// boringExceptions are the cases with another outcome, and why.
func boringExceptions(name string) string {
	switch name {
	case "expired-root/not-after-ta-with-constraints.test", "expired-root/not-after.test", "expired-root/not-before.test",
		"root-basic-constraints-ca-false/main.test", "root-lacks-basic-constraints/main.test",
		"root-lacks-basic-constraints/ta-with-constraints.test",
		"root-lacks-basic-constraints/ta-with-require-basic-constraints.test",
		"root-lacks-keycertsign-key-usage/main.test", "violates-pathlen-1-from-root/main.test":
		return "an anchor is held to what it says about itself"
	case "policies-inhibit-anypolicy-by-root-fail/ta-with-constraints.test",
		"policies-inhibit-mapping-by-root-fail/ta-with-constraints.test",
		"policies-on-root-wrong/ta-with-constraints.test",
		"policies-required-by-root-fail/ta-with-constraints.test",
		"policy-mappings-on-root-fail/ta-with-constraints.test":
		return "policies of an anchor are not processed (RFC 5280 section 6.2)"
	case "intermediate-eku-mlsclientauth/mlsclientauth.test":
		return "a critical extension for messaging systems"
	case "target-msapplicationpolicies-and-eku/main.test":
		return "Microsoft's application policies are not understood, and critical here"
	case "target-and-intermediate/trusted_leaf-root.test", "target-only/trusted_anchor.test",
		"target-only/trusted_leaf_require_self_signed.test", "target-selfissued/trusted_anchor.test",
		"target-selfissued/trusted_leaf_require_self_signed.test":
		return "whether the last certificate may be an anchor is for the caller to say"
	}
	return ""
}

// A boringCase is a .test file: "key: value" lines, the errors last.
type boringCase struct {
	chain, trust, purpose, digest string
	at                            time.Time
	policies                      []string
	hasPolicies                   bool
	errors                        []string
}

func readBoring(t *testing.T, path string) (c boringCase) {
	t.Helper()
	c.at = time.Date(2021, 10, 5, 12, 0, 0, 0, time.UTC) // DEFAULT
	text := string(readFile(t, path))
	head, errs, _ := strings.Cut(text, "expected_errors:")
	for line := range strings.Lines(errs) {
		if m, ok := strings.CutPrefix(strings.TrimSpace(line), "ERROR: "); ok {
			c.errors = append(c.errors, m)
		}
	}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		switch key {
		case "chain":
			c.chain = value
		case "last_cert_trust":
			c.trust = value
		case "key_purpose":
			c.purpose = value
		case "digest_policy":
			c.digest = value
		case "utc_time":
			if value != "DEFAULT" {
				at, err := time.Parse("060102150405Z", value)
				if err != nil {
					t.Fatal(err)
				}
				c.at = at
			}
		case "expected_user_constrained_policy_set":
			c.hasPolicies = true
			c.policies = strings.Split(value, ", ")
			slices.Sort(c.policies)
		}
	}
	return c
}

// aboutTLS reports whether the errors are only those of purposes that this
// package doesn't have.
func (c *boringCase) aboutTLS() bool {
	for _, e := range c.errors {
		if !strings.Contains(e, "xtended key usage") && !strings.Contains(e, "rcsMlsClient") &&
			!strings.Contains(e, "should not be a CA") {
			return false
		}
	}
	return len(c.errors) > 0
}

// TestBoringSSLChains runs BoringSSL's tests of certificate chains. Policies
// are not compared where those of the anchor would count.
func TestBoringSSLChains(t *testing.T) {
	dir := suites.Corpus(t, "boringssl-pki", "verify_certificate_chain_unittest")
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.test"))
	if err != nil || len(files) != 189 {
		t.Fatalf("%d files, want 189: %v", len(files), err)
	}
	run := 0
	for _, file := range files {
		c := readBoring(t, file)
		if c.aboutTLS() {
			continue
		}
		run++
		name := filepath.Base(filepath.Dir(file)) + "/" + filepath.Base(file)
		t.Run(name, func(t *testing.T) {
			certs := boringChain(t, filepath.Join(filepath.Dir(file), c.chain))
			last := certs[len(certs)-1]
			trust := chain.NewCollection(chain.Untrusted(chain.DER(certs[1:]...)))
			switch c.trust {
			case "DISTRUSTED":
				trust = trust.With(chain.Anchors(chain.DER(last)), chain.Disallowed(chain.DER(last)))
			case "UNSPECIFIED":
			default:
				trust = trust.With(chain.Anchors(chain.DER(last)))
			}
			strong := c.digest == "STRONG"
			p := chain.Policy{Purpose: chain.InsecureAnyPurpose, Options: chain.Options{
				At: c.at, InsecureSHA1: !strong, InsecureShortKeys: !strong,
			}}
			path, err := trust.Verify(t.Context(), &x509.Certificate{Raw: certs[0]}, p)
			why := boringExceptions(name)
			if (err == nil) != (len(c.errors) == 0) {
				if why == "" {
					t.Errorf("%s, want errors %v: %v", c.trust, c.errors, err)
				}
				return
			}
			if why != "" {
				t.Errorf("stale exception: %s", why)
			}
			if err != nil {
				checkError(t, err)
				t.Log(err)
			} else if got := names(path.Policies()); c.hasPolicies && !strings.Contains(name, "-on-root-") && !slices.Equal(got, c.policies) {
				t.Errorf("policies %v, want %v", got, c.policies)
			}
		})
	}
	if run < 100 {
		t.Errorf("only %d cases", run)
	}
}

func boringChain(t *testing.T, path string) (certs [][]byte) {
	t.Helper()
	rest := readFile(t, filepath.Clean(path))
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			break
		}
		if b.Type == "CERTIFICATE" {
			certs = append(certs, bytes.Clone(b.Bytes))
		}
	}
	if len(certs) == 0 {
		t.Fatal("no certificates")
	}
	return certs
}
