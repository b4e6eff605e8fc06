package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"io"
	"testing"
)

func benchSizes(b *testing.B, run func(b *testing.B, content []byte)) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1KiB", 1 << 10}, {"1MiB", 1 << 20}, {"64MiB", 64 << 20}} {
		b.Run(size.name, func(b *testing.B) {
			content := bytes.Repeat([]byte("0123456789abcde\n"), size.n/16)
			b.SetBytes(int64(size.n))
			b.ReportAllocs()
			run(b, content)
		})
	}
}

func BenchmarkSign(b *testing.B) {
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		key := newSigner(b, kind)
		b.Run(kind, func(b *testing.B) {
			benchSizes(b, func(b *testing.B, content []byte) {
				for b.Loop() {
					w, err := NewSignWriter(context.Background(), io.Discard, []SigningKey{key}, &SignOptions{Size: int64(len(content))})
					if err != nil {
						b.Fatal(err)
					}
					w.Write(content)
					if err := w.Close(); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkCheckSignature(b *testing.B) {
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		key := newSigner(b, kind)
		b.Run(kind, func(b *testing.B) {
			benchSizes(b, func(b *testing.B, content []byte) {
				msg := sign(b, string(content), &SignOptions{Size: int64(len(content))}, key)
				b.ResetTimer()
				for b.Loop() {
					r, err := NewSignedReader(bytes.NewReader(msg), nil, nil)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := io.Copy(io.Discard, r); err != nil {
						b.Fatal(err)
					}
					signers, err := r.Signers()
					if err != nil {
						b.Fatal(err)
					}
					if err := signers[0].CheckSignature(key.Certificate); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

// BenchmarkBareRSA is what a verification of 1 KiB can't do without: the hashes
// of content and attributes and the RSA operation.
func BenchmarkBareRSA(b *testing.B) {
	key := newKey(b, "rsa").(*rsa.PrivateKey)
	content := make([]byte, 1<<10)
	attrs := make([]byte, 400)
	digest := sha256.Sum256(attrs)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, digest[:])
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		sha256.Sum256(content)
		digest := sha256.Sum256(attrs)
		if err := rsa.VerifyPKCS1v15(&key.PublicKey, crypto.SHA256, digest[:], sig); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkBareECDSA is the private-key operation of a signature with P-256.
func BenchmarkBareECDSA(b *testing.B) {
	key := newKey(b, "p256").(*ecdsa.PrivateKey)
	digest := sha256.Sum256(nil)
	b.Run("sign", func(b *testing.B) {
		for b.Loop() {
			ecdsa.SignASN1(rand.Reader, key, digest[:])
		}
	})
	sig, _ := ecdsa.SignASN1(rand.Reader, key, digest[:])
	b.Run("verify", func(b *testing.B) {
		for b.Loop() {
			ecdsa.VerifyASN1(&key.PublicKey, digest[:], sig)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	key := newSigner(b, "rsa")
	benchSizes(b, func(b *testing.B, content []byte) {
		msg := sign(b, string(content), nil, key)
		b.ResetTimer()
		for b.Loop() {
			if _, err := Verify(context.Background(), io.Discard, bytes.NewReader(msg), nil, trustAll, nil); err != nil {
				b.Fatal(err)
			}
		}
	})
}
