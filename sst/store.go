package sst

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"io"
	"iter"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
)

// A Store is the contents of a serialized store, in file order.
type Store struct {
	Elements []Element
	Warnings []*Error // only with ReadOptions.Lenient

	explicit bool // read from a format in which every certificate was put by name
}

// Of returns a store of the given certificates, as Export-Certificate -Type
// SST makes it. Of each only Raw is used.
func Of(certs ...*x509.Certificate) *Store {
	s := &Store{Elements: make([]Element, len(certs))}
	for i, c := range certs {
		s.Elements[i] = Element{Kind: Certificate, DER: c.Raw}
	}
	return s
}

// Certificates yields each certificate of the store or the reason why it can't
// be parsed, an [*Error]; one bad certificate never hides the others.
//
// One that crypto/x509 refuses only for what package chain accepts, such as the
// negative serial number of some roots, has its raw fields, names, serial number,
// validity and key identifiers, and no public key.
//
// Certificates says nothing of the properties, not even of those that forbid a use: to
// trust what the store holds use [Store.Source].
func (s *Store) Certificates() iter.Seq2[*x509.Certificate, error] {
	return func(yield func(*x509.Certificate, error) bool) {
		for i := range s.Elements {
			e := &s.Elements[i]
			if e.Kind != Certificate {
				continue
			}
			c, err := parseCertificate(e.DER)
			if err != nil {
				if !yield(nil, &Error{Problem: ErrNotDER, Offset: e.offset, Element: i, Reason: "certificate can't be parsed", err: err}) {
					return
				}
			} else if !yield(c, nil) {
				return
			}
		}
	}
}

func parseCertificate(der []byte) (*x509.Certificate, error) {
	c, err := x509.ParseCertificate(der)
	if err == nil {
		return c, nil
	}
	c, chainErr := chain.NewEntry(chain.KindCertificate, der, "", nil).Certificate()
	if chainErr != nil {
		return nil, err
	}
	if !isText(c.RawSubject) || !isText(c.RawIssuer) {
		return nil, err
	}
	return c, nil
}

// isText reports whether a DER Name consists of text. Of others pkix.Name would
// show a part.
func isText(name []byte) bool {
	var rdns pkix.RDNSequence
	if _, err := asn1.Unmarshal(name, &rdns); err != nil {
		return false
	}
	for _, rdn := range rdns {
		for _, a := range rdn {
			if _, ok := a.Value.(string); !ok {
				return false
			}
		}
	}
	return true
}

// WritePEM writes each certificate and CRL as a PEM block. CTLs and all
// properties are left out, those that forbid a use too.
func (s *Store) WritePEM(w io.Writer) error {
	for i := range s.Elements {
		b := pem.Block{Bytes: s.Elements[i].DER}
		switch s.Elements[i].Kind {
		case Certificate:
			b.Type = "CERTIFICATE"
		case CRL:
			b.Type = "X509 CRL"
		default:
			continue
		}
		if err := pem.Encode(w, &b); err != nil {
			return err
		}
	}
	return nil
}

// WritePKCS7 writes the certificates and CRLs as a certs-only SignedData, a
// .p7b file. CTLs and all properties are left out, those that forbid a use too.
func (s *Store) WritePKCS7(w io.Writer) error {
	return pkcs7.WriteCertificates(w, s.of(Certificate), s.of(CRL))
}

// of returns the elements of one kind.
func (s *Store) of(k Kind) [][]byte {
	var list [][]byte
	for i := range s.Elements {
		if s.Elements[i].Kind == k {
			list = append(list, s.Elements[i].DER)
		}
	}
	return list
}
