package smime_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"mime/multipart"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// cmsOf returns the CMS object of a message of ours and, if it is detached,
// what it signs.
func cmsOf(t testing.TB, msg []byte) (der, content []byte) {
	t.Helper()
	h := header(t, msg)
	_, body, _ := bytes.Cut(msg, []byte("\r\n\r\n"))
	decode := func(b []byte) []byte {
		der, err := base64.StdEncoding.DecodeString(string(bytes.ReplaceAll(b, []byte("\r\n"), nil)))
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	_, boundary, ok := strings.Cut(h.Get("Content-Type"), `boundary="`)
	if !ok {
		return decode(body), nil
	}
	boundary = strings.TrimSuffix(boundary, `"`)
	content, rest, _ := bytes.Cut(bytes.TrimPrefix(body, []byte("--"+boundary+"\r\n")), []byte("\r\n--"+boundary))
	p, err := multipart.NewReader(bytes.NewReader(append([]byte("--"+boundary), rest...)), boundary).NextPart()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := b.ReadFrom(p); err != nil {
		t.Fatal(err)
	}
	return decode(b.Bytes()), content
}

// rsaPeer is an RSA key: the tools here do little with others.
func rsaPeer(t *testing.T, ca *smimetest.CA) *peer { return newPeers(t, ca, "alice@example.com")[0] }

func TestGPGSMReadsOurs(t *testing.T) {
	gpgsm := suites.Tool(t, "gpgsm")
	ca := smimetest.NewCA(t)
	p := rsaPeer(t, ca)
	// A socket path has a limit that the folders of tests exceed.
	home, err := os.MkdirTemp("", "gs")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chmod(home, 0o700); err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(ca.Root().Raw)
	write(t, home, "gpg-agent.conf", []byte("allow-loopback-pinentry\n"))
	write(t, home, "trustlist.txt", []byte(hex.EncodeToString(sum[:])+" S relax\n"))
	t.Cleanup(func() { _ = suites.Command(t, "gpgconf", "--homedir", home, "--kill", "gpg-agent").Run() })
	try := func(args ...string) ([]byte, error) {
		var stderr bytes.Buffer
		cmd := suites.Command(t, gpgsm, append([]string{"--homedir", home, "--batch", "--yes", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0"}, args...)...)
		cmd.Stdin, cmd.Stderr = strings.NewReader("pw\n"), &stderr
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("gpgsm %v: %w\n%s", args, err, stderr.Bytes())
		}
		return out, nil
	}
	gpg := func(t *testing.T, args ...string) []byte {
		t.Helper()
		out, err := try(args...)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	gpg(t, "--import", filepath.Join(p.dir, "ca.pem"))
	// gpgsm 2.2 can't import one PKCS #12 file in about 64, whoever made it.
	for range 4 {
		var pfx []byte
		if pfx, err = smime.MarshalPKCS12([]*smime.Identity{p.id}, "pw", &smime.PKCS12Options{InsecureLegacy: true}); err != nil {
			t.Fatal(err)
		}
		if _, err = try("--import", write(t, home, "id.p12", pfx)); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}

	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			der, content := cmsOf(t, sign(t, []byte(crlf(mixedMail)), p.id, &smime.SignOptions{Opaque: opaque}))
			args := []string{"--verify", write(t, home, "sig", der)}
			if !opaque {
				args = append(args, write(t, home, "content", content))
			}
			gpg(t, args...)
		})
	}
	to := []*smime.Recipient{ca.Recipient(p.id)}
	der, _ := cmsOf(t, encrypt(t, []byte(crlf(plainMail)), to, nil))
	if got := gpg(t, "--output", "-", "--decrypt", write(t, home, "enc", der)); !bytes.Contains(got, []byte("At noon?")) {
		t.Errorf("%q", got)
	}
}

func TestNSSReadsOurs(t *testing.T) {
	cmsutil, certutil, pk12util := suites.Tool(t, "cmsutil"), suites.Tool(t, "certutil"), suites.Tool(t, "pk12util")
	ca := smimetest.NewCA(t)
	p := rsaPeer(t, ca)
	db := t.TempDir()
	write(t, db, "pw", nil)
	run(t, certutil, "-N", "-d", "sql:"+db, "--empty-password")
	run(t, certutil, "-A", "-d", "sql:"+db, "-n", "root", "-t", "C,C,C", "-a", "-i", filepath.Join(p.dir, "root.pem"))
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{p.id}, "pw", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	run(t, pk12util, "-i", write(t, db, "id.p12", pfx), "-d", "sql:"+db, "-W", "pw", "-k", filepath.Join(db, "pw"))
	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			der, content := cmsOf(t, sign(t, []byte(crlf(mixedMail)), p.id, &smime.SignOptions{Opaque: opaque}))
			args := []string{"-D", "-d", "sql:" + db, "-u", "4", "-i", write(t, db, "sig", der)}
			if !opaque {
				args = append(args, "-c", write(t, db, "content", content))
			}
			run(t, cmsutil, args...)
		})
	}
	to := []*smime.Recipient{ca.Recipient(p.id)}
	der, _ := cmsOf(t, encrypt(t, []byte(crlf(plainMail)), to, nil))
	got := run(t, cmsutil, "-D", "-d", "sql:"+db, "-i", write(t, db, "enc", der))
	if !bytes.Contains(got, []byte("At noon?")) {
		t.Errorf("%q", got)
	}
}
