package profile_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/profile"
)

// issue makes a root and a leaf under it.
func issue(t testing.TB, edit func(*x509.Certificate)) (root, leaf *x509.Certificate) {
	t.Helper()
	return issueBy(t, "Root", edit)
}

// issueBy makes a CA of that name, under one whose name is "Root", and a leaf.
func issueBy(t testing.TB, name string, edit func(*x509.Certificate)) (issuer, leaf *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	make := func(c, parent *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(rand.Reader, c, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		out, err := x509.ParseCertificate(der)
		if err != nil { // some tests make what crypto/x509 refuses
			return &x509.Certificate{Raw: der}
		}
		return out
	}
	now := time.Now()
	ca := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	below := *ca
	below.Subject.CommonName = name
	issuer = make(&below, make(ca, ca))
	policy, err := x509.ParseOID("2.23.140.1.5.1.2")
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "alice@example.com"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(time.Hour),
		EmailAddresses: []string{"alice@example.com"}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		Policies: []x509.OID{policy}, CRLDistributionPoints: []string{"http://pki.example/crl"},
		SubjectKeyId: []byte{1, 2, 3, 4}}
	if edit != nil {
		edit(c)
	}
	return issuer, make(c, issuer)
}

func verify(root, leaf *x509.Certificate, check func(*chain.Path) error) (*chain.Path, error) {
	return chain.NewCollection(chain.Anchors(chain.Certs(root))).Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: chain.Options{Check: check}})
}

// netscape adds an nsCertType.
func netscape(bits byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{2, 16, 840, 1, 113730, 1, 1}, Value: []byte{3, 2, 0, bits}})
	}
}

// TestRawAlone: of a certificate only Raw is believed.
func TestRawAlone(t *testing.T) {
	root, leaf := issue(t, netscape(0x20)) // S/MIME
	bare := []*x509.Certificate{{Raw: leaf.Raw}, {Raw: root.Raw}}
	lie := *leaf
	lie.EmailAddresses, lie.NotAfter, lie.CRLDistributionPoints = nil, lie.NotAfter.AddDate(9, 0, 0), nil
	for _, lint := range []profile.Lint{profile.Baseline, profile.Gmail} {
		for _, certs := range [][]*x509.Certificate{bare, {leaf, root}, {&lie, root}} {
			if found := lint(certs); len(found) > 0 {
				t.Error(found)
			}
		}
	}
}

func TestRequire(t *testing.T) {
	issuing, leaf := issueBy(t, "Issuing CA", nil)
	if _, err := verify(issuing, leaf, profile.Require(profile.Baseline, profile.Careful)); err != nil {
		t.Error(err)
	}
	bare := []*x509.Certificate{{Raw: leaf.Raw}, {Raw: issuing.Raw}}
	if found := profile.Careful(bare); len(found) > 0 {
		t.Error(found)
	}
	root, leaf := issue(t, nil)
	path, err := verify(root, leaf, profile.Require(profile.Baseline, profile.Gmail))
	if err != nil {
		t.Fatal(err)
	}
	if v, g, ok := profile.KindOf(path.Policies()); !ok || v != profile.Mailbox || g != profile.Multipurpose {
		t.Errorf("%v %v %v", v, g, ok)
	}
	for _, tt := range []struct {
		rule profile.Rule
		lint profile.Lint
		edit func(*x509.Certificate)
	}{
		{profile.RuleValidity, profile.Baseline, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(825 * 24 * time.Hour) }},
		{profile.RulePolicy, profile.Baseline, func(c *x509.Certificate) { c.Policies = nil }},
		{profile.RuleCRL, profile.Baseline, func(c *x509.Certificate) { c.CRLDistributionPoints = nil }},
		{profile.RuleAltNames, profile.Baseline, func(c *x509.Certificate) { c.DNSNames = []string{"example.com"} }},
		{profile.RuleSubjectMailbox, profile.Baseline, func(c *x509.Certificate) { c.EmailAddresses = []string{"bob@example.com"} }},
		{profile.RuleGmailLeaf, profile.Gmail, func(c *x509.Certificate) { c.CRLDistributionPoints = nil }},
		{profile.RuleGmailLeaf, profile.Gmail, netscape(0x40)}, // of servers
		{profile.RuleStrictUsage, profile.Careful, func(c *x509.Certificate) { c.ExtKeyUsage = nil }},
		{profile.RuleStrictMailbox, profile.Careful, func(c *x509.Certificate) { c.EmailAddresses = nil }},
		{profile.RuleStrictKeyID, profile.Careful, func(c *x509.Certificate) { c.SubjectKeyId = nil }},
	} {
		t.Run(fmt.Sprint(tt.rule), func(t *testing.T) {
			root, leaf := issue(t, tt.edit)
			if _, err := verify(root, leaf, nil); err != nil {
				t.Errorf("%s: the path itself is refused: %v", tt.rule, err)
			}
			_, err := verify(root, leaf, profile.Require(tt.lint))
			if !errors.Is(err, chain.ErrCheck) || !errors.Is(err, tt.rule) {
				t.Errorf("%s: %v", tt.rule, err)
			}
		})
	}
	// A root that issues directly can't be revoked.
	direct, leaf := issueBy(t, "Root", nil)
	if _, err := verify(direct, leaf, profile.Require(profile.Careful)); !errors.Is(err, profile.RuleStrictIssuer) {
		t.Errorf("%v", err)
	}
	// The last second within: 825 days are 825 × 86 400 s, notAfter included.
	root, leaf = issue(t, func(c *x509.Certificate) { c.NotAfter = c.NotBefore.Add(825*24*time.Hour - time.Second) })
	if _, err := verify(root, leaf, profile.Require(profile.Baseline)); err != nil {
		t.Error(err)
	}
	if profile.Baseline(nil) != nil || profile.Gmail(nil) != nil || profile.Careful(nil) != nil {
		t.Error("findings of nothing")
	}
}

// A profile advises, or is made a condition.
func ExampleRequire() {
	root, leaf := issue(new(testing.B), func(c *x509.Certificate) { c.CRLDistributionPoints = nil })
	path, err := verify(root, leaf, nil)
	fmt.Println(err)
	for _, f := range profile.Lint(profile.Baseline).Of(path) {
		fmt.Println(f)
	}
	_, err = verify(root, leaf, profile.Require(profile.Baseline))
	fmt.Println(errors.Is(err, profile.RuleCRL))
	// Output:
	// <nil>
	// SBR 7.1.2.3(b) cRLDistributionPoints: none
	// true
}

// TestUnread: what can't be read keeps no rule.
func TestUnread(t *testing.T) {
	found := profile.Findings(profile.Careful([]*x509.Certificate{{Raw: []byte{0x30, 0}}}))
	for _, rule := range []profile.Rule{profile.RuleStrictMailbox, profile.RuleStrictKey, profile.RuleStrictUsage} {
		if !errors.Is(found, rule) {
			t.Errorf("no finding for %v", rule)
		}
	}
}
