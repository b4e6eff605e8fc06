package chain

import (
	"context"
	"crypto/x509"
	"errors"
	"iter"
	"slices"
	"time"
)

// A Member is a [Source] admitted to a [Collection] in one role.
type Member struct {
	src  Source
	role role
}

type role uint8

const (
	_ role = iota // of the zero Member, which is an error
	roleAnchor
	roleUntrusted
	roleDisallowed
	roleBag
)

// Anchors admits the certificates of src as trust anchors. What an anchor says
// about itself (validity, basic and name constraints, key usages) narrows what
// it is trusted for. An end entity among them vouches for itself alone.
func Anchors(src Source) Member { return Member{src, roleAnchor} }

// Untrusted admits src as raw material: intermediates, end entities and CRLs
// that can be found and used to build a path but are never trusted as such.
func Untrusted(src Source) Member { return Member{src, roleUntrusted} }

// RootsAndIntermediates admits an unlabelled bag, as Exchange reads the
// serialized store of its virtual certificate collection: self-signed CA
// certificates become trust anchors and everything else is [Untrusted]. One of
// version 1 can't say that it is a CA: admit it with [Anchors]. Use it only for
// a file that an administrator made for this purpose.
func RootsAndIntermediates(src Source) Member { return Member{src, roleBag} }

// Disallowed bans the certificates of src, and what they issued, from every
// path, even where [Anchors] also has them. A certificate is banned if its
// TBSCertificate, its issuer and serial number, or, for a CA, its public key
// equals that of a certificate of src: other signature bytes lift no ban. If src
// holds in memory what is no certificate, or one that can't be read, no path
// passes: the error is ErrMalformed.
func Disallowed(src Source) Member { return Member{src, roleDisallowed} }

// A Collection is a virtual certificate collection: an immutable set of
// certificates, CRLs and OCSP responses drawn from any number of sources. It
// is safe for concurrent use. The nil and the zero Collection are empty and
// trust nothing.
//
// It remembers, within bounds, which signatures were good and for a short time
// which paths passed, so that the next message of the same sender costs little.
type Collection struct {
	members []Member
	base    int    // the members of NewCollection; what follows came by With
	shared  *cache // of the Collection that With was called on
}

// NewCollection returns the union of the members, consulted in order.
func NewCollection(members ...Member) *Collection {
	return &Collection{slices.Clone(members), len(members), new(cache)}
}

// With returns a Collection that has the members as well. It costs no copy and
// leaves c as it was, so that what arrives with one message can help to
// validate that message and nothing else.
func (c *Collection) With(members ...Member) *Collection {
	if c == nil || c.shared == nil {
		return NewCollection(members...)
	}
	if len(members) == 0 {
		return c
	}
	return &Collection{append(slices.Clip(c.members), members...), c.base, c.shared}
}

// Find returns the entries that match q, of every role but Disallowed. What
// it yields is unverified. A Query without a Kind matches nothing. An error
// says that a Source failed and doesn't end the iteration.
func (c *Collection) Find(ctx context.Context, q Query) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		if c == nil || q.Kind == 0 {
			return
		}
		l := newLookup(q)
		for _, m := range c.members {
			if m.role == roleDisallowed {
				continue
			}
			for e, err := range m.find(ctx, &l, 0) {
				if !yield(e, err) {
					return
				}
			}
		}
	}
}

// find yields what matches, or errors: ErrLimit after more than misses entries
// that don't match; 0: no limit.
func (m Member) find(ctx context.Context, l *lookup, misses int) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		if m.src == nil {
			yield(nil, &Error{Reason: ErrPolicy, Detail: "a member of the Collection has no Source"})
			return
		}
		if mem, ok := m.src.(*memory); ok {
			for _, e := range mem.lookup(l) {
				if l.matches(e) && !yield(e, nil) {
					return
				}
			}
			if mem.err != nil {
				yield(nil, mem.err)
			}
			return
		}
		missed := 0
		for e, err := range m.src.Find(ctx, l.Query) {
			if err == nil && l.matches(e) {
				if !yield(e, nil) {
					return
				}
				continue
			}
			if err != nil && !yield(nil, errSource(err)) {
				return
			}
			if missed++; missed == misses {
				yield(nil, fail(ErrLimit, nil, "a Source returned %d entries that were not asked for", missed))
				return
			}
		}
	}
}

// Verify builds and validates a path from cert to an anchor of c, as RFC 5280
// section 6 says and p asks. The error is always an [*Error].
//
// If several paths pass, the search ends with the first whose revocation
// status is fully known, or after a few more; of those it saw, the one with
// the most revocation knowledge and then the fewest certificates is returned.
// If none does, the error is that of the attempt that got furthest, and
// [Error.Tried] has them all, up to a bound. If ctx ends first, the error is
// ErrLimit with its cause.
//
// A path that does not depend on a Source outside of this package, on a
// Fetcher or on new evidence may come from a cache that forgets within a minute
// and no later than anything that the path rests on.
func (c *Collection) Verify(ctx context.Context, cert *x509.Certificate, p Policy) (*Path, error) {
	if why := p.unusable(); why != "" {
		return nil, &Error{Reason: ErrPolicy, Cert: cert, Detail: why}
	}
	if cert == nil || len(cert.Raw) == 0 {
		return nil, &Error{Reason: ErrMalformed, Cert: cert, Detail: "a certificate without Raw"}
	}
	if err := ctx.Err(); err != nil {
		return nil, &Error{Reason: ErrLimit, Cert: cert, Err: err}
	}
	if c == nil {
		c = NewCollection()
	} else if c.shared == nil { // of a zero Collection
		c = NewCollection(c.members...)
	}
	p.Limits = p.Limits.withDefaults()
	now := time.Now()
	key, cached := c.cached(cert.Raw, &p, now)
	if cached != nil {
		return cached, nil
	}
	leaf, err := c.shared.parse(cert.Raw)
	if err != nil {
		return nil, &Error{Reason: ErrMalformed, Cert: cert, Err: err}
	}
	v := newVerification(c, p, now)
	path, verr := v.search(ctx, leaf)
	if verr != nil {
		e := verr.final()
		if e.Reason == ErrUnknownIssuer && e.Err == nil && !c.hasAnchors() {
			e.Err = ErrNoAnchors
		}
		return nil, e
	}
	c.shared.remember(path.certs)
	if key != nil && v.work.fetches == 0 {
		c.shared.store(key, path)
	}
	return path, nil
}

// hasAnchors reports whether any member can have anchors.
func (c *Collection) hasAnchors() bool {
	return slices.ContainsFunc(c.members, func(m Member) bool { return m.role == roleAnchor || m.role == roleBag })
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

// final makes the error fit for the caller: certificates in the form that
// callers know.
func (e *Error) final() *Error {
	if e.Cert == nil && e.cert != nil {
		e.Cert = e.cert.x509()
	}
	for _, t := range e.Tried {
		if t != e {
			t.final()
		}
	}
	return e
}

// isLimit reports whether e says that work was given up.
func isLimit(e *Error) bool { return e != nil && errors.Is(e, ErrLimit) }
