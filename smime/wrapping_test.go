package smime_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

const evil = "pay 999 to mallory"

// A wrapper puts an entity, header and body, into an entity of mallory's.
type wrapper struct {
	name string
	wrap func(n int, entity string) string
}

// wrappers are the ways in which others hide, quote, cover and move a part:
// those of "Johnny, you are fired", EFAIL and "Re: What's up Johnny?".
func wrappers() []wrapper {
	multipart := func(kind string, parts ...string) func(int, string) string {
		return func(n int, entity string) string {
			var b strings.Builder
			fmt.Fprintf(&b, "Content-Type: multipart/%s; boundary=w%d\r\n\r\n", kind, n)
			for _, p := range parts {
				fmt.Fprintf(&b, "--w%d\r\n%s\r\n", n, strings.ReplaceAll(p, "{}", entity))
			}
			fmt.Fprintf(&b, "--w%d--\r\n", n)
			return b.String()
		}
	}
	text := "Content-Type: text/plain\r\n\r\n" + evil
	open := "Content-Type: text/html\r\n\r\n<img src=\"http://evil.test/"
	shut := "Content-Type: text/html\r\n\r\n\">"
	return []wrapper{
		{"alone in mixed", multipart("mixed", "{}")},
		{"after text", multipart("mixed", text, "{}")},
		{"before text", multipart("mixed", "{}", text)},
		{"between halves of a tag", multipart("mixed", open, "{}", shut)},
		{"alternative", multipart("alternative", text, "{}")},
		{"referred to by cid", multipart("related", "Content-Type: text/html\r\n\r\n"+evil+"<iframe src=cid:x>", "Content-ID: <x>\r\n{}")},
		{"root of related", multipart("related; start=\"<x>\"", text, "Content-ID: <x>\r\n{}")},
		{"digest", multipart("digest", "\r\n{}")},
		{"report", multipart("report", text, "{}")},
		{"unknown multipart", multipart("x-mallory", "{}")},
		{"signed by nobody", multipart("signed; protocol=\"application/pkcs7-signature\"", "{}", "Content-Type: application/pkcs7-signature\r\n\r\nx")},
		{"signed by PGP", multipart("signed; protocol=\"application/pgp-signature\"", "{}", "Content-Type: application/pgp-signature\r\n\r\nx")},
		{"encrypted by PGP", multipart("encrypted; protocol=\"application/pgp-encrypted\"", "Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1", "{}")},
		{"forwarded", func(_ int, e string) string { return "Content-Type: message/rfc822\r\n\r\n" + e }},
		{"forwarded as global", func(_ int, e string) string { return "Content-Type: message/global\r\n\r\n" + e }},
		{"forwarded in base64", func(_ int, e string) string {
			return "Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString([]byte(e))
		}},
		{"partial", func(_ int, e string) string {
			return "Content-Type: message/partial; number=1; total=1; id=x\r\n\r\n" + e
		}},
		{"two types", func(n int, e string) string { return "Content-Type: text/html\r\n" + e }},
		{"behind a line of the body", func(n int, e string) string { return "Content-Type: text/plain\r\n\r\n" + evil + "\r\n" + e }},
		{"in a preamble", func(n int, e string) string {
			return fmt.Sprintf("Content-Type: multipart/mixed; boundary=w%d\r\n\r\n%s\r\n--w%d\r\n%s\r\n--w%d--\r\n", n, e, n, text, n)
		}},
		{"in an epilogue", func(n int, e string) string {
			return fmt.Sprintf("Content-Type: multipart/mixed; boundary=w%d\r\n\r\n--w%d\r\n%s\r\n--w%d--\r\n%s", n, n, text, n, e)
		}},
		{"without delimiter", func(n int, e string) string {
			return fmt.Sprintf("Content-Type: multipart/mixed; boundary=w%d\r\n\r\n%s", n, e)
		}},
		{"bare CR delimiters", func(n int, e string) string {
			return fmt.Sprintf("Content-Type: multipart/mixed; boundary=w%d\r\n\r\n--w%d\r%s\r--w%d--\r", n, n, e, n)
		}},
		{"compressed", func(_ int, e string) string {
			var b bytes.Buffer
			if err := pkcs7.Compress(&b, strings.NewReader(e)); err != nil {
				panic(err)
			}
			return string(cmsMail("", "compressed-data", b.Bytes()))
		}},
	}
}

// entityOf is a message without the fields before its MIME ones.
func entityOf(msg []byte) string { return string(msg[bytes.Index(msg, []byte("MIME-Version")):]) }

// TestWrapped holds that what alice signed, or what was encrypted to bob, is
// never taken for the message of somebody who put it, once or twice wrapped,
// into a message with the From of alice.
func TestWrapped(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	const secret = "the key is under the mat"
	signed := []byte("Content-Type: text/plain; charset=utf-8\r\n\r\n" + w.text + "\r\n")
	sealed := clearSigned(t, w.alice, "alice@example.com", []byte("Content-Type: text/plain\r\n\r\n"+secret+"\r\n"))
	kernels := map[string]string{
		"clear": entityOf(w.seeds[0]), "opaque": entityOf(w.seeds[1]),
		"CBC": entityOf(encrypted(t, w.bob, "alice@example.com", pkcs7.AES128CBC, sealed)),
		"GCM": entityOf(encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, sealed)),
	}
	list := wrappers()
	n := 0
	for kernel, entity := range kernels {
		check := func(name, wrapped string, compressed int) {
			n++
			msg := []byte("From: alice@example.com\r\nTo: bob@example.com\r\nMIME-Version: 1.0\r\n" + strings.Replace(wrapped, "MIME-Version: 1.0\r\n", "", 1))
			w.checkWrapped(t, kernel+": "+name, msg, signed, secret, compressed)
		}
		for i, a := range list {
			one := a.wrap(1, entity)
			check(a.name, one, btoi(a.name == "compressed"))
			for _, b := range list[i%3:] {
				check(a.name+" in "+b.name, b.wrap(2, one), btoi(a.name == "compressed")+btoi(b.name == "compressed"))
			}
		}
	}
	if n < 2000 {
		t.Errorf("%d messages", n)
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// checkWrapped holds that only the content itself, exactly, counts as signed,
// and that nothing shows the secret. Compression alone is no wrapper of anybody.
func (w *readFixture) checkWrapped(t *testing.T, name string, msg, signed []byte, secret string, compressed int) {
	t.Helper()
	out, _, err := w.verify(msg)
	if err == nil || len(out) > 0 {
		t.Errorf("%s: Verify: %v, %.100q", name, err, out)
	}
	if out, _, err := w.unseal(bytes.NewReader(msg), smime.UnsealOptions{}); (err == nil || len(out) > 0) && compressed == 0 {
		t.Errorf("%s: Unseal: %v, %.100q", name, err, out)
	}
	var plain bytes.Buffer
	if _, err := smime.Decrypt(t.Context(), &plain, bytes.NewReader(msg), smime.Identities{w.bob}, nil); err == nil || plain.Len() > 0 {
		t.Errorf("%s: Decrypt: %v, %.100q", name, err, plain.Bytes())
	}
	m, err := w.open(msg)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	defer m.Close()
	body := content(t, m.Body())
	if _, err := m.Signer(); err == nil && !bytes.Equal(body, signed) && !bytes.Contains(body, []byte(secret)) {
		t.Errorf("%s: Signer passes %q\n%v", name, body, m)
	}
	if bytes.Contains(body, []byte(secret)) && bytes.Contains(body, []byte(evil)) {
		t.Errorf("%s: both are shown\n%v", name, m)
	}
	var display bytes.Buffer
	if err := m.WriteDisplay(&display); err != nil {
		t.Errorf("%s: %v", name, err)
	}
	for l := range m.All() {
		if l.Errant() && (l.Err() == nil || bytes.Contains(content(t, l.Content()), []byte(secret))) {
			t.Errorf("%s: an errant layer is open or passes\n%v", name, m)
		}
	}
	if bytes.Contains(display.Bytes(), []byte(secret)) && compressed == 0 {
		t.Errorf("%s: the secret is shown\n%v", name, m)
	}
	checkTree(t, m)
}

// TestCostGrowsLinearly compares what messages of n and of 4n pieces allocate.
func TestCostGrowsLinearly(t *testing.T) {
	w := newReadFixture(t)
	deep := func(leaf string) func(n int) string {
		return func(n int) string {
			var b strings.Builder
			for i := range 28 {
				fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%dx\r\n\r\n--b%dx\r\n", i, i)
			}
			b.WriteString("\r\n" + strings.Repeat("--b27x\r\n"+leaf, n) + "--b27x\r\nContent-Type: application/pkcs7-mime\r\n\r\nx\r\n")
			return b.String()
		}
	}
	field := func(name, value, end string) func(n int) string {
		return func(n int) string {
			return name + ": " + strings.Repeat(value, n*1000/len(value)) + end + "\r\n\r\nbody"
		}
	}
	html := func(n int) string {
		msg := encrypted(t, w.bob, "", pkcs7.AES256GCM, []byte("Content-Type: multipart/mixed; boundary=x; hp=\"cipher\"\r\n\r\n"+
			strings.Repeat("--x\r\nContent-Type: text/html; hp-legacy-display=1\r\n\r\n<div class=header-protection-legacy-display>\r\n", n)))
		return string(msg)
	}
	for name, gen := range map[string]func(n int) string{
		"parts with many fields, deep": deep("Content-Type: application/octet-stream\r\n" + strings.Repeat("Content-Disposition: attachment; filename=x.p\r\n", 80) + "\r\nx\r\n"),
		"parts, deep":                  deep("\r\nx\r\n"),
		"legacy display parts":         html,
		"folds":                        field("Subject", "\r\n y", ""),
		"folds in From":                field("From", "\r\n y", " <a@b.com>"),
		"comments":                     field("From", "(a)", "a@b.com"),
		"encoded words":                field("From", "=?utf-8?q?a?= ", "<a@b.com>"),
		"open comments":                field("Content-Type", "(", ""),
		"quotes":                       field("Content-Type", "\"a", ""),
		"the same parameter":           field("Content-Type", "; a=b", ""),
		"bare CR":                      field("X", "\r", ""),
	} {
		t.Run(name, func(t *testing.T) {
			size := 0
			cost := func(n int) float64 {
				msg := []byte("From: alice@example.com\r\n" + gen(n))
				if name == "folds in From" || name == "comments" || name == "encoded words" {
					msg = []byte(gen(n))
				}
				size = len(msg)
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				m, err := w.openWithin(t, msg, smime.Limits{Header: 64 << 20})
				if err != nil {
					t.Fatal(name, err)
				}
				_ = m.String()
				m.Header()
				if err := m.WriteDisplay(io.Discard); err != nil {
					t.Fatal(name, err)
				}
				m.Close()
				runtime.ReadMemStats(&after)
				return float64(after.TotalAlloc - before.TotalAlloc)
			}
			cost(50)
			some, many := cost(200), cost(800)
			if ratio := many / some; ratio > 6 {
				t.Errorf("four times the pieces cost %.1f times as much", ratio)
			}
			if perOctet := many / float64(size); perOctet > 400 {
				t.Errorf("%.0f octets for each of the message", perOctet)
			}
		})
	}
}

// TestNotesOfWrapping holds that the wrapped are told by name.
func TestNotesOfWrapping(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, wrap := range wrappers() {
		t.Run(wrap.name, func(t *testing.T) {
			msg := []byte("From: alice@example.com\r\n" + strings.Replace(wrap.wrap(1, entityOf(w.seeds[0])), "MIME-Version: 1.0\r\n", "", 1))
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(err)
			}
			_, err = m.Signer()
			covers := slices.ContainsFunc(slices.Collect(m.All()), func(l smime.Layer) bool {
				s, ok := l.(*smime.SignedLayer)
				if !ok {
					return false
				}
				signer, err := s.ContentSigner()
				return err == nil && signer.Mailbox() == "alice@example.com"
			})
			if covers && wrap.name != "compressed" && !matches(err, smime.ErrNotCovered) && !matches(err, smime.ErrMalformed) && !matches(err, pkcs7.ErrSyntax) {
				t.Errorf("%v\n%v", err, m)
			}
			m.Close()
		})
	}
}
