package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A plainHop is a next hop with no extension but those that it is given.
type plainHop struct {
	addr       string
	extensions []string
	dies       int // closes the connection in place of its answer to that many messages

	mu  sync.Mutex
	got []string // messages, as they came
}

func newPlainHop(t *testing.T, dies int, extensions ...string) *plainHop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	h := &plainHop{addr: l.Addr().String(), extensions: extensions, dies: dies}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			h.serve(c)
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return h
}

func (h *plainHop) serve(c net.Conn) {
	defer c.Close()
	text := textproto.NewConn(c)
	say := func(format string, args ...any) { _ = text.PrintfLine(format, args...) } // the next read fails
	say("220 plain")
	for {
		line, err := text.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(line, " "); verb {
		case "EHLO":
			say("250-plain")
			for _, x := range h.extensions {
				say("250-%s", x)
			}
			say("250 HELP")
		case "DATA":
			say("354 go on")
			mail, err := text.ReadDotBytes()
			if err != nil || h.take(string(mail)) {
				return
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// take keeps a message and says whether to die before the answer.
func (h *plainHop) take(mail string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.got = append(h.got, mail)
	h.dies--
	return h.dies >= 0
}

func answer(t *testing.T, err error, code int, enhanced smtp.EnhancedCode) {
	t.Helper()
	if e, ok := errors.AsType[*smtp.SMTPError](err); !ok || e.Code != code || e.EnhancedCode != enhanced {
		t.Errorf("%v, want %d %v", err, code, enhanced)
	}
}

// TestTooLarge holds that a message over the limit, of which the client did not
// say so before, is refused for good, and the next one is taken.
func TestTooLarge(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	store := newSink(t)
	in := &Inbound{Trust: ca.Trust(), Name: "gateway.example", Next: store.addr}
	for name, tt := range map[string]struct {
		b    smtp.Backend
		next *sink
	}{"outbound": {c.out, c.next}, "inbound": {in, store}} {
		addr := listenWith(t, tt.b, func(s *smtp.Server) { s.MaxMessageBytes = 10_000 })
		client, err := smtp.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		send := func(mail []byte) error {
			return client.SendMail(sender, []string{"bob@example.com"}, bytes.NewReader(mail))
		}
		answer(t, send(smimetest.Mail(sender, "bob@example.com", strings.Repeat("0123456789\r\n", 1000))), 552, smtp.EnhancedCode{5, 3, 4})
		if got := tt.next.take(); len(got) > 0 {
			t.Errorf("%s: %d messages were sent", name, len(got))
		}
		if err := send(smimetest.Mail(sender, "bob@example.com", "small")); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := tt.next.take(); len(got) != 1 {
			t.Errorf("%s: %d messages were sent", name, len(got))
		}
	}
}

// A watched backend tells when a message was dealt with.
type watched struct {
	smtp.Backend
	done chan error
}

func (w *watched) NewSession(c *smtp.Conn) (smtp.Session, error) {
	s, err := w.Backend.NewSession(c)
	return &watchedSession{s, w.done}, err
}

type watchedSession struct {
	smtp.Session
	done chan error
}

func (s *watchedSession) Data(r io.Reader) error {
	err := s.Session.Data(r)
	s.done <- err
	return err
}

// A step is what a client writes at once, and how many answers it then reads.
type step struct {
	lines   []string
	answers int
}

// dialogue is that of a client; it returns the codes of the answers.
func dialogue(t *testing.T, addr string, steps ...step) (net.Conn, string) {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	r := textproto.NewReader(bufio.NewReader(conn))
	var codes []string
	for _, s := range append([]step{{nil, 1}}, steps...) {
		if _, err := io.WriteString(conn, strings.Join(append(s.lines, ""), "\r\n")); err != nil {
			t.Fatal(err)
		}
		for range s.answers {
			code, _, err := r.ReadResponse(0)
			if err != nil {
				t.Fatal(err)
			}
			codes = append(codes, fmt.Sprint(code))
		}
	}
	return conn, strings.Join(codes, " ")
}

// TestKilledClient holds that a message whose client dies is relayed to nobody,
// not even the part that came.
func TestKilledClient(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	w := &watched{c.out, make(chan error, 1)}
	conn, _ := dialogue(t, listen(t, w), step{[]string{"EHLO client"}, 1}, step{[]string{"MAIL FROM:<" + sender + ">", "RCPT TO:<bob@example.com>", "DATA"}, 3})
	if _, err := io.WriteString(conn, "From: "+sender+"\r\nTo: bob@example.com\r\n\r\nthe first half\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-w.done; err == nil {
		t.Error("half a message was taken")
	}
	if got := c.next.take(); len(got) > 0 {
		t.Errorf("%d messages were sent", len(got))
	}
}

// TestKilledNextHop holds that the client keeps a message of which nobody said
// that it was taken, and sends it again.
func TestKilledNextHop(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	hop := newPlainHop(t, 1)
	c.out.Next = hop.addr
	mail := smimetest.Mail(sender, "bob@example.com", "hello")
	answer(t, c.send(t, mail, "bob@example.com"), 451, smtp.EnhancedCode{4, 7, 0})
	if err := c.send(t, mail, "bob@example.com"); err != nil {
		t.Error(err)
	}
	c.out.Next = "127.0.0.1:1"
	answer(t, c.send(t, mail, "bob@example.com"), 451, smtp.EnhancedCode{4, 7, 0})
	hop.mu.Lock()
	defer hop.mu.Unlock()
	if len(hop.got) != 2 || strings.Contains(strings.Join(hop.got, ""), "hello") {
		t.Errorf("%q", hop.got)
	}
}

// TestPipelining sends two messages with commands in groups (RFC 2920), the
// second with another recipient.
func TestPipelining(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob, carol := ca.Identity("bob@example.com"), ca.Identity("carol@example.com")
	c := companyOf(t, ca, bob, carol)
	first := []string{"MAIL FROM:<" + sender + ">", "RCPT TO:<bob@example.com>", "RCPT TO:<bob@example.com>", "DATA"}
	second := []string{"MAIL FROM:<" + sender + ">", "RCPT TO:<carol@example.com>", "DATA"}
	message := func(to string, then ...string) []string {
		return append([]string{"From: " + sender, "To: " + to, "", "for " + to, "..dots", "."}, then...)
	}
	conn, codes := dialogue(t, c.addr, step{[]string{"EHLO client"}, 1}, step{first, 4}, step{message("bob@example.com", second...), 4}, step{message("carol@example.com", "QUIT"), 2})
	if want := "220 250 250 250 250 354 250 250 250 354 250 221"; codes != want {
		t.Errorf("answers %s, want %s", codes, want)
	}
	if err := conn.Close(); err != nil {
		t.Error(err)
	}
	got := c.next.take()
	if len(got) != 2 {
		t.Fatalf("%d messages were sent", len(got))
	}
	for i, id := range []*smime.Identity{bob, carol} {
		var content bytes.Buffer
		if _, _, err := smime.Unseal(t.Context(), &content, bytes.NewReader(got[i].mail), smime.Identities{id}, ca.Trust(), nil); err != nil {
			t.Errorf("message %d: %v", i, err)
		}
		if text := "for " + id.Mailboxes()[0] + "\r\n.dots\r\n"; !strings.HasSuffix(content.String(), text) || len(got[i].to) != 1 || got[i].to[0] != id.Mailboxes()[0] {
			t.Errorf("message %d to %q: %q", i, got[i].to, content.String())
		}
	}
}

// TestSMTPUTF8 holds that mail that needs the extension goes to a next hop that
// has it, and to no other.
func TestSMTPUTF8(t *testing.T) {
	ca := smimetest.NewCA(t)
	const jurgen = "jürgen@example.com"
	c := companyOf(t, ca, ca.Identity(jurgen), ca.Identity("bob@example.com"))
	wide := "From: " + sender + "\r\nTo: bob@example.com\r\nSubject: Grüße\r\n\r\nhello\r\n"
	for _, tt := range []struct {
		name, to, mail string
		asked, needs   bool
	}{
		{"address", jurgen, "From: " + sender + "\r\nTo: " + jurgen + "\r\nSubject: x\r\n\r\nhello\r\n", true, true},
		{"header", "bob@example.com", wide, true, true},
		{"header of which nobody said so", "bob@example.com", wide, false, false},
		{"nothing", "bob@example.com", "From: " + sender + "\r\nTo: bob@example.com\r\nSubject: x\r\n\r\nhello\r\n", true, false},
	} {
		send := func() error {
			client, err := smtp.Dial(c.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if err := client.Mail(sender, &smtp.MailOptions{UTF8: tt.asked}); err != nil {
				return err
			}
			if err := client.Rcpt(tt.to, nil); err != nil {
				return err
			}
			w, err := client.Data()
			if err != nil {
				return err
			}
			if _, err := io.WriteString(w, tt.mail); err != nil {
				return err
			}
			return w.Close()
		}
		c.out.Next = c.next.addr
		if err := send(); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got := c.next.take(); len(got) != 1 || (got[0].param == "SMTPUTF8") != tt.needs || got[0].to[0] != tt.to {
			t.Errorf("%s: %d messages were sent", tt.name, len(got))
		}
		hop := newPlainHop(t, 0, "8BITMIME")
		c.out.Next = hop.addr
		if err := send(); tt.needs {
			answer(t, err, 550, smtp.EnhancedCode{5, 6, 7})
		} else if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		hop.mu.Lock()
		if (len(hop.got) == 0) != tt.needs {
			t.Errorf("%s: %d messages were sent to a hop without the extension", tt.name, len(hop.got))
		}
		hop.mu.Unlock()
	}
}

// TestEightBits holds that 8-bit mail goes to a hop that takes it, and that
// protected mail, which is 7-bit whatever it was, goes to any.
func TestEightBits(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	mail := []byte("From: " + sender + "\r\nTo: bob@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nGrüße\r\n")
	for _, protect := range []bool{false, true} {
		cfg := exchange.DefaultConfig()
		cfg.AlwaysSign, cfg.AlwaysEncrypt = protect, false
		c.out.Sender.Config = &cfg
		eight, seven := newPlainHop(t, 0, "8BITMIME"), newPlainHop(t, 0)
		c.out.Next = eight.addr
		if err := c.send(t, mail, "bob@example.com"); err != nil {
			t.Error(err)
		}
		c.out.Next = seven.addr
		if err := c.send(t, mail, "bob@example.com"); !protect {
			answer(t, err, 554, smtp.EnhancedCode{5, 6, 3})
		} else if err != nil {
			t.Error(err)
		}
		for _, h := range []*plainHop{eight, seven} {
			h.mu.Lock()
			if want := h == eight || protect; (len(h.got) == 1) != want || protect && strings.Contains(h.got[0], "ü") {
				t.Errorf("protected %v, %v: %q", protect, h.extensions, h.got)
			}
			h.mu.Unlock()
		}
	}
}

// TestFinalRefusal holds that a client does not try on and on, each time with
// one more copy for everybody else, when one recipient is refused for good.
func TestFinalRefusal(t *testing.T) {
	ca := smimetest.NewCA(t)
	c := companyOf(t, ca, ca.Identity("bob@example.com"), ca.Identity("hidden@example.com"), ca.Identity("full@example.com"))
	c.next.refuse = func(to []string) error {
		switch to[0] {
		case "full@example.com":
			return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 2, 2}, Message: "full"}
		case "hidden@example.com":
			return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
		}
		return nil
	}
	mail := smimetest.Mail(sender, "bob@example.com", "hello")
	answer(t, c.send(t, mail, "bob@example.com", "full@example.com", "hidden@example.com"), 550, smtp.EnhancedCode{5, 1, 1})
	answer(t, c.send(t, mail, "bob@example.com", "full@example.com"), 451, smtp.EnhancedCode{4, 7, 0})
}

// TestTrace holds that each hop leaves its trace, and that mail that goes round
// in circles is stopped.
func TestTrace(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	c := companyOf(t, ca, bob)
	store := newSink(t)
	inbound := inboundOf(t, ca, store, bob)
	send := func(addr string, mail []byte) error {
		client, err := smtp.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		if err := client.Hello("evil\x01;(name"); err != nil {
			return err
		}
		return client.SendMail(sender, []string{"bob@example.com"}, bytes.NewReader(mail))
	}
	trace := func(n int) []byte {
		return append([]byte(strings.Repeat("Received: from a\r\n by b; Wed, 02 Jan 2030 03:04:05 +0000\r\n", n)), smimetest.Mail(sender, "bob@example.com", "hello")...)
	}
	for addr, next := range map[string]*sink{c.addr: c.next, inbound: store} {
		if err := send(addr, trace(2)); err != nil {
			t.Fatal(err)
		}
		got := next.take()
		if len(got) != 1 || strings.Count(string(got[0].mail), "\r\nReceived: ")+strings.Count(string(got[0].mail[:10]), "Received: ") != 3 ||
			!strings.Contains(string(got[0].mail), "Received: from evil???name ([127.0.0.1])\r\n by ") {
			t.Errorf("%.600q", got)
		}
		answer(t, send(addr, trace(maxHops)), 550, smtp.EnhancedCode{5, 4, 6})
		if got := next.take(); len(got) > 0 {
			t.Error("it goes on")
		}
	}
}

// TestResultsOfOthers holds that what another host found out stays, and what
// somebody claims that we did goes, in every spelling.
func TestResultsOfOthers(t *testing.T) {
	ca := smimetest.NewCA(t)
	store := newSink(t)
	addr := inboundOf(t, ca, store)
	const others = "Authentication-Results: mx.example; dkim=pass header.d=example.com\r\n"
	for _, forged := range []string{
		`Authentication-Results: "gateway.example"; smime=pass`,
		`Authentication-Results: "gate\way\.example"; smime=pass`,
		"Authentication-Results:\r\n\t(\r\n x) gateway.example 1; smime=pass",
	} {
		client, err := smtp.Dial(addr)
		if err != nil {
			t.Fatal(err)
		}
		mail := others + forged + "\r\n" + string(smimetest.Mail(sender, "bob@example.com", "hi"))
		if err := client.SendMail(sender, []string{"bob@example.com"}, strings.NewReader(mail)); err != nil {
			t.Error(err)
		}
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		got := store.take()
		if len(got) != 1 || strings.Contains(string(got[0].mail), "smime=pass") || strings.Count(string(got[0].mail), others) != 1 ||
			!strings.HasPrefix(string(got[0].mail), "Authentication-Results: gateway.example; smime=none") {
			t.Errorf("%q: %.400q", forged, got)
		}
	}
}

// TestSilentNextHop relays to a server that accepts and never greets.
func TestSilentNextHop(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, cancel)
	err = deliver(ctx, l.Addr().String(), &envelope{name: "gateway.example", from: sender}, []string{"bob@example.com"}, strings.NewReader("Subject: a\r\n\r\n"))
	if err == nil || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
}
