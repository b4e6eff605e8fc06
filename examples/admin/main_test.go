package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/devices"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

const alice = "alice@contoso.com"

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestSettings(t *testing.T) {
	ca := smimetest.NewCA(t)
	var store bytes.Buffer
	if err := sst.Write(&store, sst.Of(ca.Root(), ca.Issuing())); err != nil {
		t.Fatal(err)
	}
	cfg := exchange.DefaultConfig()
	cfg.CertificateIssuingCA, cfg.NoSignOnReply = store.Bytes(), false
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	o := clitest.Run(t, run, text, "settings")
	if out := o.Out.String(); o.Code != 0 || !strings.Contains(out, "2 certificates") || !strings.Contains(out, "note: exchange: NoSignOnReply") {
		t.Errorf("exit %d\n%s%s", o.Code, out, o.Err.String())
	}
	for name, text := range map[string]string{"no collection": "{}", "no JSON": "hello", "out of range": `{"OWABCCEncryptedEmailForking": 7}`} {
		if o := clitest.Run(t, run, []byte(text), "settings"); o.Code != 1 {
			t.Errorf("%s: exit %d", name, o.Code)
		}
	}
}

func TestMailboxes(t *testing.T) {
	ca := smimetest.NewCA(t)
	person := func(box string, id *smime.Identity) string {
		return `{"PrimarySmtpAddress": "` + box + `", "UserCertificate": ["` + base64.StdEncoding.EncodeToString(id.Certificate().Raw) + `"]}`
	}
	good, expired := person(alice, ca.Identity(alice)), person("bob@contoso.com", ca.Identity("bob@contoso.com", smimetest.Expired()))
	roots := clitest.Roots(t, ca)
	o := clitest.Run(t, run, []byte("["+good+"]"), append([]string{"mailboxes"}, roots...)...)
	if o.Code != 0 || !strings.HasPrefix(o.Out.String(), alice+": ") {
		t.Errorf("exit %d\n%s%s", o.Code, o.Out.String(), o.Err.String())
	}
	o = clitest.Run(t, run, []byte("["+expired+","+good+"]"), append([]string{"mailboxes"}, roots...)...)
	if o.Code != 1 || !strings.Contains(o.Out.String(), "bob@contoso.com: none: ") || !strings.Contains(o.Out.String(), alice+": ") {
		t.Errorf("exit %d\n%s%s", o.Code, o.Out.String(), o.Err.String())
	}
}

func TestPolicies(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"JSON", `{"Name": "Strict", "RequireSignedSMIMEMessages": true, "AllowSMIMESoftCerts": false}`, `"Strict" asks for keys on smart cards, signatures; mail can be encrypted`},
		{"XML", "<EASProvisionDoc/>", `"" asks for nothing; mail can be encrypted`},
		{"blocked", `{"Name": "Old", "AllowSMIMEEncryptionAlgorithmNegotiation": 0}`, "blocks negotiation"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if o := clitest.Run(t, run, []byte(tt.text), "policies"); o.Code != 0 || !strings.Contains(o.Out.String(), tt.want) {
				t.Errorf("exit %d\n%s%s", o.Code, o.Out.String(), o.Err.String())
			}
		})
	}
	if o := clitest.Run(t, run, []byte("hello"), "policies"); o.Code != 1 {
		t.Errorf("exit %d", o.Code)
	}
}

func TestPublish(t *testing.T) {
	ca := smimetest.NewCA(t)
	p := clitest.NewPerson(t, ca, alice)
	o := clitest.Run(t, run, nil, "publish", "-pfx", p.PFX, "-dn", "uid=alice,dc=contoso,dc=com")
	if o.Code != 0 || !strings.Contains(o.Out.String(), "\nchangetype: modify\nreplace: userSMIMECertificate\n") {
		t.Errorf("exit %d\n%s%s", o.Code, o.Out.String(), o.Err.String())
	}
	old := clitest.NewPerson(t, ca, alice, smimetest.Expired())
	if o := clitest.Run(t, run, nil, "publish", "-pfx", old.PFX, "-dn", "uid=alice"); o.Code != 1 || o.Out.Len() > 0 {
		t.Errorf("exit %d", o.Code)
	}
	if o := clitest.Run(t, run, nil, "publish", "-pfx", p.PFX); o.Code != 2 {
		t.Errorf("exit %d", o.Code)
	}
}

func TestIntune(t *testing.T) {
	ca := smimetest.NewCA(t)
	p := clitest.NewPerson(t, ca, alice)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	connector := write(t, "connector.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}))
	o := clitest.Run(t, run, nil, "intune", "-pfx", p.PFX, "-connector", connector, "-key-name", "k", "-user", alice, "-legacy")
	if o.Code != 0 {
		t.Fatalf("exit %d: %s", o.Code, o.Err.String())
	}
	var u devices.UserPFXCertificate
	if err := json.Unmarshal(o.Out.Bytes(), &u); err != nil {
		t.Fatal(err)
	}
	password, err := rsa.DecryptOAEP(sha512.New(), nil, key, u.EncryptedPFXPassword, nil)
	if err != nil {
		t.Fatal(err)
	}
	if ids, err := smime.ParsePKCS12(u.EncryptedPFXBlob, string(password)); err != nil || !ids[0].Certificate().Equal(p.Certificate()) {
		t.Errorf("%v", err)
	}
	for name, args := range map[string][]string{
		"no connector": {"-pfx", p.PFX, "-key-name", "k", "-user", alice}, "no key": {"-connector", connector, "-key-name", "k", "-user", alice},
		"a certificate": {"-pfx", p.PFX, "-connector", p.Cert, "-key-name", "k", "-user", alice},
	} {
		if o := clitest.Run(t, run, nil, append([]string{"intune"}, args...)...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%s: exit %d", name, o.Code)
		}
	}
}

func TestAppleProfile(t *testing.T) {
	ca := smimetest.NewCA(t)
	p := clitest.NewPerson(t, ca, alice)
	roots := write(t, "roots.pem", append(clitest.PEM(ca.Root().Raw), clitest.PEM(ca.Issuing().Raw)...))
	file := filepath.Join(t.TempDir(), "alice.mobileconfig")
	args := []string{"profile", "-pfx", p.PFX, "-identifier", "com.contoso.alice", "-mailbox", alice, "-roots", roots, "-sign", "-out", file}
	o := clitest.Run(t, run, nil, args...)
	text, err := os.ReadFile(file)
	if o.Code != 0 || err != nil || strings.Count(o.Out.String(), ".p12 ") != 1 || bytes.Count(text, []byte("com.apple.")) < 4 {
		t.Errorf("exit %d, %v: %s", o.Code, err, o.Err.String())
	}
	if bytes.Contains(text, []byte(strings.Fields(o.Out.String())[1])) {
		t.Error("the password is in the profile")
	}
	if o := clitest.Run(t, run, nil, append(args, "-signer", p.PFX)...); o.Code != 0 {
		t.Errorf("exit %d: %s", o.Code, o.Err.String())
	}
	if signed, err := os.ReadFile(file); err != nil || signed[0] != 0x30 {
		t.Errorf("no CMS: %v", err)
	}
	if o := clitest.Run(t, run, nil, "profile", "-pfx", p.PFX, "-identifier", "com.contoso.alice", "-mailbox", "bob@contoso.com", "-out", file); o.Code != 1 {
		t.Errorf("exit %d", o.Code)
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"nothing"}, {"settings", "-x"}, {"profile"}} {
		if o := clitest.Run(t, run, nil, args...); o.Code != 2 {
			t.Errorf("%v: exit %d", args, o.Code)
		}
	}
}
