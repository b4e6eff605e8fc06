package profile_test

import (
	"crypto/x509"
	"errors"
	"fmt"
	"testing"

	"github.com/gosmime/gosmime/chain/profile"
)

// What Gmail would find wanting in a certificate, before it is deployed.
func ExampleGmail() {
	root, leaf := issue(new(testing.B), func(c *x509.Certificate) { c.CRLDistributionPoints = nil })
	path := []*x509.Certificate{leaf, root}
	for _, f := range profile.Gmail(path) {
		fmt.Println(f.Rule, f.Cert.Subject)
	}
	// Output: Gmail end entity CN=alice@example.com
}

// The strict set for those who choose their issuers.
func ExampleCareful() {
	root, leaf := issueBy(new(testing.B), "Issuing CA", func(c *x509.Certificate) {
		c.ExtKeyUsage = append(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth)
	})
	path, err := verify(root, leaf, nil) // valid, and yet
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range profile.Lint(profile.Careful).Of(path) {
		fmt.Println(f.Rule == profile.RuleStrictUsage)
	}
	// Output: true
}

func ExampleBaseline() {
	root, leaf := issue(new(testing.B), nil)
	fmt.Println(len(profile.Baseline([]*x509.Certificate{leaf, root})))
	// Output: 0
}

// What the issuer says to have validated, of a path that passed.
func ExampleKindOf() {
	root, leaf := issue(new(testing.B), nil)
	path, err := verify(root, leaf, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	validation, generation, ok := profile.KindOf(path.Policies())
	fmt.Println(validation, generation, ok)
	fmt.Println("names a person:", validation == profile.Sponsored || validation == profile.Individual)
	// Output:
	// mailbox-validated multipurpose true
	// names a person: false
}

// The error of a path that was refused has all that was found.
func ExampleFindings() {
	root, leaf := issue(new(testing.B), func(c *x509.Certificate) {
		c.CRLDistributionPoints, c.DNSNames = nil, []string{"example.com"}
	})
	_, err := verify(root, leaf, profile.Require(profile.Baseline))
	if findings, ok := errors.AsType[profile.Findings](err); ok {
		for _, f := range findings {
			fmt.Println(f.Rule)
		}
	}
	// Output:
	// SBR 7.1.4.2.1 other names
	// SBR 7.1.2.3(b) cRLDistributionPoints
}
