package smime

import (
	"crypto/x509"
	"github.com/gosmime/gosmime/chain"
	"time"
)

// A Signer is somebody who signed all of an entity, by a certificate that is
// valid and names the author. Only this package makes one: to hold a Signer is
// to know that all of this was checked. The methods of a zero Signer panic.
type Signer struct{}

// Mailbox returns the address that was matched.
func (s *Signer) Mailbox() string { panic("sketch") }

// Mailboxes returns all addresses that the certificate names.
func (s *Signer) Mailboxes() []string { panic("sketch") }

// Path returns the validated path.
func (s *Signer) Path() *chain.Path { panic("sketch") }

// ReceiptRequest returns whom the signer asked to send a receipt (RFC 2634).
func (s *Signer) ReceiptRequest() (to []string, ok bool) { panic("sketch") }

// Capabilities returns what the signer announced, for use in later replies.
func (s *Signer) Capabilities() Capabilities { panic("sketch") }

// EncryptTo returns the certificate that the signer asked replies to be
// encrypted to, or nil. Pass it to [NewRecipient].
func (s *Signer) EncryptTo() *x509.Certificate { panic("sketch") }

// ClaimedTime returns when the signer says to have signed, if it says so.
func (s *Signer) ClaimedTime() (t time.Time, ok bool) { panic("sketch") }
