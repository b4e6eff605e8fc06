package chain

import (
	"bytes"
	"context"
	"crypto/x509"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// How far an attempt got, by what stopped it. Up to progressSigned a stranger
// could have made all of it.
const (
	progressBadSignature = 20 // + certificates whose signature was good
	progressSigned       = 40
	progressMalformed    = 41
	progressBanned       = 42
	progressWeak         = 43
	progressIssuing      = 50
	progressCritical     = 52
	progressValidity     = 54
	progressAnchor       = 60
	progressNames        = 62
	progressPolicy       = 64
	progressCAPurpose    = 66
	progressLeaf         = 70 // from here up to progressRevocation it is the leaf's own fault
	progressLeafPurpose  = 72
	progressMailbox      = 74
	progressRevocation   = 80
	progressCheck        = 90
)

// A validation is the state of RFC 5280 section 6.1.2 on the way from an anchor
// to a leaf. All steps that need no signature are done first; of what they find
// the fault that comes first in the order of the constants above is kept.
type validation struct {
	v      *verification
	path   []*certificate // leaf first, anchor last
	anchor *Entry

	graph          *policyGraph   // (a) valid_policy_graph; nil: NULL
	constraints    []*certificate // (b), (c) whose permitted and excluded subtrees hold
	explicitPolicy int            // (d)
	inhibitAny     int            // (e)
	policyMapping  int            // (f)
	maxPathLength  int            // (k)
	pathLengthOf   *certificate   // who set it

	fault    *Error
	policies []string
}

// evaluate validates a complete path.
func (v *verification) evaluate(ctx context.Context, n *partial) (*Path, *Error) {
	s := &validation{v: v, path: n.certificates(), anchor: n.anchor}
	s.run(ctx)
	if err := s.signatures(n); err != nil {
		return nil, err
	}
	for _, c := range s.path {
		v.proved(c.Raw)
	}
	if s.fault != nil {
		return nil, s.fault
	}
	p := &Path{certs: s.path, at: v.at, now: v.now, until: s.until(), policies: policiesOf(s.policies)}
	if err := s.revocation(ctx, p); err != nil {
		return nil, err
	}
	// Who was told to hurry may not have heard of a revocation.
	if err := ctx.Err(); err != nil {
		return nil, &Error{Reason: ErrLimit, Err: err, cert: s.path[0], progress: progressRevocation}
	}
	if check := v.policy.Check; check != nil {
		if err := check(p); err != nil {
			e := &Error{Reason: ErrCheck, Err: err, cert: s.path[0], progress: progressCheck}
			return nil, e
		}
	}
	return p, nil
}

// failed keeps e if it is the fault to be told.
func (s *validation) failed(e *Error, progress int) {
	if e == nil {
		return
	}
	if s.fault == nil || progress < s.fault.progress {
		// The error may be remembered elsewhere.
		f := *e
		f.progress = progress
		s.fault = &f
	}
}

// run does everything but signatures and revocation.
func (s *validation) run(ctx context.Context) {
	n := len(s.path) - 1 // certificates below the anchor
	s.initialize(max(n, 1))
	s.failed(s.checkAnchor(), progressAnchor)
	s.failed(s.v.issuedByBanned(ctx, s.path[len(s.path)-1]), progressBanned)
	for i, c := range s.path {
		s.failed(s.v.banned(ctx, c), progressBanned)
		s.failed(s.v.keyStrength(c), progressWeak)
		s.common(c, i == 0)
	}
	if n > 0 {
		s.takeAnchor(s.path[n])
	}
	for i := n - 1; i >= 0; i-- {
		c := s.path[i]
		s.checkNames(c, i == 0)
		s.processPolicies(c, i == 0)
		if i > 0 {
			s.prepare(c)
		}
	}
	if n == 0 { // the leaf is its own anchor
		s.processPolicies(s.path[0], true)
	}
	s.wrapUp()
	s.checkLeaf()
}

// initialize is RFC 5280 section 6.1.2.
func (s *validation) initialize(n int) {
	p := &s.v.policy
	s.graph = newPolicyGraph()
	s.explicitPolicy, s.inhibitAny, s.policyMapping = n+1, n+1, n+1
	if p.RequireExplicitPolicy {
		s.explicitPolicy = 0
	}
	if p.InhibitAnyPolicy {
		s.inhibitAny = 0
	}
	if p.InhibitPolicyMapping {
		s.policyMapping = 0
	}
	s.maxPathLength, s.pathLengthOf = n, s.path[len(s.path)-1]
}

// common checks what holds for every certificate, the anchor included.
//
// DEVIATION: RFC 5280 section 6.2 takes name and key of an anchor and nothing
// else. An anchor that has expired, or says that it is no CA, is refused here
// as OpenSSL, crypto/x509 and Windows do.
func (s *validation) common(c *certificate, leaf bool) {
	validity := progressValidity
	if leaf {
		validity = progressLeaf
	}
	s.failed(checkValidity(c, s.v.at), validity) // 6.1.3 (a) (2)
	d := c.details()
	switch {
	case d.malformed != "":
		s.failed(fail(ErrMalformed, c, "%s of certificate %s can't be read", d.malformed, c.title()), progressMalformed)
	case d.constraints != nil && !d.ca: // RFC 5280 section 4.2.1.10
		s.failed(fail(ErrMalformed, c, "certificate %s has nameConstraints and is no CA", c.title()), progressMalformed)
	}
	s.failed(checkAlgorithms(c), progressMalformed)
	s.failed(checkExtensions(c), progressCritical) // 6.1.4 (o), 6.1.5 (f)
	if !leaf {
		s.failed(checkIssuing(c), progressIssuing) // 6.1.4 (k), (n)
		s.failed(s.checkCAPurpose(c), progressCAPurpose)
	}
}

// checkValidity is 6.1.3 (a) (2).
func checkValidity(c *certificate, at time.Time) *Error {
	if at.Before(c.NotBefore) {
		return fail(ErrNotYetValid, c, "certificate %s: notBefore is %s, judged at %s", c.title(), day(c.NotBefore), day(at))
	}
	// notAfter has no fractions: all of its second is within.
	if !at.Before(c.NotAfter.Add(time.Second)) {
		return fail(ErrExpired, c, "certificate %s: notAfter is %s, judged at %s", c.title(), day(c.NotAfter), day(at))
	}
	return nil
}

// checkAlgorithms holds the two identifiers of the signature algorithm together
// (RFC 5280 section 4.1.1.2).
func checkAlgorithms(c *certificate) *Error {
	if bytes.Equal(c.SignatureAlgorithm, c.TBSSignatureAlgorithm) {
		return nil
	}
	return fail(ErrMalformed, c, "certificate %s names two different signature algorithms", c.title())
}

// checkExtensions is 6.1.4 (o) and 6.1.5 (f).
func checkExtensions(c *certificate) *Error {
	d := c.details()
	if d.unhandled != "" {
		return fail(ErrUnhandledCritical, c, "certificate %s: extension %s", c.title(), d.unhandled)
	}
	return nil
}

// checkIssuing is 6.1.4 (k) and (n), for an anchor also: a certificate that
// was chosen as anchor may be of version 1, but if it can say that it is a CA,
// it must.
func checkIssuing(c *certificate) *Error {
	d := c.details()
	if len(c.Subject) <= 2 { // RFC 5280 section 4.1.2.6
		return fail(ErrNotCA, c, "certificate %s has no subject", c.title())
	}
	if c.Version < 3 {
		if c.selfIssued() {
			return nil // below an anchor it is caught by prepare
		}
		return fail(ErrNotCA, c, "certificate %s is of version %d", c.title(), c.Version)
	}
	if !d.hasBasic {
		return fail(ErrNotCA, c, "certificate %s has no basicConstraints", c.title())
	}
	if !d.ca {
		return fail(ErrNotCA, c, "certificate %s is no CA by its basicConstraints", c.title())
	}
	if d.hasKeyUsage && d.keyUsage&x509.KeyUsageCertSign == 0 {
		return fail(ErrNotCA, c, "certificate %s: keyUsage is %s and lacks keyCertSign", c.title(), keyUsageText(d.keyUsage))
	}
	return nil
}

// takeAnchor takes from the anchor what narrows its use: name constraints and
// path length.
func (s *validation) takeAnchor(c *certificate) {
	d := c.details()
	if d.constraints != nil {
		s.constraints = append(s.constraints, c)
	}
	s.limitLength(c)
}

func (s *validation) limitLength(c *certificate) {
	if n := c.details().pathLen; n >= 0 && n < s.maxPathLength {
		s.maxPathLength, s.pathLengthOf = n, c
	}
}

// checkNames is 6.1.3 (b) and (c). A self-issued certificate is exempt unless
// it is the leaf. That subject and issuer chain, (a) (4), is how paths are built.
func (s *validation) checkNames(c *certificate, leaf bool) {
	if len(s.constraints) == 0 || !leaf && c.selfIssued() {
		return
	}
	names := constrainedNames(c)
	for _, by := range s.constraints {
		n := by.details().constraints
		bad := n.check(names, &s.v.work.names)
		switch {
		case bad == nil:
			continue
		case bad.limit:
			e := s.v.recordLimit("more than %d name constraint comparisons", s.v.policy.Limits.NameComparisons)
			s.failed(e.about(c), progressNames)
		case bad.unknown:
			s.failed(fail(ErrNameConstraint, c, "certificate %s: a name %s is not understood, and %s constrains that form",
				c.title(), bad.name.describe(), by.title()), progressNames)
		case bad.excluded:
			s.failed(fail(ErrNameConstraint, c, "certificate %s: name %s is excluded by the constraints of %s", c.title(), bad.name.describe(), by.title()), progressNames)
		default:
			s.failed(fail(ErrNameConstraint, c, "certificate %s: name %s is not among those that the constraints of %s permit%s",
				c.title(), bad.name.describe(), by.title(), n.permittedMail(bad.name)), progressNames)
		}
		return
	}
}

// processPolicies is 6.1.3 (d), (e) and (f), the graph that of RFC 9618.
func (s *validation) processPolicies(c *certificate, leaf bool) {
	d := c.details()
	switch {
	case !d.hasPolicies:
		s.graph = nil // (e)
	case s.graph != nil:
		s.graph.add(d, s.inhibitAny > 0 || !leaf && c.selfIssued()) // (d)
	}
	if s.graph.null() {
		s.graph = nil
	}
	if s.explicitPolicy <= 0 && s.graph == nil { // (f)
		s.failed(fail(ErrCertificatePolicy, c, "certificate %s leaves no valid policy where one is required", c.title()), progressPolicy)
	}
}

// prepare is 6.1.4. Steps (c) to (f) are the path itself; (k), (n) and (o) are
// in common.
func (s *validation) prepare(c *certificate) {
	d := c.details()
	s.mapPolicies(c, d)
	if d.constraints != nil { // (g)
		s.constraints = append(s.constraints, c)
	}
	self := c.selfIssued()
	if !self { // (h)
		s.explicitPolicy--
		s.policyMapping--
		s.inhibitAny--
	}
	lower(&s.explicitPolicy, d.requireExplicit) // (i)
	lower(&s.policyMapping, d.inhibitMapping)
	lower(&s.inhibitAny, d.inhibitAny) // (j)
	if c.Version < 3 {                 // (k)
		s.failed(fail(ErrNotCA, c, "certificate %s is of version %d and no anchor", c.title(), c.Version), progressIssuing)
	}
	if !self { // (l)
		if s.maxPathLength <= 0 {
			s.failed(fail(ErrPathTooLong, c, "certificate %s is one CA more than the pathLenConstraint of %s allows", c.title(), s.pathLengthOf.title()), progressIssuing+1)
		}
		s.maxPathLength--
	}
	s.limitLength(c) // (m)
}

// mapPolicies is 6.1.4 (a) and (b).
func (s *validation) mapPolicies(c *certificate, d *details) {
	for _, m := range d.mappings {
		if m.issuer == oid.AnyPolicy || m.subject == oid.AnyPolicy {
			s.failed(fail(ErrCertificatePolicy, c, "certificate %s maps anyPolicy", c.title()), progressPolicy)
			return
		}
	}
	if s.graph != nil {
		s.graph.mapPolicies(d.mappings, s.policyMapping > 0)
		if s.graph.null() {
			s.graph = nil
		}
	}
}

func lower(v *int, limit int) {
	if limit >= 0 && limit < *v {
		*v = limit
	}
}

// wrapUp is 6.1.5 (a), (b) and (g).
func (s *validation) wrapUp() {
	leaf := s.path[0]
	if s.explicitPolicy > 0 { // (a)
		s.explicitPolicy--
	}
	if leaf.details().requireExplicit == 0 { // (b)
		s.explicitPolicy = 0
	}
	set, any := s.graph.authorities() // (g)
	s.policies = s.v.policy.constrain(set, any)
	if s.explicitPolicy <= 0 && len(s.policies) == 0 {
		s.failed(fail(ErrCertificatePolicy, leaf, "the path to certificate %s has no policy that was asked for", leaf.title()), progressPolicy)
	}
}

// constrain returns the user-constrained policy set.
func (p *Policy) constrain(set []oid.OID, any bool) []string {
	var out []string
	if p.Policies == nil {
		for _, o := range set {
			out = append(out, string(o))
		}
		if any {
			out = append(out, string(oid.AnyPolicy))
		}
		return out
	}
	in := make(map[oid.OID]bool, len(set))
	for _, o := range set {
		in[o] = true
	}
	for _, x := range p.Policies {
		o := oid.FromX509(x)
		if o == oid.AnyPolicy {
			q := Policy{}
			return q.constrain(set, any)
		}
		if any || in[o] {
			out = append(out, string(o))
		}
	}
	return out
}

// signatures is 6.1.3 (a) (1) for the whole path, from the anchor down, so that
// no key is used that the anchor doesn't lead to.
func (s *validation) signatures(n *partial) *Error {
	mismatch := make(map[*certificate]bool)
	for p := n; p != nil && p.below != nil; p = p.below {
		mismatch[p.below.cert] = p.mismatch
	}
	for i := len(s.path) - 2; i >= 0; i-- {
		c, parent := s.path[i], s.path[i+1]
		err := s.v.edge(c, parent)
		if err == nil {
			continue
		}
		e := badEdge(err, c, parent, mismatch[c])
		if e.Reason != ErrWeakAlgorithm {
			e.progress = progressBadSignature + len(s.path) - 2 - i
		}
		return e
	}
	return nil
}

// badEdge says that c is not signed by parent as it should be. mismatch says
// that the key identifiers named another key.
func badEdge(err *Error, c, parent *certificate, mismatch bool) *Error {
	e := *err
	e.cert = c
	switch {
	case e.Reason == ErrWeakAlgorithm:
		e.progress = progressSigned - 1
		e.Detail = "certificate " + c.title() + ": " + e.Detail
	case e.Reason == ErrBadSignature && mismatch:
		e.Reason, e.Err = ErrUnknownIssuer, nil
		e.Detail = "certificate " + c.title() + " is not signed by the key of " + parent.title() + ", which is not the one that its authorityKeyIdentifier names"
	case e.Reason == ErrBadSignature:
		e.Detail = "certificate " + c.title() + " is not signed by the key of " + parent.title() + signedWith(c)
	}
	return &e
}

// signedWith names the algorithm where this package doesn't know it.
func signedWith(c *certificate) string {
	if _, err := c.signature(); err == nil {
		return ""
	}
	var id alg.Identifier
	s := cryptobyte.String(c.SignatureAlgorithm)
	if !alg.ReadIdentifier(&s, &id) {
		return ""
	}
	return " with algorithm " + id.OID.String()
}

// revocation is 6.1.3 (a) (3), last because it is what costs most. That nothing is
// known of one certificate doesn't hide that another is revoked.
func (s *validation) revocation(ctx context.Context, p *Path) *Error {
	if s.v.policy.Revocation == InsecureSkipRevocation {
		return nil
	}
	var unknown *Error
	p.revocation = make([]RevocationStatus, len(s.path)-1)
	for i := len(s.path) - 2; i >= 0; i-- {
		status, err := s.v.status(ctx, s.path, i)
		if err != nil {
			e := *err
			e.progress = progressRevocation
			if e.cert == nil {
				e.cert = s.path[i]
			}
			if e.Reason == ErrRevoked {
				e.progress++
				return &e
			}
			if unknown == nil {
				unknown = &e
			}
			continue
		}
		p.revocation[i] = status.RevocationStatus
		if status.settled {
			p.settled++
		}
		if status.Status == StatusGood && !status.NextUpdate.IsZero() {
			p.until = earlier(p.until, status.NextUpdate)
		}
		if status.Evidence == KindOCSPResponse && status.NextUpdate.IsZero() {
			p.until = earlier(p.until, status.ThisUpdate.Add(freshOCSP))
		}
		if r := status.RevokedAt; !r.IsZero() && r.Before(p.until) {
			p.until = r.Add(-time.Nanosecond)
		}
	}
	if unknown != nil {
		return unknown
	}
	if end := s.v.work.evidenceEnds; !end.IsZero() {
		p.until = earlier(p.until, end)
	}
	return nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// until returns when the first certificate of the path, or the trust in its
// anchor, ends.
func (s *validation) until() time.Time {
	end := s.path[0].NotAfter
	for _, c := range s.path {
		end = earlier(end, c.NotAfter)
	}
	for i := range s.anchor.constraints {
		if t := s.anchor.constraints[i].TrustedUntil; !t.IsZero() {
			end = earlier(end, t)
		}
	}
	return end
}

// known counts the certificates whose status is known.
func (p *Path) known() (n int) {
	for _, r := range p.revocation {
		if r.Status == StatusGood {
			n++
		}
	}
	return n
}

// better reports whether p is to be returned rather than q.
func (p *Path) better(q *Path) bool {
	if a, b := p.known()*len(q.revocation), q.known()*len(p.revocation); a != b {
		return a > b
	}
	return len(p.certs) < len(q.certs)
}

// mayKnowMore reports whether another path could have more evidence.
func (v *verification) mayKnowMore() bool {
	if v.policy.Revocation == InsecureSkipRevocation || v.role != roleSubject {
		return false
	}
	for _, m := range v.c.members {
		mem, ok := m.src.(*memory)
		if !ok || len(mem.ofKind(KindCRL))+len(mem.ofKind(KindOCSPResponse)) > 0 {
			return true
		}
	}
	return v.policy.Fetcher != nil
}
