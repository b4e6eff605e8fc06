package pkcs7

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// checkFile reads the SignedData of a file, with the content and certificates
// that belong to it, and checks every signer.
func checkFile(t *testing.T, path string, more ...[]byte) (content []byte, err error) {
	t.Helper()
	var detached io.Reader
	if strings.HasSuffix(path, "4.3.bin") {
		b, err := os.ReadFile(filepath.Join(filepath.Dir(path), "ExContent.bin"))
		if err != nil {
			t.Fatal(err)
		}
		detached = bytes.NewReader(b)
	}
	r, err := NewSignedReader(bytes.NewReader(readPEM(t, path)), detached, &ReadOptions{InsecureHistoric: true})
	if err != nil {
		return nil, err
	}
	if content, err = io.ReadAll(r); err != nil {
		return nil, err
	}
	signers, err := r.Signers()
	if err != nil {
		return nil, err
	}
	if len(signers) == 0 {
		return nil, ErrNoSigner
	}
	elements, err := r.UnverifiedElements()
	if err != nil {
		return nil, err
	}
	for _, s := range signers {
		if err := checkWithAny(s, append(elements, more...)); err != nil {
			return nil, err
		}
	}
	return content, nil
}

// foreignExceptions are the files for which the answer is another one than
// OpenSSL's, with that answer.
func foreignExceptions() map[string]error {
	return map[string]error{
		// OpenSSL was given a certificate, which is not among the files.
		"go-pkcs7/digitorus/dsa_test.000_EC2IdentityDocumentFixture_PKCS7.der":               ErrNoCertificate,
		"go-pkcs7/smallstep/verify_dsa_go1.15_test.000_EC2IdentityDocumentFixture_PKCS7.der": ErrNoCertificate,
		"go-pkcs7/smimesign/verify_test.001_string_PKCS7.der":                                ErrNoCertificate,
		// MD4 and DSA are not supported.
		"openssl/80-test_cms_data/pkcs7-md4.pem": ErrUnsupported,
		"rfc4134/4.1.bin":                        ErrUnsupported,
		"rfc4134/4.10.bin":                       ErrUnsupported,
		"rfc4134/4.3.bin":                        ErrUnsupported,
		"rfc4134/4.4.bin":                        ErrUnsupported,
		"rfc4134/4.7.bin":                        ErrUnsupported,
		// The certificates are those of RFC 9881.
		"pqc/rfc9882-ml-dsa/mldsa44-signed-attrs.pem": nil,
		"pqc/rfc9882-ml-dsa/mldsa65-signed-attrs.pem": nil,
		"pqc/rfc9882-ml-dsa/mldsa87-signed-attrs.pem": nil,
	}
}

// TestForeignSignatures compares with what OpenSSL says of the test data of
// other projects.
func TestForeignSignatures(t *testing.T) {
	t.Parallel()
	b, err := os.ReadFile(suites.Corpus(t, "ground_truth.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	var more [][]byte
	certs, err := filepath.Glob(suites.Corpus(t, "pqc", "rfc9881-ml-dsa-certs") + "/*.crt")
	if err != nil || len(certs) == 0 {
		t.Fatal("no certificates of RFC 9881")
	}
	for _, name := range certs {
		more = append(more, readPEM(t, name))
	}
	n, good := 0, 0
	exceptions := foreignExceptions()
	for _, line := range strings.Split(string(b), "\n") {
		f := strings.Split(line, "\t")
		if len(f) < 4 || !strings.Contains(f[1], "signedData [") || strings.HasSuffix(f[0], ".eml") {
			continue
		}
		folder, _, _ := strings.Cut(f[0], "/")
		if !strings.Contains(" asn1crypto go-pkcs7 node-forge openssl pqc pyca rfc4134 ", " "+folder+" ") {
			continue
		}
		n++
		_, err := checkFile(t, suites.Corpus(t, strings.Split(f[0], "/")...), more...)
		theirs := strings.Contains(f[3], "sig-ok")
		want, other := exceptions[f[0]]
		switch {
		case other && (err == nil) == theirs:
			t.Errorf("%s: stale exception: %v", f[0], err)
		case other && !errors.Is(err, want):
			t.Errorf("%s: %v", f[0], err)
		case !other && (err == nil) != theirs:
			t.Errorf("%s: OpenSSL says %s, we %v", f[0], f[3], err)
		case err != nil && !documented(err):
			t.Errorf("%s: undocumented error %v", f[0], err)
		}
		if err == nil {
			good++
		}
	}
	if n != 124 || good < 50 {
		t.Errorf("%d files, %d good", n, good)
	}
}

func TestSampleSignatures(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "samples")
	files, err := filepath.Glob(dir + "/sig-*.der")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		cert := readPEM(t, strings.TrimSuffix(strings.TrimSuffix(name, ".der"), "-noattr")+".crt")
		if _, err := checkFile(t, name, cert); err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
	if len(files) != 24 {
		t.Errorf("%d files", len(files))
	}
	for name, want := range map[string]error{
		"o-ED25519.der": nil, "o-ML-DSA-65.der": nil, "o-SLH-DSA-SHA2-128f.der": nil, "o-ed448.der": nil, "nss-s.der": nil,
		"forged-v1.der": ErrSignature, "bad6211.der": ErrSignature,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := checkFile(t, filepath.Join(dir, name)); !errors.Is(err, want) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
