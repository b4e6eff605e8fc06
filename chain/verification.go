package chain

import (
	"context"
	"time"
)

// A verification is one call of Collection.Verify: what it was asked, what it
// may draw on, and the work it has done. Validations of CRL issuers and OCSP
// responders are verifications of their own that share the work.
type verification struct {
	c      *Collection
	policy Policy    // Limits filled in
	at     time.Time // the time to judge by
	now    time.Time // of the clock: evidence up to it may tell of a revocation
	role   issuerRole
	work   *work
	// pending has the certificates whose own validation waits for this one.
	pending []*certificate
}

// A work is shared by everything that one call of Verify does.
type work struct{}

// issuerRole is what a certificate that is not a leaf of the caller is validated for.
type issuerRole uint8

const (
	roleSubject  issuerRole = iota // the caller's certificate: its purpose decides
	roleCRL                        // signs CRLs: keyUsage, if present, has cRLSign
	roleOCSP                       // signs OCSP responses: extendedKeyUsage has OCSPSigning
)

// find calls yield with the entries of every role but Disallowed that match
// q, until it returns false. Each counts as a candidate. What was fetched
// for this verification is among them.
func (v *verification) find(ctx context.Context, q Query, yield func(*Entry) bool) *Error {
	panic("sketch")
}

// fetch asks the Fetcher, at most once for each kind, URL and request within one
// verification, and returns the answer as entries. With no Fetcher it returns nothing.
// Errors of the Fetcher are returned; callers treat them as no answer.
func (v *verification) fetch(ctx context.Context, kind Kind, url string, request []byte) ([]*Entry, error) {
	panic("sketch")
}

// checkSignature checks a signature over signed by the key of signer, and its
// strength. algorithm is a DER AlgorithmIdentifier. The reason is ErrBadSignature, ErrWeakAlgorithm
// or ErrLimit.
func (v *verification) checkSignature(signer *certificate, algorithm, signed, signature []byte) *Error {
	panic("sketch")
}

// validateIssuer validates cert for role up to anchor, the same that the path
// of the certificate in question ends at (RFC 5280 section 6.3.3 (f)). A certificate whose own
// validation waits for this one is ErrUnknownIssuer: that ends loops. The mode
// of revocation within is RevocationWhereKnown.
func (v *verification) validateIssuer(ctx context.Context, cert *certificate, role issuerRole, anchor *certificate) *Error {
	panic("sketch")
}
