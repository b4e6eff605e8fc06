package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"net/mail"
	"os"
	"slices"
	"strings"

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
// delivers to the others again: twice is better than never. Where an answer of
// the next hop is final the client is told so, that it does not try on and on.
type Outbound struct {
	Sender *exchange.Sender
	Name   string // of this gateway
	Next   string // host:port of the next hop
}

// NewSession implements smtp.Backend.
func (o *Outbound) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return newSession(c, o.Name, o.relay), nil
}

func (o *Outbound) relay(ctx context.Context, e *envelope, f *os.File) error {
	open, hidden, err := split(f, e.to)
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the header can't be read", err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return temporary("the message can't be read", err)
	}
	return reply(o.Sender.Send(ctx, exchange.Outgoing{Message: f, To: people(open), BCC: people(hidden)},
		func(ctx context.Context, to []string, message io.Reader) error {
			return deliver(ctx, o.Next, e, to, message)
		}))
}

// split tells blind copies from the recipients that the header names. Who is
// named in a way that can't be read counts as a blind copy, and gets a message
// of his own.
func split(r io.Reader, rcpts []string) (open, hidden []string, err error) {
	h, err := readHeader(r)
	if err != nil {
		return nil, nil, err
	}
	// The names don't matter, so that their charset need not be known.
	parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{
		CharsetReader: func(_ string, r io.Reader) (io.Reader, error) { return r, nil },
	}}
	var named []string
	for _, field := range []string{"To", "Cc"} {
		list, err := parser.ParseList(h.Get(field))
		if err != nil {
			continue
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

// reply turns an error into what SMTP says of it: permanent if the sender must
// do something, temporary if time may help.
func reply(err error) error {
	if err == nil {
		return nil
	}
	deliveries := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		deliveries = joined.Unwrap()
	}
	for _, d := range deliveries {
		if f := refusal(d); f != nil {
			return f
		}
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

// maxHeader bounds a header section.
const maxHeader = 1 << 20

func readHeader(r io.Reader) (textproto.Header, error) {
	var head bytes.Buffer
	if _, err := io.CopyN(&head, r, maxHeader); err != nil && !errors.Is(err, io.EOF) {
		return textproto.Header{}, err
	}
	return textproto.ReadHeader(newReader(&head))
}
