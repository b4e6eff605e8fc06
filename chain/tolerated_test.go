package chain_test

import (
	"crypto/x509"
	"testing"

	"github.com/gosmime/gosmime/chain"
)

// TestHarmlesslyMalformed reads certificates with extensions that say nothing or
// say it in more octets than DER allows, where they are not critical.
func TestHarmlesslyMalformed(t *testing.T) {
	policies := []byte{0x30, 0x08, 0x30, 0x06, 0x06, 0x02, 0x2a, 0x03, 0x30, 0x00}
	minimum := constraint(0, append(tlv(0x81, "example.com"), 0x80, 1, 0))
	minimumNet := constraint(0, append(tlv(0x81, "example.net"), 0x80, 1, 0))
	empty := []byte{0x30, 0}
	for _, tt := range []struct {
		name     string
		id       []int
		critical bool
		value    []byte
		ca, leaf chain.Reason // what is said where the CA or the leaf has it
	}{
		{"empty subjectAltName", []int{2, 5, 29, 17}, false, empty, 0, 0},
		{"critical empty subjectAltName", []int{2, 5, 29, 17}, true, empty, chain.ErrMalformed, chain.ErrMalformed},
		{"empty policy qualifiers", []int{2, 5, 29, 32}, false, policies, 0, 0},
		{"critical empty policy qualifiers", []int{2, 5, 29, 32}, true, policies, chain.ErrMalformed, chain.ErrMalformed},
		{"empty authority information access", []int{1, 3, 6, 1, 5, 5, 7, 1, 1}, false, empty, 0, 0},
		{"broken authority information access", []int{1, 3, 6, 1, 5, 5, 7, 1, 1}, false, []byte{0x30, 2, 0x30, 0}, 0, 0},
		{"minimum of 0", []int{2, 5, 29, 30}, false, minimum, 0, chain.ErrMalformed},
		{"critical minimum of 0", []int{2, 5, 29, 30}, true, minimum, 0, chain.ErrMalformed},
		{"minimum of 0 elsewhere", []int{2, 5, 29, 30}, true, minimumNet, chain.ErrNameConstraint, chain.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			edit := extension(tt.id, tt.critical, tt.value)
			subject := mailSubject(alice)
			if tt.id[len(tt.id)-1] != 17 {
				subject = func(*x509.Certificate) {}
			}
			verify := func(root, ca, leaf *party, want chain.Reason) {
				t.Helper()
				_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(t.Context(), leaf.Certificate, signing())
				wantReason(t, err, want)
			}
			root := newRoot(t, "Root")
			ca := root.newCA(t, "CA")
			address := alice
			if tt.id[len(tt.id)-1] == 17 {
				address = ""
			}
			verify(root, ca, ca.newLeaf(t, address, subject, edit), tt.leaf)
			odd := root.newCA(t, "CA", edit)
			verify(root, odd, odd.newLeaf(t, alice), tt.ca)
			anchor := newRoot(t, "Root", edit)
			ca = anchor.newCA(t, "CA")
			verify(anchor, ca, ca.newLeaf(t, alice), tt.ca)
		})
	}
}

// TestApplicationPolicies reads those of Microsoft where they are critical.
func TestApplicationPolicies(t *testing.T) {
	id := []int{1, 3, 6, 1, 4, 1, 311, 21, 10}
	policy := func(oids ...string) []byte {
		var list string
		for _, o := range oids {
			list += string(tlv(0x30, string(tlv(6, o))))
		}
		return tlv(0x30, list)
	}
	const mail, server, any = "\x2b\x06\x01\x05\x05\x07\x03\x04", "\x2b\x06\x01\x05\x05\x07\x03\x01", "\x2b\x06\x01\x04\x01\x82\x37\x0a\x0c\x01"
	root := newRoot(t, "Root")
	usage := func(list ...x509.ExtKeyUsage) template {
		return func(c *x509.Certificate) { c.ExtKeyUsage = list }
	}
	for _, tt := range []struct {
		name     string
		critical bool
		value    []byte
		usage    template
		want     chain.Reason
	}{
		{"mail", true, policy(mail, server), usage(x509.ExtKeyUsageEmailProtection), 0},
		{"mail alone", true, policy(mail), usage(), 0},
		{"any", true, policy(any), usage(), 0},
		{"any with a usage", true, policy(any), usage(x509.ExtKeyUsageServerAuth), chain.ErrWrongPurpose},
		{"server", true, policy(server), usage(), chain.ErrWrongPurpose},
		{"server beside the usage of mail", true, policy(server), usage(x509.ExtKeyUsageEmailProtection), chain.ErrWrongPurpose},
		{"mail beside any usage", true, policy(mail), usage(x509.ExtKeyUsageAny), 0},
		{"server beside any usage", true, policy(server), usage(x509.ExtKeyUsageAny), chain.ErrWrongPurpose},
		{"not critical", false, policy(server), usage(x509.ExtKeyUsageEmailProtection), 0},
		{"malformed", true, []byte{0x30, 0}, usage(x509.ExtKeyUsageEmailProtection), chain.ErrMalformed},
		{"malformed and not critical", false, []byte{0x30, 0}, usage(x509.ExtKeyUsageEmailProtection), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaf := root.newLeaf(t, alice, tt.usage, extension(id, tt.critical, tt.value))
			_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, tt.want)
		})
	}
}
