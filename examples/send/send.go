// Package send shows how signed and encrypted mail goes out by the packages that
// Go programs send mail with. Each function takes what smime.Sign or smime.Seal
// wrote and hands it on octet by octet: a library that parses and composes a
// message anew breaks its signature.
package send

import (
	"bytes"
	"context"
	"fmt"
	"net/smtp"

	gosmtp "github.com/emersion/go-smtp"
	"github.com/wneessen/go-mail"

	"github.com/gosmime/gosmime/smime"
)

// ByNetSMTP sends a finished message with net/smtp.
func ByNetSMTP(server, from string, to []string, message []byte) error {
	return smtp.SendMail(server, nil, from, to, message)
}

// ByGoSMTP sends a finished message with emersion/go-smtp, through a client that
// gosmtp.DialStartTLS made.
func ByGoSMTP(c *gosmtp.Client, from string, to []string, message []byte) error {
	return c.SendMail(from, to, bytes.NewReader(message))
}

// FromGoMail signs a message that was composed with wneessen/go-mail. The result
// goes out by one of the functions above: go-mail's own client composes what it
// sends anew.
func FromGoMail(ctx context.Context, m *mail.Msg, id *smime.Identity) ([]byte, error) {
	var composed, signed bytes.Buffer
	if _, err := m.WriteTo(&composed); err != nil {
		return nil, fmt.Errorf("composing: %w", err)
	}
	if err := smime.Sign(ctx, &signed, &composed, id, nil); err != nil {
		return nil, err
	}
	return signed.Bytes(), nil
}
