package chain

import (
	"context"
	"crypto/x509"
	"iter"
	"time"
)

// A Member is a [Source] admitted to a [Collection] in one role.
type Member struct {
	src  Source
	role role
}

type role uint8

// Anchors admits the certificates of src as trust anchors.
func Anchors(src Source) Member { return Member{src, 1} }

// Untrusted admits src as raw material: intermediates, end entities and CRLs
// that can be found and used to build a path but are never trusted as such.
func Untrusted(src Source) Member { return Member{src, 2} }

// RootsAndIntermediates admits an unlabelled bag, as Exchange reads the
// serialized store of its virtual certificate collection: self-signed CA
// certificates become trust anchors and everything else is [Untrusted]. Use it
// only for a file that an administrator made for this purpose.
func RootsAndIntermediates(src Source) Member { return Member{src, 4} }

// Disallowed bans the certificates of src, and what they issued, from every
// path, even where [Anchors] also has them. A certificate is banned if its
// TBSCertificate, its issuer and serial number, or, for a CA, its public key
// equals that of a certificate of src: other signature bytes lift no ban.
func Disallowed(src Source) Member { return Member{src, 3} }

// A Collection is a virtual certificate collection: an immutable set of
// certificates, CRLs and OCSP responses drawn from any number of sources. It
// is safe for concurrent use. The nil Collection is empty and trusts nothing.
type Collection struct{ members []Member }

// NewCollection returns the union of the members, consulted in order.
func NewCollection(members ...Member) *Collection { return &Collection{members} }

// With returns a Collection that has the members as well. It costs no copy and
// leaves c as it was, so that what arrives with one message can help to
// validate that message and nothing else.
func (c *Collection) With(members ...Member) *Collection { panic("sketch") }

// Find returns the entries that match q, of every role but Disallowed. What
// it yields is unverified.
func (c *Collection) Find(ctx context.Context, q Query) iter.Seq2[*Entry, error] { panic("sketch") }

// Verify builds and validates a path from cert to an anchor of c, as RFC 5280
// section 6 says and p asks. The error is always an [*Error].
//
// If several paths pass, the one with the most revocation knowledge and then
// the fewest certificates is returned. If none does, the error is that of the
// attempt that got furthest, and [Error.Tried] has them all.
func (c *Collection) Verify(ctx context.Context, cert *x509.Certificate, p Policy) (*Path, error) {
	panic("sketch")
}

// TrustFunc adapts c and p to package pkcs7.
func (c *Collection) TrustFunc(p Policy) func(ctx context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error {
	return func(ctx context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error {
		q := p
		if !at.IsZero() {
			q.At = at
		}
		_, err := c.With(Untrusted(DER(extra...))).Verify(ctx, cert, q)
		return err
	}
}
