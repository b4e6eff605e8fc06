package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/sst"
)

// ReadSource reads certificates and CRLs from a serialized store, a .p7b, PEM
// or DER. bag says that the format carries roots and intermediates unlabelled,
// as the store of a virtual certificate collection and a .p7b do.
func ReadSource(name string) (src chain.Source, bag bool, err error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, false, err
	}
	src, bag, err = ParseSource(b)
	if err != nil {
		return nil, false, fmt.Errorf("%s: %w", name, err)
	}
	return src, bag, nil
}

// systemBundles are where Unix systems keep the roots that they trust, as PEM.
func systemBundles() []string {
	return []string{
		os.Getenv("SSL_CERT_FILE"),
		"/etc/ssl/certs/ca-certificates.crt", // Debian, Alpine
		"/etc/pki/tls/certs/ca-bundle.crt",   // Fedora
		"/etc/ssl/ca-bundle.pem",             // openSUSE
		"/etc/ssl/cert.pem",                  // BSD, macOS
	}
}

// SystemRoots reads the roots that this Unix machine trusts: a source like any
// other, which a program has to ask for.
func SystemRoots() (chain.Source, error) {
	for _, name := range systemBundles() {
		if name == "" {
			continue
		}
		text, err := os.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return chain.PEM(text)
	}
	return nil, errors.New("this system has no PEM file with roots at any of the usual places")
}

// ParseSource is [ReadSource] for the contents of a file.
func ParseSource(b []byte) (src chain.Source, bag bool, err error) {
	switch {
	case bytes.HasPrefix(b, []byte("\x00\x00\x00\x00CERT")):
		store, err := sst.Read(bytes.NewReader(b), nil)
		if err != nil {
			return nil, false, err
		}
		return store.Source(), true, nil
	case bytes.Contains(b, []byte("-----BEGIN ")):
		if block, _ := pem.Decode(b); block != nil && (block.Type == "PKCS7" || block.Type == "CMS") {
			return ParseSource(block.Bytes)
		}
		src, err := chain.PEM(b)
		if err == nil && !bytes.Contains(b, []byte("-----BEGIN CERTIFICATE-----")) && !bytes.Contains(b, []byte("-----BEGIN X509 CRL-----")) {
			err = errors.New("no certificate")
		}
		return src, false, err
	}
	if _, err := pkcs7.ContentType(b); err == nil {
		certs, crls, err := pkcs7.ReadCertificates(bytes.NewReader(b), nil)
		if err != nil {
			return nil, false, err
		}
		return chain.DER(append(certs, crls...)...), true, nil
	}
	if _, err := x509.ParseCertificate(b); err != nil {
		return nil, false, fmt.Errorf("neither a serialized store, nor PKCS #7, PEM or a DER certificate: %w", err)
	}
	return chain.DER(b), false, nil
}

// ReadCRLs reads every CRL, PEM or DER, in a directory, hidden files apart, or
// those in one file.
func ReadCRLs(dir string) (chain.Source, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if fi, err := os.Stat(name); err == nil && fi.Mode().IsRegular() && e.Name()[0] != '.' {
			names = append(names, name)
		}
	}
	if err != nil {
		names = []string{dir} // and reading a file that is not there says so
	}
	var lists [][]byte
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		found, err := parseCRLs(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		lists = append(lists, found...)
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("%s: no revocation list", dir)
	}
	return chain.DER(lists...), nil
}

// parseCRLs reads DER or PEM. What is none is an error: a list that is passed
// over can't say that a certificate was revoked.
func parseCRLs(b []byte) (lists [][]byte, err error) {
	if !bytes.Contains(b, []byte("-----BEGIN ")) {
		lists = append(lists, b)
	}
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "X509 CRL" {
			lists = append(lists, block.Bytes)
		}
	}
	for _, der := range lists {
		var list struct { // CertificateList, as far as it is like a certificate
			Signed, Algorithm asn1.RawValue
			Signature         asn1.BitString
		}
		if rest, err := asn1.Unmarshal(der, &list); err != nil || len(rest) > 0 {
			return nil, errors.New("no revocation list in DER or PEM")
		}
	}
	return lists, nil
}

// ReadCertificates reads the certificates of a PEM file, or the one of a DER file.
func ReadCertificates(name string) ([]*x509.Certificate, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	if !bytes.Contains(b, []byte("-----BEGIN ")) {
		return []*x509.Certificate{certificate(b)}, nil
	}
	var certs []*x509.Certificate
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			certs = append(certs, certificate(block.Bytes))
		}
	}
	if len(certs) == 0 {
		return nil, fmt.Errorf("%s: no certificate", name)
	}
	return certs, nil
}

// certificate also takes what crypto/x509 can't read: the library reads Raw.
func certificate(der []byte) *x509.Certificate {
	if c, err := x509.ParseCertificate(der); err == nil {
		return c
	}
	return &x509.Certificate{Raw: der}
}
