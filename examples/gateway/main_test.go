package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

// installation writes what an administrator has: the JSON of Get-SmimeConfig
// with the collection in it, the keys and the certificates of recipients.
func installation(t *testing.T, ca *smimetest.CA, change func(*exchange.Config), keys, people []*smime.Identity) flags {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, b []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	var store bytes.Buffer
	if err := sst.Write(&store, sst.Of(ca.Root(), ca.Issuing())); err != nil {
		t.Fatal(err)
	}
	cfg := exchange.DefaultConfig()
	cfg.CertificateIssuingCA = store.Bytes()
	change(&cfg)
	text, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	pfx, err := smime.MarshalPKCS12(keys, "secret", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	var certs []byte
	for _, id := range people {
		certs = append(certs, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: id.Certificate().Raw})...)
	}
	t.Setenv("SMIME_PASSWORD", "secret")
	return flags{config: write("smimeconfig.json", text), pfx: write("company.p12", pfx), people: write("people.pem", certs), name: "gateway.example"}
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// submit sends as soon as the gateway listens.
func submit(t *testing.T, addr, from, to string, mail []byte) error {
	t.Helper()
	deadline := time.NewTimer(2 * time.Minute)
	defer deadline.Stop()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := smtp.Dial(addr); err == nil {
			defer c.Close()
			return c.SendMail(from, []string{to}, bytes.NewReader(mail))
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatal("the gateway does not listen")
		}
	}
}

// TestProgram runs the whole program, from its files, in both directions.
func TestProgram(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity(sender), ca.Identity("bob@example.com")
	next := newSink(t)
	f := installation(t, ca, func(c *exchange.Config) { c.AlwaysSign, c.AlwaysEncrypt = true, true }, []*smime.Identity{alice}, []*smime.Identity{bob})
	f.outbound, f.inbound, f.next = freePort(t), freePort(t), next.addr
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, f) }()
	if err := submit(t, f.outbound, sender, "bob@example.com", smimetest.Mail(sender, "bob@example.com", "outbound")); err != nil {
		t.Error(err)
	}
	var content bytes.Buffer
	if got := next.take(); len(got) != 1 {
		t.Errorf("%d messages", len(got))
	} else if _, _, err := smime.Unseal(t.Context(), &content, bytes.NewReader(got[0].mail), smime.Identities{bob}, ca.Trust(), nil); err != nil || !strings.Contains(content.String(), "outbound") {
		t.Errorf("%q, %v", content.String(), err)
	}
	if err := submit(t, f.inbound, "bob@example.com", sender, smimetest.Sealed(t, bob, "inbound", alice)); err != nil {
		t.Error(err)
	}
	if got := next.take(); len(got) != 1 || !strings.HasPrefix(string(got[0].mail), "Authentication-Results: gateway.example; smime=pass") || !strings.Contains(string(got[0].mail), "inbound") {
		t.Errorf("%q", got)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestProgramStartsWithExpiredMember starts with a collection of which one
// certificate has expired since it was uploaded.
func TestProgramStartsWithExpiredMember(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity(sender)
	f, err := os.Open(filepath.Join("..", "..", "smime", "exchange", "testdata", "expired_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	old, _, err := exchange.ParseConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	installed := installation(t, ca, func(c *exchange.Config) { c.CertificateIssuingCA = old.CertificateIssuingCA }, []*smime.Identity{alice}, []*smime.Identity{alice})
	installed.outbound, installed.inbound = freePort(t), freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // it ends as soon as it listens
	if err := run(ctx, installed); err != nil {
		t.Error(err)
	}
}

// TestReadPolicy reads the policy in each form.
func TestReadPolicy(t *testing.T) {
	const xml = "\n<EASProvisionDoc><RequireSignedSMIMEMessages>1</RequireSignedSMIMEMessages></EASProvisionDoc>"
	for _, tt := range []struct {
		name, text   string
		signs, fails bool
	}{
		{"XML", xml, true, false},
		{"one policy", `{"RequireSignedSMIMEMessages": true}`, true, false},
		{"the default", `[{"Name": "a"}, {"Name": "b", "IsDefault": true, "RequireSignedSMIMEMessages": true}]`, true, false},
		{"no default", `[{"Name": "a"}, {"Name": "b"}]`, false, true},
		{"no policy", "hello", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "policy")
			if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			p, err := readPolicy(file)
			if (err != nil) != tt.fails || err == nil && p.RequireSignedSMIMEMessages != tt.signs {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	if p, err := readPolicy(""); p != nil || err != nil {
		t.Errorf("%+v, %v", p, err)
	}
}

// TestProgramRefuses holds that nothing runs on settings that can't be followed.
func TestProgramRefuses(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity(sender)
	for name, tt := range map[string]struct {
		change func(*exchange.Config)
		spoil  func(*flags)
		want   error
	}{
		"no collection": {func(c *exchange.Config) { c.CertificateIssuingCA = nil }, nil, exchange.ErrNoCollection},
		"no store":      {func(c *exchange.Config) { c.CertificateIssuingCA = []byte("text") }, nil, sst.ErrNotStore},
		"no config":     {nil, func(f *flags) { f.config += "x" }, os.ErrNotExist},
		"no key":        {nil, func(f *flags) { f.pfx += "x" }, os.ErrNotExist},
		"no policy":     {nil, func(f *flags) { f.policy = f.pfx + "x" }, os.ErrNotExist},
		"no people":     {nil, func(f *flags) { f.people += "x" }, os.ErrNotExist},
		"config no key": {nil, func(f *flags) { f.pfx = f.config }, smime.ErrMalformed},
	} {
		change := tt.change
		if change == nil {
			change = func(*exchange.Config) {}
		}
		f := installation(t, ca, change, []*smime.Identity{alice}, []*smime.Identity{alice})
		if tt.spoil != nil {
			tt.spoil(&f)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // it ends at once if it begins
		f.outbound, f.inbound = freePort(t), freePort(t)
		if err := run(ctx, f); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", name, err, tt.want)
		}
	}
}
