package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// person returns an identity with an RSA key, in files.
func person(t *testing.T, ca *smimetest.CA, mailbox string) (id *smime.Identity, pfx, cert string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	id = ca.Certify(key, mailbox)
	b, err := smime.MarshalPKCS12([]*smime.Identity{id}, clitest.Password, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	pfx, cert = filepath.Join(dir, "id.p12"), filepath.Join(dir, "cert.pem")
	for name, b := range map[string][]byte{pfx: b, cert: clitest.PEM(id.Certificate().Raw)} {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return id, pfx, cert
}

// sealed returns what the command makes of an interchange, and the partner.
func sealed(t *testing.T) ([]byte, *smimetest.CA, *smime.Identity) {
	t.Helper()
	t.Setenv("SMIME_PASSWORD", clitest.Password)
	ca := smimetest.NewCA(t)
	_, pfx, _ := person(t, ca, "us@example.com")
	partner, _, cert := person(t, ca, "partner@example.org")
	mail := smimetest.Mail("us@example.com", "partner@example.org", "UNA:+.? 'UNB+UNOC:3+9900000000001+9900000000002'")
	o := clitest.Run(t, run, mail, append(clitest.Roots(t, ca), "-pfx", pfx, "-to", cert)...)
	if o.Code != 0 {
		t.Fatalf("exit %d: %s", o.Code, o.Err.String())
	}
	return o.Out.Bytes(), ca, partner
}

func TestEDI(t *testing.T) {
	mail, ca, partner := sealed(t)
	var content bytes.Buffer
	signer, enc, err := smime.Unseal(t.Context(), &content, bytes.NewReader(mail), smime.Identities{partner}, ca.Trust(), nil)
	if err != nil || !strings.Contains(content.String(), "UNB+UNOC") {
		t.Fatalf("%v: %s", err, content.String())
	}
	if signer.Scheme() != pkcs7.RSAPSSSHA256 || enc.Cipher != pkcs7.AES256CBC {
		t.Errorf("%v, %v", signer.Scheme(), enc.Cipher)
	}
}

// OpenSSL names the algorithms that the rules demand, outside and inside.
func TestEDIWithOpenSSL(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	mail, _, partner := sealed(t)
	show := func(mail []byte, wants ...string) {
		t.Helper()
		cmd := suites.Command(t, openssl, "cms", "-cmsout", "-print", "-inform", "SMIME")
		cmd.Stdin = bytes.NewReader(mail)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		for _, want := range wants {
			if !strings.Contains(string(out), want) {
				t.Errorf("OpenSSL does not show %s", want)
			}
		}
	}
	show(mail, "rsaesOaep", "aes-256-cbc")
	var inner bytes.Buffer
	if _, err := smime.Decrypt(t.Context(), &inner, bytes.NewReader(mail), smime.Identities{partner}, nil); err != nil {
		t.Fatal(err)
	}
	show(inner.Bytes(), "rsassaPss", "sha256")
}
