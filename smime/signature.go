package smime

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// A judge finds out about signatures what a SignerReport has.
type judge struct {
	ctx        context.Context
	trust      *chain.Collection
	opts       chain.Options
	timestamps *chain.Collection
	required   string // VerifyOptions.Sender
	anySender  bool
	historic   bool // weak algorithms pass
	namedPath  bool // VerifyOptions.RequireNamedPath
}

// maxTried bounds the certificates that are tried for one signature: a
// key identifier can name several (RFC 8551 section 2.6).
const maxTried = 8

// evidence is what came with a message to help judge it.
type evidence struct {
	elements [][]byte
	trust    *chain.Collection // with elements

	read map[*byte]*x509.Certificate // what elements were read as; nil: no certificate
}

// certificate reads an element, once however many signatures may mean it.
func (ev *evidence) certificate(raw []byte) *x509.Certificate {
	c, seen := ev.read[&raw[0]]
	if seen {
		return c
	}
	if der, err := x509der.Parse(raw); err == nil {
		c = reparse(der)
	}
	if ev.read == nil {
		ev.read = make(map[*byte]*x509.Certificate)
	}
	ev.read[&raw[0]] = c
	return c
}

func (j *judge) evidence(elements [][]byte) *evidence {
	return &evidence{elements: elements, trust: j.trust.With(chain.Untrusted(chain.DER(elements...)))}
}

// A judgement is what was found out about the signatures over one content.
type judgement struct {
	form    *signedForm // of the content, that the reports are about
	intact  bool        // a signature holds for it, whoever made it
	reports []*SignerReport
	signer  *Signer // nil unless everything holds
	err     error
}

// judge judges the signatures over a content, whose signer must be who: the one
// way to a [Signer]. Of several forms, as received and with canonical line ends,
// it takes the one that a signature holds for, else the one that a signature
// came furthest with. structure says why other programs may show something else
// than the content, or is nil.
func (j *judge) judge(sc *signedContent, forms []signedForm, who *authors, structure error) *judgement {
	ev := j.evidence(forms[0].elements)
	g := &judgement{}
	furthest := -1
	for i := range forms {
		reports := j.reports(forms[i].infos, ev, who)
		far := progressNone
		for _, r := range reports {
			far = max(far, progressOf(r.Integrity.err))
			g.intact = g.intact || r.Integrity.passed
		}
		if int(far) > furthest {
			g.reports, furthest, g.form = reports, int(far), &forms[i]
		}
		if g.intact {
			break
		}
	}
	uncover(g.reports, structure, who)
	if g.signer, g.err = verdict(g.reports, who); g.err == nil {
		j.findEncryptTo(g.signer, ev)
		g.signer.layer = receiptTargetOf(sc, g.reports)
	}
	if err := j.ctx.Err(); err != nil {
		g.signer, g.err = nil, err // not all was tried
	}
	return g
}

// reports judges every signature of a SignedData, until the context ends.
func (j *judge) reports(infos []*pkcs7.SignerInfo, ev *evidence, who *authors) []*SignerReport {
	list := make([]*SignerReport, len(infos))
	for i, info := range infos {
		if j.ctx.Err() != nil {
			return list[:i]
		}
		list[i] = j.report(info, ev, who)
		list[i].conclude()
	}
	return list
}

// report judges a signature by each certificate that it may mean until one
// passes: a renewed certificate has the key and the key identifier of the one
// before (RFC 8551 section 2.6).
func (j *judge) report(info *pkcs7.SignerInfo, ev *evidence, who *authors) *SignerReport {
	var best *SignerReport
	tried := 0
	for cert := range j.candidates(info.ID(), ev) {
		err := info.CheckSignature(cert)
		if best == nil || progressOf(err) > progressOf(best.Integrity.err) || err == nil {
			r := j.reportOn(info, cert, err, ev, who)
			if r.signer != nil {
				return r
			}
			if best == nil || progressOf(r.Integrity.err) > progressOf(best.Integrity.err) {
				best = r
			}
		}
		if tried++; tried == maxTried || errors.Is(err, ErrLimit) || j.ctx.Err() != nil {
			break
		}
	}
	if best != nil {
		return best
	}
	r := newReport(info)
	r.Integrity = failed(fmt.Errorf("smime: %w", pkcs7.ErrNoCertificate))
	return r
}

// reportOn judges a signature by a certificate, given whether its key made it.
func (j *judge) reportOn(info *pkcs7.SignerInfo, cert *x509.Certificate, integrity error, ev *evidence, who *authors) *SignerReport {
	r := newReport(info)
	r.UnverifiedCertificate = cert
	r.Integrity, r.Strength = passed(), passed()
	if integrity != nil {
		r.Integrity = failed(fmt.Errorf("smime: %w", integrity))
	}
	if err := info.Strength(cert); err != nil {
		r.weak = true
		if !j.historic {
			r.Strength = failed(err)
		}
	}
	opts := j.opts
	if !r.Integrity.passed {
		// Nobody is asked about a signature that does not hold: whoever changes a
		// ciphertext could see by it what the plaintext became.
		opts.Fetcher = nil
	}
	if r.Integrity.passed && j.timestamps != nil {
		// RFC 8550 section 6: a verified timestamp is evidence, signingTime is none.
		policy := chain.Policy{Purpose: chain.TimeStamping, Options: j.opts}
		if at, err := info.VerifyTimestamps(j.ctx, j.timestamps.TrustFunc(policy)); err == nil {
			r.Timestamp, opts.At = at, at
		}
	}
	if j.namedPath {
		opts.Check = namedOnly(info, opts.Check)
	}
	j.trustAndSender(r, cert, opts, ev, who)
	r.prove(who)
	return r
}

// namedOnly returns a Check for paths that the signer's signing certificate
// attributes leave free, and that pass also.
func namedOnly(info *pkcs7.SignerInfo, also func(*chain.Path) error) func(*chain.Path) error {
	return func(p *chain.Path) error {
		certs := p.Certificates()
		if err := info.CheckPath(certs[:len(certs)-1]); err != nil {
			return err
		}
		if also != nil {
			return also(p)
		}
		return nil
	}
}

// A progress is how far the check of a signature came. Of several forms of a
// content, or several certificates, the error of the furthest is the one to
// report: what differs is what failed early.
type progress int

const (
	progressNone      progress = iota // not tried: no certificate, a limit
	progressDigest                    // the content is not what was signed
	progressSignature                 // it is, but the signature value does not match
	progressStrength                  // the signature matches and is too weak
	progressDone                      // the signature holds
)

// progressOf returns how far a check came that ended with err.
func progressOf(err error) progress {
	switch {
	case err == nil:
		return progressDone
	case errors.Is(err, ErrLimit), errors.Is(err, pkcs7.ErrNoCertificate):
		return progressNone
	case errors.Is(err, pkcs7.ErrDigest):
		return progressDigest
	case errors.Is(err, pkcs7.ErrWeak):
		return progressStrength
	}
	return progressSignature
}

// progress returns how far a signature comes with the keys that it may mean.
func (j *judge) progress(info *pkcs7.SignerInfo, ev *evidence) (best progress) {
	tried := 0
	for cert := range j.candidates(info.ID(), ev) {
		err := info.CheckSignature(cert)
		best = max(best, progressOf(err))
		if tried++; best == progressDone || tried == maxTried || errors.Is(err, ErrLimit) || j.ctx.Err() != nil {
			break
		}
	}
	return best
}

// candidates yields the certificates that id names, those of the message first.
func (j *judge) candidates(id pkcs7.CertID, ev *evidence) func(yield func(*x509.Certificate) bool) {
	return func(yield func(*x509.Certificate) bool) {
		var seen [][]byte
		// Most certificates of a message are those of authorities: those without
		// the serial number need not be read.
		var serial []byte
		if id.Serial != nil && id.Serial.Sign() > 0 {
			serial = id.Serial.Bytes()
		}
		offer := func(raw []byte) bool {
			if !bytes.Contains(raw, serial) {
				return true
			}
			for _, s := range seen {
				if bytes.Equal(s, raw) {
					return true
				}
			}
			if !id.Matches(&x509.Certificate{Raw: raw}) {
				return true
			}
			seen = append(seen, raw)
			c := ev.certificate(raw)
			return c == nil || yield(c)
		}
		for _, e := range ev.elements {
			if !offer(e) {
				return
			}
		}
		q := chain.Query{Kind: chain.KindCertificate, Issuer: id.Issuer, Serial: id.Serial, KeyID: id.KeyID}
		n := 0
		for entry, err := range j.trust.Find(j.ctx, q) {
			if n++; n > 10*maxTried {
				return
			}
			if err == nil && !offer(entry.DER()) {
				return
			}
		}
	}
}

// trustAndSender validates the certificate for each author at once, so that an
// anchor that may vouch for some addresses only is held to them.
func (j *judge) trustAndSender(r *SignerReport, cert *x509.Certificate, opts chain.Options, ev *evidence, who *authors) {
	policy := chain.Policy{Purpose: chain.EmailSigning, Options: opts}
	named := who.namedBy(cert)
	if named == nil && !j.anySender {
		r.Sender = passed()
		for _, a := range who.list {
			policy.Mailbox = a.String()
			path, err := ev.trust.Verify(j.ctx, cert, policy)
			if err != nil {
				r.Path, r.Trust = nil, failed(err)
				return
			}
			r.Path, r.Trust = path, passed()
		}
		return
	}
	if j.anySender {
		r.Sender = passed()
	} else {
		r.Sender = failed(named)
	}
	policy.InsecureAnyMailbox = true
	path, err := ev.trust.Verify(j.ctx, cert, policy)
	if err != nil {
		r.Trust = failed(err)
		return
	}
	r.Path, r.Trust = path, passed()
}

// verdict returns the signer of a content: the one who names the author and
// passed everything. Every SignerInfo of that signer must hold.
func verdict(reports []*SignerReport, who *authors) (*Signer, error) {
	if len(reports) == 0 {
		return nil, fmt.Errorf("%w: %w", ErrNotSigned, pkcs7.ErrNoSigner)
	}
	var good *SignerReport
	for _, r := range reports {
		if r.signer != nil && r.Coverage.passed {
			good = r
			break
		}
	}
	if good == nil {
		return nil, nearest(reports, who).gravest()
	}
	for _, r := range reports {
		if r.Integrity.passed || r == good || !r.sameSigner(good) {
			continue
		}
		// An algorithm that is not known here says nothing (RFC 5752).
		if !errors.Is(r.Integrity.err, pkcs7.ErrUnsupported) {
			return nil, fmt.Errorf("smime: another signature of the same signer: %w", r.Integrity.Err())
		}
	}
	return good.signer, nil
}

// nearest returns the report to complain about: that of the certificate that
// names the author, else the one with the least wrong.
func nearest(reports []*SignerReport, who *authors) *SignerReport {
	best, rank := reports[0], -1
	for _, r := range reports {
		n := 0
		for _, v := range []Verdict{r.Integrity, r.Strength, r.Trust, r.Coverage} {
			if v.passed {
				n++
			}
		}
		if r.UnverifiedCertificate != nil && who.namedBy(r.UnverifiedCertificate) == nil {
			n += 10
		}
		if n > rank {
			best, rank = r, n
		}
	}
	return best
}

// uncover fails the coverage of signatures in an entity that other programs may
// show differently. Where the author is ambiguous too the error says so.
func uncover(reports []*SignerReport, structure error, who *authors) {
	if structure == nil {
		return
	}
	err := fmt.Errorf("%w: %w", ErrNotCovered, structure)
	if errors.Is(who.err, ErrAmbiguousSender) {
		err = fmt.Errorf("%w; %w", err, who.err)
	}
	for _, r := range reports {
		r.Coverage = failed(err)
		r.conclude()
	}
}

// form chooses between the content as received and with canonical line ends.
func (j *judge) form(sc *signedContent) *signedForm {
	form := &sc.forms[0]
	if len(sc.forms) == 1 {
		return form
	}
	ev := j.evidence(form.elements)
	best := progressNone
	for i := range sc.forms {
		for _, info := range sc.forms[i].infos {
			if j.ctx.Err() != nil {
				return form // Open returns no message
			}
			if far := j.progress(info, ev); far > best {
				form, best = &sc.forms[i], far
			}
		}
		if best == progressDone {
			break
		}
	}
	return form
}

// findEncryptTo finds the certificate of the encryption key preference among
// those that came along and those at hand.
//
//	SMIMEEncryptionKeyPreference ::= CHOICE {
//	    issuerAndSerialNumber   [0] IssuerAndSerialNumber,
//	    receipentKeyId          [1] RecipientKeyIdentifier,
//	    subjectAltKeyIdentifier [2] SubjectKeyIdentifier }
//
// The attribute that Outlook adds is an IssuerAndSerialNumber.
func (j *judge) findEncryptTo(s *Signer, ev *evidence) {
	if s.fromFuture() {
		return
	}
	for _, a := range s.report.info.Signed() {
		t := oid.FromX509(a.Type)
		if t != oid.AttrEncryptionKeyPreference && t != oid.AttrMicrosoftKeyPreference || len(a.Values) != 1 {
			continue
		}
		id, ok := parseKeyPreference(a.Values[0])
		if !ok {
			continue
		}
		for cert := range j.candidates(id, ev) {
			s.encryptTo = cert
			return
		}
	}
}
