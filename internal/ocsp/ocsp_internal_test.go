package ocsp

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

	xocsp "golang.org/x/crypto/ocsp"
)

// checkOCSP holds what was read against x/crypto, where that reads it.
func checkOCSP(t testing.TB, der []byte) {
	r, err := Parse(der)
	if err != nil {
		if r != nil {
			t.Fatal("a response beside an error")
		}
		return
	}
	if len(r.Singles) > maxSingles || len(r.Certs) > maxCerts {
		t.Fatal("limits")
	}
	if (r.ResponderName == nil) == (r.ResponderKey == nil) {
		t.Fatal("not one ResponderID")
	}
	std, err := xocsp.ParseResponse(der, nil)
	if err != nil || len(r.Singles) != 1 {
		return
	}
	s := r.Singles[0]
	status := map[int]Status{xocsp.Good: Good, xocsp.Revoked: Revoked, xocsp.Unknown: Unknown}[std.Status]
	if s.Status != status || !s.ThisUpdate.Equal(std.ThisUpdate) || !s.NextUpdate.Equal(std.NextUpdate) ||
		!r.ProducedAt.Equal(std.ProducedAt) || !bytes.Equal(r.Signature, std.Signature) || !bytes.Equal(r.TBS, std.TBSResponseData) {
		t.Fatalf("not as x/crypto has it: %+v", s)
	}
	if status == Revoked && !s.Date.Equal(std.RevokedAt) {
		t.Fatal("not revoked when x/crypto says")
	}
}

func testOCSP(t testing.TB, status int) []byte {
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
	out, err := xocsp.CreateResponse(c, c, xocsp.Response{
		Status: status, SerialNumber: big.NewInt(5), ThisUpdate: time.Unix(1.7e9, 0), NextUpdate: time.Unix(1.8e9, 0),
		RevokedAt: time.Unix(1.6e9, 0), RevocationReason: xocsp.Superseded, Certificate: c,
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func FuzzOCSP(f *testing.F) {
	for _, status := range []int{xocsp.Good, xocsp.Revoked, xocsp.Unknown} {
		f.Add(testOCSP(f, status))
	}
	f.Fuzz(func(t *testing.T, der []byte) { checkOCSP(t, der) })
}
