package smime_test

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// hpMail seals an entity with protected header fields by means of package pkcs7.
func hpMail(t testing.TB, w *readFixture, outside, entity string) []byte {
	t.Helper()
	signed := clearSigned(t, w.alice, "alice@example.com", []byte(crlf(entity)))
	signed = signed[bytes.Index(signed, []byte("MIME-Version")):]
	cms := encrypted(t, w.bob, "", pkcs7.AES256GCM, signed)
	return append([]byte(crlf(outside)), cms...)
}

const hidden = `From: alice@example.com
To: bob@example.com
Subject: [...]
Message-ID: <1@example.com>
`

func openHP(t *testing.T, w *readFixture, entity string) *smime.Message {
	t.Helper()
	m, err := w.open(hpMail(t, w, hidden, entity))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	if _, err := m.Signer(); err != nil {
		t.Fatalf("%v\n%v", err, m)
	}
	return m
}

const protectedFields = `From: alice@example.com
To: bob@example.com
Subject: Secret
Message-ID: <1@example.com>
HP-Outer: From: alice@example.com
HP-Outer: To: bob@example.com
HP-Outer: Subject: [...]
HP-Outer: Message-ID: <1@example.com>
`

func TestWriteDisplay(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, tt := range []struct{ name, entity, want string }{
		{"text", "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=\"1\"\n\nSubject: Secret\n\nhello\n", "hello\n"},
		{"text without element", "Content-Type: text/plain; hp=\"cipher\"\n\nSubject: Secret\n\nhello\n", "Subject: Secret\n\nhello\n"},
		{"no blank line", "Content-Type: text/plain; hp=\"cipher\"; hp-legacy-display=1\n\nhello\n", "hello\n"},
		{"quoted-printable", "Content-Transfer-Encoding: quoted-printable\nContent-Type: text/plain; hp=\"cipher\"; hp-legacy-display=1\n\nSubject: Secret=20\n\nh=C3=A9llo\n", "h=C3=A9llo\n"},
		{"base64", "Content-Transfer-Encoding: base64\nContent-Type: text/plain; hp=\"cipher\"; hp-legacy-display=1\n\nU3ViamVjdDogeAoKaGVsbG8K\n", "aGVsbG8K\n"},
		{"HTML", "Content-Type: text/html; hp=\"cipher\"; hp-legacy-display=1\n\n<html><body><!-- <div class=\"header-protection-legacy-display\"> --><DIV id=\"a>b\" class='x header-protection-legacy-display'><div>Subject</div>: Secret</div ><p>hello</p></body></html>\n",
			"<html><body><!-- <div class=\"header-protection-legacy-display\"> --><p>hello</p></body></html>\n"},
		{"HTML without end", "Content-Type: text/html; hp=\"cipher\"; hp-legacy-display=1\n\n<div class=header-protection-legacy-display>hello\n", "<div class=header-protection-legacy-display>hello\n"},
		{"alternative", "Content-Type: multipart/alternative; boundary=b; hp=\"cipher\"\n\n--b\nContent-Type: text/plain; hp-legacy-display=1\n\nSubject: Secret\n\nhello\n--b\nContent-Type: text/plain\n\nstays\n\nhello\n--b\nContent-Type: message/rfc822\n\nContent-Type: text/plain; hp-legacy-display=1\n\nstays\n\nas it is\n--b--\n",
			"--b\nContent-Type: text/plain; hp-legacy-display=1\n\nhello\n--b\nContent-Type: text/plain\n\nstays\n\nhello\n--b\nContent-Type: message/rfc822\n\nContent-Type: text/plain; hp-legacy-display=1\n\nstays\n\nas it is\n--b--\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := openHP(t, w, protectedFields+tt.entity)
			var out bytes.Buffer
			if err := m.WriteDisplay(&out); err != nil {
				t.Fatal(err)
			}
			_, body, _ := strings.Cut(strings.ReplaceAll(out.String(), "\r\n", "\n"), "\n\n")
			if strings.TrimRight(body, "\n") != strings.TrimRight(tt.want, "\n") {
				t.Errorf("%q, want %q", body, tt.want)
			}
		})
	}
	// A writer that takes less than it is given must not lose text silently.
	for _, encoding := range []string{"7bit", "quoted-printable"} {
		t.Run(encoding, func(t *testing.T) {
			m := openHP(t, w, protectedFields+"Content-Transfer-Encoding: "+encoding+"\nContent-Type: text/plain; hp=\"cipher\"; hp-legacy-display=1\n\nSubject: Secret\n\nhello\n")
			var out bytes.Buffer
			if err := m.WriteDisplay(&out); err != nil {
				t.Fatal(err)
			}
			for left := range out.Len() {
				if err := m.WriteDisplay(&shortWriter{left, true}); !errors.Is(err, io.ErrShortWrite) {
					t.Errorf("after %d octets: %v", left, err)
				}
			}
		})
	}
	// What was never encrypted has nothing to hide (RFC 9788 section 4.5.3.1).
	signed := clearSigned(t, w.alice, "alice@example.com", []byte("Content-Type: text/plain; hp-legacy-display=1\r\n\r\nSubject: x\r\n\r\nhello"))
	m, err := w.open(signed)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var out bytes.Buffer
	if err := m.WriteDisplay(&out); err != nil || !bytes.Equal(out.Bytes(), content(t, m.Body())) {
		t.Errorf("%v, %q", err, out.Bytes())
	}
}

// reply composes what a mail program puts into a reply.
func reply(fields []smime.HeaderField) []smime.HeaderField {
	var list []smime.HeaderField
	for _, f := range fields {
		switch f.Name {
		case "From":
			list = append(list, smime.HeaderField{Name: "To", Value: f.Value})
		case "Subject":
			list = append(list, smime.HeaderField{Name: "Subject", Value: "Re: " + f.Value})
		case "Message-ID":
			list = append(list, smime.HeaderField{Name: "In-Reply-To", Value: f.Value})
		}
	}
	return list
}

func TestReplyHidden(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	m := openHP(t, w, protectedFields+"Content-Type: text/plain; hp=\"cipher\"\n\nhello\n")
	got := m.ReplyHidden(reply)
	if len(got) != 1 || got[0].Name != "Subject" || got[0].Value != "Re: Secret" || got[0].Outer != "Re: [...]" || !got[0].Encrypted {
		t.Errorf("%+v", got)
	}
	// hp="clear" inside encryption means that nothing was hidden.
	m = openHP(t, w, protectedFields+"Content-Type: text/plain; hp=\"clear\"\n\nhello\n")
	if got := m.ReplyHidden(reply); got != nil {
		t.Errorf("hp=clear: %+v", got)
	}
	for _, f := range m.Header() {
		if f.Encrypted {
			t.Errorf("hp=clear: %+v", f)
		}
	}
	// hp="cipher" without encryption is no evidence of any.
	signed, err := w.open(clearSigned(t, w.alice, "alice@example.com", []byte(crlf(protectedFields+"Content-Type: text/plain; hp=\"cipher\"\n\nhello"))))
	if err != nil {
		t.Fatal(err)
	}
	defer signed.Close()
	if got := signed.ReplyHidden(reply); got != nil {
		t.Errorf("not encrypted: %+v", got)
	}
	if f := field(signed, "Subject"); f.Encrypted || !f.Signed {
		t.Errorf("not encrypted: %+v", f)
	}
}

// TestHeaderStates holds RFC 9788 section 4.3.1 for each state.
func TestHeaderStates(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	entity := protectedFields + "Content-Type: text/plain; hp=\"cipher\"\n\nhello\n"
	both := hpMail(t, w, hidden+"X-Only-Outside: y\n", entity)
	encryptedOnly := append([]byte(crlf(hidden)), encrypted(t, w.bob, "", pkcs7.AES256GCM, []byte(crlf(entity)))...)
	for name, tt := range map[string]struct {
		msg                            []byte
		subjectSigned, subjectHidden   bool
		fromSigned, fromHidden, outide bool
	}{
		"signed and encrypted": {both, true, true, true, false, true},
		"encrypted only":       {encryptedOnly, false, true, false, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s, f := field(m, "Subject"), field(m, "From")
			if s.Signed != tt.subjectSigned || s.Encrypted != tt.subjectHidden || s.Value != "Secret" || s.Outer != "[...]" {
				t.Errorf("%+v\n%v", s, m)
			}
			if f.Signed != tt.fromSigned || f.Encrypted != tt.fromHidden {
				t.Errorf("%+v", f)
			}
			if x := field(m, "X-Only-Outside"); tt.outide && (x.Signed || x.Encrypted || x.Value != "y") {
				t.Errorf("%+v", x)
			}
		})
	}
	// Without the hp parameter the fields of the payload are the payload's.
	m, err := w.open(hpMail(t, w, hidden, strings.Replace(entity, "; hp=\"cipher\"", "", 1)))
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if s := field(m, "Subject"); s.Value != "[...]" || s.Signed || s.Encrypted {
		t.Errorf("without hp: %+v", s)
	}
}

// TestOldHeader reads the form of RFC 8551 by the conditions of RFC 9788 section 4.10.1.
func TestOldHeader(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	const inner = "Content-Type: message/rfc822\n\nFrom: Alice <ALICE@example.com>\nTo: bob@example.com\nSubject: Secret\nContent-Type: text/plain\n\nhello\n"
	outside := strings.Replace(hidden, "Message-ID: <1@example.com>\n", "", 1)
	for _, tt := range []struct {
		name, entity string
		encrypted    bool
		subject      string
		noted        bool
	}{
		{"signed", inner, false, "Secret", true},
		{"signed and encrypted", inner, true, "Secret", true},
		{"somebody else's message forwarded", strings.Replace(inner, "ALICE@", "mallory@", 1), true, "[...]", false},
		{"with hp", strings.Replace(inner, "message/rfc822", "message/rfc822; hp=\"cipher\"", 1), true, "", false},
		{"with hp inside", strings.Replace(inner, "text/plain", "text/plain; hp=\"cipher\"", 1), true, "[...]", false},
		{"a signed message forwarded", strings.Replace(inner, "text/plain", "application/pkcs7-mime", 1), true, "[...]", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msg := hpMail(t, w, outside, tt.entity)
			if !tt.encrypted {
				signed := clearSigned(t, w.alice, "alice@example.com", []byte(crlf(tt.entity)))
				msg = append([]byte(crlf(outside)), signed[bytes.Index(signed, []byte("MIME-Version")):]...)
			}
			m, err := w.open(msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); err != nil {
				t.Errorf("%v\n%v", err, m)
			}
			f := field(m, "Subject")
			if tt.subject != "" && f.Value != tt.subject || f.Signed != tt.noted || f.Encrypted != (tt.noted && tt.encrypted) {
				t.Errorf("%+v\n%v", f, m)
			}
			if noted := slices.Contains(notesOf(m), smime.NoteOldHeader); noted != tt.noted {
				t.Errorf("noted %v", noted)
			}
			m.Close()
		})
	}
}
