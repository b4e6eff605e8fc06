package smime

import (
	"crypto/x509"
	"errors"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
)

// A Signer is somebody who signed all of an entity, by a certificate that is
// valid and names the author. Only this package makes one: to hold a Signer is
// to know that all of this was checked. The methods of a zero Signer panic.
type Signer struct {
	report  *SignerReport
	mailbox string
	weak    bool // an algorithm of the signature is below the floor

	caps      Capabilities
	encryptTo *x509.Certificate
	receipt   *receiptRequest
	layer     receiptTarget
	notes     []Note
	shows     bool // protected header fields
}

// Mailbox returns the address of the certificate that matched From, its domain
// as lower-case A-labels. Where several match it is the first in the order of
// the certificate: whoever relayed the message chose nothing about it. It is
// empty if InsecureAnySender let a certificate pass that does not name the
// author.
//
// To remember a correspondent use [Signer.MailboxKey].
func (s *Signer) Mailbox() string { s.check(); return s.mailbox }

// MailboxKey returns the stable key of the signer: [Signer.Mailbox] with a local
// part of ASCII in lower case. It is equal for all certificates that name one
// mailbox, however these spell it (RFC 8550 section 3 compares them so). Local
// parts with other characters are kept octet by octet (RFC 9598 section 5).
func (s *Signer) MailboxKey() string {
	s.check()
	a, err := mailbox.Parse(s.mailbox)
	if err != nil {
		return "" // only that of nobody can't be read
	}
	return a.Key()
}

// Mailboxes returns all addresses that the certificate names.
func (s *Signer) Mailboxes() []string { s.check(); return s.report.Path.Mailboxes() }

// Path returns the validated path.
func (s *Signer) Path() *chain.Path { s.check(); return s.report.Path }

// ReceiptRequest returns whom the signer asked to send a receipt (RFC 2634).
// An empty list with ok means everybody who received the message.
func (s *Signer) ReceiptRequest() (to []string, ok bool) {
	s.check()
	if s.receipt == nil || s.layer.refused {
		return nil, false
	}
	return slices.Clone(s.receipt.from), true
}

// Capabilities returns what the signer announced, for use in later replies;
// nil if nothing, and if the signer claims to have signed more than a day after
// the time of the check. Of several messages the one with the latest ClaimedTime
// counts (RFC 8551 section 2.7.1).
func (s *Signer) Capabilities() Capabilities { s.check(); return s.caps.clone() }

// EncryptTo returns the certificate to encrypt answers to: the one that the
// signer asked for (RFC 8551 section 2.5.3), on the conditions of Capabilities,
// else the signer's own if its key can be encrypted to, else nil. Pass it to
// [NewRecipient], which verifies it.
func (s *Signer) EncryptTo() *x509.Certificate {
	s.check()
	if s.encryptTo != nil {
		return s.encryptTo
	}
	own := readRecipient("", s.report.Path.Certificates()[0])
	if own.err != nil || !mayEncrypt(own.pub, own.cert) {
		return nil
	}
	return own.cert
}

// Scheme returns how the message was signed: it names the kind of key, the
// digest and the padding.
func (s *Signer) Scheme() pkcs7.Scheme { s.check(); return s.report.info.Scheme() }

// ShowsHeader reports whether the signer's program is known to show protected
// header fields: this message was encrypted, and protects its header as RFC 9788
// section 5.2 has it (hp="cipher"). A program that remembers this for each
// correspondent can hide the Subject from the others' mail servers alone (see
// HideWhereShown). Only a Signer of [Message.Signer] says so.
func (s *Signer) ShowsHeader() bool { s.check(); return s.shows }

// ClaimedTime returns when the signer says to have signed, if it says so.
func (s *Signer) ClaimedTime() (t time.Time, ok bool) {
	s.check()
	return s.report.ClaimedTime, !s.report.ClaimedTime.IsZero()
}

// Notes returns what was tolerated in the message that the signature covers and
// around it. It decides nothing.
func (s *Signer) Notes() []Note { s.check(); return slices.Clone(s.notes) }

// check makes the methods of a zero Signer panic: it proves nothing.
func (s *Signer) check() {
	if s.report == nil {
		panic("smime: use of a Signer that no check made")
	}
}

// fromFuture reports whether the signer claims to have signed long after the
// check: what is announced so would outlive all that is announced later.
func (s *Signer) fromFuture() bool {
	return s.report.ClaimedTime.After(s.report.Path.At().Add(24 * time.Hour))
}

// read reads what the signed attributes say. An attribute that can't be read
// is as if it were not there.
func (s *Signer) read() error {
	var first error
	for _, a := range s.report.info.Signed() {
		if len(a.Values) != 1 {
			continue
		}
		var err error
		switch oid.FromX509(a.Type) {
		case oid.AttrSMIMECapabilities:
			if s.fromFuture() {
				continue
			}
			s.caps, err = ParseCapabilities(a.Values[0])
		case oid.AttrReceiptRequest:
			s.receipt, err = parseReceiptRequest(a.Values[0])
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

func parseKeyPreference(der []byte) (pkcs7.CertID, bool) {
	in := cryptobyte.String(der)
	var body, id cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || !in.Empty() {
		return pkcs7.CertID{}, false
	}
	switch tag {
	case asn1.SEQUENCE, asn1.Tag(0).ContextSpecific().Constructed():
		var issuer cryptobyte.String
		serial := new(big.Int)
		if !body.ReadASN1Element(&issuer, asn1.SEQUENCE) || !body.ReadASN1Integer(serial) || !body.Empty() {
			return pkcs7.CertID{}, false
		}
		return pkcs7.CertID{Issuer: issuer, Serial: serial}, true
	case asn1.Tag(1).ContextSpecific().Constructed():
		if !body.ReadASN1(&id, asn1.OCTET_STRING) {
			return pkcs7.CertID{}, false
		}
	case asn1.Tag(2).ContextSpecific():
		id = body
	}
	return pkcs7.CertID{KeyID: id}, len(id) > 0
}

// A SignerReport is what was found out about one signature, good or bad.
type SignerReport struct {
	Integrity Verdict // the key made the signature over this content
	Strength  Verdict // the algorithms are not broken
	Coverage  Verdict // it covers all of the message's body
	Trust     Verdict // the certificate is valid; the error is a *chain.Error
	Sender    Verdict // the certificate names the author; see chain.MatchMailbox

	// UnverifiedCertificate is the certificate that the message says is the
	// signer's, or nil.
	UnverifiedCertificate *x509.Certificate
	ClaimedTime           time.Time   // zero if not claimed
	Timestamp             time.Time   // proved by a trusted authority, or zero
	Path                  *chain.Path // nil unless Trust passed

	info   *pkcs7.SignerInfo
	signer *Signer    // nil unless all but Coverage passed
	final  [5]Verdict // what Err says, whatever a program writes into the fields
	weak   bool       // an algorithm is below the floor, whether or not that passes
	notes  []Note
}

// Err joins the errors of the verdicts, the gravest first. It is nil only if
// all passed. It is that of the judgement: to change the fields changes nothing.
func (s *SignerReport) Err() error {
	var errs []error
	for _, v := range s.final {
		if err := v.Err(); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// conclude ends the judgement. It keeps the verdicts in the order in which they
// matter: nothing else counts for a content that was changed, and a name for an
// issuer nobody knows.
func (s *SignerReport) conclude() {
	s.final = [...]Verdict{s.Integrity, s.Coverage, s.Strength, s.Trust, s.Sender}
}

// gravest returns the first error of verdicts, or ErrUnchecked.
func (s *SignerReport) gravest() error {
	for _, v := range s.final {
		if err := v.Err(); err != nil {
			return err
		}
	}
	return ErrUnchecked
}

// prove makes the Signer if all verdicts but that on coverage passed.
func (r *SignerReport) prove(who *authors) {
	if !r.Integrity.passed || !r.Strength.passed || !r.Trust.passed || !r.Sender.passed || r.Path == nil {
		return
	}
	own := *r // the fields of r are anybody's to change
	s := &Signer{report: &own, weak: r.weak}
	if len(who.list) > 0 && who.namedBy(r.UnverifiedCertificate) == nil {
		s.mailbox = who.inCertificate(r.UnverifiedCertificate)
		if n, ok := who.foldNote(r.UnverifiedCertificate); ok {
			r.notes = append(r.notes, n)
		}
	}
	if s.read() != nil {
		r.notes = append(r.notes, Note{Code: NoteAttribute})
	}
	r.signer = s
}

// sameSigner reports whether both signatures claim to be by the same key or
// by the same trusted person.
func (r *SignerReport) sameSigner(good *SignerReport) bool {
	if r.info.ID().Matches(good.UnverifiedCertificate) {
		return true
	}
	return r.Trust.passed && r.Sender.passed
}

func newReport(info *pkcs7.SignerInfo) *SignerReport {
	r := &SignerReport{info: info, Coverage: passed()}
	r.ClaimedTime, _ = info.ClaimedTime()
	for _, d := range info.Deviations() {
		r.notes = append(r.notes, Note{Code: NoteDeviation, Detail: d.String()})
	}
	return r
}
