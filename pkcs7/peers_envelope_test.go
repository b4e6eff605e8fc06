package pkcs7

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	digitorus "github.com/digitorus/pkcs7"
	"github.com/gosmime/gosmime/internal/suites"
	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// selfSigned makes a certificate that programs take for good.
func selfSigned(t *testing.T, key crypto.Signer) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber:          big.NewInt(4711),
		Subject:               pkix.Name{CommonName: "Recipient"},
		EmailAddresses:        []string{"recipient@example.com"},
		NotBefore:             time.Now().Add(-time.Hour),
		NotAfter:              time.Now().Add(24 * time.Hour),
		KeyUsage:              x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement | x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		IsCA:                  true,
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func peerKey(t *testing.T) testKey {
	key := testRSA().key.(*rsa.PrivateKey)
	return testKey{"peer", selfSigned(t, key), key}
}

const peerPassword = "secret"

func (p *peer) pfx(k testKey) string {
	p.t.Helper()
	pfx, err := pkcs12.LegacyDES.Encode(k.key, k.cert, nil, peerPassword)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.file("key.p12", pfx)
}

func TestGPGSMEnvelope(t *testing.T) {
	t.Parallel()
	gpg := newPeer(t, "gpgsm")
	k := peerKey(t)
	// The path of a socket must be short.
	home, err := os.MkdirTemp("", "g")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop := suites.Command(t, "gpgconf", "--homedir", home, "--kill", "gpg-agent")
		if err := stop.Run(); err != nil {
			t.Log(err)
		}
		os.RemoveAll(home)
	})
	sum := sha1.Sum(k.cert.Raw)
	for name, content := range map[string]string{
		"gpg-agent.conf": "allow-loopback-pinentry\n",
		"trustlist.txt":  hex.EncodeToString(sum[:]) + " S relax\n",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(home, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		})
	}
	run := func(args ...string) ([]byte, error) {
		return gpg.run([]byte(peerPassword+"\n"), append([]string{"--homedir", home, "--batch", "--yes", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0"}, args...)...)
	}
	// gpgsm 2.2 can't import one PKCS #12 file in about 64, whoever made it.
	for range 4 {
		if _, err = run("--import", gpg.pfx(k)); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	content := bytes.Repeat([]byte("between programs\r\n"), 4000)
	checked := 0
	for _, c := range []Cipher{AES128CBC, AES192CBC, AES256CBC} {
		for _, size := range []int64{0, int64(len(content))} {
			msg := encryptTo(t, content, &EncryptOptions{Cipher: c, Size: size}, ToCertificate(k.cert, &RecipientOptions{PKCS1v15: true}))
			got, err := run("--output", "-", "--decrypt", gpg.file("msg", msg))
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: %d octets, %v", c, len(got), err)
			}
			checked++
		}
	}
	plain := gpg.file("plain", content)
	for _, c := range []string{"AES", "AES192", "AES256", "3DES"} {
		t.Run(c, func(t *testing.T) {
			msg, err := run("--recipient", "recipient@example.com", "--cipher-algo", c, "--output", "-", "--encrypt", plain)
			if err != nil {
				t.Errorf("%s: %v", c, err)
				return
			}
			got, err := decryptAll(unseekable(msg), k.keyFunc(), &DecryptOptions{InsecureHistoric: true})
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%s: %d octets, %v", c, len(got), err)
			}
			checked++
		})
	}
	if checked != 10 {
		t.Errorf("%d messages", checked)
	}
}

func TestNSSEnvelope(t *testing.T) {
	t.Parallel()
	nss := newPeer(t, "cmsutil")
	k := peerKey(t)
	db := "sql:" + nss.dir
	for _, args := range [][]string{
		{"certutil", "-N", "-d", db, "--empty-password"},
		{"pk12util", "-i", nss.pfx(k), "-d", db, "-W", peerPassword, "-K", ""},
	} {
		if out, err := suites.Command(t, args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", args, out)
		}
	}
	list, err := suites.Command(t, "certutil", "-L", "-d", db).Output()
	if err != nil {
		t.Fatal(err)
	}
	nickname := ""
	for line := range strings.Lines(string(list)) {
		if before, _, ok := strings.Cut(line, " u,u,u"); ok {
			nickname = strings.TrimSpace(before)
		}
	}
	if nickname == "" {
		nickname = strings.TrimSpace(strings.Split(strings.TrimSpace(string(list)), "\n")[3])
		nickname = strings.TrimSpace(nickname[:strings.LastIndex(nickname, " ")])
	}
	if out, err := suites.Command(t, "certutil", "-M", "-d", db, "-n", nickname, "-t", "CTu,CTu,CTu").CombinedOutput(); err != nil {
		t.Fatalf("%q: %s", nickname, out)
	}
	content := bytes.Repeat([]byte("between programs\r\n"), 4000)
	for _, c := range []Cipher{AES128CBC, AES192CBC, AES256CBC} {
		for _, size := range []int64{0, int64(len(content))} {
			msg := encryptTo(t, content, &EncryptOptions{Cipher: c, Size: size}, ToCertificate(k.cert, &RecipientOptions{PKCS1v15: true}))
			got, err := nss.run(nil, "-D", "-d", db, "-i", nss.file("msg", msg))
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: %d octets, %v", c, len(got), err)
			}
		}
	}
	msg, err := nss.run(nil, "-E", "-d", db, "-r", "recipient@example.com", "-i", nss.file("plain", content))
	if err != nil {
		t.Fatal(err)
	}
	got, err := decryptAll(bytes.NewReader(msg), k.keyFunc(), nil)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d octets, %v", len(got), err)
	}
}

func TestDigitorusEnvelope(t *testing.T) {
	t.Parallel()
	k := peerKey(t)
	content := bytes.Repeat([]byte("between programs\r\n"), 4000)
	for _, c := range []Cipher{AES128CBC, AES256CBC} {
		msg := encryptTo(t, content, &EncryptOptions{Cipher: c, Size: int64(len(content))}, ToCertificate(k.cert, &RecipientOptions{PKCS1v15: true}))
		p7, err := digitorus.Parse(msg)
		if err != nil {
			t.Fatal(err)
		}
		got, err := p7.Decrypt(k.cert, k.key)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%v: %v", c, err)
		}
	}
	// It writes single DES unless a variable of the package is changed, and
	// AES-GCM in an EnvelopedData.
	msg, err := digitorus.Encrypt(content, []*x509.Certificate{k.cert})
	if err != nil {
		t.Fatal(err)
	}
	got, err := decryptAll(bytes.NewReader(msg), k.keyFunc(), &DecryptOptions{InsecureHistoric: true})
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d octets, %v", len(got), err)
	}
	if _, err := decryptAll(bytes.NewReader(msg), k.keyFunc(), nil); err == nil {
		t.Error("single DES by default")
	}
}
