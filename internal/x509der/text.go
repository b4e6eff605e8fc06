package x509der

import (
	"encoding/binary"
	"encoding/hex"
	"strings"
	"unicode/utf16"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A NameAttribute is one attribute of a Name, for people to read.
type NameAttribute struct {
	Type  oid.OID
	Value string
	Text  bool // the value is a character string; else Value is hexadecimal
	Tag   byte // of the value
}

// NameText returns the attributes of a Name, RDN by RDN, and whether it is one.
// Unlike [NormalName] it reads what no string type allows but occurs, such as
// the at sign in a PrintableString: the text decides nothing. What is no string
// is in hexadecimal digits after a number sign (RFC 4514 section 2.4).
func NameText(name []byte) (rdns [][]NameAttribute, ok bool) {
	var seq cryptobyte.String
	s := cryptobyte.String(name)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return nil, false
	}
	for !seq.Empty() {
		var set cryptobyte.String
		if !seq.ReadASN1(&set, asn1.SET) || set.Empty() {
			return nil, false
		}
		var rdn []NameAttribute
		for !set.Empty() {
			var a attribute
			if !readAttribute(&set, &a) {
				return nil, false
			}
			rdn = append(rdn, NameAttribute{oid.OID(a.raw), valueText(a.tag, a.value), isText(a.tag), byte(a.tag)})
		}
		rdns = append(rdns, rdn)
	}
	return rdns, true
}

func valueText(tag asn1.Tag, value []byte) string {
	switch tag {
	case asn1.PrintableString, asn1.IA5String, visibleString, numericString, asn1.T61String:
		var b strings.Builder
		for _, c := range value { // Latin-1 where it is not ASCII
			b.WriteRune(rune(c))
		}
		return b.String()
	case asn1.UTF8String:
		return strings.ToValidUTF8(string(value), "\ufffd")
	case bmpString:
		var units []uint16
		for ; len(value) > 1; value = value[2:] {
			units = append(units, binary.BigEndian.Uint16(value))
		}
		return string(utf16.Decode(units))
	case universalString:
		var b strings.Builder
		for ; len(value) > 3; value = value[4:] {
			b.WriteRune(rune(binary.BigEndian.Uint32(value)))
		}
		return b.String()
	}
	const most = 64
	return "#" + hex.EncodeToString(value[:min(len(value), most)])
}

func isText(tag asn1.Tag) bool {
	switch tag {
	case asn1.PrintableString, asn1.IA5String, visibleString, numericString, asn1.T61String, asn1.UTF8String, bmpString, universalString:
		return true
	}
	return false
}
