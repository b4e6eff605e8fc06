package chain

import (
	"bytes"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// nameConstraints are the subtrees of one certificate (RFC 5280 section
// 4.2.1.10).
type nameConstraints struct {
	permitted, excluded []subtree
	critical            bool
}

// A subtree is one constraint, in the form that it is compared in.
type subtree struct {
	kind    x509der.NameKind
	typ     oid.OID // of an otherName
	value   []byte
	name    string          // of a directoryName: x509der.NormalName
	email   emailConstraint // of an rfc822Name
	upn     upnConstraint   // of an otherName that is a user principal name
	host    string          // of a dNSName or URI
	address [2][]byte       // of an iPAddress: network and mask
}

// An emailConstraint is "user@host", "host" or ".domain".
type emailConstraint struct {
	local  string // empty: any
	domain string // with a leading dot: what is below
}

const errConstraint formError = "malformed name constraint"

// parseNameConstraints reads
//
//	NameConstraints ::= SEQUENCE {
//	    permittedSubtrees [0] GeneralSubtrees OPTIONAL,
//	    excludedSubtrees  [1] GeneralSubtrees OPTIONAL }
//
// It must not be empty.
func parseNameConstraints(der []byte) (*nameConstraints, error) {
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, errConstraint
	}
	n := &nameConstraints{}
	for tag, out := range []*[]subtree{&n.permitted, &n.excluded} {
		var list cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&list, &present, asn1.Tag(tag).Constructed().ContextSpecific()) {
			return nil, errConstraint
		}
		if !present {
			continue
		}
		var err error
		if *out, err = parseSubtrees(list); err != nil {
			return nil, err
		}
	}
	if !seq.Empty() {
		return nil, errConstraint
	}
	return n, nil
}

// parseSubtrees reads
//
//	GeneralSubtrees ::= SEQUENCE SIZE (1..MAX) OF GeneralSubtree
//	GeneralSubtree ::= SEQUENCE {
//	    base         GeneralName,
//	    minimum  [0] BaseDistance DEFAULT 0,
//	    maximum  [1] BaseDistance OPTIONAL }
//
// minimum must be 0 and maximum absent.
//
// DEVIATION: DER leaves out a minimum of 0. Where it is written, as some CAs do,
// it says the same.
func parseSubtrees(list cryptobyte.String) ([]subtree, error) {
	var out []subtree
	if list.Empty() {
		return nil, errConstraint
	}
	for !list.Empty() {
		var one cryptobyte.String
		var base x509der.GeneralName
		if !list.ReadASN1(&one, asn1.SEQUENCE) || !x509der.ReadGeneralName(&one, &base) || !skipZeroMinimum(&one) || !one.Empty() {
			return nil, errConstraint
		}
		t, ok := newSubtree(base)
		if !ok {
			return nil, errConstraint
		}
		out = append(out, t)
	}
	return out, nil
}

func skipZeroMinimum(s *cryptobyte.String) bool {
	tag := asn1.Tag(0).ContextSpecific()
	var n cryptobyte.String
	return !s.PeekASN1Tag(tag) || s.ReadASN1(&n, tag) && len(n) == 1 && n[0] == 0
}

func newSubtree(base x509der.GeneralName) (t subtree, ok bool) {
	t = subtree{kind: base.Kind, typ: base.Type, value: base.Value}
	switch base.Kind {
	case x509der.RFC822Name:
		t.email, ok = parseEmailConstraint(string(base.Value))
	case x509der.DNSName:
		// DEVIATION: a leading or final dot, which the standard doesn't have
		// here, occurs; it says the same.
		t.host, ok = hostConstraint(strings.TrimSuffix(strings.TrimPrefix(string(base.Value), "."), "."))
	case x509der.URI:
		t.host, ok = hostConstraint(string(base.Value))
	case x509der.IPAddress:
		half := len(base.Value) / 2
		ok = len(base.Value) == 8 || len(base.Value) == 32
		if ok {
			t.address = [2][]byte{base.Value[:half], base.Value[half:]}
			ok = isMask(t.address[1])
		}
	case x509der.DirectoryName:
		t.name = x509der.NormalName(base.Value)
		ok = wellFormedName(t.name)
	case x509der.OtherName:
		ok = true
		if base.Type == oid.UserPrincipalName {
			t.upn, ok = parseUPNConstraint(base.Value)
		}
	default:
		ok = true
	}
	return t, ok
}

// wellFormedName reports whether that is the key of a Name: all lie within the
// empty one.
func wellFormedName(key string) bool {
	return x509der.WithinNormal(key, x509der.NormalName([]byte{0x30, 0}))
}

// isMask reports whether ones come before zeros (RFC 4632).
func isMask(mask []byte) bool {
	zero := false
	for _, b := range mask {
		for bit := 7; bit >= 0; bit-- {
			if one := b>>bit&1 == 1; one && zero {
				return false
			} else if !one {
				zero = true
			}
		}
	}
	return true
}

// hostConstraint returns a host or domain in lower case. An empty one stands
// for all.
func hostConstraint(s string) (string, bool) {
	if s == "" {
		return "", true
	}
	dot := ""
	if s[0] == '.' {
		dot, s = ".", s[1:]
	}
	d, err := mailbox.Domain(s)
	return dot + d, err == nil && !numericHost(d)
}

// numericHost reports whether a host name ends in a number, as IPv4 addresses
// do and names never.
func numericHost(s string) bool {
	last := s[strings.LastIndexByte(s, '.')+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func parseEmailConstraint(s string) (emailConstraint, bool) {
	if strings.Contains(s, "@") {
		a, err := mailbox.Parse(s)
		return emailConstraint{a.Local, a.Domain}, err == nil && !numericHost(a.Domain)
	}
	host, ok := hostConstraint(s)
	// Unlike that of a host, an empty constraint on mail has no meaning.
	return emailConstraint{"", host}, ok && s != ""
}

// matches reports whether the address lies within the constraint. excluded says
// what to do where the standard is strict but mail is not: an exclusion must
// not be evaded by the case of a local part.
func (e emailConstraint) matches(a mailbox.Address, utf8, excluded bool) bool {
	if e.local != "" {
		// RFC 9598 section 6: such a constraint says nothing about a SmtpUTF8Mailbox.
		if utf8 || e.domain != a.Domain {
			return false
		}
		return e.local == a.Local || excluded && strings.EqualFold(e.local, a.Local)
	}
	return e.domain == a.Domain ||
		e.domain[0] == '.' && strings.HasSuffix(a.Domain, e.domain)
}

// A subjectName is a name of a certificate as constraints see it.
type subjectName struct {
	kind  x509der.NameKind
	typ   oid.OID
	value []byte
	name  string // of a directoryName: x509der.NormalName
	email mailbox.Address
	utf8  bool
	host  string
	bad   bool // can't be compared: any constraint on its kind is violated
	text  string
}

// describe names it for people.
func (n *subjectName) describe() string {
	switch {
	case n.kind == x509der.DirectoryName:
		return nameText(n.value)
	case n.kind == x509der.OtherName && n.typ != oid.UserPrincipalName, n.kind == x509der.X400Address, n.kind == x509der.EDIPartyName, n.kind == x509der.RegisteredID:
		return "of the form " + nameForm(n.kind, n.typ)
	}
	return nameForm(n.kind, n.typ) + " " + quote(n.text)
}

// nameForm names a form of names for people.
func nameForm(kind x509der.NameKind, typ oid.OID) string {
	switch kind {
	case x509der.RFC822Name:
		return "rfc822Name"
	case x509der.DNSName:
		return "dNSName"
	case x509der.X400Address:
		return "x400Address"
	case x509der.DirectoryName:
		return "directoryName"
	case x509der.EDIPartyName:
		return "ediPartyName"
	case x509der.URI:
		return "uniformResourceIdentifier"
	case x509der.IPAddress:
		return "iPAddress"
	case x509der.RegisteredID:
		return "registeredID"
	}
	if typ == oid.UserPrincipalName {
		return "userPrincipalName"
	}
	return "otherName " + typ.String()
}

// constrainedNames lists the names of a certificate: its subject, the
// emailAddress attributes of it, and the subjectAltName.
//
// DEVIATION: RFC 5280 section 4.2.1.10 holds emailAddress to the constraints
// only where there is no subjectAltName; here it always is, since a reader who
// looks at the subject would be deceived.
func constrainedNames(c *certificate) []subjectName {
	var list []subjectName
	if len(c.Subject) > 2 {
		list = append(list, subjectName{kind: x509der.DirectoryName, value: c.Subject, name: c.subject(), bad: !wellFormedName(c.subject())})
		addresses, err := x509der.SubjectMailboxes(c.Subject)
		if err != nil || len(addresses) < strings.Count(string(c.Subject), string(oid.EmailAddress)) {
			// An attribute that is no address to us may be one to others.
			list = append(list, subjectName{kind: x509der.RFC822Name, bad: true, text: "emailAddress"})
		}
		for _, a := range addresses {
			list = append(list, emailName(a, false))
		}
	}
	for _, n := range c.details().names {
		list = append(list, newSubjectName(n))
	}
	return list
}

// emailName reads an address. One beyond ASCII has its place in a
// SmtpUTF8Mailbox alone.
func emailName(address string, utf8 bool) subjectName {
	a, err := mailbox.Parse(address)
	bad := err != nil || numericHost(a.Domain) || a.Domain[0] == '[' ||
		!utf8 && strings.ContainsFunc(address, func(r rune) bool { return r > unicode.MaxASCII })
	return subjectName{kind: x509der.RFC822Name, email: a, utf8: utf8, bad: bad, text: address}
}

func newSubjectName(n x509der.GeneralName) subjectName {
	s := subjectName{kind: n.Kind, typ: n.Type, value: n.Value, text: string(n.Value)}
	switch n.Kind {
	case x509der.RFC822Name:
		return emailName(string(n.Value), false)
	case x509der.OtherName:
		if n.Type == oid.SmtpUTF8Mailbox {
			a, ok := x509der.SmtpUTF8Mailbox(n.Value)
			s = emailName(a, true)
			s.typ, s.bad = n.Type, s.bad || !ok
		}
		if n.Type == oid.UserPrincipalName {
			s.text, s.bad = principalName(n.Value)
		}
	case x509der.DNSName:
		host := strings.TrimSuffix(strings.TrimPrefix(string(n.Value), "*."), ".")
		d, err := mailbox.Domain(host)
		s.host, s.bad = d, err != nil
	case x509der.URI:
		s.host, s.bad = uriHost(string(n.Value))
	case x509der.IPAddress:
		s.bad = len(n.Value) != 4 && len(n.Value) != 16
	case x509der.DirectoryName:
		s.name = x509der.NormalName(n.Value)
		s.bad = !wellFormedName(s.name)
	}
	return s
}

// uriHost returns the host of a URI. One without a host name, or with an IP
// address, can't satisfy a constraint (RFC 5280 section 4.2.1.10).
func uriHost(s string) (host string, bad bool) {
	u, err := url.Parse(s)
	if err != nil {
		return "", true
	}
	host = u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || host == "" {
		return "", true
	}
	d, err := mailbox.Domain(host)
	return d, err != nil
}

// within reports whether n lies in the subtree t, which is of its kind.
func (t *subtree) within(n *subjectName, excluded bool) bool {
	switch t.kind {
	case x509der.RFC822Name:
		return t.email.matches(n.email, n.utf8, excluded)
	case x509der.DNSName:
		if t.host == "" || t.host == n.host || strings.HasSuffix(n.host, "."+t.host) {
			return true
		}
		// "*.example.com" may stand for an excluded "a.example.com".
		return excluded && bytes.HasPrefix(n.value, []byte("*.")) && strings.HasSuffix(t.host, "."+n.host) &&
			!strings.Contains(strings.TrimSuffix(t.host, "."+n.host), ".")
	case x509der.URI:
		// As for mail: a host stands for itself, a leading dot for what is below.
		return t.host == "" || t.host == n.host || t.host[0] == '.' && strings.HasSuffix(n.host, t.host)
	case x509der.IPAddress:
		return within(n.value, t.address[0], t.address[1])
	case x509der.DirectoryName:
		return x509der.WithinNormal(n.name, t.name)
	}
	return t.upn.matches(n.text, excluded)
}

// understood reports whether names of the form of t can be compared.
func (t *subtree) understood() bool {
	switch t.kind {
	case x509der.RFC822Name, x509der.DNSName, x509der.URI, x509der.IPAddress, x509der.DirectoryName:
		return true
	}
	return t.kind == x509der.OtherName && t.typ == oid.UserPrincipalName
}

func within(address, network, mask []byte) bool {
	if len(address) != len(network) {
		return false
	}
	for i := range address {
		if address[i]&mask[i] != network[i]&mask[i] {
			return false
		}
	}
	return true
}

// about reports whether the constraint speaks of names like n. Of a
// SmtpUTF8Mailbox those on rfc822Name do (RFC 9598 section 6).
func (t *subtree) about(n *subjectName) bool {
	if t.kind == x509der.OtherName {
		return t.typ == n.typ
	}
	return t.kind == n.kind
}

// A violation says which name a constraint refuses and why.
type violation struct {
	name     *subjectName
	excluded bool
	unknown  bool // the form is not understood
	limit    bool // no comparison is left
}

// check compares the names with the constraints. It returns nil if all are within.
// Several constraints can be about one name: that on SmtpUTF8Mailbox, which is not
// understood, leaves those on rfc822Name in force (RFC 9598 section 6).
// left is how many comparisons may still be made.
func (n *nameConstraints) check(names []subjectName, left *int) *violation {
	for i := range names {
		name := &names[i]
		if *left -= len(n.excluded) + len(n.permitted); *left < 0 {
			return &violation{limit: true}
		}
		if n.critical && n.notUnderstood(name) {
			return &violation{name: name, unknown: true}
		}
		for j := range n.excluded {
			if t := &n.excluded[j]; t.understood() && t.about(name) && (name.bad || t.within(name, true)) {
				return &violation{name: name, excluded: true}
			}
		}
		if !n.permits(name) {
			return &violation{name: name}
		}
	}
	return nil
}

// notUnderstood reports whether there is a constraint on names like name that
// can't be compared. RFC 5280 section 4.2.1.10 wants the certificate refused only
// where the extension is critical.
func (n *nameConstraints) notUnderstood(name *subjectName) bool {
	for _, list := range [][]subtree{n.excluded, n.permitted} {
		for j := range list {
			if t := &list[j]; !t.understood() && t.about(name) {
				return true
			}
		}
	}
	return false
}

// permittedMail lists for people what is permitted, if name is an address.
func (n *nameConstraints) permittedMail(name *subjectName) string {
	const show = 3
	var list []string
	for _, t := range n.permitted {
		if t.kind != x509der.RFC822Name || name.kind != x509der.RFC822Name {
			continue
		}
		if len(list) == show {
			list = append(list, "…")
			break
		}
		list = append(list, quote(string(t.value)))
	}
	if list == nil {
		return ""
	}
	return ": " + strings.Join(list, ", ")
}

// permits reports whether name lies in a permitted subtree of its kind, if
// there is any that is understood.
func (n *nameConstraints) permits(name *subjectName) bool {
	spoken := false
	for j := range n.permitted {
		t := &n.permitted[j]
		if !t.understood() || !t.about(name) {
			continue
		}
		spoken = true
		if !name.bad && t.within(name, false) {
			return true
		}
	}
	return !spoken
}
