package smime

import (
	"fmt"
)

// RecipientErrors are all that stands in the way of encryption, not just the
// first of it.
type RecipientErrors []*RecipientError

func (e RecipientErrors) Error() string {
	switch len(e) {
	case 0:
		return "smime: no recipient failed"
	case 1:
		return e[0].Error()
	}
	return fmt.Sprintf("smime: %d recipients can't be encrypted to, first %v", len(e), e[0])
}

// Unwrap returns the errors of the recipients.
func (e RecipientErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, r := range e {
		errs[i] = r
	}
	return errs
}

// A RecipientError says that mail can't be encrypted to one mailbox.
type RecipientError struct {
	Mailbox string // as it was asked for; empty if the Recipient was nil
	Err     error
}

func (e *RecipientError) Error() string {
	return "smime: recipient " + clip(e.Mailbox) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *RecipientError) Unwrap() error { return e.Err }
