package chain

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
)

// blocks returns the PEM blocks of a file by their type.
func blocks(t *testing.T, file string) map[string][]byte {
	t.Helper()
	rest, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string][]byte{}
	for {
		var b *pem.Block
		if b, rest = pem.Decode(rest); b == nil {
			return m
		}
		m[b.Type] = b.Bytes
	}
}

// revocationOutcome says in one word what is known about the certificate. The
// path is taken as valid: the suite's anchors are no CAs by their extensions.
func revocationOutcome(t *testing.T, b map[string][]byte, at time.Time, evidence []byte) string {
	t.Helper()
	var path []*certificate
	var anchors [][]byte
	for _, kind := range []string{"CERTIFICATE", "CA CERTIFICATE", "CA CERTIFICATE 2"} {
		if b[kind] == nil {
			continue
		}
		c, err := parseCertificate(b[kind])
		if err != nil {
			return "error"
		}
		path = append(path, c)
		anchors = [][]byte{b[kind]}
	}
	trust := NewCollection(Anchors(DER(anchors...)), Untrusted(DER(evidence, path[1].Raw)))
	p := Policy{Purpose: InsecureAnyPurpose, Options: Options{
		At: at, Revocation: RevocationRequireLeaf, InsecureSHA1: true, InsecureShortKeys: true,
	}}
	p.Limits = p.Limits.withDefaults()
	status, err := newVerification(trust, p, time.Now()).revocation(t.Context(), path, 0)
	switch {
	case err == nil && status.Status == StatusGood:
		return "good"
	case err != nil && err.Reason == ErrRevoked:
		return "revoked"
	case err != nil && err.Reason == ErrRevocationUnknown:
		t.Log(err)
		return "unknown"
	}
	return "error"
}

// crlExceptions are the CRLs with another outcome, and why.
func crlExceptions(name string) (outcome, why string) {
	switch name {
	case "bad_crldp_has_crlissuer":
		return "good", "RFC 5280 section 6.3.3: a CRL of the certificate's issuer counts whatever the distribution points say"
	case "bad_idp_indirectcrl":
		return "good", "indirect CRLs are supported"
	case "bad_thisupdate_too_old":
		return "good", "its nextUpdate is yet to come; seven days are a policy of browsers"
	case "good_fake_extension_no_nextupdate", "good_no_nextupdate":
		return "unknown", "a CRL without nextUpdate is never known to be current"
	case "good_issuer_no_keyusage":
		return "unknown", "RFC 10007 section 4: the issuer needs a key usage with cRLSign"
	case "invalid_revoked_empty_sequence":
		return "good", "an empty list of entries occurs and can't be misread"
	case "invalid_v1_with_crlentryextension":
		return "revoked", "a wrong version number takes no revocation back"
	}
	return "", ""
}

func TestBoringSSLCRLs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "boringssl-pki", "crl_unittest"), "*.pem"))
	if err != nil || len(files) != 66 {
		t.Fatalf("%d files, want 66: %v", len(files), err)
	}
	at := time.Date(2017, 3, 9, 0, 0, 0, 0, time.UTC)
	count := map[string]int{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name := strings.TrimSuffix(filepath.Base(file), ".pem")
			kind, _, _ := strings.Cut(name, "_")
			want := map[string]string{"good": "good", "revoked": "revoked", "bad": "unknown", "invalid": "unknown"}[kind]
			outcome, why := crlExceptions(name)
			if outcome == want {
				t.Errorf("%s: stale exception", name)
			}
			if why != "" {
				want = outcome
			}
			b := blocks(t, file)
			got := revocationOutcome(t, b, at, b["CRL"])
			if got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			count[got]++
		})
	}
	t.Log(count)
}

func TestBoringSSLOCSP(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "boringssl-pki", "ocsp_unittest"), "*.pem"))
	if err != nil || len(files) != 36 {
		t.Fatalf("%d files, want 36: %v", len(files), err)
	}
	at := time.Date(2017, 3, 5, 0, 0, 0, 0, time.UTC)
	count := map[string]int{}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			name := strings.TrimSuffix(filepath.Base(file), ".pem")
			b := blocks(t, file)
			got := revocationOutcome(t, b, at, b["OCSP RESPONSE"])
			if want := ocspOutcome(name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
			count[got]++
		})
	}
	t.Log(count)
}

func ocspOutcome(name string) string {
	switch name {
	case "good_response", "good_response_next_update", "good_response_sha256", "has_extension",
		"has_single_extension", "has_version", "ocsp_extra_certs", "ocsp_sign_direct",
		"responder_id", "responder_name":
		return "good"
	case "multiple_response_good_revoked", "revoke_response", "revoke_response_reason":
		return "revoked"
	case "ocsp_sign_indirect":
		return "unknown" // the anchor, which must validate the responder, is no CA by its own extensions
	case "good_response_invalid_serial":
		return "error" // the certificate can't be read
	}
	return "unknown"
}
