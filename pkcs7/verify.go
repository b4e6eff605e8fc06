package pkcs7

import (
	"context"
	"crypto/x509"
	"io"
	"time"
)

// A TrustFunc returns nil if cert may vouch for a signature at a time; zero: as
// trust thinks fit. extra holds the DER certificates, CRLs and OCSP responses
// that came with the message: they may help to find a path and prove nothing.
// The method TrustFunc of chain.Collection makes one.
type TrustFunc func(ctx context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error

// Verify reads a SignedData from src, checks every signature and asks trust
// about every signer. Only if all of it holds does it write the content to dst
// and return the signers' certificates. trust must not be nil.
func Verify(ctx context.Context, dst io.Writer, src, detached io.Reader, trust TrustFunc, opts *ReadOptions) ([]*x509.Certificate, error) {
	panic("sketch")
}
