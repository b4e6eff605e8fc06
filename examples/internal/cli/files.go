package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
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
	b = withoutMark(b)
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
		if err == nil && !bytes.Contains(b, []byte("CERTIFICATE-----")) && !bytes.Contains(b, []byte("-----BEGIN X509 CRL-----")) {
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
	e := chain.NewEntry(chain.KindCertificate, b, "", nil)
	if _, err := e.Certificate(); err != nil { // which crypto/x509 need not be able to read
		return nil, false, fmt.Errorf("neither a serialized store, nor PKCS #7, PEM or a DER certificate: %w", err)
	}
	return chain.Entries(e), false, nil
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
	var src chain.Source
	text := bytes.Contains(b, []byte("-----BEGIN "))
	if text {
		if src, err = chain.PEM(b); err != nil {
			return nil, err
		}
	} else {
		var list struct { // CertificateList, of which there is nothing to copy
			Signed, Algorithm asn1.RawValue
			Signature         asn1.BitString
		}
		if rest, err := asn1.Unmarshal(b, &list); err != nil || len(rest) > 0 {
			return nil, errors.New("no revocation list in DER or PEM")
		}
		src = chain.DER(b)
	}
	for e, err := range src.Find(context.Background(), chain.Query{Kind: chain.KindCRL}) {
		if err != nil {
			return nil, err
		}
		lists = append(lists, e.DER())
	}
	if len(lists) == 0 && !text {
		return nil, errors.New("no revocation list in DER or PEM")
	}
	return lists, nil
}

// ReadCertificates reads the certificates of a file of any kind that
// [ReadSource] reads, those of people before those of CAs.
func ReadCertificates(name string) ([]*x509.Certificate, error) {
	src, _, err := ReadSource(name)
	if err != nil {
		return nil, err
	}
	var people, cas []*x509.Certificate
	for e, err := range src.Find(context.Background(), chain.Query{Kind: chain.KindCertificate}) {
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		c, err := e.Certificate()
		switch {
		case err != nil:
			return nil, fmt.Errorf("%s: %w", name, err)
		case c.IsCA:
			cas = append(cas, c)
		default:
			people = append(people, c)
		}
	}
	if people = append(people, cas...); len(people) == 0 {
		return nil, fmt.Errorf("%s: no certificate", name)
	}
	return people, nil
}

// withoutMark returns b without the byte order mark that editors of Windows
// put before text: pem.Decode passes over a block behind one.
func withoutMark(b []byte) []byte { return bytes.TrimPrefix(b, []byte("\ufeff")) }
