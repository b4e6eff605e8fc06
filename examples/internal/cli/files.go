package cli

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/sst"
)

// ReadStore reads certificates and CRLs from a serialized store, a .p7b, PEM or
// DER, of which there must be a certificate that can be read.
func ReadStore(name string) (*sst.Store, error) {
	b, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	store, err := ParseStore(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return store, nil
}

// ParseStore is [ReadStore] for the contents of a file.
func ParseStore(b []byte) (*sst.Store, error) {
	store, err := sst.ReadAny(bytes.NewReader(b), nil)
	if err != nil {
		return nil, err
	}
	if _, err := usableCRLs(store); err != nil {
		return nil, err
	}
	reason := errors.New("no certificate")
	for _, e := range store.Elements {
		if e.Kind != sst.Certificate {
			continue
		}
		// crypto/x509 need not be able to read it.
		if _, reason = chain.NewEntry(chain.KindCertificate, e.DER, "", nil).Certificate(); reason == nil {
			return store, nil
		}
	}
	return nil, reason
}

// usableCRLs returns the CRLs of a store. One that can't be used is an error:
// passed over, it could not say that a certificate was revoked.
func usableCRLs(store *sst.Store) (lists [][]byte, err error) {
	for _, e := range store.Elements {
		if e.Kind != sst.CRL {
			continue
		}
		if err := chain.NewEntry(chain.KindCRL, e.DER, "", nil).Err(); err != nil {
			return nil, fmt.Errorf("revocation list: %w", err)
		}
		lists = append(lists, e.DER)
	}
	return lists, nil
}

// maxCRL is the longest file with revocation lists that is read.
const maxCRL = 1 << 30

// ReadCRLs reads every CRL, PEM or DER, in a directory, hidden files apart, or
// those in one file.
func ReadCRLs(dir string) (chain.Source, error) {
	entries, err := os.ReadDir(dir)
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if e.Name()[0] == '.' {
			continue
		}
		name := filepath.Join(dir, e.Name())
		fi, err := os.Stat(name)
		if err != nil {
			return nil, err // such as a link to a list that is gone
		}
		if !fi.IsDir() {
			names = append(names, name)
		}
	}
	if err != nil {
		names = []string{dir} // and reading a file that is not there says so
	}
	var lists [][]byte
	for _, name := range names {
		found, err := readCRLs(name)
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

// readCRLs reads the lists in a file, which may have hundreds of megabytes. What
// is none is an error: a list that is passed over can't say that a certificate
// was revoked.
func readCRLs(name string) (lists [][]byte, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	store, err := sst.ReadAny(f, &sst.ReadOptions{MaxBytes: maxCRL})
	if err != nil {
		return nil, err
	}
	if lists, err = usableCRLs(store); err == nil && len(lists) == 0 {
		err = errors.New("no revocation list")
	}
	return lists, err
}

// ReadCertificates reads the certificates of a file of any kind that
// [ReadStore] reads, those of people before those of CAs.
func ReadCertificates(name string) ([]*x509.Certificate, error) {
	store, err := ReadStore(name)
	if err != nil {
		return nil, err
	}
	var people, cas []*x509.Certificate
	for e, err := range store.Source().Find(context.Background(), chain.Query{Kind: chain.KindCertificate}) {
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
