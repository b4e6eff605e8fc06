package mailbox

import (
	"net/netip"
	"strings"

	"golang.org/x/net/idna"
)

// maxDomain is the longest name that DNS has, in text.
const maxDomain = 253

// Domain returns a domain name in lower-case A-labels. U-labels, wide forms and
// the dots of other scripts are mapped as UTS #46 does without transition, so
// that one name has one form. A final dot, empty labels and characters that
// host names don't have are errors; the underscore, which occurs, is not.
func Domain(s string) (string, error) {
	if s == "" || len(s) > 4*maxDomain {
		return "", &Error{"domain is empty or too long", s}
	}
	if !isASCII(s) || hasPrefixedLabel(s) {
		// A fake A-label, one that is not the form of any U-label, is
		// refused too (RFC 5890 section 2.3.2.1).
		p := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.BidiRule(),
			idna.StrictDomainName(true), idna.VerifyDNSLength(true))
		mapped, err := p.ToASCII(s)
		if err != nil {
			return "", &Error{"domain is not valid under IDNA", s}
		}
		s = mapped
	}
	s = lowerASCII(s)
	if len(s) > maxDomain {
		return "", &Error{"domain is too long", s}
	}
	for label := range strings.SplitSeq(s, ".") {
		if !isLabel(label) {
			return "", &Error{"domain has a label that is none", s}
		}
	}
	return s, nil
}

func hasPrefixedLabel(s string) bool {
	return len(s) >= 4 && strings.Contains(lowerASCII(s), "xn--")
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// literal returns the one form of an address literal (RFC 5321 section 4.1.3),
// given without its brackets.
func literal(s string) (string, bool) {
	const tag = "ipv6:"
	if len(s) > len(tag) && lowerASCII(s[:len(tag)]) == tag {
		a, err := netip.ParseAddr(s[len(tag):])
		if err != nil || !a.Is6() || a.Zone() != "" {
			return "", false
		}
		return "[IPv6:" + a.String() + "]", true
	}
	a, err := netip.ParseAddr(s)
	if err != nil || !a.Is4() {
		return "", false
	}
	return "[" + a.String() + "]", true
}
