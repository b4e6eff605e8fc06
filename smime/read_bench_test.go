package smime_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// benchEntity is a MIME entity of about that size.
func benchEntity(size int) []byte {
	var b bytes.Buffer
	b.WriteString("Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	line := strings.Repeat("QUJD", 19) + "\r\n"
	for b.Len() < size {
		b.WriteString(line)
	}
	return b.Bytes()
}

// clearSigned makes a multipart/signed by means of package pkcs7.
func clearSigned(t testing.TB, id *smime.Identity, from string, entity []byte) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	var sig bytes.Buffer
	if err := pkcs7.SignDetached(context.Background(), &sig, bytes.NewReader(entity), []pkcs7.SigningKey{key}, nil); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "From: %s\r\nMIME-Version: 1.0\r\nContent-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n micalg=sha-256; boundary=\"-=b\"\r\n\r\n---=b\r\n", from)
	b.Write(entity)
	b.WriteString("\r\n---=b\r\nContent-Type: application/pkcs7-signature; name=smime.p7s\r\nContent-Transfer-Encoding: base64\r\n\r\n")
	writeBase64(&b, sig.Bytes())
	b.WriteString("---=b--\r\n")
	return b.Bytes()
}

func opaqueSigned(t testing.TB, id *smime.Identity, from string, entity []byte) []byte {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	var cms bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &cms, []pkcs7.SigningKey{key}, &pkcs7.SignOptions{Size: int64(len(entity))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(entity); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsMail(from, "signed-data", cms.Bytes())
}

// encrypted makes an enveloped message for id by means of package pkcs7.
func encrypted(t testing.TB, id *smime.Identity, from string, cipher pkcs7.Cipher, entity []byte) []byte {
	t.Helper()
	var cms bytes.Buffer
	to := []pkcs7.Recipient{pkcs7.ToCertificate(id.Certificate(), nil)}
	w, err := pkcs7.NewEncryptWriter(context.Background(), &cms, to, &pkcs7.EncryptOptions{Cipher: cipher, Size: int64(len(entity))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(entity); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return cmsMail(from, "enveloped-data", cms.Bytes())
}

func cmsMail(from, kind string, cms []byte) []byte {
	var b bytes.Buffer
	if from != "" {
		fmt.Fprintf(&b, "From: %s\r\n", from)
	}
	fmt.Fprintf(&b, "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=%s; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n", kind)
	writeBase64(&b, cms)
	return b.Bytes()
}

// benchIdentity has an RSA key of 2048 bits.
func benchIdentity(b testing.TB) (*smime.Identity, *chain.Collection, chain.Options) {
	g := golden(b, "msg/enveloped/nss-rsa2048.nss.eml")
	return goldenKeys(b, g)[0], goldenTrust(b, golden(b, "msg/signed/gpg-rsa2048-sha256.gpgsm22.eml")), chain.Options{At: g.VerifyTime}
}

func BenchmarkRead(b *testing.B) {
	id, trust, opts := benchIdentity(b)
	from := id.Mailboxes()[0]
	ctx := context.Background()
	keys := smime.Identities{id}
	for _, size := range []int{1 << 10, 1 << 20, 64 << 20} {
		entity := benchEntity(size)
		run := func(name string, msg []byte, call func(r io.Reader) error) {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				b.SetBytes(int64(len(msg)))
				b.ReportAllocs()
				for b.Loop() {
					if err := call(bytes.NewReader(msg)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		verify := func(r io.Reader) error {
			_, err := smime.Verify(ctx, io.Discard, r, trust, &smime.VerifyOptions{Chain: opts})
			return err
		}
		decrypt := func(r io.Reader) error {
			_, err := smime.Decrypt(ctx, io.Discard, r, keys, nil)
			return err
		}
		signed := clearSigned(b, id, from, entity)
		run("VerifyClear", signed, verify)
		run("VerifyOpaque", opaqueSigned(b, id, from, entity), verify)
		run("DecryptGCM", encrypted(b, id, from, pkcs7.AES256GCM, entity), decrypt)
		run("DecryptCBC", encrypted(b, id, from, pkcs7.AES256CBC, entity), decrypt)
		run("Unseal", encrypted(b, id, from, pkcs7.AES256GCM, signed), func(r io.Reader) error {
			_, _, err := smime.Unseal(ctx, io.Discard, r, keys, trust, &smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: opts}})
			return err
		})
		open := func(r io.Reader) error {
			m, err := smime.Open(ctx, r, &smime.OpenOptions{Trust: trust, Keys: keys, Chain: opts})
			if err != nil {
				return err
			}
			return m.Close()
		}
		run("OpenSigned", signed, open)
		run("OpenPlain", entity, open)
	}
}

func writeBase64(b *bytes.Buffer, der []byte) {
	const chunk = 57
	enc := make([]byte, 76)
	for len(der) > 0 {
		n := min(chunk, len(der))
		enc = base64Append(enc[:0], der[:n])
		b.Write(enc)
		b.WriteString("\r\n")
		der = der[n:]
	}
}

func base64Append(dst, src []byte) []byte { return base64.StdEncoding.AppendEncode(dst, src) }

// BenchmarkOpenStructure opens mail that is large, wide or deep and has no S/MIME in it.
func BenchmarkOpenStructure(b *testing.B) {
	var wide, deep bytes.Buffer
	wide.WriteString("Content-Type: multipart/mixed; boundary=b\r\n\r\n")
	for range 999 {
		wide.WriteString("--b\r\nContent-Type: text/plain\r\n\r\n" + strings.Repeat("text\r\n", 1000))
	}
	wide.WriteString("--b--\r\n")
	for i := range 30 {
		fmt.Fprintf(&deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
	}
	deep.WriteString("\r\n" + strings.Repeat("--text\r\n", 500_000))
	for name, msg := range map[string][]byte{"10MB": benchEntity(10_000_000), "1000parts": wide.Bytes(), "30deep": deep.Bytes()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(msg)))
			b.ReportAllocs()
			for b.Loop() {
				m, err := smime.Open(context.Background(), bytes.NewReader(msg), nil)
				if err != nil {
					b.Fatal(err)
				}
				m.Close()
			}
		})
	}
}
