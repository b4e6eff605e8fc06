package chain

import (
	"crypto/x509"
)

// MatchMailbox returns nil if cert names the mailbox in an rfc822Name or
// SmtpUTF8Mailbox, or, if it has neither, in an emailAddress of its subject.
// Else the error is an [*Error] for [ErrWrongMailbox].
func MatchMailbox(cert *x509.Certificate, mailbox string) error { panic("sketch") }

// Mailboxes returns the addresses that cert names: those of its rfc822Name and
// SmtpUTF8Mailbox, or, if it has neither, the emailAddress of its subject.
func Mailboxes(cert *x509.Certificate) ([]string, error) { panic("sketch") }
