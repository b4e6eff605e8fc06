package chain_test

import (
	"context"
	"crypto/x509"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// A library answers for URLs from memory and counts.
type library struct {
	answers map[string][][]byte
	asked   atomic.Int32
}

func (l *library) Fetch(ctx context.Context, kind chain.Kind, url string, request []byte) ([][]byte, error) {
	l.asked.Add(1)
	if _, ok := ctx.Deadline(); !ok {
		return nil, errors.New("no deadline")
	}
	if a, ok := l.answers[url]; ok && kind == chain.KindCertificate {
		return a, nil
	}
	return nil, errors.New("not found")
}

func issuedBy(urls ...string) template {
	return func(c *x509.Certificate) { c.IssuingCertificateURL = urls }
}

// TestFetchedIssuers follows caIssuers where nothing is at hand.
func TestFetchedIssuers(t *testing.T) {
	root := newRoot(t, "Root")
	upper := root.newCA(t, "Upper", issuedBy("http://pki.example/root"))
	ca := upper.newCA(t, "CA", issuedBy("ldap://pki.example/x", "http://pki.example/upper"))
	leaf := ca.newLeaf(t, alice, issuedBy("http://pki.example/none", "http://pki.example/ca"))
	lib := &library{answers: map[string][][]byte{
		"http://pki.example/ca":    {[]byte("junk"), ca.Raw},
		"http://pki.example/upper": {upper.Raw},
	}}
	trust := chain.NewCollection(chain.Anchors(certs(root)))
	verify := func(c *chain.Collection, p chain.Policy) error {
		path, err := c.Verify(t.Context(), leaf.Certificate, p)
		if err == nil && len(path.Certificates()) != 4 {
			t.Errorf("path of %d", len(path.Certificates()))
		}
		return err
	}
	wantReason(t, verify(trust, signing()), chain.ErrUnknownIssuer)
	if lib.asked.Load() != 0 {
		t.Error("asked without a Fetcher")
	}
	p := signing()
	p.Fetcher = lib
	wantReason(t, verify(trust, p), 0)
	// Certificates that only look like the issuer don't keep it from being fetched.
	wantReason(t, verify(trust.With(chain.Untrusted(certs(decoys(t, ca, upper, 99)...))), p), 0)
	// What was fetched is not trusted, and not kept.
	stranger := newRoot(t, "Root")
	wantReason(t, verify(chain.NewCollection(chain.Anchors(certs(stranger))), p), chain.ErrUnknownIssuer)
	wantReason(t, verify(trust, signing()), chain.ErrUnknownIssuer)
	// All is at hand: nothing is asked.
	lib.asked.Store(0)
	q := p
	q.Revocation = chain.InsecureSkipRevocation
	wantReason(t, verify(trust.With(chain.Untrusted(certs(ca, upper))), q), 0)
	if n := lib.asked.Load(); n != 0 {
		t.Errorf("asked %d times for what is at hand", n)
	}
}

// TestFetchesAreBounded points at ever more.
func TestFetchesAreBounded(t *testing.T) {
	root := newRoot(t, "Root")
	var urls []string
	for range 100 {
		urls = append(urls, "http://pki.example/"+time.Now().String()[:10]+string(rune('a'+len(urls)%26))+string(rune('a'+len(urls)/26)))
	}
	leaf := newRoot(t, "Unknown").newLeaf(t, alice, issuedBy(urls...))
	lib := &library{}
	p := signing()
	p.Fetcher = lib
	_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, p)
	wantReason(t, err, chain.ErrUnknownIssuer)
	if n := lib.asked.Load(); n == 0 || n > 32 {
		t.Errorf("asked %d times", n)
	}
}

// TestMoreKnowledge prefers the path whose revocation is known, although
// another is shorter.
func TestMoreKnowledge(t *testing.T) {
	root, other := newRoot(t, "Root"), newRoot(t, "Other")
	ca := newRoot(t, "CA")
	short := makeCert(t, other, ca.key, "CA", asCA)
	mid := root.newCA(t, "Middle")
	long := makeCert(t, mid, ca.key, "CA", asCA)
	leaf := ca.newLeaf(t, alice)
	crl := func(p *party) []byte {
		der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
			Number: asBig(1), ThisUpdate: judged.Add(-time.Hour), NextUpdate: judged.Add(time.Hour)}, p.Certificate, p.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	base := chain.NewCollection(chain.Anchors(certs(root, other)), chain.Untrusted(certs(short, long, mid)))
	path, err := base.Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || !path.Anchor().Equal(other.Certificate) {
		t.Fatalf("without lists the shorter path: %v", err)
	}
	trust := base.With(chain.Untrusted(chain.DER(crl(root), crl(mid), crl(&party{long.Certificate, ca.key}))))
	path, err = trust.Verify(t.Context(), leaf.Certificate, signing())
	if err != nil || !path.Anchor().Equal(root.Certificate) {
		t.Fatalf("with lists the longer path: %v", err)
	}
	for i := range 3 {
		if s := path.Revocation(i); s.Status != chain.StatusGood || s.Evidence != chain.KindCRL || !s.NextUpdate.Equal(judged.Add(time.Hour)) {
			t.Errorf("certificate %d: %+v", i, s)
		}
	}
}
