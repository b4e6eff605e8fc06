package cli_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
)

// TestPrintPathKeyID says where a person's certificate has no subject key
// identifier.
func TestPrintPathKeyID(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	create := func(tpl, parent *x509.Certificate) *x509.Certificate {
		tpl.NotBefore, tpl.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
		der, err := x509.CreateCertificate(rand.Reader, tpl, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "CA"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	root := create(ca, ca)
	for name, id := range map[string][]byte{"with": {1, 2, 3}, "without": nil} {
		t.Run(name, func(t *testing.T) {
			leaf := create(&x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{"alice@example.com"},
				KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}, SubjectKeyId: id}, root)
			path, err := chain.NewCollection(chain.Anchors(chain.Certs(root))).Verify(t.Context(), leaf, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			cli.PrintPath(&out, path)
			if noted := strings.Contains(out.String(), "subject key identifier"); noted != (id == nil) {
				t.Error(out.String())
			}
		})
	}
}
