package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
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
func (g *Inbound) NewSession(c *smtp.Conn) (smtp.Session, error) {
	return newSession(c, g.Name, g.relay), nil
}

func (g *Inbound) relay(ctx context.Context, e *envelope, f *os.File) (err error) {
	msg, err := smime.Open(ctx, f, &smime.OpenOptions{Trust: g.Trust, Keys: g.Keys, Chain: g.Chain})
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the message can't be read", err)
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return temporary("the message can't be read", err)
	}
	header, body, err := g.rewrite(newReader(f), msg)
	if err != nil {
		return permanent(smtp.EnhancedCode{5, 6, 0}, "the header can't be read", err)
	}
	if err := deliver(ctx, g.Next, e, e.to, io.MultiReader(bytes.NewReader(header), body)); err != nil {
		if f := refusal(err); f != nil {
			return f // the next hop knows best
		}
		return temporary("try again later", err)
	}
	return nil
}

// opened reports whether the message was encrypted, could be opened and was not
// changed on the way: what somebody else may have put there is not passed on in
// clear.
func opened(msg *smime.Message) bool { return msg.Confidential() == nil }

// rewrite returns the header section to write and the body that follows it: the
// verdict first, then what was there. Where the body is replaced by what was
// inside the encryption, the fields that describe it and those that it protects
// come from there and nothing else does: whoever encrypts can write anything
// into the header of the entity inside.
func (g *Inbound) rewrite(raw *bufio.Reader, msg *smime.Message) ([]byte, io.Reader, error) {
	var out bytes.Buffer
	fmt.Fprintf(&out, "Authentication-Results: %s; %s\r\n", g.Name, verdict(msg))
	if !opened(msg) {
		err := copyHeader(&out, raw, func(name, value string) bool { return !g.claimsToBeOurs(name, value) })
		out.WriteString("\r\n")
		return out.Bytes(), raw, err
	}
	inside := map[string]bool{}
	for _, f := range msg.Header() {
		if f.Encrypted || f.Signed || f.Outer != "" {
			inside[strings.ToLower(f.Name)] = true
		}
	}
	structural := func(name string) bool { return name == "mime-version" || strings.HasPrefix(name, "content-") }
	if err := copyHeader(&out, raw, func(name, value string) bool {
		return !g.claimsToBeOurs(name, value) && !inside[name] && !structural(name)
	}); err != nil {
		return nil, nil, err
	}
	// The entity comes from the message that was judged, not from a second look.
	entity := newReader(msg.Body())
	out.WriteString("MIME-Version: 1.0\r\n")
	if err := copyHeader(&out, entity, func(name, value string) bool {
		return !g.claimsToBeOurs(name, value) && (inside[name] || structural(name)) && name != "mime-version"
	}); err != nil {
		return nil, nil, err
	}
	out.WriteString("\r\n")
	return out.Bytes(), entity, nil
}

// claimsToBeOurs reports whether a field is an Authentication-Results of this
// gateway, which only the gateway may write (RFC 8601 section 5). One that has
// the name in any place goes too, however it is quoted.
func (g *Inbound) claimsToBeOurs(name, value string) bool {
	return name == "authentication-results" && strings.Contains(strings.ToLower(strings.ReplaceAll(value, `\`, "")), strings.ToLower(g.Name))
}

// copyHeader reads a header section with its blank line and writes the fields
// to keep, which are given with their name in lower case and their unfolded
// value. What is no field to every program is left out: a line without a name,
// and a field with a CR alone or a NUL, after which some programs read another
// field or the text of the message.
func copyHeader(out *bytes.Buffer, r *bufio.Reader, keep func(name, value string) bool) error {
	var field, value strings.Builder // as it stands there, and unfolded
	flush := func() {
		name, rest, ok := strings.Cut(value.String(), ":")
		name = strings.TrimRight(name, " \t")
		if ok && isFieldName(name) && !strings.ContainsAny(rest, "\r\x00") && keep(strings.ToLower(name), rest) {
			out.WriteString(field.String())
		}
		field.Reset()
		value.Reset()
	}
	for n := 0; n < maxHeader; {
		line, err := r.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		n += len(line)
		text := strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if text == "" {
			flush()
			return nil
		}
		if text[0] != ' ' && text[0] != '\t' {
			flush()
		}
		field.WriteString(text + "\r\n")
		value.WriteString(text)
	}
	return fmt.Errorf("%w: header section", smime.ErrLimit)
}

// isFieldName reports whether a name is one of RFC 5322 section 2.2.
func isFieldName(name string) bool {
	return name != "" && strings.IndexFunc(name, func(r rune) bool { return r < '!' || r > '~' }) < 0
}

// verdict is the result of method smime (RFC 7281 section 3).
func verdict(msg *smime.Message) string {
	signer, err := msg.Signer()
	if err == nil && doubtful(msg.Root()) {
		return `smime=policy reason="lines of the header are no fields"`
	}
	if err == nil {
		return "smime=pass body.smime-identifier=" + pvalue(signer.Mailbox())
	}
	result := "fail"
	switch {
	case errors.Is(err, smime.ErrNotSigned):
		result = "none"
	case errors.Is(err, chain.ErrSource), errors.Is(err, chain.ErrRevocationUnknown):
		result = "temperror"
	case errors.Is(err, smime.ErrNotCovered), errors.Is(err, smime.ErrAmbiguousSender), errors.Is(err, chain.ErrUnknownIssuer):
		result = "policy" // the signature may hold, but not for what people are shown
	}
	return fmt.Sprintf("smime=%s reason=%q", result, reason(err))
}

// doubtful reports whether programs differ about where the header ends.
func doubtful(root smime.Layer) bool {
	return slices.ContainsFunc(root.Notes(), func(n smime.Note) bool { return n.Code == smime.NoteMalformedHeader })
}

// pvalue returns an address as RFC 8601 section 2.2 wants it, in quotes where it
// has characters that mean something there.
func pvalue(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("!#$%&'*+-/=?^_`{|}~.@", r) || r > 127
	}
	if strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
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
