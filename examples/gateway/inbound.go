package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

// An Inbound gateway opens what comes in and says in an Authentication-Results
// field (RFC 8601, RFC 7281) what it found. What was encrypted goes on in
// clear, for the mail store behind it; what can't be opened goes on as it came.
type Inbound struct {
	Trust *chain.Collection
	Keys  smime.Keyring
	Chain chain.Options
	Name  string // of this gateway, the authserv-id
	Next  string // host:port of the next hop
}

// NewSession implements smtp.Backend.
func (g *Inbound) NewSession(*smtp.Conn) (smtp.Session, error) {
	return &session{handle: g.relay}, nil
}

func (g *Inbound) relay(ctx context.Context, from string, to []string, r io.Reader) (err error) {
	f, err := spool(r)
	if err != nil {
		return temporary("the message can't be stored", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	msg, err := smime.Open(ctx, f, &smime.OpenOptions{Trust: g.Trust, Keys: g.Keys, Chain: g.Chain})
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the message can't be read", err)
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return temporary("the message can't be read", err)
	}
	raw := newReader(f)
	header, err := g.header(raw, msg)
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the header can't be read", err)
	}
	// The body comes from the message that was judged, not from a second look.
	body := io.Reader(raw)
	if opened(msg) {
		body = msg.Body()
	}
	if err := deliver(ctx, g.Next, from, to, io.MultiReader(bytes.NewReader(header), body)); err != nil {
		return temporary("try again later", err)
	}
	return nil
}

// opened reports whether the message was encrypted, could be opened and was not
// changed on the way: what somebody else may have put there is not passed on in
// clear.
func opened(msg *smime.Message) bool { return msg.Confidential() == nil }

// header returns the header section to write: the verdict first, then what was
// there, without Authentication-Results that claim to be ours and, where the
// body is replaced, without the fields that describe the old one. The entity
// inside brings its own, and the fields it protects replace the outer ones.
func (g *Inbound) header(raw *bufio.Reader, msg *smime.Message) ([]byte, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Authentication-Results: %s; %s\r\n", g.Name, verdict(msg))
	replaced := opened(msg)
	protected := map[string]bool{}
	if replaced {
		for _, f := range msg.Header() {
			if f.Encrypted {
				protected[strings.ToLower(f.Name)] = true
			}
		}
	}
	keep := false
	for n := 0; n < maxHeader; {
		line, err := raw.ReadString('\n')
		if err != nil && (!errors.Is(err, io.EOF) || line == "") {
			return nil, err
		}
		n += len(line)
		trimmed := strings.TrimRight(line, "\r\n")
		if trimmed == "" {
			if !replaced {
				out.WriteString("\r\n")
			}
			return out.Bytes(), nil
		}
		if trimmed[0] != ' ' && trimmed[0] != '\t' {
			name, value, _ := strings.Cut(trimmed, ":")
			name = strings.ToLower(strings.TrimSpace(name))
			keep = !(name == "authentication-results" && strings.HasPrefix(strings.TrimSpace(value), g.Name))
			if replaced && (protected[name] || strings.HasPrefix(name, "content-")) {
				keep = false
			}
		}
		if keep {
			out.WriteString(trimmed + "\r\n")
		}
	}
	return nil, fmt.Errorf("%w: header section", smime.ErrLimit)
}

// verdict is the result of method smime (RFC 7281 section 3).
func verdict(msg *smime.Message) string {
	signer, err := msg.Signer()
	if err == nil {
		return "smime=pass body.smime-identifier=" + signer.Mailbox()
	}
	result := "fail"
	switch {
	case errors.Is(err, smime.ErrNotSigned):
		result = "none"
	case errors.Is(err, chain.ErrSource), errors.Is(err, chain.ErrRevocationUnknown):
		result = "temperror"
	case errors.Is(err, smime.ErrNotCovered), errors.Is(err, chain.ErrUnknownIssuer):
		result = "policy"
	}
	return fmt.Sprintf("smime=%s reason=%q", result, reason(err))
}

// reason returns text that can stand in a header field.
func reason(err error) string {
	s := strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			return '.'
		}
		return r
	}, err.Error())
	return s[:min(len(s), 200)]
}

func newReader(r io.Reader) *bufio.Reader { return bufio.NewReaderSize(r, 64<<10) }
