package pkcs7

import (
	"crypto/x509"
	"io"
)

// A SignedReader reads the content of a SignedData. What Read returns is
// unverified, io.EOF included: it says that the structure is complete.
// Whether somebody signed it, [SignerInfo.CheckSignature] says of one signer
// and [Verify] of all.
type SignedReader struct{}

// A Digester hashes detached content that arrives before its signature, as in
// multipart/signed.
type Digester struct{}

// NewDigester hashes by the given digest algorithms; none: SHA-256, SHA-384
// and SHA-512.
func NewDigester(algorithms ...x509.OID) *Digester { panic("sketch") }

func (d *Digester) Write(p []byte) (int, error) { panic("sketch") }

// NewDetachedReader reads a SignedData whose content was written to d.
func NewDetachedReader(src io.Reader, d *Digester, opts *ReadOptions) (*SignedReader, error) {
	panic("sketch")
}

// NewSignedReader reads a SignedData from src. detached is the content if it
// is not inside; it must be nil if it is.
func NewSignedReader(src, detached io.Reader, opts *ReadOptions) (*SignedReader, error) {
	panic("sketch")
}

func (r *SignedReader) Read(p []byte) (int, error) { panic("sketch") }

// Signers returns the signers. It fails with [ErrNotRead] before io.EOF.
func (r *SignedReader) Signers() ([]*SignerInfo, error) { panic("sketch") }

// UnverifiedElements returns the certificates, CRLs and OCSP responses in the
// message as DER. Anyone can put anything there. It fails with [ErrNotRead] before io.EOF.
func (r *SignedReader) UnverifiedElements() (der [][]byte, err error) { panic("sketch") }
