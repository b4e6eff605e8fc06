package smime

import (
	"context"
	"crypto/x509"
	"github.com/gosmime/gosmime/chain"
)

// A Recipient is a certificate that was verified for encryption to one
// mailbox. It can't be made without that, save by [InsecureRecipient]. The
// zero Recipient is refused.
type Recipient struct{}

// NewRecipient verifies that cert is fit for encryption to mailbox.
func NewRecipient(ctx context.Context, mailbox string, cert *x509.Certificate, trust *chain.Collection, opts *RecipientOptions) (*Recipient, error) {
	panic("sketch")
}

// FindRecipients finds in trust and verifies a certificate for each mailbox.
// The result has one element for each mailbox, nil where none was found; the
// error is then a [RecipientErrors]. [Encrypt] refuses a nil Recipient, so
// that forgetting the error can't drop somebody silently.
func FindRecipients(ctx context.Context, mailboxes []string, trust *chain.Collection, opts *RecipientOptions) ([]*Recipient, error) {
	panic("sketch")
}

// InsecureRecipient returns a Recipient without verification: whoever supplied
// cert will be able to read the mail.
func InsecureRecipient(mailbox string, cert *x509.Certificate, caps Capabilities) *Recipient {
	panic("sketch")
}

// RecipientOptions are the options of [NewRecipient] and [FindRecipients].
type RecipientOptions struct {
	// Capabilities of the recipient, as learnt from mail that was verified;
	// nil: those in the certificate (RFC 4262), else unknown.
	// It is called once for each certificate that passed.
	Capabilities func(mailbox string, cert *x509.Certificate) Capabilities
	Chain        chain.Options
}

// Mailbox returns the address that was verified.
func (r *Recipient) Mailbox() string { panic("sketch") }

// Path returns the validated path; nil after [InsecureRecipient].
func (r *Recipient) Path() *chain.Path { panic("sketch") }

// Capabilities returns what the recipient is known to read, or nil.
func (r *Recipient) Capabilities() Capabilities { panic("sketch") }
