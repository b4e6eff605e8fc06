package chain_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"iter"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// TestReasons makes one fault at a time and wants it told, with the
// certificate at fault.
func TestReasons(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	stranger := newRoot(t, "Stranger")
	namesake := newRoot(t, "CA")
	past, future := judged.AddDate(0, -1, 0), judged.AddDate(0, 1, 0)
	tests := []struct {
		name   string
		leaf   *party
		bag    []*party
		edit   func(*chain.Policy)
		want   chain.Reason
		atFoot bool // the leaf is at fault
	}{
		{"good", ca.newLeaf(t, alice), []*party{ca}, nil, 0, false},
		{"no intermediate", ca.newLeaf(t, alice), nil, nil, chain.ErrUnknownIssuer, true},
		{"stranger", stranger.newLeaf(t, alice), []*party{stranger}, nil, chain.ErrUnknownIssuer, false},
		{"namesake", namesake.newLeaf(t, alice), []*party{ca}, nil, chain.ErrUnknownIssuer, true},
		{"self-signed", newRoot(t, "Leaf"), nil, nil, chain.ErrUnknownIssuer, true},
		{"signature", tampered(t, ca.newLeaf(t, alice)), []*party{ca}, nil, chain.ErrBadSignature, true},
		{"leaf expired", ca.newLeaf(t, alice, until(past)), []*party{ca}, nil, chain.ErrExpired, true},
		{"leaf not yet valid", ca.newLeaf(t, alice, since(future)), []*party{ca}, nil, chain.ErrNotYetValid, true},
		{"leaf has no CA above", func() *party { l := ca.newLeaf(t, alice); return l.newLeaf(t, alice) }(), []*party{ca}, nil, chain.ErrUnknownIssuer, true},
		{"mailbox", ca.newLeaf(t, "mallory@example.com"), []*party{ca}, nil, chain.ErrWrongMailbox, true},
		{"no mailbox", ca.newLeaf(t, ""), []*party{ca}, nil, chain.ErrWrongMailbox, true},
		{"any mailbox", ca.newLeaf(t, ""), []*party{ca}, func(p *chain.Policy) { p.Mailbox, p.InsecureAnyMailbox = "", true }, 0, false},
		{"key usage", ca.newLeaf(t, alice, usages(x509.KeyUsageKeyEncipherment)), []*party{ca}, nil, chain.ErrWrongPurpose, true},
		{"critical", ca.newLeaf(t, alice, extension([]int{1, 2, 3, 4}, true, []byte{5, 0})), []*party{ca}, nil, chain.ErrUnhandledCritical, true},
		{"not critical", ca.newLeaf(t, alice, extension([]int{1, 2, 3, 4}, false, []byte{5, 0})), []*party{ca}, nil, 0, false},
		{"check", ca.newLeaf(t, alice), []*party{ca}, func(p *chain.Policy) { p.Check = func(*chain.Path) error { return errors.New("no") } }, chain.ErrCheck, true},
		{"policy asked for", ca.newLeaf(t, alice), []*party{ca}, func(p *chain.Policy) { p.RequireExplicitPolicy = true }, chain.ErrCertificatePolicy, false},
		{"revocation", ca.newLeaf(t, alice), []*party{ca}, func(p *chain.Policy) { p.Revocation = chain.RevocationRequireLeaf }, chain.ErrRevocationUnknown, true},
		{"depth", ca.newLeaf(t, alice), []*party{ca}, func(p *chain.Policy) { p.Limits.Depth = 2 }, chain.ErrLimit, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := signing()
			if tt.edit != nil {
				tt.edit(&p)
			}
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(tt.bag...)))
			path, err := trust.Verify(t.Context(), tt.leaf.Certificate, p)
			wantReason(t, err, tt.want)
			if (path == nil) != (err != nil) {
				t.Error("a path and an error, or neither")
			}
			if err == nil {
				return
			}
			checkError(t, err)
			e, _ := errors.AsType[*chain.Error](err)
			if tt.atFoot && !slices.Equal(e.Cert.Raw, tt.leaf.Raw) {
				t.Errorf("certificate at fault is %v", e.Cert.Subject)
			}
			for _, a := range e.Tried {
				if a.Reason == 0 || a.Cert == nil || len(a.Tried) != 0 {
					t.Errorf("attempt %+v", a)
				}
			}
		})
	}
}

// TestIssuerReasons makes one fault in the intermediate.
func TestIssuerReasons(t *testing.T) {
	root := newRoot(t, "Root")
	tests := []struct {
		name string
		ca   *party
		want chain.Reason
	}{
		{"expired", root.newCA(t, "CA", until(judged.AddDate(0, -1, 0))), chain.ErrExpired},
		{"not a CA", makeCert(t, root, newKey(t), "CA"), chain.ErrNotCA},
		{"key usage", root.newCA(t, "CA", usages(x509.KeyUsageCRLSign)), chain.ErrNotCA},
		{"purpose", root.newCA(t, "CA", usages(x509.KeyUsageCertSign, x509.ExtKeyUsageServerAuth)), chain.ErrWrongPurpose},
		{"purpose e-mail", root.newCA(t, "CA", usages(x509.KeyUsageCertSign, x509.ExtKeyUsageEmailProtection)), 0},
		{"purpose any", root.newCA(t, "CA", usages(x509.KeyUsageCertSign, x509.ExtKeyUsageAny)), 0},
		{"names", root.newCA(t, "CA", permitted("other.example")), chain.ErrNameConstraint},
		{"names permitted", root.newCA(t, "CA", permitted("example.com")), 0},
		{"critical", root.newCA(t, "CA", extension([]int{1, 2, 3}, true, []byte{5, 0})), chain.ErrUnhandledCritical},
		{"signature", tampered(t, root.newCA(t, "CA")), chain.ErrBadSignature},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			leaf := tt.ca.newLeaf(t, alice)
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(tt.ca)))
			_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, tt.want)
			if oracle := oracleVerify(root, leaf, tt.ca); (oracle == nil) != (err == nil) {
				t.Errorf("%v; crypto/x509: %v", err, oracle)
			}
		})
	}
	t.Run("path length", func(t *testing.T) {
		upper := root.newCA(t, "Upper", pathLen(0))
		ca := upper.newCA(t, "CA")
		trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(upper, ca)))
		leaf := ca.newLeaf(t, alice)
		_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
		wantReason(t, err, chain.ErrPathTooLong)
		if oracleVerify(root, leaf, upper, ca) == nil {
			t.Error("crypto/x509 takes it")
		}
	})
}

// oracleVerify asks crypto/x509.
func oracleVerify(root, leaf *party, bag ...*party) error {
	pool, mid := x509.NewCertPool(), x509.NewCertPool()
	pool.AddCert(root.Certificate)
	for _, p := range bag {
		mid.AddCert(p.Certificate)
	}
	_, err := leaf.Certificate.Verify(x509.VerifyOptions{Roots: pool, Intermediates: mid, CurrentTime: judged,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}})
	return err
}

// tampered returns p with another signature.
func tampered(t testing.TB, p *party) *party {
	t.Helper()
	raw := slices.Clone(p.Raw)
	raw[len(raw)-1] ^= 1
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &party{c, p.key}
}

// TestFurthestAttempt has a decoy that fails early beside a path that fails
// late, in both orders.
func TestFurthestAttempt(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA", until(judged.AddDate(0, -1, 0)))
	decoy := newRoot(t, "Root").newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	for _, bag := range [][]*party{{ca, decoy}, {decoy, ca}} {
		trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(bag...)))
		_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
		wantReason(t, err, chain.ErrExpired)
		e, _ := errors.AsType[*chain.Error](err)
		if len(e.Tried) < 2 || e.Tried[0].Reason != chain.ErrExpired {
			t.Errorf("tried %v", e.Tried)
		}
		if errors.Is(err, chain.ErrUnknownIssuer) || errors.Is(err, chain.ErrBadSignature) {
			t.Error("the reason of another attempt is in the error tree")
		}
	}
}

func TestUnusable(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	trust := chain.NewCollection(chain.Anchors(certs(root)))
	verify := func(c *chain.Collection, cert *x509.Certificate, edit func(*chain.Policy)) error {
		p := signing()
		edit(&p)
		_, err := c.Verify(t.Context(), cert, p)
		return err
	}
	keep := func(*chain.Policy) {}
	wantReason(t, verify(trust, leaf.Certificate, keep), 0)
	wantReason(t, verify(trust, leaf.Certificate, func(p *chain.Policy) { *p = chain.Policy{} }), chain.ErrPolicy)
	wantReason(t, verify(trust, leaf.Certificate, func(p *chain.Policy) { p.Purpose = 99 }), chain.ErrPolicy)
	wantReason(t, verify(trust, leaf.Certificate, func(p *chain.Policy) { p.Mailbox = "" }), chain.ErrPolicy)
	wantReason(t, verify(trust, leaf.Certificate, func(p *chain.Policy) { p.Revocation = 99 }), chain.ErrPolicy)
	wantReason(t, verify(trust, leaf.Certificate, func(p *chain.Policy) { p.Limits.Depth = -1 }), chain.ErrPolicy)
	wantReason(t, verify(trust, nil, keep), chain.ErrMalformed)
	noRaw := *leaf.Certificate
	noRaw.Raw = nil
	wantReason(t, verify(trust, &noRaw, keep), chain.ErrMalformed)
	wantReason(t, verify(trust, &x509.Certificate{Raw: []byte{0x30, 0}}, keep), chain.ErrMalformed)
	wantReason(t, verify(nil, leaf.Certificate, keep), chain.ErrUnknownIssuer)
	wantReason(t, verify(new(chain.Collection), leaf.Certificate, keep), chain.ErrUnknownIssuer)
	wantReason(t, verify(new(chain.Collection).With(chain.Anchors(certs(root))), leaf.Certificate, keep), 0)
	wantReason(t, verify((*chain.Collection)(nil).With(), leaf.Certificate, keep), chain.ErrUnknownIssuer)
	wantReason(t, verify(chain.NewCollection(chain.Member{}), leaf.Certificate, keep), chain.ErrPolicy)
	wantReason(t, verify(chain.NewCollection(chain.Anchors(chain.Certs(&noRaw))), leaf.Certificate, keep), chain.ErrMalformed)
	for e, err := range (*chain.Collection)(nil).Find(t.Context(), chain.Query{Kind: chain.KindCertificate}) {
		t.Errorf("the nil Collection has %v, %v", e, err)
	}
	done, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := trust.Verify(done, leaf.Certificate, signing())
	if wantReason(t, err, chain.ErrLimit); !errors.Is(err, context.Canceled) {
		t.Errorf("%v hides the cause", err)
	}
}

// TestOnlyRawIsBelieved changes every other field.
func TestOnlyRawIsBelieved(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, "mallory@example.com", until(judged.AddDate(0, -1, 0)))
	forged := *leaf.Certificate
	good := root.newLeaf(t, alice)
	raw := forged.Raw
	forged = *good.Certificate
	forged.Raw = raw
	_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), &forged, signing())
	wantReason(t, err, chain.ErrExpired)
	wantReason(t, chain.MatchMailbox(&forged, alice), chain.ErrWrongMailbox)
}

// TestPinnedLeaf trusts an end entity for itself and nothing below it.
func TestPinnedLeaf(t *testing.T) {
	other := newRoot(t, "Unknown")
	leaf := other.newLeaf(t, alice)
	self := makeCert(t, nil, newKey(t), "Self", func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
	trust := chain.NewCollection(chain.Anchors(certs(leaf, self)))
	for _, p := range []*party{leaf, self} {
		path, err := trust.Verify(t.Context(), p.Certificate, signing())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(path.Certificates()); n != 1 || path.Leaf() != path.Anchor() {
			t.Errorf("path of %d", n)
		}
		if s := path.Revocation(0); s.Status != chain.StatusUnknown {
			t.Errorf("revocation %+v", s)
		}
		below := p.newLeaf(t, alice)
		_, err = trust.Verify(t.Context(), below.Certificate, signing())
		wantReason(t, err, chain.ErrNotCA)
	}
	expired := signing()
	expired.At = judged.AddDate(5, 0, 0)
	_, err := trust.Verify(t.Context(), leaf.Certificate, expired)
	wantReason(t, err, chain.ErrExpired)
}

// TestRoles puts the same certificates in different roles.
func TestRoles(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	all := certs(root, ca, leaf)
	tests := []struct {
		name    string
		members []chain.Member
		want    chain.Reason
	}{
		{"untrusted", []chain.Member{chain.Untrusted(all)}, chain.ErrUnknownIssuer},
		{"bag", []chain.Member{chain.RootsAndIntermediates(all)}, 0},
		{"bag without root", []chain.Member{chain.RootsAndIntermediates(certs(ca, leaf))}, chain.ErrUnknownIssuer},
		{"anchors", []chain.Member{chain.Anchors(all)}, 0},
		{"intermediate as anchor", []chain.Member{chain.Anchors(certs(ca))}, 0},
		{"banned root", []chain.Member{chain.Anchors(certs(root, ca)), chain.Disallowed(certs(root))}, chain.ErrDisallowed},
		{"banned CA", []chain.Member{chain.Anchors(all), chain.Disallowed(certs(ca))}, chain.ErrDisallowed},
		{"banned CA, pinned leaf", []chain.Member{chain.Anchors(certs(leaf)), chain.Disallowed(certs(ca))}, chain.ErrDisallowed},
		{"banned leaf", []chain.Member{chain.Disallowed(certs(leaf)), chain.RootsAndIntermediates(all)}, chain.ErrDisallowed},
		{"banned root of bag", []chain.Member{chain.RootsAndIntermediates(all), chain.Disallowed(certs(root))}, chain.ErrDisallowed},
	}
	for _, tt := range tests {
		_, err := chain.NewCollection(tt.members...).Verify(t.Context(), leaf.Certificate, signing())
		t.Run(tt.name, func(t *testing.T) { wantReason(t, err, tt.want) })
	}
}

// TestBagNeedsSelfSignature: a self-issued certificate of another key is no root.
func TestBagNeedsSelfSignature(t *testing.T) {
	old := newRoot(t, "Root")
	renewed := makeCert(t, &party{old.Certificate, old.key}, newKey(t), "Root", asCA)
	leaf := renewed.newLeaf(t, alice)
	_, err := chain.NewCollection(chain.RootsAndIntermediates(certs(renewed))).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrUnknownIssuer)
	_, err = chain.NewCollection(chain.RootsAndIntermediates(certs(renewed, old))).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, 0)
	// Neither is a self-signed end entity.
	self := makeCert(t, nil, newKey(t), "Self", func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
	_, err = chain.NewCollection(chain.RootsAndIntermediates(certs(self))).Verify(t.Context(), self.Certificate, signing())
	wantReason(t, err, chain.ErrUnknownIssuer)
}

// TestBans lists what a ban covers.
// TestUnusableBans refuses everything where a ban can't be used: it may be the
// one that matters.
func TestUnusableBans(t *testing.T) {
	root := newRoot(t, "Root")
	leaf, other := root.newLeaf(t, alice), root.newLeaf(t, alice)
	crl := list{by: root, number: 1, this: -day, next: day}.der(t)
	for _, c := range []struct {
		name string
		bans [][]byte
		want chain.Reason
	}{
		{"none", nil, 0},
		{"of another", [][]byte{other.Raw}, 0},
		{"cut", [][]byte{other.Raw, leaf.Raw[:len(leaf.Raw)-1]}, chain.ErrMalformed},
		{"PEM", [][]byte{pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Raw})}, chain.ErrMalformed},
		{"a CRL", [][]byte{crl}, chain.ErrMalformed},
		{"the leaf, and one that is cut", [][]byte{leaf.Raw, other.Raw[:20]}, chain.ErrDisallowed},
	} {
		t.Run(c.name, func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Disallowed(chain.DER(c.bans...)))
			_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, c.want)
		})
	}
}

func TestBans(t *testing.T) {
	root := newRoot(t, "Root")
	other := newRoot(t, "Other")
	ca := root.newCA(t, "CA")
	cross := makeCert(t, other, ca.key, "CA under another name", asCA)
	leaf := ca.newLeaf(t, alice)
	reissued := makeCert(t, cross, leaf.key, "Leaf", func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
	sameSerial := makeCert(t, ca, newKey(t), "Someone", func(c *x509.Certificate) { c.SerialNumber = leaf.SerialNumber })
	base := chain.NewCollection(chain.Anchors(certs(root, other)), chain.Untrusted(certs(ca, cross)))
	tests := []struct {
		name string
		leaf *party
		ban  *party
		want chain.Reason
	}{
		{"leaf itself", leaf, leaf, chain.ErrDisallowed},
		{"leaf with other signature", leaf, tampered(t, leaf), chain.ErrDisallowed},
		{"issuer and serial", leaf, sameSerial, chain.ErrDisallowed},
		{"CA", leaf, ca, chain.ErrDisallowed},
		{"key of the CA", leaf, cross, chain.ErrDisallowed},
		{"key of the CA, cross-signed", reissued, ca, chain.ErrDisallowed},
		{"key of an end entity", reissued, leaf, 0},
		{"anchor", leaf, root, chain.ErrDisallowed},
		{"other anchor", leaf, other, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for name, src := range map[string]chain.Source{"memory": certs(tt.ban), "caller": foreign{certs(tt.ban)}} {
				_, err := base.With(chain.Disallowed(src)).Verify(t.Context(), tt.leaf.Certificate, signing())
				t.Log(name)
				wantReason(t, err, tt.want)
			}
		})
	}
	_, err := base.With(chain.Disallowed(failing{})).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrSource)
}

// A foreign is a Source as a caller has it.
type foreign struct{ chain.Source }

// A failing Source always fails.
type failing struct{}

var errBroken = errors.New("broken")

func (failing) Find(context.Context, chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) { yield(nil, errBroken) }
}

func TestFailingSource(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(failing{})).Verify(t.Context(), leaf.Certificate, signing())
	if err != nil && !errors.Is(err, chain.ErrSource) {
		t.Error(err)
	}
	_, err = chain.NewCollection(chain.Anchors(failing{})).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrSource)
	if !errors.Is(err, errBroken) {
		t.Errorf("%v hides the cause", err)
	}
}

// TestConcurrent verifies from many goroutines over fresh indexes.
func TestConcurrent(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	var crowd []*party
	for range 20 {
		crowd = append(crowd, ca.newLeaf(t, alice))
	}
	trust := chain.NewCollection(chain.RootsAndIntermediates(certs(append(crowd, root, ca)...)))
	var wg sync.WaitGroup
	for range 8 {
		for _, p := range crowd {
			wg.Go(func() {
				if _, err := trust.With(chain.Untrusted(certs(ca))).Verify(context.Background(), p.Certificate, signing()); err != nil {
					t.Error(err)
				}
				for e, err := range trust.Find(context.Background(), chain.Query{Kind: chain.KindCertificate, Mailbox: alice}) {
					if _, cerr := e.Certificate(); err != nil || cerr != nil {
						t.Error(err, cerr)
					}
				}
			})
		}
	}
	wg.Wait()
}

// TestPathAnswers holds a Path to its doc.
func TestPathAnswers(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, "Alice@EXAMPLE.com")
	path, err := chain.NewCollection(chain.RootsAndIntermediates(certs(root, ca))).Verify(t.Context(), leaf.Certificate, signing())
	if err != nil {
		t.Fatal(err)
	}
	if list := path.Certificates(); len(list) != 3 || !list[0].Equal(leaf.Certificate) || !list[1].Equal(ca.Certificate) || !list[2].Equal(root.Certificate) {
		t.Error("wrong path")
	}
	if !path.At().Equal(judged) || !path.Leaf().Equal(leaf.Certificate) || !path.Anchor().Equal(root.Certificate) {
		t.Error("wrong answers")
	}
	if got := path.Mailboxes(); !slices.Equal(got, []string{"Alice@EXAMPLE.com"}) {
		t.Errorf("mailboxes %q", got)
	}
	now := signing()
	now.At = time.Time{}
	if path, err := chain.NewCollection(chain.Anchors(certs(root, ca))).Verify(t.Context(), leaf.Certificate, now); err == nil && time.Since(path.At()) > time.Minute {
		t.Error("now is not now")
	}
	for name, f := range map[string]func(*chain.Path){
		"Certificates": func(p *chain.Path) { p.Certificates() }, "Leaf": func(p *chain.Path) { p.Leaf() },
		"Anchor": func(p *chain.Path) { p.Anchor() }, "At": func(p *chain.Path) { p.At() },
		"Revocation": func(p *chain.Path) { p.Revocation(0) }, "Policies": func(p *chain.Path) { p.Policies() },
		"Mailboxes": func(p *chain.Path) { p.Mailboxes() },
	} {
		t.Run(name, func(t *testing.T) {
			func() {
				defer func() {
					if recover() == nil {
						t.Errorf("%s of the zero Path returns", name)
					}
				}()
				f(new(chain.Path))
			}()
		})
	}
}
