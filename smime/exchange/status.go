package exchange

import (
	"crypto/x509"
	"errors"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// ValidateCertStatus maps the outcome of a validation to the status codes of
// the ActiveSync command ValidateCert (MS-ASCMD 2.2.3.177.18). leaf is the
// certificate that was asked about: nil is 17, and one of a CA is 11, whatever
// else is right or wrong with it. Where the request has CheckCRL, verify with
// chain.RevocationRequireAll. [ValidateCertRequest.Answer] does all of it.
func ValidateCertStatus(leaf *x509.Certificate, err error) int {
	if errors.Is(err, ErrNoCollection) {
		return 4 // nothing is a trusted source then
	}
	e, judged := errors.AsType[*chain.Error](err)
	switch {
	case leaf == nil || err != nil && !judged:
		return 17
	case leaf.IsCA:
		return 11
	case err == nil:
		return 1
	}
	own := e.Cert == nil || e.Cert.Equal(leaf)
	switch e.Reason {
	case chain.ErrBadSignature, chain.ErrWeakAlgorithm:
		return 3
	case chain.ErrUnknownIssuer, chain.ErrDisallowed, chain.ErrAnchorConstraint, chain.ErrCheck:
		return 4
	case chain.ErrPathTooLong, chain.ErrUnhandledCritical, chain.ErrCertificatePolicy:
		return 5
	case chain.ErrWrongPurpose:
		if own {
			return 6
		}
		return 9
	case chain.ErrExpired, chain.ErrNotYetValid:
		if own {
			return 7
		}
		return 8
	case chain.ErrNameConstraint:
		return 9
	case chain.ErrMalformed:
		return 10
	case chain.ErrNotCA:
		return 11
	case chain.ErrWrongMailbox:
		return 12
	case chain.ErrRevoked:
		if own {
			return 13
		}
		return 15
	case chain.ErrRevocationUnknown:
		if e.Err != nil {
			return 14 // somebody was asked and did not answer
		}
		return 16
	}
	return 17
}

// ResolveStatus maps the outcome of looking for one recipient's certificate to
// the Status of Certificates in the ActiveSync command ResolveRecipients
// (MS-ASCMD): 1 returned, 7 no valid S/MIME certificate. Where nothing could be
// found out ok is false, and the Status of the whole response is 6.
func ResolveStatus(err error) (status int, ok bool) {
	if err == nil {
		return 1, true
	}
	if errors.Is(err, chain.ErrSource) || errors.Is(err, chain.ErrLimit) || errors.Is(err, chain.ErrPolicy) {
		return 0, false
	}
	if _, judged := errors.AsType[*chain.Error](err); judged {
		return 7, true
	}
	if errors.Is(err, smime.ErrNoCertificate) || errors.Is(err, smime.ErrMalformed) || errors.Is(err, smime.ErrNoCipher) {
		return 7, true
	}
	return 0, false
}
