package chain_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"crypto/x509"

	"github.com/gosmime/gosmime/chain"
	"golang.org/x/crypto/cryptobyte"
)

// lasting keeps a certificate valid until after the present: nothing is fetched
// about one that has expired.
func lasting(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(2, 0, 0) }

// caVersion is the extension by which a CA of Microsoft numbers its
// certificates and keys.
func caVersion(cert, key int64) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(key<<16 | cert) })
}

var caVersionID = []int{1, 3, 6, 1, 4, 1, 311, 21, 1}

// statusBeside verifies leaf by what the caller has and what came with a message.
func statusBeside(t *testing.T, root, leaf *party, own, message [][]byte, edit func(*chain.Policy)) string {
	t.Helper()
	c := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(chain.DER(own...))).With(chain.Untrusted(chain.DER(message...)))
	p := signing()
	p.Revocation = chain.RevocationRequireLeaf
	edit(&p)
	var first string
	for i := range 2 {
		got := "good"
		path, err := c.Verify(t.Context(), leaf.Certificate, p)
		switch {
		case errors.Is(err, chain.ErrRevoked):
			got = "revoked"
		case errors.Is(err, chain.ErrRevocationUnknown):
			got = "unknown"
		case err != nil:
			got = err.Error()
		case path.Revocation(0).Status != chain.StatusGood:
			got = "passed"
		}
		if i == 0 {
			first = got
		} else if got != first {
			t.Errorf("first %s, then %s", first, got)
		}
	}
	return first
}

// TestEvidenceOfMessage has senders who choose what lies beside their signature:
// with a Fetcher it never keeps a revocation from being found.
func TestEvidenceOfMessage(t *testing.T) {
	t.Parallel()
	root := newRoot(t, "Root", lasting)
	leaf := root.newLeaf(t, alice, lasting, func(c *x509.Certificate) {
		c.OCSPServer = []string{"http://o/"}
		c.CRLDistributionPoints = []string{"http://c/"}
	})
	gone := []listed{{cert: leaf, date: -2 * day}}
	old := list{by: root, number: 1, this: -6 * day, next: day}.der(t)
	fresh := list{by: root, number: 7, this: -time.Hour, next: 7 * day, entries: gone}.der(t)
	pointing := list{by: root, number: 1, this: -6 * day, next: day, freshest: sequence(sequence(point("http://d/")))}.der(t)
	delta := list{by: root, number: 2, base: 1, this: -time.Hour, next: day, entries: gone}.der(t)
	good := reply{cert: leaf, issuer: root, this: -6 * day, next: day}
	endless := good
	endless.endless = true
	stapled := response{by: root, produced: -6 * day, answers: []reply{good}}.der(t)
	timeless := response{by: root, produced: -6 * day, answers: []reply{endless}}.der(t)
	revoked := response{by: root, answers: []reply{{cert: leaf, issuer: root, state: "revoked", date: -2 * day, this: -time.Hour, next: day}}}.der(t)
	half1 := list{by: root, number: 2, this: -6 * day, next: day, idp: sequence(flags(3, 1, 2, 3))}.der(t)
	half2 := list{by: root, number: 3, this: -6 * day, next: day, idp: sequence(flags(3, 4, 5, 6, 7, 8))}.der(t)
	byOCSP, byCRL := map[string][]byte{"http://o/": revoked}, map[string][]byte{"http://c/": fresh}
	for _, c := range []struct {
		name         string
		own, message [][]byte
		answers      map[string][]byte
		want         string
	}{
		{"nothing, OCSP answers", nil, nil, byOCSP, "revoked"},
		{"old CRL, OCSP answers", nil, [][]byte{old}, byOCSP, "revoked"},
		{"old CRL, the CRL is there", nil, [][]byte{old}, byCRL, "revoked"},
		{"stapled OCSP response", nil, [][]byte{stapled}, byCRL, "revoked"},
		{"stapled OCSP response without nextUpdate", nil, [][]byte{timeless}, byOCSP, "revoked"},
		{"both", nil, [][]byte{stapled, old}, byOCSP, "revoked"},
		{"CRLs of some reasons", nil, [][]byte{half1, half2}, byCRL, "revoked"},
		{"CRLs of some reasons, one of our own", [][]byte{half1}, [][]byte{half2}, byCRL, "revoked"},
		{"base CRL with delta", nil, [][]byte{pointing}, map[string][]byte{"http://d/": delta}, "revoked"},
		{"base CRL of our own with delta", [][]byte{pointing}, nil, map[string][]byte{"http://d/": delta}, "revoked"},
		{"OCSP response of our own without nextUpdate", [][]byte{timeless}, nil, byOCSP, "revoked"},
		{"old CRL beside one of our own that revokes", [][]byte{fresh}, [][]byte{old}, nil, "revoked"},
		{"old CRL of our own beside one of the message that revokes", [][]byte{old}, [][]byte{fresh}, nil, "revoked"},
		{"old CRL, nobody answers", nil, [][]byte{old}, nil, "good"},
		{"OCSP response without nextUpdate, nobody answers", nil, [][]byte{timeless}, nil, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &teller{answers: c.answers}
			if got := statusBeside(t, root, leaf, c.own, c.message, func(p *chain.Policy) { p.Fetcher = f }); got != c.want {
				t.Errorf("%s after %q, want %s", got, f.asked, c.want)
			}
		})
	}
	t.Run("evidence of our own spares the question", func(t *testing.T) {
		f := &teller{answers: byOCSP}
		if got := statusBeside(t, root, leaf, [][]byte{old}, nil, func(p *chain.Policy) { p.Fetcher = f }); got != "good" || f.asked != nil {
			t.Errorf("%s after %q", got, f.asked)
		}
	})
	t.Run("HTTP in capitals", func(t *testing.T) {
		leaf := root.newLeaf(t, alice, lasting, func(c *x509.Certificate) { c.CRLDistributionPoints = []string{"HTTP://c/"} })
		crl := list{by: root, number: 7, this: -time.Hour, next: 7 * day, entries: []listed{{cert: leaf, date: -2 * day}}}.der(t)
		f := &teller{answers: map[string][]byte{"HTTP://c/": crl}}
		if got := statusBeside(t, root, leaf, nil, nil, func(p *chain.Policy) { p.Fetcher = f }); got != "revoked" {
			t.Errorf("%s after %q", got, f.asked)
		}
	})
}

// TestOtherPath has a path on which a message shows the leaf to be good, and
// another on which our own CRL revokes it.
func TestOtherPath(t *testing.T) {
	t.Parallel()
	one, two := newRoot(t, "One"), newRoot(t, "Two")
	ca := one.newCA(t, "CA", usages(x509.KeyUsageCertSign))
	cross := makeCert(t, two, ca.key, "CA", asCA, usages(x509.KeyUsageCertSign))
	service := func(root *party) *party {
		return makeCert(t, root, newKey(t), "CA", usages(x509.KeyUsageCRLSign))
	}
	leaf := ca.newLeaf(t, alice)
	serviceOne, serviceTwo := service(one), service(two)
	good := list{by: serviceOne, number: 1, this: -day, next: day}.der(t)
	bad := list{by: serviceTwo, number: 2, this: -day, next: day, entries: []listed{{cert: leaf, date: -2 * day}}}.der(t)
	own := chain.NewCollection(chain.Anchors(certs(one, two)), chain.Untrusted(certs(ca, cross, serviceTwo)), chain.Untrusted(chain.DER(bad)))
	_, err := own.With(chain.Untrusted(certs(serviceOne)), chain.Untrusted(chain.DER(good))).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrRevoked)
}

// TestKeyOfCRL has CAs that were renewed with a new key and publish a CRL for
// each key.
func TestKeyOfCRL(t *testing.T) {
	t.Parallel()
	numbered := func(cert, key int64) template { return extension(caVersionID, false, caVersion(cert, key)) }
	root := newRoot(t, "Root", lasting)
	ca0 := root.newCA(t, "CA", lasting, numbered(0, 0))
	ca1 := root.newCA(t, "CA", lasting, numbered(1, 1))
	plain0 := root.newCA(t, "Plain", lasting)
	plain1 := root.newCA(t, "Plain", lasting)
	link := makeCert(t, plain0, plain1.key, "Plain", asCA, lasting)
	reverse := makeCert(t, plain1, plain0.key, "Plain", asCA, lasting)
	forged := &party{Certificate: &x509.Certificate{Raw: slices.Clone(link.Raw)}}
	forged.Raw[len(forged.Raw)-1] ^= 1
	link0 := makeCert(t, ca0, ca1.key, "CA", asCA, lasting)
	silent := root.newCA(t, "Plain", lasting, usages(x509.KeyUsageCertSign))
	crl := func(by *party, version []byte, entries ...listed) []byte {
		return list{by: by, number: 7, this: -time.Hour, next: 7 * day, version: version, entries: entries}.der(t)
	}
	leaf, plain, byPlain := ca0.newLeaf(t, alice, lasting), plain0.newLeaf(t, alice, lasting), silent.newLeaf(t, alice, lasting)
	lists := func(p *party) listed { return listed{cert: p, date: -2 * day} }
	for _, c := range []struct {
		name     string
		leaf     *party
		evidence [][]byte
		want     string
	}{
		{"the issuing key", leaf, [][]byte{ca0.Raw, crl(ca0, caVersion(0, 0))}, "good"},
		{"the issuing key, renewed certificate", leaf, [][]byte{ca0.Raw, crl(ca0, caVersion(3, 0))}, "good"},
		{"another key", leaf, [][]byte{ca0.Raw, ca1.Raw, crl(ca1, caVersion(1, 1))}, "unknown"},
		{"another key, listed", leaf, [][]byte{ca0.Raw, ca1.Raw, crl(ca1, caVersion(1, 1), lists(leaf))}, "unknown"},
		{"another key, linked", leaf, [][]byte{ca0.Raw, ca1.Raw, link0.Raw, crl(ca1, caVersion(1, 1))}, "unknown"},
		{"another key, linked, its CRL without number", leaf, [][]byte{ca0.Raw, ca1.Raw, link0.Raw, crl(ca1, nil)}, "unknown"},
		{"another key without numbers", plain, [][]byte{plain0.Raw, plain1.Raw, crl(plain1, nil)}, "unknown"},
		{"another key without numbers, listed", plain, [][]byte{plain0.Raw, plain1.Raw, crl(plain1, nil, lists(plain))}, "revoked"},
		{"linked", plain, [][]byte{plain0.Raw, plain1.Raw, link.Raw, crl(plain1, nil)}, "good"},
		{"linked the other way", plain, [][]byte{plain0.Raw, plain1.Raw, reverse.Raw, crl(plain1, nil)}, "good"},
		{"linked by a forged certificate", plain, [][]byte{plain0.Raw, plain1.Raw, forged.Raw, crl(plain1, nil)}, "unknown"},
		{"the issuing key can't sign CRLs", byPlain, [][]byte{silent.Raw, plain1.Raw, crl(plain1, nil)}, "good"},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				slices.Reverse(c.evidence)
				for _, own := range []bool{true, false} {
					ours, message := c.evidence, [][]byte(nil)
					if !own {
						ours, message = message, ours
					}
					if got := statusBeside(t, root, c.leaf, ours, message, func(*chain.Policy) {}); got != c.want {
						t.Errorf("own %v: %s, want %s", own, got, c.want)
					}
				}
			}
		})
	}
}

// TestArchive has years of CRLs: the newest current one shows that a
// certificate is good, and any that lists it condemns, the first time as the
// second.
func TestArchive(t *testing.T) {
	t.Parallel()
	root := newRoot(t, "Root")
	leaf, other := root.newLeaf(t, alice), root.newLeaf(t, alice)
	archive := func(n, padding int, entries []listed) (all [][]byte) {
		for i := range n {
			all = append(all, list{by: root, number: int64(i + 1), this: -time.Duration(n-i) * day, next: -time.Duration(n-i-2) * day, padding: padding, entries: entries}.der(t))
		}
		return all
	}
	for _, c := range []struct {
		name string
		all  [][]byte
	}{
		{"small", archive(900, 0, nil)},
		{"others listed", archive(400, 0, []listed{{cert: other, date: -500 * day}})},
		{"large", archive(310, 300<<10, nil)},
	} {
		t.Run(c.name, func(t *testing.T) {
			for range 2 {
				slices.Reverse(c.all)
				if got := statusBeside(t, root, leaf, c.all, nil, func(*chain.Policy) {}); got != "good" {
					t.Error(got)
				}
			}
			c.all[1] = list{by: root, number: 2, this: -400 * day, next: -390 * day, entries: []listed{{cert: leaf, date: -401 * day}}}.der(t)
			if got := statusBeside(t, root, leaf, c.all, nil, func(*chain.Policy) {}); got != "revoked" {
				t.Error(got)
			}
		})
	}
}

// TestEvidenceOfMessageIsBounded has a message with many genuine CRLs of one
// CA: they don't use up what evidence about the others needs.
func TestEvidenceOfMessageIsBounded(t *testing.T) {
	t.Parallel()
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	var all [][]byte
	for i := range 350 {
		all = append(all, list{by: root, number: int64(i + 1), this: -day + time.Duration(i)*time.Second, next: day}.der(t))
	}
	bad := list{by: ca, number: 1, this: -day, next: day, entries: []listed{{cert: leaf, date: -2 * day}}}.der(t)
	own := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)), chain.Untrusted(chain.DER(bad)))
	_, err := own.With(chain.Untrusted(chain.DER(all...))).Verify(context.Background(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrRevoked)
}
