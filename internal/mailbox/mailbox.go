// Package mailbox parses and compares mail addresses as S/MIME does. It
// accepts less than mail does: what two programs could read as two addresses
// is an error here, since an address decides who is believed.
package mailbox

import (
	"strings"

	"github.com/gosmime/gosmime/internal/quoted"
)

// An Address is a parsed addr-spec: no display name, comments or routes.
type Address struct {
	Local  string // unquoted
	Domain string // A-labels in lower case; or an address literal
}

// An Error says why something is not an address. Text of the input is quoted
// and cut.
type Error struct {
	Reason string
	Input  string
}

func (e *Error) Error() string {
	return "address " + quoted.Text(e.Input) + ": " + e.Reason
}

// Parse reads an addr-spec, with U- or A-labels (RFC 5321, RFC 6531, RFC 5322
// quoted strings). Nothing may stand around it: no space, comment or brackets.
// Control characters, NUL and anything ambiguous are errors: routes, empty
// local parts, encoded words, a final dot. The error is always an [*Error].
func Parse(s string) (Address, error) {
	if len(s) > maxLocal+maxDomain+64 {
		return Address{}, &Error{"too long", s}
	}
	p := parser{in: s}
	a, err := p.addrSpec(false)
	if err == nil && p.pos != len(s) {
		err = p.fail("followed by other text")
	}
	if err != nil {
		return Address{}, err
	}
	return a, nil
}

// Equal compares an address of a message with one of a certificate: domains as
// lower-case A-labels, local parts of ASCII case-insensitively (folded says
// that only that made them equal), others octet by octet. utf8 says that cert
// is a SmtpUTF8Mailbox, which never equals an ASCII local part (RFC 9598
// section 5).
func Equal(message, cert Address, utf8 bool) (equal, folded bool) {
	if message.Domain == "" || message.Domain != cert.Domain {
		return false, false
	}
	if utf8 && isASCII(cert.Local) {
		return false, false
	}
	if message.Local == cert.Local {
		return true, false
	}
	// RFC 8550 section 3: a receiving agent should compare the local part of
	// ASCII without regard to case.
	if isASCII(message.Local) && isASCII(cert.Local) && lowerASCII(message.Local) == lowerASCII(cert.Local) {
		return true, true
	}
	return false, false
}

// String returns the addr-spec, quoted where it must be.
func (a Address) String() string {
	if isDotAtom(a.Local) {
		return a.Local + "@" + a.Domain
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(a.Local) {
		if c := a.Local[i]; c == '"' || c == '\\' {
			b.WriteByte('\\')
		}
		b.WriteByte(a.Local[i])
	}
	b.WriteString(`"@`)
	b.WriteString(a.Domain)
	return b.String()
}

// Key returns the form in which equal addresses are the same string.
func (a Address) Key() string {
	if isASCII(a.Local) {
		a.Local = lowerASCII(a.Local)
	}
	return a.String()
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// lowerASCII is strings.ToLower for ASCII only: U+212A is no k.
func lowerASCII(s string) string {
	for i := range len(s) {
		if c := s[i]; c >= 'A' && c <= 'Z' {
			b := []byte(s)
			for j := range b {
				if b[j] >= 'A' && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

func isDotAtom(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' || strings.Contains(s, "..") {
		return false
	}
	for i := range len(s) {
		if s[i] != '.' && !isAtext(s[i]) {
			return false
		}
	}
	return true
}

// isAtext is atext of RFC 5322 section 3.2.3 with the octets of RFC 6532.
func isAtext(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80:
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}
