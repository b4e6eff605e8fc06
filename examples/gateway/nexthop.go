package main

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/emersion/go-smtp"
)

// dialTimeout bounds a connection to the next hop. What comes after is bounded
// by the time-outs of the client, which are those of RFC 5321 section 4.5.3.2.
const dialTimeout = 30 * time.Second

// deliver relays one message. If it can't be made to its end the connection is
// dropped before the final dot, so that the next hop discards it.
func deliver(ctx context.Context, next string, e *envelope, to []string, message io.Reader) error {
	dialer := net.Dialer{Timeout: dialTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", next)
	if err != nil {
		return err
	}
	// The connection, not the client: that waits for the greeting.
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	c := smtp.NewClient(conn)
	if err := transmit(c, e, to, message); err != nil {
		return errors.Join(err, c.Close())
	}
	// It was accepted; what comes after can't change that.
	if err := c.Quit(); err != nil {
		slog.Debug("quit", "reason", err)
	}
	return nil
}

func transmit(c *smtp.Client, e *envelope, to []string, message io.Reader) error {
	if err := c.Hello(e.name); err != nil {
		return err
	}
	if ok, _ := c.Extension("8BITMIME"); !ok {
		message = &sevenBit{message}
	}
	utf8 := e.utf8 || !ascii(e.from) || slices.ContainsFunc(to, func(a string) bool { return !ascii(a) })
	if ok, _ := c.Extension("SMTPUTF8"); utf8 && !ok {
		// RFC 6531 section 3.2: it must be bounced.
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 6, 7}, Message: "the next hop does not take internationalised mail"}
	}
	if err := c.Mail(e.from, &smtp.MailOptions{UTF8: utf8}); err != nil {
		return err
	}
	for _, r := range to {
		if err := c.Rcpt(r, nil); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, message); err != nil {
		return err
	}
	return w.Close()
}

// A sevenBit reader ends with an error before it yields an octet that a hop
// without 8BITMIME need not take (RFC 6152 section 3).
type sevenBit struct{ r io.Reader }

func (s *sevenBit) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if at := slices.IndexFunc(p[:n], func(b byte) bool { return b > 127 }); at >= 0 {
		return at, &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 3}, Message: "the next hop does not take 8-bit mail"}
	}
	return n, err
}

// refusal returns the final answer in the error of a delivery, or nil.
func refusal(err error) *failure {
	if e, ok := errors.AsType[*smtp.SMTPError](err); ok && !e.Temporary() {
		return &failure{*e, err}
	}
	return nil
}
