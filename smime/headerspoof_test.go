package smime_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// TestHeaderSpoofs holds that protected header fields are believed only where
// they are in the root of what is signed or encrypted, and only as far as that
// goes (RFC 9788 sections 2.1.1, 2.2, 4.3 and 4.4).
func TestHeaderSpoofs(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	const outside = "From: alice@example.com\nTo: bob@example.com\nSubject: outside\n"
	const inside = "From: alice@example.com\nTo: bob@example.com\nSubject: inside\n"
	const payload = inside + "Content-Type: text/plain; hp=\"clear\"\n\nhello\n"
	const sealed = inside + "HP-Outer: From: alice@example.com\nHP-Outer: To: bob@example.com\nHP-Outer: Subject: outside\nContent-Type: text/plain; hp=\"cipher\"\n\nhello\n"
	message := func(outer, entity string) []byte {
		return []byte(crlf(outer) + entity[strings.Index(entity, "MIME-Version"):])
	}
	signedBy := func(id *smime.Identity, entity string) string {
		return string(clearSigned(t, id, "alice@example.com", []byte(crlf(entity))))
	}
	encryptedOf := func(entity string) string { return string(encrypted(t, w.bob, "", pkcs7.AES256GCM, []byte(entity))) }
	for _, tt := range []struct {
		name    string
		msg     []byte
		signer  error
		subject string
		signed  bool // Subject
		hidden  bool
		from    string
		differs bool
	}{
		{"signed", message(outside, signedBy(w.alice, payload)), nil, "inside", true, false, "alice@example.com", true},
		{"sealed", message(outside, encryptedOf(signedBy(w.alice, sealed))), nil, "inside", true, true, "alice@example.com", false},
		{"encrypted only", message(outside, encryptedOf(crlf(sealed))), smime.ErrNotSigned, "inside", false, true, "alice@example.com", false},
		{"not signed at all", []byte(crlf(strings.Replace(outside, "\nSubject", "\nX", 1) + "Content-Type: text/plain; hp=\"clear\"\nSubject: x\n\nhello\n")), smime.ErrNotSigned, "x", false, false, "alice@example.com", false},
		{"compressed only", message(outside, string(compressedMail(t, crlf(payload)))), smime.ErrNotSigned, "outside", false, false, "alice@example.com", false},
		{"hp twice", message(outside, signedBy(w.alice, strings.Replace(payload, "hp=\"clear\"", "hp=\"clear\"; hp=\"cipher\"", 1))), nil, "outside", false, false, "alice@example.com", false},
		{"hp of something else", message(outside, signedBy(w.alice, strings.Replace(payload, "hp=\"clear\"", "hp=\"mallory\"", 1))), nil, "outside", false, false, "alice@example.com", false},
		{"hp below the root", message(outside, signedBy(w.alice, "Content-Type: multipart/mixed; boundary=x\n\n--x\n"+payload+"--x--\n")), nil, "outside", false, false, "alice@example.com", false},
		{"hp in a forwarded message", message(outside, signedBy(w.alice, "Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: message/rfc822\n\n"+payload+"--x--\n")), nil, "outside", false, false, "alice@example.com", false},
		{"hp beside a signed part", message(outside, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; hp=\"clear\"; boundary=x\r\n\r\n--x\r\n"+signedBy(w.alice, payload)+"\r\n--x--\r\n"), smime.ErrNotCovered, "outside", false, false, "alice@example.com", false},
		{"cipher without encryption", message(outside, signedBy(w.alice, sealed)), nil, "inside", true, false, "alice@example.com", true},
		{"clear inside encryption", message(outside, encryptedOf(signedBy(w.alice, payload))), nil, "inside", true, false, "alice@example.com", true},
		{"HP-Outer that lies", message(outside, encryptedOf(signedBy(w.alice, strings.Replace(sealed, "Subject: outside", "Subject: inside", 1)))), nil, "inside", true, false, "alice@example.com", true},
		{"changed", message(outside, strings.Replace(signedBy(w.alice, payload), "hello", "hallo", 1)), pkcs7.ErrDigest, "inside", false, false, "alice@example.com", true},
		{"signed by another", message(outside, signedBy(w.bob, payload)), smime.ErrSender, "inside", false, false, "alice@example.com", true},
		{"another author outside", message(strings.Replace(outside, "alice@", "bob@", 1), signedBy(w.alice, payload)), smime.ErrAmbiguousSender, "inside", false, false, "bob@example.com", true},
		{"another author inside", message(outside, signedBy(w.bob, strings.Replace(payload, "alice@", "bob@", 1))), smime.ErrAmbiguousSender, "inside", false, false, "alice@example.com", true},
		{"two authors inside", message(outside, signedBy(w.alice, "From: alice@example.com\n"+payload)), smime.ErrAmbiguousSender, "inside", false, false, "alice@example.com", true},
		{"no author outside", message(strings.Replace(outside, "From", "X", 1), signedBy(w.alice, payload)), nil, "inside", true, false, "alice@example.com", true},
		{"where to reply added outside", message(outside+"Reply-To: mallory@example.com\n", encryptedOf(signedBy(w.alice, sealed))), nil, "inside", true, true, "alice@example.com", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := w.open(tt.msg)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Signer(); !errors.Is(err, tt.signer) {
				t.Errorf("%v\n%v", err, m)
			}
			s := field(m, "Subject")
			if s.Value != tt.subject || s.Signed != tt.signed || s.Encrypted != tt.hidden {
				t.Errorf("%+v\n%v", s, m)
			}
			if f := field(m, "From"); f.Value != tt.from || f.Encrypted || f.Signed && !tt.signed {
				t.Errorf("%+v", f)
			}
			if f := field(m, "Reply-To"); f.Signed || f.Encrypted {
				t.Errorf("%+v", f)
			}
			if f := field(m, "HP-Outer"); f.Name != "" && s.Value == "inside" {
				t.Errorf("%+v", f)
			}
			if got := slices.Contains(notesOf(m), smime.NoteHeaderDiffers); got != tt.differs {
				t.Errorf("noted %v\n%v", got, m)
			}
			m.Close()
		})
	}
}
