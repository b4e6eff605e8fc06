package smime_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestNewIdentity(t *testing.T) {
	t.Parallel()
	key, cert := newPair(t, 1)
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		key     any
		cert    *x509.Certificate
		issuers []*x509.Certificate
		want    error
	}{
		{"good", key, cert, nil, nil},
		{"fields that lie", key, &x509.Certificate{Raw: cert.Raw, SerialNumber: big.NewInt(99)}, []*x509.Certificate{cert}, nil},
		{"other key", other, cert, nil, smime.ErrKeyMismatch},
		{"no key", nil, cert, nil, smime.ErrKeyMismatch},
		{"public key", key.Public(), cert, nil, smime.ErrKeyMismatch},
		{"no certificate", key, nil, nil, smime.ErrMalformed},
		{"no encoding", key, &x509.Certificate{PublicKey: key.Public()}, nil, smime.ErrMalformed},
		{"issuer without encoding", key, cert, []*x509.Certificate{{}}, smime.ErrMalformed},
		{"no issuer", key, cert, []*x509.Certificate{nil}, smime.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id, err := smime.NewIdentity(tt.key, tt.cert, tt.issuers...)
			if !errors.Is(err, tt.want) || (err == nil) != (id != nil) {
				t.Errorf("%v, error %v", id, err)
			}
			if id != nil && (id.Certificate().SerialNumber.Int64() != 1 || len(id.Mailboxes()) != 1) {
				t.Errorf("serial %v, mailboxes %q", id.Certificate().SerialNumber, id.Mailboxes())
			}
		})
	}
	if boxes := new(smime.Identity).Mailboxes(); boxes != nil {
		t.Errorf("zero identity names %q", boxes)
	}
}

func TestIdentitiesFind(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	a, b, c := ca.Identity("a@example.com"), ca.Identity("b@example.com"), ca.Identity("c@example.com")
	ring := smime.Identities{a, nil, b, new(smime.Identity), c}
	byName := func(id *smime.Identity) pkcs7.CertID {
		return pkcs7.CertID{Issuer: id.Certificate().RawIssuer, Serial: id.Certificate().SerialNumber}
	}
	byKey := func(id *smime.Identity) pkcs7.CertID { return pkcs7.CertID{KeyID: id.Certificate().SubjectKeyId} }
	for _, tt := range []struct {
		name string
		to   []pkcs7.CertID
		want []*smime.Identity
	}{
		{"nobody", nil, nil},
		{"by name", []pkcs7.CertID{byName(b)}, []*smime.Identity{b}},
		{"by key", []pkcs7.CertID{byKey(c)}, []*smime.Identity{c}},
		{"twice", []pkcs7.CertID{byKey(c), byName(c), byName(a)}, []*smime.Identity{a, c}},
		{"a password", []pkcs7.CertID{{Kind: pkcs7.ByPassword}}, nil},
		{"nothing named", []pkcs7.CertID{{}}, nil},
		{"other serial", []pkcs7.CertID{{Issuer: a.Certificate().RawIssuer, Serial: big.NewInt(7)}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ring.Find(t.Context(), tt.to)
			if err != nil || len(got) != len(tt.want) {
				t.Errorf("%d identities, error %v", len(got), err)
				return
			}
			for i := range got {
				if !bytes.Equal(got[i].Certificate().Raw, tt.want[i].Certificate().Raw) {
					t.Errorf("identity %d is another", i)
				}
			}
		})
	}
}

// TestKeyIdentifiers holds that a certificate is found by its extension and by
// both identifiers that are computed where there is none: SHA-1 of the key bits
// (RFC 5280 section 4.2.1.2) and, as Windows does it, of the whole
// SubjectPublicKeyInfo.
func TestKeyIdentifiers(t *testing.T) {
	for _, extension := range [][]byte{nil, {1, 2, 3}} {
		t.Run(fmt.Sprintf("extension %x", extension), func(t *testing.T) {
			key, err := rsa.GenerateKey(rand.Reader, 2048)
			if err != nil {
				t.Fatal(err)
			}
			tpl := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
				SubjectKeyId: extension, EmailAddresses: []string{"alice@example.com"}}
			der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
			if err != nil {
				t.Fatal(err)
			}
			cert, err := x509.ParseCertificate(der)
			if err != nil || !bytes.Equal(cert.SubjectKeyId, extension) {
				t.Fatalf("identifier %x: %v", cert.SubjectKeyId, err)
			}
			id, err := smime.NewIdentity(key, cert)
			if err != nil {
				t.Fatal(err)
			}
			bits, whole := sha1.Sum(x509.MarshalPKCS1PublicKey(&key.PublicKey)), sha1.Sum(cert.RawSubjectPublicKeyInfo)
			for name, tt := range map[string]struct {
				keyID []byte
				found bool
			}{
				"the extension": {extension, extension != nil}, "the key bits": {bits[:], true}, "the whole key": {whole[:], true},
				"neither": {make([]byte, 20), false}, "a part": {whole[:19], false},
			} {
				to := []pkcs7.CertID{{KeyID: tt.keyID}}
				got, err := smime.Identities{id}.Find(t.Context(), to)
				if err != nil || (len(got) == 1) != tt.found || to[0].Matches(cert) != tt.found {
					t.Errorf("extension %x, by %s: %d identities, %v", extension, name, len(got), err)
				}
			}
		})
	}
}

// A countedKey counts how often it is asked.
type countedKey struct {
	*rsa.PrivateKey
	asked int
}

func (k *countedKey) Decrypt(r io.Reader, c []byte, o crypto.DecrypterOpts) ([]byte, error) {
	k.asked++
	return k.PrivateKey.Decrypt(r, c, o)
}

// TestKeysAreTriedOnce holds that a key is asked once for a recipient, however
// often it is in the ring and under however many certificates: a card that is
// asked again may lock itself.
func TestKeysAreTriedOnce(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	key := &countedKey{PrivateKey: private}
	id, renewed := ca.Certify(key, "alice@example.com"), ca.Certify(key, "alice@example.com", smimetest.Renewed())
	var b bytes.Buffer
	err = smime.Encrypt(t.Context(), &b, strings.NewReader(crlf(plainMail)), []*smime.Recipient{ca.Recipient(id)}, &smime.EncryptOptions{ByKeyID: true, Cipher: pkcs7.AES256GCM})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		mail []byte
		want error
	}{{b.Bytes(), nil}, {smimetest.Tamper(t, b.Bytes()), pkcs7.ErrDecrypt}} {
		t.Run(fmt.Sprintf("want %v", tt.want), func(t *testing.T) {
			key.asked = 0
			_, err := smime.Decrypt(t.Context(), io.Discard, bytes.NewReader(tt.mail), smime.Identities{id, id, renewed, id}, nil)
			if !errors.Is(err, tt.want) || key.asked != 1 {
				t.Errorf("asked %d times, error %v", key.asked, err)
			}
		})
	}
}

// A brokenKey is a key in hardware that was pulled out.
type brokenKey struct{ crypto.Signer }

func (brokenKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, fmt.Errorf("no card: %w", pkcs7.ErrKeyUnavailable)
}

// TestKeyThatFails: the reason of the key is told, and of a small message
// nothing is written.
func TestKeyThatFails(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	id := w.ca.Certify(brokenKey{key}, "alice@example.com")
	for _, opaque := range []bool{false, true} {
		t.Run(fmt.Sprintf("opaque %v", opaque), func(t *testing.T) {
			opts := &smime.SignOptions{Opaque: opaque}
			var small, sealed bytes.Buffer
			if err := smime.Sign(t.Context(), &small, strings.NewReader(crlf(plainMail)), id, opts); !errors.Is(err, pkcs7.ErrKeyUnavailable) || small.Len() > 0 {
				t.Errorf("%d bytes, error %v", small.Len(), err)
			}
			if err := smime.Sign(t.Context(), io.Discard, bytes.NewReader(letter(3<<20)), id, opts); !errors.Is(err, pkcs7.ErrKeyUnavailable) {
				t.Error(err)
			}
			if err := smime.Seal(t.Context(), &sealed, strings.NewReader(crlf(plainMail)), id, w.toBob, &smime.SealOptions{Sign: *opts}); !errors.Is(err, pkcs7.ErrKeyUnavailable) || sealed.Len() > 0 {
				t.Errorf("%d bytes, error %v", sealed.Len(), err)
			}
		})
	}
	if _, err := smime.MarshalPKCS12([]*smime.Identity{id}, "x", &smime.PKCS12Options{InsecureLegacy: true}); !errors.Is(err, smime.ErrKeyMismatch) {
		t.Errorf("wrote a key in hardware: %v", err)
	}
}

// TestWriterThatFails: an error of the writer is returned, wherever it comes.
func TestWriterThatFails(t *testing.T) {
	t.Parallel()
	w := newSendFixture(t)
	for _, size := range []int{1 << 10, 1 << 20} {
		t.Run(fmt.Sprintf("size %d", size), func(t *testing.T) {
			in := letter(size)
			signed, sealed := sign(t, in, w.alice, nil), encrypt(t, in, w.toBob, nil)
			for _, left := range []int{0, 100, 600, size / 2, size} {
				for name, do := range map[string]func(io.Writer) error{
					"Sign":    func(out io.Writer) error { return smime.Sign(t.Context(), out, bytes.NewReader(in), w.alice, nil) },
					"Encrypt": func(out io.Writer) error { return smime.Encrypt(t.Context(), out, bytes.NewReader(in), w.toBob, nil) },
					"Seal": func(out io.Writer) error {
						return smime.Seal(t.Context(), out, bytes.NewReader(in), w.alice, w.toBob, nil)
					},
					"Verify": func(out io.Writer) error {
						_, err := smime.Verify(t.Context(), out, bytes.NewReader(signed), w.trust, nil)
						return err
					},
					"Decrypt": func(out io.Writer) error {
						_, err := smime.Decrypt(t.Context(), out, bytes.NewReader(sealed), smime.Identities{w.bob}, nil)
						return err
					},
					"WriteDisplay": func(out io.Writer) error { return open(t, sealed, w).WriteDisplay(out) },
				} {
					for _, silent := range []bool{false, true} {
						if err := do(&shortWriter{left, silent}); !errors.Is(err, io.ErrShortWrite) {
							t.Errorf("%s of %d with room for %d: %v", name, size, left, err)
						}
					}
				}
			}
		})
	}
}

// A shortWriter takes no more than it has room for, and may forget to say so.
type shortWriter struct {
	left   int
	silent bool
}

func (s *shortWriter) Write(p []byte) (int, error) {
	if len(p) <= s.left {
		s.left -= len(p)
		return len(p), nil
	}
	n := s.left
	s.left = 0
	if s.silent {
		return n, nil
	}
	return 0, io.ErrShortWrite
}
