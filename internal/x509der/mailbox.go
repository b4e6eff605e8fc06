package x509der

import (
	"bytes"
	"unicode/utf8"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Mailbox is an address with where it was found.
type Mailbox struct {
	Address string
	UTF8    bool // SmtpUTF8Mailbox (RFC 9598)
	Subject bool // emailAddress of the subject
}

// Mailboxes returns the addresses that the certificate names, in the order of
// the SAN: rfc822Name and SmtpUTF8Mailbox, or, if the SAN has neither, the
// emailAddress attributes of the subject. Entries that can't be addresses of
// their kind are left out, but still keep those of the subject from counting.
func (c *Certificate) Mailboxes() ([]Mailbox, error) {
	names, err := c.SubjectAltNames()
	if err != nil {
		return nil, err
	}
	var list []Mailbox
	found := false
	for _, n := range names {
		switch {
		case n.Kind == RFC822Name:
			found = true
			if printableASCII(n.Value) {
				list = append(list, Mailbox{Address: string(n.Value)})
			}
		case n.Kind == OtherName && n.Type == oid.SmtpUTF8Mailbox:
			found = true
			if addr, ok := SmtpUTF8Mailbox(n.Value); ok {
				list = append(list, Mailbox{Address: addr, UTF8: true})
			}
		}
	}
	if found {
		return list, nil
	}
	addrs, err := SubjectMailboxes(c.Subject)
	if err != nil {
		return nil, err
	}
	for _, a := range addrs {
		list = append(list, Mailbox{Address: a, Subject: true})
	}
	return list, nil
}

// SubjectMailboxes returns the emailAddress attributes (PKCS #9) of a Name.
// Those that are not printable ASCII are left out.
func SubjectMailboxes(name []byte) ([]string, error) {
	var list []string
	// Most subjects have none: look for the identifier before parsing.
	if !bytes.Contains(name, []byte(oid.EmailAddress)) {
		return nil, nil
	}
	ok := attributes(name, func(a attribute) bool {
		if a.id == oid.EmailAddress && printableASCII(a.value) &&
			(a.tag == asn1.IA5String || a.tag == asn1.UTF8String || a.tag == asn1.PrintableString) {
			list = append(list, string(a.value))
		}
		return true
	})
	if !ok {
		return nil, malformed("subject")
	}
	return list, nil
}

// SmtpUTF8Mailbox returns the address in the value of an otherName of that
// type and whether it is one as RFC 9598 section 3 has it: a UTF8String
// without byte order mark, a local part with at least one character beyond
// ASCII, a domain of lower-case LDH labels, A-labels among them.
//
// DEVIATION: U-labels, which RFC 8398 asked for until it was replaced, are
// taken too; they have one form as A-labels.
func SmtpUTF8Mailbox(value []byte) (string, bool) {
	var b cryptobyte.String
	s := cryptobyte.String(value)
	if !s.ReadASN1(&b, asn1.UTF8String) || !s.Empty() || !utf8.Valid(b) || bytes.Contains(b, []byte("\ufeff")) {
		return "", false
	}
	at := bytes.LastIndexByte(b, '@')
	if at < 1 || !ldhDomain(b[at+1:]) {
		return "", false
	}
	ascii := true
	for _, r := range string(b[:at]) {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return "", false
		}
		if r >= 0x80 {
			ascii = false
		}
	}
	if ascii {
		return "", false
	}
	return string(b), true
}

func printableASCII(b []byte) bool {
	for _, c := range b {
		if c < 0x20 || c > 0x7e {
			return false
		}
	}
	return len(b) > 0
}

func ldhDomain(b []byte) bool {
	if len(b) == 0 || len(b) > 255 {
		return false
	}
	for _, label := range bytes.Split(b, []byte{'.'}) {
		if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, c := range label {
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && c < utf8.RuneSelf {
				return false
			}
		}
	}
	return true
}
