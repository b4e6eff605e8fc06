package devices_test

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/devices"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// plistJSON prints a property list as JSON, data as base64.
const plistJSON = `import sys, plistlib, json, base64
print(json.dumps(plistlib.loads(sys.stdin.buffer.read()), default=lambda b: base64.b64encode(b).decode()))`

// A payload of a profile, as an independent parser has it.
type payload map[string]any

// parsePlist has Python parse a property list.
func parsePlist(t *testing.T, text []byte) (top payload, list []payload) {
	t.Helper()
	out := run(t, text, "python3", "-c", plistJSON)
	if err := json.Unmarshal(out, &top); err != nil {
		t.Fatal(err)
	}
	items, _ := top["PayloadContent"].([]any)
	for _, i := range items {
		list = append(list, payload(i.(map[string]any)))
	}
	return top, list
}

func (p payload) text(key string) string { s, _ := p[key].(string); return s }

func (p payload) data(t *testing.T, key string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(p.text(key))
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %v", key, err)
	}
	return b
}

func exampleProfile(ca *smimetest.CA, ids []*smime.Identity, a devices.Account) *devices.Profile {
	return &devices.Profile{
		Identifier: "com.example.mail.alice", DisplayName: "Mail <of> Alice & “friends”", Organization: "Example", Description: "line\nline",
		Identities: append(ids, ids[0]), CAs: []*x509.Certificate{ca.Root(), ca.Issuing(), ca.Root()}, Account: a, InsecurePasswords: true, InsecureLegacy: true,
	}
}

// TestProfile has Python parse each kind of profile, opens the keys in it and
// finds those that the account names.
func TestProfile(t *testing.T) {
	suites.Tool(t, "python3")
	ca := smimetest.NewCA(t)
	ids := history(t, ca)
	for _, tt := range []struct {
		name    string
		account devices.Account
		kind    string
		want    map[string]any
	}{
		{"Exchange", &devices.ExchangeAccount{Mailbox: user, Host: "outlook.office365.com", User: user, OAuth: true, SMIME: devices.SMIME{Sign: true, Encrypt: true, UserChooses: true}},
			"com.apple.eas.account", map[string]any{"EmailAddress": user, "Host": "outlook.office365.com", "UserName": user, "SSL": true, "OAuth": true,
				"SMIMEEnabled": true, "SMIMESigningEnabled": true, "SMIMEEncryptionEnabled": true, "SMIMEEncryptByDefault": true, "SMIMEEnablePerMessageSwitch": true,
				"SMIMEEnableEncryptionPerMessageSwitch": true, "SMIMESigningUserOverrideable": true, "SMIMEEncryptByDefaultUserOverrideable": true}},
		{"IMAP", &devices.MailAccount{Mailbox: user, FullName: "Alice", IncomingHost: "imap.example.com", OutgoingHost: "smtp.example.com", OutgoingPort: 465},
			"com.apple.mail.managed", map[string]any{"EmailAddress": user, "EmailAccountType": "EmailTypeIMAP", "IncomingMailServerHostName": "imap.example.com",
				"IncomingMailServerPortNumber": 993.0, "IncomingMailServerUseSSL": true, "OutgoingMailServerPortNumber": 465.0, "OutgoingMailServerUsername": user,
				"SMIMEEnabled": true, "SMIMESigningEnabled": false, "SMIMEEncryptByDefault": false, "SMIMEEnableEncryptionPerMessageSwitch": false}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, passwords, err := exampleProfile(ca, ids, tt.account).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			top, list := parsePlist(t, text)
			if top.text("PayloadType") != "Configuration" || top.text("PayloadDisplayName") != "Mail <of> Alice & “friends”" || top.text("PayloadDescription") != "line\nline" || top["PayloadVersion"] != 1.0 {
				t.Errorf("%v", top)
			}
			if len(list) != 6 || len(passwords) != 3 {
				t.Fatalf("%d payloads, %d passwords", len(list), len(passwords))
			}
			names := map[string]bool{}
			byUUID := map[string]*x509.Certificate{}
			for i, p := range list {
				if !regexp.MustCompile(`^[0-9A-F]{8}-[0-9A-F]{4}-8[0-9A-F]{3}-[89AB][0-9A-F]{3}-[0-9A-F]{12}$`).MatchString(p.text("PayloadUUID")) ||
					!strings.HasPrefix(p.text("PayloadIdentifier"), "com.example.mail.alice.") || p["PayloadVersion"] != 1.0 {
					t.Errorf("payload %d: %v %v", i, p["PayloadUUID"], p["PayloadIdentifier"])
				}
				if names[p.text("PayloadUUID")] || names[p.text("PayloadIdentifier")] {
					t.Errorf("payload %d has the name of another", i)
				}
				names[p.text("PayloadUUID")], names[p.text("PayloadIdentifier")] = true, true
				if i < 3 {
					got, err := smime.ParsePKCS12(p.data(t, "PayloadContent"), p.text("Password"))
					if p.text("PayloadType") != "com.apple.security.pkcs12" || err != nil || len(got) != 1 || !got[0].Certificate().Equal(ids[i].Certificate()) {
						t.Fatalf("payload %d: %v", i, err)
					}
					if passwords[i].Password != p.text("Password") || passwords[i].FileName != p.text("PayloadCertificateFileName") || passwords[i].Thumbprint != thumbprint(ids[i].Certificate()) {
						t.Errorf("password %d is another's", i)
					}
					byUUID[p.text("PayloadUUID")] = ids[i].Certificate()
				}
			}
			if list[3].text("PayloadType") != "com.apple.security.root" || !bytes.Equal(list[3].data(t, "PayloadContent"), ca.Root().Raw) {
				t.Error("no root")
			}
			if list[4].text("PayloadType") != "com.apple.security.pkcs1" || !bytes.Equal(list[4].data(t, "PayloadContent"), ca.Issuing().Raw) {
				t.Error("no intermediate")
			}
			account := list[5]
			for key, want := range tt.want {
				if account[key] != want {
					t.Errorf("%s is %v, want %v", key, account[key], want)
				}
			}
			signer, reader := byUUID[account.text("SMIMESigningCertificateUUID")], byUUID[account.text("SMIMEEncryptionCertificateUUID")]
			if account.text("PayloadType") != tt.kind || signer == nil || reader == nil || !reader.Equal(ids[1].Certificate()) || signer.Equal(ids[0].Certificate()) {
				t.Error("the account names other certificates")
			}
			again, _, err := exampleProfile(ca, ids, tt.account).Marshal()
			if err != nil {
				t.Fatal(err)
			}
			if next, _ := parsePlist(t, again); next.text("PayloadUUID") != top.text("PayloadUUID") {
				t.Error("a later profile would not replace this one")
			}
		})
	}
}

// TestProfilePasswords keeps the passwords out of a profile unless it is asked
// for them.
func TestProfilePasswords(t *testing.T) {
	ca := smimetest.NewCA(t)
	p := exampleProfile(ca, []*smime.Identity{ca.Identity(user)}, &devices.ExchangeAccount{Mailbox: user})
	p.InsecurePasswords = false
	text, passwords, err := p.Marshal()
	if err != nil || len(passwords) != 1 || passwords[0].Password == "" {
		t.Fatalf("%d passwords, %v", len(passwords), err)
	}
	if bytes.Contains(text, []byte("Password</key>")) || bytes.Contains(text, []byte(passwords[0].Password)) {
		t.Error("the profile has a password in it")
	}
	for d := xml.NewDecoder(bytes.NewReader(text)); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// TestSignedProfile has OpenSSL verify a signed profile, and read the keys in it.
func TestSignedProfile(t *testing.T) {
	openssl := suites.Tool(t, "openssl")
	ca := smimetest.NewCA(t)
	ids := history(t, ca)
	text, passwords, err := exampleProfile(ca, ids, &devices.ExchangeAccount{Mailbox: user}).Marshal()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	roots := write(t, dir, "root.pem", pemOf(ca.Root()))
	for name, id := range map[string]*smime.Identity{"RSA": ids[1], "ECDSA": ca.Identity("it@example.com")} {
		t.Run(name, func(t *testing.T) {
			var signed bytes.Buffer
			if err := devices.SignProfile(t.Context(), &signed, text, id); err != nil {
				t.Fatal(err)
			}
			file, out := write(t, dir, "alice.mobileconfig", signed.Bytes()), filepath.Join(dir, "content")
			run(t, nil, openssl, "cms", "-verify", "-binary", "-inform", "DER", "-in", file, "-CAfile", roots, "-purpose", "any", "-out", out)
			content, err := os.ReadFile(out)
			if err != nil || !bytes.Equal(content, text) {
				t.Errorf("another content: %v", err)
			}
			if b := signed.Bytes(); b[0] != 0x30 || b[1] == 0x80 {
				t.Errorf("no DER: % x", b[:4])
			}
		})
	}
	_, list := parsePlist(t, text)
	for i := range ids {
		readByOthers(t, list[i].data(t, "PayloadContent"), passwords[i].Password, ids[i], true)
	}
}

func TestProfileRefuses(t *testing.T) {
	ca := smimetest.NewCA(t)
	good := ca.Identity(user)
	key := rsaKey(t, 2048)
	onCard := must(smime.NewIdentity(hardware{key}, ca.Certify(key, user).Certificate()))
	account := &devices.ExchangeAccount{Mailbox: user}
	for _, tt := range []struct {
		name string
		p    devices.Profile
		want error
	}{
		{"good", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: account}, nil},
		{"certificates alone", devices.Profile{Identifier: "a.b", CAs: []*x509.Certificate{ca.Root()}}, nil},
		{"nothing", devices.Profile{}, devices.ErrMalformed},
		{"nothing in it", devices.Profile{Identifier: "a.b"}, devices.ErrMalformed},
		{"identifier", devices.Profile{Identifier: "a/b", Identities: []*smime.Identity{good}}, devices.ErrMalformed},
		{"nil identity", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{nil}}, devices.ErrNoIdentity},
		{"nil CA", devices.Profile{Identifier: "a.b", CAs: []*x509.Certificate{nil}}, devices.ErrMalformed},
		{"leaf as CA", devices.Profile{Identifier: "a.b", CAs: []*x509.Certificate{good.Certificate()}}, devices.ErrMalformed},
		{"control character", devices.Profile{Identifier: "a.b", DisplayName: "a\x01", Identities: []*smime.Identity{good}}, devices.ErrMalformed},
		{"no UTF-8", devices.Profile{Identifier: "a.b", DisplayName: "a\xff", Identities: []*smime.Identity{good}}, devices.ErrMalformed},
		{"long text", devices.Profile{Identifier: "a.b", DisplayName: strings.Repeat("a", 5000), Identities: []*smime.Identity{good}}, devices.ErrMalformed},
		{"smart card", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{onCard}}, devices.ErrNotExportable},
		{"no address", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.ExchangeAccount{}}, devices.ErrMalformed},
		{"no host", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.MailAccount{Mailbox: user}}, devices.ErrMalformed},
		{"host with a path", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.ExchangeAccount{Mailbox: user, Host: "a/b"}}, devices.ErrMalformed},
		{"port", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.MailAccount{Mailbox: user, IncomingHost: "a", OutgoingHost: "b", IncomingPort: 70000}}, devices.ErrMalformed},
		{"account without keys", devices.Profile{Identifier: "a.b", Account: account}, devices.ErrNoSigner},
		{"other address", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.ExchangeAccount{Mailbox: "bob@example.com"}}, devices.ErrNoSigner},
		{"other case", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.ExchangeAccount{Mailbox: "Alice@example.com"}}, devices.ErrNoSigner},
		{"case of the domain", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: &devices.ExchangeAccount{Mailbox: "alice@Example.com"}}, nil},
		{"expired", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{good}, Account: account, Now: time.Date(2060, 1, 1, 0, 0, 0, 0, time.UTC)}, devices.ErrNoSigner},
		{"signing alone", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{ca.Identity(user, smimetest.SigningOnly())}, Account: account}, devices.ErrNoReader},
		{"encryption alone", devices.Profile{Identifier: "a.b", Identities: []*smime.Identity{ca.Identity(user, smimetest.EncryptionOnly())}, Account: account}, devices.ErrNoSigner},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text, passwords, err := tt.p.Marshal()
			if !errors.Is(err, tt.want) || err != nil && (text != nil || passwords != nil) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	for name, err := range map[string]error{
		"no identity": devices.SignProfile(t.Context(), io.Discard, []byte("x"), nil),
		"no profile":  devices.SignProfile(t.Context(), io.Discard, nil, good),
	} {
		t.Run(name, func(t *testing.T) {
			if err == nil {
				t.Error("signed")
			}
		})
	}
}

// TestProblemText has a text for every problem.
func TestProblemText(t *testing.T) {
	seen := map[string]bool{}
	for p := devices.ErrMalformed; p <= devices.ErrNoReader; p++ {
		text := p.Error()
		if seen[text] || strings.Contains(text, "problem ") {
			t.Errorf("%d: %q", p, text)
		}
		seen[text] = true
	}
	if devices.Problem(0).Error() != "devices: problem 0" || devices.Problem(99).Error() != "devices: problem 99" {
		t.Error("an unknown problem has a text")
	}
}
