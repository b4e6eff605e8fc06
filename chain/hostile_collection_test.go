package chain_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"iter"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
)

// TestFloodHidesNothing has a message that brings genuine CRLs of a stranger
// who has the issuer's name, with a crowd of CAs that may have issued him: they
// must not use up the signature checks that our own evidence needs.
func TestFloodHidesNothing(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	own := chain.DER(
		list{by: root, number: 1, this: -2 * day, next: day}.der(t),
		response{by: root, produced: -day, answers: []reply{{cert: leaf, issuer: root, state: "revoked", date: -day, this: -day, next: day}}}.der(t))
	fake := newRoot(t, "Root")
	var flood [][]byte
	for i := range 4 {
		between := makeCert(t, nil, newKey(t), fmt.Sprint("Between ", i), asCA)
		stranger := makeCert(t, between, newKey(t), "Root", asCA)
		flood = append(flood, stranger.Raw, list{by: stranger, number: int64(i), this: -day, next: day,
			entries: []listed{{cert: leaf, date: -day}}}.der(t))
		for range 100 {
			flood = append(flood, fake.newCA(t, between.Subject.CommonName).Raw)
		}
	}
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(own)).With(chain.Untrusted(chain.DER(flood...)))
	_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrRevoked)

	// Nor make a good certificate fail, though the CA above comes first.
	sub := root.newCA(t, "Sub")
	own = chain.DER(sub.Raw, list{by: root, number: 1, this: -2 * day, next: day}.der(t), list{by: sub, number: 1, this: -2 * day, next: day}.der(t))
	trust = chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(own)).With(chain.Untrusted(chain.DER(flood...)))
	p := signing()
	p.Revocation = chain.RevocationRequireAll
	_, err = trust.Verify(t.Context(), sub.newLeaf(t, alice).Certificate, p)
	wantReason(t, err, 0)
}

// TestEvidenceLeftOut holds that evidence of our own that a limit left unread
// refuses, whatever the rest says.
func TestEvidenceLeftOut(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	var own [][]byte
	for i := range 30 {
		own = append(own, list{by: root, number: int64(i + 1), this: -2 * day, next: day}.der(t))
	}
	own = append(own, list{by: root, number: 99, this: -day, next: day, entries: []listed{{cert: leaf, date: -day}}}.der(t))
	p := signing()
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(chain.DER(own...)))
	_, err := trust.Verify(t.Context(), leaf.Certificate, p)
	wantReason(t, err, chain.ErrRevoked)
	p.Limits.Candidates = 25
	_, err = trust.Verify(t.Context(), leaf.Certificate, p)
	wantReason(t, err, chain.ErrLimit)
}

// TestCrowdedOut has a message with certificates of a CRL issuer's name and key
// identifier: they must not keep his own from being tried.
func TestCrowdedOut(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice, extension([]int{2, 5, 29, 31}, false, sequence(sequence(
		point("http://example.com/i.crl"), explicit(2, explicit(4, rawName(t, "Service")))))))
	service := makeCert(t, root, newKey(t), "Service", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	signer := *service.Certificate
	signer.SubjectKeyId = []byte("service")
	crl := list{by: &party{&signer, service.key}, number: 1, this: -day, next: day,
		idp: sequence(point("http://example.com/i.crl"), tagged(4, []byte{0xff})), entries: []listed{{cert: leaf, date: -day, issuer: root}}}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	var crowd []*party
	for range 20 {
		crowd = append(crowd, makeCert(t, nil, weak, "Service", asCA, func(c *x509.Certificate) { c.SubjectKeyId = signer.SubjectKeyId }))
	}
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(service)), chain.Untrusted(chain.DER(crl.der(t))))
	_, err = trust.With(chain.Untrusted(certs(crowd...))).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrRevoked)
}

func rawName(t testing.TB, name string) []byte {
	return makeCert(t, nil, newKey(t), name).RawSubject
}

// TestRevokedOnAnyPath holds that who is revoked by the issuer of lists of one
// anchor is not acquitted by a way to another.
func TestRevokedOnAnyPath(t *testing.T) {
	one, two := newRoot(t, "One"), newRoot(t, "Two")
	sub := one.newCA(t, "Sub")
	cross := makeCert(t, two, sub.key, "Sub", asCA)
	service := makeCert(t, one, newKey(t), "Service", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	leaf := sub.newLeaf(t, alice, extension([]int{2, 5, 29, 31}, false, sequence(sequence(
		point("http://example.com/i.crl"), explicit(2, explicit(4, service.RawSubject))))))
	crl := list{by: service, number: 1, this: -day, next: day,
		idp: sequence(point("http://example.com/i.crl"), tagged(4, []byte{0xff})), entries: []listed{{cert: leaf, date: -day, issuer: sub}}}
	for _, bag := range [][]*party{{sub, cross, service}, {cross, sub, service}} {
		trust := chain.NewCollection(chain.Anchors(certs(one, two)), chain.Untrusted(certs(bag...)), chain.Untrusted(chain.DER(crl.der(t))))
		_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
		wantReason(t, err, chain.ErrRevoked)
	}
}

// TestKnownOnAnotherPath: what one anchor's issuer of lists can't tell, that of
// another may.
func TestKnownOnAnotherPath(t *testing.T) {
	one, two := newRoot(t, "One"), newRoot(t, "Two")
	sub := one.newCA(t, "Sub")
	cross := makeCert(t, two, sub.key, "Sub", asCA)
	service := makeCert(t, two, newKey(t), "Service", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })
	leaf := sub.newLeaf(t, alice, extension([]int{2, 5, 29, 31}, false, sequence(sequence(
		point("http://example.com/i.crl"), explicit(2, explicit(4, service.RawSubject))))))
	crl := list{by: service, number: 1, this: -day, next: day, idp: sequence(point("http://example.com/i.crl"), tagged(4, []byte{0xff}))}
	for _, mode := range []chain.Revocation{chain.RevocationWhereKnown, chain.RevocationRequireLeaf} {
		for _, bag := range [][]*party{{sub, cross, service}, {cross, sub, service}} {
			trust := chain.NewCollection(chain.Anchors(certs(one, two)), chain.Untrusted(certs(bag...)), chain.Untrusted(chain.DER(crl.der(t))))
			p := signing()
			p.Revocation = mode
			path, err := trust.Verify(t.Context(), leaf.Certificate, p)
			wantReason(t, err, 0)
			if err == nil && path.Revocation(0).Status != chain.StatusGood {
				t.Errorf("mode %d: not known", mode)
			}
			// So it is with what a Check refuses.
			for _, anchor := range []*party{one, two} {
				p.Revocation = chain.RevocationWhereKnown
				p.Check = func(p *chain.Path) error {
					if !p.Anchor().Equal(anchor.Certificate) {
						return errBroken
					}
					return nil
				}
				_, err := trust.Verify(t.Context(), leaf.Certificate, p)
				wantReason(t, err, 0)
			}
			p.Check = func(*chain.Path) error { return errBroken }
			_, err = trust.Verify(t.Context(), leaf.Certificate, p)
			wantReason(t, err, chain.ErrCheck)
		}
	}
}

// TestHoldsAreLiftedByThoseWhoAcquit holds that a delta CRL whose signer can't
// show that a certificate is good lifts no hold.
func TestHoldsAreLiftedByThoseWhoAcquit(t *testing.T) {
	root := newRoot(t, "Root")
	for usage, want := range map[x509.KeyUsage]string{
		x509.KeyUsageCertSign | x509.KeyUsageCRLSign: "good",
		0: "revoked",
	} {
		sub := root.newCA(t, "Sub", usages(usage))
		leaf := sub.newLeaf(t, alice)
		hold := list{by: sub, number: 1, this: -2 * day, next: day, entries: []listed{{cert: leaf, date: -3 * day, reason: 6}}}
		lift := list{by: sub, number: 2, base: 1, this: -day, next: day, entries: []listed{{cert: leaf, date: -3 * day, reason: 8}}}
		if got, _ := outcome(t, root, leaf, nil, []*party{sub}, hold.der(t), lift.der(t)); got != want {
			t.Errorf("key usage %d: %s, want %s", usage, got, want)
		}
	}
}

// A script is a Fetcher that does what it is told for each URL.
type script map[string]func(ctx context.Context) ([][]byte, error)

func (s script) Fetch(ctx context.Context, _ chain.Kind, url string, _ []byte) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f := s[url]; f != nil {
		return f(ctx)
	}
	return nil, errBroken
}

func answers(der ...[]byte) func(context.Context) ([][]byte, error) {
	return func(context.Context) ([][]byte, error) { return der, nil }
}

// TestContextEndsInFetch holds that no verdict is good because there was no
// time to ask.
func TestContextEndsInFetch(t *testing.T) {
	now := func(c *x509.Certificate) {
		c.NotBefore, c.NotAfter = time.Now().Add(-day), time.Now().Add(day)
		c.OCSPServer = []string{"http://ocsp.example"}
	}
	root := newRoot(t, "Root", now)
	leaf := root.newLeaf(t, alice, now)
	ctx, cancel := context.WithCancel(t.Context())
	p := signing()
	p.At = time.Time{}
	p.Fetcher = script{"http://ocsp.example": func(context.Context) ([][]byte, error) { cancel(); return nil, context.Canceled }}
	_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(ctx, leaf.Certificate, p)
	wantReason(t, err, chain.ErrLimit)
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestSlowIssuer has a location of issuers that never answers: there must be
// time left to ask about revocation. Time passes only while the issuer is waited
// for, however busy the machine is.
func TestSlowIssuer(t *testing.T) { synctest.Test(t, testSlowIssuer) }

func testSlowIssuer(t *testing.T) {
	now := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = time.Now().Add(-day), time.Now().Add(day) }
	root := newRoot(t, "Root", now)
	sub := root.newCA(t, "Sub", now)
	leaf := sub.newLeaf(t, alice, now, issuedBy("http://good.example", "http://slow.example"), func(c *x509.Certificate) { c.OCSPServer = []string{"http://ocsp.example"} })
	revoked := response{by: sub, answers: []reply{{cert: leaf, issuer: sub, state: "revoked"}}}
	shift := time.Since(judged) - time.Hour // evidence is made relative to judged
	revoked.produced = shift
	revoked.answers[0].date, revoked.answers[0].this, revoked.answers[0].next = shift, shift, shift+day
	p := signing()
	p.At, p.FetchTimeout = time.Time{}, time.Minute
	p.Fetcher = script{
		"http://good.example": answers(sub.Raw),
		"http://slow.example": func(ctx context.Context) ([][]byte, error) { <-ctx.Done(); return nil, ctx.Err() },
		"http://ocsp.example": answers(revoked.der(t)),
	}
	_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, p)
	wantReason(t, err, chain.ErrRevoked)
}

// TestStrangersEvidenceCallsNobody holds that the signer of a CRL that came
// with a message is not looked for where he wants to be.
func TestStrangersEvidenceCallsNobody(t *testing.T) {
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	stranger := makeCert(t, newRoot(t, "Nobody"), newKey(t), "Root", asCA, issuedBy("http://spy.example"))
	crl := list{by: stranger, number: 1, this: -day, next: day, entries: []listed{{cert: leaf, date: -day}}}
	spied := false
	p := signing()
	p.Fetcher = script{"http://spy.example": func(context.Context) ([][]byte, error) { spied = true; return nil, errBroken }}
	trust := chain.NewCollection(chain.Anchors(certs(root))).With(chain.Untrusted(chain.DER(stranger.Raw, crl.der(t))))
	if _, err := trust.Verify(t.Context(), leaf.Certificate, p); err != nil || spied {
		t.Errorf("%v, asked: %v", err, spied)
	}
}

// TestExcludedMalformedSubject: a subject that can't be compared is not outside
// of what is excluded.
func TestExcludedMalformedSubject(t *testing.T) {
	bad := makeCert(t, nil, newKey(t), "x", func(c *x509.Certificate) { c.Subject = pkix.Name{Organization: []string{"Bad"}} }).RawSubject
	root := newRoot(t, "Root")
	ca := root.newCA(t, "CA", extension([]int{2, 5, 29, 30}, true, sequence(explicit(1, sequence(explicit(4, bad))))))
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)))
	var inner cryptobyte.String
	outer := cryptobyte.String(bad)
	if !outer.ReadASN1(&inner, asn1.SEQUENCE) {
		t.Fatal("name")
	}
	for name, subject := range map[string][]byte{"well-formed": bad, "with an empty RDN": sequence(inner, []byte{0x31, 0})} {
		t.Run(name, func(t *testing.T) {
			leaf := ca.newLeaf(t, alice, func(c *x509.Certificate) { c.RawSubject = subject })
			_, err := trust.Verify(t.Context(), leaf.Certificate, signing())
			t.Log(name)
			wantReason(t, err, chain.ErrNameConstraint)
		})
	}
}

// TestBanOfKeyInOtherForm bans the key of a CA that another anchor certified
// with the point compressed.
func TestBanOfKeyInOtherForm(t *testing.T) {
	root, other := newRoot(t, "Root"), newRoot(t, "Other")
	key := newP256(t)
	banned := makeCert(t, root, key, "CA", asCA)
	point, err := key.Public().(*ecdsa.PublicKey).Bytes()
	if err != nil {
		t.Fatal(err)
	}
	small := append([]byte{2 | point[64]&1}, point[1:33]...)
	spki := sequence(
		sequence(build(func(b *cryptobyte.Builder) { oid.ECPublicKey.Add(b) }), build(func(b *cryptobyte.Builder) { oid.P256.Add(b) })),
		build(func(b *cryptobyte.Builder) { b.AddASN1BitString(small) }))
	cross := reshaped(t, makeCert(t, other, key, "New name", asCA), other, set(tbsKey, spki...))
	leaf := makeCert(t, &party{makeCert(t, nil, key, "New name", asCA).Certificate, key}, newKey(t), "Leaf", func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
	trust := chain.NewCollection(chain.Anchors(certs(root, other)), chain.Untrusted(certs(cross)))
	_, err = trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, 0)
	_, err = trust.With(chain.Disallowed(certs(banned))).Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, chain.ErrDisallowed)
}

// TestHostileText holds that what a certificate says can neither steer a
// terminal nor fill a log.
func TestHostileText(t *testing.T) {
	evil := "\x1b[2J\r\n\u202e" + strings.Repeat("x", 5000)
	long := append(bytes.Repeat([]byte{0x81}, 5000), 1)
	critical := build(func(b *cryptobyte.Builder) { add(b, oid.OID(long), true, []byte{5, 0}) })
	root := newRoot(t, "Root")
	ca := root.newCA(t, evil)
	named := ca.newLeaf(t, "x@example.com", func(c *x509.Certificate) { c.Subject.CommonName = evil })
	plain := ca.newLeaf(t, alice, extension([]int{1, 2, 3}, true, []byte{5, 0}))
	short := build(func(b *cryptobyte.Builder) { add(b, oid.OID("\x2a\x03"), true, []byte{5, 0}) })
	leaves := []*party{named, named.newLeaf(t, alice), reextended(t, plain, ca, short, critical)}
	for i, leaf := range leaves {
		for _, others := range [][]*party{{ca, named}, nil} {
			_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(others...))).Verify(t.Context(), leaf.Certificate, signing())
			e, ok := errors.AsType[*chain.Error](err)
			if !ok || len(e.Tried) == 0 {
				t.Fatalf("%d: %v", i, err)
			}
			for _, e := range append(e.Tried, e) {
				text := e.Error()
				if len(text) > 1500 || e.Detail == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f || r == 0x202e }) {
					t.Errorf("%d: %d octets, %q", i, len(text), text)
				}
			}
		}
	}
}

// reextended returns p with another extension in the place of one, signed again.
func reextended(t testing.TB, p, issuer *party, from, to []byte) *party {
	t.Helper()
	var tbs, e, list cryptobyte.String
	s := cryptobyte.String(p.RawTBSCertificate)
	if !s.ReadASN1(&tbs, asn1.SEQUENCE) || !bytes.Contains(tbs, from) {
		t.Fatal("tbsCertificate")
	}
	var parts [][]byte
	for !tbs.Empty() {
		var tag asn1.Tag
		if !tbs.ReadAnyASN1Element(&e, &tag) {
			t.Fatal("tbsCertificate")
		}
		if tag == asn1.Tag(3).ContextSpecific().Constructed() {
			var inner cryptobyte.String
			if !e.ReadASN1(&inner, tag) || !inner.ReadASN1(&list, asn1.SEQUENCE) {
				t.Fatal("extensions")
			}
			e = explicit(3, sequence(bytes.Replace(list, from, to, 1)))
		}
		parts = append(parts, e)
	}
	data := sequence(parts...)
	sig := build(func(b *cryptobyte.Builder) { b.AddASN1BitString(sign(t, issuer, data)) })
	return &party{&x509.Certificate{Raw: sequence(data, edDSA(), sig)}, p.key}
}

// A directory answers for a million people, each with a certificate of one of a
// thousand CAs that is made when it is asked for.
type directory struct {
	t    testing.TB
	root *party
	cas  map[string]*party
	made int
}

const people, offices = 1_000_000, 1000

func (d *directory) ca(n int) *party {
	name := fmt.Sprint("Office ", n)
	if d.cas[name] == nil {
		d.cas[name] = d.root.newCA(d.t, name)
		d.made++
	}
	return d.cas[name]
}

func (d *directory) Find(_ context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		var n int
		var found *party
		switch {
		case q.Kind != chain.KindCertificate:
			return
		case q.Mailbox != "":
			if _, err := fmt.Sscanf(q.Mailbox, "p%d@example.com", &n); err != nil || n < 0 || n >= people {
				return
			}
			found = d.ca(n%offices).newLeaf(d.t, q.Mailbox)
			d.made++
		case q.Subject != nil:
			for _, ca := range d.cas {
				if bytes.Equal(ca.RawSubject, q.Subject) {
					found = ca
				}
			}
		}
		if found != nil {
			yield(chain.NewEntry(chain.KindCertificate, found.Raw, "", nil), nil)
		}
	}
}

// TestMillion finds and verifies some of a million certificates.
func TestMillion(t *testing.T) {
	root := newRoot(t, "Root")
	d := &directory{t: t, root: root, cas: make(map[string]*party)}
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(d))
	verified := 0
	for _, n := range []int{0, 1, 734_512, people - 1} {
		p := signing()
		p.Mailbox = fmt.Sprintf("p%d@example.com", n)
		for e, err := range trust.Find(t.Context(), chain.Query{Kind: chain.KindCertificate, Mailbox: p.Mailbox}) {
			if err != nil {
				t.Fatal(err)
			}
			cert, err := e.Certificate()
			if err != nil {
				t.Fatal(err)
			}
			if _, err := trust.Verify(t.Context(), cert, p); err != nil {
				t.Error(err)
			}
			verified++
		}
	}
	if verified != 4 || d.made > 8 {
		t.Errorf("%d verified, %d made", verified, d.made)
	}
}
