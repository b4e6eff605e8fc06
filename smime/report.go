package smime

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
)

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
