package chain_test

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"strings"
	"testing"
	"time"

	"crypto/x509/pkix"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
)

// TestAnchorConstraints narrows one thing at a time.
func TestAnchorConstraints(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	wide := chain.Constraints{AnyPurpose: true, AnyMailbox: true}
	tests := []struct {
		name string
		edit func(*chain.Constraints)
		want chain.Reason
	}{
		{"none", func(*chain.Constraints) {}, 0},
		{"zero", func(c *chain.Constraints) { *c = chain.Constraints{} }, chain.ErrAnchorConstraint},
		{"no purpose", func(c *chain.Constraints) { c.AnyPurpose = false }, chain.ErrAnchorConstraint},
		{"this purpose", func(c *chain.Constraints) {
			c.AnyPurpose, c.Purposes = false, []chain.Purpose{chain.TimeStamping, chain.EmailSigning}
		}, 0},
		{"other purpose", func(c *chain.Constraints) { c.AnyPurpose, c.Purposes = false, []chain.Purpose{chain.EmailEncryption} }, chain.ErrAnchorConstraint},
		{"no mailbox", func(c *chain.Constraints) { c.AnyMailbox = false }, chain.ErrAnchorConstraint},
		{"mailbox", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{"ALICE@Example.COM"} }, 0},
		{"other mailbox", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{"bob@example.com"} }, chain.ErrAnchorConstraint},
		{"host", func(c *chain.Constraints) {
			c.AnyMailbox, c.Mailboxes = false, []string{"other.example", "EXAMPLE.com"}
		}, 0},
		{"below", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{".example.com"} }, chain.ErrAnchorConstraint},
		{"below com", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{".com"} }, 0},
		{"suffix is no domain", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{"ample.com"} }, chain.ErrAnchorConstraint},
		{"empty constraint", func(c *chain.Constraints) { c.AnyMailbox, c.Mailboxes = false, []string{"", "a b", "@"} }, chain.ErrAnchorConstraint},
		{"trusted until later", func(c *chain.Constraints) { c.TrustedUntil = judged }, 0},
		{"trusted until earlier", func(c *chain.Constraints) { c.TrustedUntil = judged.Add(-time.Second) }, chain.ErrAnchorConstraint},
		{"issued before", func(c *chain.Constraints) { c.IssuedBefore = leaf.NotBefore.Add(time.Second) }, 0},
		{"issued at", func(c *chain.Constraints) { c.IssuedBefore = leaf.NotBefore }, chain.ErrAnchorConstraint},
		{"issued at, other purpose", func(c *chain.Constraints) {
			c.IssuedBefore, c.IssuedBeforeFor = leaf.NotBefore, []chain.Purpose{chain.EmailEncryption}
		}, 0},
		{"issued at, this purpose", func(c *chain.Constraints) {
			c.IssuedBefore, c.IssuedBeforeFor = leaf.NotBefore, []chain.Purpose{chain.EmailSigning}
		}, chain.ErrAnchorConstraint},
		{"issued at, no purpose", func(c *chain.Constraints) { c.IssuedBefore, c.IssuedBeforeFor = leaf.NotBefore, []chain.Purpose{} }, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := wide
			tt.edit(&c)
			entry := chain.NewEntry(chain.KindCertificate, root.Raw, "from a store", &c)
			for name, src := range map[string]chain.Source{
				"Constrain": chain.Constrain(certs(root), c), "foreign": chain.Constrain(foreign{certs(root)}, c),
				"Entries": chain.Entries(entry), "twice": chain.Constrain(chain.Constrain(certs(root), wide), c),
			} {
				for _, role := range []func(chain.Source) chain.Member{chain.Anchors, chain.RootsAndIntermediates} {
					_, err := chain.NewCollection(role(src)).Verify(t.Context(), leaf.Certificate, signing())
					t.Log(name)
					wantReason(t, err, tt.want)
				}
			}
			// The same anchor without constraints elsewhere lifts them.
			_, err := chain.NewCollection(chain.Anchors(chain.Constrain(certs(root), c)), chain.Anchors(certs(root))).
				Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, 0)
		})
	}
	// A caller that will compare names itself gets none that the anchor may not vouch for.
	c := chain.Constraints{AnyPurpose: true, Mailboxes: []string{"example.com"}}
	trust := chain.NewCollection(chain.Anchors(chain.Constrain(certs(root), c)))
	p := signing()
	p.Mailbox, p.InsecureAnyMailbox = "", true
	two := root.newLeaf(t, alice, func(c *x509.Certificate) { c.EmailAddresses = []string{alice, "boss@victim.example"} })
	for _, tt := range []struct {
		leaf *party
		want chain.Reason
	}{{leaf, 0}, {two, chain.ErrAnchorConstraint}, {root.newLeaf(t, ""), chain.ErrAnchorConstraint}} {
		t.Run(tt.leaf.Subject.String(), func(t *testing.T) {
			_, err := trust.Verify(t.Context(), tt.leaf.Certificate, p)
			wantReason(t, err, tt.want)
		})
	}
	_, err := trust.Verify(t.Context(), two.Certificate, signing())
	wantReason(t, err, 0)
}

// mailSAN returns a subjectAltName with one address, as SmtpUTF8Mailbox if
// utf8.
func mailSAN(t testing.TB, address string, utf8 bool) template {
	t.Helper()
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		if !utf8 {
			b.AddASN1(der.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(address)) })
			return
		}
		b.AddASN1(der.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 8, 9})
			b.AddASN1(der.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(address)) })
			})
		})
	})
	return extension([]int{2, 5, 29, 17}, false, b.BytesOrPanic())
}

func mailSubject(address string) template {
	return func(c *x509.Certificate) {
		c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{
			Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}, Value: address})
	}
}

// TestMailConstraints holds addresses in each of their places to constraints
// of each form. x509.Verify judges what it can: rfc822Names alone.
func TestMailConstraints(t *testing.T) {
	root := newRoot(t, "Root")
	forms := []string{alice, "Alice@example.com", "example.com", ".example.com", "sub.example.com", ".com", "EXAMPLE.COM", "xn--bcher-kva.example"}
	type place struct {
		name    string
		address string
		edit    template
	}
	var places []place
	for _, a := range []string{alice, "alice@EXAMPLE.com", "Alice@example.com", "alice@sub.example.com", "alice@a.sub.example.com", "alice@notexample.com"} {
		places = append(places, place{"san", a, mailSAN(t, a, false)}, place{"subject", a, mailSubject(a)})
	}
	for _, a := range []string{"ålice@example.com", "ålice@sub.example.com", "ålice@xn--bcher-kva.example"} {
		places = append(places, place{"utf8", a, mailSAN(t, a, true)})
	}
	compared, run := 0, 0
	for _, form := range forms {
		for _, deny := range []bool{false, true} {
			edit := permitted(form)
			if deny {
				edit = excluded(form)
			}
			ca := root.newCA(t, "CA", edit)
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)))
			for _, pl := range places {
				leaf := ca.newLeaf(t, "", pl.edit)
				p := signing()
				p.Mailbox, p.InsecureAnyMailbox = "", true
				_, err := trust.Verify(t.Context(), leaf.Certificate, p)
				within := mailWithin(form, pl.address, pl.name == "utf8", deny)
				want := chain.Reason(0)
				if within == deny {
					want = chain.ErrNameConstraint
				}
				wantReason(t, err, want)
				run++
				if pl.name != "san" {
					continue
				}
				pool, mid := x509.NewCertPool(), x509.NewCertPool()
				pool.AddCert(root.Certificate)
				mid.AddCert(ca.Certificate)
				_, oracle := leaf.Certificate.Verify(x509.VerifyOptions{Roots: pool, Intermediates: mid, CurrentTime: judged, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}})
				compared++
				// crypto/x509 compares local parts exactly where we exclude
				// whatever their case, and takes a host for all below it.
				if strings.Contains(form, "@") && deny && strings.EqualFold(form, pl.address) ||
					strings.HasSuffix(pl.address, "."+strings.ToLower(form)) {
					continue
				}
				if (oracle == nil) != (err == nil) {
					t.Errorf("%s (excluded: %v) with %s: %v; crypto/x509: %v", form, deny, pl.address, err, oracle)
				}
			}
		}
	}
	if run != 16*15 || compared != 16*6 {
		t.Errorf("%d cases, %d compared", run, compared)
	}
}

// mailWithin says by the words of RFC 5280 section 4.2.1.10 and RFC 9598
// section 6 whether an address lies within a constraint.
func mailWithin(form, address string, utf8, deny bool) bool {
	at := strings.LastIndexByte(address, '@')
	local, host := address[:at], strings.ToLower(address[at+1:])
	if i := strings.LastIndexByte(form, '@'); i >= 0 {
		sameLocal := form[:i] == local || deny && strings.EqualFold(form[:i], local)
		return !utf8 && sameLocal && strings.EqualFold(form[i+1:], host)
	}
	form = strings.ToLower(form)
	if form[0] == '.' {
		return strings.HasSuffix(host, form)
	}
	return host == form
}

// TestOtherNameConstraint: a form that is not understood, but constrained and
// present, refuses.
func TestOtherNameConstraint(t *testing.T) {
	upn := []byte{0x06, 0x03, 0x2a, 0x03, 0x04, 0xa0, 0x03, 0x0c, 0x01, 'x'}
	base := append([]byte{0xa0, byte(len(upn))}, upn...)
	wrap := func(tag byte, in []byte) []byte { return append([]byte{tag, byte(len(in))}, in...) }
	root := newRoot(t, "Root")
	for _, tag := range []byte{0xa0, 0xa1} {
		nc := wrap(0x30, wrap(tag, wrap(0x30, base)))
		ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, true, nc))
		trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)))
		_, err := trust.Verify(t.Context(), ca.newLeaf(t, alice).Certificate, signing())
		wantReason(t, err, 0)
		san := wrap(0x30, slices.Concat(base, wrap(0x81, []byte(alice))))
		_, err = trust.Verify(t.Context(), ca.newLeaf(t, "", extension([]int{2, 5, 29, 17}, false, san)).Certificate, signing())
		wantReason(t, err, chain.ErrNameConstraint)
	}
}

// TestMalformedConstraints refuses what can't be understood.
func TestMalformedConstraints(t *testing.T) {
	root := newRoot(t, "Root")
	for name, value := range map[string][]byte{
		"empty":            {0x30, 0},
		"empty subtrees":   {0x30, 2, 0xa0, 0},
		"minimum":          {0x30, 0x0c, 0xa0, 0x0a, 0x30, 0x08, 0x81, 0x03, 'a', '.', 'b', 0x80, 0x01, 0x01},
		"maximum":          {0x30, 0x0c, 0xa0, 0x0a, 0x30, 0x08, 0x81, 0x03, 'a', '.', 'b', 0x81, 0x01, 0x01},
		"empty mail":       {0x30, 0x06, 0xa0, 0x04, 0x30, 0x02, 0x81, 0x00},
		"two at":           {0x30, 0x0b, 0xa0, 0x09, 0x30, 0x07, 0x81, 0x05, 'a', '@', 'b', '@', 'c'},
		"mask with a hole": {0x30, 0x0e, 0xa0, 0x0c, 0x30, 0x0a, 0x87, 0x08, 1, 2, 3, 4, 255, 0, 255, 0},
		"trailing":         {0x30, 0x0b, 0xa0, 0x07, 0x30, 0x05, 0x81, 0x03, 'a', '.', 'b', 5, 0},
	} {
		t.Run(name, func(t *testing.T) {
			ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, true, value))
			_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).
				Verify(t.Context(), ca.newLeaf(t, alice).Certificate, signing())
			t.Log(name)
			wantReason(t, err, chain.ErrMalformed)
		})
	}
}
