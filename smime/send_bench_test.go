package smime_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// letter returns a message with a base64 attachment of about n octets.
func letter(n int) []byte {
	var b bytes.Buffer
	b.WriteString(crlf("From: alice@example.com\nTo: bob@example.com\nSubject: Report\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=frontier\n\n" +
		"--frontier\nContent-Type: text/plain\n\nSee below.\n--frontier\nContent-Type: application/octet-stream\nContent-Transfer-Encoding: base64\n\n"))
	line := strings.Repeat("QUJDRGVm", 9) + "QUJD\r\n"
	for b.Len() < n-20 {
		b.WriteString(line)
	}
	b.WriteString("--frontier--\r\n")
	return b.Bytes()
}

func BenchmarkSend(b *testing.B) {
	w := newSendFixture(b)
	for _, size := range []int{1 << 10, 1 << 20, 64 << 20} {
		in := letter(size)
		for _, verb := range []struct {
			name string
			do   func(io.Reader) error
		}{
			{"sign", func(r io.Reader) error { return smime.Sign(b.Context(), io.Discard, r, w.alice, nil) }},
			{"sign-opaque", func(r io.Reader) error {
				return smime.Sign(b.Context(), io.Discard, r, w.alice, &smime.SignOptions{Opaque: true})
			}},
			{"encrypt-cbc", func(r io.Reader) error { return smime.Encrypt(b.Context(), io.Discard, r, w.toBob, nil) }},
			{"encrypt-gcm", func(r io.Reader) error {
				return smime.Encrypt(b.Context(), io.Discard, r, w.toBob, &smime.EncryptOptions{Cipher: pkcs7.AES256GCM})
			}},
			{"seal", func(r io.Reader) error { return smime.Seal(b.Context(), io.Discard, r, w.alice, w.toBob, nil) }},
		} {
			b.Run(fmt.Sprintf("%s/%d", verb.name, size), func(b *testing.B) {
				b.SetBytes(int64(len(in)))
				b.ReportAllocs()
				for b.Loop() {
					if err := verb.do(bytes.NewReader(in)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// BenchmarkSignParts shows that cost grows with the number of parts, not faster.
func BenchmarkSignParts(b *testing.B) {
	w := newSendFixture(b)
	for _, parts := range []int{100, 900} {
		var in bytes.Buffer
		in.WriteString(crlf("From: alice@example.com\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=frontier\n\n"))
		for range parts {
			in.WriteString(crlf("--frontier\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\nGrüße aus dem Teil\n"))
		}
		in.WriteString("--frontier--\r\n")
		b.Run(fmt.Sprint(parts), func(b *testing.B) {
			b.SetBytes(int64(in.Len()))
			b.ReportAllocs()
			for b.Loop() {
				if err := smime.Sign(b.Context(), io.Discard, bytes.NewReader(in.Bytes()), w.alice, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
