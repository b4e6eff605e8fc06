package smime_test

import (
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
)

// TestTraceFieldsInside holds that what was written inside of an encryption never
// takes the place of what relays and filters wrote outside, nor stands beside it.
func TestTraceFieldsInside(t *testing.T) {
	t.Parallel()
	w := newReadFixture(t)
	for _, name := range []string{
		"Received", "Return-Path", "Delivered-To", "DKIM-Signature", "ARC-Seal", "Authentication-Results", "Received-SPF", "Resent-From",
		"X-Spam-Flag", "X-Spam-Status", "X-Virus-Scanned", "X-MS-Exchange-Organization-SCL", "X-Forefront-Antispam-Report",
		"X-Google-DKIM-Signature", "X-Received", "X-Original-To", "X-Authentication-Warning", "BIMI-Indicator",
	} {
		t.Run(name, func(t *testing.T) {
			for _, outside := range []string{"", name + ": outside\r\n"} {
				inner := "Content-Type: text/plain; hp=\"cipher\"\r\nHP-Outer: From: alice@example.com\r\nHP-Outer: " + name + ": outside\r\n" +
					"From: alice@example.com\r\nSubject: hidden\r\nX-Mailer: x\r\n" + name + ": inside\r\n\r\nhello\r\n"
				msg := append([]byte(outside), encrypted(t, w.bob, "alice@example.com", pkcs7.AES256GCM, []byte(inner))...)
				m, err := w.open(msg)
				if err != nil {
					t.Fatal(err)
				}
				var got, others []string
				for _, f := range m.Header() {
					if strings.EqualFold(f.Name, name) {
						got = append(got, f.Value)
						if f.Encrypted || f.Signed || f.Outer != "" {
							t.Errorf("%+v", f)
						}
					} else if f.Encrypted {
						others = append(others, f.Name)
					}
				}
				m.Close()
				if want := strings.TrimSuffix(strings.TrimPrefix(outside, name+": "), "\r\n"); strings.Join(got, ",") != want {
					t.Errorf("%q, want %q", got, want)
				}
				if strings.Join(others, ",") != "Subject,X-Mailer" {
					t.Errorf("others that are protected: %q", others)
				}
			}
		})
	}
}
