package smimetest

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
)

// A Flaw makes a certificate unusable in one way.
type Flaw func(*template)

type template struct {
	cert    x509.Certificate
	mailbox string // in the subject alternative name; empty: none
}

// Expired makes a certificate that ended before today and [Now].
func Expired() Flaw {
	return func(t *template) { t.cert.NotBefore, t.cert.NotAfter = day(2020), day(2024) }
}

// NotYetValid makes a certificate that begins after today and [Now].
func NotYetValid() Flaw {
	return func(t *template) { t.cert.NotBefore, t.cert.NotAfter = day(2090), day(2095) }
}

// EncryptionOnly makes a certificate whose key usage does not allow to sign.
func EncryptionOnly() Flaw {
	return func(t *template) { t.cert.KeyUsage &^= x509.KeyUsageDigitalSignature }
}

// SigningOnly makes a certificate whose key usage does not allow to encrypt.
func SigningOnly() Flaw {
	return func(t *template) { t.cert.KeyUsage &= x509.KeyUsageDigitalSignature }
}

// NotForMail makes a certificate whose extended key usage is that of a web
// server.
func NotForMail() Flaw {
	return func(t *template) { t.cert.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
}

// NoMailbox makes a certificate that names no mailbox.
func NoMailbox() Flaw { return func(t *template) { t.mailbox = "" } }

// WrongMailbox makes a certificate that names another mailbox than the one
// that [Signed] writes mail from.
func WrongMailbox(other string) Flaw { return func(t *template) { t.mailbox = other } }

// SignedWithSHA1 makes a certificate whose signature uses SHA-1.
func SignedWithSHA1() Flaw {
	return func(t *template) { t.cert.SignatureAlgorithm = x509.ECDSAWithSHA1 }
}

// UnknownCritical makes a certificate with a critical extension that nobody
// knows.
func UnknownCritical() Flaw {
	return func(t *template) {
		t.cert.ExtraExtensions = append(t.cert.ExtraExtensions, pkix.Extension{
			Id: asn1.ObjectIdentifier{2, 999, 1}, Critical: true, Value: []byte{5, 0},
		})
	}
}

// usageFor returns the key usage of somebody who signs and decrypts.
func usageFor(pub crypto.PublicKey) x509.KeyUsage {
	switch pub.(type) {
	case *rsa.PublicKey:
		return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment
	case ed25519.PublicKey:
		return x509.KeyUsageDigitalSignature
	}
	return x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement
}

// subjectAltName names a mailbox as rfc822Name, or as SmtpUTF8Mailbox where its
// local part is not ASCII (RFC 9598 section 3).
func subjectAltName(t testing.TB, box string) pkix.Extension {
	t.Helper()
	a, err := mailbox.Parse(box)
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	ascii := true
	for i := range len(a.Local) {
		ascii = ascii && a.Local[i] < 0x80
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if ascii {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.String())) })
			return
		}
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.SmtpUTF8Mailbox)) })
			b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(a.String())) })
			})
		})
	})
	value, err := b.Bytes()
	if err != nil {
		t.Fatalf("smimetest: %v", err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: value}
}

// Renewed makes a certificate that began two years after those of other people,
// as one that took the place of another. It is no flaw.
func Renewed() Flaw { return func(t *template) { t.cert.NotBefore = day(2022) } }
