package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/emersion/go-message/mail"
	"github.com/emersion/go-message/textproto"
	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
)

// An Outbound gateway signs and encrypts what it relays, as an
// exchange.Sender's settings ask. It accepts a message only when every
// delivery was accepted by the next hop: a client that is told otherwise still
// has the message. After a failure of some deliveries only, a second try
// delivers to the others again: twice is better than never.
type Outbound struct {
	Sender *exchange.Sender
	Next   string // host:port of the next hop
}

// NewSession implements smtp.Backend.
func (o *Outbound) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{handle: o.relay}, nil
}

// A session collects one envelope and hands it to a gateway.
type session struct {
	from   string
	to     []string
	handle func(ctx context.Context, from string, to []string, r io.Reader) error
}

func (s *session) Reset()        { s.from, s.to = "", nil }
func (s *session) Logout() error { return nil }

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = append(s.to, to)
	return nil
}

func (s *session) Data(r io.Reader) error {
	err := s.handle(context.Background(), s.from, s.to, r)
	if f, ok := errors.AsType[*failure](err); ok {
		slog.Warn("not relayed", "from", s.from, "answer", f.answer.Code, "reason", err)
		return &f.answer
	}
	return err
}

func (o *Outbound) relay(ctx context.Context, from string, rcpts []string, r io.Reader) (err error) {
	// A message may be large, and is read more than once.
	f, err := spool(r)
	if err != nil {
		return temporary("the message can't be stored", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	open, hidden, err := split(f, rcpts)
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the header can't be read", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return temporary("the message can't be read", err)
	}
	err = o.Sender.Send(ctx, exchange.Outgoing{Message: f, To: people(open), BCC: people(hidden)},
		func(ctx context.Context, to []string, message io.Reader) error {
			return deliver(ctx, o.Next, from, to, message)
		})
	return reply(err)
}

// spool copies a message to a file that has no name any more.
func spool(r io.Reader) (*os.File, error) {
	f, err := os.CreateTemp("", "outbound")
	if err != nil {
		return nil, err
	}
	err = os.Remove(f.Name())
	if err == nil {
		_, err = io.Copy(f, r)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// split tells blind copies from the recipients that the header names.
func split(r io.Reader, rcpts []string) (open, hidden []string, err error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	var named []string
	for _, field := range []string{"To", "Cc"} {
		list, err := h.AddressList(field)
		if err != nil {
			return nil, nil, err
		}
		for _, a := range list {
			named = append(named, strings.ToLower(a.Address))
		}
	}
	for _, r := range rcpts {
		if slices.Contains(named, strings.ToLower(r)) {
			open = append(open, r)
		} else {
			hidden = append(hidden, r)
		}
	}
	return open, hidden, nil
}

func people(mailboxes []string) []exchange.Person {
	var list []exchange.Person
	for _, m := range mailboxes {
		list = append(list, exchange.Person{Mailbox: m})
	}
	return list
}

// deliver relays one message. If it can't be made to its end the connection is
// dropped before the final dot, so that the next hop discards it.
func deliver(ctx context.Context, next, from string, to []string, message io.Reader) error {
	c, err := smtp.Dial(next)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { c.Close() })
	defer stop()
	if err := c.Mail(from, mailOptions(c, append([]string{from}, to...))); err != nil {
		return errors.Join(err, c.Close())
	}
	for _, r := range to {
		if err := c.Rcpt(r, nil); err != nil {
			return errors.Join(err, c.Close())
		}
	}
	w, err := c.Data()
	if err != nil {
		return errors.Join(err, c.Close())
	}
	if _, err := io.Copy(w, message); err != nil {
		return errors.Join(err, c.Close())
	}
	if err := w.Close(); err != nil {
		return errors.Join(err, c.Close())
	}
	// It was accepted; what comes after can't change that.
	if err := c.Quit(); err != nil {
		slog.Debug("quit", "reason", err)
	}
	return nil
}

// mailOptions asks for what the message may need, where the next hop has it.
func mailOptions(c *smtp.Client, addresses []string) *smtp.MailOptions {
	o := &smtp.MailOptions{}
	if ok, _ := c.Extension("8BITMIME"); ok {
		o.Body = smtp.Body8BitMIME
	}
	if ok, _ := c.Extension("SMTPUTF8"); ok {
		o.UTF8 = slices.ContainsFunc(addresses, func(a string) bool {
			return strings.IndexFunc(a, func(r rune) bool { return r > 127 }) >= 0
		})
	}
	return o
}

// reply turns an error into what SMTP says of it: permanent if the sender must
// do something, temporary if time may help.
func reply(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*exchange.DeliveryError](err); ok || errors.Is(err, chain.ErrSource) || errors.Is(err, chain.ErrRevocationUnknown) {
		return temporary("try again later", err)
	}
	if failed, ok := errors.AsType[smime.RecipientErrors](err); ok {
		var who []string
		for _, e := range failed[:min(len(failed), 10)] {
			who = append(who, e.Mailbox)
		}
		return permanent(smtp.EnhancedCode{5, 7, 5}, "no usable certificate for "+strings.Join(who, ", "), err)
	}
	return permanent(smtp.EnhancedCode{5, 7, 0}, "the message can't be protected", err)
}

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

// maxHeader bounds a header section.
const maxHeader = 1 << 20

func readHeader(r io.Reader) (mail.Header, error) {
	var head bytes.Buffer
	if _, err := io.CopyN(&head, r, maxHeader); err != nil && !errors.Is(err, io.EOF) {
		return mail.Header{}, err
	}
	h, err := textproto.ReadHeader(newReader(&head))
	if err != nil {
		return mail.Header{}, err
	}
	var m mail.Header
	m.Header.Header = h
	return m, nil
}
