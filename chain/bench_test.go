package chain_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// A hierarchy is what the benchmarks verify: leaf, intermediate, root, each
// issuer with a CRL of under 10 KiB.
type hierarchy struct {
	root, ca, leaf *party
	crls           [][]byte
	lists          []*x509.RevocationList
}

func newHierarchy(t testing.TB, key func(testing.TB) crypto.Signer) hierarchy {
	var h hierarchy
	h.root = makeCert(t, nil, key(t), "Root", asCA)
	h.ca = makeCert(t, h.root, key(t), "CA", asCA)
	h.leaf = makeCert(t, h.ca, newP256(t), "Leaf", func(c *x509.Certificate) { c.EmailAddresses = []string{alice} })
	for _, p := range []*party{h.root, h.ca} {
		l := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: judged.Add(-time.Hour), NextUpdate: judged.Add(time.Hour)}
		for i := range 200 {
			l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
				SerialNumber: big.NewInt(int64(1e9 + i)), RevocationTime: judged.Add(-2 * time.Hour)})
		}
		der, err := x509.CreateRevocationList(nil, l, p.Certificate, p.key)
		if err != nil {
			t.Fatal(err)
		}
		h.crls = append(h.crls, der)
		parsed, err := x509.ParseRevocationList(der)
		if err != nil {
			t.Fatal(err)
		}
		h.lists = append(h.lists, parsed)
	}
	return h
}

func newRSA(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// BenchmarkSignatures is the floor: the four signature checks that the path
// and its two CRLs need.
func BenchmarkSignatures(b *testing.B) {
	b.Run("P256", func(b *testing.B) { benchmarkSignatures(b, newP256) })
	b.Run("RSA", func(b *testing.B) { benchmarkSignatures(b, newRSA) })
}

func benchmarkSignatures(b *testing.B, key func(testing.TB) crypto.Signer) {
	h := newHierarchy(b, key)
	for b.Loop() {
		h.checkSignatures(b)
	}
}

func (h *hierarchy) checkSignatures(b *testing.B) {
	if h.leaf.CheckSignatureFrom(h.ca.Certificate) != nil || h.ca.CheckSignatureFrom(h.root.Certificate) != nil ||
		h.lists[0].CheckSignatureFrom(h.root.Certificate) != nil || h.lists[1].CheckSignatureFrom(h.ca.Certificate) != nil {
		b.Fatal("bad signature")
	}
}

func benchmarkVerify(b *testing.B, trust func() *chain.Collection, leaf *party, p chain.Policy) {
	b.ReportAllocs()
	ctx := context.Background()
	for b.Loop() {
		if _, err := trust().Verify(ctx, leaf.Certificate, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkVerifyCold knows nothing: certificates and lists are parsed too.
func BenchmarkVerifyCold(b *testing.B) {
	b.Run("P256", func(b *testing.B) { benchmarkCold(b, newP256) })
	b.Run("RSA", func(b *testing.B) { benchmarkCold(b, newRSA) })
}

func benchmarkCold(b *testing.B, key func(testing.TB) crypto.Signer) {
	h := newHierarchy(b, key)
	p := signing()
	p.Revocation = chain.RevocationRequireAll
	benchmarkVerify(b, func() *chain.Collection {
		return chain.NewCollection(chain.Anchors(certs(h.root)), chain.Untrusted(certs(h.ca)), chain.Untrusted(chain.DER(h.crls...)))
	}, h.leaf, p)
}

// BenchmarkVerifyRatio takes turns between the bare signature checks and a
// verification that knows nothing, and reports the ratio of the best times.
func BenchmarkVerifyRatio(b *testing.B) {
	b.Run("P256", func(b *testing.B) { benchmarkRatio(b, newP256) })
	b.Run("RSA", func(b *testing.B) { benchmarkRatio(b, newRSA) })
}

func benchmarkRatio(b *testing.B, key func(testing.TB) crypto.Signer) {
	h := newHierarchy(b, key)
	p := signing()
	p.Revocation = chain.RevocationRequireAll
	bare, full := time.Hour, time.Hour
	for b.Loop() {
		start := time.Now()
		h.checkSignatures(b)
		bare = min(bare, time.Since(start))
		start = time.Now()
		trust := chain.NewCollection(chain.Anchors(certs(h.root)), chain.Untrusted(certs(h.ca)), chain.Untrusted(chain.DER(h.crls...)))
		if _, err := trust.Verify(context.Background(), h.leaf.Certificate, p); err != nil {
			b.Fatal(err)
		}
		full = min(full, time.Since(start))
	}
	b.ReportMetric(float64(full)/float64(bare), "ratio")
	b.ReportMetric(float64(bare), "bare-ns")
}

// BenchmarkVerifyAgain asks the same question, as for the next message of a sender.
func BenchmarkVerifyAgain(b *testing.B) {
	h := newHierarchy(b, newP256)
	trust := chain.NewCollection(chain.Anchors(certs(h.root)), chain.Untrusted(chain.DER(h.crls...)))
	p := signing()
	p.Revocation = chain.RevocationRequireAll
	benchmarkVerify(b, func() *chain.Collection { return trust.With(chain.Untrusted(chain.DER(h.ca.Raw, h.leaf.Raw))) }, h.leaf, p)
}

// BenchmarkVerifyKnown has the path at hand but must judge it anew: the
// question differs each time.
func BenchmarkVerifyKnown(b *testing.B) {
	h := newHierarchy(b, newP256)
	trust := chain.NewCollection(chain.Anchors(certs(h.root)), chain.Untrusted(chain.DER(h.crls...)))
	p := signing()
	p.Revocation = chain.RevocationRequireAll
	b.ReportAllocs()
	for b.Loop() {
		p.At = p.At.Add(time.Nanosecond)
		if _, err := trust.With(chain.Untrusted(chain.DER(h.ca.Raw, h.leaf.Raw))).Verify(context.Background(), h.leaf.Certificate, p); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMesh has 30 × 30 cross-signed CAs, with and without a way out.
func BenchmarkMesh(b *testing.B) {
	cas, cross := mesh(b, 30)
	root := makeCert(b, nil, newP256(b), "Root", asCA)
	far := makeCert(b, root, cas[29].key, "CA 29", asCA)
	forged := makeCert(b, newRoot(b, "Root"), cas[29].key, "CA 29", asCA)
	leaf := cas[0].newLeaf(b, alice)
	for name, bag := range map[string]chain.Source{"found": certs(far), "none": certs(), "forged": certs(forged)} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(cross), chain.Untrusted(bag)).
					Verify(context.Background(), leaf.Certificate, signing())
				if (err == nil) != (name == "found") {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPolicyBomb(b *testing.B) {
	trust, leaf := policyBomb(b)
	p := signing()
	p.RequireExplicitPolicy = true
	benchmarkBomb(b, trust, leaf, p)
}

func BenchmarkNameConstraintBomb(b *testing.B) {
	for _, n := range []int{200, 2000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			trust, leaf := nameBomb(b, n)
			benchmarkBomb(b, trust, leaf, signing())
		})
	}
}

func benchmarkBomb(b *testing.B, trust *chain.Collection, leaf *party, p chain.Policy) {
	for b.Loop() {
		p.At = p.At.Add(time.Nanosecond) // no answer from the cache
		_, _ = trust.Verify(context.Background(), leaf.Certificate, p)
	}
}

// BenchmarkDecoys has 99 certificates that look like the issuer.
func BenchmarkDecoys(b *testing.B) {
	root := newRoot(b, "Root")
	ca := root.newCA(b, "CA")
	leaf := ca.newLeaf(b, alice)
	bag := append(decoys(b, ca, root, 99), ca)
	benchmarkVerify(b, func() *chain.Collection {
		return chain.NewCollection(chain.Anchors(certs(root))).With(chain.Untrusted(certs(bag...)))
	}, leaf, signing())
}

// BenchmarkLargeCollection has 500 anchors and 2 000 intermediates.
func BenchmarkLargeCollection(b *testing.B) {
	var roots, cas []*party
	for i := range 500 {
		roots = append(roots, newRoot(b, fmt.Sprint("Root ", i)))
		for j := range 4 {
			cas = append(cas, roots[i].newCA(b, fmt.Sprint("CA ", i, " ", j)))
		}
	}
	trust := chain.NewCollection(chain.Anchors(certs(roots...)), chain.Untrusted(certs(cas...)))
	leaf := cas[1234].newLeaf(b, alice)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			fresh := chain.NewCollection(chain.Anchors(certs(roots...)), chain.Untrusted(certs(cas...)))
			if _, err := fresh.Verify(context.Background(), leaf.Certificate, signing()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("next", func(b *testing.B) {
		p := signing()
		for b.Loop() {
			p.At = p.At.Add(time.Nanosecond)
			if _, err := trust.Verify(context.Background(), leaf.Certificate, p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
