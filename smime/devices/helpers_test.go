package devices_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const user = "alice@example.com"

func rsaKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// connectorKey is the key of the connector, made once.
func connectorKey(t testing.TB) *rsa.PrivateKey {
	t.Helper()
	key, err := madeConnectorKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

var madeConnectorKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

// history returns the identities of a user: an expired one, the present one, and
// one for signing alone, all with RSA keys, which every program reads.
func history(t testing.TB, ca *smimetest.CA) []*smime.Identity {
	t.Helper()
	return []*smime.Identity{
		ca.Certify(rsaKey(t, 2048), user, smimetest.Expired()),
		ca.Certify(rsaKey(t, 2048), user),
		ca.Certify(rsaKey(t, 2048), user, smimetest.SigningOnly()),
	}
}

func write(t testing.TB, dir, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func run(t testing.TB, stdin []byte, tool string, args ...string) []byte {
	t.Helper()
	var stderr bytes.Buffer
	cmd := suites.Command(t, tool, args...)
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", filepath.Base(tool), strings.Join(args, " "), err, stderr.Bytes())
	}
	return out
}

func pemOf(certs ...*x509.Certificate) []byte {
	var b []byte
	for _, c := range certs {
		b = append(b, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return b
}

// readByOthers has OpenSSL, keytool and NSS read a PKCS #12 file with the key of
// id.
func readByOthers(t *testing.T, pfx []byte, password string, id *smime.Identity, legacy bool) {
	t.Helper()
	dir := t.TempDir()
	file := write(t, dir, "id.p12", pfx)
	args := []string{"pkcs12", "-in", file, "-passin", "pass:" + password, "-nodes"}
	if legacy {
		args = append(args, "-legacy")
	}
	out := run(t, nil, "openssl", args...)
	var keys, found int
	for block, rest := pem.Decode(out); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case strings.HasSuffix(block.Type, "PRIVATE KEY"):
			keys++
		case block.Type == "CERTIFICATE" && bytes.Equal(block.Bytes, id.Certificate().Raw):
			found++
		}
	}
	if keys != 1 || found != 1 {
		t.Errorf("openssl: %d keys, the certificate %d times", keys, found)
	}
	out = run(t, nil, "keytool", "-list", "-keystore", file, "-storetype", "PKCS12", "-storepass", password)
	if n := bytes.Count(out, []byte("PrivateKeyEntry")); n != 1 {
		t.Errorf("keytool: %d keys", n)
	}
	db := t.TempDir()
	run(t, nil, "certutil", "-N", "-d", "sql:"+db, "--empty-password")
	run(t, nil, "pk12util", "-i", file, "-d", "sql:"+db, "-W", password, "-K", "")
	if out := run(t, nil, "certutil", "-K", "-d", "sql:"+db); bytes.Count(out, []byte("rsa")) != 1 {
		t.Errorf("NSS: %s", out)
	}
}

// A hardware key never shows its private part.
type hardware struct{ key *rsa.PrivateKey }

func (h hardware) Public() crypto.PublicKey { return h.key.Public() }

func (h hardware) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return h.key.Sign(r, digest, opts)
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return hex.EncodeToString(sum[:])
}

// importGPGSM imports a PKCS #12 file with one identity and older encryption into
// gpgsm, which knows no other, and returns why it can't.
func importGPGSM(t *testing.T, pfx []byte, password string) error {
	t.Helper()
	home, err := os.MkdirTemp("", "gs") // a socket path has a limit that the folders of tests exceed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	write(t, home, "gpg-agent.conf", []byte("allow-loopback-pinentry\n"))
	t.Cleanup(func() { _ = suites.Command(t, "gpgconf", "--homedir", home, "--kill", "gpg-agent").Run() })
	file := write(t, home, "id.p12", pfx)
	var stderr bytes.Buffer
	cmd := suites.Command(t, "gpgsm", "--homedir", home, "--batch", "--yes", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0", "--import", file)
	cmd.Stdin, cmd.Stderr = strings.NewReader(password+"\n"), &stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("gpgsm: %w\n%s", err, stderr.Bytes())
	}
	keys, err := filepath.Glob(filepath.Join(home, "private-keys-v1.d", "*.key"))
	if err != nil || len(keys) != 1 {
		return fmt.Errorf("gpgsm has %d keys, %w", len(keys), err)
	}
	return nil
}
