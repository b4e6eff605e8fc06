package cli

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
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

// ReadCRLs reads every CRL, PEM or DER, in a directory.
func ReadCRLs(dir string) (chain.Source, error) {
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		return nil, err
	}
	var lists [][]byte
	for _, name := range names {
		if fi, err := os.Stat(name); err != nil || !fi.Mode().IsRegular() {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if !bytes.Contains(b, []byte("-----BEGIN ")) {
			lists = append(lists, b)
			continue
		}
		for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
			if block.Type == "X509 CRL" {
				lists = append(lists, block.Bytes)
			}
		}
	}
	if len(lists) == 0 {
		return nil, fmt.Errorf("%s: no revocation list", dir)
	}
	return chain.DER(lists...), nil
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
