package sst

import (
	"bytes"
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// A KeyProvider names the private key of a certificate on the machine that the
// store comes from.
type KeyProvider struct {
	Container, Provider string
	Type                uint32 // 1: RSA; 0: CNG
	Flags               uint32
	KeySpec             uint32 // 1: key exchange, 2: signature, 0xffffffff: CNG
}

// Enrollment names the request that a certificate answers.
type Enrollment struct {
	RequestID           uint32
	CAHost, CA, Display string
}

// A RootPolicy is what the root program says of a certificate policy.
type RootPolicy struct {
	Policy asn1.ObjectIdentifier
	Flags  uint8 // of the qualifier 1.3.6.1.4.1.311.60.1.1
}

// TextProperty returns a property in the form that Text reads.
func TextProperty(id PropertyID, s string) Property {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return Property{id, x509ASN, append(b, 0, 0)}
}

// TimeProperty returns a property in the form that Time reads; the zero time
// gives an empty value. A time outside of what the form can hold gives a value
// that Time refuses.
func TimeProperty(id PropertyID, t time.Time) Property {
	if t.IsZero() {
		return Property{id, x509ASN, []byte{}}
	}
	s := t.Unix() + epoch
	ft := uint64(s)*ticks + uint64(t.Nanosecond()/100)
	if s < 0 || s > (1<<63-1)/ticks {
		ft = 1 << 63
	}
	return Property{id, x509ASN, binary.LittleEndian.AppendUint64(nil, ft)}
}

// OIDProperty returns a property in the form that OIDs reads. It panics on an
// identifier that can't be encoded, as nil can't.
func OIDProperty(id PropertyID, list ...asn1.ObjectIdentifier) Property {
	if list == nil {
		list = []asn1.ObjectIdentifier{}
	}
	der, err := asn1.Marshal(list)
	if err != nil {
		panic("sst: OIDProperty: " + err.Error())
	}
	return Property{id, x509ASN, der}
}

// Text decodes UTF-16 with a terminating NUL: a friendly name, a description.
func (p Property) Text() (string, error) {
	n := len(p.Value)
	if n < 2 || n%2 != 0 || p.Value[n-2] != 0 || p.Value[n-1] != 0 {
		return "", p.bad("not UTF-16 with a NUL at its end")
	}
	s, ok := utf16Text(p.Value[:n-2])
	if !ok {
		return "", p.bad("a NUL inside a text")
	}
	return s, nil
}

// utf16Text decodes text, which must hold no NUL.
func utf16Text(b []byte) (string, bool) {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
		if units[i] == 0 {
			return "", false
		}
	}
	return string(utf16.Decode(units)), true
}

const (
	ticks = 10_000_000     // of a FILETIME in a second
	epoch = 11_644_473_600 // seconds from 1601 to 1970
)

// Time decodes a FILETIME. An empty value is the zero time: of
// PropDisallowedTime and PropNotBeforeTime it means since ever.
func (p Property) Time() (time.Time, error) {
	switch len(p.Value) {
	case 0:
		return time.Time{}, nil
	case 8:
		if ft := binary.LittleEndian.Uint64(p.Value); ft>>63 == 0 {
			return time.Unix(int64(ft/ticks)-epoch, int64(ft%ticks)*100).UTC(), nil
		}
		return time.Time{}, p.bad("a time out of range")
	}
	return time.Time{}, p.bad("not a FILETIME")
}

// OIDs decodes a SEQUENCE OF OBJECT IDENTIFIER: usages, policies.
func (p Property) OIDs() ([]asn1.ObjectIdentifier, error) {
	s := cryptobyte.String(p.Value)
	var list cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, p.bad("not a list of object identifiers")
	}
	out := []asn1.ObjectIdentifier{}
	for !list.Empty() {
		var o asn1.ObjectIdentifier
		if !list.ReadASN1ObjectIdentifier(&o) {
			return nil, p.bad("bad object identifier")
		}
		out = append(out, o)
	}
	return out, nil
}

// Number decodes a 32-bit number.
func (p Property) Number() (uint32, error) {
	if len(p.Value) != 4 {
		return 0, p.bad("not a 32-bit number")
	}
	return binary.LittleEndian.Uint32(p.Value), nil
}

// KeyProvider decodes PropKeyProvider: a header of 28 octets with the offsets
// of its texts.
func (p Property) KeyProvider() (*KeyProvider, error) {
	if len(p.Value) < 28 {
		return nil, p.bad("too short")
	}
	field := func(i int) uint32 { return binary.LittleEndian.Uint32(p.Value[i:]) }
	k := &KeyProvider{Type: field(8), Flags: field(12), KeySpec: field(24)}
	var ok1, ok2 bool
	k.Container, ok1 = p.textAt(field(0))
	k.Provider, ok2 = p.textAt(field(4))
	if !ok1 || !ok2 {
		return nil, p.bad("a name that does not end inside of the value")
	}
	return k, nil
}

// textAt reads the text at an offset up to its NUL; the offset 0 is no text.
func (p Property) textAt(off uint32) (string, bool) {
	if off == 0 {
		return "", true
	}
	if off < 28 || uint64(off) > uint64(len(p.Value)) {
		return "", false
	}
	b := p.Value[off:]
	for i := 0; i+1 < len(b); i += 2 {
		if b[i] == 0 && b[i+1] == 0 {
			return utf16Text(b[:i])
		}
	}
	return "", false
}

// Enrollment decodes PropEnrollment: a number and three texts, each after its
// length in characters.
func (p Property) Enrollment() (*Enrollment, error) {
	if len(p.Value) < 4 {
		return nil, p.bad("too short")
	}
	e := &Enrollment{RequestID: binary.LittleEndian.Uint32(p.Value)}
	b := p.Value[4:]
	for _, s := range []*string{&e.CAHost, &e.CA, &e.Display} {
		if len(b) < 4 {
			return nil, p.bad("too short")
		}
		n := uint64(binary.LittleEndian.Uint32(b))
		b = b[4:]
		if 2*n > uint64(len(b)) {
			return nil, p.bad("a text longer than the value")
		}
		if n == 0 {
			continue
		}
		t, err := Property{ID: p.ID, Value: b[:2*n]}.Text()
		if err != nil {
			return nil, err
		}
		*s, b = t, b[2*n:]
	}
	if len(b) != 0 {
		return nil, p.bad("octets after the last text")
	}
	return e, nil
}

// RootPolicies decodes PropRootPolicies.
//
//	CertificatePolicies ::= SEQUENCE OF PolicyInformation
//	PolicyInformation   ::= SEQUENCE { policyIdentifier OBJECT IDENTIFIER,
//	    policyQualifiers SEQUENCE OF SEQUENCE { OBJECT IDENTIFIER, ANY } OPTIONAL }
func (p Property) RootPolicies() ([]RootPolicy, error) {
	s := cryptobyte.String(p.Value)
	var list cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, p.bad("not a list of policies")
	}
	out := []RootPolicy{}
	for !list.Empty() {
		var info, qualifiers cryptobyte.String
		var r RootPolicy
		var present bool
		if !list.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&r.Policy) ||
			!info.ReadOptionalASN1(&qualifiers, &present, cbasn1.SEQUENCE) || !info.Empty() {
			return nil, p.bad("bad policy")
		}
		for !qualifiers.Empty() {
			if !readQualifier(&qualifiers, &r) {
				return nil, p.bad("bad policy qualifier")
			}
		}
		out = append(out, r)
	}
	return out, nil
}

func readQualifier(s *cryptobyte.String, r *RootPolicy) bool {
	var q, value cryptobyte.String
	var id asn1.ObjectIdentifier
	var tag cbasn1.Tag
	if !s.ReadASN1(&q, cbasn1.SEQUENCE) || !q.ReadASN1ObjectIdentifier(&id) || !q.ReadAnyASN1Element(&value, &tag) || !q.Empty() {
		return false
	}
	if !id.Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 1, 1}) {
		return true
	}
	var bits asn1.BitString
	if !value.ReadASN1BitString(&bits) || len(bits.Bytes) > 1 {
		return false
	}
	for _, b := range bits.Bytes { // none: no flag is set
		r.Flags |= b
	}
	return true
}

// String describes the value for people. What can't be decoded is in
// hexadecimal digits.
func (p Property) String() string {
	if s, err := p.describe(); err == nil {
		return s
	}
	const limit = 64
	if len(p.Value) > limit {
		return hex.EncodeToString(p.Value[:limit]) + "..."
	}
	return hex.EncodeToString(p.Value)
}

func (p Property) describe() (string, error) {
	switch p.ID.form() {
	case text:
		s, err := p.Text()
		return quote(s), err
	case fileTime:
		t, err := p.Time()
		if t.IsZero() {
			return "since ever", err
		}
		return t.Format(time.RFC3339), err
	case oidList:
		list, err := p.OIDs()
		var names []string
		for _, o := range list {
			names = append(names, o.String())
		}
		return strings.Join(names, " "), err
	case number:
		n, err := p.Number()
		return fmt.Sprint(n), err
	case keyProvider:
		k, err := p.KeyProvider()
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("container %s, provider %s, type %d, flags %#x, key %d", quote(k.Container), quote(k.Provider), k.Type, k.Flags, k.KeySpec), nil
	case enrollment:
		e, err := p.Enrollment()
		if err != nil {
			return "", err
		}
		return fmt.Sprintf("request %d to %s on %s, %s", e.RequestID, quote(e.CA), quote(e.CAHost), quote(e.Display)), nil
	case rootPolicies:
		list, err := p.RootPolicies()
		var names []string
		for _, r := range list {
			names = append(names, fmt.Sprintf("%v flags %#x", r.Policy, r.Flags))
		}
		return strings.Join(names, ", "), err
	case mark:
		if len(bytes.Trim(p.Value, "\x00")) == 0 {
			return "yes", nil
		}
	}
	return "", p.bad("no form for people")
}

func (p Property) bad(reason string) *Error {
	return &Error{Problem: ErrProperty, Element: -1, Property: p.ID, Reason: reason}
}
