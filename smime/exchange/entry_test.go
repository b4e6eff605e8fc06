package exchange_test

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// published returns a value of userSMIMECertificate.
func published(t testing.TB, id *smime.Identity) []byte {
	t.Helper()
	value, err := exchange.NewUserSMIMECertificate(t.Context(), id, nil)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

// TestDirectory finds a person by a proxy address and takes the announced
// capabilities into account.
func TestDirectory(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	stranger := smimetest.NewCA(t).Identity("bob@example.com")
	person := exchange.Person{Mailbox: "bob@example.com", Proxies: []string{"Robert@example.com", "bob@example.net"}}
	entry := exchange.NewDirectoryEntry(person, [][]byte{published(t, bob), {1}}, [][]byte{bob.Certificate().Raw, {2}})
	if len(entry.Unreadable) != 2 || len(entry.SMIME) != 1 || len(entry.Plain) != 1 {
		t.Errorf("%+v", entry)
	}
	d := exchange.NewDirectory(entry, exchange.NewDirectoryEntry(exchange.Person{Mailbox: "carol@example.com", Proxies: []string{"both@example.com"}}, nil, nil),
		exchange.NewDirectoryEntry(exchange.Person{Mailbox: "dave@example.com", Proxies: []string{"both@example.com"}}, nil, nil))
	for _, tt := range []struct {
		name, box string
		proxies   []string
	}{
		{"primary", "bob@example.com", []string{"Robert@example.com", "bob@example.net"}},
		{"proxy", "robert@EXAMPLE.com", []string{"bob@example.com", "bob@example.net"}},
		{"unknown", "eve@example.com", nil},
		{"of two people", "both@example.com", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p := d.Person(tt.box); p.Mailbox != tt.box || !slices.Equal(p.Proxies, tt.proxies) {
				t.Errorf("%+v", p)
			}
		})
	}
	trust := ca.Trust().With(chain.Untrusted(d.Source()))
	opts := &smime.RecipientOptions{Capabilities: d.Capabilities(t.Context(), trust, chain.Options{})}
	found, err := exchange.FindRecipients(t.Context(), []exchange.Person{d.Person("robert@example.com")}, trust, opts)
	if err != nil {
		t.Fatal(err)
	}
	if found[0].Mailbox() != "bob@example.com" || !found[0].Capabilities().Reads(pkcs7.AES256GCM) {
		t.Errorf("%s, %v", found[0].Mailbox(), found[0].Capabilities())
	}
	found, err = exchange.FindRecipients(t.Context(), []exchange.Person{d.Person("eve@example.com"), d.Person("bob@example.com"), {Mailbox: "x@example.com", Proxies: []string{"y@example.com"}}}, trust, nil)
	failed, ok := errors.AsType[smime.RecipientErrors](err)
	if !ok || len(failed) != 2 || failed[0].Mailbox != "eve@example.com" || failed[1].Mailbox != "x@example.com" || found[1] == nil {
		t.Errorf("%v", err)
	}
	// Somebody else's signature announces nothing.
	var forged exchange.PublishedCertificate
	other, err := exchange.ParseUserSMIMECertificate(published(t, stranger))
	if err != nil {
		t.Fatal(err)
	}
	forged = *other
	forged.All, forged.Encryption = append(forged.All, bob.Certificate()), bob.Certificate()
	evil := exchange.NewDirectory(&exchange.DirectoryEntry{Person: person, SMIME: []*exchange.PublishedCertificate{&forged}})
	if caps := evil.Capabilities(t.Context(), trust, chain.Options{})("bob@example.com", bob.Certificate()); caps != nil {
		t.Errorf("a stranger announced %v", caps)
	}
}

// TestParseDirectory reads each form that PowerShell and Graph print.
func TestParseDirectory(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	signed, der := published(t, bob), bob.Certificate().Raw
	list := func(b []byte) string { return strings.ReplaceAll(strings.Trim(fmt.Sprint(b), "[]"), " ", ",") }
	std := base64.StdEncoding.EncodeToString
	for _, tt := range []struct{ name, json string }{
		{"lists of octets", `{"PrimarySmtpAddress":"bob@example.com","EmailAddresses":["SMTP:bob@example.com","smtp:alias@example.com","SIP:bob@example.com","X500:/o=a"],"UserCertificate":[[` + list(der) + `]],"UserSMimeCertificate":[[ ` + list(signed) + `]]}`},
		{"base64", `[{"PrimarySmtpAddress":"bob@example.com","EmailAddresses":["SMTP:bob@example.com","smtp:alias@example.com"],"UserCertificate":["` + std(der) + `"],"UserSMimeCertificate":["` + std(signed) + `"]}]`},
		{"one value", `{"PrimarySmtpAddress":"bob@example.com","EmailAddresses":["smtp:alias@example.com"],"UserCertificate":"` + std(der) + `","UserSMimeCertificate":[` + list(signed) + `]}`},
		{"Windows PowerShell", `{"PrimarySmtpAddress":{"Length":15,"Address":"bob@example.com"},"EmailAddresses":{"value":[{"ProxyAddressString":"smtp:alias@example.com","IsPrimaryAddress":false}],"Count":1},"UserCertificate":{"value":[{"value":[` + list(der) + `],"Count":9}],"Count":1},"UserSMimeCertificate":[{"value":[` + list(signed) + `]}]}`},
		{"end of the depth", `{"PrimarySmtpAddress":"bob@example.com","EmailAddresses":["smtp:alias@example.com"],"UserCertificate":["` + strings.Trim(fmt.Sprint(der), "[]") + `"],"UserSMimeCertificate":["` + strings.Trim(fmt.Sprint(signed), "[]") + `"]}`},
		{"Graph", `{"@odata.context":"https://graph.microsoft.com/","value":[{"userPrincipalName":"b@example.onmicrosoft.com","mail":"bob@example.com","proxyAddresses":["SMTP:bob@example.com","smtp:alias@example.com"],"userCertificate":["` + std(der) + `"],"userSMIMECertificate":["` + base64.RawURLEncoding.EncodeToString(signed) + `"]}]}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := exchange.ParseDirectory(strings.NewReader(tt.json))
			if err != nil {
				t.Fatal(err)
			}
			e := d.Entries()[0]
			if e.Mailbox != "bob@example.com" || !slices.Equal(e.Proxies, []string{"alias@example.com"}) || len(e.Unreadable) > 0 {
				t.Errorf("%+v", e)
			}
			if len(e.SMIME) != 1 || len(e.Plain) != 1 || e.SMIME[0].Capabilities == nil || !e.Plain[0].All[0].Equal(bob.Certificate()) {
				t.Errorf("%d and %d values", len(e.SMIME), len(e.Plain))
			}
		})
	}
	t.Run("unreadable values", func(t *testing.T) {
		d, err := exchange.ParseDirectory(strings.NewReader(`{"Mail":"a@example.com","UserCertificate":[[300],["x y"],"` + std(der) + `",{"a":1},true,"AAAA",[[[[[[1]]]]]]]}`))
		if err != nil {
			t.Fatal(err)
		}
		if e := d.Entries()[0]; len(e.Plain) != 1 || len(e.Unreadable) == 0 {
			t.Errorf("%+v", e)
		}
	})
	for _, bad := range []string{"", "[]", "{}", "3", `{"value":[]}`, `[3]`, `{"UserCertificate":null}`, `{"mail":"a@example.com"`, `{"mail":"a@example.com","Mail":"b@example.com"}`} {
		if _, err := exchange.ParseDirectory(strings.NewReader(bad)); err == nil {
			t.Errorf("%q is a directory", bad)
		}
	}
}

func FuzzParseDirectory(f *testing.F) {
	for _, s := range []string{`{"PrimarySmtpAddress":"bob@example.com","UserCertificate":[[48,3,2,1,1]]}`, `{"value":[{"mail":"a@b.example","userCertificate":["MAMCAQE="]}]}`, `[{"mail":"a@b.example","usercertificate":"48 3"}]`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := exchange.ParseDirectory(bytes.NewReader(text))
		if (d == nil) == (err == nil) {
			t.Fatalf("%v, %v", d, err)
		}
		if err != nil {
			return
		}
		for _, e := range d.Entries() {
			if e.Mailbox == "" {
				t.Error("nobody's entry")
			}
			if p := d.Person(e.Mailbox); p.Mailbox != e.Mailbox || slices.Contains(p.Proxies, e.Mailbox) {
				t.Errorf("%+v", p)
			}
		}
		if !json.Valid(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))) && !bytes.HasPrefix(text, []byte{0xFF, 0xFE}) && !bytes.HasPrefix(text, []byte{0xFE, 0xFF}) {
			t.Error("read what is no JSON")
		}
	})
}

// TestPublishRefuses refuses certificates that nobody could use.
func TestPublishRefuses(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	const box = "bob@example.com"
	good := a.identity(box, nil)
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	_, edwards, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certify := func(key crypto.Signer, change func(*x509.Certificate)) *x509.Certificate {
		return a.certify(key, box, change).Certificate()
	}
	for _, tt := range []struct {
		name       string
		id         *smime.Identity
		encryption *x509.Certificate
		want       error
	}{
		{"good", good, nil, nil},
		{"two certificates", good, a.identity(box, nil).Certificate(), nil},
		{"no identity", nil, nil, exchange.ErrNoSigner},
		{"expired", a.identity(box, func(c *x509.Certificate) { c.NotAfter = year(2021) }), nil, chain.ErrExpired},
		{"expired encryption", good, a.identity(box, func(c *x509.Certificate) { c.NotAfter = year(2021) }).Certificate(), chain.ErrExpired},
		{"expired signer", a.identity(box, func(c *x509.Certificate) { c.NotAfter = year(2021) }), good.Certificate(), chain.ErrExpired},
		{"not yet valid", good, a.identity(box, func(c *x509.Certificate) { c.NotBefore = time.Now().AddDate(1, 0, 0) }).Certificate(), chain.ErrNotYetValid},
		{"foreign", good, a.identity("eve@example.com", nil).Certificate(), chain.ErrWrongMailbox},
		{"names nobody", a.identity(box, func(c *x509.Certificate) { c.EmailAddresses = nil }), nil, chain.ErrWrongMailbox},
		{"a CA", good, a.cert, chain.ErrWrongPurpose},
		{"for signing alone", good, a.identity(box, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature }).Certificate(), chain.ErrWrongPurpose},
		{"signer for encryption alone", a.identity(box, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }), good.Certificate(), chain.ErrWrongPurpose},
		{"web server", good, a.identity(box, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }).Certificate(), chain.ErrWrongPurpose},
		{"key that can't be encrypted to", good, certify(edwards, nil), chain.ErrWrongPurpose},
		{"short key", good, certify(weak, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), pkcs7.ErrWeak},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := exchange.Publish(t.Context(), tt.id, tt.encryption)
			if !errors.Is(err, tt.want) || (p == nil) != (err != nil) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// TestPublishNewest chooses among the keys of one person.
func TestPublishNewest(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	const box = "bob@example.com"
	from := func(y int, more func(*x509.Certificate)) *smime.Identity {
		return a.identity(box, func(c *x509.Certificate) {
			c.NotBefore = year(y)
			if more != nil {
				more(c)
			}
		})
	}
	expired := from(2019, func(c *x509.Certificate) { c.NotAfter = year(2021) })
	old, renewed := from(2020, nil), from(2022, nil)
	signing := from(2024, func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })
	for _, tt := range []struct {
		name   string
		ids    []*smime.Identity
		signer *smime.Identity
		reader *smime.Identity
	}{
		{"none", nil, nil, nil}, {"expired", []*smime.Identity{expired, nil}, nil, nil}, {"history", []*smime.Identity{expired, old, renewed}, renewed, renewed},
		{"two keys", []*smime.Identity{old, signing, renewed}, signing, renewed}, {"signing alone", []*smime.Identity{signing}, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := exchange.PublishNewest(t.Context(), tt.ids)
			if tt.signer == nil {
				if !errors.Is(err, exchange.ErrNoSigner) || p != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			value, err := exchange.ParseUserSMIMECertificate(p.UserSMIMECertificate)
			if err != nil || !value.Signing.Equal(tt.signer.Certificate()) || !bytes.Equal(p.UserCertificate, tt.reader.Certificate().Raw) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestPublishNotes notes a missing subject key identifier.
func TestPublishNotes(t *testing.T) {
	a := newAuthority(t, "a", year(2045))
	with := a.identity("bob@example.com", nil)
	without := a.identity("bob@example.com", func(c *x509.Certificate) { c.SubjectKeyId = nil })
	for _, tt := range []struct {
		name       string
		id         *smime.Identity
		encryption *x509.Certificate
		notes      int
	}{
		{"with", with, nil, 0}, {"without", without, nil, 1}, {"signer without", without, with.Certificate(), 1}, {"encryption without", with, without.Certificate(), 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := exchange.Publish(t.Context(), tt.id, tt.encryption)
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Notes) != tt.notes || tt.notes > 0 && !errors.Is(p.Notes[0], exchange.ErrNoKeyIdentifier) {
				t.Errorf("%v", p.Notes)
			}
		})
	}
}
