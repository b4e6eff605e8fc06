package pkcs7

import (
	"io"
)

// ReadCertificates reads a certs-only SignedData, a .p7b or .p7c file, and
// returns its certificates and CRLs unparsed. Nothing vouches for them.
func ReadCertificates(r io.Reader, opts *ReadOptions) (certs, crls [][]byte, err error) {
	panic("sketch")
}

// WriteCertificates writes a certs-only SignedData, a .p7b or .p7c file.
func WriteCertificates(w io.Writer, certs, crls [][]byte) error { panic("sketch") }
