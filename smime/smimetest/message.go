package smimetest

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"mime"
	"net/mail"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// Mail returns a message that is neither signed nor encrypted.
func Mail(from, to, text string) []byte {
	return []byte("From: " + from + "\r\nTo: " + to + "\r\nSubject: Test\r\n" +
		"Date: Wed, 02 Jan 2030 03:04:05 +0000\r\nMessage-ID: <1@smimetest.example>\r\nMIME-Version: 1.0\r\n" +
		entity(text))
}

// entity returns a MIME entity with the text.
func entity(text string) string {
	lines := strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\n", "\r\n")
	return "Content-Type: text/plain; charset=utf-8\r\n\r\n" + lines + "\r\n"
}

// Signed returns a clear-signed message from id's mailbox with the given text:
// of the mailbox that the certificate was asked for, whatever its flaws. Unlike
// [smime.Sign] it does not mind what is wrong with id. The text must be ASCII.
func Signed(t testing.TB, id *smime.Identity, text string) []byte {
	t.Helper()
	from := id.Certificate().Subject.CommonName
	if !strings.Contains(from, "@") {
		boxes := id.Mailboxes()
		if len(boxes) == 0 {
			t.Fatal("smimetest: the certificate names no mailbox")
		}
		from = boxes[0]
	}
	return Spoofed(t, id, from, text)
}

// Spoofed returns a message that id signed and that claims to be from another
// mailbox.
func Spoofed(t testing.TB, id *smime.Identity, from, text string) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	content := entity(text)
	var sig bytes.Buffer
	if err := pkcs7.SignDetached(t.Context(), &sig, strings.NewReader(content), []pkcs7.SigningKey{key}, nil); err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	const boundary = "=_smimetest"
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nTo: team@example.com\r\nSubject: Test\r\nDate: Wed, 02 Jan 2030 03:04:05 +0000\r\n", from)
	fmt.Fprintf(&b, "Message-ID: <1@smimetest.example>\r\nMIME-Version: 1.0\r\n")
	fmt.Fprintf(&b, "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256;\r\n boundary=%q\r\n\r\n", boundary)
	fmt.Fprintf(&b, "--%s\r\n%s\r\n--%s\r\n", boundary, content, boundary)
	b.WriteString("Content-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n" +
		"Content-Disposition: attachment; filename=smime.p7s\r\n\r\n")
	writeBase64(&b, sig.Bytes())
	fmt.Fprintf(&b, "--%s--\r\n", boundary)
	return b.Bytes()
}

// Encrypted returns a message from id with the given text, encrypted and not
// signed. Nobody checks who issued the certificates of the people it is for,
// nor whether they are revoked, but [smime.Encrypt] refuses one that is expired
// or not yet valid today, and the test fails. Package pkcs7 encrypts to those.
func Encrypted(t testing.TB, from *smime.Identity, text string, to ...*smime.Identity) []byte {
	t.Helper()
	if len(to) == 0 {
		t.Fatal("smimetest: nobody to encrypt to")
	}
	return encrypted(t, Mail(addressOf(from), addressOf(to[0]), text), to)
}

// Sealed returns a message that id signed, whatever the flaws of id, and
// encrypted to people as [Encrypted] does: an expired certificate of one of
// them fails the test.
func Sealed(t testing.TB, id *smime.Identity, text string, to ...*smime.Identity) []byte {
	t.Helper()
	return encrypted(t, Signed(t, id, text), to)
}

func addressOf(id *smime.Identity) string {
	if cn := id.Certificate().Subject.CommonName; strings.Contains(cn, "@") {
		return cn
	}
	return strings.Join(id.Mailboxes(), ", ")
}

func encrypted(t testing.TB, message []byte, to []*smime.Identity) []byte {
	t.Helper()
	var list []*smime.Recipient
	for _, id := range to {
		list = append(list, smime.InsecureRecipient(addressOf(id), id.Certificate(), nil))
	}
	var out bytes.Buffer
	if err := smime.Encrypt(t.Context(), &out, bytes.NewReader(message), list, nil); err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	return out.Bytes()
}

// Tamper changes one byte of the signed content of a message, clear or opaque,
// or one byte of the ciphertext of an encrypted one.
func Tamper(t testing.TB, message []byte) []byte {
	t.Helper()
	head := bytes.Index(message, []byte("\r\n\r\n"))
	if head < 0 {
		t.Fatal("smimetest: not a message")
	}
	out := bytes.Clone(message)
	if delimiter := signedDelimiter(message); delimiter != "" {
		// The text before the first delimiter is not signed.
		start := bytes.Index(message[head:], []byte("\r\n"+delimiter))
		if start < 0 {
			t.Fatal("smimetest: no signed part")
		}
		start += head
		part := bytes.Index(message[start:], []byte("\r\n\r\n"))
		if part < 0 {
			t.Fatal("smimetest: no signed part")
		}
		flip(t, out[start+part+4:])
		return out
	}
	der, err := base64.StdEncoding.DecodeString(string(bytes.Join(bytes.Fields(message[head+4:]), nil)))
	if err != nil {
		t.Fatalf("smimetest: neither signed nor encrypted: %v", err)
	}
	if text := bytes.Index(der, []byte("\r\n\r\n")); text >= 0 {
		flip(t, der[text+4:])
	} else {
		der[len(der)-len(der)/8-1] ^= 1
	}
	b := bytes.NewBuffer(out[:head+4])
	writeBase64(b, der)
	return b.Bytes()
}

// signedDelimiter returns the delimiter of the parts of a multipart/signed
// message, "" of another.
func signedDelimiter(message []byte) string {
	m, err := mail.ReadMessage(bytes.NewReader(message))
	if err != nil {
		return ""
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/signed" {
		return ""
	}
	return "--" + params["boundary"]
}

// flip changes the first letter or digit of b into another one.
func flip(t testing.TB, b []byte) {
	t.Helper()
	for i, c := range b {
		switch {
		case c >= '0' && c <= '8', c >= 'a' && c <= 'y', c >= 'A' && c <= 'Y':
			b[i]++
			return
		case c == '9', c == 'z', c == 'Z':
			b[i]--
			return
		}
	}
	t.Fatal("smimetest: no content to change")
}

// writeBase64 writes lines of 64 characters.
func writeBase64(b *bytes.Buffer, der []byte) {
	s := base64.StdEncoding.EncodeToString(der)
	for len(s) > 0 {
		n := min(64, len(s))
		b.WriteString(s[:n] + "\r\n")
		s = s[n:]
	}
}
