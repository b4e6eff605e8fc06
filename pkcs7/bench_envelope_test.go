package pkcs7

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
)

var envelopeSizes = []struct {
	name string
	size int
}{{"1KiB", 1 << 10}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}}

func benchKeys() []testKey {
	keys := testKeys()
	return []testKey{keys[0], keys[1], keys[4]}
}

func BenchmarkEncrypt(b *testing.B) {
	for _, s := range envelopeSizes {
		content := noise(s.size)
		for _, k := range benchKeys() {
			to := []Recipient{ToCertificate(k.cert, nil)}
			for _, c := range []Cipher{AES256CBC, AES256GCM} {
				if s.size > 1<<10 && k.name != "P-256" {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/%v", s.name, k.name, c), func(b *testing.B) {
					b.SetBytes(int64(s.size))
					b.ReportAllocs()
					for b.Loop() {
						w, err := NewEncryptWriter(context.Background(), io.Discard, to, &EncryptOptions{Cipher: c})
						if err != nil {
							b.Fatal(err)
						}
						if _, err := w.Write(content); err != nil {
							b.Fatal(err)
						}
						if err := w.Close(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

func BenchmarkDecrypt(b *testing.B) {
	for _, s := range envelopeSizes {
		content := noise(s.size)
		for _, k := range benchKeys() {
			for _, c := range []Cipher{AES256CBC, AES256GCM} {
				if s.size > 1<<10 && k.name != "P-256" {
					continue
				}
				b.Run(fmt.Sprintf("%s/%s/%v", s.name, k.name, c), func(b *testing.B) {
					b.SetBytes(int64(s.size))
					b.ReportAllocs()
					msg := encryptTo(b, content, &EncryptOptions{Cipher: c, Size: int64(s.size)}, ToCertificate(k.cert, nil))
					keys := k.keyFunc()
					for b.Loop() {
						r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), keys, nil)
						if err != nil {
							b.Fatal(err)
						}
						if n, err := io.Copy(io.Discard, r); err != nil || n != int64(s.size) {
							b.Fatal(n, err)
						}
						if err := r.Close(); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}

// BenchmarkPrimitives is what a message to one recipient costs at least.
func BenchmarkEnvelopePrimitives(b *testing.B) {
	keys := testKeys()
	private := keys[0].key.(*rsa.PrivateKey)
	//lint:ignore SA1019 what CMS has by default
	sealed, err := rsa.EncryptPKCS1v15(rand.Reader, &private.PublicKey, noise(32))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("RSA-2048 decrypt", func(b *testing.B) {
		for b.Loop() {
			//lint:ignore SA1019 what CMS has by default
			if err := rsa.DecryptPKCS1v15SessionKey(nil, private, sealed, noise(32)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("RSA-2048 encrypt", func(b *testing.B) {
		for b.Loop() {
			//lint:ignore SA1019 what CMS has by default
			if _, err := rsa.EncryptPKCS1v15(rand.Reader, &private.PublicKey, sealed[:32]); err != nil {
				b.Fatal(err)
			}
		}
	})
	p256, err := keys[1].key.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		b.Fatal(err)
	}
	for _, key := range []*ecdh.PrivateKey{p256, keys[4].key.(*ecdh.PrivateKey)} {
		b.Run(fmt.Sprintf("%v agree", key.Curve()), func(b *testing.B) {
			for b.Loop() {
				if _, err := key.ECDH(key.PublicKey()); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(fmt.Sprintf("%v generate and agree", key.Curve()), func(b *testing.B) {
			for b.Loop() {
				e, err := key.Curve().GenerateKey(rand.Reader)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := e.ECDH(key.PublicKey()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRecipients(b *testing.B) {
	for _, k := range testKeys()[:2] {
		var to []Recipient
		for range 200 {
			to = append(to, ToCertificate(k.cert, nil))
		}
		b.Run("encrypt to 200 "+k.name, func(b *testing.B) {
			for b.Loop() {
				w, err := NewEncryptWriter(context.Background(), io.Discard, to, nil)
				if err != nil {
					b.Fatal(err)
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	msg := manyRecipients(b, 10_000)
	key := testRSA()
	b.Run("open of 10000", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := decryptAll(bytes.NewReader(msg), key.keyFunc(), nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// manyRecipients returns a message to n recipients of which the last is testRSA.
func manyRecipients(t testing.TB, n int) []byte {
	t.Helper()
	key := testRSA()
	c, err := alg.NewContent(alg.AES256GCM, false)
	if err != nil {
		t.Fatal(err)
	}
	cek := c.NewKey()
	mine := must(ToCertificate(key.cert, nil).recipient(cek))
	e := &envelope{contentType: "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01", content: c, authenticated: true, size: -1}
	serial := bytes.Index(mine.der, []byte{2, 1, 10})
	for i := range n - 1 {
		other := bytes.Clone(mine.der)
		other[serial+2] = byte(11 + i%100)
		e.recipients = append(e.recipients, encodedRecipient{der: other})
	}
	e.recipients = append(e.recipients, mine)
	cipher, err := c.Encrypter(cek, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := newEncryptWriter(context.Background(), &out, e, cipher)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(noise(1000)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTenThousandRecipients(t *testing.T) {
	t.Parallel()
	msg := manyRecipients(t, 10_000)
	key := testRSA()
	token := &rsaToken{key: key.key.(*rsa.PrivateKey)}
	for _, src := range []io.Reader{bytes.NewReader(msg), unseekable(msg)} {
		token.ops = 0
		got, err := decryptAll(src, fixed(KeyOf(key.cert, token)), nil)
		if err != nil || !bytes.Equal(got, noise(1000)) || token.ops != 1 {
			t.Errorf("%d octets with %d operations, %v", len(got), token.ops, err)
		}
	}
}
