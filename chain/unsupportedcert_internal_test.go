package chain

import (
	"bytes"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// TestKnown holds what this package makes of certificates that crypto/x509 can't
// read against what crypto/x509 makes of those that it can.
func TestKnown(t *testing.T) {
	compared := 0
	compare := func(name string, der []byte) {
		std, err := x509.ParseCertificate(der)
		if err != nil {
			return
		}
		c, err := parseCertificate(der)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			return
		}
		if c.details().malformed != "" {
			return // an empty list is read by the one alone
		}
		compared++
		a, b := reflect.ValueOf(c.known()).Elem(), reflect.ValueOf(std).Elem()
		for _, field := range []string{
			"Raw", "RawTBSCertificate", "RawSubject", "RawIssuer", "RawSubjectPublicKeyInfo", "Signature", "Version", "SerialNumber",
			"NotBefore", "NotAfter", "SubjectKeyId", "AuthorityKeyId", "KeyUsage", "BasicConstraintsValid", "IsCA", "MaxPathLen",
			"MaxPathLenZero", "IssuingCertificateURL", "OCSPServer", "CRLDistributionPoints", "EmailAddresses", "ExtKeyUsage",
			"UnknownExtKeyUsage", "PublicKeyAlgorithm",
		} {
			x, y := a.FieldByName(field), b.FieldByName(field)
			if x.Kind() == reflect.Slice && x.Len() == 0 && y.Len() == 0 {
				continue
			}
			if !reflect.DeepEqual(x.Interface(), y.Interface()) {
				t.Errorf("%s: %s is %v, want %v", name, field, x, y)
			}
		}
		known := c.known()
		if known.Subject.String() != std.Subject.String() || known.Issuer.String() != std.Issuer.String() || len(known.Policies) != len(std.Policies) ||
			len(known.Extensions) != len(std.Extensions) || (known.PublicKey == nil) != (std.PublicKey == nil) && std.PublicKeyAlgorithm != x509.DSA {
			t.Errorf("%s: names, policies, extensions or key differ", name)
		}
		for i, e := range known.Extensions {
			if s := std.Extensions[i]; !e.Id.Equal(s.Id) || e.Critical != s.Critical || !bytes.Equal(e.Value, s.Value) {
				t.Errorf("%s: extension %v differs", name, e.Id)
			}
		}
	}
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "pkits", "certs"), "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		der, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		compare(filepath.Base(name), der)
	}
	var limbo struct {
		Testcases []struct {
			ID   string
			Peer string `json:"peer_certificate"`
		}
	}
	raw, err := os.ReadFile(suites.Corpus(t, "x509-limbo", "limbo.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &limbo); err != nil {
		t.Fatal(err)
	}
	for _, c := range limbo.Testcases {
		if block, _ := pem.Decode([]byte(c.Peer)); block != nil {
			compare(c.ID, block.Bytes)
		}
	}
	if compared < 500 {
		t.Errorf("%d compared", compared)
	}
}
