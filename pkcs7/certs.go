package pkcs7

import (
	"crypto/x509"
	"io"
)

// ReadCertificates reads a certs-only SignedData, a .p7b or .p7c file, and
// returns its certificates and CRLs unparsed. Nothing vouches for them.
func ReadCertificates(r io.Reader, opts *ReadOptions) (certs, crls [][]byte, err error) {
	panic("sketch")
}

// WriteCertificates writes a certs-only SignedData, a .p7b or .p7c file.
func WriteCertificates(w io.Writer, certs, crls [][]byte) error { panic("sketch") }

// ContentType returns the content type of the ContentInfo that begins head, so
// that a caller can choose what to do with a message before reading it.
func ContentType(head []byte) (x509.OID, error) { panic("sketch") }
