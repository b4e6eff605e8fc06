package sst

import (
	"bytes"
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"slices"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/x509der"
)

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

func ekus(id PropertyID, names ...string) Property {
	var list []asn1.ObjectIdentifier
	for _, n := range names {
		list = append(list, map[string]asn1.ObjectIdentifier{
			"email": {1, 3, 6, 1, 5, 5, 7, 3, 4}, "server": {1, 3, 6, 1, 5, 5, 7, 3, 1}, "stamp": {1, 3, 6, 1, 5, 5, 7, 3, 8}, "any": {2, 5, 29, 37, 0},
		}[n])
	}
	return OIDProperty(id, list...)
}

// nameConstraints returns the property with one permitted and one excluded
// name; kind 0: none.
func nameConstraints(permitted x509der.NameKind, base string, excluded x509der.NameKind, not string) Property {
	var parts [][]byte
	for i, n := range []struct {
		kind x509der.NameKind
		name string
	}{{permitted, base}, {excluded, not}} {
		if n.kind != 0 {
			name := ber.Append(nil, ber.Context(uint32(n.kind)), false, []byte(n.name))
			parts = append(parts, ber.Append(nil, ber.Context(uint32(i)), true, ber.Append(nil, ber.Sequence, true, name)))
		}
	}
	return Property{PropRootNameConstraints, 1, ber.Append(nil, ber.Sequence, true, parts...)}
}

// permitted returns the property with one permitted tree.
func permitted(tree ...[]byte) Property {
	return Property{PropRootNameConstraints, 1, ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Sequence, true, tree...)))}
}

func TestConstraints(t *testing.T) {
	both := []chain.Purpose{chain.EmailSigning, chain.EmailEncryption}
	all := []chain.Purpose{chain.EmailSigning, chain.EmailEncryption, chain.TimeStamping}
	none := []chain.Purpose{}
	unusable := chain.Constraints{}
	any := chain.Constraints{AnyPurpose: true, AnyMailbox: true}
	with := func(change func(*chain.Constraints)) chain.Constraints {
		c := any
		change(&c)
		return c
	}
	purposes := func(p []chain.Purpose) chain.Constraints {
		return chain.Constraints{Purposes: p, AnyMailbox: true}
	}
	for _, c := range []struct {
		name  string
		props []Property
		want  chain.Constraints
	}{
		{"nothing", nil, any},
		{"a name", []Property{TextProperty(PropFriendlyName, "x")}, any},
		{"e-mail", []Property{ekus(PropEnhKeyUsage, "email", "server")}, purposes(both)},
		{"servers", []Property{ekus(PropEnhKeyUsage, "server")}, purposes(none)},
		{"no usage", []Property{ekus(PropEnhKeyUsage)}, purposes(none)},
		{"any usage", []Property{ekus(PropEnhKeyUsage, "any")}, any},
		{"two lists", []Property{ekus(PropEnhKeyUsage, "email", "stamp"), ekus(PropEnhKeyUsage, "stamp")}, purposes([]chain.Purpose{chain.TimeStamping})},
		{"e-mail forbidden", []Property{ekus(PropDisallowedUsage, "email")}, purposes([]chain.Purpose{chain.TimeStamping})},
		{"servers forbidden", []Property{ekus(PropDisallowedUsage, "server")}, purposes(all)},
		{"all forbidden", []Property{ekus(PropDisallowedUsage, "any")}, purposes(none)},
		{"allowed and forbidden", []Property{ekus(PropEnhKeyUsage, "email", "stamp"), ekus(PropDisallowedUsage, "email")}, purposes([]chain.Purpose{chain.TimeStamping})},
		{"disallowed from", []Property{TimeProperty(PropDisallowedTime, date(2021))}, with(func(c *chain.Constraints) { c.TrustedUntil = date(2021) })},
		{"disallowed from two times", []Property{TimeProperty(PropDisallowedTime, date(2022)), TimeProperty(PropDisallowedTime, date(2021))}, with(func(c *chain.Constraints) { c.TrustedUntil = date(2021) })},
		{"disallowed since ever", []Property{{ID: PropDisallowedTime}}, purposes(none)},
		{"not before", []Property{TimeProperty(PropNotBeforeTime, date(2021))}, with(func(c *chain.Constraints) { c.IssuedBefore = date(2021) })},
		{"not before for e-mail", []Property{TimeProperty(PropNotBeforeTime, date(2021)), ekus(PropNotBeforeKeyUsage, "email", "server")},
			with(func(c *chain.Constraints) { c.IssuedBefore, c.IssuedBeforeFor = date(2021), both })},
		{"not before for servers", []Property{TimeProperty(PropNotBeforeTime, date(2021)), ekus(PropNotBeforeKeyUsage, "server")}, any},
		{"not before for any", []Property{TimeProperty(PropNotBeforeTime, date(2021)), ekus(PropNotBeforeKeyUsage, "any")}, with(func(c *chain.Constraints) { c.IssuedBefore = date(2021) })},
		{"never issued early enough", []Property{{ID: PropNotBeforeTime}}, purposes(none)},
		{"never for e-mail", []Property{{ID: PropNotBeforeTime}, ekus(PropNotBeforeKeyUsage, "email")}, purposes([]chain.Purpose{chain.TimeStamping})},
		{"never for servers", []Property{{ID: PropNotBeforeTime}, ekus(PropNotBeforeKeyUsage, "server")}, any},
		{"usage without time", []Property{ekus(PropNotBeforeKeyUsage, "email")}, any},
		{"archived", []Property{{ID: PropArchived}}, unusable},
		{"bad usage", []Property{{ID: PropEnhKeyUsage, Value: []byte{1}}}, unusable},
		{"empty usage", []Property{{ID: PropEnhKeyUsage}}, unusable},
		{"bad disallowed usage", []Property{{ID: PropDisallowedUsage, Value: []byte{0x30, 1}}}, unusable},
		{"bad not-before usage", []Property{{ID: PropNotBeforeKeyUsage, Value: []byte{0x30, 2, 6, 0}}}, unusable},
		{"bad disallowed time", []Property{{ID: PropDisallowedTime, Value: []byte{1}}}, unusable},
		{"bad not-before time", []Property{{ID: PropNotBeforeTime, Value: make([]byte, 7)}}, unusable},
		{"archived, with octets", []Property{{ID: PropArchived, Value: []byte{1}}}, unusable},
		{"a time out of range", []Property{{ID: PropDisallowedTime, Value: []byte{0, 0, 0, 0, 0, 0, 0, 0x80}}}, unusable},
		{"bad root policies", []Property{{ID: PropRootPolicies, Value: []byte{0x30, 2, 5, 0}}}, unusable},
		{"root policies", []Property{{ID: PropRootPolicies, Value: []byte{0x30, 0}}}, any},
		{"bad chain policies", []Property{{ID: PropChainPolicies, Value: []byte{0x30, 1}}}, unusable},
		{"chain policies", []Property{OIDProperty(PropChainPolicies, asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 60, 3, 2})}, any},
		{"a name that can't be read", []Property{{ID: PropFriendlyName, Value: []byte{1}}}, any},
		{"once good, once bad", []Property{ekus(PropEnhKeyUsage, "email"), {ID: PropEnhKeyUsage, Value: []byte{1}}}, unusable},
		{"mail addresses", []Property{nameConstraints(x509der.RFC822Name, "example.com", 0, "")},
			chain.Constraints{AnyPurpose: true, Mailboxes: []string{"example.com"}}},
		{"host names", []Property{nameConstraints(x509der.DNSName, "example.com", x509der.DNSName, "x.example.com")}, any},
		{"forbidden addresses", []Property{nameConstraints(0, "", x509der.RFC822Name, "example.com")}, unusable},
		{"directory names", []Property{nameConstraints(x509der.DirectoryName, "", 0, "")}, unusable},
		{"a tree with a maximum", []Property{permitted(ber.Append(nil, ber.Context(2), false, []byte("example.com")), ber.Append(nil, ber.Context(1), false, []byte{1}))}, unusable},
		{"a tree without a name", []Property{permitted()}, unusable},
		{"a tree with what is no name", []Property{permitted(ber.Append(nil, ber.Null, false))}, unusable},
		{"name constraints twice", []Property{nameConstraints(x509der.RFC822Name, "example.com", 0, ""), nameConstraints(x509der.RFC822Name, "example.org", 0, "")}, unusable},
		{"bad name constraints", []Property{{ID: PropRootNameConstraints, Value: []byte{0x30}}}, unusable},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := &limit{purposes: allPurposes}
			l.add(&Element{Properties: c.props})
			got := l.constraints()
			if got.AnyPurpose != c.want.AnyPurpose || !slices.Equal(got.Purposes, c.want.Purposes) || got.AnyMailbox != c.want.AnyMailbox ||
				!slices.Equal(got.Mailboxes, c.want.Mailboxes) || !got.TrustedUntil.Equal(c.want.TrustedUntil) || !got.IssuedBefore.Equal(c.want.IssuedBefore) ||
				!slices.Equal(got.IssuedBeforeFor, c.want.IssuedBeforeFor) || (got.IssuedBeforeFor == nil) != (c.want.IssuedBeforeFor == nil) {
				t.Errorf("%+v, want %+v", *got, c.want)
			}
		})
	}
}

// What the properties forbid is refused by a chain.Collection.
func TestSource(t *testing.T) {
	ca, key := fake(t, "ca")
	leafDER, err := x509.CreateCertificate(nil, &x509.Certificate{
		SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: "alice"}, NotBefore: date(2021), NotAfter: date(2030),
		EmailAddresses: []string{"alice@example.com"}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(leafDER)
	if err != nil {
		t.Fatal(err)
	}
	root := func(props ...Property) Element { return Element{Kind: Certificate, DER: ca.Raw, Properties: props} }
	for _, c := range []struct {
		name string
		in   []Element
		want error
	}{
		{"plain", []Element{root()}, nil},
		{"for e-mail", []Element{root(ekus(PropEnhKeyUsage, "email"))}, nil},
		{"for servers", []Element{root(ekus(PropEnhKeyUsage, "server"))}, chain.ErrAnchorConstraint},
		{"disallowed later", []Element{root(TimeProperty(PropDisallowedTime, date(2026)))}, nil},
		{"disallowed before", []Element{root(TimeProperty(PropDisallowedTime, date(2022)))}, chain.ErrAnchorConstraint},
		{"issued too late", []Element{root(TimeProperty(PropNotBeforeTime, date(2020)))}, chain.ErrAnchorConstraint},
		{"issued early enough", []Element{root(TimeProperty(PropNotBeforeTime, date(2022)))}, nil},
		{"archived", []Element{root(Property{ID: PropArchived})}, chain.ErrAnchorConstraint},
		{"unreadable", []Element{root(Property{ID: PropNotBeforeTime, Value: []byte{1}})}, chain.ErrAnchorConstraint},
		{"twice, once limited", []Element{root(), root(ekus(PropEnhKeyUsage, "server"))}, chain.ErrAnchorConstraint},
		{"limited, then not", []Element{root(ekus(PropEnhKeyUsage, "server")), root()}, chain.ErrAnchorConstraint},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &Store{Elements: append(c.in, Element{Kind: CRL, DER: fakeCRL(t, ca, key)}, Element{Kind: CTL, DER: []byte{0x30, 0}})}
			policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: date(2023), Revocation: chain.RevocationRequireLeaf}}
			_, err := chain.NewCollection(chain.Anchors(s.Source())).Verify(t.Context(), leaf, policy)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			banned := chain.NewCollection(chain.Anchors(chain.Certs(ca)), chain.Disallowed(s.Source()))
			if _, err := banned.Verify(t.Context(), leaf, policy); !errors.Is(err, chain.ErrDisallowed) {
				t.Errorf("banned, and %v", err)
			}
		})
	}
}

// Roots that Microsoft disabled are in its stores, and unusable.
func TestDisabledRoots(t *testing.T) {
	s, err := Read(bytes.NewReader(readFile(t, suites.Corpus(t, "sst", "real-sst", "owentechnicalgroup-AzureAIChatbotDemo-roots.sst"))), nil)
	if err != nil {
		t.Fatal(err)
	}
	disabled, limited, mail := 0, 0, 0
	for i := range s.Elements {
		l := &limit{purposes: allPurposes}
		l.add(&s.Elements[i])
		c := l.constraints()
		switch {
		case len(c.Purposes) == 0 && !c.AnyPurpose:
			disabled++
		case !c.TrustedUntil.IsZero() || !c.IssuedBefore.IsZero():
			limited++
		}
		if slices.Contains(c.Purposes, chain.EmailSigning) || c.AnyPurpose {
			mail++
		}
	}
	found := 0
	for _, err := range s.Source().Find(context.Background(), chain.Query{Kind: chain.KindCertificate}) {
		if err != nil {
			t.Error(err)
		}
		found++
	}
	t.Logf("%d disabled, %d limited in time, %d for e-mail, %d found", disabled, limited, mail, found)
	if disabled == 0 || limited == 0 || mail < 300 || mail > 450 || found < 513 {
		t.Errorf("%d disabled, %d limited in time, %d for e-mail, %d found", disabled, limited, mail, found)
	}
}
