package chain_test

import (
	"bytes"
	"crypto/x509"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestPostQuantumPaths builds paths of the certificates of the RFCs. Those of
// RFC 9881 all have the same name and serial number, so that each must be tried.
func TestPostQuantumPaths(t *testing.T) {
	read := func(elem ...string) []byte {
		raw := readFile(t, suites.Corpus(t, append([]string{"pqc"}, elem...)...))
		if i := bytes.Index(raw, []byte("-----BEGIN CERT")); i >= 0 {
			return unPEM(t, string(raw[i:]))
		}
		return raw
	}
	mldsa := func(n string) []byte { return read("rfc9881-ml-dsa-certs", "ML-DSA-"+n+".crt") }
	lamps := chain.Anchors(chain.DER(mldsa("44"), mldsa("65"), mldsa("87")))
	slh := read("rfc9909-slh-dsa-cert", "id-slh-dsa-sha2-128s.pem")
	for _, tt := range []struct {
		name   string
		member chain.Member
		leaf   []byte
		length int
	}{
		{"SLH-DSA", chain.RootsAndIntermediates(chain.DER(slh)), slh, 1},
		{"ML-DSA-44", lamps, mldsa("44"), 1},
		{"ML-DSA-87", lamps, mldsa("87"), 1},
		{"ML-KEM-512", lamps, read("rfc9935-ml-kem-certs", "ML-KEM-512.crt"), 2},
		{"ML-KEM-768", lamps, read("rfc9935-ml-kem-certs", "ML-KEM-768.crt"), 2},
		{"ML-KEM-1024", lamps, read("rfc9935-ml-kem-certs", "ML-KEM-1024.crt"), 2},
		{"RFC 9936", chain.RootsAndIntermediates(chain.DER(read("rfc9936-ml-kem", "mldsa65RootCA.pem"))), read("rfc9936-ml-kem", "ML-KEM-512.pem"), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := x509.ParseCertificate(tt.leaf)
			if err != nil {
				t.Fatal(err)
			}
			path, err := chain.NewCollection(tt.member).Verify(t.Context(), &x509.Certificate{Raw: tt.leaf}, chain.Policy{
				Purpose: chain.InsecureAnyPurpose, Options: chain.Options{At: c.NotBefore.Add(time.Hour)}})
			if err != nil {
				t.Errorf("%v", err)
			} else if n := len(path.Certificates()); n != tt.length {
				t.Errorf("path of %d", n)
			}
		})
	}
}
