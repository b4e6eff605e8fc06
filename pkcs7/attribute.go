package pkcs7

import (
	"bytes"
	"crypto/x509"
	stdasn1 "encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Attribute is a signed or unsigned attribute.
type Attribute struct {
	Type   x509.OID
	Values [][]byte // DER
}

// NewAttribute returns an attribute with the values in DER, as encoding/asn1
// marshals them; a value of type asn1.RawValue is taken as it is. There must be
// one value at least.
func NewAttribute(typ x509.OID, values ...any) (Attribute, error) {
	a := Attribute{Type: typ}
	if len(values) == 0 {
		return a, &SyntaxError{Field: "attribute " + typ.String(), Reason: "no value"}
	}
	for _, v := range values {
		der, err := stdasn1.Marshal(v)
		if err != nil {
			return a, fmt.Errorf("%w: attribute %s: %w", ErrSyntax, typ, err)
		}
		a.Values = append(a.Values, der)
	}
	return a, nil
}

// Unmarshal reads the one value of a into a Go value, as encoding/asn1 does with
// out. It fails, with an error that wraps [ErrSyntax], if there is not exactly one
// value or it is of another type; octets after it are refused.
func (a Attribute) Unmarshal(out any) error {
	if len(a.Values) != 1 {
		return &SyntaxError{Field: "attribute " + a.Type.String(), Reason: "not one value"}
	}
	rest, err := stdasn1.Unmarshal(a.Values[0], out)
	if err == nil && len(rest) > 0 {
		err = errors.New("octets after the value")
	}
	if err != nil {
		return fmt.Errorf("%w: attribute %s: %w", ErrSyntax, a.Type, err)
	}
	return nil
}

// find returns the attribute of that type, whose values are those of all that are
// of that type.
func (a attributes) find(typ x509.OID) (Attribute, bool) {
	found := Attribute{Type: typ}
	id := oid.FromX509(typ)
	ok := false
	for i := range a {
		if a[i].id == id && id != "" {
			ok = true
			for _, v := range a[i].values {
				found.Values = append(found.Values, bytes.Clone(v))
			}
		}
	}
	return found, ok
}

// maxAttributes bounds the attributes of one set and the values of one attribute.
const maxAttributes = 10_000

// An attribute is an Attribute in the form that this package works with.
type attribute struct {
	id     oid.OID
	values [][]byte
}

type attributes []attribute

// exported returns copies: what a caller writes to them changes no verdict.
func (a attributes) exported() []Attribute {
	list := make([]Attribute, len(a))
	for i := range a {
		list[i] = Attribute{Type: a[i].id.X509(), Values: make([][]byte, len(a[i].values))}
		for n, v := range a[i].values {
			list[i].Values[n] = bytes.Clone(v)
		}
	}
	return list
}

func importAttributes(list []Attribute) attributes {
	a := make(attributes, len(list))
	for i := range list {
		a[i] = attribute{id: oid.FromX509(list[i].Type), values: list[i].Values}
	}
	return a
}

// single returns the value of an attribute that may be there at most once and
// then with exactly one value (RFC 5652 section 11). value is nil if it is not
// there; ok is false if there are more.
func (a attributes) single(id oid.OID) (value []byte, ok bool) {
	for i := range a {
		if a[i].id != id {
			continue
		}
		if value != nil || len(a[i].values) != 1 {
			return nil, false
		}
		value = a[i].values[0]
	}
	return value, true
}

func (a attributes) has(id oid.OID) bool {
	return slices.ContainsFunc(a, func(b attribute) bool { return b.id == id })
}

// onlyProtected are the attributes that must be signed or authenticated, each at
// most once and with one value (RFC 5652 section 11, RFC 6211 section 2).
var onlyProtected = [...]oid.OID{oid.AttrContentType, oid.AttrMessageDigest, oid.AttrSigningTime, oid.AttrCMSAlgorithmProtection}

// misplaced returns an attribute that must not be where anyone may change it,
// or "".
func (a attributes) misplaced() oid.OID {
	for _, id := range onlyProtected {
		if a.has(id) {
			return id
		}
	}
	return ""
}

// parseAttributes reads DER. set is a whole SET OF Attribute, whatever its tag.
//
//	Attribute ::= SEQUENCE {
//	    attrType OBJECT IDENTIFIER,
//	    attrValues SET OF AttributeValue }
func parseAttributes(set []byte, offset int64, field string) (attributes, error) {
	bad := func(reason string) (attributes, error) {
		return nil, &SyntaxError{Offset: offset, Field: field, Reason: reason}
	}
	var s cryptobyte.String
	var tag asn1.Tag
	whole := cryptobyte.String(set)
	if !whole.ReadAnyASN1(&s, &tag) || !whole.Empty() {
		return bad("not a SET of attributes")
	}
	list := make(attributes, 0, 8)
	single := make([][]byte, 0, 8) // the values of those that have one
	for !s.Empty() {
		var attr, values cryptobyte.String
		var id oid.OID
		if !s.ReadASN1(&attr, asn1.SEQUENCE) || !oid.Read(&attr, &id) ||
			!attr.ReadASN1(&values, asn1.SET) || !attr.Empty() {
			return bad("not an Attribute")
		}
		a := attribute{id: id}
		for !values.Empty() {
			var v cryptobyte.String
			if !values.ReadAnyASN1Element(&v, &tag) {
				return bad("value of attribute " + id.String())
			}
			if len(a.values) == 0 {
				single = append(single, v)
				a.values = single[len(single)-1 : len(single) : len(single)]
				continue
			}
			if a.values = append(a.values, v); len(a.values) > maxAttributes {
				return nil, ErrLimit
			}
		}
		if list = append(list, a); len(list) > maxAttributes {
			return nil, ErrLimit
		}
	}
	return list, nil
}

// encode returns the DER SET OF Attribute. It fails with a SyntaxError if a
// value is not one DER element.
func (a attributes) encode() ([]byte, error) {
	list := make([][]byte, len(a))
	for i, attr := range a {
		if attr.id == "" || len(attr.values) == 0 {
			return nil, &SyntaxError{Field: "attribute", Reason: "no type or no value"}
		}
		for _, v := range attr.values {
			if err := ber.CheckDER(v, false); err != nil {
				return nil, wrapError(err, "attribute "+attr.id.String())
			}
		}
		list[i] = attr.encode()
	}
	return encodeSet(ber.Set, list), nil
}

// encode returns the DER Attribute, the values of which are sorted.
func (a *attribute) encode() []byte {
	values := a.values
	if len(values) > 1 {
		values = slices.Clone(values)
		slices.SortFunc(values, bytes.Compare)
	}
	var set int64
	for _, v := range values {
		set += int64(len(v))
	}
	contents := total(ber.OID, int64(len(a.id))) + total(ber.Set, set)
	b := make([]byte, 0, total(ber.Sequence, contents))
	b = ber.AppendHeader(b, ber.Sequence, true, contents)
	b = append(ber.AppendHeader(b, ber.OID, false, int64(len(a.id))), a.id...)
	b = ber.AppendHeader(b, ber.Set, true, set)
	for _, v := range values {
		b = append(b, v...)
	}
	return b
}

// encodeSet returns the elements as a DER SET OF with that tag; it sorts list
// (X.690 clause 11.6).
func encodeSet(tag ber.Tag, list [][]byte) []byte {
	slices.SortFunc(list, bytes.Compare)
	return ber.Append(nil, tag, true, list...)
}
