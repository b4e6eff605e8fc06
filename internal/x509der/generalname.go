package x509der

import (
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A NameKind is the kind of a GeneralName: its tag number.
type NameKind uint8

const (
	OtherName     NameKind = 0
	RFC822Name    NameKind = 1
	DNSName       NameKind = 2
	X400Address   NameKind = 3
	DirectoryName NameKind = 4
	EDIPartyName  NameKind = 5
	URI           NameKind = 6
	IPAddress     NameKind = 7
	RegisteredID  NameKind = 8
)

// A GeneralName is one name, unjudged.
//
//	GeneralName ::= CHOICE {
//	    otherName                 [0] IMPLICIT SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY },
//	    rfc822Name                [1] IMPLICIT IA5String,
//	    dNSName                   [2] IMPLICIT IA5String,
//	    x400Address               [3] IMPLICIT ORAddress,
//	    directoryName             [4] EXPLICIT Name,
//	    ediPartyName              [5] IMPLICIT EDIPartyName,
//	    uniformResourceIdentifier [6] IMPLICIT IA5String,
//	    iPAddress                 [7] IMPLICIT OCTET STRING,
//	    registeredID              [8] IMPLICIT OBJECT IDENTIFIER }
type GeneralName struct {
	Kind NameKind
	// Value is the content octets; of a directoryName the DER Name, of an
	// otherName the DER element within the [0].
	Value []byte
	// Type is the type-id of an otherName.
	Type oid.OID
}

// ReadGeneralName reads one GeneralName from s. Strings are not checked to be
// of their character set.
func ReadGeneralName(s *cryptobyte.String, out *GeneralName) bool {
	var value cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&value, &tag) || tag&0xc0 != 0x80 {
		return false
	}
	*out = GeneralName{Kind: NameKind(tag & 0x1f), Value: value}
	constructed := tag&0x20 != 0
	switch out.Kind {
	case RFC822Name, DNSName, URI, IPAddress, RegisteredID:
		return !constructed
	case X400Address, EDIPartyName:
		return constructed
	case DirectoryName:
		name := value
		return constructed && name.SkipASN1(asn1.SEQUENCE) && name.Empty()
	case OtherName:
		var explicit, element cryptobyte.String
		if !constructed || !oid.Read(&value, &out.Type) ||
			!value.ReadASN1(&explicit, asn1.Tag(0).Constructed().ContextSpecific()) || !value.Empty() {
			return false
		}
		if !explicit.ReadAnyASN1Element(&element, &tag) || !explicit.Empty() {
			return false
		}
		out.Value = element
		return true
	}
	return false
}

// GeneralNames reads a GeneralNames, which must be all of der and not empty.
//
//	GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName
func GeneralNames(der []byte) ([]GeneralName, error) {
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, malformed("GeneralNames")
	}
	return ReadGeneralNames(seq)
}

// ReadGeneralNames reads the GeneralName elements that content consists of.
func ReadGeneralNames(content cryptobyte.String) ([]GeneralName, error) {
	var list []GeneralName
	for !content.Empty() {
		var n GeneralName
		if !ReadGeneralName(&content, &n) {
			return nil, malformed("GeneralName")
		}
		list = append(list, n)
	}
	return list, nil
}

// SubjectAltNames returns the names of that extension, in order; nil if the
// certificate has none.
func (c *Certificate) SubjectAltNames() ([]GeneralName, error) {
	e := c.Extension(oid.ExtSubjectAltName)
	if e == nil {
		return nil, nil
	}
	list, err := GeneralNames(e.Value)
	if err != nil && !e.Critical && string(e.Value) == "\x30\x00" {
		// DEVIATION: RFC 5280 section 4.2.1.6 forbids an empty one. It says nothing.
		return nil, nil
	}
	if err != nil {
		return nil, malformed("subjectAltName")
	}
	return list, nil
}
