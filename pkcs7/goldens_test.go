package pkcs7

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"io"
	"mime"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
)

// cmsOf returns the CMS of a golden file: the file itself, PEM, or the body of
// a message that is nothing but CMS in base64. Messages of several parts are
// for package smime.
func cmsOf(t *testing.T, g *suites.Golden) (cms []byte, ok bool) {
	t.Helper()
	b := g.Read(t, g.File)
	if block, _ := pem.Decode(b); block != nil {
		return block.Bytes, true
	}
	if !strings.HasSuffix(g.File, ".eml") {
		return b, true
	}
	msg, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		return nil, false
	}
	media, _, _ := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if !strings.HasSuffix(media, "pkcs7-mime") || !strings.EqualFold(msg.Header.Get("Content-Transfer-Encoding"), "base64") {
		return nil, false
	}
	body, err := io.ReadAll(base64.NewDecoder(base64.StdEncoding, msg.Body))
	return body, err == nil
}

// goldenVerify verifies as the manifest's "verify" without trust: the
// certificate may be inside, or one of those the row or the PKI has.
func goldenVerify(t *testing.T, g *suites.Golden, cms []byte) (string, error) {
	t.Helper()
	var detached io.Reader
	if g.Content != "" {
		detached = bytes.NewReader(g.Read(t, g.Content))
	}
	r, err := NewSignedReader(bytes.NewReader(cms), detached, &ReadOptions{InsecureHistoric: g.Legacy})
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	signers, err := r.Signers()
	if err != nil {
		return "", err
	}
	if len(signers) == 0 {
		return "", ErrNoSigner
	}
	// CRL and OCSP responses are skipped; they can't be parsed as certificates.
	elements, _ := r.UnverifiedElements()
	for _, name := range g.Certs {
		elements = append(elements, readPEM(t, g.Path(name)))
	}
	for _, s := range signers {
		if err := checkWithAny(s, elements); err != nil {
			return "", err
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

func checkWithAny(s *SignerInfo, elements [][]byte) error {
	var failure error = ErrNoCertificate
	for _, der := range elements {
		cert := &x509.Certificate{Raw: der}
		if s.ID().Matches(cert) {
			if failure = s.CheckSignature(cert); failure == nil {
				return nil
			}
		}
	}
	return failure
}

// documented reports whether err is of the errors that bad input may get.
func documented(err error) bool {
	var p Problem
	return errors.As(err, &p)
}

func TestGoldensSigned(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "verify" && (g.Kind == "signed" || g.Kind == "receipt") && (g.Checks == nil || g.Checks["signature"] == "ok")
	})
	checked := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, ok := cmsOf(t, g)
			if !ok {
				return
			}
			checked++
			sum, err := goldenVerify(t, g, cms)
			// What only a path can refuse is good here.
			good := g.Expected != "fail" || g.Checks != nil
			switch {
			case good && err != nil:
				t.Errorf("%s: %v", g.File, err)
			case good && g.PlaintextSHA256 != "" && sum != g.PlaintextSHA256:
				t.Errorf("%s: other content", g.File)
			case !good && err == nil && !g.Accepts("ok"):
				t.Errorf("%s: verified, but %s", g.File, g.Reason)
			case err != nil && !documented(err):
				t.Errorf("%s: undocumented error %v", g.File, err)
			}
		})
	}
	t.Logf("%d of %d", checked, len(rows))
	if checked < 100 {
		t.Errorf("only %d cases", checked)
	}
}

func TestGoldensBadSigned(t *testing.T) {
	// Faults that only the path, the address or a second layer shows.
	elsewhere := map[string]bool{"forged-cert": true, "forged-cert-plus-real": true, "cert-loop": true}
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Kind == "bad" && (g.Operation == "verify" || g.Operation == "parse")
	})
	checked := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, ok := cmsOf(t, g)
			if !ok || elsewhere[g.Case] {
				return
			}
			checked++
			begin := time.Now()
			sum, err := goldenVerify(t, g, cms)
			if took := time.Since(begin); g.Late(took) {
				t.Errorf("%s: took %v", g.File, took)
			}
			switch {
			case err == nil && !g.Accepts("ok") && !g.Accepts("ok-with-warning"):
				t.Errorf("%s: verified, but %s", g.File, g.Reason)
			case err == nil && g.PlaintextSHA256 != "" && sum != g.PlaintextSHA256:
				t.Errorf("%s: other content", g.File)
			case err != nil && !g.Accepts("fail"):
				t.Errorf("%s: %v", g.File, err)
			case err != nil && !documented(err):
				t.Errorf("%s: undocumented error %v", g.File, err)
			}
		})
	}
	t.Logf("%d of %d", checked, len(rows))
	if checked < 150 {
		t.Errorf("only %d cases", checked)
	}
}

func TestGoldensCertificates(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "certs-only" })
	checked := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, ok := cmsOf(t, g)
			if !ok {
				return
			}
			checked++
			certs, crls, err := ReadCertificates(bytes.NewReader(cms), nil)
			if err != nil || len(certs) != g.NCerts || len(crls) != g.NCRLs {
				t.Errorf("%s: %d certificates and %d CRLs, not %d and %d, %v", g.File, len(certs), len(crls), g.NCerts, g.NCRLs, err)
			}
		})
	}
	if checked < 12 {
		t.Errorf("only %d cases", checked)
	}
}

func TestGoldensCompressed(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Operation == "decompress" })
	checked := 0
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			cms, ok := cmsOf(t, g)
			if !ok {
				return
			}
			checked++
			h := sha256.New()
			err := Decompress(h, bytes.NewReader(cms), nil)
			switch {
			case g.Expected == "ok" && (err != nil || hex.EncodeToString(h.Sum(nil)) != g.PlaintextSHA256):
				t.Errorf("%s: %v", g.File, err)
			case err == nil && !g.Accepts("ok"):
				t.Errorf("%s: %s", g.File, g.Reason)
			case err != nil && !documented(err):
				t.Errorf("%s: undocumented error %v", g.File, err)
			}
		})
	}
	if checked != 17 {
		t.Errorf("%d cases", checked)
	}
}

func TestGoldensDigested(t *testing.T) {
	t.Parallel()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "digested" })
	if len(rows) != 8 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			for _, flip := range []bool{false, true} {
				cms := g.Read(t, g.File)
				if flip {
					cms[len(cms)-1] ^= 1
				}
				h := sha256.New()
				x, err := Extract(t.Context(), h, bytes.NewReader(cms), nil, &DecryptOptions{InsecureHistoric: g.Legacy})
				if got := hex.EncodeToString(h.Sum(nil)); !flip && (err != nil || got != g.PlaintextSHA256) || flip && !errors.Is(err, ErrDigest) {
					t.Errorf("%s, changed %v: %v", g.File, flip, err)
				}
				if !flip && (x.Weak != nil) != g.Legacy {
					t.Errorf("%s: weak: %v", g.File, x.Weak)
				}
				if _, err := Extract(t.Context(), io.Discard, bytes.NewReader(cms), nil, nil); g.Legacy && !errors.Is(err, ErrWeak) {
					t.Errorf("%s: %v", g.File, err)
				}
			}
		})
	}
}

// goldenFile returns a file with the CMS of the golden case with that name.
func goldenFile(t *testing.T, name string) string {
	t.Helper()
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Case == name })
	cms, ok := cmsOf(t, rows[0])
	if !ok {
		t.Fatal(name)
	}
	return writeTemp(t, "golden", cms)
}
