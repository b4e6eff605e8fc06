package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const sender = "alice@example.com"

// A company has an outbound gateway before a sink.
type company struct {
	ca    *smimetest.CA
	alice *smime.Identity
	out   *Outbound
	addr  string // of the gateway
	next  *sink
}

func companyOf(t *testing.T, ca *smimetest.CA, people ...*smime.Identity) *company {
	t.Helper()
	c := &company{ca: ca, alice: ca.Identity(sender), next: newSink(t)}
	cfg := exchange.DefaultConfig()
	cfg.AlwaysSign, cfg.AlwaysEncrypt = true, true
	c.out = &Outbound{Next: c.next.addr, Sender: &exchange.Sender{
		Config: &cfg, Identities: []*smime.Identity{c.alice}, Trust: ca.Directory(append(people, c.alice)...)}}
	c.addr = listen(t, c.out)
	return c
}

// send submits a message with a client; an error is that of the gateway.
func (c *company) send(t *testing.T, mail []byte, to ...string) error {
	t.Helper()
	client, err := smtp.Dial(c.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.SendMail(sender, to, bytes.NewReader(mail))
}

func inboundOf(t *testing.T, ca *smimetest.CA, next *sink, keys ...*smime.Identity) string {
	t.Helper()
	return listen(t, &Inbound{Trust: ca.Trust(), Keys: smime.Identities(keys), Name: "gateway.example", Next: next.addr})
}

// TestBothWays sends with curl through both gateways.
func TestBothWays(t *testing.T) {
	curl := suites.Tool(t, "curl")
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	file := filepath.Join(t.TempDir(), "mail")
	if err := os.WriteFile(file, smimetest.Mail(sender, "bob@example.com", "through two gateways"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := suites.Command(t, curl, "-sS", "smtp://"+c.addr, "--mail-from", sender, "--mail-rcpt", "bob@example.com", "--upload-file", file).CombinedOutput()
	if err != nil {
		t.Fatalf("curl: %v\n%s", err, out)
	}
	relayed := c.next.take()
	if len(relayed) != 1 || bytes.Contains(relayed[0].mail, []byte("through two")) {
		t.Fatalf("%d messages", len(relayed))
	}
	store := newSink(t)
	client, err := smtp.Dial(inboundOf(t, ca, store, bob))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.SendMail(sender, []string{"bob@example.com"}, bytes.NewReader(relayed[0].mail)); err != nil {
		t.Fatal(err)
	}
	stored := store.take()
	if len(stored) != 1 || !bytes.Contains(stored[0].mail, []byte("through two gateways")) {
		t.Fatalf("%d messages arrived", len(stored))
	}
	if first, _, _ := strings.Cut(string(stored[0].mail), "\r\n"); first != "Authentication-Results: gateway.example; smime=pass body.smime-identifier=alice@example.com" {
		t.Errorf("%s", first)
	}
}

func TestInboundSaysWhatItFound(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, mallory := ca.Identity(sender), ca.Identity("mallory@example.com")
	store := newSink(t)
	addr := inboundOf(t, ca, store)
	forged := func(field string) []byte {
		return append([]byte(field+"\r\n"), smimetest.Mail(sender, "bob@example.com", "hi")...)
	}
	for name, tt := range map[string]struct {
		mail []byte
		want string
	}{
		"signed":     {smimetest.Signed(t, alice, "hi"), "smime=pass"},
		"plain":      {smimetest.Mail(sender, "bob@example.com", "hi"), "smime=none"},
		"spoofed":    {smimetest.Spoofed(t, mallory, sender, "hi"), "smime=fail"},
		"tampered":   {smimetest.Tamper(t, smimetest.Signed(t, alice, "hi")), "smime=fail"},
		"other CA":   {smimetest.Signed(t, smimetest.NewCA(t).Identity(sender), "hi"), "smime=policy"},
		"forged":     {forged("Authentication-Results: gateway.example; smime=pass"), "smime=none"},
		"folded":     {forged("Authentication-Results:\r\n gateway.example; smime=pass"), "smime=none"},
		"other case": {forged("AUTHENTICATION-results : GateWay.Example; smime=pass"), "smime=none"},
		"comment":    {forged("Authentication-Results: (x) gateway.example; smime=pass"), "smime=none"},
	} {
		client, err := smtp.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		if err := client.SendMail(sender, []string{"bob@example.com"}, bytes.NewReader(tt.mail)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		got := store.take()
		if len(got) != 1 || bytes.Count(bytes.ToLower(got[0].mail), []byte("authentication-results")) != 1 || !strings.Contains(string(got[0].mail[:min(200, len(got[0].mail))]), tt.want) {
			t.Errorf("%s: %.200q", name, got)
		}
	}
}

// TestNothingFromInsideClaimsToBeOurs holds that who encrypts a message can't
// write our verdict, nor a second author, into the header inside.
func TestNothingFromInsideClaimsToBeOurs(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	store := newSink(t)
	addr := inboundOf(t, ca, store, bob)
	mallory := "From: mallory@example.com\r\nTo: bob@example.com\r\nSubject: outside\r\nReceived: from far away\r\nMIME-Version: 1.0\r\n"
	inside := "Authentication-Results: gateway.example; smime=pass body.smime-identifier=alice@example.com\r\n" +
		"From: alice@example.com\r\nReturn-Path: <alice@example.com>\r\nContent-Type: text/plain\r\n\r\nhello\r\n"
	var cms bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(t.Context(), &cms, []pkcs7.Recipient{pkcs7.ToCertificate(bob.Certificate(), nil)}, &pkcs7.EncryptOptions{Cipher: pkcs7.AES256GCM})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, inside); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mail := mallory + "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
		base64.StdEncoding.EncodeToString(cms.Bytes()) + "\r\n"
	client, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.SendMail("mallory@example.com", []string{"bob@example.com"}, strings.NewReader(mail)); err != nil {
		t.Fatal(err)
	}
	got := store.take()
	if len(got) != 1 || !bytes.Contains(got[0].mail, []byte("\r\n\r\nhello")) {
		t.Fatalf("%.600q", got)
	}
	text := string(got[0].mail)
	if !strings.HasPrefix(text, "Authentication-Results: gateway.example; smime=none") || strings.Contains(text, "smime=pass") || strings.Contains(text, "alice") {
		t.Errorf("%q", text)
	}
	for _, want := range []string{"From: mallory@example.com\r\n", "Subject: outside\r\n", "Received: from far away\r\n", "MIME-Version: 1.0\r\n", "Content-Type: text/plain\r\n"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q: %q", want, text)
		}
	}
	if strings.Count(text, "Content-Type") != 1 || strings.Contains(text, "Transfer-Encoding") {
		t.Errorf("%q", text)
	}
}

func TestPValue(t *testing.T) {
	for in, want := range map[string]string{
		"alice@example.com":           "alice@example.com",
		"o'brien+x@example.com":       "o'brien+x@example.com",
		`"a; smime=pass"@example.com`: `"\"a; smime=pass\"@example.com"`,
		`"back\\slash"@example.com`:   `"\"back\\\\slash\"@example.com"`,
		"ünïcode@example.com":         "ünïcode@example.com",
		"a(comment)@example.com":      `"a(comment)@example.com"`,
	} {
		if got := pvalue(in); got != want {
			t.Errorf("%s becomes %s", in, got)
		}
	}
}

// TestManyRecipients relays a message with a 25 MB attachment to 200
// recipients and two blind copies.
func TestManyRecipients(t *testing.T) {
	ca := smimetest.NewCA(t)
	var people []*smime.Identity
	var to []string
	for i := range 200 {
		address := fmt.Sprintf("p%d@example.com", i)
		people, to = append(people, ca.Identity(address)), append(to, address)
	}
	hidden := []*smime.Identity{ca.Identity("hidden1@example.com"), ca.Identity("hidden2@example.com")}
	c := companyOf(t, ca, append(people, hidden...)...)
	mail := large(strings.Join(to, ",\r\n "))
	if err := c.send(t, mail, append(to, "hidden1@example.com", "hidden2@example.com")...); err != nil {
		t.Fatal(err)
	}
	got := c.next.take()
	if len(got) != 3 {
		t.Fatalf("%d messages, want one and two blind copies", len(got))
	}
	readers := map[int][]*smime.Identity{200: {people[0], people[199]}}
	for _, d := range got {
		if bytes.Contains(d.mail, []byte("hidden")) || bytes.Contains(d.mail, []byte("the secret")) {
			t.Error("the message gives something away")
		}
		keys := readers[len(d.to)]
		if len(d.to) == 1 {
			keys = hidden[:1]
			if d.to[0] == "hidden2@example.com" {
				keys = hidden[1:]
			}
		}
		for _, id := range keys {
			var content bytes.Buffer
			_, enc, err := smime.Unseal(t.Context(), &content, bytes.NewReader(d.mail), smime.Identities{id}, ca.Trust(), nil)
			if err != nil {
				t.Fatalf("%v for %v", err, id.Mailboxes())
			}
			if len(enc.Recipients) != len(d.to) || !bytes.Contains(content.Bytes(), []byte("the secret")) {
				t.Errorf("%d recipients of %d", len(enc.Recipients), len(d.to))
			}
		}
	}
}

// large returns a message with an attachment of 25 MB.
func large(to string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n", sender, to)
	b.WriteString("--x\r\nContent-Type: text/plain\r\n\r\nthe secret\r\n--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	line := base64.StdEncoding.EncodeToString(make([]byte, 57)) + "\r\n"
	for n := 0; n < 25_000_000; n += 57 {
		b.WriteString(line)
	}
	b.WriteString("--x--\r\n")
	return b.Bytes()
}

// failing is a directory that can't be asked.
type failing struct{}

func (failing) Find(context.Context, chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) { yield(nil, errors.New("the directory is down")) }
}

// TestNothingInClear holds that what can't be encrypted to everybody is sent to
// nobody.
func TestNothingInClear(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	ca.Revoke(carol)
	c := companyOf(t, ca, bob, carol)
	mail := smimetest.Mail(sender, "bob@example.com, carol@example.com", "the secret")
	for name, tt := range map[string]struct {
		to   []string
		code int
	}{
		"revoked":        {[]string{"bob@example.com", "carol@example.com"}, 550},
		"unknown":        {[]string{"bob@example.com", "dave@example.com"}, 550},
		"hidden unknown": {[]string{"bob@example.com", "nobody@example.com"}, 550},
	} {
		err := c.send(t, mail, tt.to...)
		if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != tt.code {
			t.Errorf("%s: %v", name, err)
		}
		if got := c.next.take(); len(got) > 0 {
			t.Errorf("%s: %d messages were sent", name, len(got))
		}
	}

	c.out.Sender.Trust = ca.Trust().With(chain.Untrusted(failing{}))
	if err := c.send(t, mail, "bob@example.com"); err == nil {
		t.Error("accepted without a directory")
	} else if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != 451 {
		t.Errorf("a failing directory: %v", err)
	}
	if got := c.next.take(); len(got) > 0 {
		t.Errorf("a failing directory: %d messages were sent", len(got))
	}
}

// TestNextHopFails holds that the client keeps a message that the next hop did
// not take.
func TestNextHopFails(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, hidden := ca.Identity("bob@example.com"), ca.Identity("hidden@example.com")
	c := companyOf(t, ca, bob, hidden)
	c.next.refuse = func(to []string) error {
		if to[0] == "hidden@example.com" {
			return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "full"}
		}
		return nil
	}
	err := c.send(t, smimetest.Mail(sender, "bob@example.com", "hello"), "bob@example.com", "hidden@example.com")
	if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != 451 {
		t.Errorf("%v", err)
	}
	if got := c.next.take(); len(got) != 1 || got[0].to[0] != "bob@example.com" {
		t.Errorf("%d messages were delivered", len(got))
	}
	// The client tries again, as it was told to, and nobody is left out.
	c.next.mu.Lock()
	c.next.refuse = nil
	c.next.mu.Unlock()
	if err := c.send(t, smimetest.Mail(sender, "bob@example.com", "hello"), "bob@example.com", "hidden@example.com"); err != nil {
		t.Error(err)
	}
	if got := c.next.take(); len(got) != 2 || got[1].to[0] != "hidden@example.com" {
		t.Errorf("%d messages were delivered", len(got))
	}
}

// TestNextHopRefusesIncoming holds that an answer that is final is passed on.
func TestNextHopRefusesIncoming(t *testing.T) {
	ca := smimetest.NewCA(t)
	store := newSink(t)
	addr := inboundOf(t, ca, store)
	for code, want := range map[int]int{550: 550, 452: 451} {
		store.mu.Lock()
		store.refuse = func([]string) error {
			return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 1, 1}, Message: "no"}
		}
		store.mu.Unlock()
		client, err := smtp.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		err = client.SendMail(sender, []string{"bob@example.com"}, bytes.NewReader(smimetest.Mail(sender, "bob@example.com", "hi")))
		if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != want {
			t.Errorf("%d becomes %v", code, err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSplit: nobody is taken for an open recipient whom the header does not
// name, and no name in it keeps the message from being sent.
func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		header       string
		to           string
		open, hidden string
	}{
		{"To: bob@example.com\r\nCc: Carol <carol@example.com>", "bob@example.com carol@example.com x@example.com", "bob@example.com carol@example.com", "x@example.com"},
		{"To: BOB@Example.com", "bob@example.com", "bob@example.com", ""},
		{"To: undisclosed-recipients:;", "bob@example.com", "", "bob@example.com"},
		{"To: Team: bob@example.com, carol@example.com;", "bob@example.com x@example.com", "bob@example.com", "x@example.com"},
		{"To: =?iso-2022-jp?B?GyRCRnxLXBsoQg==?= <bob@example.com>", "bob@example.com", "bob@example.com", ""},
		{"To: \xe4 <bob@example.com>", "bob@example.com", "", "bob@example.com"},
		{"To: Muster, Hans <bob@example.com>\r\nCc: carol@example.com", "bob@example.com carol@example.com", "carol@example.com", "bob@example.com"},
		{"Subject: x", "bob@example.com", "", "bob@example.com"},
		{"Bcc: bob@example.com", "bob@example.com", "", "bob@example.com"},
	} {
		open, hidden, err := split(strings.NewReader(tt.header+"\r\n\r\nx\r\n"), strings.Fields(tt.to))
		if err != nil || strings.Join(open, " ") != tt.open || strings.Join(hidden, " ") != tt.hidden {
			t.Errorf("%q: open %q, hidden %q, %v", tt.header, open, hidden, err)
		}
	}
}
