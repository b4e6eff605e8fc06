package ess

import (
	"bytes"
	"crypto/x509"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A SecurityLabel says how sensitive a content is (RFC 2634 section 3.2). A
// reader that does not know the policy can't tell what it means.
//
//	ESSSecurityLabel ::= SET {
//	    security-policy-identifier SecurityPolicyIdentifier,
//	    security-classification SecurityClassification OPTIONAL,
//	    privacy-mark ESSPrivacyMark OPTIONAL,
//	    security-categories SecurityCategories OPTIONAL }
type SecurityLabel struct {
	Policy         x509.OID
	Classification int    // 0 to 256; −1: none
	PrivacyMark    string // or empty
	Categories     []SecurityCategory
}

// A SecurityCategory is one of the categories of a label.
//
//	SecurityCategory ::= SEQUENCE {
//	    type [0] OBJECT IDENTIFIER,
//	    value [1] ANY DEFINED BY type }
type SecurityCategory struct {
	Type  x509.OID
	Value []byte // DER
}

// The security classifications of RFC 2634; policies may define others.
const (
	Unmarked     = 0
	Unclassified = 1
	Restricted   = 2
	Confidential = 3
	Secret       = 4
	TopSecret    = 5
)

// ParseSecurityLabel reads the value of a security label attribute.
func ParseSecurityLabel(der []byte) (*SecurityLabel, error) {
	s := cryptobyte.String(der)
	l, err := readLabel(&s)
	if err == nil && !s.Empty() {
		err = malformed("ESSSecurityLabel")
	}
	return l, err
}

// ParseEquivalentLabels reads the value of an equivalent labels attribute: the
// same label by other policies, each of which occurs once (RFC 2634 section 3.4).
func ParseEquivalentLabels(der []byte) ([]*SecurityLabel, error) {
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return nil, malformed("EquivalentLabels")
	}
	var list []*SecurityLabel
	for !seq.Empty() {
		l, err := readLabel(&seq)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(other *SecurityLabel) bool { return other.Policy.Equal(l.Policy) }) {
			return nil, malformed("EquivalentLabels: a policy twice")
		}
		if list = append(list, l); len(list) > maxNames {
			return nil, tooMany("EquivalentLabels")
		}
	}
	return list, nil
}

func readLabel(s *cryptobyte.String) (*SecurityLabel, error) {
	const field = "ESSSecurityLabel"
	var set cryptobyte.String
	if !s.ReadASN1(&set, asn1.SET) {
		return nil, malformed(field)
	}
	l := &SecurityLabel{Classification: -1}
	var seen [32]bool
	for !set.Empty() {
		// The members of a SET tell themselves apart by their tags.
		var member cryptobyte.String
		var tag asn1.Tag
		if !set.ReadAnyASN1Element(&member, &tag) || tag >= 32 && tag != asn1.SET || seen[tag&0x1f] {
			return nil, malformed(field)
		}
		seen[tag&0x1f] = true
		ok := false
		switch tag {
		case asn1.OBJECT_IDENTIFIER:
			ok = readOID(&member, &l.Policy)
		case asn1.INTEGER:
			ok = member.ReadASN1Integer(&l.Classification) && 0 <= l.Classification && l.Classification <= 256
		case asn1.UTF8String, asn1.PrintableString:
			ok = l.PrivacyMark == "" && readText(&member, &l.PrivacyMark)
		case asn1.SET:
			ok = l.readCategories(&member)
		}
		if !ok {
			return nil, malformed(field)
		}
	}
	if !seen[asn1.OBJECT_IDENTIFIER] {
		return nil, malformed(field + ": no policy")
	}
	return l, nil
}

func (l *SecurityLabel) readCategories(s *cryptobyte.String) bool {
	var set cryptobyte.String
	if !s.ReadASN1(&set, asn1.SET) {
		return false
	}
	for !set.Empty() {
		var seq, typ, value cryptobyte.String
		var tag asn1.Tag
		if !set.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&typ, primitive(0)) ||
			!seq.ReadASN1(&value, constructed(1)) || !seq.Empty() || len(l.Categories) == maxNames {
			return false
		}
		c := SecurityCategory{Value: value}
		var one cryptobyte.String
		if c.Type.UnmarshalBinary(typ) != nil || !value.ReadAnyASN1Element(&one, &tag) || !value.Empty() {
			return false
		}
		l.Categories = append(l.Categories, c)
	}
	return true
}

// Encode returns the DER.
func (l *SecurityLabel) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	if l.Classification < -1 || l.Classification > 256 || len(l.Categories) > maxNames {
		return nil, malformed("ESSSecurityLabel")
	}
	var categories [][]byte
	for _, c := range l.Categories {
		var one cryptobyte.Builder
		one.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(primitive(0), func(b *cryptobyte.Builder) {
				id, err := c.Type.MarshalBinary()
				b.SetError(err)
				b.AddBytes(id)
			})
			b.AddASN1(constructed(1), func(b *cryptobyte.Builder) { b.AddBytes(c.Value) })
		})
		der, err := one.Bytes()
		if err != nil {
			return nil, err
		}
		categories = append(categories, der)
	}
	slices.SortFunc(categories, bytes.Compare)
	// DER sorts the members of a SET by their tags (X.690 clause 10.3).
	b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
		if l.Classification >= 0 {
			b.AddASN1Int64(int64(l.Classification))
		}
		addOID(b, l.Policy)
		if l.PrivacyMark != "" {
			addText(b, l.PrivacyMark)
		}
		if len(categories) > 0 {
			b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(categories, nil)) })
		}
	})
	return b.Bytes()
}

// Equal reports whether two labels are the same, as those of all signers of a
// content must be (RFC 2634 section 3.1.1).
func (l *SecurityLabel) Equal(other *SecurityLabel) bool {
	a, err := l.Encode()
	if err != nil {
		return false
	}
	b, err := other.Encode()
	return err == nil && bytes.Equal(a, b)
}
