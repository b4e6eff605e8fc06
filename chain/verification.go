package chain

import (
	"context"
	"errors"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"golang.org/x/crypto/cryptobyte"
)

// A verification is one call of Collection.Verify: what it was asked, what it
// may draw on, and the work it has done. Validations of CRL issuers and OCSP
// responders are verifications of their own that share the work.
type verification struct {
	c       *Collection
	policy  Policy    // Limits filled in
	at      time.Time // the time to judge by
	now     time.Time // of the clock: evidence up to it may tell of a revocation
	role    issuerRole
	hasBans bool
	work    *work

	// pinned is the only anchor that counts, nil: any.
	pinned *certificate
	// pending has the certificates whose own validation waits for this one.
	pending []*certificate

	// cut is the limit that ended the last search for entries of our own.
	cut *Error

	issuers     map[string][]issuer
	anchorNames map[string]bool
	flaws       map[*certificate]bool
	statuses    map[[3]*certificate]knownStatus
}

// A work is shared by everything that one call of Verify does.
type work struct {
	signatures, steps, fetches int
	candidates                 [3]int // by origin
	names                      int    // comparisons left
	limit                      *Error // the first limit that was reached
	source                     *Error // the first failure of a Source

	badEdges  map[[2]*certificate]*Error
	bans      map[*certificate]*Error
	validated map[validatedKey]bool
	fetched   []*Entry
	answers   map[string]*answer
	answerOf  map[*byte]*answer // by the first octet of an element
	fetchEnd  time.Time
	issuerEnd time.Time // of the fetches of issuers
	issuerGot int       // fetches of issuers

	nonce        []byte    // of OCSP requests; nil: none was sent
	evidenceEnds time.Time // when the first signer of evidence expires; zero: none was needed
}

type validatedKey struct {
	cert, anchor *certificate
	role         issuerRole
	at           int64
	offline      bool // nothing was fetched about its own revocation
}

// issuerRole is what a certificate that is not a leaf of the caller is validated for.
type issuerRole uint8

const (
	roleSubject issuerRole = iota // the caller's certificate: its purpose decides
	roleCRL                       // signs CRLs: keyUsage, if present, has cRLSign
	roleOCSP                      // signs OCSP responses: extendedKeyUsage has OCSPSigning
)

// An origin says who chose what a search found.
type origin uint8

const (
	ownOrigin     origin = iota // NewCollection
	strangeOrigin               // With: a message
	fetchedOrigin               // the Fetcher, in this verification
)

func (v *verification) origin(rank int) origin {
	switch {
	case rank < v.c.base:
		return ownOrigin
	case rank < len(v.c.members):
		return strangeOrigin
	}
	return fetchedOrigin
}

// maxPending bounds the validations that wait for one another: the issuer of
// the CRL on the issuer of the CRL.
const maxPending = 4

func newVerification(c *Collection, p Policy, now time.Time) *verification {
	v := &verification{c: c, policy: p, now: now, at: p.At, work: &work{names: p.Limits.NameComparisons}}
	if v.at.IsZero() {
		v.at = now
	}
	for i, m := range c.members {
		v.hasBans = v.hasBans || m.role == roleDisallowed
		if mem, ok := m.src.(*memory); ok && i >= c.base && len(mem.entries) <= maxOverlay {
			for _, e := range mem.entries {
				e.adopt(c.shared)
			}
		}
	}
	return v
}

// findMembers calls yield with the entries of every role but Disallowed that
// match q, with their member and its place, until it returns false. Each counts
// as a candidate. What was fetched for this verification comes last, with the
// place after the last. An error of a Source is returned after all other sources
// were asked.
func (v *verification) findMembers(ctx context.Context, q Query, yield func(e *Entry, m Member, rank int) bool) (failed *Error) {
	l := newLookup(q)
	v.cut = nil
	// What came with a message has a count of its own, so that it can't keep
	// the rest from being found.
	stopped := false
	take := func(e *Entry, m Member, rank int) bool {
		from := v.origin(rank)
		if v.work.candidates[from]++; v.work.candidates[from] > v.policy.Limits.Candidates {
			e := v.recordLimit("more than %d candidates", v.policy.Limits.Candidates)
			if from != strangeOrigin {
				v.cut = e
			}
			return false
		}
		stopped = !yield(e, m, rank)
		return !stopped
	}
	for i, m := range v.c.members {
		if m.role == roleDisallowed || stopped {
			continue
		}
		for e, err := range m.find(ctx, &l, v.policy.Limits.Candidates) {
			if err != nil {
				failed = errSource(err)
				v.recordSourceError(failed)
				continue
			}
			if !take(e, m, i) {
				break
			}
		}
	}
	for _, e := range v.work.fetched {
		if stopped {
			break
		}
		if l.matches(e) && !take(e, Member{role: roleUntrusted}, len(v.c.members)) {
			break
		}
	}
	return failed
}

// recordSourceError notes that a Source didn't give all it has.
func (v *verification) recordSourceError(e *Error) {
	first := &v.work.source
	if e.Reason == ErrLimit {
		first = &v.work.limit
	}
	if *first == nil {
		*first = e
	}
}

// recordLimit notes that work was left undone. What is at hand is still judged.
func (v *verification) recordLimit(format string, args ...any) *Error {
	e := fail(ErrLimit, nil, format, args...)
	if v.work.limit == nil {
		v.work.limit = e
	}
	return e
}

// checkSignature checks a signature over signed by the key of signer, and its
// strength. algorithm is a DER AlgorithmIdentifier. The reason is
// ErrBadSignature, ErrWeakAlgorithm or ErrLimit.
func (v *verification) checkSignature(signer *certificate, algorithm, signed, signature []byte) *Error {
	if err := v.strength(signer, algorithm); err != nil {
		return err
	}
	cost := 1
	if key, err := signer.key(); err == nil {
		cost = key.Cost()
	}
	if v.work.signatures+cost > v.policy.Limits.Signatures {
		return v.recordLimit("more than %d signature checks", v.policy.Limits.Signatures)
	}
	err := verifySignature(signer, algorithm, signed, signature)
	if err == nil || errors.Is(err, alg.ErrSignature) {
		v.work.signatures += cost // else no arithmetic was done
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, alg.ErrWeak):
		return &Error{Reason: ErrWeakAlgorithm, Err: err}
	}
	return &Error{Reason: ErrBadSignature, Err: err}
}

// strength checks key and digest against the floor. An algorithm that can't be
// read is for verifySignature to report.
func (v *verification) strength(signer *certificate, algorithm []byte) *Error {
	s, err := signatureAlgorithm(algorithm)
	if err != nil {
		return v.keyStrength(signer)
	}
	return v.strengthOf(signer, s)
}

func (v *verification) strengthOf(signer *certificate, s *alg.Signature) *Error {
	if err := v.keyStrength(signer); err != nil {
		return err
	}
	if s.Hash.Weak() && !s.Pure() && (s.Hash != alg.SHA1 || !v.policy.InsecureSHA1) {
		return fail(ErrWeakAlgorithm, nil, "signature by %v", s.Hash)
	}
	return nil
}

// keyStrength checks the size of the key of c.
func (v *verification) keyStrength(c *certificate) *Error {
	key, err := c.key()
	if err == nil && !v.policy.InsecureShortKeys {
		err = key.Strength()
	}
	if errors.Is(err, alg.ErrWeak) {
		return &Error{Reason: ErrWeakAlgorithm, Err: err, Detail: "the key of certificate " + c.title(), cert: c}
	}
	return nil
}

func signatureAlgorithm(der []byte) (*alg.Signature, error) {
	var id alg.Identifier
	s := cryptobyte.String(der)
	if !alg.ReadIdentifier(&s, &id) || !s.Empty() {
		return nil, alg.ErrMalformed
	}
	return alg.CertificateSignatureOf(id)
}

// edge checks that child is signed by the key of parent.
func (v *verification) edge(child, parent *certificate) *Error {
	if child.knownSigner(parent.SPKI) {
		// That it is good is a fact, that it is good enough a question of policy.
		if s, err := child.signature(); err == nil {
			return v.strengthOf(parent, s)
		}
	}
	key := [2]*certificate{child, parent}
	if e, ok := v.work.badEdges[key]; ok {
		return e
	}
	e := v.checkSignature(parent, child.SignatureAlgorithm, child.TBS, child.Signature)
	if e == nil {
		child.noteSigner(parent.SPKI)
		return nil
	}
	if isLimit(e) {
		return e
	}
	if v.work.badEdges == nil {
		v.work.badEdges = make(map[[2]*certificate]*Error)
	}
	v.work.badEdges[key] = e
	return e
}

// validateIssuer validates cert for role up to anchor, the same that the path
// of the certificate in question ends at (RFC 5280 section 6.3.3 (f)). A
// certificate whose own validation waits for this one is ErrUnknownIssuer: that
// ends loops. The mode of revocation within is RevocationWhereKnown.
func (v *verification) validateIssuer(ctx context.Context, cert *certificate, role issuerRole, anchor *certificate) *Error {
	key := validatedKey{cert, anchor, role, v.at.UnixNano(), v.policy.Fetcher == nil}
	if v.work.validated[key] {
		return nil
	}
	for _, p := range v.pending {
		if p.equal(cert) {
			return fail(ErrUnknownIssuer, cert, "certificate %s depends on itself", cert.title())
		}
	}
	if len(v.pending) >= maxPending {
		return v.recordLimit("more than %d issuers of revocation lists depend on one another", maxPending)
	}
	sub := &verification{
		c: v.c, policy: v.policy, at: v.at, now: v.now, role: role, hasBans: v.hasBans, work: v.work,
		pinned: anchor, pending: append(v.pending[:len(v.pending):len(v.pending)], cert),
	}
	sub.policy.Check = nil
	if sub.policy.Revocation != InsecureSkipRevocation {
		sub.policy.Revocation = RevocationWhereKnown
	}
	// The policies of the question are not those of who signs lists.
	sub.policy.Policies, sub.policy.RequireExplicitPolicy = nil, false
	path, err := sub.search(ctx, cert)
	if err != nil {
		return err
	}
	if ends := &v.work.evidenceEnds; ends.IsZero() || path.until.Before(*ends) {
		*ends = path.until
	}
	if v.work.validated == nil {
		v.work.validated = make(map[validatedKey]bool)
	}
	v.work.validated[key] = true
	return nil
}

type knownStatus struct {
	status certStatus
	err    *Error
}

// status asks for revocation once for each certificate, issuer and anchor.
func (v *verification) status(ctx context.Context, path []*certificate, i int) (certStatus, *Error) {
	key := [3]*certificate{path[i], path[i+1], path[len(path)-1]}
	if s, ok := v.statuses[key]; ok {
		return s.status, s.err
	}
	status, err := v.revocation(ctx, path, i)
	if v.statuses == nil {
		v.statuses = make(map[[3]*certificate]knownStatus)
	}
	v.statuses[key] = knownStatus{status, err}
	return status, err
}
