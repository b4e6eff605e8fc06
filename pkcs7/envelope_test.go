package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
)

// testCertificate makes a certificate that names a key and is signed by nobody.
func testCertificate(spki []byte, serial byte) *x509.Certificate {
	seq := func(parts ...[]byte) []byte { return ber.Append(nil, ber.Sequence, true, parts...) }
	algorithm := seq(ber.Append(nil, ber.OID, false, []byte(oid.ECDSAWithSHA256)))
	cn := seq(ber.Append(nil, ber.OID, false, []byte(oid.CommonName)), ber.Append(nil, ber.UTF8String, false, []byte("recipient")))
	name := seq(ber.Append(nil, ber.Set, true, cn))
	validity := seq(ber.Append(nil, ber.UTCTime, false, []byte("250101000000Z")), ber.Append(nil, ber.UTCTime, false, []byte("450101000000Z")))
	keyID := sha1.Sum(spki)
	ski := seq(ber.Append(nil, ber.OID, false, []byte(oid.ExtSubjectKeyID)), encodeOctets(encodeOctets(keyID[:])))
	tbs := seq(
		ber.Append(nil, ber.Context(0), true, []byte{2, 1, 2}),
		[]byte{2, 1, serial}, algorithm, name, validity, name, spki,
		ber.Append(nil, ber.Context(3), true, seq(ski)))
	return &x509.Certificate{Raw: seq(tbs, algorithm, ber.Append(nil, ber.BitString, false, []byte{0, 0x30, 6, 2, 1, 1, 2, 1, 1}))}
}

// A testKey is a key pair of a test.
type testKey struct {
	name string
	cert *x509.Certificate
	key  crypto.PrivateKey
}

func (k testKey) decryption() DecryptionKey { return KeyOf(k.cert, k.key) }

func (k testKey) keyFunc() KeyFunc { return fixed(k.decryption()) }

// fixed returns the same keys for every message.
func fixed(keys ...DecryptionKey) KeyFunc {
	return func(context.Context, []CertID) ([]DecryptionKey, error) { return keys, nil }
}

func spkiOf(pub any) []byte {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		panic(err)
	}
	return der
}

var testRSA = sync.OnceValue(func() testKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return testKey{"RSA-2048", testCertificate(spkiOf(key.Public()), 10), key}
})

// testKeys has a key of each kind that is encrypted to.
var testKeys = sync.OnceValue(func() []testKey {
	keys := []testKey{testRSA()}
	for i, curve := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			panic(err)
		}
		keys = append(keys, testKey{curve.Params().Name, testCertificate(spkiOf(key.Public()), byte(20+i)), key})
	}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	keys = append(keys, testKey{"X25519", testCertificate(spkiOf(x.PublicKey()), 30), x})
	k768, err := mlkem.GenerateKey768()
	if err != nil {
		panic(err)
	}
	keys = append(keys, testKey{"ML-KEM-768", testCertificate(rawSPKI(oid.MLKEM768, k768.EncapsulationKey().Bytes()), 40), k768})
	k1024, err := mlkem.GenerateKey1024()
	if err != nil {
		panic(err)
	}
	keys = append(keys, testKey{"ML-KEM-1024", testCertificate(rawSPKI(oid.MLKEM1024, k1024.EncapsulationKey().Bytes()), 41), k1024})
	// RFC 9935 section 6: the seed, which is all that is needed.
	k512, err := parsePrivateKey(rawPKCS8(oid.MLKEM512, ber.Append(nil, ber.Context(0), false, noise(64))))
	if err != nil {
		panic(err)
	}
	keys = append(keys, testKey{"ML-KEM-512", testCertificate(rawSPKI(oid.MLKEM512, k512.(crypto.Decapsulator).Encapsulator().Bytes()), 42), k512})
	k448 := alg.GenerateX448()
	return append(keys, testKey{"X448", testCertificate(rawSPKI(oid.X448, k448.Public().(*alg.X448PublicKey).Bytes()), 31), k448})
})

func rawPKCS8(id oid.OID, key []byte) []byte {
	algorithm := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(id)))
	return ber.Append(nil, ber.Sequence, true, encodeVersion(0), algorithm, encodeOctets(key))
}

func rawSPKI(id oid.OID, key []byte) []byte {
	algorithm := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(id)))
	return ber.Append(nil, ber.Sequence, true, algorithm, ber.Append(nil, ber.BitString, false, []byte{0}, key))
}

func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7 + i>>8*13)
	}
	return b
}

func encryptTo(t testing.TB, content []byte, opts *EncryptOptions, to ...Recipient) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewEncryptWriter(context.Background(), &out, to, opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// unseekable returns a reader without Seek, so that what is read is spooled.
func unseekable(b []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(b)} }

func decryptAll(src io.Reader, keys KeyFunc, opts *DecryptOptions) ([]byte, error) {
	r, err := NewDecryptReader(context.Background(), src, keys, opts)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

var writtenCiphers = []Cipher{AES128GCM, AES192GCM, AES256GCM, AES128CCM, AES256CCM, ChaCha20Poly1305, AES128CBC, AES192CBC, AES256CBC}

func TestRoundTripCiphers(t *testing.T) {
	t.Parallel()
	key := testRSA()
	for _, c := range writtenCiphers {
		for _, size := range []int{0, 1, 15, 16, 17, 1000, stream.SmallChunk - 1, stream.SmallChunk, stream.SmallChunk + 1, stream.LargeChunk + stream.SmallChunk, 700_001, stream.MaxHeld - 16, stream.MaxHeld, stream.MaxHeld + 1, stream.AheadFrom + stream.LargeChunk + 1} {
			for _, der := range []bool{false, true} {
				opts := &EncryptOptions{Cipher: c, CEKHKDF: size%2 == 1}
				if der {
					opts.Size = int64(size)
				}
				name := fmt.Sprintf("%v/%d/%v", c, size, der)
				content := noise(size)
				msg := encryptTo(t, content, opts, ToCertificate(key.cert, nil))
				if der && size > 0 {
					if err := ber.CheckDER(msg, true); err != nil {
						t.Errorf("%s: %v", name, err)
					}
				}
				for _, src := range []io.Reader{bytes.NewReader(msg), unseekable(msg)} {
					got, err := decryptAll(src, key.keyFunc(), nil)
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("%s: got %d octets, %v", name, len(got), err)
					}
				}
			}
		}
	}
}

func TestRoundTripRecipients(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	kek := noise(32)
	var to []Recipient
	for i, k := range keys {
		to = append(to, ToCertificate(k.cert, &RecipientOptions{ByKeyID: i%2 == 1}))
	}
	to = append(to, ToCertificate(keys[0].cert, &RecipientOptions{PKCS1v15: true}), ToKey([]byte("kek"), kek), ToPassword([]byte("password")))
	content := noise(3000)
	for _, c := range []Cipher{AES128CBC, AES256GCM} {
		msg := encryptTo(t, content, &EncryptOptions{Cipher: c, Size: 3000}, to...)
		checked := 0
		for _, k := range append(keys,
			testKey{name: "KEK"}, testKey{name: "password"}) {
			decryption := k.decryption()
			switch k.name {
			case "KEK":
				decryption = KeyFromKEK([]byte("kek"), kek)
			case "password":
				decryption = KeyFromPassword([]byte("password"))
			}
			r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), fixed(decryption), nil)
			if err != nil {
				t.Errorf("%v to %s: %v", c, k.name, err)
				continue
			}
			got, err := io.ReadAll(r)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v to %s: got %d octets, %v", c, k.name, len(got), err)
			}
			if r.Certificate() != k.cert || r.Cipher() != c || len(r.Recipients()) != len(to) || r.Strength() != nil {
				t.Errorf("%v to %s: wrong facts about the message: %v", c, k.name, r.Strength())
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			checked++
		}
		if want := len(keys) + 2; checked != want {
			t.Errorf("%d keys opened the message, want %d", checked, want)
		}
	}
}

func TestNoKey(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	msg := encryptTo(t, noise(10), nil, ToCertificate(keys[0].cert, nil), ToKey([]byte("id"), noise(32)))
	_, err := decryptAll(bytes.NewReader(msg), fixed(keys[1].decryption(), KeyFromPassword([]byte("x"))), nil)
	var missing *NoKeyError
	if !errors.As(err, &missing) || !errors.Is(err, ErrNoKey) || len(missing.Recipients) != 2 {
		t.Fatalf("got %v", err)
	}
	named := 0
	for _, id := range missing.Recipients {
		if id.Matches(keys[0].cert) {
			named++
		}
	}
	if named != 1 {
		t.Errorf("%d recipients name the certificate", named)
	}
}

func TestEncryptRefuses(t *testing.T) {
	t.Parallel()
	sign := testCertificate(rawSPKI(oid.Ed25519, noise(32)), 50)
	weak := &rsa.PublicKey{N: testRSA().key.(*rsa.PrivateKey).N, E: 65537}
	weak.N = new(big.Int).Rsh(weak.N, 1024+1)
	weak.N.SetBit(weak.N, 0, 1)
	tests := []struct {
		name string
		to   []Recipient
		opts *EncryptOptions
		want error
	}{
		{"nobody", nil, nil, ErrNoKey},
		{"historic cipher", []Recipient{ToKey(nil, noise(32))}, &EncryptOptions{Cipher: TripleDES}, ErrWeak},
		{"short KEK", []Recipient{ToKey(nil, noise(16))}, nil, ErrWeak},
		{"odd KEK", []Recipient{ToKey(nil, noise(33))}, nil, ErrUnsupported},
		{"signing key", []Recipient{ToCertificate(sign, nil)}, nil, ErrUnsupported},
		{"no certificate", []Recipient{ToCertificate(nil, nil)}, nil, ErrUnsupported},
		{"nil recipient", []Recipient{nil}, nil, ErrUnsupported},
		{"attributes without a tag", []Recipient{ToKey(nil, noise(32))}, &EncryptOptions{
			Cipher: AES256CBC, AuthAttributes: []Attribute{{Type: oid.AttrSigningTime.X509(), Values: [][]byte{{5, 0}}}},
		}, ErrUnauthenticated},
		{"content digest", []Recipient{ToKey(nil, noise(32))}, &EncryptOptions{
			AuthAttributes: []Attribute{{Type: oid.AttrMessageDigest.X509(), Values: [][]byte{{4, 0}}}},
		}, ErrUnsupported},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		_, err := NewEncryptWriter(context.Background(), &out, tt.to, tt.opts)
		if !errors.Is(err, tt.want) || out.Len() > 0 {
			t.Errorf("%s: got %v and %d octets", tt.name, err, out.Len())
		}
	}
	_, err := NewEncryptWriter(context.Background(), io.Discard, []Recipient{nil, ToKey(nil, noise(32)), ToCertificate(sign, nil)}, nil)
	var list interface{ Unwrap() []error }
	if !errors.As(err, &list) || len(list.Unwrap()) != 2 {
		t.Fatalf("failures are not joined: %v", err)
	}
	for i, want := range []int{0, 2} {
		var one *RecipientError
		if !errors.As(list.Unwrap()[i], &one) || one.Index != want {
			t.Errorf("failure %d: %v", i, list.Unwrap()[i])
		}
	}
}

// TestCopy holds that io.Copy gives what Write gives, and the errors of both sides.
func TestCopy(t *testing.T) {
	t.Parallel()
	needDisk(t)
	key := testKeys()[1]
	content := noise(9_000_001)
	for _, c := range []Cipher{AES128CBC, AES256GCM} {
		for _, n := range []int{0, 1, stream.SmallChunk, 2_000_000, len(content)} {
			var msg bytes.Buffer
			w, err := NewEncryptWriter(context.Background(), &msg, []Recipient{ToCertificate(key.cert, nil)}, &EncryptOptions{Cipher: c})
			if err != nil {
				t.Fatal(err)
			}
			if copied, err := io.Copy(w, struct{ io.Reader }{bytes.NewReader(content[:n])}); err != nil || copied != int64(n) {
				t.Fatal(copied, err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			for _, src := range []io.Reader{bytes.NewReader(msg.Bytes()), unseekable(msg.Bytes())} {
				r, err := NewDecryptReader(context.Background(), src, key.keyFunc(), nil)
				if err != nil {
					t.Fatal(err)
				}
				var out bytes.Buffer
				if _, err := io.Copy(&out, r); err != nil || !bytes.Equal(out.Bytes(), content[:n]) {
					t.Errorf("%v of %d: %d octets, %v", c, n, out.Len(), err)
				}
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
	failed := errors.New("failed")
	w, err := NewEncryptWriter(context.Background(), &failingWriter{left: 5 << 20, err: failed}, []Recipient{ToCertificate(key.cert, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, bytes.NewReader(content)); !errors.Is(err, failed) {
		t.Errorf("writer: %v", err)
	}
	if err := w.Close(); !errors.Is(err, failed) {
		t.Errorf("Close: %v", err)
	}
	w, err = NewEncryptWriter(context.Background(), io.Discard, []Recipient{ToCertificate(key.cert, nil)}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(failed))); !errors.Is(err, failed) {
		t.Errorf("reader: %v", err)
	}
}

type failingWriter struct {
	left int
	err  error
}

func (w *failingWriter) Write(p []byte) (int, error) {
	if w.left -= len(p); w.left < 0 {
		return 0, w.err
	}
	return len(p), nil
}

// TestSeek holds that a content that was checked can be read again.
func TestSeek(t *testing.T) {
	t.Parallel()
	key := testRSA()
	content := noise(3_000_000)
	for _, c := range []Cipher{AES128CBC, AES256GCM, ChaCha20Poly1305} {
		msg := encryptTo(t, content, &EncryptOptions{Cipher: c}, ToCertificate(key.cert, nil))
		for _, src := range []io.Reader{bytes.NewReader(msg), unseekable(msg)} {
			token := &rsaToken{key: key.key.(*rsa.PrivateKey)}
			r, err := NewDecryptReader(context.Background(), src, fixed(KeyOf(key.cert, token)), &DecryptOptions{Withhold: true})
			if err != nil {
				t.Fatal(err)
			}
			for _, offset := range []int64{0, 2_500_000, 10, 1_000_000, 0} {
				if at, err := r.Seek(offset, io.SeekStart); at != offset || err != nil {
					t.Fatalf("%v: at %d, %v", c, at, err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, content[offset:]) {
					t.Errorf("%v from %d: %d octets, %v", c, offset, len(got), err)
				}
			}
			if at, err := r.Seek(0, io.SeekCurrent); at != int64(len(content)) || err != nil {
				t.Errorf("%v: at %d, %v", c, at, err)
			}
			if token.ops != 1 {
				t.Errorf("%v: %d operations", c, token.ops)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, err := r.Seek(0, io.SeekStart); err == nil {
				t.Errorf("%v: closed reader can seek", c)
			}
		}
	}
	msg := encryptTo(t, content, &EncryptOptions{Cipher: AES128CBC}, ToCertificate(key.cert, nil))
	r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), key.keyFunc(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seek(0, io.SeekCurrent); err == nil {
		t.Error("a stream can seek")
	}
}

func pemBlock(t testing.TB, b []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatal("no PEM")
	}
	return block.Bytes
}
