package x509der_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/internal/x509der"
)

const cn, mail = "\x06\x03\x55\x04\x03", "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01"

func seq(list ...string) string { return string(element(0x30, strings.Join(list, ""))) }
func set(list ...string) string { return string(element(0x31, strings.Join(list, ""))) }

// atv is an attribute; tags: 12 UTF8, 19 Printable, 20 Teletex, 22 IA5, 28
// Universal, 30 BMP.
func atv(id string, tag byte, s string) string { return seq(id, string(element(tag, s))) }

func name(rdns ...string) []byte { return []byte(seq(rdns...)) }

func TestEqualNames(t *testing.T) {
	alice := name(set(atv(cn, 12, "Alice B")))
	for _, c := range []struct {
		what string
		a, b []byte
		want bool
	}{
		{"bytes", alice, alice, true},
		{"string types", alice, name(set(atv(cn, 19, "Alice B"))), true},
		{"Teletex", alice, name(set(atv(cn, 20, "Alice B"))), true},
		{"IA5", alice, name(set(atv(cn, 22, "Alice B"))), true},
		{"BMP", alice, name(set(atv(cn, 30, "\x00A\x00l\x00i\x00c\x00e\x00 \x00B"))), true},
		{"case", alice, name(set(atv(cn, 12, "aLICE b"))), true},
		{"space", alice, name(set(atv(cn, 12, "  Alice \t B "))), true},
		{"no space", alice, name(set(atv(cn, 12, "AliceB"))), false},
		{"more", alice, name(set(atv(cn, 12, "Alice B")), set(atv(cn, 12, "x"))), false},
		{"other type", alice, name(set(atv("\x06\x03\x55\x04\x0a", 12, "Alice B"))), false},
		{"octet string", alice, name(set(atv(cn, 4, "Alice B"))), false},
		{"wide case", name(set(atv(cn, 12, "ÄÉŽ"))), name(set(atv(cn, 12, "äéž"))), true},
		{"wide and Latin-1", name(set(atv(cn, 12, "ä"))), name(set(atv(cn, 20, "\xe4"))), true},
		{"wide and narrow", name(set(atv(cn, 12, "ä"))), name(set(atv(cn, 12, "a"))), false},
		{"RDN order", name(set(atv(cn, 12, "a"), atv(mail, 22, "b"))), name(set(atv(mail, 22, "B"), atv(cn, 19, "A"))), true},
		{"RDN and two RDNs", name(set(atv(cn, 12, "a"), atv(cn, 12, "b"))), name(set(atv(cn, 12, "a")), set(atv(cn, 12, "b"))), false},
		{"order of RDNs", name(set(atv(cn, 12, "a")), set(atv(cn, 12, "b"))), name(set(atv(cn, 12, "b")), set(atv(cn, 12, "a"))), false},
		{"same twice", name(set(atv(cn, 12, "a"), atv(cn, 12, "a"))), name(set(atv(cn, 12, "a"))), false},
		{"broken UTF-8", name(set(atv(cn, 12, "\xff"))), name(set(atv(cn, 12, "\xfe"))), false},
		{"shifted boundary", name(set(atv(cn, 12, "ab")), set(atv(cn, 12, "c"))), name(set(atv(cn, 12, "a")), set(atv(cn, 12, "bc"))), false},
		{"empty", name(), name(), true},
		{"empty RDN", name(set()), name(), false},
		{"broken", []byte{0x30}, []byte{0x30}, true},
		{"broken otherwise", []byte{0x30}, []byte{0x31}, false},
		{"nothing", nil, name(), false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if got := x509der.EqualNames(c.a, c.b); got != c.want || x509der.EqualNames(c.b, c.a) != c.want {
				t.Errorf("%v", got)
			}
			if got := x509der.NormalName(c.a) == x509der.NormalName(c.b); got != c.want {
				t.Errorf("keys equal: %v", got)
			}
		})
	}
	upper, lower := name(set(atv(cn, 12, "A"))), name(set(atv(cn, 19, "a")), set(atv(cn, 12, "b")))
	if !x509der.WithinName(lower, upper) || x509der.WithinName(upper, lower) || !x509der.WithinName(upper, name()) ||
		x509der.WithinName(lower, name(set(atv(cn, 12, "ab")))) || x509der.WithinName([]byte{0x30}, []byte{0x30}) {
		t.Error("WithinName")
	}
}

// TestBoringSSLNames holds the names of that suite against each other: those
// whose file names differ only in string type and mangling are equal.
func TestBoringSSLNames(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "boringssl-pki", "verify_name_match_unittest", "names"), "*.pem"))
	if err != nil || len(files) != 82 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	classes := map[string]string{} // of the ASCII names: suffix → key
	broken := 0
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b, _ := pem.Decode(raw)
		if b == nil {
			t.Fatal(f)
		}
		base := strings.TrimSuffix(filepath.Base(f), ".pem")
		key := x509der.NormalName(b.Bytes)
		parts := strings.Split(base, "-")
		if parts[0] == "invalid" {
			if key != "?"+string(b.Bytes) {
				// BoringSSL also wants the type to be a good identifier.
				if base != "invalid-AttributeTypeAndValue-badAttributeType" {
					t.Errorf("%s was read", base)
				}
			}
			broken++
			continue
		}
		if parts[0] != "ascii" || strings.Contains(base, "sorting") {
			continue
		}
		class := strings.Join(parts[3:], "-")
		if was, ok := classes[class]; ok && was != key {
			t.Errorf("%s is unlike the others of its kind", base)
		}
		classes[class] = key
	}
	seen := map[string]bool{}
	for _, key := range classes {
		seen[key] = true
	}
	if broken != 8 || len(classes) != 4 || len(seen) != 4 {
		t.Errorf("%d broken, %d kinds, %d distinct", broken, len(classes), len(seen))
	}
}

// FuzzNames holds that the comparison is symmetric, agrees with the keys, and
// that what crypto/x509 reads as a name has a key of its own kind.
func FuzzNames(f *testing.F) {
	f.Add(name(set(atv(cn, 12, "Alice B"))), name(set(atv(cn, 19, " alice  b"))))
	f.Add(name(set(atv(cn, 30, "\x00A"), atv(mail, 22, "b"))), name())
	f.Fuzz(func(t *testing.T, a, b []byte) {
		eq := x509der.EqualNames(a, b)
		if eq != x509der.EqualNames(b, a) || eq != (x509der.NormalName(a) == x509der.NormalName(b)) {
			t.Fatal("not symmetric, or not as the keys")
		}
		if !x509der.EqualNames(a, bytes.Clone(a)) {
			t.Fatal("not equal to itself")
		}
	})
}

func TestMailboxes(t *testing.T) {
	utf8Box := seq("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x09", "\xa0\x0d\x0c\x0b\xe8\x80\x81\xe5\xb8\xab@a.bc")
	utf8San := "\xa0" + utf8Box[1:]
	for _, c := range []struct {
		what    string
		san     string
		subject []byte
		want    string
	}{
		{"SAN", seq("\x81\x05a@b.c"), name(set(atv(mail, 22, "x@y.z"))), "a@b.c"},
		{"two", seq("\x81\x05a@b.c", "\x82\x01d", "\x81\x05e@f.g"), name(), "a@b.c e@f.g"},
		{"UTF-8", seq("\x81\x05a@b.c", utf8San), name(), "a@b.c 老師@a.bc utf8"},
		{"subject", "", name(set(atv(mail, 22, "x@y.z")), set(atv(mail, 12, "u@v.w"))), "x@y.z subject u@v.w subject"},
		{"SAN without mailbox", seq("\x82\x01d"), name(set(atv(mail, 22, "x@y.z"))), "x@y.z subject"},
		{"bad SAN entry keeps the subject out", seq("\x81\x06a@b\x00.c"), name(set(atv(mail, 22, "x@y.z"))), ""},
		{"non-ASCII", seq("\x81\x06\xc3\xa4@b.c", "\x81\x05a@b.c"), name(), "a@b.c"},
		{"BMP in the subject", "", name(set(atv(mail, 30, "\x00a\x00@\x00b"))), ""},
		{"NUL in the subject", "", name(set(atv(mail, 22, "a@b\x00.c"))), ""},
	} {
		t.Run(c.what, func(t *testing.T) {
			cert := &x509der.Certificate{Subject: c.subject}
			if c.san != "" {
				cert.Extensions = []x509der.Extension{{ID: oid.ExtSubjectAltName, Value: []byte(c.san)}}
			}
			list, err := cert.Mailboxes()
			if err != nil {
				t.Errorf("%v", err)
			}
			var got []string
			for _, m := range list {
				s := m.Address
				if m.UTF8 {
					s += " utf8"
				}
				if m.Subject {
					s += " subject"
				}
				got = append(got, s)
			}
			if strings.Join(got, " ") != c.want {
				t.Errorf("%q", got)
			}
		})
	}
	for _, san := range []string{"", "\x30\x02\x81\x05", "\x30\x02\xa1\x00", "\x30\x02\x89\x00", "\x30\x02\xa4\x00", "\x30\x02\x0c\x00"} {
		cert := &x509der.Certificate{Extensions: []x509der.Extension{{ID: oid.ExtSubjectAltName, Value: []byte(san)}}}
		if list, err := cert.Mailboxes(); err == nil {
			t.Errorf("SAN %x: %v", san, list)
		}
	}
}

func TestSmtpUTF8Mailbox(t *testing.T) {
	for s, ok := range map[string]bool{
		"老師@example.com": true, "ä.b@xn--bcher-kva.example": true,
		"alice@example.com": false, "老師@Example.com": false, "老師@bücher.example": true, "老師": false, "@example.com": false,
		"\ufeff老師@example.com": false, "老師@": false, "老師@-a.b": false, "老\x00師@a.b": false, "老師@a..b": false, "\xff@a.b": false,
	} {
		t.Run(s, func(t *testing.T) {
			got, good := x509der.SmtpUTF8Mailbox(element(12, s))
			if good != ok || ok && got != s {
				t.Errorf("%q, %v", got, good)
			}
		})
	}
	if _, ok := x509der.SmtpUTF8Mailbox(element(22, "ä@b.c")); ok {
		t.Error("accepted an IA5String")
	}
}

func BenchmarkNormalName(b *testing.B) {
	c, err := x509der.Parse(testCert(b, func(c *x509.Certificate) {
		c.Subject = pkix.Name{CommonName: "Some Issuing CA 2020", Organization: []string{"Example GmbH"}, Country: []string{"DE"}}
	}))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		x509der.NormalName(c.Subject)
	}
}
