package smime

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
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
		contents.Keys, contents.Certificates = append(contents.Keys, pkcs12.Item{DER: der}), append(contents.Certificates, pkcs12.Item{DER: cert})
	}
	ids := assemble(contents).Identities
	if len(ids) != n {
		t.Fatalf("%d identities", len(ids))
	}
	for _, id := range ids {
		if len(id.issuers) != maxPFXIssuers {
			t.Fatalf("%d issuers", len(id.issuers))
		}
	}
}

// TestUnusableKeys says of each key that is passed over why.
func TestUnusableKeys(t *testing.T) {
	t.Parallel()
	pkcs8 := func(algorithm asn1.ObjectIdentifier, key any) []byte {
		inner, err := asn1.Marshal(key)
		if err != nil {
			t.Fatal(err)
		}
		der, err := asn1.Marshal(struct {
			Version   int
			Algorithm pkix.AlgorithmIdentifier
			Key       []byte
		}{0, pkix.AlgorithmIdentifier{Algorithm: algorithm}, inner})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	small := struct{ Version, N, E, D, P, Q, Dp, Dq, Qinv int }{0, 3233, 17, 413, 61, 53, 53, 49, 38}
	for _, tt := range []struct {
		name string
		der  []byte
		want error
	}{
		{"unknown algorithm", pkcs8(asn1.ObjectIdentifier{1, 2, 3}, 1), ErrUnsupported},
		{"short RSA key", pkcs8(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, small), ErrWeak},
		{"no key", []byte{0x30, 0}, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := assemble(&pkcs12.Contents{Keys: []pkcs12.Item{{DER: tt.der}}})
			if len(p.Skipped) != 1 || !errors.Is(p.Skipped[0], tt.want) {
				t.Errorf("%v, want %v", p.Skipped, tt.want)
			}
		})
	}
}
