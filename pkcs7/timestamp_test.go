package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
)

func TestGoldensTimestamps(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Timestamp != nil })
	if len(rows) != 5 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, _ := cmsOf(t, g)
			s := signersOf(t, cms, nil)[0]
			tsa := goldenCert(t, g.Timestamp.TSA)
			at, err := s.VerifyTimestamps(context.Background(), func(_ context.Context, cert *x509.Certificate, at time.Time, extra [][]byte) error {
				if !bytes.Equal(cert.Raw, tsa.Raw) || at.IsZero() || len(extra) == 0 {
					t.Errorf("%s: trust asked about %v at %v with %d elements", g.File, cert.Subject, at, len(extra))
				}
				return nil
			})
			if g.Timestamp.Valid && (err != nil || at.Year() < 2025 || at.Year() > 2026) {
				t.Errorf("%s: %v, %v", g.File, at, err)
			}
			if !g.Timestamp.Valid && (!errors.Is(err, ErrDigest) || !errors.Is(err, ErrNoTimestamp) || !at.IsZero()) {
				t.Errorf("%s: %v, %v", g.File, at, err)
			}
			// The token by itself, over the signature as data.
			bare, err := VerifyTimestamp(context.Background(), s.timestamps()[0], bytes.NewReader(s.Signature()), InsecureAnySigner, nil)
			if g.Timestamp.Valid && (err != nil || !bytes.Equal(bare.TSA.Raw, tsa.Raw) || bare.Serial == nil) || !g.Timestamp.Valid && !errors.Is(err, ErrDigest) {
				t.Errorf("%s, bare: %+v, %v", g.File, bare, err)
			}
			refusal := errors.New("not trusted")
			_, err = s.VerifyTimestamps(context.Background(), func(context.Context, *x509.Certificate, time.Time, [][]byte) error { return refusal })
			if g.Timestamp.Valid && !errors.Is(err, refusal) {
				t.Errorf("%s, untrusted: %v", g.File, err)
			}
		})
	}
}

func TestNoTimestamp(t *testing.T) {
	t.Parallel()
	s := signersOf(t, sign(t, text, nil, newSigner(t, "ed25519")), nil)[0]
	if _, err := s.VerifyTimestamps(context.Background(), trustAll); !errors.Is(err, ErrNoTimestamp) {
		t.Error(err)
	}
}

func TestParseGenTime(t *testing.T) {
	t.Parallel()
	for s, ok := range map[string]bool{
		"20260102030405Z": true, "20260102030405.5Z": true, "20260102030405.123456789Z": true,
		"20260102030405.50Z": false, "20260102030405.Z": false, "20260102030405,5Z": false, "20260102030405": false,
		"20260102030405+0100": false, "20261302030405Z": false, "202601020304Z": false, "": false,
	} {
		t.Run(s, func(t *testing.T) {
			if at, got := parseGenTime(s); got != ok || ok && at.Year() != 2026 {
				t.Errorf("%q: %v, %v", s, at, got)
			}
		})
	}
}

// TestTimestampFromOpenSSL lets openssl ts answer our request and puts its
// token into the message.
func TestTimestampFromOpenSSL(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	dir := t.TempDir()
	key := newKey(t, "rsa")
	tsa := SigningKey{Key: key, Certificate: newCert(t, key, "tsa", func(c *x509.Certificate) {
		c.ExtraExtensions = timeStampingExtension()
	})}
	cert, keyFile := writeFiles(t, tsa)
	config := filepath.Join(dir, "ts.cnf")
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("ts.cnf", strings.Join([]string{"[tsa]", "default_tsa = conf", "[conf]", "serial = " + filepath.Join(dir, "serial"),
		"crypto_device = builtin", "signer_cert = " + cert, "certs = " + cert, "signer_key = " + keyFile, "signer_digest = sha256",
		"default_policy = 1.2.3.4", "digests = sha256, sha512", "accuracy = secs:1", "ess_cert_id_chain = no", "ess_cert_id_alg = sha256", ""}, "\n"))
	write("serial", "01\n")

	msg := sign(t, text, nil, newSigner(t, "p256"))
	s := signersOf(t, msg, nil)[0]
	request := s.TimestampRequest()
	out, err := suites.Command(t, openssl, "ts", "-reply", "-config", config, "-queryfile", write("request", string(request)),
		"-out", filepath.Join(dir, "response")).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	response, err := os.ReadFile(filepath.Join(dir, "response"))
	if err != nil {
		t.Fatal(err)
	}
	attr, err := s.Timestamp(request, response)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Timestamp(s.TimestampRequest(), response); !errors.Is(err, ErrNoTimestamp) {
		t.Errorf("answer to another request: %v", err)
	}
	// The same nonce with another imprint is another request.
	altered := bytes.Clone(request)
	at := bytes.Index(altered, []byte{4, 32})
	altered[at+2] ^= 1
	if _, err := s.Timestamp(altered, response); !errors.Is(err, ErrNoTimestamp) {
		t.Errorf("answer to a request for another imprint: %v", err)
	}
	var stamped bytes.Buffer
	if err := AddUnsigned(&stamped, bytes.NewReader(msg), 0, attr); err != nil {
		t.Fatal(err)
	}
	proved, err := signersOf(t, stamped.Bytes(), nil)[0].VerifyTimestamps(context.Background(), trustAll)
	if err != nil || time.Since(proved).Abs() > time.Hour {
		t.Errorf("%v, %v", proved, err)
	}
	// The token moved to another signature proves nothing.
	other := sign(t, text, nil, newSigner(t, "p256"))
	stamped.Reset()
	if err := AddUnsigned(&stamped, bytes.NewReader(other), 0, attr); err != nil {
		t.Fatal(err)
	}
	if _, err := signersOf(t, stamped.Bytes(), nil)[0].VerifyTimestamps(context.Background(), trustAll); !errors.Is(err, ErrDigest) {
		t.Errorf("moved: %v", err)
	}
}
