package fetch

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"golang.org/x/crypto/ocsp"
)

func testResponse(t testing.TB) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "CA"}}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	out, err := ocsp.CreateResponse(c, c, ocsp.Response{
		Status: ocsp.Good, SerialNumber: big.NewInt(5), ThisUpdate: time.Unix(1.7e9, 0), NextUpdate: time.Unix(1.8e9, 0),
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// FuzzDecode holds that an answer is either refused or taken apart, and that the
// time to keep it is what crypto/x509 and x/crypto read.
func FuzzDecode(f *testing.F) {
	p := newPKI(f)
	f.Add(p.crl)
	f.Add(p.ca)
	f.Add(text("X509 CRL", p.crl))
	f.Add(text("CERTIFICATE", p.ca))
	f.Add(testResponse(f))
	f.Fuzz(func(t *testing.T, body []byte) {
		for kind := range chain.KindOCSPResponse + 1 {
			elements, err := decode(kind, body)
			if (err == nil) != (len(elements) > 0) || len(elements) > maxElements {
				t.Fatalf("kind %d: %d elements, %v", kind, len(elements), err)
			}
			if err != nil || !bytes.Equal(elements[0], body) {
				continue
			}
			next, _ := nextUpdate(kind, body)
			switch kind {
			case chain.KindCRL:
				if l, err := x509.ParseRevocationList(body); err == nil && !next.Equal(l.NextUpdate) {
					t.Fatalf("nextUpdate is %v, not %v", next, l.NextUpdate)
				}
			case chain.KindOCSPResponse:
				if r, err := ocsp.ParseResponse(body, nil); err == nil && !next.Equal(r.NextUpdate) {
					t.Fatalf("nextUpdate is %v, not %v", next, r.NextUpdate)
				}
			}
		}
	})
}
