package chain

import (
	"bytes"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/ocsp"
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
	if r.UnknownExtension != "" {
		s.note(nil, "an OCSP response has the unknown critical extension "+r.UnknownExtension.String())
		return
	}
	var ours []*ocsp.Single
	useful, sure := false, true
	for i := range r.Singles {
		if o := &r.Singles[i]; s.about(o) {
			ours = append(ours, o)
			useful = useful || s.usable(o)
			sure = sure && o.Status != ocsp.Unknown && !o.UnknownExtension
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
	if r.ProducedAt.Before(s.cert.NotBefore) || r.ProducedAt.After(s.cert.NotAfter) {
		s.note(nil, "an OCSP response is of a time when the certificate was not valid")
		sure = false
	}
	if s.v.policy.RequireOCSPNonce && (r.Nonce == nil || !bytes.Equal(r.Nonce, s.v.work.nonce)) {
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
func (s *statusSearch) usable(o *ocsp.Single) bool {
	switch {
	case o.UnknownExtension:
		s.note(nil, "an OCSP response has an unknown critical extension")
	case !s.v.published(o.ThisUpdate):
		s.note(nil, "an OCSP response is of the future")
	case o.Status == ocsp.Unknown:
		s.note(nil, "the OCSP responder does not know the certificate")
	case o.Status == ocsp.Good && !s.v.current(o.ThisUpdate, until(o)):
		s.note(nil, "an OCSP response is not current")
	case o.Status == ocsp.Good:
		return !s.saturated()
	default:
		return s.matters(entryOf(o))
	}
	return false
}

// entryOf returns what the answer says of a revoked certificate.
func entryOf(o *ocsp.Single) crl.Entry {
	return crl.Entry{Date: o.Date, Invalidity: o.Invalidity, Reason: crl.Reason(o.Reason)}
}

// until returns the time from which on the answer is stale.
func until(o *ocsp.Single) time.Time {
	if o.NextUpdate.IsZero() {
		return o.ThisUpdate.Add(freshOCSP)
	}
	return o.NextUpdate
}

func (s *statusSearch) judgeSingle(o *ocsp.Single, by *signer) {
	st := statement{
		kind: KindOCSPResponse, this: o.ThisUpdate, next: o.NextUpdate,
		by: "the OCSP response of " + day(o.ThisUpdate), entry: entryOf(o),
	}
	active := false
	if o.Status == ocsp.Revoked {
		s.revoked(st)
		active = s.v.applies(entryOf(o))
	}
	if !active && by.acquits && s.v.current(o.ThisUpdate, until(o)) {
		s.recordGood(st, crl.AllReasons)
	}
}

// responderOf returns who signed r: the key that issued the certificate, or one
// that this very key made a responder (RFC 6960 section 4.2.2.2).
func (s *statusSearch) responderOf(ctx context.Context, r *ocsp.Response) *signer {
	if s.issuer.namedBy(r) && s.signedResponse(s.issuer, r) {
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
		by, err := s.validateSigner(ctx, cand, roleOCSP, r.ProducedAt)
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
func (s *statusSearch) responders(ctx context.Context, r *ocsp.Response) []*certificate {
	var list []*certificate
	add := func(cand *certificate) {
		if len(list) < maxSigners && cand.namedBy(r) && !slices.ContainsFunc(list, cand.equal) {
			list = append(list, cand)
		}
	}
	for _, der := range r.Certs {
		if cand, err := parseCertificate(der); err == nil {
			add(cand)
		}
	}
	q := Query{Kind: KindCertificate, Subject: r.ResponderName}
	if r.ResponderName == nil {
		q.KeyID = r.ResponderKey
	}
	s.find(ctx, q, func(e *Entry, _ int) {
		if cand, err := e.cert(); err == nil {
			add(cand)
		}
	})
	return list
}

func (s *statusSearch) signedResponse(by *certificate, r *ocsp.Response) bool {
	err := s.checkEvidence(KindOCSPResponse, by, r.Algorithm, r.TBS, r.Signature)
	if err != nil {
		s.note(nil, "OCSP response: "+err.Error())
	}
	return err == nil
}
