package profile

import (
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/x509der"
)

// Rules on the attributes of the subject.
const (
	RuleAttributes Rule = "SBR 7.1.4.2.3 to 7.1.4.2.6 attributes of the subject"
	RulePseudonym  Rule = "SBR 7.1.4.2.2(e) pseudonym beside a name"
	RuleCommonName Rule = "SBR 7.1.4.2.2(a) common name"
	RuleValue      Rule = "SBR 7.1.4.2 value of an attribute"
	RuleEncoding   Rule = "RFC 5280 appendix A string type of an attribute"
)

// The attribute types that the rules name.
const (
	atCommonName             = "CN"
	atSurname                = "surname"
	atSerial                 = "serialNumber"
	atCountry                = "C"
	atLocality               = "L"
	atState                  = "ST"
	atStreet                 = "STREET"
	atOrganization           = "O"
	atUnit                   = "OU"
	atTitle                  = "title"
	atPostalCode             = "postalCode"
	atGivenName              = "givenName"
	atPseudonym              = "pseudonym"
	atOrganizationIdentifier = "organizationIdentifier"
	atEmail                  = "emailAddress"
)

// An attribute is one of the subject, by the name of its type.
type attribute struct {
	name, value string
	text        bool
	tag         byte
}

// attributes lists those of the subject in order.
func (s *subject) attributes() (list []attribute) {
	rdns, _ := x509der.NameText(s.RawSubject)
	for _, rdn := range rdns {
		for _, a := range rdn {
			list = append(list, attribute{x509der.AttributeName(a.Type), a.Value, a.Text, a.Tag})
		}
	}
	return list
}

func values(list []attribute, name string) (out []string) {
	for _, a := range list {
		if a.name == name {
			out = append(out, a.value)
		}
	}
	return out
}

// An attribute is forbidden, required or neither.
func prohibited(v Validation, g Generation, name string) bool {
	switch name {
	case atCommonName, atSerial, atEmail:
		return false
	case atOrganization, atOrganizationIdentifier:
		return v == Mailbox || v == Individual
	case atUnit:
		return v == Mailbox || v == Individual
	case atGivenName, atSurname, atPseudonym, atTitle:
		return v == Mailbox || v == Organization
	case atStreet, atPostalCode:
		return v == Mailbox || g == Strict
	case atLocality, atState, atCountry:
		return v == Mailbox
	}
	return v == Mailbox || g != Legacy // attributes that the tables don't name
}

// attributeTable checks which attributes there are.
func (s *subject) attributeTable(list []attribute) {
	for _, a := range list {
		if prohibited(s.validation, s.generation, a.name) {
			s.report(RuleAttributes, "attribute %s in a certificate that is %v, %v", quote(a.name), s.validation, s.generation)
		}
	}
	has := func(names ...string) bool {
		return slices.ContainsFunc(list, func(a attribute) bool { return slices.Contains(names, a.name) })
	}
	switch s.validation {
	case Organization, Sponsored:
		for _, name := range []string{atOrganization, atOrganizationIdentifier} {
			if !has(name) {
				s.report(RuleAttributes, "no %s", name)
			}
		}
	}
	switch s.validation {
	case Sponsored, Individual:
		named := has(atGivenName, atSurname, atPseudonym) || s.generation == Legacy && has(atCommonName)
		if !named {
			s.report(RulePerson, "neither name nor pseudonym of a person")
		}
	}
	if has(atPseudonym) && has(atGivenName, atSurname) {
		s.report(RulePseudonym, "a pseudonym beside givenName or surname")
	}
}

// commonNames wants each common name to be in another place, which was validated.
func (s *subject) commonNames(list []attribute, addresses []mailbox.Address) {
	for _, v := range values(list, atCommonName) {
		from := isOneOf(v, addresses)
		switch s.validation {
		case Organization:
			from = from || slices.Contains(values(list, atOrganization), v)
		case Sponsored, Individual:
			// How the parts of a personal name are joined is not laid down.
			from = from || s.generation == Legacy || slices.Contains(values(list, atPseudonym), v) ||
				len(values(list, atGivenName))+len(values(list, atSurname)) > 0
		}
		if !from {
			s.report(RuleCommonName, "%s is in no other place that was validated", quote(v))
		}
	}
}

func isOneOf(text string, addresses []mailbox.Address) bool {
	a, err := mailbox.Parse(text)
	return err == nil && slices.ContainsFunc(addresses, func(b mailbox.Address) bool { eq, _ := mailbox.Equal(a, b, false); return eq })
}

// attributeValues refuses values that say nothing, and string types that the
// attribute does not have.
func (s *subject) attributeValues(list []attribute) {
	for _, a := range list {
		if !a.text {
			s.report(RuleEncoding, "%s is no character string", quote(a.name))
			continue
		}
		if strings.Trim(a.value, ".- \t") == "" {
			s.report(RuleValue, "%s is %s, which says that there is none", quote(a.name), quote(a.value))
		}
		if !stringTypeFits(a) {
			s.report(RuleEncoding, "%s has a string type with tag %d", quote(a.name), a.tag)
		}
	}
}

// stringTypeFits compares the string type with RFC 5280 appendix A.1: IA5String for
// emailAddress, PrintableString for countryName and serialNumber, and of the
// others UTF8String or PrintableString (section 4.1.2.4, for new names).
func stringTypeFits(a attribute) bool {
	const utf8String, printable, ia5 = 12, 19, 22
	switch a.name {
	case atEmail:
		return a.tag == ia5 || a.tag == utf8String && strings.ContainsFunc(a.value, func(r rune) bool { return r > 0x7e })
	case "DC":
		return a.tag == ia5
	case atCountry, atSerial, "dnQualifier":
		return a.tag == printable
	}
	return a.tag == utf8String || a.tag == printable
}

// addressesElsewhere wants every address in an attribute of the subject or of a
// directoryName to be in subjectAltName, too.
func (s *subject) addressesElsewhere(list []attribute, names []x509der.GeneralName, have []mailbox.Address) {
	check := func(where, name, value string) {
		if name != atEmail && !strings.Contains(value, "@") {
			return
		}
		if _, err := mailbox.Parse(value); err != nil && name != atEmail && name != atCommonName {
			return
		}
		if !isOneOf(value, have) {
			s.report(RuleSubjectMailbox, "%s of the %s is not in subjectAltName", quote(value), where)
		}
	}
	for _, a := range list {
		check("subject", a.name, a.value)
	}
	for _, n := range names {
		if n.Kind != x509der.DirectoryName {
			continue
		}
		rdns, _ := x509der.NameText(n.Value)
		for _, rdn := range rdns {
			for _, a := range rdn {
				check("directoryName", x509der.AttributeName(a.Type), a.Value)
			}
		}
	}
}
