//go:build !js

package main

import (
	"strings"
	"testing"
)

func TestPlainText(t *testing.T) {
	part := func(header, body string) string { return "--x\r\n" + header + "\r\n\r\n" + body + "\r\n" }
	multi := func(kind string, parts ...string) string {
		return "Content-Type: multipart/" + kind + "; boundary=x\r\n\r\n" + strings.Join(parts, "") + "--x--\r\n"
	}
	for name, tt := range map[string]struct{ entity, text, charset string }{
		"text":              {"Content-Type: text/plain; charset=ISO-8859-1\r\n\r\nGr\xfc\xdfe", "Gr\xfc\xdfe", "ISO-8859-1"},
		"no type":           {"Subject: x\r\n\r\nhello", "hello", "us-ascii"},
		"quoted-printable":  {"Content-Type: text/plain\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\na=3Db", "a=b", ""},
		"base64":            {"Content-Type: text/plain\r\nContent-Transfer-Encoding: BASE64\r\n\r\naGVs\r\nbG8=", "hello", ""},
		"alternative":       {multi("alternative", part("Content-Type: text/html", "<b>html</b>"), part("Content-Type: text/plain", "plain")), "plain", ""},
		"HTML alone":        {"Content-Type: text/html\r\n\r\n<b>html</b>", "", ""},
		"attachment":        {"Content-Type: text/plain\r\nContent-Disposition: attachment; filename=a\r\n\r\nattached", "", ""},
		"in capitals":       {"Content-Type: text/plain\r\nContent-Disposition: ATTACHMENT\r\n\r\nattached", "", ""},
		"after attachments": {multi("mixed", part("Content-Disposition: Attachment;\r\n filename=a", "attached"), part("Content-Disposition: inline", "inline")), "inline", "us-ascii"},
		"no boundary":       {"Content-Type: multipart/mixed\r\n\r\nx", "", ""},
		"no header":         {"", "", ""},
	} {
		text, charset := plainText(strings.NewReader(tt.entity))
		if string(text) != tt.text || charset != tt.charset {
			t.Errorf("%s: %q in %q", name, text, charset)
		}
	}
	deep := strings.Repeat("Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n", 100) + "\r\ndeep"
	if text, _ := plainText(strings.NewReader(deep)); text != nil {
		t.Errorf("%q", text)
	}
	long := "Content-Type: text/plain\r\n\r\n" + strings.Repeat("x", 2*maxText)
	if text, _ := plainText(strings.NewReader(long)); len(text) != maxText {
		t.Errorf("%d octets are shown", len(text))
	}
}
