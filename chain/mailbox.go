package chain

import (
	"crypto/x509"
	"strings"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/x509der"
)

// MatchMailbox returns nil if cert names the mailbox in an rfc822Name or
// SmtpUTF8Mailbox, or, if it has neither, in an emailAddress of its subject.
// Domains are compared as lower-case A-labels, local parts of ASCII without
// regard to case, others octet by octet. Else the error is an [*Error] for
// [ErrWrongMailbox], or [ErrMalformed] if cert can't be read.
func MatchMailbox(cert *x509.Certificate, mailbox string) error {
	c, err := fromX509(cert)
	if err != nil {
		return err
	}
	if err := matchMailbox(c, mailbox); err != nil {
		return err.final()
	}
	return nil
}

// Mailboxes returns the addresses that cert names, as [MatchMailbox] compares
// them: those of the subject only if the subjectAltName has none. They are
// unverified and as written in the certificate. Entries that are no addresses
// are left out. The error is an [*Error] for [ErrMalformed].
func Mailboxes(cert *x509.Certificate) ([]string, error) {
	c, err := fromX509(cert)
	if err != nil {
		return nil, err
	}
	list, lerr := c.mailboxes()
	if lerr != nil {
		return nil, (&Error{Reason: ErrMalformed, Err: lerr, cert: c}).final()
	}
	return addresses(list), nil
}

func addresses(list []x509der.Mailbox) []string {
	var out []string
	for _, m := range list {
		if _, err := mailbox.Parse(m.Address); err == nil {
			out = append(out, m.Address)
		}
	}
	return out
}

// fromX509 reads cert.Raw. The error is an *Error.
func fromX509(cert *x509.Certificate) (*certificate, error) {
	if cert == nil || len(cert.Raw) == 0 {
		return nil, &Error{Reason: ErrMalformed, Detail: "a certificate without Raw"}
	}
	c, err := parseCertificate(cert.Raw)
	if err != nil {
		return nil, &Error{Reason: ErrMalformed, Cert: cert, Err: err}
	}
	return c, nil
}

func matchMailbox(c *certificate, address string) *Error {
	want, err := mailbox.Parse(address)
	if err != nil {
		return &Error{Reason: ErrWrongMailbox, Detail: "the mailbox asked for is no address", Err: err, cert: c}
	}
	list, found := findMailbox(c, want)
	if found {
		return nil
	}
	const show = 5
	var has []string
	for i, m := range list {
		if i == show {
			has = append(has, "…")
			break
		}
		has = append(has, quote(m.Address))
	}
	if has == nil {
		has = []string{"no mailbox"}
	}
	return fail(ErrWrongMailbox, c, "certificate %s names %s, not %s", c.title(), strings.Join(has, ", "), quote(address))
}

// findMailbox returns the addresses of c and whether want is among them.
func findMailbox(c *certificate, want mailbox.Address) (list []x509der.Mailbox, found bool) {
	list, err := c.mailboxes()
	if err != nil {
		return nil, false
	}
	for _, m := range list {
		have, err := mailbox.Parse(m.Address)
		if err != nil {
			continue
		}
		if equal, _ := mailbox.Equal(want, have, m.UTF8); equal {
			return list, true
		}
	}
	return list, false
}
