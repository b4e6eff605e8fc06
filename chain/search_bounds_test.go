package chain_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// decoys returns n certificates with the name and key identifier of ca that it
// has nothing to do with. Each names the issuer of ca.
func decoys(t testing.TB, ca *party, issuer *party, n int) []*party {
	fake := makeCert(t, nil, newKey(t), issuer.Subject.CommonName, asCA, func(c *x509.Certificate) {
		c.SubjectKeyId = issuer.SubjectKeyId
	})
	var list []*party
	for range n {
		list = append(list, makeCert(t, fake, newKey(t), ca.Subject.CommonName, asCA, func(c *x509.Certificate) {
			c.SubjectKeyId = ca.SubjectKeyId
			c.SerialNumber = ca.SerialNumber
		}))
	}
	return list
}

// TestDecoys adds to a message what looks like the issuer and isn't.
func TestDecoys(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	fakes := decoys(t, ca, root, 99)
	many := decoys(t, ca, root, 3000)
	// In the collection a longer way without key identifiers, in the message
	// what looks better.
	plain := func(c *x509.Certificate) { c.SubjectKeyId, c.AuthorityKeyId = nil, nil }
	middle := root.newCA(t, "Middle", plain)
	under := makeCert(t, middle, ca.key, "CA", asCA, plain)
	tests := []struct {
		name      string
		base, bag []*party
	}{
		{"longer way in the collection", []*party{middle, under}, many},
		{"issuer in the message, last", nil, append(slices.Clone(fakes), ca)},
		{"issuer in the message, first", nil, append([]*party{ca}, fakes...)},
		{"issuer in the collection", []*party{ca}, many},
		{"decoys of the anchor", []*party{ca}, decoys(t, root, root, 200)},
		{"decoys of the leaf", []*party{ca}, decoys(t, leaf, ca, 200)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(tt.base...)))
			for range 2 { // the second time with what the first remembered
				path, err := trust.With(chain.Untrusted(certs(tt.bag...))).Verify(t.Context(), leaf.Certificate, signing())
				if err != nil {
					t.Fatal(err)
				}
				if !path.Certificates()[1].PublicKey.(ed25519.PublicKey).Equal(ca.PublicKey) {
					t.Error("a decoy is in the path")
				}
			}
		})
	}
}

// TestOnlyDecoys says what was wrong with them.
func TestOnlyDecoys(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	_, err := chain.NewCollection(chain.Anchors(certs(root))).With(chain.Untrusted(certs(decoys(t, ca, root, 99)...))).
		Verify(t.Context(), ca.newLeaf(t, alice).Certificate, signing())
	wantReason(t, err, chain.ErrBadSignature)
	if e, ok := errors.AsType[*chain.Error](err); !ok || len(e.Tried) < 99 {
		t.Errorf("%d attempts", len(e.Tried))
	}
}

// TestForgedLists adds revocation lists that are not the issuer's, with and
// without the genuine one in the collection.
func TestForgedLists(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	list := func(by *party, number int64) []byte {
		der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
			Number: big.NewInt(number), ThisUpdate: judged.Add(-time.Hour), NextUpdate: judged.Add(time.Hour),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(number + 1e6), RevocationTime: judged.Add(-2 * time.Hour)}},
		}, by.Certificate, by.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	var forged [][]byte
	for _, fake := range decoys(t, ca, root, 20) {
		for i := range int64(25) {
			forged = append(forged, list(fake, i))
		}
		forged = append(forged, fake.Raw)
	}
	genuine := list(ca, 100)
	for name, base := range map[string]chain.Source{"without": certs(ca), "with": chain.DER(ca.Raw, genuine)} {
		t.Run(name, func(t *testing.T) {
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(base)).With(chain.Untrusted(chain.DER(forged...)))
			p := signing()
			want := chain.StatusUnknown
			if name == "with" {
				p.Revocation, want = chain.RevocationRequireLeaf, chain.StatusGood
			}
			path, err := trust.Verify(t.Context(), leaf.Certificate, p)
			if err != nil {
				t.Fatal(err)
			}
			if s := path.Revocation(0); s.Status != want {
				t.Errorf("%+v", s)
			}
		})
	}
}

// TestDecoysAbove has decoys at two levels.
func TestDecoysAbove(t *testing.T) {
	root := newRoot(t, "Root")
	upper := root.newCA(t, "Upper")
	ca := upper.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	bag := append(decoys(t, upper, root, 99), decoys(t, ca, upper, 99)...)
	bag = append(bag, upper, ca)
	path, err := chain.NewCollection(chain.Anchors(certs(root))).With(chain.Untrusted(certs(bag...))).
		Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || len(path.Certificates()) != 4 {
		t.Fatal(err)
	}
}

// TestJunk adds what is no certificate.
func TestJunk(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice)
	var junk [][]byte
	for i := range 10000 {
		junk = append(junk, ca.Raw[:i%len(ca.Raw)])
	}
	junk = append(junk, nil, []byte{0x30, 0x80}, []byte("text"), ca.Raw)
	path, err := chain.NewCollection(chain.Anchors(certs(root))).With(chain.Untrusted(chain.DER(junk...))).
		Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || len(path.Certificates()) != 3 {
		t.Fatal(err)
	}
}

// TestLoops builds among CAs that certify one another.
func TestLoops(t *testing.T) {
	a, b := newRoot(t, "A"), newRoot(t, "B")
	ab := makeCert(t, b, a.key, "A", asCA)
	ba := makeCert(t, a, b.key, "B", asCA)
	leaf := a.newLeaf(t, alice)
	loop := chain.Untrusted(certs(ab, ba, a, b))
	_, err := chain.NewCollection(loop).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrUnknownIssuer)
	path, err := chain.NewCollection(chain.Anchors(certs(b)), loop).Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || len(path.Certificates()) != 3 {
		t.Fatalf("%v", err)
	}
	// Old and new key of one CA, each certifying the other.
	older, newer := newRoot(t, "CA"), newRoot(t, "CA")
	oldWithNew := makeCert(t, newer, older.key, "CA", asCA)
	newWithOld := makeCert(t, older, newer.key, "CA", asCA)
	bag := chain.Untrusted(certs(oldWithNew, newWithOld, newer))
	leaf = newer.newLeaf(t, alice)
	path, err = chain.NewCollection(chain.Anchors(certs(older)), bag).Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || len(path.Certificates()) != 3 {
		t.Fatalf("%v", err)
	}
	_, err = chain.NewCollection(bag).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrUnknownIssuer)
}

// A mesh is n CAs of which each has certified each other.
func mesh(t testing.TB, n int) (cas []*party, all chain.Source) {
	for i := range n {
		cas = append(cas, makeCert(t, nil, newP256(t), fmt.Sprint("CA ", i), asCA))
	}
	var cross []*party
	for i, a := range cas {
		for j, b := range cas {
			if i != j {
				cross = append(cross, makeCert(t, a, b.key, fmt.Sprint("CA ", j), asCA))
			}
		}
	}
	return cas, certs(cross...)
}

// TestMesh finds a way through 30 × 30 cross-signed CAs, and gives up where
// there is none.
func TestMesh(t *testing.T) {
	cas, cross := mesh(t, 30)
	root := makeCert(t, nil, newP256(t), "Root", asCA)
	far := makeCert(t, root, cas[29].key, "CA 29", asCA)
	leaf := cas[0].newLeaf(t, alice)
	path, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(cross), chain.Untrusted(certs(far))).
		Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || len(path.Certificates()) != 4 {
		t.Fatal(err)
	}
	_, err = chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(cross)).Verify(t.Context(), leaf.Certificate, signing())
	if !errors.Is(err, chain.ErrLimit) && !errors.Is(err, chain.ErrUnknownIssuer) {
		t.Error(err)
	}
	// All ways end at a certificate that the anchor's name stands in, but which it didn't sign.
	forged := makeCert(t, newRoot(t, "Root"), cas[29].key, "CA 29", asCA)
	_, err = chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(cross), chain.Untrusted(certs(forged))).
		Verify(t.Context(), leaf.Certificate, signing())
	if err == nil {
		t.Error("forged")
	}
}

// bomb returns a path over n CAs that have what edit adds.
func bomb(t testing.TB, n int, edit func(i int, c *x509.Certificate)) (trust *chain.Collection, leaf *party) {
	root := newRoot(t, "Root")
	top, bag := root, []*party(nil)
	for i := range n {
		top = top.newCA(t, fmt.Sprint("CA ", i), func(c *x509.Certificate) { edit(i, c) })
		bag = append(bag, top)
	}
	leaf = top.newLeaf(t, alice, func(c *x509.Certificate) { edit(n, c) })
	return chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(bag...))), leaf
}

// policyBomb maps each of many policies to each (CVE-2023-0464).
func policyBomb(t testing.TB) (*chain.Collection, *party) {
	const n = 30
	oid := func(i int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 3, 4, i} }
	return bomb(t, 6, func(depth int, c *x509.Certificate) {
		type mapping struct{ From, To asn1.ObjectIdentifier }
		var maps []mapping
		for i := range n {
			o, err := x509.OIDFromInts([]uint64{1, 2, 3, 4, uint64(i)})
			if err != nil {
				t.Fatal(err)
			}
			c.Policies = append(c.Policies, o)
			for j := range n {
				maps = append(maps, mapping{oid(i), oid(j)})
			}
		}
		if depth < 6 {
			der, err := asn1.Marshal(maps)
			if err != nil {
				t.Fatal(err)
			}
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: []int{2, 5, 29, 33}, Critical: true, Value: der})
		}
	})
}

func TestPolicyBomb(t *testing.T) {
	trust, leaf := policyBomb(t)
	p := signing()
	p.RequireExplicitPolicy = true
	path, err := trust.Verify(t.Context(), leaf.Certificate, p)
	if err != nil || len(path.Policies()) != 30 {
		t.Fatal(err)
	}
}

// nameBomb has n constraints above n names.
func nameBomb(t testing.TB, n int) (*chain.Collection, *party) {
	return bomb(t, 1, func(depth int, c *x509.Certificate) {
		for i := range n {
			name := fmt.Sprintf("u%d@h%d.example.com", i, i)
			if depth == 0 {
				c.ExcludedEmailAddresses = append(c.ExcludedEmailAddresses, "x"+name)
				c.PermittedIPRanges = append(c.PermittedIPRanges, &net.IPNet{IP: net.IPv4(10, byte(i>>8), byte(i), 0).To4(), Mask: net.CIDRMask(24, 32)})
			} else {
				c.EmailAddresses = append(c.EmailAddresses, name)
				c.IPAddresses = append(c.IPAddresses, net.IPv4(10, byte(i>>8), byte(i), 1))
			}
		}
	})
}

// directoryBomb has n constraints on long directory names above n of them.
func directoryBomb(t testing.TB, n int) (*chain.Collection, *party) {
	long := tlv(0x13, strings.Repeat("x", 1000))
	return bomb(t, 1, func(depth int, c *x509.Certificate) {
		var list []byte
		for i := range n {
			name := dirName(rdn(10, long, 11, tlv(0x13, fmt.Sprint(depth, " ", i))))
			if depth == 0 {
				name = sequence(name)
			}
			list = append(list, name...)
		}
		ext := pkix.Extension{Id: []int{2, 5, 29, 17}, Value: sequence(list, tagged(1, []byte(alice)))}
		if depth == 0 {
			ext = pkix.Extension{Id: []int{2, 5, 29, 30}, Critical: true, Value: sequence(explicit(1, list))}
		}
		c.ExtraExtensions = append(c.ExtraExtensions, ext)
	})
}

func TestNameConstraintBomb(t *testing.T) {
	trust, leaf := nameBomb(t, 100)
	_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, 0)
	trust, leaf = directoryBomb(t, 450)
	_, err = trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, 0)
	trust, leaf = nameBomb(t, 2000)
	_, err = trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrLimit)
	p := signing()
	p.Limits.NameComparisons = 1 << 30
	trust, leaf = nameBomb(t, 300)
	_, err = trust.Verify(t.Context(), leaf.Certificate, p)
	wantReason(t, err, 0)
}

// TestLimits sets each to what is needed and to one less.
func TestLimits(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA", permitted("example.com"))
	leaf := ca.newLeaf(t, alice)
	run := func(edit func(*chain.Limits)) error {
		p := signing()
		edit(&p.Limits)
		_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(t.Context(), leaf.Certificate, p)
		return err
	}
	wantReason(t, run(func(l *chain.Limits) { *l = chain.Limits{Depth: 3, Signatures: 2, NameComparisons: 2, Candidates: 2} }), 0)
	wantReason(t, run(func(l *chain.Limits) { l.Depth = 2 }), chain.ErrLimit)
	wantReason(t, run(func(l *chain.Limits) { l.Signatures = 1 }), chain.ErrLimit)
	wantReason(t, run(func(l *chain.Limits) { l.NameComparisons = 1 }), chain.ErrLimit)
	wantReason(t, run(func(l *chain.Limits) { l.Candidates = 1 }), chain.ErrLimit)
}

// TestUnsigned: id-alg-unsigned is no signature (RFC 9925).
func TestUnsigned(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	unsigned := asn1.RawValue{FullBytes: []byte{0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x06, 0x24}}
	var c struct {
		TBS struct {
			Version                              int `asn1:"explicit,tag:0"`
			Serial                               *big.Int
			Algorithm                            asn1.RawValue
			Issuer, Validity, Subject, PublicKey asn1.RawValue
			Extensions                           asn1.RawValue
		}
		Algorithm asn1.RawValue
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(leaf.Raw, &c); err != nil {
		t.Fatal(err)
	}
	c.TBS.Algorithm, c.Algorithm, c.Signature = unsigned, unsigned, asn1.BitString{}
	der, err := asn1.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	cert := &x509.Certificate{Raw: der}
	_, err = chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), cert, signing())
	wantReason(t, err, chain.ErrBadSignature)
	_, err = chain.NewCollection(chain.RootsAndIntermediates(chain.DER(der))).Verify(t.Context(), cert, signing())
	wantReason(t, err, chain.ErrUnknownIssuer)
	// As a chosen anchor its signature is not read.
	_, err = chain.NewCollection(chain.Anchors(chain.DER(der))).Verify(t.Context(), cert, signing())
	wantReason(t, err, 0)
}

// TestExplicitCurve: parameters written out are no curve (CVE-2020-0601).
func TestExplicitCurve(t *testing.T) {
	root := makeCert(t, nil, newP256(t), "Root", asCA)
	leaf := root.newLeaf(t, alice)
	named := []byte{0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}
	explicit := append([]byte{0x30, 0x08}, make([]byte, 8)...) // a SEQUENCE of the same length
	explicit[2], explicit[3] = 0x04, 0x06
	raw := slices.Clone(root.Raw)
	i := bytes.Index(raw, named)
	if i < 0 {
		t.Fatal("no named curve")
	}
	copy(raw[i:], explicit)
	_, err := chain.NewCollection(chain.Anchors(chain.DER(raw))).Verify(t.Context(), leaf.Certificate, signing())
	if err == nil {
		t.Fatal("explicit parameters were taken")
	}
	wantReason(t, err, chain.ErrBadSignature)
}

// A crowd answers for a million certificates without holding them.
type crowd struct {
	ca    *party
	asked int
}

func (c *crowd) Find(_ context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	c.asked++
	return func(yield func(*chain.Entry, error) bool) {
		if q.Kind != chain.KindCertificate || string(q.Subject) != string(c.ca.RawSubject) {
			return
		}
		// An index would have found one of a million; the rest is not offered.
		yield(chain.NewEntry(chain.KindCertificate, c.ca.Raw, "row 734512", nil), nil)
	}
}

// TestCallersSource asks a Source of the caller's a bounded number of times.
func TestCallersSource(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	src := &crowd{ca: ca}
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(src))
	path, err := trust.Verify(t.Context(), ca.newLeaf(t, alice).Certificate, signing())
	if err != nil || len(path.Certificates()) != 3 {
		t.Fatal(err)
	}
	if src.asked > 10 {
		t.Errorf("asked %d times", src.asked)
	}
	// One that returns what was not asked for, without end.
	_, err = chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(endless{ca})).
		Verify(t.Context(), newRoot(t, "CA").newLeaf(t, alice).Certificate, signing())
	wantReason(t, err, chain.ErrLimit)
}

type endless struct{ ca *party }

func (s endless) Find(context.Context, chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		for yield(chain.NewEntry(chain.KindCertificate, s.ca.Raw, "", nil), nil) {
		}
	}
}

// TestCacheForgets changes one input after another.
func TestCacheForgets(t *testing.T) {
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA")
	leaf := ca.newLeaf(t, alice, func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	})
	now := func(c *x509.Certificate) { c.NotAfter = time.Now().AddDate(1, 0, 0) }
	root = makeCert(t, nil, root.key, "Root", asCA, now)
	ca = makeCert(t, root, ca.key, "CA", asCA, now)
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)))
	p := signing()
	p.At = time.Time{}
	verify := func(c *chain.Collection, p chain.Policy) error {
		_, err := c.Verify(t.Context(), leaf.Certificate, p)
		return err
	}
	for range 3 {
		wantReason(t, verify(trust, p), 0)
	}
	checked := 0
	q := p
	q.Check = func(*chain.Path) error { checked++; return nil }
	wantReason(t, verify(trust, q), 0)
	q.Check = func(*chain.Path) error { return errors.New("no") }
	wantReason(t, verify(trust, q), chain.ErrCheck)
	if checked != 1 {
		t.Errorf("Check was called %d times", checked)
	}
	q = p
	q.Mailbox = "bob@example.com"
	wantReason(t, verify(trust, q), chain.ErrWrongMailbox)
	q = p
	q.At = time.Now().AddDate(2, 0, 0)
	wantReason(t, verify(trust, q), chain.ErrExpired)
	q = p
	q.Revocation = chain.RevocationRequireLeaf
	wantReason(t, verify(trust, q), chain.ErrRevocationUnknown)
	wantReason(t, verify(trust.With(chain.Disallowed(certs(ca))), p), chain.ErrDisallowed)
	crl, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: time.Now().Add(-time.Minute), NextUpdate: time.Now().Add(time.Hour),
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: leaf.SerialNumber, RevocationTime: time.Now().Add(-time.Minute)}},
	}, ca.Certificate, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	wantReason(t, verify(trust.With(chain.Untrusted(chain.DER(crl))), p), chain.ErrRevoked)
	wantReason(t, verify(trust.With(chain.Untrusted(certs(ca))), p), 0)
	wantReason(t, verify(trust, p), 0)
}
