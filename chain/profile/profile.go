// Package profile holds certificates to the rules of those who issue and
// accept them: the S/MIME Baseline Requirements of the CA/Browser Forum, those
// of Gmail, and a strict set of our own.
//
// The rules bind who issues, not who relies: a path that passed
// [chain.Collection.Verify] is good without them, and private hierarchies keep
// few of them. So a [Lint] advises; [Require] makes it a condition.
package profile

import (
	"crypto/x509"
	"fmt"
	"strconv"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/quoted"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A Finding is a rule that a certificate doesn't keep.
type Finding struct {
	Rule Rule
	Cert *x509.Certificate
	Text string // what was found, quoted and cut
}

// Error makes a Finding an error, so that [chain.ErrCheck] can wrap it.
func (f Finding) Error() string { return string(f.Rule) + ": " + f.Text }

// A Rule names the document, the section and the subject of a rule. It is an
// error and a constant: errors.Is finds it in what [Require] returns.
type Rule string

// Error returns the rule.
func (r Rule) Error() string { return string(r) }

// Unwrap returns the rule.
func (f Finding) Unwrap() error { return f.Rule }

// A Lint lists the rules that a path doesn't keep. certs is the path, leaf
// first and anchor last, or the leaf alone; none of them is changed.
type Lint func(certs []*x509.Certificate) []Finding

// Of returns what lint finds in the path.
func (l Lint) Of(p *chain.Path) []Finding { return l(p.Certificates()) }

// Require returns a function for [chain.Options.Check] that refuses a path
// that doesn't keep all the rules. Its error is a [Findings].
func Require(lints ...Lint) func(*chain.Path) error {
	return func(p *chain.Path) error {
		var all Findings
		for _, l := range lints {
			all = append(all, l.Of(p)...)
		}
		if len(all) == 0 {
			return nil
		}
		return all
	}
}

// Findings are one or more rules that a path doesn't keep.
type Findings []Finding

// Error returns the first finding and how many more there are.
func (f Findings) Error() string {
	if len(f) == 0 {
		return "profile: no findings"
	}
	if len(f) == 1 {
		return "profile: " + f[0].Error()
	}
	return fmt.Sprintf("profile: %v, and %d more", f[0], len(f)-1)
}

// Unwrap returns the findings.
func (f Findings) Unwrap() []error {
	list := make([]error, len(f))
	for i := range f {
		list[i] = f[i]
	}
	return list
}

// Validation is what an issuer made sure of, by the S/MIME Baseline
// Requirements.
type Validation uint8

const (
	_            Validation = iota // not known
	Mailbox                        // control of the mailbox
	Organization                   // the mailbox and a legal entity
	Sponsored                      // the mailbox, a legal entity and a person that it vouches for
	Individual                     // the mailbox and a natural person
)

// Generation is how strict the rules were that a certificate was issued by.
type Generation uint8

const (
	_ Generation = iota // not known
	Legacy
	Multipurpose
	Strict
)

func (v Validation) String() string {
	switch v {
	case Mailbox:
		return "mailbox-validated"
	case Organization:
		return "organization-validated"
	case Sponsored:
		return "sponsor-validated"
	case Individual:
		return "individual-validated"
	}
	return "unknown validation"
}

func (g Generation) String() string {
	switch g {
	case Legacy:
		return "legacy"
	case Multipurpose:
		return "multipurpose"
	case Strict:
		return "strict"
	}
	return "unknown generation"
}

// KindOf tells from the policies of a path ([chain.Path.Policies]) or of a
// certificate what the Baseline Requirements call its type and generation. It
// is false unless exactly one of their twelve policies is there.
func KindOf(policies []x509.OID) (Validation, Generation, bool) {
	var v Validation
	var g Generation
	n := 0
	for _, p := range policies {
		// 2.23.140.1.5.type.generation
		rest, ok := strings.CutPrefix(p.String(), "2.23.140.1.5.")
		if !ok {
			continue
		}
		t, gen, _ := strings.Cut(rest, ".")
		a, errA := strconv.Atoi(t)
		b, errB := strconv.Atoi(gen)
		if errA == nil && errB == nil && a >= 1 && a <= 4 && b >= 1 && b <= 3 {
			v, g = Validation(a), Generation(b)
			n++
		}
	}
	return v, g, n == 1
}

// read returns the certificate as its Raw says, which alone is believed, and
// false if that can't be read.
func read(c *x509.Certificate) (*subject, bool) {
	der, err := x509der.Parse(c.Raw)
	if err != nil {
		return nil, false
	}
	std, err := chain.NewEntry(chain.KindCertificate, c.Raw, "", nil).Certificate()
	if err != nil {
		return nil, false
	}
	return &subject{Certificate: std, der: der, given: c}, true
}

// quote makes text from a certificate fit to be printed.
func quote(s string) string { return quoted.Text(s) }
