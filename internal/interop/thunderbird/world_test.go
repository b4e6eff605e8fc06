package thunderbird

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"image"
	"image/png"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A world has people with keys of every kind under one CA. Alice uses gosmime,
// Bob uses Thunderbird, which has all of Bob's keys.
type world struct {
	ca    *smimetest.CA
	alice map[string]*smime.Identity
	bob   map[string]*smime.Identity
	carol *smime.Identity // who signs beside Alice
}

const password = "pw"

func newWorld(t *testing.T) *world {
	t.Helper()
	ca := smimetest.NewCA(t)
	w := &world{ca: ca, alice: map[string]*smime.Identity{}, bob: map[string]*smime.Identity{}}
	for kind, generate := range map[string]func() (crypto.Signer, error){
		"rsa":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"p256":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"p384":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"p521":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
		"ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
	} {
		key, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		w.alice[kind] = ca.Certify(key, "alice@example.com")
		if kind == "ed25519" {
			continue
		}
		if key, err = generate(); err != nil {
			t.Fatal(err)
		}
		if kind == "rsa" {
			w.carol = ca.Certify(key, "carol@example.com")
			if key, err = generate(); err != nil {
				t.Fatal(err)
			}
		}
		w.bob[kind] = ca.Certify(key, "bob@example.com")
	}
	return w
}

// settle gives Thunderbird the keys of Bob, the root and the certificates of
// others that it encrypts to.
func (w *world) settle(t *testing.T, c *client, others ...*smime.Identity) {
	t.Helper()
	pfx, err := smime.MarshalPKCS12(slices.Collect(maps.Values(w.bob)), password, nil)
	if err != nil {
		t.Fatal(err)
	}
	people := []string{}
	for _, id := range others {
		people = append(people, base64.StdEncoding.EncodeToString(id.Certificate().Raw))
	}
	var addresses []string
	c.run(t, "setup.js", map[string]any{
		"roots":   []string{base64.StdEncoding.EncodeToString(w.ca.Root().Raw)},
		"issuers": []string{base64.StdEncoding.EncodeToString(w.ca.Issuing().Raw)},
		"pfx":     c.write(t, "bob.p12", pfx), "password": password, "people": people,
		"sign": fingerprint(w.bob["rsa"].Certificate()),
	}, &addresses)
	for _, id := range append(slices.Collect(maps.Values(w.bob)), others...) {
		if !slices.Contains(addresses, id.Mailboxes()[0]) {
			t.Fatalf("Thunderbird has only certificates for %v", addresses)
		}
	}
}

// reader returns one of Bob's certificates as a recipient who is known to read
// what is announced.
func (w *world) reader(t *testing.T, kind string, announced smime.Capabilities) []*smime.Recipient {
	t.Helper()
	id := w.bob[kind]
	known := func(string, *x509.Certificate) smime.Capabilities { return announced }
	r, err := smime.NewRecipient(t.Context(), "bob@example.com", id.Certificate(), w.ca.Trust(), &smime.RecipientOptions{Capabilities: known})
	if err != nil {
		t.Fatal(err)
	}
	return []*smime.Recipient{r}
}

// subject is the subject of every mail.
const subject = "Grüße №7"

// mail returns a mail of Alice with that content: the fields of a MIME header
// and a body.
func mail(content string) []byte {
	return []byte("From: Alice Example <alice@example.com>\r\nTo: bob@example.com\r\nSubject: =?utf-8?B?" +
		base64.StdEncoding.EncodeToString([]byte(subject)) + "?=\r\nDate: " + time.Now().Format(time.RFC1123Z) +
		fmt.Sprintf("\r\nMessage-ID: <%s@gosmime.example>\r\n", rand.Text()) + "MIME-Version: 1.0\r\n" + content)
}

// plain is what a plain mail says, and so does rich in two ways.
const plain = "To be shown: grün.\r\n"

func plainMail(*testing.T) []byte {
	return mail("Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + strings.ReplaceAll(plain, "ü", "=C3=BC"))
}

// richMail has text beside HTML, with an image in it, and two files.
func richMail(t *testing.T) []byte {
	t.Helper()
	var picture bytes.Buffer
	if err := png.Encode(&picture, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	lines := []string{
		"Content-Type: multipart/mixed; boundary=mixed", "",
		"--mixed", "Content-Type: multipart/alternative; boundary=alternative", "",
		"--alternative", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", "To be shown: grün.",
		"--alternative", "Content-Type: multipart/related; boundary=related", "",
		"--related", "Content-Type: text/html; charset=utf-8", "Content-Transfer-Encoding: 8bit", "",
		`<html><body><p>To be shown: <b>grün.</b></p><img src="cid:picture@gosmime.example"></body></html>`,
		"--related", "Content-Type: image/png", "Content-Transfer-Encoding: base64", "Content-ID: <picture@gosmime.example>", "Content-Disposition: inline", "",
		base64.StdEncoding.EncodeToString(picture.Bytes()),
		"--related--", "--alternative--",
		"--mixed", "Content-Type: application/pdf", "Content-Transfer-Encoding: base64", `Content-Disposition: attachment; filename="offer.pdf"`, "",
		base64.StdEncoding.EncodeToString([]byte("%PDF-1.4 not really")),
		"--mixed", "Content-Type: text/csv", "Content-Disposition: attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe.csv", "", "a,b",
		"--mixed--", "",
	}
	return mail(strings.Join(lines, "\r\n"))
}

func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}
