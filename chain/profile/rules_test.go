package profile_test

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/chain/profile"
)

// TestForeignCertificates has certificates that other linters refuse.
func TestForeignCertificates(t *testing.T) {
	for file, rule := range map[string]profile.Rule{
		"lint-dirname-mailbox.pem":              profile.RuleSubjectMailbox,
		"lint-individual-with-organization.pem": profile.RuleAttributes,
		"lint-no-organization-identifier.pem":   profile.RuleAttributes,
	} {
		t.Run(file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", file))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(text)
			found := profile.Findings(profile.Baseline([]*x509.Certificate{{Raw: block.Bytes}}))
			if !errors.Is(found, rule) {
				t.Errorf("found %v, want %v", []profile.Finding(found), rule)
			}
		})
	}
}

type at struct {
	arcs  []int
	value any
}

func printable(v string) asn1.RawValue {
	return asn1.RawValue{Tag: asn1.TagPrintableString, Bytes: []byte(v)}
}
func ia5(v string) asn1.RawValue  { return asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(v)} }
func utf8(v string) asn1.RawValue { return asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte(v)} }

// subject replaces the subject and the policy.
func subject(t *testing.T, policy string, attributes ...at) func(*x509.Certificate) {
	t.Helper()
	var rdns pkix.RDNSequence
	for _, a := range attributes {
		v := a.value
		if s, ok := v.(string); ok {
			v = utf8(s)
		}
		rdns = append(rdns, pkix.RelativeDistinguishedNameSET{{Type: a.arcs, Value: v}})
	}
	der, err := asn1.Marshal(rdns)
	if err != nil {
		t.Fatal(err)
	}
	id, err := x509.ParseOID(policy)
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) {
		c.RawSubject, c.Policies = der, []x509.OID{id}
	}
}

// TestRules has a good and a bad example of each rule on names.
func TestRules(t *testing.T) {
	x520 := func(n int, value any) at { return at{[]int{2, 5, 4, n}, value} }
	email := func(v any) at { return at{[]int{1, 2, 840, 113549, 1, 9, 1}, v} }
	const (
		mailbox, organization, sponsored, individual = "2.23.140.1.5.1.2", "2.23.140.1.5.2.2", "2.23.140.1.5.3.2", "2.23.140.1.5.4.2"
		strictIndividual                             = "2.23.140.1.5.4.3"
	)
	de, name, given, surname := x520(6, printable("DE")), x520(10, "Example GmbH"), x520(42, "Alice"), x520(4, "Example")
	id := func(v any) at { return x520(97, v) }
	const lei = "LEIXG-529900T8BM49AURSDO55"
	for _, tt := range []struct {
		name    string
		policy  string
		subject []at
		want    profile.Rule // "": no finding
	}{
		{"organization", organization, []at{de, name, id("NTRDE-HRB123")}, ""},
		{"organization without identifier", organization, []at{de, name}, profile.RuleAttributes},
		{"organization with a person", organization, []at{de, name, id("NTRDE-HRB123"), given}, profile.RuleAttributes},
		{"sponsored", sponsored, []at{de, name, id("VATDE-123"), given, surname}, ""},
		{"sponsored without organization", sponsored, []at{de, given, surname}, profile.RuleAttributes},
		{"individual", individual, []at{de, given, surname}, ""},
		{"individual with organization", individual, []at{de, name, given, surname}, profile.RuleAttributes},
		{"individual without a name", individual, []at{de}, profile.RulePerson},
		{"pseudonym", individual, []at{de, x520(65, "Al")}, ""},
		{"pseudonym beside a name", individual, []at{de, x520(65, "Al"), given}, profile.RulePseudonym},
		{"mailbox", mailbox, []at{x520(3, "alice@example.com")}, ""},
		{"mailbox with a country", mailbox, []at{de}, profile.RuleAttributes},
		{"unknown attribute", individual, []at{given, {[]int{1, 2, 3}, "x"}}, profile.RuleAttributes},
		{"street in a strict certificate", strictIndividual, []at{de, given, x520(7, "Ulm"), x520(9, "Weg 1")}, profile.RuleAttributes},

		{"common name of the organization", organization, []at{de, name, id("NTRDE-1"), x520(3, "Example GmbH")}, ""},
		{"common name from nowhere", organization, []at{de, name, id("NTRDE-1"), x520(3, "Example AG")}, profile.RuleCommonName},
		{"common name of the mailbox", organization, []at{de, name, id("NTRDE-1"), x520(3, "alice@example.com")}, ""},
		{"common name of a pseudonym", individual, []at{x520(65, "Al"), x520(3, "Al")}, ""},
		{"common name that is no pseudonym", individual, []at{x520(65, "Al"), x520(3, "Alice Example")}, profile.RuleCommonName},

		{"state", organization, []at{x520(6, printable("US")), name, id("NTRUS+CA-123")}, ""},
		{"state with another scheme", organization, []at{x520(6, printable("US")), name, id("VATUS+CA-123")}, profile.RuleOrganizationIdentifier},
		{"long state", organization, []at{x520(6, printable("US")), name, id("NTRUS+CALI-123")}, profile.RuleOrganizationIdentifier},
		{"government", organization, []at{x520(6, printable("US")), name, id("GOVUS+CA")}, ""},
		{"government with a reference", organization, []at{x520(6, printable("US")), name, id("GOVUS+CA-1")}, profile.RuleOrganizationIdentifier},
		{"international", organization, []at{name, id("INTXG")}, ""},
		{"international in a country", organization, []at{name, id("INTDE")}, profile.RuleOrganizationIdentifier},
		{"no reference", organization, []at{de, name, id("NTRDE")}, profile.RuleOrganizationIdentifier},
		{"scheme", organization, []at{de, name, id("ABCDE-1")}, profile.RuleOrganizationIdentifier},
		{"form", organization, []at{de, name, id("HRB 123")}, profile.RuleOrganizationIdentifier},
		{"country of the scheme", organization, []at{name, id("NTRYY-1")}, profile.RuleOrganizationIdentifier},
		{"another country", organization, []at{de, name, id("NTRAT-1")}, profile.RuleIdentifierCountry},
		{"Greece", organization, []at{x520(6, printable("GR")), name, id("VATEL-1")}, ""},
		{"LEI", organization, []at{de, name, id(lei)}, ""},
		{"LEI with another digit", organization, []at{de, name, id(lei[:len(lei)-1] + "6")}, profile.RuleLEIChecksum},
		{"LEI of another length", organization, []at{de, name, id(lei + "5")}, profile.RuleOrganizationIdentifier},
		{"LEI of a country", organization, []at{de, name, id("LEIDE" + lei[5:])}, profile.RuleOrganizationIdentifier},

		{"street with its place", individual, []at{de, given, x520(7, "Ulm"), x520(9, "Weg 1")}, ""},
		{"street alone", individual, []at{de, given, x520(9, "Weg 1")}, profile.RuleDependent},
		{"locality without country", individual, []at{given, x520(7, "Ulm")}, profile.RuleDependent},
		{"state without country", individual, []at{given, x520(8, "Ulm")}, profile.RuleDependent},
		{"postal code without country", individual, []at{given, x520(17, "89073")}, profile.RuleDependent},

		{"address", individual, []at{given, email(ia5("alice@example.com"))}, ""},
		{"another address", individual, []at{given, email(ia5("bob@example.com"))}, profile.RuleSubjectMailbox},
		{"address in another attribute", individual, []at{given, x520(12, "bob@example.com")}, profile.RuleSubjectMailbox},
		{"two addresses in one", individual, []at{given, email(ia5("alice@example.com bob@example.com"))}, profile.RuleSubject},
		{"address in UTF-8", individual, []at{given, email("alice@example.com")}, profile.RuleEncoding},
		{"country in UTF-8", individual, []at{given, x520(6, "DE")}, profile.RuleEncoding},
		{"name in TeletexString", individual, []at{x520(42, asn1.RawValue{Tag: 20, Bytes: []byte("Alice")})}, profile.RuleEncoding},
		{"name that is no string", individual, []at{x520(42, asn1.RawValue{Tag: 4, Bytes: []byte("Alice")})}, profile.RuleEncoding},
		{"a dot", individual, []at{given, x520(12, ".")}, profile.RuleValue},
		{"hyphens and blanks", individual, []at{given, x520(12, "- -")}, profile.RuleValue},
		{"no country", individual, []at{given, x520(6, printable("YY"))}, profile.RuleSubject},
		{"without a country", individual, []at{given, x520(6, printable("XX"))}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) { checkRule(t, subject(t, tt.policy, tt.subject...), tt.want) })
	}
}

// checkRule wants findings of one rule alone.
func checkRule(t *testing.T, edit func(*x509.Certificate), want profile.Rule) {
	t.Helper()
	root, leaf := issue(t, edit)
	found := profile.Findings(profile.Baseline([]*x509.Certificate{leaf, root}))
	if want == "" && len(found) > 0 || want != "" && !errors.Is(found, want) {
		t.Errorf("found %v, want %q", []profile.Finding(found), want)
	}
}

// TestExtensionRules has a good and a bad example of each rule on extensions.
func TestExtensionRules(t *testing.T) {
	policies := func(id asn1.ObjectIdentifier, qualifier asn1.ObjectIdentifier, value any) func(*x509.Certificate) {
		type info struct {
			ID         asn1.ObjectIdentifier
			Qualifiers []struct {
				ID    asn1.ObjectIdentifier
				Value any
			} `asn1:"optional,omitempty"`
		}
		one := info{ID: asn1.ObjectIdentifier{2, 23, 140, 1, 5, 1, 2}}
		list := []info{one}
		if qualifier != nil {
			list[0].Qualifiers = append(list[0].Qualifiers, struct {
				ID    asn1.ObjectIdentifier
				Value any
			}{qualifier, value})
		}
		if id != nil {
			list = append(list, info{ID: id})
		}
		der, err := asn1.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		return func(c *x509.Certificate) {
			c.Policies = nil
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 32}, Value: der})
		}
	}
	cps, notice := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
	text := struct{ Text asn1.RawValue }{utf8("a notice")}
	critical := func(arcs []int, value []byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: arcs, Critical: true, Value: value})
		}
	}
	for _, tt := range []struct {
		name string
		edit func(*x509.Certificate)
		want profile.Rule
	}{
		{"policy alone", policies(nil, nil, nil), ""},
		{"any policy", policies(asn1.ObjectIdentifier{2, 5, 29, 32, 0}, nil, nil), profile.RuleAnyPolicy},
		{"CPS", policies(nil, cps, ia5("https://pki.example/cps")), ""},
		{"CPS by FTP", policies(nil, cps, ia5("ftp://pki.example/cps")), profile.RulePolicyText},
		{"notice", policies(nil, notice, text), ""},
		{"notice without text", policies(nil, notice, struct{}{}), profile.RulePolicyText},
		{"notice with a reference", policies(nil, notice, struct{ Ref struct{ A asn1.RawValue } }{struct{ A asn1.RawValue }{utf8("x")}}), profile.RulePolicyText},
		{"critical subjectKeyIdentifier", critical([]int{2, 5, 29, 14}, []byte{4, 1, 1}), profile.RuleCritical},
		{"CA", func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, profile.RuleCA},
	} {
		t.Run(tt.name, func(t *testing.T) { checkRule(t, tt.edit, tt.want) })
	}
}
