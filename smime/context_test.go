package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A cancelling reader is cancelled in the middle of a long message.
type cancelling struct {
	left   int
	cancel func()
}

func (c *cancelling) Read(p []byte) (int, error) {
	if c.left -= len(p); c.left < 0 && c.cancel != nil {
		c.cancel()
		c.cancel = nil
	}
	for i := range p {
		p[i] = "QUJD"[i%4]
		if i%64 == 63 {
			p[i] = '\n'
		}
	}
	return len(p), nil
}

// TestCancel: a cancelled context ends an endless message soon, without a
// temporary file.
func TestCancel(t *testing.T) {
	w := newSendFixture(t)
	dir := t.TempDir()
	limits := smime.Limits{CMS: pkcs7.Limits{Dir: dir}}
	if runtime.GOOS == "js" { // no disk there
		limits.CMS.Memory = 64 << 20
	}
	for name, do := range map[string]func(context.Context, io.Reader) error{
		"Sign": func(ctx context.Context, r io.Reader) error {
			return smime.Sign(ctx, io.Discard, r, w.alice, &smime.SignOptions{Limits: limits})
		},
		"Encrypt": func(ctx context.Context, r io.Reader) error {
			return smime.Encrypt(ctx, io.Discard, r, w.toBob, &smime.EncryptOptions{Limits: limits})
		},
		"Seal": func(ctx context.Context, r io.Reader) error {
			return smime.Seal(ctx, io.Discard, r, w.alice, w.toBob, &smime.SealOptions{Sign: smime.SignOptions{Limits: limits}})
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			var cancelled time.Time
			r := io.MultiReader(strings.NewReader("From: alice@example.com\r\n\r\n"), &cancelling{16 << 20, func() { cancelled = time.Now(); cancel() }})
			err := do(ctx, r)
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
			if took := time.Since(cancelled); took > time.Minute {
				t.Error(took)
			}
			cancel()
		})
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("%d files left, error %v", len(left), err)
	}
}

// TestManyRecipients: one message for 200 people, each of whom can read it.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	var people []*smime.Identity
	var boxes []string
	for i := range 200 {
		box := fmt.Sprintf("p%d@example.com", i)
		boxes = append(boxes, box)
		people = append(people, w.ca.Identity(box))
	}
	to, err := smime.FindRecipients(t.Context(), boxes, w.ca.Directory(people...), nil)
	if err != nil {
		t.Fatal(err)
	}
	reads := &counting{r: strings.NewReader(crlf(mixedMail))}
	var sealed bytes.Buffer
	self := w.ca.Recipient(w.alice)
	if err := smime.Seal(t.Context(), &sealed, reads, w.alice, append(to, to[3]), &smime.SealOptions{ToSelf: self}); err != nil {
		t.Fatal(err)
	}
	if reads.n != len(crlf(mixedMail)) {
		t.Errorf("%d octets were read of %d", reads.n, len(crlf(mixedMail)))
	}
	for _, id := range []*smime.Identity{people[0], people[99], people[199], w.alice} {
		t.Run(id.Mailboxes()[0], func(t *testing.T) {
			_, enc, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(sealed.Bytes()), smime.Identities{id}, w.trust, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(enc.Recipients) != 201 {
				t.Errorf("%d recipients", len(enc.Recipients))
			}
		})
	}
}

type counting struct {
	r io.Reader
	n int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}

// TestBlindCopies: neither the field nor the key of somebody else is in a
// message, and a blind copy is a message of its own.
func TestBlindCopies(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	secret := w.ca.Identity("secret@example.com")
	for _, to := range [][]*smime.Recipient{w.toBob, {w.ca.Recipient(secret)}} {
		t.Run(to[0].Mailbox(), func(t *testing.T) {
			var sealed bytes.Buffer
			if err := smime.Seal(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), w.alice, to, nil); err != nil {
				t.Fatal(err)
			}
			der, _ := cmsOf(t, sealed.Bytes())
			for _, id := range []*smime.Identity{w.bob, secret} {
				want := bytes.Equal(id.Certificate().Raw, to[0].Certificate().Raw)
				named := bytes.Contains(der, append([]byte{2, byte(len(id.Certificate().SerialNumber.Bytes()))}, id.Certificate().SerialNumber.Bytes()...))
				if named != want {
					t.Errorf("named %v, want %v", named, want)
				}
			}
			// RFC 5652 section 6.1: nothing is told of the originator.
			if bytes.Contains(der, []byte(oid.CommonName+"\x0c\x11alice@example.com")) {
				t.Error("the certificate of the author is outside the encryption")
			}
		})
	}
}

// TestReply: what was hidden in a message is not shown by its answer.
func TestReply(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	var sealed bytes.Buffer
	if err := smime.Seal(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), w.alice, w.toBob, nil); err != nil {
		t.Fatal(err)
	}
	m := open(t, sealed.Bytes(), w)
	hidden := m.ReplyHidden(func(fields []smime.HeaderField) []smime.HeaderField {
		var reply []smime.HeaderField
		for _, f := range fields {
			switch f.Name {
			case "Subject":
				reply = append(reply, smime.HeaderField{Name: "Subject", Value: "Re: " + f.Value})
			case "From":
				reply = append(reply, smime.HeaderField{Name: "To", Value: f.Value})
			}
		}
		return reply
	})
	answer := "From: bob@example.com\r\nTo: Alice <alice@example.com>\r\nSubject: Re: Lunch\r\nX-Note: Re: Lunch\r\n\r\nyes\r\n"
	toAlice := []*smime.Recipient{w.ca.Recipient(w.alice)}
	for _, tt := range []struct {
		hidden  []smime.HeaderField
		subject string
	}{{hidden, "Re: [...]"}, {nil, "Re: Lunch"}, {[]smime.HeaderField{{Name: "subject", Value: "Re: Lunch"}}, ""}} {
		t.Run(fmt.Sprintf("subject %q", tt.subject), func(t *testing.T) {
			h := header(t, encrypt(t, []byte(answer), toAlice, &smime.EncryptOptions{Header: smime.HideNothing, Hidden: tt.hidden}))
			if h.Get("Subject") != tt.subject || h.Get("To") != "Alice <alice@example.com>" || h.Get("X-Note") != "Re: Lunch" {
				t.Errorf("outside: %v", h)
			}
		})
	}
}
