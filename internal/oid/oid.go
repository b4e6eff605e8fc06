// Package oid names the object identifiers of CMS, S/MIME and X.509. An
// identifier is a string with the content octets of its DER encoding, so that
// it is a constant, can be compared and switched on, and is found in input
// without being parsed.
package oid

import (
	"crypto/x509"
	"fmt"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An OID is the content octets of a DER OBJECT IDENTIFIER.
type OID string

// Read reads an OBJECT IDENTIFIER, tag and length included, from s.
func Read(s *cryptobyte.String, out *OID) bool {
	var b cryptobyte.String
	if !s.ReadASN1(&b, asn1.OBJECT_IDENTIFIER) {
		return false
	}
	if o := Known(b); o != "" {
		*out = o
		return true
	}
	if !valid(b) {
		return false
	}
	*out = OID(b)
	return true
}

// Add appends o, tag and length included, to b.
func (o OID) Add(b *cryptobyte.Builder) {
	b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(o)) })
}

// FromX509 returns the identifier in the form of this package; that of the
// zero x509.OID is empty.
func FromX509(o x509.OID) OID {
	b, err := o.MarshalBinary()
	if err != nil {
		return ""
	}
	return OID(b)
}

// X509 returns the identifier as crypto/x509 has it; zero if o is not valid.
func (o OID) X509() x509.OID {
	var x x509.OID
	if err := x.UnmarshalBinary([]byte(o)); err != nil {
		return x509.OID{}
	}
	return x
}

// maxText is more than any identifier in use has octets; of others the dotted
// form could be of any length.
const maxText = 64

// String returns the dotted form, if o is not absurdly long.
func (o OID) String() string {
	switch {
	case !valid([]byte(o)):
		return "invalid OID"
	case len(o) > maxText:
		return fmt.Sprintf("OID of %d octets", len(o))
	}
	return o.X509().String()
}

// Child reports whether o lies below arc.
func (o OID) Child(arc OID) bool {
	return len(o) > len(arc) && strings.HasPrefix(string(o), string(arc))
}

// valid holds the encoding to X.690 clause 8.19: no empty value, no padded or
// unfinished subidentifier.
func valid(b []byte) bool {
	if len(b) == 0 || b[len(b)-1]&0x80 != 0 {
		return false
	}
	start := true
	for _, c := range b {
		if start && c == 0x80 {
			return false
		}
		start = c&0x80 == 0
	}
	return true
}
