package smime_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/mail"
	"os"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func sign(t testing.TB, in []byte, id *smime.Identity, opts *smime.SignOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := smime.Sign(t.Context(), &out, bytes.NewReader(in), id, opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func encrypt(t testing.TB, in []byte, to []*smime.Recipient, opts *smime.EncryptOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := smime.Encrypt(t.Context(), &out, bytes.NewReader(in), to, opts); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func open(t testing.TB, in []byte, w *sendFixture) *smime.Message {
	t.Helper()
	m, err := smime.Open(t.Context(), bytes.NewReader(in), &smime.OpenOptions{Trust: w.trust, Keys: smime.Identities{w.bob}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

func body(t testing.TB, m *smime.Message) string {
	t.Helper()
	b, err := io.ReadAll(m.Body())
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// header returns the fields of the message in b.
func header(t testing.TB, b []byte) mail.Header {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return m.Header
}

// TestForEncryptionUnread: what was decided is never overlooked because the
// input failed for a moment.
func TestForEncryptionUnread(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	mail := smimetest.Mail("alice@example.com", "bob@example.com", strings.Repeat("pay 5 to bob\r\n", 1<<17))
	signed := sign(t, mail, w.alice, &smime.SignOptions{ForEncryption: true, Opaque: true})
	failed, passed := 0, 0
	for at := 1; passed == 0 && at < 1000; at++ {
		var out bytes.Buffer
		in := &stumbling{ReadSeeker: bytes.NewReader(signed), at: at}
		err := smime.Encrypt(t.Context(), &out, in, w.toBob, nil)
		switch {
		case in.at > 0:
			passed++
		case err != nil:
			failed++
		}
		if err == nil && !bytes.Contains(out.Bytes(), []byte("Subject: [...]")) {
			t.Errorf("read %d fails: the subject is outside", at)
		}
	}
	if failed < 2 || passed != 1 {
		t.Errorf("%d failures, %d passed", failed, passed)
	}
}

// A stumbling reader fails at its at-th Read only.
type stumbling struct {
	io.ReadSeeker
	at int
}

func (s *stumbling) Read(p []byte) (int, error) {
	if s.at--; s.at == 0 {
		return 0, errors.New("stumbled")
	}
	return s.ReadSeeker.Read(p)
}

// TestForEncryption: Encrypt hides what Sign recorded, as Seal does at once.
func TestForEncryption(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			signed := sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{ForEncryption: true, Opaque: opaque})
			sealed := encrypt(t, signed, w.toBob, nil)
			if got := header(t, sealed).Get("Subject"); got != "[...]" {
				t.Errorf("Subject outside is %q", got)
			}
			m := open(t, sealed, w)
			if _, err := m.Signer(); err != nil {
				t.Errorf("%v\n%s", err, m)
			}
			if !strings.Contains(body(t, m), "HP-Outer: Subject: [...]") {
				t.Error(body(t, m))
			}
		})
	}
	// A gateway may have lost the transfer encoding.
	lost := bytes.Replace(sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{ForEncryption: true, Opaque: true}),
		[]byte("Content-Transfer-Encoding: base64\r\n"), nil, 1)
	sealedLost := encrypt(t, lost, w.toBob, nil)
	if _, err := open(t, sealedLost, w).Signer(); err != nil || header(t, sealedLost).Get("Subject") != "[...]" {
		t.Errorf("Subject outside is %q, %v", header(t, sealedLost).Get("Subject"), err)
	}
	// What is under several signatures was decided under the first.
	for _, forms := range [][]bool{{false, false}, {false, true}, {true, false}, {true, true}, {true, false, true}} {
		t.Run(fmt.Sprintf("signed %v", forms), func(t *testing.T) {
			signed := []byte(crlf(plainMail))
			for _, opaque := range forms {
				signed = sign(t, signed, w.alice, &smime.SignOptions{ForEncryption: true, Opaque: opaque})
			}
			sealed := encrypt(t, signed, w.toBob, nil)
			if got := header(t, sealed).Get("Subject"); got != "[...]" {
				t.Errorf("Subject outside is %q", got)
			}
			var out bytes.Buffer
			if _, _, err := smime.Unseal(t.Context(), &out, bytes.NewReader(sealed), smime.Identities{w.bob}, w.trust, nil); err != nil {
				t.Error(err)
			}
		})
	}
	nested := []byte(crlf(plainMail))
	for range 10 {
		nested = sign(t, nested, w.alice, nil)
	}
	var none bytes.Buffer
	if err := smime.Encrypt(t.Context(), &none, bytes.NewReader(nested), w.toBob, nil); !errors.Is(err, smime.ErrLimit) || none.Len() > 0 {
		t.Errorf("ten signatures: %d bytes, %v", none.Len(), err)
	}
	// What was signed without it hides nothing: the signed header says so.
	sealed := encrypt(t, sign(t, []byte(crlf(plainMail)), w.alice, nil), w.toBob, nil)
	if got := header(t, sealed).Get("Subject"); got != "Lunch" {
		t.Errorf("Subject outside is %q", got)
	}
}

// TestTripleWrap: sign, encrypt, sign (RFC 2634 section 1.1).
func TestTripleWrap(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			var sealed bytes.Buffer
			if err := smime.Seal(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), w.alice, w.toBob, nil); err != nil {
				t.Fatal(err)
			}
			wrapped := sign(t, sealed.Bytes(), w.alice, &smime.SignOptions{Opaque: opaque})
			_, cms, _ := bytes.Cut(sealed.Bytes(), []byte("\r\n\r\n"))
			if !opaque && !bytes.Contains(wrapped, cms) {
				t.Error("the encrypted layer was changed")
			}
			if got := header(t, wrapped).Get("Subject"); got != "[...]" {
				t.Errorf("Subject outside is %q", got)
			}
			m := open(t, wrapped, w)
			if _, err := m.Signer(); err != nil {
				t.Errorf("%v\n%s", err, m)
			}
			if err := m.Confidential(); err != nil {
				t.Error(err)
			}
			var out bytes.Buffer
			if _, _, err := smime.Unseal(t.Context(), &out, bytes.NewReader(wrapped), smime.Identities{w.bob}, w.trust, nil); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestForward: what was signed is passed on octet by octet, alone or inside
// another message (RFC 8551 section 3.1.3; RFC 1847 section 2.1).
func TestForward(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, eol := range []string{"\r\n", "\n"} {
		t.Run(fmt.Sprintf("%q", eol), func(t *testing.T) {
			inner := sign(t, []byte(crlf(mixedMail)), w.alice, nil)
			inner = bytes.ReplaceAll(inner, []byte("\r\n"), []byte(eol))
			forward := "From: bob@example.com\nTo: carol@example.com\nSubject: Fwd\nContent-Type: multipart/mixed; boundary=f\n\n--f\nContent-Type: text/plain; charset=utf-8\n\nÄh, look at this message:\n--f\nContent-Type: message/rfc822\n\n"
			mail := append([]byte(strings.ReplaceAll(forward, "\n", eol)), inner...)
			mail = append(mail, strings.ReplaceAll("--f--\n", "\n", eol)...)
			signed := sign(t, mail, w.bob, nil)
			at := bytes.Index(signed, []byte("Content-Type: message/rfc822\r\n\r\n"))
			end := bytes.Index(signed, []byte("\r\n--f--"))
			if at < 0 || end < at {
				t.Fatalf("%s", signed)
			}
			got := signed[at+len("Content-Type: message/rfc822\r\n\r\n") : end]
			want := bytes.ReplaceAll(bytes.ReplaceAll(inner, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
			if string(got) != strings.TrimSuffix(string(want), "\r\n") {
				t.Errorf("the forwarded message was changed:\n%s", got)
			}
			if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(append(got, "\r\n"...)), w.trust, nil); err != nil {
				t.Error(err)
			}
			if !bytes.Contains(signed, []byte("=C3=84h, look at this message:")) {
				t.Error("the text beside it was not encoded")
			}
		})
	}
}

func TestCoSigners(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	r, err := rsaKey()
	if err != nil {
		t.Fatal(err)
	}
	carol := w.ca.Certify(r, "carol@example.com")
	signed := sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{
		CoSigners: []*smime.Identity{carol}, RequestReceipt: []string{"bob@example.com"}, EncryptTo: w.bob.Certificate(),
		Certificates: smime.ChainWithRoot, ByKeyID: true,
	})
	s, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil)
	if err != nil {
		t.Fatal(err)
	}
	if to, ok := s.ReceiptRequest(); !ok || len(to) != 1 || to[0] != "bob@example.com" {
		t.Errorf("receipt from %q", to)
	}
	if c := s.EncryptTo(); c == nil || !bytes.Equal(c.Raw, w.bob.Certificate().Raw) {
		t.Error("EncryptTo is lost")
	}
	if !s.Capabilities().Reads(pkcs7.AES256GCM) {
		t.Error("capabilities are lost")
	}
	silent := sign(t, []byte(crlf(plainMail)), w.alice, &smime.SignOptions{Capabilities: smime.Capabilities{}})
	if s, err = smime.Verify(t.Context(), io.Discard, bytes.NewReader(silent), w.trust, nil); err != nil || s.Capabilities() != nil {
		t.Errorf("capabilities %v, error %v", s.Capabilities(), err)
	}
}

// TestWrapBinary: an S/MIME layer whose transfer encoding is binary is encoded
// and stays the same object.
func TestWrapBinary(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	var sealed bytes.Buffer
	if err := smime.Seal(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), w.alice, w.toBob, nil); err != nil {
		t.Fatal(err)
	}
	der, _ := cmsOf(t, sealed.Bytes())
	head, _, _ := bytes.Cut(sealed.Bytes(), []byte("\r\n\r\n"))
	binary := append(bytes.Replace(head, []byte("base64"), []byte("binary"), 1), "\r\n\r\n"...)
	wrapped := sign(t, append(binary, der...), w.alice, nil)
	if err := transportSafe(wrapped); err != nil {
		t.Error(err)
	}
	if _, _, err := smime.Unseal(t.Context(), io.Discard, bytes.NewReader(wrapped), smime.Identities{w.bob}, w.trust, nil); err != nil {
		t.Error(err)
	}
}

// TestInternationalAuthor: SmtpUTF8Mailbox and a domain that is not ASCII
// (RFC 9598), in the forms that a message may have.
func TestInternationalAuthor(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	jorg := w.ca.Identity("jörg@exämple.com")
	for _, from := range []string{"jörg@exämple.com", "Jörg <jörg@xn--exmple-cua.com>"} {
		t.Run(from, func(t *testing.T) {
			in := "From: " + from + "\r\nTo: bob@example.com\r\nSubject: Grüße\r\n\r\nGrüße\r\n"
			signed := sign(t, []byte(in), jorg, nil)
			if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil); err != nil {
				t.Error(err)
			}
			if !bytes.Contains(signed, []byte("Subject: =?utf-8?")) {
				t.Error("the Subject could have been ASCII")
			}
		})
	}
	ascii := w.ca.Identity("alice@exämple.com")
	signed := sign(t, []byte("From: Älice <alice@xn--exmple-cua.com>\r\n\r\nx\r\n"), ascii, nil)
	if err := transportSafe(signed); err != nil {
		t.Error(err)
	}
	if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil); err != nil {
		t.Error(err)
	}
}

// TestLongAddressList: a list without blanks is folded all the same.
func TestLongAddressList(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	var list []string
	for i := range 200 {
		list = append(list, fmt.Sprintf("person%d@example.com", i))
	}
	signed := sign(t, []byte("From: alice@example.com\r\nTo: "+strings.Join(list, ",")+"\r\n\r\nx\r\n"), w.alice, nil)
	if err := transportSafe(signed); err != nil {
		t.Error(err)
	}
	got, err := header(t, signed).AddressList("To")
	if err != nil || len(got) != 200 {
		t.Errorf("%d addresses, error %v", len(got), err)
	}
	if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(signed), w.trust, nil); err != nil {
		t.Error(err)
	}
}

// TestHeaderPolicies: what is outside, and recorded, for each policy.
func TestHeaderPolicies(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	in := "Received: by x; Wed, 02 Jan 2030 03:04:05 +0000\nFrom: Alice A. <alice@example.com>\nTo: Bob <bob@example.com>, \"C, D\" <c@example.com>\nSubject: Lunch\nKeywords: food\n" +
		"Date: Wed, 02 Jan 2030 03:04:05 +0200\nBcc: x@example.com\nX-Mine: y\nContent-Type: text/plain\n\nx\n"
	for _, tt := range []struct {
		policy  smime.HeaderPolicy
		subject string
		from    string
		to      string
		date    string
		hidden  []string // fields that are not outside
		display bool
		hp      bool
	}{
		{smime.HideSubject, "[...]", "Alice A. <alice@example.com>", "Bob <bob@example.com>, \"C, D\" <c@example.com>", "Wed, 02 Jan 2030 03:04:05 +0200", []string{"Keywords", "Bcc"}, true, true},
		{smime.HideMost, "[...]", "alice@example.com", "bob@example.com, c@example.com", "Wed, 02 Jan 2030 01:04:05 +0000", []string{"Keywords", "Bcc"}, true, true},
		{smime.HideNothing, "Lunch", "Alice A. <alice@example.com>", "Bob <bob@example.com>, \"C, D\" <c@example.com>", "Wed, 02 Jan 2030 03:04:05 +0200", []string{"Bcc"}, false, true},
		{smime.PlainHeader, "Lunch", "Alice A. <alice@example.com>", "Bob <bob@example.com>, \"C, D\" <c@example.com>", "Wed, 02 Jan 2030 03:04:05 +0200", []string{"Bcc"}, false, false},
	} {
		t.Run(fmt.Sprintf("policy %d", tt.policy), func(t *testing.T) {
			sealed := encrypt(t, []byte(in), w.toBob, &smime.EncryptOptions{Header: tt.policy})
			h := header(t, sealed)
			if h.Get("Subject") != tt.subject || h.Get("From") != tt.from || h.Get("To") != tt.to || h.Get("Date") != tt.date || h.Get("X-Mine") != "y" || h.Get("Received") == "" {
				t.Error(h)
			}
			for _, name := range tt.hidden {
				if h.Get(name) != "" {
					t.Errorf("%s is outside", name)
				}
			}
			var out bytes.Buffer
			if _, err := smime.Decrypt(t.Context(), &out, bytes.NewReader(sealed), smime.Identities{w.bob}, nil); err != nil {
				t.Fatal(err)
			}
			inside := header(t, out.Bytes())
			if tt.hp != (inside.Get("Subject") == "Lunch" && strings.Contains(inside.Get("Content-Type"), `hp="cipher"`)) || inside.Get("Received") != "" || inside.Get("Bcc") != "" {
				t.Errorf("inside %v", inside)
			}
			if tt.display == (!strings.Contains(out.String(), "\r\nSubject: Lunch\r\nKeywords: food\r\n\r\nx") && !strings.Contains(out.String(), "\r\nSubject: Lunch\r\nKeywords: food\r\nDate: Wed, 02 Jan 2030 03:04:05 +0200\r\n\r\nx")) {
				t.Errorf("legacy display\n%s", out.String())
			}
			outer := inside["Hp-Outer"]
			want := 5 // Subject, From, To, Date, X-Mine
			if tt.policy == smime.HideNothing {
				want = 6
			}
			if !tt.hp {
				want = 0
			}
			if len(outer) != want {
				t.Errorf("HP-Outer %q", outer)
			}
		})
	}
	signed := sign(t, []byte(in), w.alice, nil)
	if !bytes.Contains(signed, []byte(`hp="clear"`)) || bytes.Contains(signed, []byte("HP-Outer")) || header(t, signed).Get("Subject") != "Lunch" {
		t.Errorf("%s", signed)
	}
	stale := strings.Replace(in, "text/plain", `text/plain; charset=utf-8; hp="cipher"`, 1)
	if plain := sign(t, []byte(stale), w.alice, &smime.SignOptions{Header: smime.PlainHeader}); bytes.Contains(plain, []byte("hp=")) || !bytes.Contains(plain, []byte("charset=utf-8")) {
		t.Errorf("%s", plain)
	}
	if plain := sign(t, []byte(in), w.alice, &smime.SignOptions{Header: smime.PlainHeader}); bytes.Contains(plain, []byte("hp=")) || bytes.Count(plain, []byte("Lunch")) != 1 {
		t.Errorf("%s", plain)
	}
}

// TestRFC9788Payload composes the message of RFC 9788 appendix C.3.1 from the
// message it was made of and compares the payload with the one printed there.
func TestRFC9788Payload(t *testing.T) {
	want, err := os.ReadFile(suites.Corpus(t, "rfc9788-header-protection", "smime-signed-enc-hp-baseline.payload.txt"))
	if err != nil {
		t.Fatal(err)
	}
	want = bytes.ReplaceAll(bytes.ReplaceAll(want, []byte("\r\n"), []byte("\n")), []byte("\n"), []byte("\r\n"))
	var in []byte
	for line := range bytes.Lines(want) {
		switch {
		case bytes.HasPrefix(line, []byte("HP-Outer:")):
		case bytes.HasPrefix(line, []byte("Content-Type:")):
			in = append(in, bytes.Replace(line, []byte(`; hp="cipher"`), nil, 1)...)
		default:
			in = append(in, line...)
		}
	}
	w := newSendFixture(t)
	sealed := encrypt(t, in, w.toBob, nil)
	var out bytes.Buffer
	if _, err := smime.Decrypt(t.Context(), &out, bytes.NewReader(sealed), smime.Identities{w.bob}, nil); err != nil {
		t.Fatal(err)
	}
	got, expected := header(t, out.Bytes()), header(t, want)
	// The example has no Legacy Display Element; its sender knew the reader.
	got["Content-Type"][0] = strings.Replace(got["Content-Type"][0], `; hp-legacy-display="1"`, "", 1)
	if len(got) != len(expected) {
		t.Errorf("fields %v", got)
	}
	for name, values := range expected {
		if strings.Join(got[name], "\n") != strings.Join(values, "\n") {
			t.Errorf("%s: %q, want %q", name, got[name], values)
		}
	}
	_, a, _ := strings.Cut(out.String(), "\r\n\r\n")
	_, b, _ := strings.Cut(string(want), "\r\n\r\n")
	if a != "Subject: smime-signed-enc-hp-baseline\r\n\r\n"+b {
		t.Errorf("body %q", a)
	}
	outer := header(t, sealed)
	for _, v := range expected["Hp-Outer"] {
		name, value, _ := strings.Cut(v, ": ")
		if outer.Get(name) != value {
			t.Errorf("outside: %s: %q", name, outer.Get(name))
		}
	}
}

// TestSealSigned: what somebody else signed with octets that transport does not
// carry can be sent inside encryption, and not otherwise.
func TestSealSigned(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	other := smimetest.Signed(t, w.alice, "Grüße")
	var out, sealed bytes.Buffer
	if err := smime.Sign(t.Context(), &out, bytes.NewReader(other), w.alice, nil); !errors.Is(err, smime.ErrNotTransportSafe) || out.Len() > 0 {
		t.Errorf("%d bytes, error %v", out.Len(), err)
	}
	if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(other), w.alice, w.toBob, nil); err != nil {
		t.Fatal(err)
	}
	m := open(t, sealed.Bytes(), w)
	if s, err := m.Signer(); err != nil || s.Mailbox() != "alice@example.com" || !strings.Contains(body(t, m), "Grüße") {
		t.Errorf("%v\n%s", err, m)
	}
}

// TestLegacyDisplayForms: the element is in every main body, in the charset and
// transfer encoding of the part, and in no attachment.
func TestLegacyDisplayForms(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	in := "From: alice@example.com\nSubject: =?utf-8?Q?Gr=C3=BC=C3=9Fe_&_mehr?=\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=m\n\n" +
		"--m\nContent-Type: multipart/alternative; boundary=a\n\n" +
		"--a\n\nno header at all, and \xc3\xa4\n" +
		"--a\nContent-Type: text/plain; charset=iso-8859-1; name=\"\xe4\"\n\nlatin \xe4\n" +
		"--a\nContent-Type: text/html; charset=utf-8; name=\"\xc3\xa4\"\nContent-Transfer-Encoding: base64\n\nPGh0bWw+PGJvZHk+aGk8L2JvZHk+PC9odG1sPg==\n" +
		"--a\nContent-Type: text/html\n\n<p>no body tag\n" +
		"--a\nContent-Type: text/plain; charset=utf-16\nContent-Transfer-Encoding: base64\n\nAGEAYg==\n" +
		"--a--\n--m\nContent-Type: text/plain\nContent-Disposition: attachment\n\nnot here\n--m\nContent-Type: text/plain\n\nnor here\n--m--\n"
	sealed := encrypt(t, []byte(in), w.toBob, nil)
	var out bytes.Buffer
	if _, err := smime.Decrypt(t.Context(), &out, bytes.NewReader(sealed), smime.Identities{w.bob}, nil); err != nil {
		t.Fatal(err)
	}
	got := out.String()
	for _, want := range []string{
		"Subject: Gr=C3=BC=C3=9Fe & mehr\r\n\r\nno header at all, and =C3=A4",
		"Subject: Gr=FC=DFe & mehr\r\n\r\nlatin =E4",
		base64.StdEncoding.EncodeToString([]byte("<html><body>\r\n<div class=\"header-protection"))[:48],
		"<pre>Subject: Gr=C3=BC=C3=9Fe &amp; mehr</pre></div><p>no body tag",
		"AGEAYg==", "\r\n\r\nnot here", "\r\n\r\nnor here",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing", want)
		}
	}
	if n := strings.Count(got, `hp-legacy-display`); n != 4 {
		t.Errorf("%d parts are marked\n%s", n, got)
	}
}
