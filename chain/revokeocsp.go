package chain

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
)

// freshOCSP is how long a response counts that does not say when the next one
// will be there, which means at any time (RFC 6960 section 4.2.2.1): for as long
// as those that do say usually count.
const freshOCSP = 7 * 24 * time.Hour

// judgeResponse takes what an OCSP response says of the certificate (RFC 6960
// section 3.2).
func (s *statusSearch) judgeResponse(ctx context.Context, e *Entry) {
	r, err := e.ocsp.get(e.DER())
	if err != nil {
		s.note(nil, err.Error())
		return
	}
	if s.responses[r] {
		return
	}
	s.responses[r] = true
	if r.unknown != "" {
		s.note(nil, "an OCSP response has the unknown critical extension "+r.unknown.String())
		return
	}
	var ours []*ocspSingle
	useful, sure := false, true
	for i := range r.singles {
		if o := &r.singles[i]; s.about(o) {
			ours = append(ours, o)
			useful = useful || s.usable(o)
			sure = sure && o.status != ocspUnknown && !o.unknown
		}
	}
	if len(ours) == 0 {
		s.note(nil, "an OCSP response is about other certificates")
	}
	if !useful {
		return
	}
	by := s.responderOf(ctx, r)
	if by.cert == nil {
		s.note(nil, "an OCSP response is not signed by anyone who may")
		return
	}
	s.v.proved(e.DER())
	// One that contradicts itself, or that was made when the certificate was
	// not valid, shows nothing good.
	if r.producedAt.Before(s.cert.NotBefore) || r.producedAt.After(s.cert.NotAfter) {
		s.note(nil, "an OCSP response is of a time when the certificate was not valid")
		sure = false
	}
	if s.v.policy.RequireOCSPNonce && (r.nonce == nil || !bytes.Equal(r.nonce, s.v.work.nonce)) {
		s.note(nil, "an OCSP response does not have the nonce of the request")
		sure = false
	}
	by.acquits = by.acquits && sure
	for _, o := range ours {
		if s.usable(o) {
			s.judgeSingle(o, by)
		}
	}
}

// usable reports whether the answer, if genuine, could mean anything.
func (s *statusSearch) usable(o *ocspSingle) bool {
	switch {
	case o.unknown:
		s.note(nil, "an OCSP response has an unknown critical extension")
	case !s.v.published(o.thisUpdate):
		s.note(nil, "an OCSP response is of the future")
	case o.status == ocspUnknown:
		s.note(nil, "the OCSP responder does not know the certificate")
	case o.status == ocspGood && !s.v.current(o.thisUpdate, o.until()):
		s.note(nil, "an OCSP response is not current")
	case o.status == ocspGood:
		return !s.saturated()
	default:
		return s.matters(o.entry)
	}
	return false
}

// until returns the time from which on the answer is stale.
func (o *ocspSingle) until() time.Time {
	if o.nextUpdate.IsZero() {
		return o.thisUpdate.Add(freshOCSP)
	}
	return o.nextUpdate
}

func (s *statusSearch) judgeSingle(o *ocspSingle, by *signer) {
	st := statement{
		kind: KindOCSPResponse, this: o.thisUpdate, next: o.nextUpdate,
		by: "the OCSP response of " + day(o.thisUpdate), entry: o.entry,
	}
	active := false
	if o.status == ocspRevoked {
		s.revoked(st)
		active = s.v.applies(o.entry)
	}
	if !active && by.acquits && s.v.current(o.thisUpdate, o.until()) {
		s.recordGood(st, allReasons)
	}
}

// responderOf returns who signed r: the key that issued the certificate, or one
// that this very key made a responder (RFC 6960 section 4.2.2.2).
func (s *statusSearch) responderOf(ctx context.Context, r *ocspResponse) *signer {
	if r.namesResponder(s.issuer) && s.signedResponse(s.issuer, r) {
		return &signer{s.issuer, true}
	}
	for _, cand := range s.responders(ctx, r) {
		if err := s.mayRespond(cand); err != "" {
			s.note(nil, "OCSP responder "+cand.title()+" "+err)
			continue
		}
		if !s.signedResponse(cand, r) {
			continue
		}
		by, err := s.validateSigner(ctx, cand, roleOCSP, r.producedAt)
		if err != nil {
			s.note(nil, "OCSP responder "+cand.title()+": "+err.Error())
		}
		if by.cert != nil {
			return &by
		}
	}
	return &signer{}
}

// mayRespond says why cand can't be a responder for the issuer, or nothing.
func (s *statusSearch) mayRespond(cand *certificate) string {
	d := cand.details()
	ku, present := cand.keyUsage()
	switch {
	case !d.hasEKU || !slices.Contains(d.eku, oid.EKUOCSPSigning):
		return "has no extended key usage for it"
	case present && ku&(x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment) == 0:
		return "has no key usage for it"
	case cand.issuer() != s.issuer.subject():
		return "is of another issuer"
	}
	if s.tooManyForged(KindOCSPResponse) != nil || s.checked(KindOCSPResponse, s.v.edge(cand, s.issuer)) != nil {
		return "is not signed by the key that issued the certificate"
	}
	return ""
}

// responders returns the certificates that the ResponderID may mean, those in
// the response first.
func (s *statusSearch) responders(ctx context.Context, r *ocspResponse) []*certificate {
	var list []*certificate
	add := func(cand *certificate) {
		if len(list) < maxSigners && r.namesResponder(cand) && !slices.ContainsFunc(list, cand.equal) {
			list = append(list, cand)
		}
	}
	for _, der := range r.certs {
		if cand, err := parseCertificate(der); err == nil {
			add(cand)
		}
	}
	q := Query{Kind: KindCertificate, Subject: r.responderName}
	if r.responderName == nil {
		q.KeyID = r.responderKey
	}
	s.find(ctx, q, func(e *Entry, _ int) {
		if cand, err := e.cert(); err == nil {
			add(cand)
		}
	})
	return list
}

func (s *statusSearch) signedResponse(by *certificate, r *ocspResponse) bool {
	err := s.checkEvidence(KindOCSPResponse, by, r.algorithm, r.tbs, r.signature)
	if err != nil {
		s.note(nil, "OCSP response: "+err.Error())
	}
	return err == nil
}
