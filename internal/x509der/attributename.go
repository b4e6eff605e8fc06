package x509der

import (
	"strings"

	"github.com/gosmime/gosmime/internal/oid"
)

// FormatName returns a Name in the form of RFC 4514, last RDN first, with the
// types by the names of [AttributeName], and whether it is one. What NameText
// says of values holds.
func FormatName(name []byte) (string, bool) {
	rdns, ok := NameText(name)
	var b strings.Builder
	for i := len(rdns) - 1; i >= 0; i-- {
		for j, a := range rdns[i] {
			switch {
			case j > 0:
				b.WriteByte('+')
			case i < len(rdns)-1:
				b.WriteByte(',')
			}
			b.WriteString(AttributeName(a.Type))
			b.WriteByte('=')
			if a.Text {
				writeEscaped(&b, a.Value)
			} else {
				b.WriteString(a.Value)
			}
		}
	}
	return b.String(), ok
}

// writeEscaped writes a value as RFC 4514 section 2.4 says.
func writeEscaped(b *strings.Builder, value string) {
	for i, r := range value {
		last := i == len(value)-1
		switch {
		case strings.ContainsRune(`,+"\<>;`, r), r == ' ' && (i == 0 || last), r == '#' && i == 0:
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0:
			b.WriteString(`\00`)
		default:
			b.WriteRune(r)
		}
	}
}

// AttributeName returns the name by which people know an attribute type: the
// short ones of RFC 4514 section 3, else those of X.520, RFC 4519, RFC 4524, RFC
// 3739 and PKCS #9. The type is in dots if it has no name here.
func AttributeName(id oid.OID) string {
	const x520 = "\x55\x04"
	if arc, ok := strings.CutPrefix(string(id), x520); ok && len(arc) == 1 {
		if name := x520Name(arc[0]); name != "" {
			return name
		}
	}
	if name := otherAttributeName(id.String()); name != "" {
		return name
	}
	return id.String()
}

func x520Name(arc byte) string {
	names := [...]string{
		3: "CN", 4: "surname", 5: "serialNumber", 6: "C", 7: "L", 8: "ST", 9: "STREET", 10: "O", 11: "OU", 12: "title",
		13: "description", 14: "searchGuide", 15: "businessCategory", 16: "postalAddress", 17: "postalCode", 18: "postOfficeBox",
		19: "physicalDeliveryOfficeName", 20: "telephoneNumber", 21: "telexNumber", 22: "teletexTerminalIdentifier",
		23: "facsimileTelephoneNumber", 24: "x121Address", 25: "internationalISDNNumber", 26: "registeredAddress",
		27: "destinationIndicator", 28: "preferredDeliveryMethod", 29: "presentationAddress", 30: "supportedApplicationContext",
		31: "member", 32: "owner", 33: "roleOccupant", 34: "seeAlso", 35: "userPassword", 36: "userCertificate",
		41: "name", 42: "givenName", 43: "initials", 44: "generationQualifier", 45: "x500UniqueIdentifier", 46: "dnQualifier",
		47: "enhancedSearchGuide", 48: "protocolInformation", 49: "distinguishedName", 50: "uniqueMember", 51: "houseIdentifier",
		54: "dmdName", 65: "pseudonym", 72: "role", 97: "organizationIdentifier", 98: "countryCode3c", 99: "countryCode3n", 100: "dnsName",
	}
	if int(arc) < len(names) {
		return names[arc]
	}
	return ""
}

func otherAttributeName(dotted string) string {
	switch dotted {
	case "1.2.840.113549.1.9.1":
		return "emailAddress"
	case "1.2.840.113549.1.9.2":
		return "unstructuredName"
	case "1.2.840.113549.1.9.8":
		return "unstructuredAddress"
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.3":
		return "mail"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "0.9.2342.19200300.100.1.37":
		return "associatedDomain"
	case "1.3.6.1.5.5.7.9.1":
		return "dateOfBirth"
	case "1.3.6.1.5.5.7.9.2":
		return "placeOfBirth"
	case "1.3.6.1.5.5.7.9.3":
		return "gender"
	case "1.3.6.1.5.5.7.9.4":
		return "countryOfCitizenship"
	case "1.3.6.1.5.5.7.9.5":
		return "countryOfResidence"
	case "1.3.6.1.4.1.311.60.2.1.1":
		return "jurisdictionLocalityName"
	case "1.3.6.1.4.1.311.60.2.1.2":
		return "jurisdictionStateOrProvinceName"
	case "1.3.6.1.4.1.311.60.2.1.3":
		return "jurisdictionCountryName"
	}
	return ""
}
