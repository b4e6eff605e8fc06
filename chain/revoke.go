package chain

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/ocsp"
	"github.com/gosmime/gosmime/internal/oid"
)

// clockSkew is how far thisUpdate may lie ahead: clocks differ.
const clockSkew = 5 * time.Minute

// A statement is what one genuine CRL or OCSP response says of the certificate.
type statement struct {
	kind       Kind
	this, next time.Time // next: zero if none
	by         string    // who says so, for people
	entry      crl.Entry
}

// An acquittal is what current evidence says together: that the certificate is
// not revoked.
type acquittal struct {
	ocsp, crl *statement     // the newest of each kind that covers all reasons
	partial   *statement     // what CRLs of some reasons say together
	reasons   crl.ReasonMask // that they cover
}

// good returns the newest statement for all reasons, or nil.
func (a *acquittal) good() *statement {
	if a.ocsp != nil && (a.crl == nil || a.ocsp.this.After(a.crl.this)) {
		return a.ocsp
	}
	return a.crl
}

// add reports whether the statements now cover all reasons.
func (a *acquittal) add(st statement, reasons crl.ReasonMask) bool {
	if reasons == crl.AllReasons {
		of := &a.crl
		if st.kind == KindOCSPResponse {
			of = &a.ocsp
		}
		if *of == nil || st.this.After((*of).this) {
			*of = &st
		}
		return true
	}
	a.reasons |= reasons
	// What several say together is as old as the oldest and ends with the first.
	if a.partial == nil {
		a.partial = &st
	}
	if st.this.Before(a.partial.this) {
		a.partial.this = st.this
	}
	if st.next.Before(a.partial.next) {
		a.partial.next = st.next
	}
	if a.crl == nil && a.reasons == crl.AllReasons {
		a.crl = a.partial
	}
	return a.good() != nil
}

// forgetCRLs drops what CRLs said, to judge them anew.
func (a *acquittal) forgetCRLs() { *a = acquittal{ocsp: a.ocsp} }

// A statusSearch collects what is said of one certificate.
type statusSearch struct {
	v      *verification
	path   []*certificate // the certificate, its issuer, … the anchor
	cert   *certificate
	issuer *certificate
	anchor *certificate
	points []crl.DistributionPoint

	crls      []rankedCRL
	strangers []rankedCRL // those that came with a message, until the others were judged
	seen      map[*byte]bool
	signers   map[*crl.List]signer
	responses map[*ocsp.Response]bool
	ids       map[alg.Hash]ocspID

	condemned *statement                   // revoked at the time in question
	holds     []statement                  // on hold then
	later     time.Time                    // revoked after the time in question; zero: not known
	good      acquittal                    // by all evidence
	settled   acquittal                    // by evidence that ends the search
	fetching  bool                         // what is judged now was just fetched
	links     map[string]bool              // by key: whether the issuer's and this one belong to one CA
	released  time.Time                    // thisUpdate of the newest current statement that there is no hold
	notes     []remark                     // why evidence was not used
	strange   bool                         // what is judged now came with a message
	forged    [2][KindOCSPResponse + 1]int // signatures that did not hold: our own evidence, and that of a message
	limit     *Error                       // evidence of our own was left out: nothing can be said
	flooded   *Error                       // evidence that came with a message was
	failed    error                        // the first fetch that got no answer
}

// A certStatus is what is known about one certificate.
type certStatus struct {
	RevocationStatus
	settled bool // good by more than what came with a message
}

// revocation reports what is known about path[i], which was issued by
// path[i+1]; the last certificate is the anchor. It is called only for a path
// that passed everything else, for every i but that of the anchor, and never
// with InsecureSkipRevocation. The error is ErrRevoked, ErrRevocationUnknown
// where v.policy.Revocation requires to know, ErrLimit or ErrSource.
func (v *verification) revocation(ctx context.Context, path []*certificate, i int) (certStatus, *Error) {
	s := &statusSearch{
		v: v, path: path[i:], cert: path[i], issuer: path[i+1], anchor: path[len(path)-1],
		seen: make(map[*byte]bool), signers: make(map[*crl.List]signer), responses: make(map[*ocsp.Response]bool),
		ids: make(map[alg.Hash]ocspID), links: make(map[string]bool),
	}
	// RFC 6960 section 4.2.2.2.1. Of any other certificate nocheck means
	// nothing here, or it would switch revocation off.
	if v.role == roleOCSP && i == 0 && s.cert.Extension(oid.OCSPNoCheck) != nil {
		return certStatus{}, nil
	}
	var ok bool
	if s.points, ok = s.cert.distributionPoints(); !ok {
		s.note(nil, "the distribution points of the certificate can't be read")
	}
	failed := s.atHand(ctx)
	exempt := s.cert.noRevAvail()
	if v.policy.Fetcher != nil && !exempt {
		s.fetch(ctx)
	}
	return s.verdict(s.required(i) && !exempt, failed)
}

// noRevAvail reports whether nothing has to be known about c (RFC 9608 section
// 3): only for end entities, never critical, and never beside a place where
// revocation could be looked up. What is at hand can still condemn.
func (c *certificate) noRevAvail() bool {
	e := c.Extension(oid.ExtNoRevAvail)
	return e != nil && !e.Critical && bytes.Equal(e.Value, []byte{5, 0}) && !c.isCA() &&
		c.Extension(oid.ExtCRLDistributionPoints) == nil && c.Extension(oid.ExtFreshestCRL) == nil &&
		len(c.details().ocspURLs) == 0
}

// atHand consults what the Collection has. All that it had before is judged
// before anything that came with a message: no flood of that keeps a
// revocation from being seen.
func (s *statusSearch) atHand(ctx context.Context) *Error {
	failed := s.findCRLs(ctx)
	var own, strange []*Entry
	err := s.find(ctx, Query{Kind: KindOCSPResponse, Serial: s.cert.Serial}, func(e *Entry, rank int) {
		if s.v.origin(rank) == strangeOrigin {
			strange = append(strange, e)
		} else {
			own = append(own, e)
		}
	})
	if failed == nil {
		failed = err
	}
	s.judgeCRLs(ctx)
	s.judgeResponses(ctx, own)
	if len(s.strangers) > 0 {
		s.crls = append(s.crls, s.strangers...)
		s.judgeCRLs(ctx)
	}
	s.strange = true
	s.judgeResponses(ctx, strange)
	s.strange = false
	return failed
}

func (s *statusSearch) judgeResponses(ctx context.Context, list []*Entry) {
	for _, e := range list {
		s.judgeResponse(ctx, e)
	}
}

// find asks for evidence, or for who signed it. Where not all of our own could
// be looked at, nothing can be said.
func (s *statusSearch) find(ctx context.Context, q Query, yield func(e *Entry, rank int)) *Error {
	err := s.v.findMembers(ctx, q, func(e *Entry, _ Member, rank int) bool { yield(e, rank); return true })
	if s.v.cut != nil {
		s.recordLimit(s.v.cut)
	}
	return err
}

// recordLimit notes that evidence was left out.
func (s *statusSearch) recordLimit(e *Error) {
	if s.strange {
		s.flooded = e
	} else {
		s.limit = e
	}
}

// forgeries counts the bad signatures of evidence of one kind.
func (s *statusSearch) forgeries(kind Kind) *int {
	if s.strange {
		return &s.forged[1][kind]
	}
	return &s.forged[0][kind]
}

// decided reports whether nothing more needs to be asked.
func (s *statusSearch) decided() bool {
	return s.condemned != nil || s.settled.good() != nil && s.hold() == nil
}

// saturated reports whether one more statement that the certificate is good
// would change nothing. Of what came with a message one is enough: it must not
// use up the signature checks that other evidence needs.
func (s *statusSearch) saturated() bool {
	return s.decided() || s.strange && s.good.good() != nil && s.hold() == nil
}

// hold returns a statement that the certificate is on hold which no newer and
// current one has lifted.
func (s *statusSearch) hold() *statement {
	for i := range s.holds {
		if !s.holds[i].this.Before(s.released) {
			return &s.holds[i]
		}
	}
	return nil
}

// applies reports whether the entry means that the certificate was revoked at
// the time in question: one of its dates is not after that time, or its keys
// may have been in other hands for longer than anybody knows.
func (v *verification) applies(e crl.Entry) bool {
	return e.Reason == crl.ReasonKeyCompromise || e.Reason == crl.ReasonCACompromise || !e.Since().After(v.at)
}

// revoked notes that a genuine statement lists the certificate.
func (s *statusSearch) revoked(st statement) {
	switch since := st.entry.Since(); {
	case !s.v.applies(st.entry):
		if s.later.IsZero() || since.Before(s.later) {
			s.later = since
		}
	case st.entry.Reason == crl.ReasonHold:
		s.holds = append(s.holds, st)
	case s.condemned == nil:
		s.condemned = &st
	}
}

// recordGood notes that a genuine and current statement does not list the
// certificate for any of some reasons.
//
// Evidence that came with a message was chosen by its sender, who may prefer an
// older one of two that are both current. It counts where nothing newer is
// found, but does not end the search. Neither does an OCSP response without
// nextUpdate, since newer ones exist at any time, unless it was just fetched.
func (s *statusSearch) recordGood(st statement, reasons crl.ReasonMask) {
	if reasons&crl.HoldReason != 0 && st.this.After(s.released) {
		s.released = st.this
	}
	if !s.strange && (s.fetching || !st.next.IsZero()) {
		s.settled.add(st, reasons)
	}
	if !s.good.add(st, reasons) {
		s.note(nil, "the current CRLs tell about some reasons only")
	}
}

// recent is for how long after the time in question evidence of now counts as
// evidence of that time: mail waits in queues, and responders answer for now.
const recent = 24 * time.Hour

// current reports whether something of these dates is evidence of the time in
// question.
func (v *verification) current(this, next time.Time) bool {
	at := func(t time.Time) bool { return !this.After(t.Add(clockSkew)) && !next.IsZero() && t.Before(next) }
	return at(v.at) || v.at.Before(v.now) && v.now.Sub(v.at) <= recent && at(v.now)
}

// current is that of a CRL on the certificate. One of when the certificate had
// expired need not list it any more (RFC 5280 sections 3.3 and 5.3.1).
func (s *statusSearch) current(this, next time.Time) bool {
	return !this.After(s.cert.NotAfter) && s.v.current(this, next)
}

// published reports whether something of that date exists yet.
func (v *verification) published(this time.Time) bool {
	now := v.now
	if v.at.After(now) {
		now = v.at
	}
	return !this.After(now.Add(clockSkew))
}

func (s *statusSearch) verdict(required bool, failed *Error) (certStatus, *Error) {
	st := s.condemned
	if st == nil {
		st = s.hold()
	}
	if st != nil {
		e := fail(ErrRevoked, s.cert, "certificate %s was revoked at %s (%v), says %s",
			s.cert.title(), day(st.entry.Date), st.entry.Reason, st.by)
		e.RevokedAt = st.entry.Since()
		return certStatus{}, e
	}
	if s.limit != nil {
		return certStatus{}, s.limit
	}
	status := certStatus{RevocationStatus: RevocationStatus{RevokedAt: s.later}}
	if good := s.good.good(); good != nil {
		status.Status, status.Evidence = StatusGood, good.kind
		status.ThisUpdate, status.NextUpdate = good.this, good.next
		status.settled = s.settled.good() != nil
		return status, nil
	}
	if !required {
		return status, nil
	}
	if s.flooded != nil {
		return certStatus{}, s.flooded
	}
	if failed != nil {
		return status, failed
	}
	detail := "no CRL or OCSP response about certificate " + s.cert.title()
	if len(s.notes) > 0 {
		texts := make([]string, len(s.notes))
		for i, n := range s.notes {
			texts[i] = n.String()
		}
		detail = "of certificate " + s.cert.title() + ": " + strings.Join(texts, "; ")
	}
	e := fail(ErrRevocationUnknown, s.cert, "%s", detail)
	e.Err = s.failed
	return status, e
}

func (s *statusSearch) required(i int) bool {
	switch s.v.policy.Revocation {
	case RevocationRequireAll:
		return true
	case RevocationRequireLeaf:
		return i == 0
	}
	return false
}

// A remark says why a CRL, or whatever its text names, was not used. It is
// made into text only for an error.
type remark struct {
	crl  *crl.List // nil: none
	text string
}

func (r remark) String() string {
	if r.crl == nil {
		return r.text
	}
	return titleOf(r.crl) + " " + r.text
}

// note keeps a remark for the error.
func (s *statusSearch) note(c *crl.List, text string) {
	const most = 8
	if r := (remark{c, text}); len(s.notes) < most && !slices.Contains(s.notes, r) {
		s.notes = append(s.notes, r)
	}
}
