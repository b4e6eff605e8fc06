package smime

import (
	"fmt"
)

// RecipientErrors are all that stands in the way of encryption, not just the
// first of it.
type RecipientErrors []*RecipientError

func (e RecipientErrors) Error() string {
	if len(e) == 1 {
		return e[0].Error()
	}
	return fmt.Sprintf("smime: %d recipients can't be encrypted to, first %v", len(e), e[0])
}

func (e RecipientErrors) Unwrap() []error {
	errs := make([]error, len(e))
	for i, r := range e {
		errs[i] = r
	}
	return errs
}

// A RecipientError says that mail can't be encrypted to one mailbox.
type RecipientError struct {
	Mailbox string
	Err     error
}

func (e *RecipientError) Error() string { return "smime: " + e.Mailbox + ": " + e.Err.Error() }
func (e *RecipientError) Unwrap() error { return e.Err }
