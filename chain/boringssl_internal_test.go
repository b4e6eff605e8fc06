package chain

import (
	"encoding/json"
	"encoding/pem"
	"os"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/x509der"
)

// constraintExceptions are the checks with another outcome, and why.
func constraintExceptions(constraints, name string) string {
	switch constraints + " " + name {
	case "rfc822name-excluded.pem san-rfc822name-localpartcase.pem":
		return "a mailbox matches without regard to case, so an exclusion must too"
	case "rfc822name-permitted.pem san-rfc822name-quoted.pem",
		"rfc822name-permitted-hostname.pem san-rfc822name-quoted.pem",
		"rfc822name-permitted-quoted.pem san-rfc822name-quoted.pem",
		"rfc822name-excluded-quoted.pem san-rfc822name-subdomain.pem":
		return "quoted local parts are compared by what they mean"
	case "othername-excluded.pem san-rfc822name-quoted.pem":
		return "its otherName is malformed: the value has no [0]"
	}
	return ""
}

// TestBoringSSLNameConstraints holds single names to single constraints.
func TestBoringSSLNameConstraints(t *testing.T) {
	dir := suites.Corpus(t, "boringssl-pki")
	var checks []struct {
		Test         string
		Constraints  string `json:"name_constraints"`
		Subject, SAN *string
		Permitted    bool
	}
	raw, err := os.ReadFile(dir + "/name_constraints_expectations.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &checks); err != nil {
		t.Fatal(err)
	}
	if len(checks) != 90 {
		t.Fatalf("%d checks, want 90", len(checks))
	}
	read := func(name string) []byte {
		text, err := os.ReadFile(dir + "/name_constraints_unittest/" + name)
		if err != nil {
			t.Fatal(err)
		}
		block, _ := pem.Decode(text)
		if block == nil {
			t.Fatalf("%s: no PEM", name)
		}
		return block.Bytes
	}
	for _, c := range checks {
		cert := &certificate{Certificate: &x509der.Certificate{Subject: []byte{0x30, 0}}}
		name := ""
		if c.Subject != nil {
			name = *c.Subject
			cert.Subject = read(name)
		}
		if c.SAN != nil {
			name = *c.SAN
			cert.Extensions = []x509der.Extension{{ID: oid.ExtSubjectAltName, Value: read(name)}}
		}
		nc, err := parseNameConstraints(read(c.Constraints))
		left := 1000
		permitted := err == nil && cert.details().malformed == "" && nc.check(constrainedNames(cert), &left) == nil
		why := constraintExceptions(c.Constraints, name)
		if permitted != c.Permitted {
			if why == "" {
				t.Errorf("%s: %s with %s: permitted %v (%v)", c.Test, c.Constraints, name, permitted, err)
			}
		} else if why != "" {
			t.Errorf("stale exception: %s", why)
		}
	}
}
