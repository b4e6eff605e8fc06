package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/emersion/go-smtp"
)

// An envelope is what SMTP says of a message, beside the message.
type envelope struct {
	from string
	to   []string
	utf8 bool   // the header needs SMTPUTF8
	name string // of the gateway
}

// A session collects one envelope and hands it to a gateway.
type session struct {
	envelope
	client string // who it is, for the trace field
	handle func(ctx context.Context, e *envelope, f *os.File) error
}

func newSession(c *smtp.Conn, name string, handle func(context.Context, *envelope, *os.File) error) *session {
	if name == "" {
		name = "localhost"
	}
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		host = "unknown"
	} else if strings.Contains(host, ":") {
		host = "IPv6:" + host // RFC 5321 section 4.1.3
	}
	return &session{envelope: envelope{name: name}, client: printable(c.Hostname()) + " ([" + host + "])", handle: handle}
}

func (s *session) Reset()        { s.envelope = envelope{name: s.name} }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, o *smtp.MailOptions) error {
	s.from, s.utf8 = from, o != nil && o.UTF8
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if !slices.Contains(s.to, to) {
		s.to = append(s.to, to)
	}
	return nil
}

func (s *session) Data(r io.Reader) error {
	err := s.data(context.Background(), r)
	if f, ok := errors.AsType[*failure](err); ok {
		slog.Warn("not relayed", "from", s.from, "answer", f.answer.Code, "reason", err)
		return &f.answer
	}
	return err
}

func (s *session) data(ctx context.Context, r io.Reader) error {
	f, err := spool(io.MultiReader(strings.NewReader(s.trace(time.Now())), r))
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok {
		return &failure{*e, err} // too large
	}
	if err != nil {
		return temporary("the message can't be stored", err)
	}
	defer discard(f)
	n, wide, err := scan(f)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return temporary("the message can't be read", err)
	}
	if n > maxHops {
		return permanent(smtp.EnhancedCode{5, 4, 6}, "the message goes round in circles", errors.New("too many Received fields"))
	}
	s.utf8 = s.utf8 && wide // else any hop may have it
	return s.handle(ctx, &s.envelope, f)
}

// trace returns the trace field of this hop (RFC 5321 section 4.4).
func (s *session) trace(now time.Time) string {
	protocol := "ESMTP"
	if s.utf8 {
		protocol = "UTF8SMTP" // RFC 6531 section 4.3
	}
	return fmt.Sprintf("Received: from %s\r\n by %s with %s; %s\r\n", s.client, s.name, protocol, now.Format(time.RFC1123Z))
}

// printable returns what a client calls itself as it can stand in a field.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-.:[]", r) {
			return r
		}
		return '?'
	}, s[:min(len(s), 255)])
}

// spool copies a message, which may be large and is read more than once, to a
// file that loses its name at once where the system can do that.
func spool(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "gateway")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name()) // else discard does it
	_, err = io.Copy(f, r)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		discard(f)
		return nil, err
	}
	return f, nil
}

// discard closes a spooled message and removes what is left of it.
func discard(f *os.File) {
	err := f.Close()
	if gone := os.Remove(f.Name()); gone != nil && !errors.Is(gone, os.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	if err != nil {
		slog.Warn("spool", "reason", err)
	}
}

// maxHops is how many hosts a message may pass (RFC 5321 section 6.3).
const maxHops = 100

// scan counts the trace fields of a message and says whether its header is more
// than ASCII.
func scan(r io.Reader) (hops int, wide bool, err error) {
	lines := bufio.NewReader(io.LimitReader(r, maxHeader))
	for begins := true; ; {
		line, err := lines.ReadSlice('\n')
		text := strings.TrimRight(string(line), "\r\n")
		if begins && text == "" {
			return hops, wide, nil
		}
		name, _, _ := strings.Cut(text, ":")
		if begins && strings.EqualFold(strings.TrimRight(name, " \t"), "Received") {
			hops++
		}
		wide = wide || !ascii(text)
		begins = err == nil // else the line goes on
		switch {
		case errors.Is(err, io.EOF):
			return hops, wide, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return 0, false, err
		}
	}
}

func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

func temporary(text string, err error) error {
	return &failure{smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: text}, err}
}

func permanent(code smtp.EnhancedCode, text string, err error) error {
	return &failure{smtp.SMTPError{Code: 550, EnhancedCode: code, Message: text}, err}
}

// A failure is an answer to the client with its cause.
type failure struct {
	answer smtp.SMTPError
	cause  error
}

func (f *failure) Error() string { return f.answer.Message + ": " + f.cause.Error() }

// Unwrap returns the answer and the cause.
func (f *failure) Unwrap() []error { return []error{&f.answer, f.cause} }
