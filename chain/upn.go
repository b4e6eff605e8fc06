package chain

import (
	"strings"

	"github.com/gosmime/gosmime/internal/mailbox"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A upnConstraint is a constraint on user principal names (MS-WCCE section
// 2.2.2.7.7.4): "user@domain", "@domain" or "domain", or ".domain" for all that
// is below. Both parts are compared without regard to case, as Windows does.
type upnConstraint struct {
	user   string // empty: any
	domain string // with a leading dot: what is below; empty: all
}

// parseUPNConstraint reads the UTF8String in an otherName.
func parseUPNConstraint(value []byte) (upnConstraint, bool) {
	text, ok := utf8Text(value)
	if !ok {
		return upnConstraint{}, false
	}
	user, domain, found := strings.Cut(text, "@")
	if !found {
		user, domain = "", text
	}
	domain, ok = upnDomain(domain)
	return upnConstraint{strings.ToLower(user), domain}, ok
}

// matches reports whether the name lies within the constraint. A domain that is
// excluded takes what is below with it, since readers differ.
func (c upnConstraint) matches(name string, excluded bool) bool {
	at := strings.LastIndexByte(name, '@')
	user := strings.ToLower(name[:max(at, 0)])
	domain, ok := upnDomain(name[at+1:])
	switch {
	case at < 0 || !ok:
		return excluded
	case c.user != "" && c.user != user:
		return false
	case c.domain == "" || c.domain == domain:
		return true
	case c.domain[0] == '.':
		return strings.HasSuffix(domain, c.domain) || excluded && domain == c.domain[1:]
	}
	return excluded && strings.HasSuffix(domain, "."+c.domain)
}

// principalName returns the text of a user principal name, and whether it is
// none that can be compared.
func principalName(value []byte) (text string, bad bool) {
	text, ok := utf8Text(value)
	return text, !ok || strings.Count(text, "@") != 1 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f })
}

// upnDomain returns a domain in lower case. It may have one label, as those of
// Active Directory do.
func upnDomain(s string) (string, bool) {
	dot := ""
	if strings.HasPrefix(s, ".") {
		dot, s = ".", s[1:]
	}
	if s == "" {
		return dot, dot == ""
	}
	d, err := mailbox.Domain(s)
	return dot + d, err == nil
}

func utf8Text(value []byte) (string, bool) {
	var text cryptobyte.String
	s := cryptobyte.String(value)
	if !s.ReadASN1(&text, asn1.UTF8String) || !s.Empty() {
		return "", false
	}
	return string(text), true
}
