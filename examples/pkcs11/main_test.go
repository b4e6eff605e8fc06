package main

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/miekg/pkcs11"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const pin = "2468"

// softHSM makes an empty token store for this test and returns the module.
func softHSM(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("softhsm2-util"); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal(err)
		}
		t.Skip("SoftHSM is not installed")
	}
	dir := t.TempDir()
	conf := filepath.Join(dir, "softhsm2.conf")
	if err := os.WriteFile(conf, []byte("directories.tokendir = "+dir+"\nobjectstore.backend = file\nlog.level = ERROR\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	for _, file := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	t.Fatal("no module of SoftHSM")
	return ""
}

// load makes a token and puts a key and its certificate on it.
func load(t *testing.T, label string, key crypto.PrivateKey, cert *x509.Certificate) {
	t.Helper()
	command(t, "softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", pin)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	keyFile, pemFile := filepath.Join(dir, "key.der"), filepath.Join(dir, "key.pem")
	if err := os.WriteFile(keyFile, pkcs8, 0o600); err != nil {
		t.Fatal(err)
	}
	command(t, "openssl", "pkcs8", "-topk8", "-nocrypt", "-inform", "DER", "-in", keyFile, "-out", pemFile)
	command(t, "softhsm2-util", "--import", pemFile, "--token", label, "--label", label, "--id", "01", "--pin", pin)
}

func command(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// putCertificate adds the certificate, which softhsm2-util can't.
func putCertificate(t *testing.T, module, label string, cert *x509.Certificate) {
	t.Helper()
	m := pkcs11.New(module)
	if err := m.Initialize(); err != nil && !errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		t.Fatal(err)
	}
	slots, err := m.GetSlotList(true)
	if err != nil {
		t.Fatal(err)
	}
	for _, slot := range slots {
		info, err := m.GetTokenInfo(slot)
		if err != nil || info.Label != label {
			continue
		}
		s, err := m.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Login(s, pkcs11.CKU_USER, pin); err != nil {
			t.Fatal(err)
		}
		_, err = m.CreateObject(s, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE),
			pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true),
			pkcs11.NewAttribute(pkcs11.CKA_ID, []byte{1}),
			pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, cert.RawSubject),
			pkcs11.NewAttribute(pkcs11.CKA_VALUE, cert.Raw),
		})
		if err := errors.Join(err, m.CloseSession(s)); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("no token %s", label)
}

func TestTwoTokens(t *testing.T) {
	module := softHSM(t)
	ca := smimetest.NewCA(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	alice, bob := ca.Certify(rsaKey, "alice@example.com"), ca.Certify(ecKey, "bob@example.com")
	load(t, "alice", rsaKey, alice.Certificate())
	load(t, "bob", ecKey, bob.Certificate())
	putCertificate(t, module, "alice", alice.Certificate())
	putCertificate(t, module, "bob", bob.Certificate())

	for _, tt := range []struct {
		token string
		id    *smime.Identity
	}{{"alice", alice}, {"bob", bob}} {
		t.Run(tt.token, func(t *testing.T) {
			mail := smimetest.Mail(tt.token+"@example.com", "carol@example.com", "from a token")
			var signed, content bytes.Buffer
			if err := run(t.Context(), module, tt.token, pin, "sign", bytes.NewReader(mail), &signed); err != nil {
				t.Fatal(err)
			}
			signer, err := smime.Verify(t.Context(), &content, &signed, ca.Trust(), &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
			if err != nil {
				t.Fatal(err)
			}
			if signer.Mailbox() != tt.token+"@example.com" {
				t.Errorf("signed by %s", signer.Mailbox())
			}

			sealed := smimetest.Encrypted(t, alice, "for a token", tt.id)
			content.Reset()
			if err := run(t.Context(), module, tt.token, pin, "decrypt", bytes.NewReader(sealed), &content); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(content.Bytes(), []byte("for a token")) {
				t.Error("another content")
			}
			err = run(t.Context(), module, tt.token, pin, "decrypt", bytes.NewReader(smimetest.Tamper(t, sealed)), &content)
			if !errors.Is(err, pkcs7.ErrDecrypt) || errors.Is(err, pkcs7.ErrKeyUnavailable) {
				t.Errorf("tampered: %v", err)
			}
		})
	}
	t.Run("wrong PIN", func(t *testing.T) {
		err := run(t.Context(), module, "alice", "0000", "sign", bytes.NewReader(nil), &bytes.Buffer{})
		if !errors.Is(err, pkcs7.ErrKeyUnavailable) {
			t.Error(err)
		}
	})
	t.Run("token removed", func(t *testing.T) { removed(t, module, alice, bob) })
}

// removed ends the session between the finding of the keys and their use.
func removed(t *testing.T, module string, people ...*smime.Identity) {
	for i, label := range []string{"alice", "bob"} {
		tok, err := openToken(module, label, pin)
		if err != nil {
			t.Fatal(err)
		}
		ids, err := tok.identities()
		if err != nil || len(ids) != 1 {
			t.Fatalf("%d identities, %v", len(ids), err)
		}
		if err := tok.close(); err != nil {
			t.Fatal(err)
		}
		sealed := smimetest.Encrypted(t, people[0], "for a token", people[i])
		var content bytes.Buffer
		_, err = smime.Decrypt(t.Context(), &content, bytes.NewReader(sealed), ids, nil)
		if !errors.Is(err, pkcs7.ErrKeyUnavailable) || errors.Is(err, pkcs7.ErrDecrypt) || content.Len() > 0 {
			t.Errorf("%s: %v", label, err)
		}
	}
}
