package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/sst"
	"software.sslmate.com/src/go-pkcs12"
)

// newCA returns a self-signed CA and its key.
func newCA(t *testing.T, name string, usage ...asn1.ObjectIdentifier) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), UnknownExtKeyUsage: usage}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func write(t *testing.T, dir, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func mustRun(t *testing.T, input []byte, args ...string) *clitest.Outcome {
	t.Helper()
	o := clitest.Run(t, storeCommand, input, args...)
	if o.Code != 0 {
		t.Fatalf("%v: exit %d: %s", args, o.Code, o.Err.String())
	}
	return o
}

// TestBuildForgetsNothing holds that what a store forbids stays forbidden,
// wherever else the certificate is.
func TestBuildForgetsNothing(t *testing.T) {
	dir := t.TempDir()
	ca, _ := newCA(t, "limited")
	store := func(name string, props ...sst.Property) string {
		s := sst.Of(ca)
		s.Elements[0].Properties = props
		var b bytes.Buffer
		if err := sst.Write(&b, s); err != nil {
			t.Fatal(err)
		}
		return write(t, dir, name, b.Bytes())
	}
	never, old := sst.TimeProperty(sst.PropDisallowedTime, time.Time{}), sst.TimeProperty(sst.PropNotBeforeTime, time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC))
	named := sst.TextProperty(sst.PropFriendlyName, "limited")
	plain := write(t, dir, "plain.cer", ca.Raw)
	one, both, other := store("one.sst", never), store("both.sst", never, named), store("other.sst", old)
	for _, tt := range []struct {
		files      []string
		elements   int
		properties int
	}{
		{[]string{plain, plain}, 1, 0},
		{[]string{plain, one}, 1, 1},
		{[]string{one, plain}, 1, 1},
		{[]string{one, both, one}, 1, 2},
		{[]string{both, other, plain}, 2, 3},
	} {
		s, err := sst.Read(bytes.NewReader(mustRun(t, nil, append([]string{"build"}, tt.files...)...).Out.Bytes()), nil)
		if err != nil {
			t.Fatal(err)
		}
		properties := 0
		for _, e := range s.Elements {
			properties += len(e.Properties)
		}
		if len(s.Elements) != tt.elements || properties != tt.properties {
			t.Errorf("%v: %d elements, %d properties", tt.files, len(s.Elements), properties)
		}
	}
}

// A store is built from every format, listed, converted and taken apart.
func TestBuild(t *testing.T) {
	dir := t.TempDir()
	a, _ := newCA(t, "in PEM")
	b, _ := newCA(t, "in DER")
	c, _ := newCA(t, "in PKCS7")
	d, key := newCA(t, "in PFX")
	e, _ := newCA(t, "in a truststore")
	var p7b bytes.Buffer
	if err := sst.Of(c).WritePKCS7(&p7b); err != nil {
		t.Fatal(err)
	}
	pfx, err := pkcs12.Modern.Encode(key, d, nil, "secret")
	if err != nil {
		t.Fatal(err)
	}
	trustStore, err := pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{e}, "secret")
	if err != nil {
		t.Fatal(err)
	}
	store := filepath.Join(dir, "all.sst")
	in := []string{
		write(t, dir, "a.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Raw})), write(t, dir, "b.cer", b.Raw),
		write(t, dir, "c.p7b", p7b.Bytes()), write(t, dir, "d.pfx", pfx), write(t, dir, "e.p12", trustStore), write(t, dir, "again.cer", b.Raw),
	}
	password := write(t, dir, "password", []byte("secret\n"))
	mustRun(t, nil, append([]string{"build", "-out", store, "-name", "Built", "-hashes", "-password-file", password}, in...)...)
	if o := clitest.Run(t, storeCommand, nil, append([]string{"build", "-out", store + "2", "-password-file", in[0]}, in...)...); o.Code != 1 {
		t.Errorf("wrong password: exit %d", o.Code)
	}

	listing := mustRun(t, nil, "list", store).Out.String()
	for _, want := range []string{"in PEM", "in DER", "in PKCS7", "in PFX", "in a truststore"} {
		if strings.Count(listing, want) != 1 {
			t.Errorf("%s: %d times in\n%s", want, strings.Count(listing, want), listing)
		}
	}
	if strings.Count(listing, `FRIENDLY_NAME: "Built"`) != 5 || strings.Count(listing, "SHA1_HASH") != 5 {
		t.Error(listing)
	}
	mustRun(t, nil, "verify", store)

	text := mustRun(t, nil, "convert", store).Out.Bytes()
	if bytes.Count(text, []byte("BEGIN CERTIFICATE")) != 5 {
		t.Errorf("%s", text)
	}
	p7 := filepath.Join(dir, "all.p7b")
	mustRun(t, nil, "convert", "-out", p7, store)
	back := mustRun(t, text, "convert", "-to", "sst").Out.Bytes()
	again := mustRun(t, nil, "convert", "-to", "sst", p7).Out.Bytes()
	for _, b := range [][]byte{back, again} {
		s, err := sst.Read(bytes.NewReader(b), nil)
		if err != nil || len(s.Elements) != 5 {
			t.Errorf("%v", err)
		}
	}

	out := filepath.Join(dir, "out")
	names := strings.Fields(mustRun(t, nil, "extract", "-dir", out, store).Out.String())
	if len(names) != 5 {
		t.Errorf("%v", names)
	}
	for _, n := range names {
		der, err := os.ReadFile(n)
		if _, e := x509.ParseCertificate(der); err != nil || e != nil {
			t.Errorf("%s: %v, %v", n, err, e)
		}
	}
}

// A store with an expired certificate is in order, but is refused as an upload.
func TestVerifyUpload(t *testing.T) {
	ca, _ := newCA(t, "expiring")
	var store bytes.Buffer
	if err := sst.Write(&store, sst.Of(ca)); err != nil {
		t.Fatal(err)
	}
	mustRun(t, store.Bytes(), "verify", "-upload")
	after := ca.NotAfter.AddDate(0, 0, 1).UTC().Format(time.RFC3339)
	mustRun(t, store.Bytes(), "verify", "-at", after)
	o := clitest.Run(t, storeCommand, store.Bytes(), "verify", "-upload", "-at", after)
	if o.Code != 1 || !strings.Contains(o.Err.String(), "CN=expiring") {
		t.Errorf("exit %d, %s", o.Code, o.Err.String())
	}
}

// OpenSSL reads what is converted, and what it writes is read.
func TestOpenSSL(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	dir := t.TempDir()
	a, _ := newCA(t, "first")
	b, _ := newCA(t, "second")
	var store bytes.Buffer
	if err := sst.Write(&store, sst.Of(a, b)); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ to, form string }{{"p7b", "DER"}, {"pem", "PEM"}} {
		file := filepath.Join(dir, "all."+c.to)
		mustRun(t, store.Bytes(), "convert", "-out", file)
		args := []string{"pkcs7", "-inform", c.form, "-print_certs", "-noout", "-in", file}
		if c.to == "pem" {
			p7 := filepath.Join(dir, "openssl.p7b")
			if out, err := suites.Command(t, openssl, "crl2pkcs7", "-nocrl", "-certfile", file, "-out", p7).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			back := mustRun(t, nil, "convert", "-to", "sst", p7).Out.Bytes()
			if !bytes.Equal(back, store.Bytes()) {
				t.Error("the certificates that OpenSSL wrote are others")
			}
			args[len(args)-1] = p7
		}
		out, err := suites.Command(t, openssl, args...).CombinedOutput()
		if err != nil || strings.Count(string(out), "subject=") != 2 {
			t.Errorf("%s: %v: %s", c.to, err, out)
		}
	}
}

func TestVerifyFindsFaults(t *testing.T) {
	a, _ := newCA(t, "a")
	s := sst.Of(a)
	s.Elements[0].Properties = []sst.Property{{ID: sst.PropSHA1, Value: make([]byte, 20)}}
	var b bytes.Buffer
	if err := sst.Write(&b, s); err != nil {
		t.Fatal(err)
	}
	if o := clitest.Run(t, storeCommand, b.Bytes(), "verify"); o.Code != 1 || o.Err.Len() == 0 {
		t.Errorf("a wrong hash: exit %d", o.Code)
	}
	cut := b.Bytes()[:b.Len()-12]
	for _, verb := range []string{"list", "verify", "extract", "convert"} {
		if o := clitest.Run(t, storeCommand, cut, verb); o.Code != 1 || o.Out.Len() != 0 {
			t.Errorf("%s of a store without end: exit %d", verb, o.Code)
		}
	}
	if o := mustRun(t, cut, "list", "-lenient"); !strings.Contains(o.Err.String(), "tolerated") {
		t.Errorf("%s", o.Err.String())
	}
}

// What is lost by a conversion is said.
func TestLimitsAreNamed(t *testing.T) {
	a, _ := newCA(t, "a root")
	server, mail := asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 1}, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}
	for _, tt := range []struct {
		p    sst.Property
		want string // in the warning; empty: none
	}{
		{sst.Property{ID: sst.PropDisallowedTime}, "DISALLOWED_FILETIME: since ever"},
		{sst.OIDProperty(sst.PropEnhKeyUsage, server), "ENHKEY_USAGE: 1.3.6.1.5.5.7.3.1"},
		{sst.Property{ID: sst.PropEnhKeyUsage, Value: []byte{1}}, "ENHKEY_USAGE"},
		{sst.Property{ID: sst.PropRootNameConstraints, Value: []byte{0x30, 0}}, "ROOT_PROGRAM_NAME_CONSTRAINTS"},
		{sst.Property{ID: sst.PropArchived}, "ARCHIVED"},
		{sst.OIDProperty(sst.PropEnhKeyUsage, server, mail), ""},
		{sst.TextProperty(sst.PropFriendlyName, "a name"), ""},
	} {
		s := sst.Of(a)
		s.Elements[0].Properties = []sst.Property{tt.p}
		var b bytes.Buffer
		if err := sst.Write(&b, s); err != nil {
			t.Fatal(err)
		}
		for _, to := range []string{"pem", "p7b"} {
			got := mustRun(t, b.Bytes(), "convert", "-to", to).Err.String()
			if !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("%v to %s: %q", tt.p.ID, to, got)
			}
		}
	}
}

func TestStoresUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"remove"}, {"build"}, {"list", "no-such-file"}, {"convert", "-to", "zip"}, {"list", "-unknown"}} {
		if o := clitest.Run(t, storeCommand, []byte("\x00\x00\x00\x00CERT\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
}

func TestStoresCorpus(t *testing.T) {
	stores, err := filepath.Glob(filepath.Join(suites.Corpus(t, "sst", "real-sst"), "*.sst"))
	if err != nil || len(stores) < 8 {
		t.Fatal(stores, err)
	}
	for _, name := range stores {
		mustRun(t, nil, "list", name)
		o := mustRun(t, nil, "verify", name)
		if !strings.Contains(o.Out.String(), " 0 faults") {
			t.Errorf("%s: %s", name, o.Out.String())
		}
	}
	stl := suites.Corpus(t, "sst", "real-stl", "robstradling-authroot-HEAD.stl")
	if o := mustRun(t, nil, "list", stl); strings.Count(o.Out.String(), "\n  subject ") != 514 {
		t.Errorf("%d subjects", strings.Count(o.Out.String(), "\n  subject "))
	}
	// Without a root there is no verdict, and with another one a refusal.
	a, _ := newCA(t, "another")
	root := write(t, t.TempDir(), "root.cer", a.Raw)
	for _, args := range [][]string{{"verify", stl}, {"verify", "-roots", root, stl}} {
		if o := clitest.Run(t, storeCommand, nil, args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
	// Its own issuer makes it good.
	issuer := write(t, t.TempDir(), "issuer.cer", issuerOf(t, stl))
	o := clitest.Run(t, storeCommand, nil, "verify", "-roots", issuer, "-at", "2025-06-20T00:00:00Z", stl)
	if o.Code != 0 || !strings.Contains(o.Out.String(), "514 subjects") {
		t.Errorf("exit %d: %s%s", o.Code, o.Out.String(), o.Err.String())
	}
}

// issuerOf returns the CA that a trust list has with its signer.
func issuerOf(t *testing.T, stl string) []byte {
	t.Helper()
	b, err := os.ReadFile(stl)
	if err != nil {
		t.Fatal(err)
	}
	var ca []byte
	_, _, err = sst.VerifyTrustList(t.Context(), bytes.NewReader(b), func(_ context.Context, cert *x509.Certificate, _ time.Time, extra [][]byte) error {
		i := slices.IndexFunc(extra, func(der []byte) bool {
			e := chain.NewEntry(chain.KindCertificate, der, "", nil)
			c, err := e.Certificate()
			return err == nil && c.IsCA && cert.CheckSignatureFrom(c) == nil
		})
		if i >= 0 {
			ca = extra[i]
		}
		return nil
	}, nil)
	if err != nil || ca == nil {
		t.Fatal("no issuer", err)
	}
	return ca
}
