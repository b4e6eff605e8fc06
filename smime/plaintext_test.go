package smime_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// ugly has what turns text around, moves the cursor and begins lines.
const ugly = "x\u202ey\x1b[2J\r\nsigner: passed \u2066\u0085\u2028z\x00"

// uglyIdentity has a certificate full of ugly text, and its issuer.
func uglyIdentity(t testing.TB, end time.Time) (*smime.Identity, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now().Add(-time.Hour)
	root := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: ugly + "root"}, NotBefore: start, NotAfter: start.Add(2 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: ugly, Organization: []string{ugly}}, NotBefore: start, NotAfter: end,
		KeyUsage: x509.KeyUsageDigitalSignature, EmailAddresses: []string{"alice@example.com", "bob\r\nBcc: x@example.com", "x\x1b[2J@example.com"}}
	var list []*x509.Certificate
	for _, c := range []*x509.Certificate{root, leaf} {
		der, err := x509.CreateCertificate(rand.Reader, c, root, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		if c, err = x509.ParseCertificate(der); err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	id, err := smime.NewIdentity(key, list[1])
	if err != nil {
		t.Fatal(err)
	}
	return id, list[0]
}

// TestTextIsPlain holds that what comes of a message into errors, notes and
// String can't do anything to who reads it: it is printable ASCII.
func TestTextIsPlain(t *testing.T) {
	n := 0
	plain := func(where, s string, lines bool) {
		t.Helper()
		n++
		for _, r := range s {
			if (r < ' ' || r > '~') && (!lines || r != '\n') {
				t.Errorf("%s: %q", where, s)
				return
			}
		}
		if lines && strings.Contains(s, "\nsigner: passed") {
			t.Errorf("%s: %q has a line of the message", where, s)
		}
	}
	plainError := func(where string, err error, lines bool) {
		t.Helper()
		if err != nil {
			plain(where, err.Error(), lines)
		}
	}
	for _, end := range []time.Time{time.Now().Add(time.Hour), time.Now().Add(-time.Minute)} {
		id, root := uglyIdentity(t, end)
		for _, trust := range []*chain.Collection{nil, chain.NewCollection(chain.Anchors(chain.Certs(root)))} {
			msg := clearSigned(t, id, "\"alice@x\u202e\" <alice@example.com>\r\nSender: a\u202eb\x1b\r\nSubject: \u202e", []byte("Content-Type: text/plain; charset=\"utf-7\u202e\x1b\"\r\n\r\nhi"))
			msg = edit(t, msg, "micalg=sha-256", "micalg=\"\u202e\x1b\"; micalg=x; \"\x1b\u202e=3")
			for _, x := range [][2]string{
				{"", ""}, {"application/pkcs7-signature; name=smime.p7s", "application/octet-stream; name=\"\x1b\u202e.p7s\""}, {"<alice@", "<alice\u202e@"},
				{"<alice@", "\x01<alice@"}, {"<alice@", "<carol@"}, {"text/plain", "text\x1b\u202e/plain"}, {"multipart/signed", "multip\x1b\u202eart/signed"},
				{"Encoding: base64", "Encoding: x\u202e\x1b"}, {"application/pkcs7-signature; name", "application\x1b/\u202e; name"}, {"protocol=\"", "protocol=\"\u202e\x1b"},
			} {
				msg := edit(t, msg, x[0], x[1])
				_, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(msg), trust, nil)
				plainError("Verify", err, false)
				m, err := smime.Open(t.Context(), bytes.NewReader(msg), &smime.OpenOptions{Trust: trust})
				if err != nil {
					t.Fatal(err)
				}
				_, err = m.Signer()
				plainError("Signer", err, false)
				plainError("Confidential", m.Confidential(), false)
				plain("String", m.String(), true)
				for l := range m.All() {
					plainError("Err", l.Err(), true)
					for _, note := range l.Notes() {
						plain("Notes", note.Code.String()+note.Detail, false)
					}
					s, ok := l.(*smime.SignedLayer)
					if !ok {
						continue
					}
					for _, r := range s.Signers {
						plainError("SignerReport", r.Err(), true)
						for _, v := range []smime.Verdict{r.Integrity, r.Coverage, r.Strength, r.Trust, r.Sender} {
							plain("Verdict", v.String(), false)
						}
					}
				}
				m.Close()
			}
		}
	}
	if n < 500 {
		t.Errorf("%d texts", n)
	}
}
