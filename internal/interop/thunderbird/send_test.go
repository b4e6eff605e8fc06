package thunderbird

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"slices"
	"strings"
	"testing"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
)

// TestThunderbirdSends has Thunderbird write mail in its window and reads what
// it sends.
func TestThunderbirdSends(t *testing.T) {
	suites.Tool(t, "thunderbird")
	w := newWorld(t)
	s := newSink(t)
	c := start(t, s.port)
	alice, dave := w.alice["rsa"], w.ca.Identity("dave@example.com") // an elliptic curve
	w.settle(t, c, alice, dave, w.carol)
	keys := smime.Identities{alice, dave, w.carol}
	file := c.write(t, "Grüße.txt", []byte("to be attached\n"))
	for _, tt := range []struct {
		name, to                    string
		html, sign, encrypt, attach bool
	}{
		{name: "signed", to: "alice@example.com", sign: true},
		{name: "signed HTML with a file", to: "alice@example.com", html: true, sign: true, attach: true},
		{name: "encrypted to RSA", to: "alice@example.com", encrypt: true},
		{name: "signed and encrypted to RSA", to: "alice@example.com", sign: true, encrypt: true},
		{name: "signed and encrypted to ECDH P-256", to: "dave@example.com", sign: true, encrypt: true},
		{name: "signed and encrypted HTML with a file to three", to: "alice@example.com, dave@example.com, carol@example.com", html: true, sign: true, encrypt: true, attach: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := map[string]any{"to": tt.to, "subject": subject, "html": tt.html, "sign": tt.sign, "encrypt": tt.encrypt}
			args["body"] = "Grüße from Thunderbird\nFrom the start of a line\n-- \nBob\n"
			if tt.html {
				args["body"] = "<html><body><p>Grüße from <b>Thunderbird</b></p></body></html>"
			}
			if args["attachment"] = ""; tt.attach {
				args["attachment"] = file
			}
			var sent bool
			c.run(t, "send.js", args, &sent)
			m, err := smime.Open(t.Context(), bytes.NewReader(s.next(t)), &smime.OpenOptions{Trust: w.ca.Trust(), Keys: keys})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			signer, err := m.Signer()
			if tt.sign && (err != nil || signer.Mailbox() != "bob@example.com") || !tt.sign && !errors.Is(err, smime.ErrNotSigned) {
				t.Errorf("the signer: %v\n%s", err, m)
			}
			if e, ok := m.Root().(*smime.EncryptedLayer); ok != tt.encrypt || ok && e.Opened.Err() != nil {
				t.Errorf("encrypted: %v\n%s", ok, m)
			}
			if got := subjectOf(t, m); got != subject {
				t.Errorf("the subject is %q", got)
			}
			text, names := contentOf(t, m)
			if !strings.Contains(text, "Grüße from") || !strings.Contains(text, "Thunderbird") {
				t.Errorf("the text is %q", text)
			}
			if want := tt.attach; want != slices.Equal(names, []string{"Grüße.txt"}) || !want && len(names) > 0 {
				t.Errorf("the files are %q", names)
			}
		})
	}
}

func subjectOf(t *testing.T, m *smime.Message) string {
	t.Helper()
	for _, f := range m.Header() {
		if strings.EqualFold(f.Name, "Subject") {
			s, err := new(mime.WordDecoder).DecodeHeader(f.Value)
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
	}
	return ""
}

// contentOf returns all text of a message and the names of its attachments.
func contentOf(t *testing.T, m *smime.Message) (text string, names []string) {
	t.Helper()
	root, err := m.Entity()
	if err != nil {
		t.Fatal(err)
	}
	err = root.Walk(func(_ []int, e *message.Entity, err error) error {
		if err != nil || e.MultipartReader() != nil {
			return err
		}
		if d, _, err := e.Header.ContentDisposition(); err == nil && d == "attachment" {
			h := gomail.AttachmentHeader{Header: e.Header}
			name, err := h.Filename()
			names = append(names, name)
			return err
		}
		b, err := io.ReadAll(e.Body)
		text += string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text, names
}
