package fetch_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/fetch"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
)

type party struct {
	*x509.Certificate
	key crypto.Signer
}

func issue(t testing.TB, issuer *party, name string, edit func(*x509.Certificate)) *party {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	edit(c)
	p := &party{c, key}
	if issuer == nil {
		issuer = p
	}
	der, err := x509.CreateCertificate(rand.Reader, c, issuer.Certificate, key.Public(), issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	if p.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return p
}

func ca(c *x509.Certificate) {
	c.IsCA, c.BasicConstraintsValid = true, true
	c.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
}

func write(t testing.TB, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// responder starts openssl ocsp as the responder of issuer, signing with the
// key of by, and returns its URL. index is what the CA's database says.
func responder(t *testing.T, issuer, by *party, index string, args ...string) string {
	t.Helper()
	tool := suites.Tool(t, "openssl")
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(by.key)
	if err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(dir, "index.txt")
	if err := os.WriteFile(db, []byte(index), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := suites.Command(t, tool, append([]string{
		"ocsp", "-index", db, "-port", "0",
		"-CA", write(t, filepath.Join(dir, "ca.pem"), "CERTIFICATE", issuer.Raw),
		"-rsigner", write(t, filepath.Join(dir, "by.pem"), "CERTIFICATE", by.Raw),
		"-rkey", write(t, filepath.Join(dir, "by.key"), "PRIVATE KEY", key),
	}, args...)...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill() // it may have ended
		cmd.Wait()         // killed
	})
	for s := bufio.NewScanner(out); s.Scan(); {
		// ACCEPT [::]:42005 PID=22951
		if f := strings.Fields(s.Text()); len(f) > 1 && f[0] == "ACCEPT" {
			return "http://localhost" + f[1][strings.LastIndexByte(f[1], ':'):]
		}
	}
	t.Fatal("openssl ocsp does not listen")
	return ""
}

func verify(t *testing.T, root, leaf *party, o chain.Options, extra ...[]byte) (*chain.Path, error) {
	t.Helper()
	o.Fetcher, o.FetchTimeout = &fetch.Client{InsecurePrivateAddresses: true, Timeout: time.Minute}, time.Minute
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root.Certificate)), chain.Untrusted(chain.DER(extra...)))
	return trust.Verify(t.Context(), leaf.Certificate, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: o,
	})
}

// TestOpenSSLResponder asks a real responder.
func TestOpenSSLResponder(t *testing.T) {
	root := issue(t, nil, "Root", ca)
	other := issue(t, nil, "Other", ca)
	signs := func(ekus ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, ekus
		}
	}
	delegate := issue(t, root, "Responder", signs(x509.ExtKeyUsageOCSPSigning))
	plain := issue(t, root, "No responder", signs(x509.ExtKeyUsageEmailProtection))
	foreign := issue(t, other, "Foreign", signs(x509.ExtKeyUsageOCSPSigning))
	const valid, revoked = "V\t351231000000Z\t\t%X\tunknown\t/CN=x\n", "R\t351231000000Z\t250101000000Z,superseded\t%X\tunknown\t/CN=x\n"
	serial := int64(0x1234)
	for _, c := range []struct {
		name  string
		by    *party
		index string
		args  []string
		want  error
	}{
		{"good, by the issuer", root, valid, []string{"-nmin", "5"}, nil},
		{"good, without nextUpdate", root, valid, nil, nil},
		{"good, by a delegate", delegate, valid, []string{"-nmin", "5"}, nil},
		{"good, named by key", delegate, valid, []string{"-nmin", "5", "-resp_key_id"}, nil},
		{"revoked, by the issuer", root, revoked, []string{"-nmin", "5"}, chain.ErrRevoked},
		{"revoked, by a delegate", delegate, revoked, []string{"-nmin", "5"}, chain.ErrRevoked},
		{"not known", root, "", []string{"-nmin", "5"}, chain.ErrRevocationUnknown},
		{"by a certificate for something else", plain, valid, []string{"-nmin", "5"}, chain.ErrRevocationUnknown},
		{"by another CA's responder", foreign, valid, []string{"-nmin", "5"}, chain.ErrRevocationUnknown},
		{"by a delegate that is not at hand", delegate, valid, []string{"-nmin", "5", "-resp_no_certs"}, chain.ErrRevocationUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			serial++
			index := c.index
			if index != "" {
				index = fmt.Sprintf(index, serial)
			}
			url := responder(t, root, c.by, index, c.args...)
			leaf := issue(t, root, "Alice", func(l *x509.Certificate) {
				l.SerialNumber = big.NewInt(serial)
				l.EmailAddresses = []string{"alice@example.com"}
				l.OCSPServer = []string{url}
			})
			for _, nonce := range []bool{false, true} { // openssl repeats what it is sent
				path, err := verify(t, root, leaf, chain.Options{Revocation: chain.RevocationRequireLeaf, RequireOCSPNonce: nonce})
				if !errors.Is(err, c.want) || c.want == nil && err != nil {
					t.Fatalf("%v, want %v", err, c.want)
				}
				if err == nil && (path.Revocation(0).Status != chain.StatusGood || path.Revocation(0).Evidence != chain.KindOCSPResponse) {
					t.Errorf("%+v", path.Revocation(0))
				}
			}
		})
	}
}

// TestServers builds a path and checks revocation from what the certificate
// points at: the issuer in each form, then the CRL.
func TestServers(t *testing.T) {
	root := issue(t, nil, "Root", ca)
	var asked atomic.Int64
	mux := http.NewServeMux()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	sub := issue(t, root, "Sub", ca)
	var p7c bytes.Buffer
	if err := pkcs7.WriteCertificates(&p7c, [][]byte{root.Raw, sub.Raw}, nil); err != nil {
		t.Fatal(err)
	}
	answer := func(path string, body []byte) {
		mux.HandleFunc(path, func(w http.ResponseWriter, _ *http.Request) { w.Write(body) })
	}
	answer("/sub.cer", sub.Raw)
	answer("/sub.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: sub.Raw}))
	answer("/sub.p7c", p7c.Bytes())
	answer("/lie.cer", root.Raw)
	revoked := issue(t, sub, "Mallory", func(c *x509.Certificate) { c.EmailAddresses = []string{"alice@example.com"} })
	crl := func(thisUpdate, nextUpdate time.Duration) []byte {
		der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
			Number: big.NewInt(1), ThisUpdate: time.Now().Add(thisUpdate), NextUpdate: time.Now().Add(nextUpdate),
			RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: revoked.SerialNumber, RevocationTime: time.Now().Add(-3 * time.Hour)}},
		}, sub.Certificate, sub.key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	answer("/sub.crl", crl(-time.Hour, time.Hour))
	answer("/stale.crl", crl(-2*time.Hour, -time.Hour))
	for _, c := range []struct {
		aia, crl string
		revoked  bool
		want     error
	}{
		{"/sub.cer", "/sub.crl", false, nil},
		{"/sub.pem", "/sub.crl", false, nil},
		{"/sub.p7c", "/sub.crl", false, nil},
		{"/none", "/sub.crl", false, chain.ErrUnknownIssuer},
		{"/lie.cer", "/sub.crl", false, chain.ErrUnknownIssuer},
		{"/sub.cer", "/stale.crl", false, chain.ErrRevocationUnknown},
		{"/sub.cer", "/sub.cer", false, chain.ErrRevocationUnknown},
		{"/sub.cer", "/none", false, chain.ErrRevocationUnknown},
		{"/sub.cer", "/sub.crl", true, chain.ErrRevoked},
		{"/sub.cer", "/stale.crl", true, chain.ErrRevoked},
	} {
		t.Run(c.aia+" "+c.crl, func(t *testing.T) {
			leaf := issue(t, sub, "Alice", func(l *x509.Certificate) {
				l.EmailAddresses = []string{"alice@example.com"}
				l.IssuingCertificateURL = []string{server.URL + c.aia}
				l.CRLDistributionPoints = []string{server.URL + c.crl}
				if c.revoked {
					l.SerialNumber = revoked.SerialNumber
				}
			})
			_, err := verify(t, root, leaf, chain.Options{Revocation: chain.RevocationRequireLeaf})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Errorf("%s, %s: %v, want %v", c.aia, c.crl, err, c.want)
			}
		})
	}
	if asked.Load() == 0 {
		t.Error("nothing was asked for")
	}
	// Nothing is asked about a certificate that leads to no anchor, save for
	// its issuer.
	stranger := issue(t, issue(t, nil, "Stranger", ca), "Alice", func(l *x509.Certificate) {
		l.EmailAddresses = []string{"alice@example.com"}
		l.CRLDistributionPoints = []string{server.URL + "/sub.crl"}
		l.OCSPServer = []string{server.URL + "/ocsp"}
	})
	before := asked.Load()
	if _, err := verify(t, root, stranger, chain.Options{Revocation: chain.RevocationRequireLeaf}); !errors.Is(err, chain.ErrUnknownIssuer) {
		t.Error(err)
	}
	if asked.Load() != before {
		t.Error("a certificate of nobody made us call")
	}
}

func ExampleClient() {
	client := &fetch.Client{Timeout: 5 * time.Second}
	policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}
	policy.Fetcher = client

	// A certificate can't make it call into the network that it runs in.
	_, err := client.Fetch(context.Background(), chain.KindCRL, "http://169.254.169.254/latest/", nil)
	fmt.Println(errors.Is(err, fetch.ErrAddress))
	// Output: true
}
