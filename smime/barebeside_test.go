package smime_test

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestOpenBareBesideText opens CMS objects without a header, and refuses what
// other programs may show beside one.
func TestOpenBareBesideText(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	var signed bytes.Buffer
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	if err := smime.Sign(t.Context(), &signed, bytes.NewReader(mail), ca.Identity("alice@example.com"), &smime.SignOptions{Opaque: true}); err != nil {
		t.Fatal(err)
	}
	_, lines, _ := strings.Cut(signed.String(), "\r\n\r\n")
	lines = strings.TrimRight(lines, "\r\n") + "\r\n"
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(lines, "\r\n", ""))
	if err != nil {
		t.Fatal(err)
	}
	line := base64.StdEncoding.EncodeToString(der)
	const begin, end = "-----BEGIN PKCS7-----", "-----END PKCS7-----\r\n"
	const other = "From: mallory@example.org\r\nContent-Type: text/plain\r\n\r\nother text\r\n"
	for _, tt := range []struct {
		name, in string
		good     bool
	}{
		{"DER", string(der), true},
		{"base64", lines, true},
		{"base64 in one line", line, true},
		{"PEM", begin + "\r\n" + lines + end, true},
		{"PEM without the last line", begin + "\r\n" + lines, true},
		{"PEM and blank lines", begin + " \r\n" + lines + end + "\r\n \r\n", true},
		{"DER and mail", string(der) + other, false},
		{"base64 and mail", lines + other, false},
		{"PEM and mail", begin + "\r\n" + lines + end + other, false},
		{"PEM twice", strings.Repeat(begin+"\r\n"+lines+end, 2), false},
		{"a field named like PEM", begin + ": x\r\n" + lines + end, false},
		{"a field named like the beginning of PEM", begin + "X: x\r\n" + lines, false},
		{"a field named like base64", strings.TrimRight(line, "=") + ": x\r\n" + other, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, err := smime.Open(t.Context(), strings.NewReader(tt.in), &smime.OpenOptions{Trust: ca.Trust()})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			s, err := m.Signer()
			if (err == nil) != tt.good {
				t.Fatal(err)
			}
			if tt.good && s.Mailbox() != "alice@example.com" {
				t.Error(s.Mailbox())
			}
		})
	}
	t.Run("a first field named like base64 is a header", func(t *testing.T) {
		m, err := smime.Open(t.Context(), strings.NewReader(line[:48]+": x\r\n"+other), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		body, err := io.ReadAll(m.Body())
		if err != nil || !strings.HasSuffix(string(body), "\r\n\r\nother text\r\n") {
			t.Errorf("%q, %v", body, err)
		}
	})
}
