package smime_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A readFixture has one text that Alice signed and sent in several forms, and the
// keys and trust to read them.
type readFixture struct {
	alice, bob *smime.Identity
	trust      *chain.Collection
	at         chain.Options
	text       string
	seeds      [][]byte
}

func newReadFixture(t testing.TB) *readFixture {
	ca := smimetest.NewCA(t)
	w := &readFixture{alice: ca.Identity("alice@example.com"), bob: ca.Identity("bob@example.com"), trust: ca.Trust(),
		at: chain.Options{At: smimetest.Now()}, text: "pay 5 to bob"}
	signed := smimetest.Signed(t, w.alice, w.text)
	entity := []byte("Content-Type: text/plain; charset=utf-8\r\n\r\n" + w.text + "\r\n")
	opaque := opaqueSigned(t, w.alice, "alice@example.com", entity)
	sealed := encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, signed)
	mixed := []byte("From: alice@example.com\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nfooter\r\n--m\r\n")
	mixed = append(append(mixed, signed[bytes.Index(signed, []byte("Content-Type")):]...), "\r\n--m--\r\n"...)
	w.seeds = [][]byte{
		signed, opaque, sealed, mixed,
		bytes.ReplaceAll(signed, []byte("\r\n"), []byte("\n")),
		encrypted(t, w.bob, "alice@example.com", pkcs7.AES128CBC, opaque),
		clearSigned(t, w.bob, "alice@example.com", sealed),
		smimetest.Spoofed(t, w.bob, "alice@example.com", w.text),
		smimetest.Mail("alice@example.com", "bob@example.com", w.text),
	}
	return w
}

func (w *readFixture) verify(msg []byte) ([]byte, *smime.Signer, error) {
	var out bytes.Buffer
	s, err := smime.Verify(context.Background(), &out, bytes.NewReader(msg), w.trust, &smime.VerifyOptions{Chain: w.at})
	return out.Bytes(), s, err
}

func (w *readFixture) open(msg []byte) (*smime.Message, error) {
	return smime.Open(context.Background(), bytes.NewReader(msg), &smime.OpenOptions{Trust: w.trust, Chain: w.at, Keys: smime.Identities{w.bob}})
}

// FuzzOpen holds that Open never panics, that what it calls signed is what was
// signed, and that it agrees with Verify and Unseal.
func FuzzOpen(f *testing.F) {
	w := newReadFixture(f)
	for _, s := range w.seeds {
		f.Add(s)
	}
	for _, s := range structuralSeeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		out, _, verr := w.verify(msg)
		if verr != nil && len(out) > 0 {
			t.Fatalf("Verify wrote %d octets beside %v", len(out), verr)
		}
		if verr == nil && !strings.Contains(string(out), w.text) {
			t.Fatalf("Verify passes %q", out)
		}
		m, err := w.open(msg)
		if err != nil {
			return
		}
		defer m.Close()
		signer, serr := m.Signer()
		if (signer == nil) != (serr != nil) {
			t.Fatal("a signer and an error")
		}
		if serr == nil && !bytes.Contains(content(t, m.Body()), []byte(w.text)) {
			t.Fatalf("signed: %q\n%v", content(t, m.Body()), m)
		}
		checkTree(t, m)
		if verr == nil && serr != nil && !errors.Is(serr, smime.ErrSignedOutside) && !layered(m) {
			t.Fatalf("Verify passes, Signer has %v\n%v", serr, m)
		}
		w.agree(t, msg, m)
	})
}

// layered reports whether there is more than one layer around the body.
func layered(m *smime.Message) bool {
	n := 0
	for l := range m.All() {
		if _, plain := l.(*smime.PlainLayer); !plain {
			n++
		}
	}
	return n > 1
}

// agree compares Unseal with what Open says.
func (w *readFixture) agree(t *testing.T, msg []byte, m *smime.Message) {
	var out bytes.Buffer
	_, _, err := smime.Unseal(context.Background(), &out, noSeek{bytes.NewReader(msg)}, smime.Identities{w.bob}, w.trust,
		&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: w.at}})
	if err != nil {
		if out.Len() > 0 {
			t.Fatalf("Unseal wrote %d octets beside %v", out.Len(), err)
		}
		return
	}
	if _, serr := m.Signer(); serr != nil || m.Confidential() != nil {
		t.Fatalf("Unseal passes, Open has %v and %v\n%v", serr, m.Confidential(), m)
	}
	if !bytes.Equal(out.Bytes(), content(t, m.Body())) {
		t.Fatalf("Unseal writes %q, Body is %q", out.Bytes(), content(t, m.Body()))
	}
}

// checkTree holds what is true of every tree.
func checkTree(t *testing.T, m *smime.Message) {
	if m.String() == "" || strings.ContainsAny(m.String(), "\x00\x1b\r") {
		t.Fatalf("String is %q", m)
	}
	m.Header()
	for l := range m.All() {
		if _, err := io.Copy(io.Discard, l.Content()); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, l.Raw()); err != nil {
			t.Fatal(err)
		}
		if l.Errant() && l.Err() == nil {
			t.Fatalf("an errant layer passes\n%v", m)
		}
		if e, ok := l.(*smime.EncryptedLayer); ok && e.Opened.Err() != nil && e.Content().Size() > 0 {
			t.Fatalf("a closed layer has content\n%v", m)
		}
	}
}

func structuralSeeds() []string {
	const cms = "MIAGCSqGSIb3DQEHAqCAMIACAQExADCABgkqhkiG9w0BBwEAADEAAAAAAAAA"
	return []string{
		"",
		"\r\n",
		"Content-Type: application/pkcs7-mime\r\n\r\n",
		"Content-Type: application/pkcs7-mime; smime-type=certs-only\r\nContent-Transfer-Encoding: base64\r\n\r\n" + cms + "\r\n",
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" + cms + "\r\n--b--\r\n",
		"Content-Type: message/rfc822\r\n\r\nContent-Type: application/octet-stream; name=a.p7m\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n0=80=06",
	}
}

// FuzzDecrypt holds that nothing is written beside an error, and that what an
// authenticated cipher lets through is what was encrypted.
func FuzzDecrypt(f *testing.F) {
	w := newReadFixture(f)
	for _, s := range w.seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, msg []byte) {
		var out bytes.Buffer
		enc, err := smime.Decrypt(context.Background(), &out, bytes.NewReader(msg), smime.Identities{w.bob}, nil)
		if err != nil && (out.Len() > 0 || enc != nil) {
			t.Fatalf("%d octets beside %v", out.Len(), err)
		}
		if err == nil && enc.Cipher.Authenticated() && !bytes.Contains(out.Bytes(), []byte("pay 5")) && !bytes.Contains(out.Bytes(), []byte("base64")) {
			t.Fatalf("%q passes", out.Bytes())
		}
		if _, err := smime.Decrypt(context.Background(), io.Discard, bytes.NewReader(msg), smime.Identities{w.bob},
			&smime.DecryptOptions{RequireAuthenticated: true}); err == nil && !enc.Cipher.Authenticated() {
			t.Fatal("RequireAuthenticated lets CBC pass")
		}
	})
}
