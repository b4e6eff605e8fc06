package smime_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func certificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	b := readFile(t, name)
	if block, _ := pem.Decode(b); block != nil {
		b = block.Bytes
	}
	c, err := x509.ParseCertificate(b)
	if err != nil {
		return &x509.Certificate{Raw: b}
	}
	return c
}

// TestJohnny opens one message of each class of "Johnny, you are fired": none
// may show the spoofed sender as signer.
func TestJohnny(t *testing.T) {
	dir := suites.Corpus(t, "johnny")
	trust := chain.NewCollection(chain.Anchors(chain.Certs(certificate(t, filepath.Join(dir, "assets/certificates/intermediate_ca.crt")))))
	at := chain.Options{At: time.Date(2019, 3, 1, 0, 0, 0, 0, time.UTC)}
	want := map[string]error{
		"01-cms/valid_email_from_manager.eml":                                   nil,
		"assets/valid-signed/manager-smime.eml":                                 nil,
		"01-cms/c1_eContent-confusion/eContent_confusion.eml":                   errAny,
		"01-cms/c2_multiple-signerInfos/multiple_signerInfos_append_johnny.eml": nil, // eve signed as eve
		"01-cms/c3_no-signerInfos/no_signerInfos_detached.eml":                  smime.ErrNotSigned,
		"03-mime/m1-prepending-text/m1-smime.eml":                               smime.ErrNotCovered,
		"04-id/i1-sender-signer-checks/i1-from-unequals-signer-smime.eml":       smime.ErrSender,
		"04-id/i2-display-name-confusion/i2-from-contains-signer-smime.eml":     nil, // eve signed as eve
		"04-id/i3-from-sender-confusion/i3-from1-sender-from2-signer-smime.eml": smime.ErrAmbiguousSender,
	}
	seen := 0
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".eml") {
			return err
		}
		name, _ := filepath.Rel(dir, path)
		w, ok := want[filepath.ToSlash(name)]
		if !ok {
			t.Errorf("%s has no expectation", name)
			return nil
		}
		seen++
		msg := readFile(t, path)
		m, err := smime.Open(context.Background(), bytes.NewReader(msg), &smime.OpenOptions{Trust: trust, Chain: at})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		signer, err := m.Signer()
		if !matches(err, w) {
			t.Errorf("%s: Signer: %v\n%v", name, err, m)
		}
		spoof := strings.HasPrefix(name, "04-id/i2") || strings.HasPrefix(name, "01-cms/c2")
		if err == nil && spoof && signer.Mailbox() != "eve@bigcorporation.de" {
			t.Errorf("%s: signed by %s", name, signer.Mailbox())
		}
		if l, ok := m.Root().(*smime.SignedLayer); ok && strings.HasPrefix(name, "01-cms/c2") {
			if len(l.Signers) != 2 || !errors.Is(l.Signers[1].Err(), pkcs7.ErrDigest) {
				t.Errorf("%s: the signature of the manager passes\n%v", name, m)
			}
		}
		var out bytes.Buffer
		_, err = smime.Verify(context.Background(), &out, bytes.NewReader(msg), trust, &smime.VerifyOptions{Chain: at})
		if errors.Is(w, smime.ErrNotCovered) {
			w = smime.ErrNotSigned // Verify looks at the whole message only
		}
		if !matches(err, w) || err != nil && out.Len() > 0 {
			t.Errorf("%s: Verify: %v, %d octets written", name, err, out.Len())
		}
		return nil
	})
	if err != nil || seen != len(want) {
		t.Errorf("%d messages, %v", seen, err)
	}
}

var errAny = errors.New("any error")

func matches(err, want error) bool {
	if want == errAny {
		return err != nil
	}
	return errors.Is(err, want)
}

func TestRFC4134Messages(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "rfc4134")
	trust := chain.NewCollection(chain.Anchors(chain.Certs(
		certificate(t, filepath.Join(dir, "CarlDSSSelf.cer")), certificate(t, filepath.Join(dir, "CarlRSASelf.cer")))))
	key, err := alg.ParsePrivateKey(readFile(t, filepath.Join(dir, "BobPrivRSAEncrypt.pri")))
	if err != nil {
		t.Fatal(err)
	}
	bob, err := smime.NewIdentity(key, certificate(t, filepath.Join(dir, "BobRSASignByCarl.cer")))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"4.8.eml", "4.9.eml", "5.3.eml"} {
		t.Run(name, func(t *testing.T) {
			m, err := smime.Open(context.Background(), bytes.NewReader(readFile(t, filepath.Join(dir, name))), &smime.OpenOptions{
				Trust: trust, Keys: smime.Identities{bob}, Chain: chain.Options{At: time.Date(2002, 11, 1, 0, 0, 0, 0, time.UTC)},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if !bytes.Contains(content(t, m.Body()), []byte("This is some sample content.")) {
				t.Errorf("other content\n%v", m)
			}
			switch l := m.Root().(type) {
			case *smime.SignedLayer:
				if len(l.Signers) != 1 || l.Signers[0].Strength.Err() == nil {
					t.Errorf("SHA-1 with DSA passes\n%v", m)
				}
			case *smime.EncryptedLayer:
				if l.Opened.Err() != nil || l.Strength.Err() == nil || l.Authenticated.Err() == nil {
					t.Error(m)
				}
			}
		})
	}
}

// lampsTrust are the authorities of RFC 9216.
func lampsTrust(t testing.TB) *chain.Collection {
	dir := suites.Corpus(t, "rfc9216")
	return chain.NewCollection(chain.Anchors(chain.Certs(
		certificate(t, filepath.Join(dir, "3.1_RSA-Certification-Authority-Root-Certificate.crt")),
		certificate(t, filepath.Join(dir, "6.1_Ed25519-Certification-Authority-Root-Certificate.crt")))))
}

func lampsBob(t testing.TB) smime.Identities {
	dir := suites.Corpus(t, "rfc9216")
	block, _ := pem.Decode(readFile(t, filepath.Join(dir, "5.4_Bob-s-Decryption-Private-Key-Material.key")))
	key, err := alg.ParsePrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	id, err := smime.NewIdentity(key, certificate(t, filepath.Join(dir, "5.3_Bob-s-Encryption-End-Entity-Certificate.crt")))
	if err != nil {
		t.Fatal(err)
	}
	return smime.Identities{id}
}

func field(m *smime.Message, name string) smime.HeaderField {
	for _, f := range m.Header() {
		if strings.EqualFold(f.Name, name) {
			return f
		}
	}
	return smime.HeaderField{}
}

func TestRFC9788Messages(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "rfc9788-header-protection")
	opts := &smime.OpenOptions{Trust: lampsTrust(t), Keys: lampsBob(t), Chain: chain.Options{At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}}
	for name, want := range map[string]struct {
		subject           string
		encrypted, hidden bool
	}{
		"smime-one-part-hp.eml":            {"smime-one-part-hp", false, false},
		"smime-multipart-hp.eml":           {"smime-multipart-hp", false, false},
		"smime-signed-enc-hp-baseline.eml": {"smime-signed-enc-hp-baseline", true, true},
	} {
		t.Run(name, func(t *testing.T) {
			msg := readFile(t, filepath.Join(dir, name))
			m, err := smime.Open(context.Background(), bytes.NewReader(msg), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			signer, err := m.Signer()
			if err != nil || signer.Mailbox() != "alice@smime.example" {
				t.Errorf("%v\n%v", err, m)
			}
			if (m.Confidential() == nil) != want.encrypted {
				t.Errorf("confidential: %v", m.Confidential())
			}
			subject, from := field(m, "Subject"), field(m, "From")
			if subject.Value != want.subject || !subject.Signed || subject.Encrypted != want.hidden || (subject.Outer != "") != want.hidden {
				t.Errorf("%+v", subject)
			}
			if !from.Signed || from.Encrypted || from.Outer != "" {
				t.Errorf("%+v", from)
			}
			if f := field(m, "HP-Outer"); f.Name != "" {
				t.Errorf("%+v", f)
			}
			// Another From outside is another author.
			forged := bytes.Replace(msg, []byte("From: Alice <alice@"), []byte("From: Alice <mallory@"), 1)
			f, err := smime.Open(context.Background(), bytes.NewReader(forged), opts)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.Signer(); !errors.Is(err, smime.ErrAmbiguousSender) {
				t.Errorf("other From outside: %v", err)
			}
			if field(f, "From").Signed {
				t.Error("a field is signed without a signer")
			}
		})
	}
}

// TestUnsealRFC9788 reads the encrypted message of RFC 9788 in one call.
func TestUnsealRFC9788(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "rfc9788-header-protection")
	opts := &smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: chain.Options{At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)}}}
	msg := readFile(t, filepath.Join(dir, "smime-signed-enc-hp-baseline.eml"))
	var out bytes.Buffer
	signer, enc, err := smime.Unseal(context.Background(), &out, bytes.NewReader(msg), lampsBob(t), lampsTrust(t), opts)
	if err != nil {
		t.Fatal(err)
	}
	if signer.Mailbox() != "alice@smime.example" || enc.Cipher.Authenticated() || enc.Key == nil || len(enc.Recipients) != 2 {
		t.Errorf("%v, %+v", signer.Mailbox(), enc)
	}
	want := bytes.ReplaceAll(readFile(t, filepath.Join(dir, "smime-signed-enc-hp-baseline.payload.txt")), []byte("\r\n"), []byte("\n"))
	if got := bytes.ReplaceAll(out.Bytes(), []byte("\r\n"), []byte("\n")); !bytes.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	out.Reset()
	opts.RequireAuthenticated = true
	if _, _, err := smime.Unseal(context.Background(), &out, bytes.NewReader(msg), lampsBob(t), lampsTrust(t), opts); !errors.Is(err, smime.ErrNotAuthenticated) || out.Len() > 0 {
		t.Errorf("%v, %d octets", err, out.Len())
	}
}

// TestOldProtectedHeaders reads the scheme before RFC 9788 and shows its fields as unprotected.
func TestOldProtectedHeaders(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "autocrypt-protected-headers")
	ids, err := smime.ParsePKCS12(readFile(t, filepath.Join(dir, "bob.decoded.p12")), "bob")
	if err != nil {
		t.Fatal(err)
	}
	trust := chain.NewCollection(chain.Anchors(chain.Certs(certificate(t, filepath.Join(dir, "sample-ca.pem")))))
	for name, signed := range map[string]bool{
		"smime-multipart-signed.eml": true, "smime-onepart-signed.eml": true, "smime-sign+enc.eml": true,
		"smime-sign+enc+legacy-disp.eml": true, "smime-enc+legacy-disp.eml": false,
	} {
		t.Run(name, func(t *testing.T) {
			m, err := smime.Open(context.Background(), bytes.NewReader(readFile(t, filepath.Join(dir, name))), &smime.OpenOptions{
				Trust: trust, Keys: smime.Identities(ids), Chain: chain.Options{At: time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)},
			})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if _, err := m.Signer(); signed != (err == nil) {
				t.Errorf("%v\n%v", err, m)
			}
			if f := field(m, "Subject"); f.Signed || f.Encrypted {
				t.Errorf("%+v", f)
			}
			noted := false
			for l := range m.All() {
				for _, n := range l.Notes() {
					noted = noted || n.Code == smime.NoteOldHeader
				}
			}
			if !noted {
				t.Errorf("not noted\n%v", m)
			}
		})
	}
}
