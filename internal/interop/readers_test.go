package interop

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A reader is a program that reads CMS objects in DER with the key of Bob. Each
// function returns the content.
type reader struct {
	verify, decrypt func(t *testing.T, der []byte) ([]byte, error)
}

// TestWhoReads shows rows of the README's table that no other test shows: what
// NSS and gpgsm read, as Debian has them.
func TestWhoReads(t *testing.T) {
	ca := smimetest.NewCA(t)
	ids := map[string]*smime.Identity{}
	for kind, generate := range map[string]func() (crypto.Signer, error){
		"rsa":  func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"p256": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"p384": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"p521": func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
	} {
		t.Run(kind, func(t *testing.T) {
			key, err := generate()
			if err != nil {
				t.Fatal(err)
			}
			ids[kind] = ca.Certify(key, "bob@example.com")
		})
	}
	for _, peer := range []struct {
		name  string
		start func(t *testing.T, ca *smimetest.CA, bob *smime.Identity) reader
		signs map[string][]pkcs7.Scheme
	}{
		{"NSS", startNSS, map[string][]pkcs7.Scheme{"rsa": {pkcs7.RSAPKCS1SHA256, pkcs7.RSAPSSSHA256}, "p256": {pkcs7.ECDSASHA256}, "p384": {pkcs7.ECDSASHA384}, "p521": {pkcs7.ECDSASHA512}}},
		{"gpgsm", startGpgsm, map[string][]pkcs7.Scheme{"rsa": {pkcs7.RSAPKCS1SHA256, pkcs7.RSAPSSSHA256}, "p256": {pkcs7.ECDSASHA256}, "p384": {pkcs7.ECDSASHA384}}},
	} {
		t.Run(peer.name, func(t *testing.T) {
			r := peer.start(t, ca, ids["rsa"])
			for kind, schemes := range peer.signs {
				for _, scheme := range schemes {
					t.Run(kind+" "+scheme.String(), func(t *testing.T) {
						got, err := r.verify(t, signedBy(t, ids[kind], scheme))
						if err != nil || string(got) != content {
							t.Errorf("%q, %v", got, err)
						}
					})
				}
			}
			for _, cipher := range []pkcs7.Cipher{pkcs7.AES128CBC, pkcs7.AES256CBC} {
				t.Run(cipher.String(), func(t *testing.T) {
					got, err := r.decrypt(t, encryptedTo(t, ids["rsa"], cipher))
					if err != nil || string(got) != content {
						t.Errorf("%q, %v", got, err)
					}
				})
			}
		})
	}
}

func signedBy(t *testing.T, id *smime.Identity, scheme pkcs7.Scheme) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	key.Scheme = scheme
	var b bytes.Buffer
	w, err := pkcs7.NewSignWriter(t.Context(), &b, []pkcs7.SigningKey{key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write([]byte(content))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func encryptedTo(t *testing.T, id *smime.Identity, cipher pkcs7.Cipher) []byte {
	t.Helper()
	to := []pkcs7.Recipient{pkcs7.ToCertificate(id.Certificate(), &pkcs7.RecipientOptions{PKCS1v15: true})}
	var b bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(t.Context(), &b, to, &pkcs7.EncryptOptions{Cipher: cipher})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write([]byte(content))
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// startNSS returns cmsutil with a database of its own.
func startNSS(t *testing.T, ca *smimetest.CA, bob *smime.Identity) reader {
	db := "sql:" + t.TempDir()
	for _, args := range [][]string{
		{"certutil", "-N", "-d", db, "--empty-password"},
		{"certutil", "-A", "-d", db, "-n", "root", "-t", "C,C,C", "-i", save(t, ca.Root().Raw)},
		{"pk12util", "-i", save(t, pfxOf(t, bob)), "-d", db, "-W", "pw", "-K", ""},
	} {
		if out, err := suites.Command(t, args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
	run := func(args ...string) func(t *testing.T, der []byte) ([]byte, error) {
		return func(t *testing.T, der []byte) ([]byte, error) {
			return output(suites.Command(t, "cmsutil", append(args, "-D", "-d", db, "-i", save(t, der))...))
		}
	}
	return reader{verify: run("-u", "4"), decrypt: run()}
}

// startGpgsm returns gpgsm with a home of its own.
func startGpgsm(t *testing.T, ca *smimetest.CA, bob *smime.Identity) reader {
	suites.Tool(t, "gpgsm")
	home, err := os.MkdirTemp("", "g") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(suites.Command(t, "gpgconf", "--homedir", home, "--kill", "gpg-agent").Run(), os.RemoveAll(home)); err != nil {
			t.Error(err)
		}
	})
	sum := sha1.Sum(ca.Root().Raw)
	for name, text := range map[string]string{"gpg-agent.conf": "allow-loopback-pinentry\n", "trustlist.txt": hex.EncodeToString(sum[:]) + " S relax\n"} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) ([]byte, error) {
		cmd := suites.Command(t, "gpgsm", append([]string{"--homedir", home, "--batch", "--yes", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0"}, args...)...)
		cmd.Stdin = strings.NewReader("pw\n")
		return output(cmd)
	}
	if _, err := run("--import", save(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Root().Raw}))); err != nil {
		t.Fatal(err)
	}
	// gpgsm 2.2 fails to import one file in about 64, whoever made it.
	for range 4 {
		if _, err = run("--import", save(t, pfxOf(t, bob))); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return reader{
		verify:  func(t *testing.T, der []byte) ([]byte, error) { return run("--output", "-", "--verify", save(t, der)) },
		decrypt: func(t *testing.T, der []byte) ([]byte, error) { return run("--output", "-", "--decrypt", save(t, der)) },
	}
}

// pfxOf returns a file that every program imports fast.
func pfxOf(t *testing.T, id *smime.Identity) []byte {
	t.Helper()
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{id}, "pw", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	return pfx
}

func save(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// output returns what a command writes; the error has what it complains of.
func output(cmd *exec.Cmd) ([]byte, error) {
	var report bytes.Buffer
	cmd.Stderr = &report
	out, err := cmd.Output()
	if err != nil {
		err = errors.Join(err, errors.New(report.String()))
	}
	return out, err
}
