package smime_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// Whoever signs for others says for whom, and that must be in the certificate.
func TestSignForSender(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	gateway := ca.Certify(key, "gateway@example.com")
	mail := smimetest.Mail("alice@example.com", "bob@example.org", "hello")
	for _, tt := range []struct {
		name, sender string
		want         error
	}{
		{"the author", "", smime.ErrSender},
		{"its address", "gateway@example.com", nil},
		{"its address in other letters", "Gateway@Example.COM", nil},
		{"another address", "alice@example.com", smime.ErrSender},
		{"its domain", "example.com", nil},
		{"its domain in other letters", "EXAMPLE.com", nil},
		{"another domain", "example.org", smime.ErrSender},
		{"a domain above", "com", smime.ErrSender},
		{"a domain below", "mail.example.com", smime.ErrSender},
		{"its common name", gateway.Certificate().Subject.CommonName, nil},
		{"no name", "not a domain", smime.ErrSender},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out bytes.Buffer
			err := smime.Sign(t.Context(), &out, bytes.NewReader(mail), gateway, &smime.SignOptions{Sender: tt.sender})
			if !matches(err, tt.want) || (err != nil && out.Len() > 0) {
				t.Fatalf("%v, %d octets", err, out.Len())
			}
			if err != nil {
				return
			}
			// Whoever reads it sees that it is not by the author.
			if _, err := smime.Verify(t.Context(), &bytes.Buffer{}, &out, ca.Trust(), nil); !errors.Is(err, smime.ErrSender) {
				t.Errorf("Verify: %v", err)
			}
		})
	}
}

// What is written in binary is what is written in base64.
func TestBinary(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	to := []*smime.Recipient{ca.Recipient(bob)}
	for _, sign := range []smime.SignOptions{{Binary: true}, {Binary: true, Opaque: true}} {
		for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
			var signed, sealed, content, inside bytes.Buffer
			if err := smime.Sign(t.Context(), &signed, bytes.NewReader(mail), alice, &sign); err != nil {
				t.Fatal(err)
			}
			if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(mail), alice, to, &smime.SealOptions{Sign: sign, Cipher: cipher, Binary: true}); err != nil {
				t.Fatal(err)
			}
			for _, b := range []*bytes.Buffer{&signed, &sealed} {
				if !bytes.Contains(b.Bytes(), []byte("Content-Transfer-Encoding: binary\r\n")) || bytes.Contains(b.Bytes(), []byte("base64")) {
					t.Errorf("%.400q", b.Bytes())
				}
			}
			if _, err := smime.Verify(t.Context(), &content, &signed, ca.Trust(), nil); err != nil {
				t.Errorf("Verify: %v", err)
			}
			if _, _, err := smime.Unseal(t.Context(), &inside, &sealed, smime.Identities{bob}, ca.Trust(), nil); err != nil || !bytes.Contains(inside.Bytes(), []byte("hello")) {
				t.Errorf("Unseal: %v", err)
			}
		}
	}
}
