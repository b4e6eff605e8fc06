package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestDirectory(t *testing.T) {
	ca := smimetest.NewCA(t)
	// An address may have the characters of a filter in it.
	const special = `"o*(d)d"@example.com`
	bob, carol, odd := ca.Identity("bob@example.com"), ca.Identity("carol@example.com"), ca.Identity(special)
	// As Outlook may have published it (MS-OXOABK 2.2.4.36): tag, length, DER.
	frank := ca.Identity("frank@example.com")
	der := frank.Certificate().Raw
	tagged := append(binary.LittleEndian.AppendUint16([]byte{3, 0}, uint16(len(der)+4)), der...)
	expired := ca.Identity("dave@example.com", smimetest.Expired())
	published, err := exchange.NewUserSMIMECertificate(t.Context(), carol, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := startSlapd(t, []person{
		{mail: "bob@example.com", certificate: bob.Certificate().Raw},
		{mail: "carol@example.com", smime: published},
		{mail: special, certificate: odd.Certificate().Raw},
		{mail: "dave@example.com", certificate: expired.Certificate().Raw},
		{mail: "erin@example.com"},
		{mail: "frank@example.com", smime: tagged, certificate: ca.Identity("frank@example.com", smimetest.Expired()).Certificate().Raw},
	})
	roots := filepath.Join(t.TempDir(), "roots.pem")
	write(t, roots, pemOf(ca.Root().Raw)+pemOf(ca.Issuing().Raw))
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "found in the directory")
	d := &Directory{URL: s.url, Base: "dc=example,dc=com", TLS: s.tls, Timeout: time.Minute}

	for name, d := range map[string]*Directory{"ldaps": d, "starttls": {URL: s.plain, Base: d.Base, TLS: s.tls, Timeout: d.Timeout}, "ldapi": {URL: s.socket, Base: d.Base, Timeout: d.Timeout}} {
		t.Run(name, func(t *testing.T) {
			var sealed, content bytes.Buffer
			if err := run(t.Context(), d, roots, []string{"bob@example.com", "Carol@example.com", special, "frank@example.com"}, bytes.NewReader(mail), &sealed, io.Discard); err != nil {
				t.Fatal(err)
			}
			for _, id := range []*smime.Identity{bob, carol, odd, frank} {
				content.Reset()
				if _, err := smime.Decrypt(t.Context(), &content, bytes.NewReader(sealed.Bytes()), smime.Identities{id}, nil); err != nil {
					t.Error(err)
				}
				if !strings.Contains(content.String(), "found in the directory") {
					t.Error("another content")
				}
			}
		})
	}
	t.Run("no certificate", func(t *testing.T) {
		var out bytes.Buffer
		err := run(t.Context(), d, roots, []string{"bob@example.com", "dave@example.com", "erin@example.com", "*"}, bytes.NewReader(mail), &out, io.Discard)
		failed, ok := errors.AsType[smime.RecipientErrors](err)
		if !ok || len(failed) != 3 || out.Len() > 0 {
			t.Errorf("%v, %d bytes", err, out.Len())
		}
		if !errors.Is(err, chain.ErrExpired) {
			t.Errorf("the expired certificate is not the reason: %v", err)
		}
	})
	t.Run("certificate of another server", func(t *testing.T) {
		other := startSlapd(t, nil)
		d := &Directory{URL: other.url, Base: d.Base, TLS: s.tls, Timeout: d.Timeout} // the other server's certificate
		if err := run(t.Context(), d, roots, []string{"bob@example.com"}, bytes.NewReader(mail), &bytes.Buffer{}, io.Discard); err == nil {
			t.Error("a server with another certificate was asked")
		}
	})
}

func TestFilterIsEscaped(t *testing.T) {
	for _, mailbox := range []string{"*", "a)(uid=*", "a\\b", "a\x00b"} {
		f := filter(mailbox)
		if strings.Contains(f, mailbox) || strings.Count(f, "(") != 3 {
			t.Errorf("%q", f)
		}
	}
}

// silence is a server that does what the row says and then nothing more.
func silence(t *testing.T, first func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { c.Close() })
			go first(c)
		}
	}()
	return l.Addr().String()
}

// grantStartTLS answers the first request with success (RFC 4511 section 4.14.2).
func grantStartTLS(c net.Conn) {
	b := make([]byte, 1024)
	if n, err := c.Read(b); err != nil || n < 5 {
		return
	}
	// LDAPMessage ::= SEQUENCE { 1, [APPLICATION 24] { success, "", "" } }
	_, _ = c.Write([]byte{0x30, 12, 2, 1, 1, 0x78, 7, 10, 1, 0, 4, 0, 4, 0})
}

// TestSilentServer asks servers that stop answering at some step. Each look-up
// ends with its context and, where that has no end, with its time-out.
func TestSilentServer(t *testing.T) {
	nothing := func(net.Conn) {}
	for name, tt := range map[string]struct {
		scheme   string
		first    func(net.Conn)
		insecure bool
	}{
		"before StartTLS": {"ldap://", nothing, false},
		"after StartTLS":  {"ldap://", grantStartTLS, false},
		"TLS handshake":   {"ldaps://", nothing, false},
		"search":          {"ldap://", nothing, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := Directory{URL: tt.scheme + silence(t, tt.first), Base: "dc=example,dc=com", InsecureNoTLS: tt.insecure, Timeout: time.Hour}
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			if _, err := d.Look(ctx, "bob@example.com"); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			cancelled, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			if _, err := d.Look(cancelled, "bob@example.com"); !errors.Is(err, context.Canceled) {
				t.Errorf("%v", err)
			}
			d.Timeout = 100 * time.Millisecond
			found := 0
			for _, err := range d.Find(t.Context(), chain.Query{Kind: chain.KindCertificate, Mailbox: "bob@example.com"}) {
				found++
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			}
			if found != 1 {
				t.Errorf("%d answers", found)
			}
			// The whole way, as a program goes it.
			trust := chain.NewCollection(chain.Untrusted(&d))
			if _, err := smime.FindRecipients(t.Context(), []string{"bob@example.com"}, trust, nil); err == nil {
				t.Error("found somebody")
			}
		})
	}
}

// TestScheme refuses whatever is not LDAP.
func TestScheme(t *testing.T) {
	for url, want := range map[string]string{
		"ldap://h":                 "tcp h:389 ldap",
		"ldaps://h/":               "tcp h:636 ldaps",
		"ldaps://[::1]:3":          "tcp [::1]:3 ldaps",
		"ldapi:///run/slapd/ldapi": "unix /run/slapd/ldapi ldapi",
		"LDAPI://%2Frun%2Fl%20i/":  "unix /run/l i ldapi",
		"ldapi://":                 "unix /var/run/slapd/ldapi ldapi",
		"cldap://h":                "",
		"http://h":                 "",
		"h:389":                    "",
		"ldap://":                  "",
		"":                         "",
		"ldaps://h\nx":             "",
		"file:///run/slapd/ldapi":  "",
		"ldap:///run/slapd/ldapi":  "",
	} {
		network, address, scheme, err := target(url)
		if got := strings.TrimSpace(network + " " + address + " " + scheme); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", url, got, err)
		}
	}
}

// TestProxyAddress finds a person by a proxy address, whose certificate names
// the primary one, and encrypts by the cipher that the person announced.
func TestProxyAddress(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	published, err := exchange.NewUserSMIMECertificate(t.Context(), bob, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := startSlapd(t, []person{
		{mail: "bob@example.com", proxies: []string{"SMTP:bob@example.com", "smtp:robert@example.com", "X500:/o=example"}, smime: published},
		{mail: "carol@example.net", proxies: []string{"smtp:carol@example.net", "SMTP:carol@example.com"}, certificate: carol.Certificate().Raw},
	})
	roots := filepath.Join(t.TempDir(), "roots.pem")
	write(t, roots, pemOf(ca.Root().Raw)+pemOf(ca.Issuing().Raw))
	d := &Directory{URL: s.url, Base: "dc=example,dc=com", TLS: s.tls, Timeout: time.Minute}
	for _, tt := range []struct {
		box    string
		id     *smime.Identity
		cipher pkcs7.Cipher
	}{{"robert@example.com", bob, pkcs7.AES256GCM}, {"carol@example.net", carol, pkcs7.AES256CBC}} {
		t.Run(tt.box, func(t *testing.T) {
			var sealed, content bytes.Buffer
			mail := smimetest.Mail("alice@example.com", tt.box, "by a proxy address")
			if err := run(t.Context(), d, roots, []string{tt.box}, bytes.NewReader(mail), &sealed, io.Discard); err != nil {
				t.Fatal(err)
			}
			e, err := smime.Decrypt(t.Context(), &content, &sealed, smime.Identities{tt.id}, nil)
			if err != nil || e.Cipher != tt.cipher || !strings.Contains(content.String(), "by a proxy address") {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

// TestMoreEntries asks for fewer entries than the server has.
func TestMoreEntries(t *testing.T) {
	ca := smimetest.NewCA(t)
	var people []person
	for range 3 {
		people = append(people, person{mail: "bob@example.com", certificate: ca.Identity("bob@example.com").Certificate().Raw})
	}
	s := startSlapd(t, people)
	d := &Directory{URL: s.url, Base: "dc=example,dc=com", TLS: s.tls, Timeout: time.Minute, Entries: 2}
	entries, err := d.Look(t.Context(), "bob@example.com")
	if len(entries) != 2 || !errors.Is(err, ErrMore) {
		t.Errorf("%d entries, %v", len(entries), err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	write(t, roots, pemOf(ca.Root().Raw)+pemOf(ca.Issuing().Raw))
	var notes, out bytes.Buffer
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "to the first")
	if err := run(t.Context(), d, roots, []string{"bob@example.com"}, bytes.NewReader(mail), &out, &notes); err != nil {
		t.Error(err)
	}
	if out.Len() == 0 || notes.Len() == 0 {
		t.Errorf("%d bytes, note %q", out.Len(), notes.String())
	}
}

// TestPublish prints the change of an entry, which ldapmodify makes, and finds
// the certificates afterwards.
func TestPublish(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, old := ca.Identity("bob@example.com"), ca.Identity("bob@example.com", smimetest.Expired())
	s := startSlapd(t, []person{{mail: "bob@example.com", certificate: old.Certificate().Raw}})
	dir := t.TempDir()
	file := filepath.Join(dir, "bob.p12")
	write := func(ids ...*smime.Identity) {
		pfx, err := smime.MarshalPKCS12(ids, "secret", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, pfx, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var ldif bytes.Buffer
	write(old)
	if err := publish(t.Context(), "uid=0,dc=example,dc=com", file, "secret", &ldif, io.Discard); !errors.Is(err, chain.ErrExpired) || ldif.Len() > 0 {
		t.Errorf("%v, %q", err, ldif.String())
	}
	write(old, bob) // the history
	if err := publish(t.Context(), "uid=0,dc=example,dc=com", file, "secret", &ldif, io.Discard); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(bytes.NewReader(ldif.Bytes())); lines.Scan(); {
		if len(lines.Text()) > 76 {
			t.Errorf("a line of %d octets", len(lines.Text()))
		}
	}
	modify := suites.Command(t, "ldapmodify", "-x", "-H", s.plain, "-D", manager, "-w", secret)
	modify.Stdin = &ldif
	if out, err := modify.CombinedOutput(); err != nil {
		t.Fatalf("ldapmodify: %v\n%s", err, out)
	}
	d := &Directory{URL: s.url, Base: "dc=example,dc=com", TLS: s.tls, Timeout: time.Minute}
	entries, err := d.Look(t.Context(), "bob@example.com")
	if err != nil || len(entries) != 1 {
		t.Fatalf("%d entries, %v", len(entries), err)
	}
	e := entries[0]
	if len(e.SMIME) != 1 || len(e.Plain) != 1 || !e.SMIME[0].Encryption.Equal(bob.Certificate()) || !e.Plain[0].All[0].Equal(bob.Certificate()) {
		t.Errorf("%+v", e)
	}
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
