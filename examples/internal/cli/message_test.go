package cli_test

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestMessage decrypts what comes as a mail, DER, PEM and base64, from readers
// that give a byte at a time and from those that can go back.
func TestMessage(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	mail := smimetest.Mail("alice@example.com", "bob@example.com", strings.Repeat("the secret\r\n", 100))
	var der, sealed bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(t.Context(), &der, []pkcs7.Recipient{pkcs7.ToCertificate(bob.Certificate(), nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(mail); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := smime.Encrypt(t.Context(), &sealed, bytes.NewReader(mail), []*smime.Recipient{ca.Recipient(bob)}, nil); err != nil {
		t.Fatal(err)
	}
	oneLine := base64.StdEncoding.EncodeToString(der.Bytes())
	for name, message := range map[string][]byte{
		"mail":     sealed.Bytes(),
		"DER":      der.Bytes(),
		"PKCS7":    pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der.Bytes()}),
		"CMS":      append(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der.Bytes()}), "what follows"...),
		"CRLF":     bytes.ReplaceAll(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: der.Bytes()}), []byte("\n"), []byte("\r\n")),
		"long":     []byte("-----BEGIN CMS-----\n" + oneLine + "\n-----END CMS-----"),
		"base64":   []byte(oneLine),
		"wrapped":  []byte(strings.Join(strings.SplitAfter(oneLine, "M"), "\n")),
		"open PEM": []byte("-----BEGIN PKCS7-----\n" + oneLine),
	} {
		t.Run(name, func(t *testing.T) {
			for _, in := range []io.Reader{bytes.NewReader(message), iotest.OneByteReader(bytes.NewReader(message)), iotest.DataErrReader(bytes.NewReader(message))} {
				var content bytes.Buffer
				_, err := smime.Decrypt(t.Context(), &content, cli.Message(in), smime.Identities{bob}, nil)
				if err != nil || !bytes.Contains(content.Bytes(), []byte("the secret")) {
					t.Errorf("%v, %d bytes", err, content.Len())
				}
			}
		})
	}
}

// TestMessageUnchanged gives on what is no CMS, and the error that ends it.
func TestMessageUnchanged(t *testing.T) {
	long := make([]byte, 3000)
	if _, err := rand.Read(long); err != nil {
		t.Fatal(err)
	}
	long[0] = 'x'
	for _, text := range []string{"", "0", "\n", "MIIB", "From: alice@example.com\r\n\r\nhi", "-----BEGIN CERTIFICATE-----\n", string(long)} {
		got, err := io.ReadAll(cli.Message(strings.NewReader(text)))
		if err != nil || string(got) != text {
			t.Errorf("%.20q: %d bytes, %v", text, len(got), err)
		}
		got, err = io.ReadAll(cli.Message(io.MultiReader(strings.NewReader(text), iotest.ErrReader(io.ErrClosedPipe))))
		if err != io.ErrClosedPipe || string(got) != text {
			t.Errorf("%.20q: %d bytes, %v", text, len(got), err)
		}
	}
}

// TestMessageFails: an error at the start is no end, though it comes once.
func TestMessageFails(t *testing.T) {
	broken := errors.New("broken")
	for _, start := range []string{"", "From: alice@example.com\r\n\r\nhello\r\n", "\x30\x80"} {
		in := io.MultiReader(strings.NewReader(start), &failsOnce{broken}, strings.NewReader("the rest"))
		if _, err := io.ReadAll(cli.Message(in)); !errors.Is(err, broken) {
			t.Errorf("%q: %v", start, err)
		}
	}
}

type failsOnce struct{ err error }

func (f *failsOnce) Read([]byte) (int, error) {
	err := f.err
	f.err = io.EOF
	return 0, err
}
