package chain

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"slices"
	"time"

	"github.com/gosmime/gosmime/internal/crl"
)

// largeCRL is the size from which on the signature of a CRL that came with a
// message is checked before its entries are read: the walk costs more than the
// check. The CRLs of an archive are walked first, since few of them matter.
const largeCRL = 1 << 18

// maxSigners is how many certificates of a CRL issuer's name are tried.
const maxSigners = 16

// maxForged is how many bad signatures of CRLs, and as many of OCSP responses,
// about one certificate are looked at: few enough that those for all of a path
// stay within Limits.Signatures.
const maxForged = 12

// A rankedCRL is a CRL with the place of its source in the Collection.
type rankedCRL struct {
	*crl.List
	rank int
}

// fetchedRank is that of what was just fetched.
const fetchedRank = -1

// A signer is who signed a CRL, as far as known.
type signer struct {
	cert    *certificate // nil: nobody who may
	acquits bool         // its CRLs may also show that a certificate is good
}

// findCRLs collects the CRLs of everyone who may have issued one.
func (s *statusSearch) findCRLs(ctx context.Context) *Error {
	var failed *Error
	names := [][]byte{s.cert.Issuer}
	for i := range s.points {
		names = append(names, s.points[i].Issuers...)
	}
	for i, name := range names {
		if slices.ContainsFunc(names[:i], func(n []byte) bool { return bytes.Equal(n, name) }) {
			continue
		}
		err := s.find(ctx, Query{Kind: KindCRL, Issuer: name}, func(e *Entry, rank int) { s.addCRL(e, rank) })
		if failed == nil {
			failed = err
		}
	}
	return failed
}

// addCRL takes a CRL up if it can be used at all. Those of lower rank are judged
// first.
func (s *statusSearch) addCRL(e *Entry, rank int) {
	c, err := e.crl.get(e.DER())
	switch {
	case err != nil:
		s.note(nil, "a CRL can't be read")
	case s.seen[&c.Raw[0]]: // the same octets in memory
	case !s.v.published(c.ThisUpdate):
		s.note(c, "is of the future")
	case c.Unknown != "":
		// RFC 5280 section 5.2: it must not decide about any certificate.
		s.note(c, "has an unknown critical extension")
	case s.v.origin(rank) == strangeOrigin:
		s.strangers = append(s.strangers, rankedCRL{c, rank})
	default:
		s.crls = append(s.crls, rankedCRL{c, rank})
	}
	if c != nil {
		s.seen[&c.Raw[0]] = true
	}
}

// titleOf names a CRL for people.
func titleOf(c *crl.List) string {
	what := "the CRL of "
	if c.Delta() {
		what = "the delta CRL of "
	}
	return what + nameText(c.Issuer) + " of " + day(c.ThisUpdate)
}

// judgeCRLs is the loop of RFC 5280 section 6.3.3 over the distribution
// points. It does not end with the first good answer, since every genuine CRL
// may condemn. Of one source the newest go before the older.
func (s *statusSearch) judgeCRLs(ctx context.Context) {
	slices.SortStableFunc(s.crls, func(a, b rankedCRL) int {
		return cmp.Or(a.rank-b.rank, b.ThisUpdate.Compare(a.ThisUpdate), crl.CompareNumbers(b.Number, a.Number))
	})
	defer func() { s.strange = false }()
	for i := range s.points {
		for _, c := range s.crls {
			s.strange = s.v.origin(c.rank) == strangeOrigin
			reasons, ok := c.Covers(s.cert.scope(), &s.points[i])
			if !ok {
				s.note(c.List, "does not cover the certificate")
				continue
			}
			if c.Delta() {
				s.judgeDelta(ctx, c.List)
			} else {
				s.judgeCRL(ctx, c.List, reasons)
			}
			if s.condemned != nil {
				return
			}
		}
	}
}

// judgeCRL takes what a complete CRL says, together with the newest delta CRL
// that fits it. The signature is checked only where that matters.
func (s *statusSearch) judgeCRL(ctx context.Context, c *crl.List, reasons crl.ReasonMask) {
	this, next := c.ThisUpdate, c.NextUpdate
	entries, ok := s.lookup(ctx, c)
	if !ok {
		return
	}
	d := s.deltaFor(ctx, c)
	if d != nil {
		if newer, ok := s.lookup(ctx, d); ok {
			this, next, entries = d.ThisUpdate, d.NextUpdate, combine(newer, entries)
		}
	}
	current := s.current(this, next)
	if !current {
		s.note(c, "is not current")
	}
	// What was fetched is checked in any case: only what is genuine is kept.
	needless := !current || s.saturated() && !s.v.unproved(c.Raw)
	if needless && !slices.ContainsFunc(entries, s.matters) {
		return
	}
	by := s.signerOf(ctx, c)
	if by.cert == nil {
		return
	}
	s.v.proved(c.Raw)
	if d != nil {
		s.v.proved(d.Raw)
	}
	active := false
	for _, e := range entries {
		s.revoked(statement{kind: KindCRL, this: this, next: next, by: titleOf(c), entry: e})
		active = active || s.v.applies(e)
	}
	if current && !active && by.acquits {
		s.recordGood(statement{kind: KindCRL, this: this, next: next}, reasons)
	}
}

// judgeDelta takes what a delta CRL says by itself, with or without a complete
// CRL: it can condemn, and lift a hold.
func (s *statusSearch) judgeDelta(ctx context.Context, d *crl.List) {
	entries, ok := s.lookup(ctx, d)
	if !ok || !slices.ContainsFunc(entries, s.matters) {
		return
	}
	by := s.signerOf(ctx, d)
	if by.cert == nil {
		return
	}
	s.v.proved(d.Raw)
	for _, e := range entries {
		switch {
		case e.Reason != crl.ReasonRemoveFromCRL:
			s.revoked(statement{kind: KindCRL, this: d.ThisUpdate, next: d.NextUpdate, by: titleOf(d), entry: e})
		case by.acquits && s.current(d.ThisUpdate, d.NextUpdate) && d.ThisUpdate.After(s.released):
			s.released = d.ThisUpdate
		}
	}
}

// matters reports whether the entry, if genuine, could change the answer.
func (s *statusSearch) matters(e crl.Entry) bool {
	return s.v.applies(e) || e.Reason == crl.ReasonRemoveFromCRL || s.later.IsZero() || e.Since().Before(s.later)
}

// lookup returns the entries of c for the certificate. It fails where c can't
// be used for any.
func (s *statusSearch) lookup(ctx context.Context, c *crl.List) ([]crl.Entry, bool) {
	if s.strange && len(c.Raw) >= largeCRL && s.signerOf(ctx, c).cert == nil {
		return nil, false
	}
	entries, err := c.Lookup(s.cert.issuer(), s.cert.SerialDER)
	if err != nil {
		s.note(c, "can't be used: "+err.Error())
		return nil, false
	}
	if !c.Delta() {
		// removeFromCRL is for delta CRLs (RFC 5280 section 5.3.1).
		entries = slices.DeleteFunc(entries, func(e crl.Entry) bool { return e.Reason == crl.ReasonRemoveFromCRL })
	}
	return entries, true
}

// deltaFor returns the newest current delta CRL that brings c up to date and
// has the same signer (RFC 5280 section 6.3.3 (h)), one that may also lift holds.
func (s *statusSearch) deltaFor(ctx context.Context, c *crl.List) *crl.List {
	var best *crl.List
	for _, ranked := range s.crls {
		d := ranked.List
		if !d.Delta() || !d.Updates(c) || !s.current(d.ThisUpdate, d.NextUpdate) ||
			best != nil && crl.CompareNumbers(d.Number, best.Number) <= 0 {
			continue
		}
		by, base := s.signerOf(ctx, d), s.signerOf(ctx, c)
		if by.acquits && base.cert != nil && bytes.Equal(by.cert.SPKI, base.cert.SPKI) {
			best = d
		}
	}
	return best
}

// combine is steps (i) to (k) of RFC 5280 section 6.3.3: what the delta CRL
// says goes before what the complete CRL says, but it takes off only holds: a
// revocation is for ever.
func combine(delta, complete []crl.Entry) []crl.Entry {
	var all []crl.Entry
	removed := false
	for _, e := range delta {
		if e.Reason == crl.ReasonRemoveFromCRL {
			removed = true
		} else {
			all = append(all, e)
		}
	}
	for _, e := range complete {
		if !removed || e.Reason != crl.ReasonHold {
			all = append(all, e)
		}
	}
	return all
}

// signerOf returns who signed c: steps (f) and (g) of RFC 5280 section 6.3.3.
func (s *statusSearch) signerOf(ctx context.Context, c *crl.List) signer {
	if by, ok := s.signers[c]; ok {
		return by
	}
	by := s.findSigner(ctx, c)
	s.signers[c] = by
	if by.cert == nil {
		s.note(c, "is not signed by anyone who may")
	}
	return by
}

func (s *statusSearch) findSigner(ctx context.Context, c *crl.List) signer {
	if s.issuer.subject() == c.IssuerKey && s.signs(s.issuer, c) {
		ku, present := s.issuer.keyUsage()
		if present && ku&x509.KeyUsageCRLSign == 0 {
			s.note(nil, "key usage of "+s.issuer.title()+" does not have cRLSign")
			return signer{}
		}
		// RFC 10007 section 4: an issuer of version 3 must have the extension.
		// DEVIATION: without it, what the very key that issued the certificate
		// says against the certificate is believed all the same.
		acquits := present || s.issuer.Version < 3
		if !acquits {
			s.note(nil, "certificate "+s.issuer.title()+" has no key usage: its CRLs can't show that another is good")
		}
		return signer{s.issuer, acquits}
	}
	if s.tooManyForged(KindCRL) != nil {
		return signer{}
	}
	cands, more := s.candidates(ctx, c)
	for _, cand := range cands {
		ku, present := cand.keyUsage()
		if present && ku&x509.KeyUsageCRLSign == 0 || !present && cand.Version == 3 || !s.signs(cand, c) {
			continue
		}
		by, err := s.validateSigner(ctx, cand, roleCRL, c.ThisUpdate)
		if err != nil {
			s.note(c, "has an unfit issuer: "+err.Error())
		}
		if by.cert != nil {
			return s.inScope(ctx, c, by, cands)
		}
	}
	if more {
		s.recordLimit(fail(ErrLimit, s.cert, "more than %d certificates for the issuer of %s", maxSigners, titleOf(c)))
	}
	return signer{}
}

// inScope says what a CRL that another key of its issuer's name signed may say
// of the certificate. The scope of a CRL is the key that issued the certificate,
// unless that key can't sign CRLs, the certificate names an indirect CRL, or a
// self-issued certificate shows that both keys are of one CA (RFC 5280 section
// 6.3.3 (f)). CAs of Microsoft publish one CRL for each key and say in an
// extension of certificate and CRL which key it is. cands are the certificates
// of the issuer's name that were found.
//
// DEVIATION: RFC 5280 asks only for the same name and the same anchor. An
// anchor may have issued CAs of one name to several parties.
func (s *statusSearch) inScope(ctx context.Context, c *crl.List, by signer, cands []*certificate) signer {
	if c.IssuerKey != s.cert.issuer() || s.namesIndirect(c) {
		return by
	}
	differs := func(n int) bool { return n >= 0 && s.issuer.keyIndex() >= 0 && n != s.issuer.keyIndex() }
	if differs(c.KeyIndex) || slices.ContainsFunc(cands, func(x *certificate) bool {
		return x.keyID() == by.cert.keyID() && differs(x.keyIndex())
	}) {
		s.note(c, "is about certificates of another key of its issuer")
		return signer{}
	}
	ku, present := s.issuer.keyUsage()
	if present && ku&x509.KeyUsageCRLSign == 0 || s.linked(ctx, by.cert) {
		return by
	}
	s.note(c, "is signed by another key than the certificate")
	by.acquits = false
	return by
}

// namesIndirect reports whether the certificate names the issuer of c as that
// of an indirect CRL.
func (s *statusSearch) namesIndirect(c *crl.List) bool {
	return c.IDP != nil && c.IDP.Indirect && slices.ContainsFunc(s.points, func(p crl.DistributionPoint) bool {
		return slices.Contains(p.Keys, c.IssuerKey)
	})
}

// linked reports whether a self-issued certificate shows that the key of other
// and the key of the issuer, which have one name, are of one CA: it is for one
// of them and signed by the other.
func (s *statusSearch) linked(ctx context.Context, other *certificate) bool {
	key := other.keyID()
	if is, ok := s.links[key]; ok {
		return is
	}
	tries := 0
	links := func(x *certificate) bool {
		signedBy := s.issuer
		switch x.keyID() {
		case key:
		case s.issuer.keyID():
			signedBy = other
		default:
			return false
		}
		if !x.selfIssued() || tries == maxSigners || s.tooManyForged(KindCRL) != nil {
			return false
		}
		tries++
		return s.checked(KindCRL, s.v.edge(x, signedBy)) == nil
	}
	is := slices.ContainsFunc(append([]*certificate{other}, s.path...), links)
	if !is {
		s.find(ctx, Query{Kind: KindCertificate, Subject: other.Subject}, func(e *Entry, _ int) {
			if x, err := e.cert(); err == nil && !is && x.subject() == s.issuer.subject() {
				is = links(x)
			}
		})
	}
	s.links[key] = is
	return is
}

// strangeSignatures is how many signatures may be checked to validate one signer
// of evidence that came with a message.
const strangeSignatures = 30

// validateSigner validates the signer of evidence of that date. On error the
// evidence can't show that a certificate is good; if the signer has merely
// expired since, it can still show that one is revoked.
func (s *statusSearch) validateSigner(ctx context.Context, cand *certificate, role issuerRole, date time.Time) (signer, *Error) {
	v := *s.v
	if s.strange {
		// Who wrote the message must not use up what our own evidence needs,
		// nor make us call anybody.
		v.policy.Fetcher = nil
		v.policy.Limits.Signatures = min(v.policy.Limits.Signatures, v.work.signatures+strangeSignatures)
	}
	err := v.validateIssuer(ctx, cand, role, s.anchor)
	if err == nil {
		return signer{cand, true}, nil
	}
	if isLimit(err) {
		s.recordLimit(err)
	}
	if !date.Before(s.v.at) {
		return signer{}, err
	}
	v.at = date
	if past := v.validateIssuer(ctx, cand, role, s.anchor); past == nil {
		return signer{cand, false}, err
	} else if isLimit(past) {
		s.recordLimit(past)
	}
	return signer{}, err
}

// candidates returns certificates of the CRL issuer's name with other keys than
// the issuer's: before those that came with a message all others, and of each
// those first that the key identifier names. more says that some were left out.
func (s *statusSearch) candidates(ctx context.Context, c *crl.List) (_ []*certificate, more bool) {
	type candidate struct {
		*certificate
		rank int
	}
	var list []candidate
	own := 0
	add := func(cand *certificate, strange bool) {
		if cand.subject() != c.IssuerKey || cand.sameEntity(s.issuer) ||
			slices.ContainsFunc(list, func(have candidate) bool { return have.equal(cand) }) {
			return
		}
		x := candidate{certificate: cand}
		if strange {
			x.rank = 2
		} else {
			own++
		}
		if c.AuthorityKey == nil || !bytes.Equal(cand.SubjectKeyID, c.AuthorityKey) {
			x.rank++
		}
		list = append(list, x)
	}
	for _, cand := range s.path[1:] {
		add(cand, false)
	}
	s.find(ctx, Query{Kind: KindCertificate, Subject: c.Issuer}, func(e *Entry, rank int) {
		if cand, err := e.cert(); err == nil {
			add(cand, s.v.origin(rank) == strangeOrigin)
		}
	})
	slices.SortStableFunc(list, func(a, b candidate) int { return a.rank - b.rank })
	out := make([]*certificate, min(len(list), maxSigners))
	for i := range out {
		out[i] = list[i].certificate
	}
	return out, own > maxSigners
}

// signs checks the signature of c. The result for a key is kept with the CRL.
func (s *statusSearch) signs(by *certificate, c *crl.List) bool {
	if err := s.v.strength(by, c.Algorithm); err != nil {
		s.note(c, "can't be believed: "+err.Error())
		return false
	}
	if c.KnownSigner(by.SPKI) {
		return true
	}
	if err := s.checkEvidence(KindCRL, by, c.Algorithm, c.TBS, c.Signature); err != nil {
		return false
	}
	c.NoteSigner(by.SPKI)
	return true
}

// checkEvidence checks the signature of a CRL or OCSP response.
func (s *statusSearch) checkEvidence(kind Kind, by *certificate, algorithm, signed, signature []byte) *Error {
	if err := s.tooManyForged(kind); err != nil {
		return err
	}
	return s.checked(kind, s.v.checkSignature(by, algorithm, signed, signature))
}

// tooManyForged ends the checks of signatures after some bad ones. What came
// with a message has a count of its own and is judged last, so that nothing is
// hidden by leaving the rest of it out.
func (s *statusSearch) tooManyForged(kind Kind) *Error {
	if *s.forgeries(kind) < maxForged {
		return nil
	}
	e := fail(ErrLimit, s.cert, "more than %d bad signatures of CRLs or OCSP responses", maxForged)
	s.recordLimit(e)
	return e
}

// checked counts what came of the check of a signature.
func (s *statusSearch) checked(kind Kind, err *Error) *Error {
	switch {
	case err == nil:
	case err.Reason == ErrLimit:
		s.recordLimit(err)
	default:
		*s.forgeries(kind)++
	}
	return err
}
