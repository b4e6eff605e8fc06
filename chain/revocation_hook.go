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

