// Package ess has the attributes and contents of the Enhanced Security
// Services (RFC 2634, RFC 5035) and of CAdES (RFC 5126) as Go values.
//
// It reads and writes them and judges nothing: an attribute means what it says
// only if it is among those that [pkcs7.SignerInfo.Signed] returns of a signer
// who was checked. All functions named Parse read one DER value and nothing
// after it, and what they return may point into it. Their errors wrap
// [pkcs7.ErrSyntax] or [pkcs7.ErrLimit].
package ess

import (
	"crypto/x509"
	"fmt"
	"unicode/utf8"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxNames is the upper bound of RFC 2634 appendix A for what comes in lists,
// ub-receiptsTo apart.
const maxNames = 64

func malformed(what string) error {
	return &pkcs7.SyntaxError{Field: what, Reason: "malformed"}
}

func tooMany(what string) error { return fmt.Errorf("%w: %s", pkcs7.ErrLimit, what) }

// primitive and constructed return context-specific tags.
func primitive(n uint8) asn1.Tag   { return asn1.Tag(n).ContextSpecific() }
func constructed(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

func readOID(s *cryptobyte.String, out *x509.OID) bool {
	var id oid.OID
	if !oid.Read(s, &id) {
		return false
	}
	*out = id.X509()
	return true
}

func addOID(b *cryptobyte.Builder, id x509.OID) {
	o := oid.FromX509(id)
	if o == "" {
		b.SetError(malformed("object identifier"))
		return
	}
	o.Add(b)
}

// readMailboxes reads a list of GeneralNames and returns the rfc822Names of
// them all; other names are left out.
func readMailboxes(list cryptobyte.String) (names []string, ok bool) {
	for !list.Empty() {
		var one, name cryptobyte.String
		var tag asn1.Tag
		if !list.ReadASN1(&one, asn1.SEQUENCE) {
			return nil, false
		}
		for !one.Empty() {
			if !one.ReadAnyASN1(&name, &tag) {
				return nil, false
			}
			if tag == primitive(1) {
				names = append(names, string(name))
			}
		}
		if len(names) > maxNames {
			return nil, false
		}
	}
	return names, true
}

// addMailboxes writes each address as GeneralNames of one rfc822Name, which is
// an IA5String.
func addMailboxes(b *cryptobyte.Builder, names []string) {
	for _, name := range names {
		for i := range len(name) {
			if name[i] >= 0x80 || name[i] < ' ' {
				b.SetError(malformed("mailbox"))
				return
			}
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(primitive(1), func(b *cryptobyte.Builder) { b.AddBytes([]byte(name)) })
		})
	}
}

// The string types that cryptobyte has no name for.
const (
	universalString = asn1.Tag(28)
	bmpString       = asn1.Tag(30)
)

// readText reads a DirectoryString (RFC 5280 section 4.1.2.4). Of a
// TeletexString the octets are taken for Latin-1, as all programs do.
func readText(s *cryptobyte.String, out *string) bool {
	var text cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&text, &tag) {
		return false
	}
	switch tag {
	case asn1.UTF8String, asn1.PrintableString:
		*out = string(text)
		return utf8.Valid(text)
	case asn1.T61String:
		return readUnits(text, 1, out)
	case bmpString:
		return readUnits(text, 2, out)
	case universalString:
		return readUnits(text, 4, out)
	}
	return false
}

// readUnits decodes characters of that many octets each.
func readUnits(b []byte, size int, out *string) bool {
	if len(b)%size != 0 {
		return false
	}
	text := make([]rune, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		var c uint32
		for _, octet := range b[:size] {
			c = c<<8 | uint32(octet)
		}
		if c > utf8.MaxRune || !utf8.ValidRune(rune(c)) {
			return false
		}
		text = append(text, rune(c))
	}
	*out = string(text)
	return true
}

func addText(b *cryptobyte.Builder, text string) {
	b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(text)) })
}
