package chain

import (
	"context"
)

// revocation reports what is known about path[i], which was issued by
// path[i+1]; the last certificate is the anchor. It is called only for a path
// that passed everything else, for every i but that of the anchor, and never
// with InsecureSkipRevocation. The error is ErrRevoked, ErrRevocationUnknown
// where v.policy.Revocation requires to know, ErrLimit or ErrSource.
func (v *verification) revocation(ctx context.Context, path []*certificate, i int) (RevocationStatus, *Error) {
	return RevocationStatus{}, nil
}

// crlKeys returns what a source is asked by: the issuer and the authority key
// identifier (nil if none) of a CRL.
func (e *Entry) crlKeys() (issuer, keyID []byte, err error) { return nil, nil, nil }

// ocspSerials returns the serial numbers, as content octets, that an OCSP
// response tells about.
func (e *Entry) ocspSerials() ([][]byte, error) { return nil, nil }

// A lazyCRL is a CRL that is parsed and indexed on first use.
type lazyCRL struct{}

// A lazyOCSP is an OCSP response that is parsed on first use.
type lazyOCSP struct{}
