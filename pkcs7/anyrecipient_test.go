package pkcs7

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"sync/atomic"
	"testing"

	"github.com/gosmime/gosmime/internal/x509der"
)

// renewed returns another certificate of the key.
func renewed(t *testing.T, cert *x509.Certificate) *x509.Certificate {
	t.Helper()
	der, err := x509der.Parse(cert.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return testCertificate(der.SPKI, 99)
}

// TestKeyForAnyRecipient opens what names a former certificate of a key, in a
// message to recipients of all kinds.
func TestKeyForAnyRecipient(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	content := noise(3000)
	var to []Recipient
	for _, k := range keys {
		to = append(to, ToCertificate(k.cert, nil))
	}
	msg := encryptTo(t, content, &EncryptOptions{Cipher: AES256GCM}, to...)
	pkcs1 := encryptTo(t, content, &EncryptOptions{Cipher: AES256GCM}, ToCertificate(keys[0].cert, &RecipientOptions{PKCS1v15: true}))
	for _, k := range keys {
		t.Run(k.name, func(t *testing.T) {
			cert := renewed(t, k.cert)
			if _, err := decryptAll(bytes.NewReader(msg), fixed(KeyOf(cert, k.key)), nil); !errors.Is(err, ErrNoKey) {
				t.Errorf("a key for its certificate alone: %v", err)
			}
			for name, key := range map[string]DecryptionKey{
				"renewed": KeyForAnyRecipient(cert, k.key), "no certificate": KeyForAnyRecipient(nil, k.key),
				"the certificate that is named": KeyForAnyRecipient(k.cert, k.key),
			} {
				r, err := NewDecryptReader(t.Context(), bytes.NewReader(msg), fixed(key), nil)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				defer r.Close()
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content) || r.Certificate() != key.certificate {
					t.Errorf("%s: %d octets, %v", name, len(got), err)
				}
			}
		})
	}
	t.Run("PKCS #1 v1.5", func(t *testing.T) {
		got, err := decryptAll(bytes.NewReader(pkcs1), fixed(KeyForAnyRecipient(nil, keys[0].key)), nil)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%d octets, %v", len(got), err)
		}
	})
	t.Run("signing key", func(t *testing.T) {
		if _, err := decryptAll(bytes.NewReader(msg), fixed(KeyForAnyRecipient(nil, newKey(t, "ed25519"))), nil); !errors.Is(err, ErrNoKey) {
			t.Error(err)
		}
	})
}

// A countingKey counts how often it is asked.
type countingKey struct {
	*rsa.PrivateKey
	asked *atomic.Int32
}

func (k countingKey) Decrypt(r io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	k.asked.Add(1)
	return k.PrivateKey.Decrypt(r, msg, opts)
}

// TestKeyForAnyRecipientLimit: a key is asked no more often than the limit says,
// however many recipients there are, and first for the one that it is named by.
func TestKeyForAnyRecipientLimit(t *testing.T) {
	t.Parallel()
	own := testRSA()
	cert := testCertificate(spkiOf(own.key.(*rsa.PrivateKey).Public()), 127) // sorted behind the others
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	others := make([]Recipient, 40)
	for i := range others {
		others[i] = ToCertificate(testCertificate(spkiOf(stranger.Public()), byte(i+1)), nil)
	}
	content := noise(100)
	for _, tt := range []struct {
		name  string
		to    []Recipient
		cert  *x509.Certificate
		want  error
		asked int32
	}{
		{"not among the first", append(others[:12:12], ToCertificate(cert, nil)), nil, ErrDecrypt, 10},
		{"among the first", append(others[:5:5], ToCertificate(cert, nil)), nil, nil, 6},
		{"last and named", append(others[:40:40], ToCertificate(cert, nil)), cert, nil, 1},
		{"not there", others, nil, ErrDecrypt, 10},
	} {
		t.Run(tt.name, func(t *testing.T) {
			msg := encryptTo(t, content, &EncryptOptions{Cipher: AES256GCM}, tt.to...)
			asked := new(atomic.Int32)
			key := KeyForAnyRecipient(tt.cert, countingKey{own.key.(*rsa.PrivateKey), asked})
			if _, err := decryptAll(bytes.NewReader(msg), fixed(key), nil); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if asked.Load() != tt.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), tt.asked)
			}
		})
	}
}
