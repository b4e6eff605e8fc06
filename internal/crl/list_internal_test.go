package crl

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// linear looks a serial number up without the index.
func (c *List) linear(t testing.TB, issuerKey string, serial []byte) (found []Entry) {
	t.Helper()
	current := []string{c.IssuerKey}
	for s := cryptobyte.String(c.entries); !s.Empty(); {
		var e entry
		if !readEntry(&s, &e) {
			continue
		}
		if e.issuer != nil {
			current = issuerKeys(e.issuer)
		}
		if bytes.Equal(e.serial, x509der.TrimInteger(serial)) && slices.Contains(current, issuerKey) {
			found = append(found, e.Entry)
		}
	}
	return found
}

func issuerKeys(der []byte) []string {
	points, ok := ParseDistributionPoints(sequenceOf(tag(0xa2, contents(der))), "")
	if !ok {
		return nil
	}
	return points[0].Keys
}

func contents(der []byte) []byte {
	var b cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&b, asn1.SEQUENCE) {
		return nil
	}
	return b
}

func tag(t asn1.Tag, content []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(t, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}

func sequenceOf(content []byte) []byte { return tag(asn1.SEQUENCE, tag(asn1.SEQUENCE, content)) }

// testCRL is a CRL by crypto/x509.
func testCRL(t testing.TB, serials ...int64) []byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	l := &x509.RevocationList{Number: big.NewInt(7), ThisUpdate: time.Unix(1.7e9, 0), NextUpdate: time.Unix(1.8e9, 0)}
	for i, n := range serials {
		l.RevokedCertificateEntries = append(l.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(n), RevocationTime: time.Unix(1.6e9, 0), ReasonCode: i % 7,
		})
	}
	der, err := x509.CreateRevocationList(nil, l, &x509.Certificate{
		Subject: pkix.Name{CommonName: "CA"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// checkCRL holds what was read against the linear walk and crypto/x509.
func checkCRL(t testing.TB, der []byte) {
	c, err := Parse(der)
	if err != nil {
		if c != nil {
			t.Fatal("a CRL beside an error")
		}
		return
	}
	std, stdErr := x509.ParseRevocationList(der)
	if stdErr == nil {
		switch {
		case !bytes.Equal(c.TBS, std.RawTBSRevocationList), !bytes.Equal(c.Issuer, std.RawIssuer), !bytes.Equal(c.Signature, std.Signature):
			t.Fatal("not as crypto/x509 has it")
		case !c.ThisUpdate.Equal(std.ThisUpdate), !c.NextUpdate.Equal(std.NextUpdate):
			t.Fatal("times are not as crypto/x509 has them")
		case !bytes.Equal(c.AuthorityKey, std.AuthorityKeyId):
			t.Fatal("key identifier is not as crypto/x509 has it")
		}
	}
	entries, err := c.Lookup(c.IssuerKey, []byte{1})
	if err != nil {
		if entries != nil {
			t.Fatal("entries beside an error")
		}
		return
	}
	n := 0
	for s := cryptobyte.String(c.entries); !s.Empty() && n < 100; n++ {
		var e entry
		if !readEntry(&s, &e) {
			return // such as 30 February, which only looking the entry up shows
		}
		got, err := c.Lookup(c.IssuerKey, e.serial)
		// The first look-up scans, later ones use the index.
		fresh, freshErr := Parse(der)
		if freshErr != nil {
			t.Fatal(freshErr)
		}
		scanned, scanErr := fresh.Lookup(c.IssuerKey, e.serial)
		if !slices.Equal(got, scanned) || (err == nil) != (scanErr == nil) {
			t.Fatalf("serial number %x: %d entries, scanned %d, %v, %v", e.serial, len(got), len(scanned), err, scanErr)
		}
		if err != nil {
			continue
		}
		if want := c.linear(t, c.IssuerKey, e.serial); len(got) != len(want) {
			t.Fatalf("serial number %x: %d entries, linearly %d", e.serial, len(got), len(want))
		}
		if stdErr == nil && n < len(std.RevokedCertificateEntries) {
			s := std.RevokedCertificateEntries[n]
			if !s.RevocationTime.Equal(e.Date) || new(big.Int).SetBytes(e.serial).Cmp(s.SerialNumber) != 0 && s.SerialNumber.Sign() >= 0 {
				t.Fatalf("entry %d is not as crypto/x509 has it", n)
			}
		}
	}
	if c.index == nil {
		return
	}
	if size := 8*len(c.index.slots) + 4*len(c.index.issuers); size > 12*len(c.index.slots) {
		t.Fatalf("index of %d octets for %d entries", size, len(c.index.slots))
	}
}

func FuzzCRL(f *testing.F) {
	f.Add(testCRL(f))
	f.Add(testCRL(f, 1, 2, 3, 1, 128, 65535))
	f.Fuzz(func(t *testing.T, der []byte) { checkCRL(t, der) })
}

// TestCRLCorpus reads the CRLs of the suites as crypto/x509 does.
func TestCRLCorpus(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "pkits", "crls"), "*.crl"))
	if err != nil || len(files) != 173 {
		t.Fatalf("%d files, want 173: %v", len(files), err)
	}
	read := 0
	for _, f := range files {
		der, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		checkCRL(t, der)
		if _, err := Parse(der); err == nil {
			read++
		} else if _, err := x509.ParseRevocationList(der); err == nil && filepath.Base(f) != "BadCRLSignatureCACRL.crl" {
			t.Errorf("%s can't be read", f)
		}
	}
	if read < 170 {
		t.Errorf("%d of %d read", read, len(files))
	}
}

func TestCRLTruncated(t *testing.T) {
	der := testCRL(t, 1, 2, 3)
	for n := range der {
		if _, err := Parse(der[:n]); err == nil {
			t.Fatalf("%d octets were read", n)
		}
		flipped := bytes.Clone(der)
		flipped[n] ^= 0xff
		checkCRL(t, flipped)
	}
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

// TestHugeCRL holds that a CRL is never copied and that the index is small.
func TestHugeCRL(t *testing.T) {
	const n = 200_000
	der := hugeCRL(n, []byte{0x30, 0}, nil)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	c, err := Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	serial := append([]byte(nil), contents(c.entries)[2:12]...)
	if e, err := c.Lookup(c.IssuerKey, serial); err != nil || len(e) != 1 || e[0].Reason != 5 {
		t.Fatalf("%v, %v", e, err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 12*n {
		t.Errorf("%d octets allocated for %d entries", used, n)
	}
	serial[0] ^= 0x20
	if e, err := c.Lookup(c.IssuerKey, serial); err != nil || e != nil {
		t.Fatalf("%v, %v", e, err)
	}
	if e, err := c.Lookup("another", contents(c.entries)[2:12]); err != nil || e != nil {
		t.Fatalf("%v, %v", e, err)
	}
}

// TestChangingIssuers has an indirect CRL whose issuer changes with every entry,
// the worst case of the index.
func TestChangingIssuers(t *testing.T) {
	const n = 1000
	var list, keys = []byte(nil), [2]string{}
	for i := range n {
		name := tag(asn1.SEQUENCE, tag(asn1.SET, tag(asn1.SEQUENCE, append([]byte{6, 3, 0x55, 4, 3}, 12, 1, 'A'+byte(i%2)))))
		keys[i%2] = x509der.NormalName(name)
		ext := append([]byte{6, 3, 0x55, 0x1d, 0x1d, 1, 1, 0xff}, tag(asn1.OCTET_STRING, tag(asn1.SEQUENCE, tag(0xa4, name)))...)
		serial := []byte{2, 2, 1 + byte(i>>8), byte(i)}
		list = append(list, tag(asn1.SEQUENCE, append(append(serial, "\x17\x0d250101000000Z"...), sequenceOf(ext)...))...)
	}
	c := &List{entries: list}
	for i := range n {
		serial := []byte{1 + byte(i>>8), byte(i)}
		right, err := c.Lookup(keys[i%2], serial)
		wrong, err2 := c.Lookup(keys[1-i%2], serial)
		if err != nil || err2 != nil || len(right) != 1 || len(wrong) != 0 {
			t.Fatalf("entry %d: %d of its issuer, %d of the other, %v, %v", i, len(right), len(wrong), err, err2)
		}
	}
	if size := 8*cap(c.index.slots) + 4*cap(c.index.issuers); size > 12*n+4096 {
		t.Errorf("index of %d octets", size)
	}
}

func BenchmarkHugeCRL(b *testing.B) {
	const n = 2_000_000
	der := hugeCRL(n, []byte{0x30, 0}, nil)
	b.Run("first", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(der)))
		for b.Loop() {
			c, err := Parse(der)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := c.Lookup(c.IssuerKey, []byte{1}); err != nil {
				b.Fatal(err)
			}
		}
	})
	c, err := Parse(der)
	if err != nil {
		b.Fatal(err)
	}
	serial := contents(c.entries)[2:12]
	if _, err := c.Lookup(c.IssuerKey, serial); err != nil {
		b.Fatal(err)
	}
	b.Run("second", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if e, err := c.Lookup(c.IssuerKey, serial); err != nil || len(e) != 1 {
				b.Fatal(e, err)
			}
		}
	})
}

// FuzzPoints holds that distribution points of both extensions are read within
// the limits and that their names compare equal to themselves.
func FuzzPoints(f *testing.F) {
	f.Add([]byte("\x30\x10\x30\x0e\xa0\x0c\xa0\x0a\x86\x08http://a"))
	f.Add([]byte("\x30\x0e\xa0\x0c\xa0\x0a\x86\x08http://a"))
	f.Add([]byte("\x30\x06\x81\x01\xff\x83\x01\x00"))
	f.Fuzz(func(t *testing.T, der []byte) {
		points, ok := ParseDistributionPoints(der, "N")
		if !ok && points != nil {
			t.Fatal("points beside a failure")
		}
		for i := range points {
			p := &points[i]
			if len(p.names) > maxDistributionPoints || len(p.names) == 0 && p.Issuers == nil || p.Reasons&^AllReasons != 0 {
				t.Fatalf("%+v", p)
			}
			if names := p.scopeNames(); len(names) > 0 && !overlap(names, p.scopeNames()) {
				t.Fatal("names differ from themselves")
			}
		}
		idp, ok := parseIssuingPoint(der, "N")
		if ok && (idp.reasons&^AllReasons != 0 || idp.onlyUser && idp.onlyCA) {
			t.Fatalf("%+v", idp)
		}
	})
}
