package chain

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"fmt"
	"math/big"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func tag(t asn1.Tag, content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(t, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

// hugeCRL returns a CRL of n entries, each with a reason code, by issuer. With
// no key it is not signed.
func hugeCRL(n int, issuer []byte, key ed25519.PrivateKey) []byte {
	entry := tag(asn1.SEQUENCE, append(append([]byte{2, 10, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0}, "\x17\x0d250101000000Z"...),
		"\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x05"...))
	list := bytes.Repeat(entry, n)
	for i := range n {
		at := i*len(entry) + 4
		// Serial numbers as CAs make them: without order.
		binary.BigEndian.PutUint64(list[at+2:], uint64(i)*0x9e3779b97f4a7c15)
	}
	algorithm := []byte{0x30, 5, 6, 3, 0x2b, 0x65, 0x70}
	tbs := bytes.Join([][]byte{{2, 1, 1}, algorithm, issuer, []byte("\x17\x0d250101000000Z\x17\x0d350101000000Z"), tag(asn1.SEQUENCE, list)}, nil)
	tbs = tag(asn1.SEQUENCE, tbs)
	signature := []byte{0}
	if key != nil {
		signature = append(signature, ed25519.Sign(key, tbs)...)
	}
	return tag(asn1.SEQUENCE, bytes.Join([][]byte{tbs, algorithm, tag(asn1.BIT_STRING, signature)}, nil))
}

func TestCurrent(t *testing.T) {
	now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	const hour = time.Hour
	for _, c := range []struct {
		at, this, next time.Duration // next 0: none
		want           bool
	}{
		{0, -hour, hour, true},
		{0, -2 * hour, -hour, false},
		{0, -hour, 0, false},
		{0, 5 * time.Minute, hour, true},
		{0, 6 * time.Minute, hour, false},
		{-2 * hour, -3 * hour, -hour, true}, // of that time
		{-2 * hour, -hour, hour, true},      // of now
		{-2 * hour, -hour, -time.Minute, false},
		{-24 * hour, -hour, hour, true},
		{-25 * hour, -hour, hour, false}, // too long ago for that
		{-25 * hour, -26 * hour, hour, true},
		{2 * hour, -hour, hour, false},
		{2 * hour, -hour, 3 * hour, true},
		{2 * hour, hour, 3 * hour, true},
	} {
		t.Run(fmt.Sprintf("at %v, from %v to %v", c.at, c.this, c.next), func(t *testing.T) {
			v := &verification{at: now.Add(c.at), now: now}
			next := now.Add(c.next)
			if c.next == 0 {
				next = time.Time{}
			}
			if got := v.current(now.Add(c.this), next); got != c.want {
				t.Errorf("at %v of %v to %v: %v", c.at, c.this, c.next, got)
			}
		})
	}
}

// TestFetchedLists holds that a large CRL that is fetched again keeps its index,
// and that few are remembered.
func TestFetchedLists(t *testing.T) {
	var c cache
	large := hugeCRL(10_000, []byte{0x30, 0}, nil)
	first := c.fetchedEntry(KindCRL, large)
	if again := c.fetchedEntry(KindCRL, large); again != first {
		t.Error("not remembered")
	}
	if c.fetchedEntry(KindCRL, large) == c.fetchedEntry(KindCRL, bytes.Clone(large)) {
		t.Error("taken for another")
	}
	for range 10 {
		c.fetchedEntry(KindCRL, bytes.Clone(large))
	}
	if len(c.lists) > fetchedLists {
		t.Errorf("%d remembered", len(c.lists))
	}
}

// BenchmarkHugeCRLVerify has the whole validation of a leaf with such a CRL:
// the first look-up checks the signature and makes the index.
func BenchmarkHugeCRLVerify(b *testing.B) {
	const n = 2_000_000
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Root"}, NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	leaf := *root
	leaf.SerialNumber, leaf.Subject, leaf.IsCA, leaf.KeyUsage = big.NewInt(2), pkix.Name{CommonName: "Leaf"}, false, x509.KeyUsageDigitalSignature
	make := func(c *x509.Certificate) *x509.Certificate {
		der, err := x509.CreateCertificate(nil, c, root, key.Public(), key)
		if err != nil {
			b.Fatal(err)
		}
		c, err = x509.ParseCertificate(der)
		if err != nil {
			b.Fatal(err)
		}
		return c
	}
	ca, cert := make(root), make(&leaf)
	der := hugeCRL(n, ca.RawSubject, key)
	p := Policy{Purpose: EmailSigning, InsecureAnyMailbox: true}
	p.At, p.Revocation = at, RevocationRequireLeaf
	verify := func(c *Collection, i int) {
		// Another time each time: the path cache is not what is measured.
		p.At = at.Add(time.Duration(i) * time.Second)
		if _, err := c.Verify(b.Context(), cert, p); err != nil {
			b.Fatal(err)
		}
	}
	i := 0
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i++
			verify(NewCollection(Anchors(Certs(ca)), Untrusted(DER(der))), i)
		}
	})
	c := NewCollection(Anchors(Certs(ca)), Untrusted(DER(der)))
	verify(c, 0)
	b.Run("second", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			i++
			verify(c, i)
		}
	})
}
