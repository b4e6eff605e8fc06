package chain_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"strconv"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
)

// general is a GeneralName of a string form, or of an iPAddress.
func general(tag uint8, value string) []byte { return tagged(tag, []byte(value)) }

// dirName is a directoryName of RDNs, each a list of AttributeTypeAndValue.
func dirName(rdns ...[]byte) []byte { return explicit(4, sequence(rdns...)) }

// rdn makes a RelativeDistinguishedName of attributes of the arc 2.5.4.
func rdn(pairs ...any) []byte {
	var list []byte
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, sequence([]byte{6, 3, 0x55, 4, byte(pairs[i].(int))}, pairs[i+1].([]byte))...)
	}
	return tlv(0x31, string(list))
}

// TestConstraintBypasses has names that look as if they lay within a constraint,
// or outside of it, and don't. openssl verify is asked too; differs says why it
// comes to another end.
func TestConstraintBypasses(t *testing.T) {
	const (
		rfc822, dns, uri, ip = 1, 2, 6, 7
		country, org, unit   = 6, 10, 11
	)
	root := newRoot(t, "Root")
	o := newOracle(t)
	utf8 := func(address string) []byte {
		return explicit(0, []byte{6, 8, 0x2b, 6, 1, 5, 5, 7, 8, 9}, explicit(0, tlv(0x0c, address)))
	}
	upn := explicit(0, []byte{6, 3, 0x2a, 3, 4}, explicit(0, tlv(0x0c, "x")))
	other := explicit(0, []byte{6, 3, 0x2a, 3, 5}, explicit(0, tlv(0x0c, "x")))
	p, u, b := func(s string) []byte { return tlv(0x13, s) }, func(s string) []byte { return tlv(0x0c, s) }, func(s string) []byte { return tlv(0x1e, utf16be(s)) }
	acme := dirName(rdn(country, p("DE")), rdn(org, p("Acme")))
	cases := []struct {
		name    string
		deny    bool
		base    []byte
		has     []byte // of the subjectAltName
		subject []byte // DER Name; nil: that of newLeaf
		good    bool
		differs string
	}{
		{"the host", false, general(rfc822, "example.com"), general(rfc822, "a@example.com"), nil, true, ""},
		{"the host in other case", false, general(rfc822, "EXAMPLE.com"), general(rfc822, "a@Example.COM"), nil, true, ""},
		{"below the host", false, general(rfc822, "example.com"), general(rfc822, "a@b.example.com"), nil, false, ""},
		{"below a dot", false, general(rfc822, ".example.com"), general(rfc822, "a@b.example.com"), nil, true, ""},
		{"not below a dot", false, general(rfc822, ".example.com"), general(rfc822, "a@example.com"), nil, false, ""},
		{"a host that ends alike", false, general(rfc822, "example.com"), general(rfc822, "a@badexample.com"), nil, false, ""},
		{"a quoted at sign", false, general(rfc822, "example.com"), general(rfc822, `"a@example.com"@evil.example`), nil, false, ""},
		{"a quoted at sign of another host", false, general(rfc822, "example.com"), general(rfc822, `"a@evil.example"@example.com`), nil, true, ""},
		{"two at signs", false, general(rfc822, "example.com"), general(rfc822, `a@evil.example@example.com`), nil, false, "it takes the text after the last at sign"},
		{"the mailbox", false, general(rfc822, "a@example.com"), general(rfc822, "a@EXAMPLE.com"), nil, true, ""},
		{"the mailbox in quotes", false, general(rfc822, "a@example.com"), general(rfc822, `"a"@example.com`), nil, true, "it compares local parts as they are written"},
		{"another mailbox", false, general(rfc822, "a@example.com"), general(rfc822, "b@example.com"), nil, false, ""},
		{"the mailbox in other case", false, general(rfc822, "a@example.com"), general(rfc822, "A@example.com"), nil, false, ""},
		{"excluded in other case", true, general(rfc822, "a@example.com"), general(rfc822, "A@example.com"), nil, false, "RFC 5280 section 7.5 tells cases apart; readers don't"},
		{"excluded in quotes", true, general(rfc822, "a@example.com"), general(rfc822, `"a"@example.com`), nil, false, "it compares local parts as they are written"},
		{"excluded host with a final dot", true, general(rfc822, "example.com"), general(rfc822, "a@example.com."), nil, false, "it compares hosts as they are written"},
		{"excluded host with a NUL", true, general(rfc822, "example.com"), general(rfc822, "a@example.com\x00"), nil, false, "a NUL makes other hosts"},
		{"excluded host, no address", true, general(rfc822, "example.com"), general(rfc822, "example.com"), nil, false, ""},
		{"excluded host, empty name", true, general(rfc822, "example.com"), general(rfc822, ""), nil, false, ""},
		{"excluded A-label, U-label present", true, general(rfc822, "xn--bcher-kva.example"), general(rfc822, "a@bücher.example"), nil, false, "it compares hosts as they are written"},
		{"permitted A-label, U-label present", false, general(rfc822, "xn--bcher-kva.example"), general(rfc822, "a@bücher.example"), nil, false, ""},
		{"an address literal", false, general(rfc822, "example.com"), general(rfc822, "a@[127.0.0.1]"), nil, false, ""},
		{"excluded host in UTF-8", true, general(rfc822, "example.com"), utf8("å@example.com"), nil, false, ""},
		{"permitted host in UTF-8", false, general(rfc822, "example.com"), utf8("å@example.com"), nil, true, ""},
		{"another host in UTF-8", false, general(rfc822, "example.com"), utf8("å@evil.example"), nil, false, ""},
		{"permitted A-label, U-label in UTF-8", false, general(rfc822, "xn--bcher-kva.example"), utf8("å@bücher.example"), nil, true, ""},
		{"ASCII where there should be more", false, general(rfc822, "example.com"), utf8("a@example.com"), nil, false, "it takes any"},
		{"permitted mailbox, another in UTF-8", false, general(rfc822, "a@example.com"), utf8("å@example.com"), nil, false, ""},

		{"emailAddress outside", false, general(rfc822, "example.com"), general(rfc822, "a@example.com"), mailName(t, tlv(0x16, "a@evil.example")), false, ""},
		{"emailAddress in UTF8String outside", false, general(rfc822, "example.com"), general(rfc822, "a@example.com"), mailName(t, u("a@evil.example")), false, ""},
		{"emailAddress in BMPString outside", false, general(rfc822, "example.com"), general(rfc822, "a@example.com"), mailName(t, b("a@evil.example")), false, ""},
		{"emailAddress inside", false, general(rfc822, "example.com"), general(rfc822, "a@example.com"), mailName(t, tlv(0x16, "b@example.com")), true, ""},
		{"emailAddress excluded, no subjectAltName", true, general(rfc822, "example.com"), nil, mailName(t, tlv(0x16, "a@example.com")), false, ""},

		{"the directory", false, acme, nil, sequence(rdn(country, p("DE")), rdn(org, p("Acme")), rdn(unit, p("Mail"))), true, ""},
		{"the directory in other types, case and space", false, acme, nil, sequence(rdn(country, u("de")), rdn(org, u("  ACME ")), rdn(unit, p("Mail"))), true, ""},
		{"the directory in BMPString", false, acme, nil, sequence(rdn(country, p("DE")), rdn(org, b("acme"))), true, ""},
		{"another directory", false, acme, nil, sequence(rdn(country, p("DE")), rdn(org, p("Acme2"))), false, ""},
		{"above the directory", false, acme, nil, sequence(rdn(country, p("DE"))), false, ""},
		{"the directory further down", false, acme, nil, sequence(rdn(unit, p("x")), rdn(country, p("DE")), rdn(org, p("Acme"))), false, ""},
		{"excluded directory in another type", true, acme, nil, sequence(rdn(country, u("dE")), rdn(org, b("ACME")), rdn(unit, p("x"))), false, ""},
		{"RDN of two, in order", false, dirName(rdn(org, p("A"), unit, p("B"))), nil, sequence(rdn(org, p("A"), unit, p("B"))), true, ""},
		{"RDN of two, excluded in the other order", true, dirName(rdn(org, p("A"), unit, p("B"))), nil, sequence(rdn(unit, p("B"), org, p("A"))), false, ""},
		{"RDN of two where one is permitted", false, dirName(rdn(org, p("A"))), nil, sequence(rdn(org, p("A"), unit, p("B"))), false, ""},
		{"directoryName of the subjectAltName", false, acme, dirName(rdn(country, p("FR"))), sequence(rdn(country, p("DE")), rdn(org, p("Acme"))), false, ""},
		{"no subject", false, acme, nil, sequence(), true, ""},

		{"a host", false, general(dns, "example.com"), general(dns, "www.example.com"), nil, true, ""},
		{"a host that ends alike, of DNS", false, general(dns, "example.com"), general(dns, "badexample.com"), nil, false, ""},
		{"a wildcard over an excluded host", true, general(dns, "www.example.com"), general(dns, "*.example.com"), nil, false, "it does not open wildcards"},
		{"a URI", false, general(uri, "example.com"), general(uri, "https://example.com/x"), nil, true, ""},
		{"a URI with a user", false, general(uri, "example.com"), general(uri, "https://example.com@evil.example/"), nil, false, ""},
		{"a URI with a port", false, general(uri, "example.com"), general(uri, "https://example.com:81/"), nil, true, ""},
		{"a URI without host", true, general(uri, "example.com"), general(uri, "urn:x"), nil, false, ""},
		{"a URI with an address", true, general(uri, "example.com"), general(uri, "https://10.0.0.1/"), nil, false, "it compares the text"},
		{"an address", false, general(ip, "\x0a\x00\x00\x00\xff\x00\x00\x00"), general(ip, "\x0a\x01\x02\x03"), nil, true, ""},
		{"another address", false, general(ip, "\x0a\x00\x00\x00\xff\x00\x00\x00"), general(ip, "\x0b\x01\x02\x03"), nil, false, ""},
		{"an address of the other version", false, general(ip, "\x0a\x00\x00\x00\xff\x00\x00\x00"), general(ip, "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\x0a\x01\x02\x03"), nil, false, ""},
		{"a form that nobody knows, constrained", false, upn, upn, nil, false, ""},
		{"a form that nobody knows, excluded", true, upn, upn, nil, false, ""},
		{"another form that nobody knows", false, upn, other, nil, true, ""},
	}
	for _, c := range cases {
		tag := uint8(0)
		if c.deny {
			tag = 1
		}
		ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, true, sequence(explicit(tag, sequence(c.base)))))
		leaf := makeCert(t, ca, newKey(t), "Leaf", func(l *x509.Certificate) {
			l.RawSubject = c.subject
			if c.has != nil {
				l.ExtraExtensions = append(l.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 17}, Value: sequence(c.has)})
			}
		})
		policy := signing()
		policy.Mailbox, policy.InsecureAnyMailbox = "", true
		_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(t.Context(), leaf.Certificate, policy)
		want := chain.ErrNameConstraint
		if c.good {
			want = 0
		}
		t.Log(c.name)
		wantReason(t, err, want)
		if o == nil {
			continue
		}
		theirs := suites.Command(t, o.tool, "verify", "-attime", strconv.FormatInt(judged.Unix(), 10),
			"-CAfile", o.file(t, "CERTIFICATE", root.Raw), "-untrusted", o.file(t, "CERTIFICATE", ca.Raw), o.file(t, "CERTIFICATE", leaf.Raw)).Run()
		if same := (theirs == nil) == c.good; !same && c.differs == "" {
			t.Errorf("openssl says good: %v", theirs == nil)
		} else if same && c.differs != "" {
			t.Log("this version of openssl does not differ") // which is no fault
		}
	}
	if len(cases) != 59 {
		t.Errorf("%d cases", len(cases))
	}
}

// mailName is a Name of one emailAddress.
func mailName(t testing.TB, value []byte) []byte {
	id, err := asn1.Marshal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1})
	if err != nil {
		t.Fatal(err)
	}
	return sequence(tlv(0x31, string(sequence(id, value))))
}
