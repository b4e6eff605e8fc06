package pkcs7

import (
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// checkPeer checks a message that a peer signed over text by one key.
func checkPeer(t *testing.T, name string, msg []byte, detached io.Reader, k testKey) {
	t.Helper()
	r, err := NewSignedReader(bytes.NewReader(msg), detached, &ReadOptions{InsecureHistoric: true})
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	content, err := io.ReadAll(r)
	if err != nil || string(content) != text {
		t.Errorf("%s: %q, %v", name, content, err)
		return
	}
	signers, err := r.Signers()
	if err != nil || len(signers) != 1 {
		t.Errorf("%s: %d signers, %v", name, len(signers), err)
		return
	}
	if err := signers[0].CheckSignature(k.cert); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}

func TestReadGpgsm(t *testing.T) {
	t.Parallel()
	gpg := newPeer(t, "gpgsm")
	k := peerKey(t)
	home, err := os.MkdirTemp("", "g") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		suites.Command(t, "gpgconf", "--homedir", home, "--kill", "gpg-agent").Run()
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
	plain := gpg.file("plain", []byte(text))
	n := 0
	for _, digest := range []string{"SHA256", "SHA384", "SHA512", "SHA1"} {
		t.Run(digest, func(t *testing.T) {
			for _, form := range []string{"--sign", "--detach-sign"} {
				msg, err := run("--digest-algo", digest, "--output", "-", form, plain)
				if err != nil {
					t.Errorf("%s %s: %v", digest, form, err)
					continue
				}
				var detached io.Reader
				if form == "--detach-sign" {
					detached = bytes.NewReader([]byte(text))
				}
				checkPeer(t, digest+" "+form, msg, detached, k)
				n++
			}
		})
	}
	if n != 8 {
		t.Errorf("%d messages", n)
	}
}

func TestReadNSS(t *testing.T) {
	t.Parallel()
	nss := newPeer(t, "cmsutil")
	certutil, pk12util := suites.Tool(t, "certutil"), suites.Tool(t, "pk12util")
	k := peerKey(t)
	db := "sql:" + t.TempDir()
	tool := func(name string, args ...string) {
		if out, err := suites.Command(t, name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s %v: %v: %s", name, args, err, out)
		}
	}
	tool(certutil, "-N", "-d", db, "--empty-password")
	tool(pk12util, "-i", nss.pfx(k), "-d", db, "-W", peerPassword, "-K", "")
	name := nickname(t, certutil, db)
	tool(certutil, "-M", "-d", db, "-n", name, "-t", "CTu,CTu,CTu")
	plain := nss.file("plain", []byte(text))
	n := 0
	for _, digest := range []string{"SHA256", "SHA384", "SHA512", "SHA1"} {
		t.Run(digest, func(t *testing.T) {
			for _, options := range [][]string{{"-G"}, {"-G", "-P"}, {"-T", "-G"}} {
				args := []string{"-S", "-d", db, "-N", name, "-H", digest, "-i", plain}
				msg, err := nss.run(nil, append(args, options...)...)
				if err != nil {
					t.Errorf("%s %v: %v", digest, options, err)
					continue
				}
				var detached io.Reader
				if options[0] == "-T" {
					detached = bytes.NewReader([]byte(text))
				}
				checkPeer(t, digest, msg, detached, k)
				n++
			}
		})
	}
	if n != 12 {
		t.Errorf("%d messages", n)
	}
}

// nickname returns how the database calls its one certificate.
func nickname(t *testing.T, certutil, db string) string {
	out, err := suites.Command(t, certutil, "-L", "-d", db).Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range bytes.Split(out, []byte("\n")) {
		if i := bytes.Index(line, []byte("  ")); i > 0 && bytes.Contains(line, []byte("u,")) {
			return string(line[:i])
		}
	}
	return ""
}

// TestSignersWithOpenSSL adds signers in both directions.
func TestSignersWithOpenSSL(t *testing.T) {
	t.Parallel()
	openssl := suites.Tool(t, "openssl")
	a, b := newSigner(t, "rsa"), newSigner(t, "p256")
	certA, keyA := writeFiles(t, a)
	certB, keyB := writeFiles(t, b)
	both := writeTemp(t, "both.pem", append(mustRead(t, certA), mustRead(t, certB)...))
	check := []string{"cms", "-verify", "-binary", "-inform", "DER", "-CAfile", both, "-purpose", "any"}

	got, err := run(t, sign(t, text, nil, a, b), openssl, check...)
	if err != nil || string(got) != text {
		t.Errorf("two signers of ours: %q, %v", got, err)
	}
	theirs, err := run(t, []byte(text), openssl, "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", certA, "-inkey", keyA, "-signer", certB, "-inkey", keyB)
	if err != nil {
		t.Fatal(err)
	}
	if got, certs, err := verify(theirs, nil, nil); err != nil || got != text || len(certs) != 2 {
		t.Errorf("two signers of theirs: %q, %d, %v", got, len(certs), err)
	}
	one, err := run(t, []byte(text), openssl, "cms", "-sign", "-binary", "-nodetach", "-outform", "DER", "-signer", certA, "-inkey", keyA)
	if err != nil {
		t.Fatal(err)
	}
	var added bytes.Buffer
	if err := AddSigner(context.Background(), &added, bytes.NewReader(one), b, nil); err != nil {
		t.Fatal(err)
	}
	s := signersOf(t, added.Bytes(), nil)
	attr, err := s[0].Countersign(context.Background(), b, nil)
	if err != nil {
		t.Fatal(err)
	}
	var countersigned bytes.Buffer
	if err := AddUnsigned(&countersigned, &added, 0, attr); err != nil {
		t.Fatal(err)
	}
	if got, err := run(t, countersigned.Bytes(), openssl, check...); err != nil || string(got) != text {
		t.Errorf("ours added to theirs: %q, %v", got, err)
	}
	resigned, err := run(t, sign(t, text, nil, a), openssl, "cms", "-resign", "-binary", "-nodetach", "-inform", "DER", "-outform", "DER", "-signer", certB, "-inkey", keyB)
	if err != nil {
		t.Fatal(err)
	}
	if got, certs, err := verify(resigned, nil, nil); err != nil || got != text || len(certs) != 2 {
		t.Errorf("theirs added to ours: %q, %d, %v", got, len(certs), err)
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
