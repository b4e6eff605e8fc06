package x509der

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const (
	universalString asn1.Tag = 28
	visibleString   asn1.Tag = 26
	bmpString       asn1.Tag = 30
	numericString   asn1.Tag = 18
)

// EqualNames compares two DER Names as RFC 5280 section 7.1 says: case, space
// and string types fold, and the parts of a multi-valued RDN have no order. Of
// what is not a Name only equal bytes are equal.
func EqualNames(a, b []byte) bool {
	return bytes.Equal(a, b) || NormalName(a) == NormalName(b)
}

// WithinName reports whether name is base or lies below it: whether its first
// RDNs are those of base (RFC 5280 section 4.2.1.10, directoryName).
func WithinName(name, base []byte) bool {
	return WithinNormal(NormalName(name), NormalName(base))
}

// WithinNormal is [WithinName] for two keys of [NormalName].
func WithinNormal(name, base string) bool {
	return name[0] == normalMark && base[0] == normalMark && strings.HasPrefix(name, base)
}

// The first byte of a normal name, and that of the key of what is not a Name.
const (
	normalMark = 'N'
	brokenMark = '?'
)

// NormalName returns a key that is equal for names that EqualNames calls
// equal. The key of a name begins with the keys of the names above it.
//
//	Name ::= CHOICE { rdnSequence RDNSequence }
//	RDNSequence ::= SEQUENCE OF RelativeDistinguishedName
//	RelativeDistinguishedName ::= SET SIZE (1..MAX) OF AttributeTypeAndValue
func NormalName(name []byte) string {
	var seq cryptobyte.String
	s := cryptobyte.String(name)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return string(brokenMark) + string(name)
	}
	key := make([]byte, 1, len(name)+len(name)/8+32)
	key[0] = normalMark
	for !seq.Empty() {
		var rdn cryptobyte.String
		if !seq.ReadASN1(&rdn, asn1.SET) || rdn.Empty() {
			return string(brokenMark) + string(name)
		}
		var ok bool
		if key, ok = appendRDN(key, rdn); !ok {
			return string(brokenMark) + string(name)
		}
	}
	return string(key)
}

// NormalRDN returns the key of the content of one RelativeDistinguishedName:
// what NormalName of a name that has one more RDN has more. It is empty if rdn
// can't be read.
func NormalRDN(rdn []byte) string {
	key, ok := appendRDN(nil, rdn)
	if !ok {
		return ""
	}
	return string(key)
}

// appendRDN appends the length and the attributes of an RDN in sorted order.
func appendRDN(key []byte, rdn cryptobyte.String) ([]byte, bool) {
	start := len(key)
	key = append(key, 0, 0, 0, 0)
	var many [][2]int
	for !rdn.Empty() {
		var a attribute
		if !readAttribute(&rdn, &a) {
			return nil, false
		}
		from := len(key)
		key = appendAttribute(key, a)
		if from != start+4 || !rdn.Empty() {
			many = append(many, [2]int{from, len(key)})
		}
	}
	if len(many) == 0 && len(key) == start+4 {
		return nil, false
	}
	if len(many) > 1 {
		old := slices.Clone(key)
		slices.SortFunc(many, func(a, b [2]int) int { return bytes.Compare(old[a[0]:a[1]], old[b[0]:b[1]]) })
		key = key[:start+4]
		for _, m := range many {
			key = append(key, old[m[0]:m[1]]...)
		}
	}
	binary.BigEndian.PutUint32(key[start:], uint32(len(key)-start-4))
	return key, true
}

// An attribute is an AttributeTypeAndValue.
type attribute struct {
	id    oid.OID
	raw   []byte // content octets of the type
	tag   asn1.Tag
	value []byte
}

func readAttribute(s *cryptobyte.String, a *attribute) bool {
	var atv, id, value cryptobyte.String
	if !s.ReadASN1(&atv, asn1.SEQUENCE) || !atv.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) ||
		!atv.ReadAnyASN1(&value, &a.tag) || !atv.Empty() {
		return false
	}
	a.raw, a.value, a.id = id, value, oid.Known(id)
	return true
}

// attributes calls f with each attribute of a Name until it returns false, and
// reports whether the name could be read so far.
func attributes(name []byte, f func(attribute) bool) bool {
	var seq cryptobyte.String
	s := cryptobyte.String(name)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return false
	}
	for !seq.Empty() {
		var rdn cryptobyte.String
		if !seq.ReadASN1(&rdn, asn1.SET) {
			return false
		}
		for !rdn.Empty() {
			var a attribute
			if !readAttribute(&rdn, &a) {
				return false
			}
			if !f(a) {
				return true
			}
		}
	}
	return true
}

// appendAttribute appends type and value, each with its length. A value that
// is not a character string, or not a good one, counts by tag and octets.
func appendAttribute(key []byte, a attribute) []byte {
	key = binary.BigEndian.AppendUint32(key, uint32(len(a.raw)))
	key = append(key, a.raw...)
	key = append(key, 0, 0, 0, 0, 0)
	start := len(key)
	folded, ok := appendFolded(key, a.tag, a.value)
	if ok {
		key = folded
		key[start-1] = 's'
	} else {
		key = append(append(key[:start], byte(a.tag)), a.value...)
		key[start-1] = 'r'
	}
	binary.BigEndian.PutUint32(key[start-5:], uint32(len(key)-start))
	return key
}

// appendFolded appends a string as RFC 5280 section 7.1 compares it: case
// folded, without leading and trailing space, each run of space as one.
//
// DEVIATION: RFC 4518 also wants NFKC. Composed and decomposed letters differ
// here: names that should be equal may then not chain, never the reverse.
// TeletexString is read as Latin-1, which is what writes it.
func appendFolded(key []byte, tag asn1.Tag, value []byte) ([]byte, bool) {
	f := folder{key: key, start: len(key)}
	switch tag {
	case asn1.PrintableString, asn1.IA5String, visibleString, numericString:
		for _, c := range value {
			if c >= 0x80 {
				return key, false
			}
			f.add(rune(c))
		}
	case asn1.T61String:
		for _, c := range value {
			f.add(rune(c))
		}
	case asn1.UTF8String:
		if !utf8.Valid(value) {
			return key, false
		}
		for len(value) > 0 {
			r, n := utf8.DecodeRune(value)
			f.add(r)
			value = value[n:]
		}
	case bmpString:
		if len(value)%2 != 0 {
			return key, false
		}
		for ; len(value) > 0; value = value[2:] {
			r := rune(value[0])<<8 | rune(value[1])
			if r >= 0xd800 && r < 0xe000 {
				return key, false
			}
			f.add(r)
		}
	case universalString:
		if len(value)%4 != 0 {
			return key, false
		}
		for ; len(value) > 0; value = value[4:] {
			u := binary.BigEndian.Uint32(value)
			if u > unicode.MaxRune || !utf8.ValidRune(rune(u)) {
				return key, false
			}
			f.add(rune(u))
		}
	default:
		return key, false
	}
	return f.key, true
}

// A folder appends characters, folded.
type folder struct {
	key   []byte
	start int
	space bool // a space is due before the next character
}

func (f *folder) add(r rune) {
	if r < utf8.RuneSelf {
		if r == ' ' || r >= '\t' && r <= '\r' {
			f.space = true
			return
		}
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		f.flush()
		f.key = append(f.key, byte(r))
		return
	}
	if unicode.IsSpace(r) || unicode.Is(unicode.Zs, r) {
		f.space = true
		return
	}
	f.flush()
	f.key = utf8.AppendRune(f.key, fold(r))
}

func (f *folder) flush() {
	if f.space && len(f.key) > f.start {
		f.key = append(f.key, ' ')
	}
	f.space = false
}

// fold returns the least of the characters that differ from r in case only,
// ASCII letters in lower case.
func fold(r rune) rune {
	least := r
	for x := unicode.SimpleFold(r); x != r; x = unicode.SimpleFold(x) {
		if x < least {
			least = x
		}
	}
	if least >= 'A' && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}
