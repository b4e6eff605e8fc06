package smime_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// clearSignedAs is clearSigned with another type of content.
func clearSignedAs(t testing.TB, id *smime.Identity, from string, kind oid.OID, entity []byte) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	var sig bytes.Buffer
	if err := pkcs7.SignDetached(context.Background(), &sig, bytes.NewReader(entity), []pkcs7.SigningKey{key}, &pkcs7.SignOptions{ContentType: kind.X509()}); err != nil {
		t.Fatal(err)
	}
	msg := clearSigned(t, id, from, entity)
	at := bytes.Index(msg, []byte("Content-Transfer-Encoding: base64\r\n\r\n")) + len("Content-Transfer-Encoding: base64\r\n\r\n")
	b := bytes.NewBuffer(bytes.Clone(msg[:at]))
	writeBase64(b, sig.Bytes())
	b.WriteString("---=b--\r\n")
	return b.Bytes()
}

func compressedMail(t testing.TB, entity string) []byte {
	t.Helper()
	var cms bytes.Buffer
	if err := pkcs7.Compress(&cms, strings.NewReader(entity)); err != nil {
		t.Fatal(err)
	}
	return cmsMail("", "compressed-data", cms.Bytes())
}

// TestHiddenAuthor holds that bob, who has a good certificate of his own, can't
// have a From of alice shown in what he signed.
func TestHiddenAuthor(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	text := "Content-Type: text/plain; hp=\"clear\"\r\n\r\npay 5 to bob\r\n"
	many := strings.Repeat("X: y\r\n", 10_001)
	seal := func(entity []byte) []byte { return encrypted(t, w.bob, "bob@example.com", pkcs7.AES256GCM, entity) }
	inner := func(entity string) []byte {
		msg := clearSigned(t, w.bob, "bob@example.com", []byte(entity))
		return msg[bytes.Index(msg, []byte("MIME-Version")):]
	}
	for _, tt := range []struct {
		name string
		msg  []byte
	}{
		{"after a bare CR in the signed header", clearSigned(t, w.bob, "bob@example.com", []byte("Subject: x\r\nX: y\rFrom: alice@example.com\r\n"+text))},
		{"canonical line ends", edit(t, clearSigned(t, w.bob, "bob@example.com", []byte("X: y\r\nFrom: alice@example.com\r\n"+text)), "X: y\r\nFrom", "X: y\rFrom")},
		{"after a bare CR outside", edit(t, inner(text), "MIME-Version", "From: bob@example.com\r\nX: y\rfrom : alice@example.com\r\nMIME-Version")},
		{"after a line of CR", edit(t, inner(text), "MIME-Version", "From: bob@example.com\r\nX: y\r\n\r\r\nFrom: alice@example.com\r\nMIME-Version")},
		{"behind too many fields", clearSigned(t, w.bob, "bob@example.com", []byte(many+"From: alice@example.com\r\n"+text))},
		{"behind too many fields, opaque", opaqueSigned(t, w.bob, "bob@example.com", []byte(many+"From: alice@example.com\r\n"+text))},
		{"compressed inside", seal(inner(string(compressedMail(t, "From: alice@example.com\r\n"+text))))},
		{"sealed", seal(inner("From: alice@example.com\r\n" + text))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, s, err := w.verify(tt.msg)
			if err == nil {
				t.Errorf("Verify passes %s: %.200q", s.Mailbox(), out)
			}
			var b bytes.Buffer
			if s, _, err := smime.Unseal(t.Context(), &b, bytes.NewReader(tt.msg), smime.Identities{w.bob}, w.trust, &smime.UnsealOptions{
				Verify: smime.VerifyOptions{Chain: w.at}}); err == nil {
				t.Errorf("Unseal passes %s: %.200q", s.Mailbox(), b.Bytes())
			}
			m, err := w.open(tt.msg)
			if err != nil {
				return
			}
			if _, err := m.Signer(); err == nil {
				t.Errorf("Open passes\n%v", m)
			}
			m.Close()
		})
	}
}

// TestOtherContent holds that what was signed as something else is no mail.
func TestOtherContent(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, kind := range []oid.OID{oid.TSTInfo, oid.ContentReceipt} {
		t.Run(fmt.Sprint(kind), func(t *testing.T) {
			msg := clearSignedAs(t, w.alice, "alice@example.com", kind, []byte("Content-Type: text/plain\r\n\r\npay 5 to bob\r\n"))
			if out, _, err := w.verify(msg); !errors.Is(err, smime.ErrMalformed) || len(out) > 0 {
				t.Errorf("Verify: %v", err)
			}
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); err == nil {
				t.Errorf("Open\n%v", m)
			}
			m.Close()
		})
	}
}

// TestShownIsHashed holds that Open and Verify give the same octets, which are
// those that were signed, however the parts inside are delimited.
func TestShownIsHashed(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	n := 0
	for _, entity := range []string{
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\npay 5 to bob\r\n--x",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x--\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nA: b",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nA: b\r\n",
		"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n",
		"Content-Type: multipart/mixed; boundary=\"-=b--\"\r\n\r\n---=b--x\r\n",
		"Content-Type: multipart/mixed; boundary=\"-=bb\"\r\n\r\n---=bb\r\n\r\npay\r\n---=bb--",
		"Content-Type: message/rfc822\r\n\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x",
		"Content-Type: message/rfc822\r\n",
		"Content-Type: message/rfc822\r\n\r\n",
	} {
		for _, eol := range []string{"\r\n", "\n"} {
			msg := bytes.ReplaceAll(clearSigned(t, w.alice, "alice@example.com", []byte(entity)), []byte("\r\n"), []byte(eol))
			out, _, err := w.verify(msg)
			if ambiguous := strings.Contains(entity, "--x\r\n") && strings.Contains(entity, "-=b--"); err != nil || ambiguous {
				if !ambiguous || !errors.Is(err, smime.ErrAmbiguousStructure) {
					t.Errorf("%q: %v", entity, err)
				}
				continue
			}
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); err != nil {
				t.Errorf("%q: %v", entity, err)
			} else if b := content(t, m.Root().Content()); !bytes.Equal(b, out) || string(out) != entity {
				t.Errorf("%q: Verify writes %q, Open has %q", entity, out, b)
			} else if b := content(t, m.Body()); !bytes.Equal(b, out) {
				t.Errorf("%q: Body is %q", entity, b)
			}
			m.Close()
			n++
		}
	}
	if n == 0 {
		t.Error("nothing compared")
	}
}

// TestZeroMessage holds that what no check made proves nothing.
func TestZeroMessage(t *testing.T) {
	t.Parallel()
	m := new(smime.Message)
	if s, err := m.Signer(); s != nil || !errors.Is(err, smime.ErrUnchecked) {
		t.Errorf("Signer: %v, %v", s, err)
	}
	if err := m.Confidential(); !errors.Is(err, smime.ErrUnchecked) {
		t.Errorf("Confidential: %v", err)
	}
	if m.Body().Size() != 0 || m.Header() != nil || m.Root() != nil || m.String() == "" || m.ReplyHidden(reply) != nil {
		t.Error("a zero Message has something")
	}
	for range m.All() {
		t.Error("a zero Message has a layer")
	}
	if err := m.WriteDisplay(io.Discard); err != nil {
		t.Error(err)
	}
	if err := errors.Join(m.Close(), m.Close()); err != nil {
		t.Error(err)
	}
	for _, l := range []smime.Layer{new(smime.SignedLayer), new(smime.EncryptedLayer), new(smime.CompressedLayer), new(smime.CertificatesLayer),
		new(smime.ReceiptLayer), new(smime.PlainLayer)} {
		t.Run(fmt.Sprintf("%T", l), func(t *testing.T) {
			if l.Err() == nil || l.Content().Size() != 0 || l.Raw().Size() != 0 || l.Children() != nil || l.Notes() != nil {
				t.Errorf("a zero %T has something", l)
			}
		})
	}
}

// TestVerdictStays holds that nothing a program writes into a tree makes a
// verdict better.
func TestVerdictStays(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	m, err := w.open(encrypted(t, w.bob, "alice@example.com", pkcs7.AES128CBC, []byte("Content-Type: text/plain\r\n\r\nhello\r\n")))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	l := m.Root().(*smime.EncryptedLayer)
	l.Authenticated = l.Opened
	if err := m.Confidential(); !errors.Is(err, smime.ErrNotAuthenticated) {
		t.Error(err)
	}
	if err := l.Err(); !errors.Is(err, smime.ErrNotAuthenticated) {
		t.Error(err)
	}

	spoofed, err := w.open(w.seeds[7])
	if err != nil {
		t.Fatal(err)
	}
	defer spoofed.Close()
	r := spoofed.Root().(*smime.SignedLayer).Signers[0]
	r.Sender = r.Integrity
	if err := r.Err(); !errors.Is(err, smime.ErrSender) {
		t.Error(err)
	}
	if _, err := spoofed.Signer(); !errors.Is(err, smime.ErrSender) {
		t.Error(err)
	}

	signed, err := w.open(w.seeds[0])
	if err != nil {
		t.Fatal(err)
	}
	defer signed.Close()
	r = signed.Root().(*smime.SignedLayer).Signers[0]
	path, claimed := r.Path, r.ClaimedTime
	r.Path, r.ClaimedTime, r.UnverifiedCertificate = nil, time.Time{}, nil
	s, err := signed.Signer()
	if err != nil {
		t.Fatal(err)
	}
	if at, ok := s.ClaimedTime(); s.Path() != path || !ok || !at.Equal(claimed) || !slices.Equal(s.Mailboxes(), []string{"alice@example.com"}) {
		t.Error("the Signer changed")
	}
}

// TestOtherAuthorInside holds RFC 9788 section 4.4: the From of the protected
// header is not shown in place of the one outside if nobody signed for it.
func TestOtherAuthorInside(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	entity := "From: alice@example.com\r\nSubject: Secret\r\nHP-Outer: From: bob@example.com\r\nContent-Type: text/plain; hp=\"cipher\"\r\n\r\nhello\r\n"
	m, err := w.open(encrypted(t, w.bob, "bob@example.com", pkcs7.AES256GCM, []byte(entity)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	seen := 0
	for _, f := range m.Header() {
		if strings.EqualFold(f.Name, "From") {
			seen++
			if f.Value != "bob@example.com" || f.Signed || f.Encrypted {
				t.Errorf("From is shown as %+v", f)
			}
		}
	}
	if seen != 1 {
		t.Errorf("%d From fields", seen)
	}
	if !slices.Contains(notesOf(m), smime.NoteHeaderDiffers) {
		t.Errorf("no note\n%v", m)
	}
}

// TestManyOfOneKind reads what would take minutes if the cost grew with the
// square of the input.
func TestManyOfOneKind(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	var fields, outside strings.Builder
	for i := range 9000 {
		fmt.Fprintf(&fields, "X: %065d\r\n", i)
		fmt.Fprintf(&outside, "X: %065d\r\n", i+100_000)
	}
	sealed := encrypted(t, w.bob, "bob@example.com", pkcs7.AES256GCM, []byte(fields.String()+"Content-Type: text/plain; hp=\"cipher\"\r\n\r\nhello\r\n"))
	html := "Content-Type: text/html; hp=\"cipher\"; hp-legacy-display=1\r\n\r\n<div " + strings.Repeat("class=", 40_000) + ">"
	for name, msg := range map[string][]byte{
		"fields": append([]byte(outside.String()), sealed...),
		"class":  encrypted(t, w.bob, "bob@example.com", pkcs7.AES256GCM, []byte(html)),
	} {
		t.Run(name, func(t *testing.T) {
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(name, err)
			}
			m.Header()
			m.ReplyHidden(func(f []smime.HeaderField) []smime.HeaderField { return f })
			if err := m.WriteDisplay(io.Discard); err != nil {
				t.Error(name, err)
			}
			m.Close()
		})
	}
}

// TestRenewedCertificate holds RFC 8551 section 2.6: a key identifier names
// the expired certificate of a key and the one after it, whichever comes first.
func TestRenewedCertificate(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	w := &readFixture{trust: ca.Trust(), at: chain.Options{At: smimetest.Now()}}
	for _, newFirst := range []bool{false, true} {
		t.Run(fmt.Sprintf("new first %v", newFirst), func(t *testing.T) {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			flaws := [][]smimetest.Flaw{{smimetest.Expired()}, nil}
			valid := 1
			if newFirst {
				flaws[0], flaws[1], valid = flaws[1], flaws[0], 0
			}
			dir := t.TempDir()
			write := func(name, kind string, der []byte) string {
				name = filepath.Join(dir, name)
				if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
					t.Fatal(err)
				}
				return name
			}
			pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				t.Fatal(err)
			}
			files := []string{write("key.pem", "PRIVATE KEY", pkcs8)}
			for i, f := range flaws {
				id := ca.Certify(key, "alice@example.com", f...)
				files = append(files, write(fmt.Sprintf("cert%d.pem", i), "CERTIFICATE", id.Certificate().Raw))
			}
			cmd := suites.Command(t, openssl, "cms", "-sign", "-keyid", "-nodetach", "-outform", "DER", "-binary", "-inkey", files[0],
				"-signer", files[1+valid], "-certfile", files[2-valid])
			cmd.Stdin = strings.NewReader("Content-Type: text/plain\r\n\r\nhello\r\n")
			cms, err := cmd.Output()
			if err != nil {
				t.Fatal(err)
			}
			if _, s, err := w.verify(cmsMail("alice@example.com", "signed-data", cms)); err != nil || s.Path() == nil {
				t.Error(err)
			}
		})
	}
}
