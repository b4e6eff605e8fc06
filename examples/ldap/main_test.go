package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
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

	for name, d := range map[string]*Directory{"ldaps": d, "starttls": {URL: s.plain, Base: d.Base, TLS: s.tls, Timeout: d.Timeout}} {
		t.Run(name, func(t *testing.T) {
			var sealed, content bytes.Buffer
			if err := run(t.Context(), d, roots, []string{"bob@example.com", "Carol@example.com", special, "frank@example.com"}, bytes.NewReader(mail), &sealed); err != nil {
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
		err := run(t.Context(), d, roots, []string{"bob@example.com", "dave@example.com", "erin@example.com", "*"}, bytes.NewReader(mail), &out)
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
		if err := run(t.Context(), d, roots, []string{"bob@example.com"}, bytes.NewReader(mail), &bytes.Buffer{}); err == nil {
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

// TestSilentServer asks a server that accepts and never answers.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	d := &Directory{URL: "ldap://" + l.Addr().String(), Base: "dc=example,dc=com", InsecureNoTLS: true}
	for _, err := range d.Find(ctx, chain.Query{Kind: chain.KindCertificate, Mailbox: "bob@example.com"}) {
		if err == nil {
			t.Error("found something")
		}
	}
	if ctx.Err() == nil {
		t.Error("did not wait for an answer")
	}
}

func pemOf(der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
