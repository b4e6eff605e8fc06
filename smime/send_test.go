package smime_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// crlf makes text that is written here with LF a message.
func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

const plainMail = `From: Alice <alice@example.com>
To: bob@example.com
Subject: Lunch
Date: Wed, 02 Jan 2030 03:04:05 +0000
Message-ID: <1@example.com>
Bcc: secret@example.com
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8

At noon?
`

const mixedMail = `Received: from a by b; Wed, 02 Jan 2030 03:04:05 +0000
From: Alice <alice@example.com>
To: bob@example.com
Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=
Date: Wed, 02 Jan 2030 03:04:05 +0000
Message-ID: <2@example.com>
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="outer"

--outer
Content-Type: multipart/alternative; boundary="outerinner"

--outerinner
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Grüße!  
From here on
.
--outerinner
Content-Type: text/html; charset=utf-8
Content-Transfer-Encoding: 8bit

<html><head><title>x</title></head><body class="a">
<p>Grüße!</p>
</body></html>
--outerinner--

--outer
Content-Type: application/octet-stream; name="x.bin"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="x.bin"

AAECAwQFBgcICQ==
--outer
Content-Type: text/plain
Content-Disposition: attachment; filename="Ärger.txt"

no newline at the end
--outer--
`

// inputs are messages that Sign must accept.
func inputs() map[string]string {
	return map[string]string{
		"plain":              crlf(plainMail),
		"plain LF":           plainMail,
		"mixed":              crlf(mixedMail),
		"mixed LF":           mixedMail,
		"no body":            "From: alice@example.com\r\n\r\n",
		"no blank":           "From: alice@example.com\r\n",
		"no newline":         "From: alice@example.com\r\n\r\nx",
		"long line":          "From: alice@example.com\r\n\r\n" + strings.Repeat("x", 5000) + "\r\n",
		"latin":              "From: alice@example.com\r\nSubject: \xe4\xf6\r\n\r\n\xe4\xf6\xfc\r\n",
		"utf8":               "From: Älice <alice@example.com>\r\nSubject: " + strings.Repeat("äöü ", 50) + "\r\n\r\näöü\r\n",
		"binary":             "From: alice@example.com\r\nContent-Type: application/x-y\r\nContent-Transfer-Encoding: binary\r\n\r\n\x00\x01\r\n\r\xff\n",
		"nul":                "From: alice@example.com\r\n\r\na\x00b\r\n",
		"lone CR":            "From: alice@example.com\r\n\r\na\rb\r\n",
		"lone CR ends lines": "From: alice@example.com\r\n\r\na \rFrom b\t\rc\r",
		"lone CR in qp":      "From: alice@example.com\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\na=20\rFrom b=3D\r\n",
		"lone CR between":    "From: alice@example.com\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\nx \rFrom y\r\n--b\r\n\r\nz\r\n--b--\r\nx\rFrom y\r\n",
		"half encoded":       "From: alice@example.com\r\nSubject: =?utf-8?q?=C3=A4?= \xc3\xb6\r\nTo: \xc3\xa4: b@example.com;\r\n\r\nx\r\n",
		"mixed ends":         "From: alice@example.com\r\n\r\na\nb\r\nc\rd\n",
		"mbox":               "From alice Wed Jan 2\nFrom: alice@example.com\n\nFrom me\n",
		"qp": "From: alice@example.com\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\nFrom =C3=A4 \r\n" +
			strings.Repeat("long ", 300) + "\r\n",
		"base64 in one line":  "From: alice@example.com\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("QUJD", 400) + "\r\n",
		"forwarded":           "From: alice@example.com\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@example.com\r\nSubject: \xc3\xa4\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\xc3\xa4\r\n",
		"international":       "From: alice@example.com\r\nContent-Type: message/global\r\n\r\nFrom: \xc3\xa4@example.com\r\n\r\n\xc3\xa4\r\n",
		"duplicate parameter": "From: alice@example.com\r\nContent-Type: text/plain; charset=utf-8; charset=x; (comment)\r\n\r\nx\r\n",
		"hp already":          "From: alice@example.com\r\nContent-Type: text/plain; hp=\"cipher\"\r\nHP-Outer: Subject: x\r\n\r\nx\r\n",
	}
}

// A sendFixture has people who write to each other.
type sendFixture struct {
	ca         *smimetest.CA
	alice, bob *smime.Identity
	trust      *chain.Collection
	toBob      []*smime.Recipient
}

func newSendFixture(t testing.TB) *sendFixture {
	w := &sendFixture{ca: smimetest.NewCA(t)}
	w.alice, w.bob = w.ca.Identity("alice@example.com"), w.ca.Identity("bob@example.com")
	w.trust = w.ca.Directory(w.alice, w.bob)
	w.toBob = []*smime.Recipient{w.ca.Recipient(w.bob)}
	return w
}

// transportSafe reports why a message would not survive SMTP.
func transportSafe(b []byte) error {
	for i, line := range bytes.SplitAfter(b, []byte("\n")) {
		body, ok := bytes.CutSuffix(line, []byte("\r\n"))
		if !ok && len(line) > 0 {
			return fmt.Errorf("line %d has no CR LF", i)
		}
		if len(body) > 998 {
			return fmt.Errorf("line %d has %d octets", i, len(body))
		}
		for _, c := range body {
			if c >= 0x80 || c == 0 || c == '\r' {
				return fmt.Errorf("line %d has octet %#x", i, c)
			}
		}
		if bytes.HasPrefix(body, []byte("From ")) {
			return fmt.Errorf("line %d begins with From", i)
		}
		if len(body) > 0 && (body[len(body)-1] == ' ' || body[len(body)-1] == '\t') {
			return fmt.Errorf("line %d ends in a blank", i)
		}
	}
	return nil
}

func TestSignVerify(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for name, in := range inputs() {
		for _, opaque := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s opaque=%v", name, opaque), func(t *testing.T) {
				var signed, out bytes.Buffer
				// Seekable and not: the second pass comes from another place.
				var r io.Reader = strings.NewReader(in)
				if opaque {
					r = struct{ io.Reader }{r}
				}
				if err := smime.Sign(t.Context(), &signed, r, w.alice, &smime.SignOptions{Opaque: opaque}); err != nil {
					t.Fatal(err)
				}
				if err := transportSafe(signed.Bytes()); err != nil {
					t.Errorf("%v\n%s", err, signed.Bytes())
				}
				s, err := smime.Verify(t.Context(), &out, &signed, w.trust, nil)
				if err != nil {
					t.Fatalf("%v\n%s", err, in)
				}
				if s.Mailbox() != "alice@example.com" {
					t.Errorf("signed by %s", s.Mailbox())
				}
				if !opaque {
					if err := transportSafe(out.Bytes()); err != nil && !strings.Contains(err.Error(), "no CR LF") {
						t.Error(err)
					}
				}
				for _, leak := range []string{"Bcc:", "secret@"} {
					if bytes.Contains(signed.Bytes(), []byte(leak)) || bytes.Contains(out.Bytes(), []byte(leak)) {
						t.Errorf("%s is in the output", leak)
					}
				}
			})
		}
	}
}

func TestSealUnseal(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			var sealed, out bytes.Buffer
			if err := smime.Seal(t.Context(), &sealed, strings.NewReader(in), w.alice, w.toBob, nil); err != nil {
				t.Fatal(err)
			}
			if err := transportSafe(sealed.Bytes()); err != nil {
				t.Error(err)
			}
			for _, leak := range []string{"Bcc:", "Lunch"} {
				if bytes.Contains(sealed.Bytes(), []byte(leak)) {
					t.Errorf("%s is outside", leak)
				}
			}
			_, enc, err := smime.Unseal(t.Context(), &out, &sealed, smime.Identities{w.bob}, w.trust, nil)
			if err != nil {
				t.Fatal(err)
			}
			if enc.Cipher.String() != "AES-256-CBC" {
				t.Errorf("cipher %v for an unknown reader", enc.Cipher)
			}
			if !bytes.Contains(out.Bytes(), []byte(`hp="cipher"`)) && !bytes.Contains(out.Bytes(), []byte(`hp=cipher`)) {
				t.Errorf("no hp parameter\n%s", out.Bytes())
			}
		})
	}
}

func TestEncryptDecrypt(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			var sealed, out bytes.Buffer
			opts := &smime.EncryptOptions{RequireAuthenticated: true, ByKeyID: true}
			if err := smime.Encrypt(t.Context(), &sealed, strings.NewReader(in), w.toBob, opts); err != nil {
				t.Fatal(err)
			}
			enc, err := smime.Decrypt(t.Context(), &out, &sealed, smime.Identities{w.alice, w.bob}, &smime.DecryptOptions{RequireAuthenticated: true})
			if err != nil {
				t.Fatal(err)
			}
			if !enc.Cipher.Authenticated() || bytes.Contains(out.Bytes(), []byte("secret@")) {
				t.Errorf("cipher %v", enc.Cipher)
			}
		})
	}
}

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	mail := crlf(plainMail)
	for _, tt := range []struct {
		name string
		id   *smime.Identity
		in   string
		opts smime.SignOptions
		want error
	}{
		{"other author", w.bob, mail, smime.SignOptions{}, smime.ErrSender},
		{"no author", w.alice, "Subject: x\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrSender},
		{"two From fields", w.alice, "From: alice@example.com\r\n" + mail, smime.SignOptions{}, smime.ErrAmbiguousSender},
		{"two authors", w.alice, "From: alice@example.com, bob@example.com\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrSender},
		{"expired", w.ca.Identity("alice@example.com", smimetest.Expired()), mail, smime.SignOptions{}, chain.ErrExpired},
		{"not yet valid", w.ca.Identity("alice@example.com", smimetest.NotYetValid()), mail, smime.SignOptions{}, chain.ErrNotYetValid},
		{"for encryption only", w.ca.Identity("alice@example.com", smimetest.EncryptionOnly()), mail, smime.SignOptions{}, chain.ErrWrongPurpose},
		{"for servers", w.ca.Identity("alice@example.com", smimetest.NotForMail()), mail, smime.SignOptions{}, chain.ErrWrongPurpose},
		{"no mailbox", w.ca.Identity("alice@example.com", smimetest.NoMailbox()), mail, smime.SignOptions{}, smime.ErrSender},
		{"as is", w.alice, crlf(mixedMail), smime.SignOptions{AsIs: true}, smime.ErrNotTransportSafe},
		{"as is, header", w.alice, "From: alice@example.com\r\nSubject: ä\r\n\r\nx\r\n", smime.SignOptions{AsIs: true}, smime.ErrNotTransportSafe},
		{"unsplittable", w.alice, "From: alice@example.com\r\nContent-Type: multipart/mixed\r\n\r\n\xff\r\n", smime.SignOptions{}, smime.ErrNotTransportSafe},
		{"unknown transfer encoding", w.alice, "From: alice@example.com\r\nContent-Transfer-Encoding: x-mine\r\n\r\n\xff\r\n", smime.SignOptions{}, smime.ErrNotTransportSafe},
		{"broken base64", w.alice, "From: alice@example.com\r\nContent-Transfer-Encoding: base64\r\n\r\nQUJD!\xff\r\n", smime.SignOptions{}, smime.ErrNotTransportSafe},
		{"two Content-Types", w.alice, "From: alice@example.com\r\nContent-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrHeader},
		{"CR in a field", w.alice, "From: alice@example.com\r\nSubject: a\rBcc: b\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrHeader},
		{"NUL in a field", w.alice, "From: alice@example.com\r\nSubject: a\x00b\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrHeader},
		{"no field", w.alice, "From: alice@example.com\r\nwhat is this\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrHeader},
		{"endless word", w.alice, "From: alice@example.com\r\nSubject: " + strings.Repeat("x", 2000) + "\r\n\r\nx\r\n", smime.SignOptions{}, smime.ErrHeader},
		{"nobody", nil, mail, smime.SignOptions{}, smime.ErrKeyMismatch},
		{"nobody signs too", w.alice, mail, smime.SignOptions{CoSigners: []*smime.Identity{nil}}, smime.ErrKeyMismatch},
		{"too many parts", w.alice, crlf(mixedMail), smime.SignOptions{Limits: smime.Limits{Parts: 3}}, smime.ErrLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := smime.Sign(t.Context(), &out, strings.NewReader(tt.in), tt.id, &tt.opts)
			if !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if out.Len() > 0 {
				t.Errorf("wrote %d bytes", out.Len())
			}
		})
	}
}
