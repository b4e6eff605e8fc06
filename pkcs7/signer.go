package pkcs7

import (
	"context"
	"crypto/x509"
	"time"
)

// A SignerInfo is one signature.
type SignerInfo struct{}

// CheckSignature checks that the key of cert made this signature over the
// content that was read. It does not look at anything else in cert.
func (s *SignerInfo) CheckSignature(cert *x509.Certificate) error { panic("sketch") }

// Signed and Unsigned return the attributes; what is unsigned proves nothing.
func (s *SignerInfo) Signed() []Attribute   { panic("sketch") }
func (s *SignerInfo) Unsigned() []Attribute { panic("sketch") }

// Scheme returns the signature algorithm, zero if it is unknown.
func (s *SignerInfo) Scheme() Scheme { panic("sketch") }

// ID names the signer's certificate.
func (s *SignerInfo) ID() CertID { panic("sketch") }

// VerifyTimestamps checks the RFC 3161 tokens over this signature and returns
// the earliest time that one proves.
func (s *SignerInfo) VerifyTimestamps(ctx context.Context, trust TrustFunc) (time.Time, error) {
	panic("sketch")
}

// ClaimedTime returns the signing time that the signer put under the
// signature, if any. The signer chose it freely.
func (s *SignerInfo) ClaimedTime() (t time.Time, ok bool) { panic("sketch") }

// Strength returns nil, or an error that wraps [ErrWeak] if the digest, the
// signature algorithm or the size of the key of cert is below the floor.
// [SignerInfo.CheckSignature] fails for the same reasons unless InsecureHistoric is set.
func (s *SignerInfo) Strength(cert *x509.Certificate) error { panic("sketch") }
