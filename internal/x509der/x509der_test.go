package x509der_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// testCert returns a certificate made by crypto/x509 of a fixed key.
func testCert(t testing.TB, change func(*x509.Certificate)) []byte {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	tmpl := &x509.Certificate{
		SerialNumber:   big.NewInt(4711),
		Subject:        pkix.Name{CommonName: "Alice", Organization: []string{"Example"}, Country: []string{"DE"}},
		NotBefore:      time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC),
		NotAfter:       time.Date(2050, 1, 2, 3, 4, 5, 0, time.UTC),
		EmailAddresses: []string{"alice@example.com"},
		KeyUsage:       x509.KeyUsageDigitalSignature,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		SubjectKeyId:   []byte{1, 2, 3},
		AuthorityKeyId: []byte{4, 5, 6},
	}
	if change != nil {
		change(tmpl)
	}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// agrees holds a parsed certificate against crypto/x509's reading of it.
func agrees(t testing.TB, c *x509der.Certificate, std *x509.Certificate) {
	t.Helper()
	switch {
	case !bytes.Equal(c.Raw, std.Raw), !bytes.Equal(c.TBS, std.RawTBSCertificate):
		t.Error("Raw or TBS differ")
	case c.Version != std.Version:
		t.Error("Version differs")
	case c.Serial.Cmp(std.SerialNumber) != 0:
		t.Error("Serial differs")
	case !bytes.Equal(c.Issuer, std.RawIssuer), !bytes.Equal(c.Subject, std.RawSubject):
		t.Error("names differ")
	case !c.NotBefore.Equal(std.NotBefore), !c.NotAfter.Equal(std.NotAfter):
		t.Error("times differ", c.NotBefore, std.NotBefore, c.NotAfter, std.NotAfter)
	case !bytes.Equal(c.SPKI, std.RawSubjectPublicKeyInfo):
		t.Error("SPKI differs")
	case !bytes.Equal(c.Signature, std.Signature):
		t.Error("Signature differs")
	case !bytes.Equal(c.SubjectKeyID, std.SubjectKeyId), !bytes.Equal(c.AuthorityKeyID, std.AuthorityKeyId):
		t.Error("key identifiers differ")
	case len(c.Extensions) != len(std.Extensions):
		t.Error("Extensions differ in number")
	}
	for i, e := range c.Extensions {
		s := std.Extensions[i]
		if e.ID.String() != s.Id.String() || e.Critical != s.Critical || !bytes.Equal(e.Value, s.Value) {
			t.Errorf("extension %d differs", i)
		}
	}
}

func TestParse(t *testing.T) {
	der := testCert(t, nil)
	std, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509der.Parse(der)
	if err != nil {
		t.Fatal(err)
	}
	agrees(t, c, std)
	if c.Extension(oid.ExtKeyUsage) == nil || c.Extension(oid.ExtNameConstraints) != nil {
		t.Error("Extension")
	}
	ids := c.KeyIDs()
	sum := sha1.Sum(c.KeyBits())
	whole := sha1.Sum(std.RawSubjectPublicKeyInfo)
	if len(ids) != 5 || !bytes.Equal(ids[0], []byte{1, 2, 3}) || !bytes.Equal(ids[1], sum[:]) ||
		len(ids[2]) != 8 || ids[2][0]>>4 != 4 || !bytes.Equal(ids[2][1:], sum[13:]) || len(ids[3]) != 20 || !bytes.Equal(ids[4], whole[:]) {
		t.Errorf("KeyIDs = %x", ids)
	}
}

// TestTruncated holds that no part of a certificate is one, and that no change
// of one octet panics or lengthens what is read.
func TestTruncated(t *testing.T) {
	der := testCert(t, nil)
	for n := range der {
		c, err := x509der.Parse(der[:n])
		var e *x509der.Error
		if c != nil || !errors.As(err, &e) {
			t.Fatalf("%d octets: %v, %v", n, c, err)
		}
		flipped := bytes.Clone(der)
		flipped[n] ^= 0xff
		if c, err := x509der.Parse(flipped); err == nil {
			c.KeyIDs()
			x509der.NormalName(c.Subject)
			c.Mailboxes() // only that it returns
		}
	}
	if _, err := x509der.Parse(append(bytes.Clone(der), 0)); err == nil {
		t.Error("accepted what follows the certificate")
	}
}

// build makes the outer shape of a certificate around hand-made parts.
func build(version, serial []byte, validity [2][]byte, extensions []byte) []byte {
	var b cryptobyte.Builder
	alg := []byte{0x30, 5, 6, 3, 0x2b, 0x65, 0x70}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(version)
			b.AddBytes(serial)
			b.AddBytes(alg)
			b.AddBytes([]byte{0x30, 0})
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(validity[0])
				b.AddBytes(validity[1])
			})
			b.AddBytes([]byte{0x30, 0})
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(alg)
				b.AddASN1BitString(make([]byte, 32))
			})
			b.AddBytes(extensions)
		})
		b.AddBytes(alg)
		b.AddASN1BitString(make([]byte, 64))
	})
	return b.BytesOrPanic()
}

func element(tag byte, content string) []byte {
	return append([]byte{tag, byte(len(content))}, content...)
}

func TestOddities(t *testing.T) {
	v3 := []byte{0xa0, 3, 2, 1, 2}
	one := []byte{2, 1, 1}
	utc, gen := func(s string) []byte { return element(0x17, s) }, func(s string) []byte { return element(0x18, s) }
	dates := [2][]byte{utc("200101000000Z"), gen("99991231235959Z")}
	ext := func(list ...string) []byte {
		return element(0xa3, string(element(0x30, strings.Join(list, ""))))
	}
	bc := "\x30\x09\x06\x03\x55\x1d\x13\x04\x02\x30\x00"
	bcFalse := "\x30\x0c\x06\x03\x55\x1d\x13\x01\x01\x00\x04\x02\x30\x00"
	for _, c := range []struct {
		name string
		der  []byte
		ok   bool
	}{
		{"plain", build(v3, one, dates, nil), true},
		{"v1", build(nil, one, dates, nil), true},
		{"v1 written out", build([]byte{0xa0, 3, 2, 1, 0}, one, dates, nil), true},
		{"v4", build([]byte{0xa0, 3, 2, 1, 3}, one, dates, nil), false},
		{"v1 with extensions", build(nil, one, dates, ext(bc)), false},
		{"v2 with extensions", build([]byte{0xa0, 3, 2, 1, 1}, one, dates, ext(bc)), false},
		{"extensions", build(v3, one, dates, ext(bc)), true},
		{"critical FALSE", build(v3, one, dates, ext(bcFalse)), true},
		{"no extension", build(v3, one, dates, ext()), false},
		{"the same twice", build(v3, one, dates, ext(bc, bcFalse)), false},
		{"after extensions", build(v3, one, dates, append(ext(bc), 5, 0)), false},
		{"negative serial", build(v3, []byte{2, 1, 0x80}, dates, nil), true},
		{"zero serial", build(v3, []byte{2, 1, 0}, dates, nil), true},
		{"long serial", build(v3, element(2, strings.Repeat("\x11", 37)), dates, nil), true},
		{"padded serial", build(v3, []byte{2, 2, 0, 1}, dates, nil), false},
		{"empty serial", build(v3, []byte{2, 0}, dates, nil), false},
		{"two digits, no seconds", build(v3, one, [2][]byte{utc("9001010000Z"), dates[1]}, nil), true},
		{"two digits, offset", build(v3, one, [2][]byte{utc("900101000000+0130"), dates[1]}, nil), true},
		{"four digits, offset", build(v3, one, [2][]byte{gen("19900101000000+0130"), dates[1]}, nil), false},
		{"four digits, fraction", build(v3, one, [2][]byte{gen("19900101000000.5Z"), dates[1]}, nil), false},
		{"four digits, no seconds", build(v3, one, [2][]byte{gen("199001010000Z"), dates[1]}, nil), false},
		{"30 February", build(v3, one, [2][]byte{utc("200230000000Z"), dates[1]}, nil), false},
		{"29 February", build(v3, one, [2][]byte{utc("200229000000Z"), dates[1]}, nil), true},
		{"29 February of no leap year", build(v3, one, [2][]byte{utc("210229000000Z"), dates[1]}, nil), false},
		{"hour 24", build(v3, one, [2][]byte{utc("200101240000Z"), dates[1]}, nil), false},
		{"second 60", build(v3, one, [2][]byte{utc("200101000060Z"), dates[1]}, nil), false},
		{"no zone", build(v3, one, [2][]byte{utc("200101000000"), dates[1]}, nil), false},
		{"month 0", build(v3, one, [2][]byte{utc("200001000000Z"), dates[1]}, nil), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			cert, err := x509der.Parse(c.der)
			if (err == nil) != c.ok {
				t.Errorf("%v", err)
			}
			if c.ok && !cert.NotAfter.Equal(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)) {
				t.Errorf("notAfter is %v", cert.NotAfter)
			}
		})
	}
	for in, want := range map[string]int{"491231235959Z": 2049, "500101000000Z": 1950} {
		t.Run(in, func(t *testing.T) {
			c, err := x509der.Parse(build(v3, one, [2][]byte{utc(in), dates[1]}, nil))
			if err != nil || c.NotBefore.Year() != want {
				t.Errorf("%s is in %v, %v", in, c.NotBefore.Year(), err)
			}
		})
	}
	c, err := x509der.Parse(build(v3, []byte{2, 2, 0xff, 0x7f}, dates, nil))
	if err != nil || c.Serial.Int64() != -129 || !bytes.Equal(c.SerialDER, []byte{0xff, 0x7f}) {
		t.Errorf("negative serial: %v, %v", c.Serial, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(testCert(f, nil))
	f.Add(build(nil, []byte{2, 1, 0x80}, [2][]byte{element(0x17, "9001010000Z"), element(0x18, "99991231235959Z")}, nil))
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509der.Parse(der)
		if err != nil {
			if c != nil {
				t.Fatal("a certificate beside an error")
			}
			return
		}
		c.KeyIDs()
		if list, err := c.Mailboxes(); err != nil && list != nil {
			t.Fatal("mailboxes beside an error")
		}
		std, err := x509.ParseCertificate(der)
		if err == nil {
			agrees(t, c, std)
		}
	})
}

// certificates calls f with every certificate of the corpus and of the PKITS
// suite that stands in every Go installation.
func certificates(t *testing.T, f func(name string, der []byte)) {
	t.Helper()
	visit := func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		switch filepath.Ext(path) {
		case ".pem", ".crt", ".cer", ".der":
		default:
			return nil
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if len(raw) > 0 && raw[0] == 0x30 {
			f(path, raw)
			return nil
		}
		for {
			var b *pem.Block
			if b, raw = pem.Decode(raw); b == nil {
				return nil
			}
			if strings.HasSuffix(b.Type, "CERTIFICATE") {
				f(path, b.Bytes)
			}
		}
	}
	if err := filepath.WalkDir(filepath.Join(suites.GOROOT(t), "src/crypto/x509/testdata"), visit); err != nil {
		t.Log(err)
	}
	if err := filepath.WalkDir(suites.Corpus(t), visit); err != nil {
		t.Fatal(err)
	}
}

// TestCorpus holds that every certificate that crypto/x509 reads is read here,
// and alike.
func TestCorpus(t *testing.T) {
	both, more := 0, 0
	certificates(t, func(name string, der []byte) {
		std, stdErr := x509.ParseCertificate(der)
		c, err := x509der.Parse(der)
		switch {
		case filepath.Base(name) == "extensions_empty_sequence.pem":
			// RFC 5280 section 4.1.2.9: one or more.
			if err == nil {
				t.Errorf("%s was read", name)
			}
		case stdErr == nil && err != nil:
			t.Errorf("%s: %v", name, err)
		case stdErr == nil:
			both++
			agrees(t, c, std)
		case err == nil:
			more++
		}
	})
	t.Logf("%d read by both, %d only here", both, more)
	if both < 1000 || more < 10 {
		t.Errorf("%d read by both, %d only here", both, more)
	}
}

func BenchmarkParse(b *testing.B) {
	der := testCert(b, nil)
	b.Run("x509der", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x509der.Parse(der); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("crypto/x509", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := x509.ParseCertificate(der); err != nil {
				b.Fatal(err)
			}
		}
	})
}
