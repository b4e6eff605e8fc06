package chain_test

import (
	"slices"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// otherName returns a GeneralName with a UTF8String.
func otherName(typ string, value string) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
			b.AddASN1(der.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(typ)) })
			b.AddASN1(der.Tag(0).Constructed().ContextSpecific(), func(b *cryptobyte.Builder) {
				b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(value)) })
			})
		})
	})
}

// constraint returns nameConstraints with one base; list is 0 for what is
// permitted, 1 for what is excluded.
func constraint(list byte, base []byte) []byte {
	return tlv(0x30, string(tlv(0xa0|list, string(tlv(0x30, string(base))))))
}

const upnType, otherType = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03", "\x2a\x03\x04"

// TestUserPrincipalNames compares the names of Active Directory, and says of
// other forms that they are not understood, but only where that matters.
func TestUserPrincipalNames(t *testing.T) {
	root := newRoot(t, "Root")
	const malformed = chain.ErrMalformed
	for _, tt := range []struct {
		name      string
		list      byte
		base, upn []byte
		critical  bool
		want      chain.Reason
	}{
		{"domain", 0, otherName(upnType, "example.com"), otherName(upnType, "Alice@EXAMPLE.com"), true, 0},
		{"at domain", 0, otherName(upnType, "@example.com"), otherName(upnType, "alice@example.com"), true, 0},
		{"user", 0, otherName(upnType, "alice@example.com"), otherName(upnType, "Alice@example.com"), true, 0},
		{"other user", 0, otherName(upnType, "bob@example.com"), otherName(upnType, "alice@example.com"), true, chain.ErrNameConstraint},
		{"below", 0, otherName(upnType, ".example.com"), otherName(upnType, "alice@corp.example.com"), true, 0},
		{"one label", 0, otherName(upnType, "CORP"), otherName(upnType, "alice@corp"), true, 0},
		{"below is not the domain", 0, otherName(upnType, "example.com"), otherName(upnType, "alice@corp.example.com"), true, chain.ErrNameConstraint},
		{"other domain", 0, otherName(upnType, "example.com"), otherName(upnType, "alice@example.net"), true, chain.ErrNameConstraint},
		{"suffix", 0, otherName(upnType, "example.com"), otherName(upnType, "alice@badexample.com"), false, chain.ErrNameConstraint},
		{"two at signs", 0, otherName(upnType, "example.com"), otherName(upnType, "alice@x@example.com"), true, chain.ErrNameConstraint},
		{"excluded", 1, otherName(upnType, "example.com"), otherName(upnType, "alice@example.com"), true, chain.ErrNameConstraint},
		{"excluded with what is below", 1, otherName(upnType, "example.com"), otherName(upnType, "alice@corp.example.com"), true, chain.ErrNameConstraint},
		{"excluded elsewhere", 1, otherName(upnType, "example.net"), otherName(upnType, "alice@example.com"), true, 0},
		{"bad constraint", 0, otherName(upnType, "exa mple"), otherName(upnType, "alice@example.com"), true, malformed},
		{"other form, critical", 0, otherName(otherType, "x"), otherName(otherType, "x"), true, chain.ErrNameConstraint},
		{"other form", 0, otherName(otherType, "x"), otherName(otherType, "y"), false, 0},
		{"other form excluded", 1, otherName(otherType, "x"), otherName(otherType, "x"), false, 0},
		{"registered ID, critical", 0, tlv(0x88, otherType), tlv(0x88, otherType), true, chain.ErrNameConstraint},
		{"registered ID", 0, tlv(0x88, otherType), tlv(0x88, otherType), false, 0},
		{"another form than the constraint", 0, otherName(otherType, "x"), otherName(upnType, "alice@example.com"), true, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, tt.critical, constraint(tt.list, tt.base)))
			san := tlv(0x30, string(slices.Concat(tt.upn, tlv(0x81, alice))))
			leaf := ca.newLeaf(t, "", extension([]int{2, 5, 29, 17}, false, san))
			_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, tt.want)
		})
	}
}

// TestConstraintNotUnderstoodHidesNoOther has a constraint of a form that is not
// understood beside one that is, and both speak of the same name.
func TestConstraintNotUnderstoodHidesNoOther(t *testing.T) {
	const smtpUTF8 = "\x2b\x06\x01\x05\x05\x07\x08\x09"
	root := newRoot(t, "Root")
	subtree := func(base []byte) string { return string(tlv(0x30, string(base))) }
	mail := func(domain string) string { return subtree(tlv(0x81, domain)) }
	const name = "\u00e4lice@example.net"
	for _, tt := range []struct {
		name                string
		permitted, excluded string
		want                chain.Reason
	}{
		{"permitted elsewhere", mail("example.com") + subtree(otherName(smtpUTF8, name)), "", chain.ErrNameConstraint},
		{"excluded", subtree(otherName(smtpUTF8, name)), mail("example.net"), chain.ErrNameConstraint},
		{"within", mail("example.com") + mail("example.net"), subtree(otherName(smtpUTF8, name)), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var lists string
			if tt.permitted != "" {
				lists += string(tlv(0xa0, tt.permitted))
			}
			if tt.excluded != "" {
				lists += string(tlv(0xa1, tt.excluded))
			}
			ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, false, tlv(0x30, lists)))
			san := tlv(0x30, string(slices.Concat(otherName(smtpUTF8, name), tlv(0x81, alice))))
			leaf := ca.newLeaf(t, "", extension([]int{2, 5, 29, 17}, false, san))
			_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, tt.want)
		})
	}
}
