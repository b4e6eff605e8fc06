package smime_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// hostile is text that does harm in a log or a terminal: it ends lines, moves
// the cursor, turns the direction of writing and is no UTF-8.
const hostile = "\x1b]0;x\x07\x9b2J\u202e\xff\x00\x7f\v"

// secret is text that only those who can decrypt may see.
const secret = "the-plaintext"

// harmless holds that text is of printable ASCII and not longer than that.
func harmless(t *testing.T, name, text string, most int) {
	t.Helper()
	if len(text) > most {
		t.Errorf("%s: %d octets: %.300q", name, len(text), text)
	}
	for _, c := range []byte(text) {
		if (c < ' ' || c > '~') && c != '\n' {
			t.Errorf("%s: octet %#x: %.300q", name, c, text)
			return
		}
	}
}

const (
	mostError = 2000    // a few quoted texts
	mostTree  = 1 << 16 // of some layers, signers and notes
)

// checkTexts calls every verb that reads and looks at all that it says.
func checkTexts(t *testing.T, name string, msg []byte, trust *chain.Collection, at chain.Options, keys smime.Identities) (errs int) {
	t.Helper()
	ctx := context.Background()
	say := func(verb string, err error) {
		if err != nil {
			errs++
			harmless(t, name+", "+verb, err.Error(), mostError)
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s, %s: plaintext in %v", name, verb, err)
			}
		}
	}
	var out bytes.Buffer
	_, err := smime.Verify(ctx, &out, bytes.NewReader(msg), trust, &smime.VerifyOptions{Chain: at})
	say("Verify", err)
	_, err = smime.Decrypt(ctx, &out, bytes.NewReader(msg), keys, nil)
	say("Decrypt", err)
	_, _, err = smime.Unseal(ctx, &out, bytes.NewReader(msg), keys, trust, &smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: at}})
	say("Unseal", err)
	m, err := smime.Open(ctx, bytes.NewReader(msg), &smime.OpenOptions{Trust: trust, Keys: keys, Chain: at})
	say("Open", err)
	if err != nil {
		return errs
	}
	defer m.Close()
	_, err = m.Signer()
	say("Message.Signer", err)
	say("Message.Confidential", m.Confidential())
	harmless(t, name+", Message.String", m.String(), mostTree)
	for l := range m.All() {
		say("Layer.Err", l.Err())
		for _, n := range l.Notes() {
			harmless(t, name+", Note", n.Detail, mostError)
		}
		if s, ok := l.(*smime.SignedLayer); ok {
			for _, r := range s.Signers {
				for _, v := range []smime.Verdict{r.Integrity, r.Strength, r.Coverage, r.Trust, r.Sender} {
					harmless(t, name+", Verdict", v.String(), mostError)
				}
			}
		}
	}
	return errs
}

// TestErrorsQuoteWhatIsHostile holds that text of a message comes into errors,
// notes and trees quoted and cut.
func TestErrorsQuoteWhatIsHostile(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	keys := smime.Identities{w.bob}
	cases, errs := 0, 0
	for _, evil := range []string{hostile, strings.Repeat(hostile, 300), `"` + hostile, "a;b=" + hostile, "<" + hostile + "@example.com>"} {
		for _, field := range []string{"From: ", "Content-Type: ", "MIME-Version: ", "Subject: ", "Content-Transfer-Encoding: ", "boundary=", "micalg=", "protocol=", "smime-type=", "name=", "multipart/", "text/", "application/"} {
			for _, seed := range w.seeds {
				if !bytes.Contains(seed, []byte(field)) {
					continue
				}
				cases++
				errs += checkTexts(t, field, bytes.ReplaceAll(seed, []byte(field), []byte(field+evil)), w.trust, w.at, keys)
				inside := bytes.ReplaceAll(seed, []byte(field), []byte(field+evil+secret))
				for _, cipher := range []pkcs7.Cipher{pkcs7.AES256GCM, pkcs7.AES256CBC} {
					errs += checkTexts(t, "inside "+field, encrypted(t, w.bob, evil, cipher, inside), w.trust, w.at, keys)
				}
			}
		}
	}
	if cases < 200 || errs < 5*cases {
		t.Errorf("%d cases, %d errors", cases, errs)
	}
}

// TestErrorsQuoteHostileNames is the same for certificates and for what the
// caller had from elsewhere.
func TestErrorsQuoteHostileNames(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	key := w.alice
	signer, err := key.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat(hostile, 300)
	for name, text := range map[string]string{"short": hostile, "long": long} {
		t.Run(name, func(t *testing.T) {
			valid := strings.ToValidUTF8(text, "?")
			tpl := &x509.Certificate{
				SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: valid, Organization: []string{valid}},
				NotBefore: time.Unix(0, 0), NotAfter: w.at.At.AddDate(1, 0, 0), KeyUsage: x509.KeyUsageDigitalSignature,
			}
			der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, signer.Key.Public(), signer.Key)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			mallory, err := smime.NewIdentity(signer.Key, cert)
			if err != nil {
				t.Fatal(err)
			}
			if n := checkTexts(t, name, clearSigned(t, mallory, "alice@example.com", []byte("\r\nhello")), w.trust, w.at, nil); n < 4 {
				t.Errorf("%d errors", n)
			}
			for _, box := range []string{text, text + "@example.com", "alice@" + text} {
				_, err := smime.FindRecipients(t.Context(), []string{box, box}, w.trust, nil)
				if err == nil {
					t.Fatal("found somebody")
				}
				harmless(t, name, err.Error(), 2*mostError)
				if _, err := smime.NewRecipient(t.Context(), box, cert, w.trust, nil); err == nil {
					t.Error("a recipient")
				} else {
					harmless(t, name, err.Error(), mostError)
				}
			}
			if _, err := smime.ParsePKCS12([]byte(text), text); err == nil {
				t.Error("a key")
			} else {
				harmless(t, name, err.Error(), mostError)
			}
			for _, head := range []string{"X: " + text, text + ": x", "From: " + text, "Content-Type: " + text, "Content-Type: text/" + text, "Content-Transfer-Encoding: " + text} {
				if err := smime.Sign(t.Context(), &bytes.Buffer{}, strings.NewReader(head+"\r\n\r\nhello\r\n"), w.alice, nil); err != nil {
					harmless(t, name, err.Error(), mostError)
				}
			}
		})
	}
}

// TestErrorsOfGoldens looks at what is said of every bad message of the corpus.
func TestErrorsOfGoldens(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Kind == "bad" && strings.HasSuffix(g.File, ".eml")
	})
	errs := 0
	for _, g := range rows {
		errs += checkTexts(t, g.File, g.Read(t, g.File), goldenTrust(t, g), chain.Options{At: g.VerifyTime}, goldenKeys(t, g))
	}
	if len(rows) < 100 || errs < 400 {
		t.Errorf("%d rows, %d errors", len(rows), errs)
	}
}
