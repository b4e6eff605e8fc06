package send

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A mailServer keeps what it receives.
type mailServer struct{ received chan []byte }

func (s *mailServer) NewSession(*gosmtp.Conn) (gosmtp.Session, error) { return s, nil }
func (s *mailServer) Mail(string, *gosmtp.MailOptions) error          { return nil }
func (s *mailServer) Rcpt(string, *gosmtp.RcptOptions) error          { return nil }
func (s *mailServer) Reset()                                          {}
func (s *mailServer) Logout() error                                   { return nil }
func (s *mailServer) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	s.received <- b
	return err
}

// start returns a server on the loopback interface and its address.
func start(t testing.TB) (*mailServer, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &mailServer{make(chan []byte, 1)}
	server := gosmtp.NewServer(s)
	server.Domain = "localhost"
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
		<-done // that it was closed
	})
	return s, l.Addr().String()
}

// Lines that SMTP treats in a special way, long lines and other alphabets all
// arrive as they were signed.
func TestSignatureSurvives(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	text := ".\r\n..two dots\r\nFrom the start\r\ntrailing blanks  \r\n\r\n" + strings.Repeat("long ", 400) + "\r\nGrüße\r\n"
	plain := []byte("From: alice@example.com\r\nTo: bob@example.com\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n" + text)
	var signed, sealed bytes.Buffer
	if err := smime.Sign(t.Context(), &signed, bytes.NewReader(plain), alice, nil); err != nil {
		t.Fatal(err)
	}
	if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(plain), alice, []*smime.Recipient{ca.Recipient(bob)}, nil); err != nil {
		t.Fatal(err)
	}
	m := mail.NewMsg()
	if err := m.From("alice@example.com"); err != nil {
		t.Fatal(err)
	}
	if err := m.To("bob@example.com"); err != nil {
		t.Fatal(err)
	}
	m.Subject("Grüße")
	m.SetBodyString(mail.TypeTextPlain, text)
	m.AddAlternativeString(mail.TypeTextHTML, "<p>"+text)
	if err := m.AttachReader("data.bin", bytes.NewReader(bytes.Repeat([]byte{0, 1, 2, 255}, 500))); err != nil {
		t.Fatal(err)
	}
	composed, err := FromGoMail(t.Context(), m, alice)
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]func(string, string, []string, []byte) error{"net/smtp": ByNetSMTP, "go-smtp": func(server, from string, to []string, message []byte) error {
		c, err := gosmtp.Dial(server)
		if err != nil {
			return err
		}
		defer c.Close()
		return ByGoSMTP(c, from, to, message)
	}}
	for name, message := range map[string][]byte{"signed": signed.Bytes(), "sealed": sealed.Bytes(), "composed with go-mail": composed} {
		for way, send := range ways {
			t.Run(name+" by "+way, func(t *testing.T) {
				server, address := start(t)
				if err := send(address, "alice@example.com", []string{"bob@example.com"}, message); err != nil {
					t.Fatal(err)
				}
				got := <-server.received
				msg, err := smime.Open(t.Context(), bytes.NewReader(got), &smime.OpenOptions{Trust: ca.Trust(), Keys: smime.Identities{bob}})
				if err != nil {
					t.Fatal(err)
				}
				defer msg.Close()
				if signature, _ := msg.Assess(); signature.Code != smime.AssessSigned {
					t.Errorf("%v\n%v", signature, msg)
				}
			})
		}
	}
}

func ExampleFromGoMail() {
	ca := smimetest.NewCA(quiet{})
	m := mail.NewMsg()
	if err := m.From("alice@example.com"); err != nil {
		fmt.Println(err)
		return
	}
	if err := m.To("bob@example.com"); err != nil {
		fmt.Println(err)
		return
	}
	m.Subject("Lunch")
	m.SetBodyString(mail.TypeTextPlain, "At noon?")
	signed, err := FromGoMail(context.Background(), m, ca.Identity("alice@example.com"))
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(signed), ca.Trust(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("signed by", signer.Mailbox())
	// Output: signed by alice@example.com
}

// quiet lets an Example use smimetest.
type quiet struct{ testing.TB }

func (quiet) Helper()                   {}
func (quiet) Fatal(args ...any)         { panic(fmt.Sprint(args...)) }
func (quiet) Fatalf(f string, a ...any) { panic(fmt.Sprintf(f, a...)) }
