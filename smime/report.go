package smime

import (
	"crypto/x509"
	"github.com/gosmime/gosmime/chain"
	"time"
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
}

// Err joins the errors of the verdicts. It is nil only if all passed.
func (s *SignerReport) Err() error { panic("sketch") }
