// Package mailbox parses and compares mail addresses as S/MIME does.
package mailbox

// An Address is a parsed addr-spec: no display name, comments or routes.
type Address struct {
	Local  string // unquoted
	Domain string // A-labels in lower case; or an address literal
}

// Parse reads an addr-spec, with U- or A-labels (RFC 5321, RFC 6531, RFC 5322 quoted strings). Control
// characters, NUL and anything ambiguous are errors.
func Parse(s string) (Address, error) { panic("sketch") }

// Equal compares an address of a message with one of a certificate: domains as lower-case
// A-labels, local parts of ASCII case-insensitively (folded says that only that made them equal),
// others octet by octet. utf8 says that cert is a SmtpUTF8Mailbox, which never equals an ASCII local part (RFC 9598 section 5).
func Equal(message, cert Address, utf8 bool) (equal, folded bool) { panic("sketch") }

func (a Address) String() string { panic("sketch") }

// FromHeader returns the addr-specs in the value of a From, Sender, To or Cc field, unfolded or
// not: groups, comments, display names and encoded words understood. Anything it can't read whole is an error.
func FromHeader(value string) ([]Address, error) { panic("sketch") }
