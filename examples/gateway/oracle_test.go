package main

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// inCBC encrypts an entity to bob with a cipher that anybody can change.
func inCBC(t *testing.T, bob *smime.Identity, entity string) []byte {
	t.Helper()
	var b bytes.Buffer
	to := []pkcs7.Recipient{pkcs7.ToCertificate(bob.Certificate(), nil)}
	w, err := pkcs7.NewEncryptWriter(t.Context(), &b, to, &pkcs7.EncryptOptions{Cipher: pkcs7.AES256CBC, Size: int64(len(entity))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(entity)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func envelopedMail(der []byte) string {
	var b strings.Builder
	b.WriteString("From: mallory@evil.example\r\nTo: bob@example.com\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(der)
	for ; len(text) > 76; text = text[76:] {
		b.WriteString(text[:76] + "\r\n")
	}
	return b.String() + text + "\r\n"
}

// A captured message is one that an attacker rebuilds around blocks of its
// ciphertext.
type captured struct {
	iv, text []byte
	kept     []byte // the elements before the EncryptedContentInfo
}

func capture(t *testing.T, der []byte) *captured {
	t.Helper()
	elements := func(der []byte) (list []asn1.RawValue) {
		for len(der) > 0 {
			var v asn1.RawValue
			rest, err := asn1.Unmarshal(der, &v)
			if err != nil {
				t.Fatal(err)
			}
			list, der = append(list, v), rest
		}
		return list
	}
	envelope := elements(elements(elements(elements(der)[0].Bytes)[1].Bytes)[0].Bytes)
	c := new(captured)
	for _, e := range envelope[:len(envelope)-1] {
		c.kept = append(c.kept, e.FullBytes...)
	}
	info := elements(envelope[len(envelope)-1].Bytes)
	c.iv, c.text = elements(info[1].Bytes)[1].Bytes, info[2].Bytes
	return c
}

// with returns the message with another IV and ciphertext.
func (c *captured) with(t *testing.T, iv, text []byte) []byte {
	t.Helper()
	der := func(v any) []byte {
		b, err := asn1.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	element := func(class, tag int, parts ...[]byte) []byte {
		return der(asn1.RawValue{Class: class, Tag: tag, IsCompound: true, Bytes: bytes.Join(parts, nil)})
	}
	oid := func(arcs ...int) []byte { return der(asn1.ObjectIdentifier(arcs)) }
	info := element(0, asn1.TagSequence, oid(1, 2, 840, 113549, 1, 7, 1),
		element(0, asn1.TagSequence, oid(2, 16, 840, 1, 101, 3, 4, 1, 42), der(iv)),
		der(asn1.RawValue{Class: asn1.ClassContextSpecific, Bytes: text}))
	return element(0, asn1.TagSequence, oid(1, 2, 840, 113549, 1, 7, 3),
		element(asn1.ClassContextSpecific, 0, element(0, asn1.TagSequence, c.kept, info)))
}

func (c *captured) block(i int) []byte {
	if i < 0 {
		return c.iv
	}
	return c.text[16*i : 16*i+16]
}

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

// TestNoDecryptionOracle guesses an octet of a captured CBC mail with a message
// that has a header section of more than a MiB unless the guess is right. Nothing
// that the gateway answers or relays may tell the two apart.
func TestNoDecryptionOracle(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	next := newSink(t)
	addr := inboundOf(t, ca, next, bob)
	plain := "Content-Type: text/plain\r\n\r\nYour PIN is: 7391, keep it.\r\n"
	c := capture(t, inCBC(t, bob, plain))
	first := xor([]byte(plain[:16]), c.iv) // the first block, decrypted
	filler := bytes.Repeat(c.block(0), 65_600)
	at := strings.Index(plain, "7391")
	guess := func(octet byte) []byte {
		delta := make([]byte, 16)
		delta[at%16-1], delta[at%16] = ' '^'\n', octet^'\n' // a blank line, if it is right
		text := bytes.Join([][]byte{c.block(0), xor(c.block(at/16-1), delta), c.block(at / 16), filler,
			xor([]byte("cccccccccccccc\x02\x02"), first), c.block(0)}, nil)
		return c.with(t, xor([]byte("a:bbbbbbbbbbbbb\n"), first), text)
	}
	for _, octet := range []byte("71") {
		mail := envelopedMail(guess(octet))
		if err := sendIn(t, addr, mail); err != nil {
			t.Errorf("a guess of %c: %v", octet, err)
		}
		got := next.take()
		if len(got) != 1 || !bytes.HasSuffix(got[0].mail, []byte(mail[strings.Index(mail, "Content-Type"):])) {
			t.Errorf("a guess of %c: %d messages, %.600q", octet, len(got), got)
		}
	}
}

// TestSameAnswerToEveryCiphertext holds that the gateway takes every CBC mail
// that nobody signed and passes it on as it came, whatever is inside.
func TestSameAnswerToEveryCiphertext(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	next := newSink(t)
	addr := inboundOf(t, ca, next, bob)
	text := "Content-Type: text/plain\r\n\r\n" + strings.Repeat("hello ", 10) + "\r\n"
	bad := inCBC(t, bob, text)
	bad[len(bad)-17] ^= 0x80
	for name, der := range map[string][]byte{
		"text":        inCBC(t, bob, text),
		"bad padding": bad,
		"8 bit":       inCBC(t, bob, text+"\xff\r\n"),
		"many parts":  inCBC(t, bob, "Content-Type: multipart/mixed; boundary=b\r\n\r\n"+strings.Repeat("--b\r\n\r\nx\r\n", 2000)+"--b--\r\n"),
		"deep":        inCBC(t, bob, strings.Repeat("Content-Type: message/rfc822\r\n\r\n", 100)+text),
		"broken":      inCBC(t, bob, "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nMIIB\r\n"),
		"encrypted":   inCBC(t, bob, envelopedMail(inCBC(t, bob, text))),
		"long header": inCBC(t, bob, "A: "+strings.Repeat("a", 1<<20)+"\r\n"+text),
	} {
		t.Run(name, func(t *testing.T) {
			mail := envelopedMail(der)
			if err := sendIn(t, addr, mail); err != nil {
				t.Fatal(err)
			}
			got := next.take()
			if len(got) != 1 || !bytes.HasSuffix(got[0].mail, []byte(mail[strings.Index(mail, "Content-Type"):])) {
				t.Errorf("%d messages, %.600q", len(got), got)
			}
		})
	}
}

func sendIn(t *testing.T, addr, mail string) error {
	t.Helper()
	client, err := smtp.Dial(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	return client.SendMail("mallory@evil.example", []string{"bob@example.com"}, strings.NewReader(mail))
}
