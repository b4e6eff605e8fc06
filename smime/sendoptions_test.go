package smime_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestRequireOAEP(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	bob := ca.Certify(key, "bob@example.com")
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	v15 := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1}
	oaep := []byte{6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 7}
	sha512 := []byte{6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3}
	for _, tt := range []struct {
		name string
		opts smime.EncryptOptions
		has  [][]byte
		not  []byte
	}{
		{"default", smime.EncryptOptions{}, [][]byte{v15}, oaep},
		{"required", smime.EncryptOptions{RequireOAEP: true}, [][]byte{oaep}, v15},
		{"required with a hash", smime.EncryptOptions{RequireOAEP: true, OAEPHash: crypto.SHA512, Cipher: pkcs7.AES128CBC}, [][]byte{oaep, sha512}, v15},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, plain bytes.Buffer
			if err := smime.Encrypt(t.Context(), &out, bytes.NewReader(mail), []*smime.Recipient{ca.Recipient(bob)}, &tt.opts); err != nil {
				t.Fatal(err)
			}
			der, _ := cmsOf(t, out.Bytes())
			for _, want := range tt.has {
				if !bytes.Contains(der, want) {
					t.Errorf("%x is missing", want)
				}
			}
			if bytes.Contains(der, tt.not) {
				t.Errorf("%x is there", tt.not)
			}
			if _, err := smime.Decrypt(t.Context(), &plain, &out, smime.Identities{bob}, nil); err != nil || !strings.Contains(plain.String(), "hello") {
				t.Errorf("%v: %s", err, plain.String())
			}
		})
	}
}

// What a correspondent's program is known to show decides what is hidden.
func TestHideWhereShown(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice, bob, carol := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	mail := "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: secret plan\r\nDate: Tue, 01 Dec 2026 01:04:26 +0000\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
	shows := map[string]bool{"bob@example.com": true}
	opts := &smime.RecipientOptions{ShowsHeader: func(box string, _ *x509.Certificate) bool { return shows[box] }}
	find := func(boxes ...string) []*smime.Recipient {
		to, err := smime.FindRecipients(t.Context(), boxes, ca.Directory(bob, carol), opts)
		if err != nil {
			t.Fatal(err)
		}
		return to
	}
	for _, tt := range []struct {
		name   string
		to     []*smime.Recipient
		opts   smime.SealOptions
		hidden bool
		text   bool // the Subject is repeated in the text
	}{
		{"all show", find("bob@example.com"), smime.SealOptions{Sign: smime.SignOptions{Header: smime.HideWhereShown}}, true, true},
		{"one does not", find("bob@example.com", "carol@example.com"), smime.SealOptions{Sign: smime.SignOptions{Header: smime.HideWhereShown}}, false, false},
		{"all show, no legacy display", find("bob@example.com"), smime.SealOptions{Sign: smime.SignOptions{Header: smime.HideWhereShown}, NoLegacyDisplay: true}, true, false},
		{"always, no legacy display", find("carol@example.com"), smime.SealOptions{NoLegacyDisplay: true}, true, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := smime.Seal(t.Context(), &out, strings.NewReader(mail), alice, tt.to, &tt.opts); err != nil {
				t.Fatal(err)
			}
			if hidden := !bytes.Contains(out.Bytes(), []byte("secret plan")); hidden != tt.hidden {
				t.Errorf("hidden: %v", hidden)
			}
			keys := smime.Identities{bob, carol}
			m, err := smime.Open(t.Context(), bytes.NewReader(out.Bytes()), &smime.OpenOptions{Trust: ca.Trust(), Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s, err := m.Signer()
			if err != nil {
				t.Fatal(err)
			}
			if !s.ShowsHeader() || s.Scheme() != pkcs7.ECDSASHA256 || !bytes.Equal(s.EncryptTo().Raw, alice.Certificate().Raw) {
				t.Errorf("shows %v, %v, %v", s.ShowsHeader(), s.Scheme(), s.EncryptTo())
			}
			var whole, display bytes.Buffer
			if _, _, err := smime.Unseal(t.Context(), &whole, bytes.NewReader(out.Bytes()), keys, ca.Trust(), nil); err != nil {
				t.Fatal(err)
			}
			if _, _, err := smime.Unseal(t.Context(), &display, bytes.NewReader(out.Bytes()), keys, ca.Trust(), &smime.UnsealOptions{ForDisplay: true}); err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(whole.String(), "\r\n\r\n")
			_, shown, _ := strings.Cut(display.String(), "\r\n\r\n")
			if strings.Contains(body, "secret plan") != tt.text || strings.Contains(shown, "secret plan") || !strings.Contains(shown, "hello") {
				t.Errorf("text %q, for display %q", body, shown)
			}
		})
	}
	t.Run("Decrypt for display", func(t *testing.T) {
		for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
			var out, shown bytes.Buffer
			if err := smime.Encrypt(t.Context(), &out, strings.NewReader(mail), find("bob@example.com"), &smime.EncryptOptions{Cipher: cipher}); err != nil {
				t.Fatal(err)
			}
			_, err := smime.Decrypt(t.Context(), &shown, bytes.NewReader(out.Bytes()), smime.Identities{bob}, &smime.DecryptOptions{ForDisplay: true})
			_, body, _ := strings.Cut(shown.String(), "\r\n\r\n")
			if err != nil || strings.Contains(body, "secret plan") || !strings.Contains(body, "hello") {
				t.Errorf("%v: %q, %v", cipher, body, err)
			}
		}
	})
	t.Run("a part that is not in its transfer encoding", func(t *testing.T) {
		const bad = "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; hp=cipher; hp-legacy-display=1\r\n" +
			"Content-Transfer-Encoding: base64\r\n\r\n!!!!\r\n"
		for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
			der, err := pkcs7.Encrypt(t.Context(), []byte(bad), []pkcs7.Recipient{pkcs7.ToCertificate(bob.Certificate(), nil)}, &pkcs7.EncryptOptions{Cipher: cipher})
			if err != nil {
				t.Fatal(err)
			}
			in := "msip_labels: label\r\nContent-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: binary\r\n\r\n" + string(der)
			var shown bytes.Buffer
			e, err := smime.Decrypt(t.Context(), &shown, strings.NewReader(in), smime.Identities{bob}, &smime.DecryptOptions{ForDisplay: true})
			if err != nil || shown.String() != bad {
				t.Fatalf("%v: %q, %v", cipher, shown.String(), err)
			}
			if len(e.Notes) != 1 || e.Notes[0].Code != smime.NoteSensitivityLabel {
				t.Errorf("%v: notes %v", cipher, e.Notes)
			}
		}
	})
	t.Run("a limit inside is no oracle", func(t *testing.T) {
		many := "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\nx\r\n", 30) + "--b--\r\n"
		for cipher, want := range map[pkcs7.Cipher]error{pkcs7.AES256CBC: smime.ErrDecrypt, pkcs7.AES256GCM: smime.ErrLimit} {
			var out bytes.Buffer
			if err := smime.Encrypt(t.Context(), &out, strings.NewReader(many), find("bob@example.com"), &smime.EncryptOptions{Cipher: cipher}); err != nil {
				t.Fatal(err)
			}
			opts := &smime.DecryptOptions{ForDisplay: true, Limits: smime.Limits{Parts: 10}}
			if _, err := smime.Decrypt(t.Context(), io.Discard, &out, smime.Identities{bob}, opts); !errors.Is(err, want) {
				t.Errorf("%v: %v", cipher, err)
			}
		}
	})
}
