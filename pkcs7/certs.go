package pkcs7

import (
	"fmt"
	"io"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ReadCertificates reads a certs-only SignedData, a .p7b or .p7c file, and
// returns its certificates and CRLs unparsed. Nothing vouches for them. Content
// and signatures, if there are any, are ignored.
func ReadCertificates(r io.Reader, opts *ReadOptions) (certs, crls [][]byte, err error) {
	s := newSignedReader(r, opts)
	s.p.unparsed = true
	if err := s.begin(); err != nil {
		return nil, nil, err
	}
	s.digest = &Digester{keep: -1, external: true}
	if _, err := stream.Copy(io.Discard, s); err != nil {
		return nil, nil, err
	}
	for _, c := range s.certs {
		if isSequence(c) {
			certs = append(certs, c)
		}
	}
	for _, c := range s.crls {
		if isSequence(c) {
			crls = append(crls, c)
		}
	}
	return certs, crls, nil
}

// WriteCertificates writes a certs-only SignedData, a .p7b or .p7c file, with
// the certificates in the order in which they are given, each once.
func WriteCertificates(w io.Writer, certs, crls [][]byte) error {
	for i, list := range [][][]byte{certs, crls} {
		for n, der := range list {
			var whole cryptobyte.String
			if s := cryptobyte.String(der); !s.ReadASN1Element(&whole, asn1.SEQUENCE) || !s.Empty() {
				return &SyntaxError{Field: fmt.Sprintf("%s[%d]", [...]string{"certificates", "crls"}[i], n), Reason: "not one SEQUENCE"}
			}
		}
	}
	// RFC 5652 section 5.2: id-data, and no content.
	out := &encapWriter{dst: w, outer: oid.SignedData, front: encodeFront(1, nil), type_: oid.Data, size: noContent, tail: -1}
	return out.finish(encodeTail(false, appendNew(nil, certs...), appendNew(nil, crls...), nil))
}
