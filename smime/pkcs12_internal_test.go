package smime

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/pkcs12"
)

// TestManyCertificatesOfOneName: keys and certificates that all name one another cost no more
// than there are of them.
func TestManyCertificatesOfOneName(t *testing.T) {
	const n = 500
	contents := &pkcs12.Contents{}
	name := pkix.Name{CommonName: "everybody"}
	for i := range n {
		pub, key, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		tpl := &x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), Subject: name, NotAfter: time.Now().Add(time.Hour)}
		cert, err := x509.CreateCertificate(rand.Reader, tpl, tpl, pub, key)
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		contents.Keys, contents.Certificates = append(contents.Keys, der), append(contents.Certificates, cert)
	}
	ids, err := assemble(contents)
	if err != nil || len(ids) != n {
		t.Fatalf("%d identities, %v", len(ids), err)
	}
	for _, id := range ids {
		if len(id.issuers) != maxPFXIssuers {
			t.Fatalf("%d issuers", len(id.issuers))
		}
	}
}
