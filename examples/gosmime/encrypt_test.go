package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestEncrypt(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := clitest.NewPerson(t, ca, "bob@example.com"), clitest.NewPerson(t, ca, "carol@example.com")
	roots := clitest.Roots(t, ca)
	mail := smimetest.Mail("alice@example.com", "bob@example.com, carol@example.com", "the secret")
	ciphers := map[string]pkcs7.Cipher{
		"aes-128-gcm": pkcs7.AES128GCM, "AES192-GCM": pkcs7.AES192GCM, "aes256gcm": pkcs7.AES256GCM, "aes-128-ccm": pkcs7.AES128CCM,
		"aes-256-ccm": pkcs7.AES256CCM, "chacha20-poly1305": pkcs7.ChaCha20Poly1305, "aes-128-cbc": pkcs7.AES128CBC,
		"aes-192-cbc": pkcs7.AES192CBC, "aes-256-cbc": pkcs7.AES256CBC, "": pkcs7.AES256CBC,
	}
	for name, want := range ciphers {
		o := clitest.Run(t, encryptMessage, mail, append(roots, "-to", bob.Cert+","+carol.Cert, "-cipher", name)...)
		if o.Code != 0 {
			t.Fatalf("%q: exit %d: %s", name, o.Code, o.Err.String())
		}
		if bytes.Contains(o.Out.Bytes(), []byte("secret")) {
			t.Fatalf("%q: not encrypted", name)
		}
		for _, p := range []*clitest.Person{bob, carol} {
			var content bytes.Buffer
			enc, err := smime.Decrypt(t.Context(), &content, bytes.NewReader(o.Out.Bytes()), smime.Identities{p.Identity}, nil)
			if err != nil {
				t.Fatalf("%q: %v", name, err)
			}
			if enc.Cipher != want || !strings.Contains(content.String(), "the secret") {
				t.Errorf("%q: cipher %v, content %q", name, enc.Cipher, content.String())
			}
		}
	}
}

// TestRepeated counts everybody who is named, one -to or several.
func TestRepeated(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := clitest.NewPerson(t, ca, "bob@example.com"), clitest.NewPerson(t, ca, "carol@example.com")
	o := clitest.Run(t, encryptMessage, smimetest.Mail("alice@example.com", "bob@example.com", "the secret"), append(clitest.Roots(t, ca), "-to", bob.Cert, "-to", carol.Cert)...)
	if o.Code != 0 {
		t.Fatalf("exit %d: %s", o.Code, &o.Err)
	}
	for _, p := range []*clitest.Person{bob, carol} {
		if _, err := smime.Decrypt(t.Context(), &bytes.Buffer{}, bytes.NewReader(o.Out.Bytes()), smime.Identities{p.Identity}, nil); err != nil {
			t.Errorf("%s: %v", p.Mailboxes(), err)
		}
	}
}

func TestEncryptRefusals(t *testing.T) {
	ca, other := smimetest.NewCA(t), smimetest.NewCA(t)
	bob, stranger := clitest.NewPerson(t, ca, "bob@example.com"), clitest.NewPerson(t, other, "carol@example.com")
	expired, signer := clitest.NewPerson(t, ca, "dave@example.com", smimetest.Expired()), clitest.NewPerson(t, ca, "erin@example.com", smimetest.SigningOnly())
	roots := clitest.Roots(t, ca)
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "the secret")
	for name, args := range map[string][]string{
		"nobody":       roots,
		"no roots":     {"-to", bob.Cert},
		"a stranger":   append(roots, "-to", bob.Cert+","+stranger.Cert),
		"expired":      append(roots, "-to", expired.Cert),
		"signing only": append(roots, "-to", signer.Cert),
		"cipher":       append(roots, "-to", bob.Cert, "-cipher", "3des"),
	} {
		if o := clitest.Run(t, encryptMessage, mail, args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes", name, o.Code, o.Out.Len())
		}
	}
}
