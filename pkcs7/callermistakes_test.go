package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// What nobody made answers without a panic, and vouches for nothing.
func TestZeroAnswers(t *testing.T) {
	t.Parallel()
	var d DecryptReader
	if d.Cipher() != 0 || len(d.Recipients()) != 0 || d.Certificate() != nil || d.UnverifiedElements() != nil ||
		len(d.AuthenticatedAttributes()) != 0 || len(d.UnprotectedAttributes()) != 0 || oid.FromX509(d.ContentType()) != "" {
		t.Error("a DecryptReader that read nothing says something")
	}
	if err := d.Strength(); !errors.Is(err, ErrNotRead) {
		t.Errorf("Strength of a DecryptReader: %v", err)
	}
	if _, err := d.Seek(0, io.SeekStart); err == nil {
		t.Error("seeking in nothing")
	}
	if n, err := d.WriteTo(io.Discard); n != 0 || !errors.Is(err, ErrNotRead) {
		t.Errorf("WriteTo: %d, %v", n, err)
	}
	var r SignedReader
	if _, err := r.UnverifiedElements(); !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
	if _, err := r.DigestAlgorithms(); !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
	if oid.FromX509(r.ContentType()) != "" {
		t.Error("a SignedReader that read nothing has a type")
	}
	var s SignerInfo
	if _, err := s.Timestamp(nil, nil); err == nil {
		t.Error("a timestamp of nothing")
	}
	if _, err := s.VerifyTimestamps(t.Context(), trustAll); !errors.Is(err, ErrNoTimestamp) {
		t.Error(err)
	}
	if _, err := s.Countersign(t.Context(), newSigner(t, "ed25519"), nil); !errors.Is(err, ErrNotRead) {
		t.Errorf("a countersignature of nothing: %v", err)
	}
	if list, err := s.Countersigners(); len(list) != 0 || err != nil {
		t.Error(list, err)
	}
	if s.Signed() == nil || len(s.Signed())+len(s.Unsigned())+len(s.Signature())+len(s.AttributesDigest()) != 0 || s.Scheme() != 0 || oid.FromX509(s.DigestAlgorithm()) != "" {
		t.Error("a SignerInfo that was not read says something")
	}
	if _, ok := s.ClaimedTime(); ok || s.ID().Matches(newSigner(t, "ed25519").Certificate) {
		t.Error("a SignerInfo that was not read claims something")
	}
}

func TestNilDigester(t *testing.T) {
	t.Parallel()
	msg := signDetached(t, text, nil, newSigner(t, "ed25519"))
	if _, err := NewDetachedReader(bytes.NewReader(msg), nil, nil); !errors.Is(err, ErrNotRead) {
		t.Error(err)
	}
}

// A Digester that goes on after signatures were read with it vouches for none.
func TestDigesterWrittenLate(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	for _, algorithms := range [][]oid.OID{nil, {oid.SHA256}} {
		d := NewDigester()
		if algorithms != nil {
			d = NewDigester(oid.SHA256.X509()) // not that of Ed25519: the content itself is held
		}
		io.WriteString(d, text)
		r, err := NewDetachedReader(bytes.NewReader(signDetached(t, text, nil, key)), d, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			t.Fatal(err)
		}
		signers, err := r.Signers()
		if err != nil {
			t.Fatal(err)
		}
		if err := signers[0].CheckSignature(key.Certificate); err != nil {
			t.Fatal(err)
		}
		io.WriteString(d, "and more")
		if err := signers[0].CheckSignature(key.Certificate); err == nil {
			t.Error("holds for content that was written later")
		}
	}
}

// A lyingReader breaks the contract of io.Reader.
type lyingReader struct {
	io.Reader
	n int
}

func (r lyingReader) Read(p []byte) (int, error) {
	if r.n == 0 {
		return 0, nil
	}
	if r.n < 0 {
		return r.n, nil
	}
	return len(p) + r.n, nil
}

// Sources that never get on, or claim to have read what there was no room for,
// are errors in every place that takes one.
func TestBadSources(t *testing.T) {
	t.Parallel()
	key, kek := newSigner(t, "ed25519"), noise(32)
	keys := fixed(KeyFromKEK(nil, kek))
	signed, sig := sign(t, text, nil, key), signDetached(t, text, nil, key)
	var outside bytes.Buffer
	gcm, cbc := encryptTo(t, noise(100), &EncryptOptions{Ciphertext: &outside}, ToKey(nil, kek)), encryptTo(t, noise(100), &EncryptOptions{Cipher: AES256CBC, Ciphertext: &outside}, ToKey(nil, kek))
	head := func(msg []byte, bad io.Reader) io.Reader {
		return io.MultiReader(bytes.NewReader(msg[:len(msg)/2]), bad)
	}
	drain := func(r io.Reader, err error) error {
		if err == nil {
			_, err = io.Copy(io.Discard, struct{ io.Reader }{r})
		}
		return err
	}
	n := 0
	for _, lie := range []int{0, -1, 1} {
		bad := lyingReader{n: lie}
		decrypt := func(src io.Reader, opts *DecryptOptions) error {
			r, err := NewDecryptReader(t.Context(), src, keys, opts)
			if err == nil {
				defer r.Close()
			}
			return drain(r, err)
		}
		for name, use := range map[string]func() error{
			"signed":   func() error { return drain(NewSignedReader(head(signed, bad), nil, nil)) },
			"detached": func() error { return drain(NewSignedReader(bytes.NewReader(sig), bad, nil)) },
			"Verify": func() error {
				_, err := Verify(t.Context(), io.Discard, head(signed, bad), nil, trustAll, nil)
				return err
			},
			"Verify detached": func() error {
				_, err := Verify(t.Context(), io.Discard, bytes.NewReader(sig), bad, trustAll, nil)
				return err
			},
			"SignDetached": func() error { return SignDetached(t.Context(), io.Discard, bad, []SigningKey{key}, nil) },
			"AddSigner": func() error {
				return AddSigner(t.Context(), io.Discard, bytes.NewReader(sig), key, &SignOptions{Detached: bad})
			},
			"AddUnsigned":  func() error { return AddUnsigned(io.Discard, head(signed, bad), 0, Attribute{}) },
			"certificates": func() error { _, _, err := ReadCertificates(head(signed, bad), nil); return err },
			"Compress":     func() error { return Compress(io.Discard, bad) },
			"Decompress":   func() error { return Decompress(io.Discard, bad, nil) },
			"GCM":          func() error { return decrypt(bytes.NewReader(gcm), &DecryptOptions{Ciphertext: bad}) },
			"CBC":          func() error { return decrypt(bytes.NewReader(cbc), &DecryptOptions{Ciphertext: bad}) },
			"envelope":     func() error { return decrypt(head(cbc, bad), nil) },
			"Extract": func() error {
				_, err := Extract(t.Context(), io.Discard, bad, nil, nil)
				return err
			},
			"ReadFrom": func() error {
				w, err := NewEncryptWriter(t.Context(), io.Discard, []Recipient{ToKey(nil, kek)}, nil)
				if err != nil {
					t.Fatal(err)
				}
				_, err = w.(io.ReaderFrom).ReadFrom(bad)
				return err
			},
		} {
			if err := use(); err == nil {
				t.Errorf("%s, lie %d: no error", name, lie)
			}
			n++
		}
	}
	if n != 3*15 {
		t.Errorf("%d sources", n)
	}
}

// Sources that give an octet at a time, or their last octets with io.EOF, are
// like any other.
func TestOddSources(t *testing.T) {
	t.Parallel()
	key, kek := newSigner(t, "p256"), noise(32)
	content := strings.Repeat(text, 40)
	long := strings.Repeat(text, 3000)
	n := 0
	for name, odd := range map[string]func(io.Reader) io.Reader{
		"one octet": iotest.OneByteReader, "halves": iotest.HalfReader, "data with EOF": iotest.DataErrReader,
	} {
		t.Run(name, func(t *testing.T) {
			for _, content := range []string{content, long} {
				got, _, err := verifyFrom(odd(bytes.NewReader(sign(t, content, nil, key))), nil)
				if err != nil || got != content {
					t.Errorf("signed, %s: %d octets, %v", name, len(got), err)
				}
				got, _, err = verifyFrom(bytes.NewReader(signDetached(t, content, nil, key)), odd(strings.NewReader(content)))
				if err != nil || got != content {
					t.Errorf("detached, %s: %d octets, %v", name, len(got), err)
				}
				for _, c := range writtenCiphers {
					msg := encryptTo(t, []byte(content), &EncryptOptions{Cipher: c}, ToKey(nil, kek))
					plain, err := decryptAll(odd(bytes.NewReader(msg)), fixed(KeyFromKEK(nil, kek)), nil)
					if err != nil || string(plain) != content {
						t.Errorf("%v, %s: %d octets, %v", c, name, len(plain), err)
					}
					n++
				}
				var out, back bytes.Buffer
				if err := errors.Join(Compress(&out, odd(strings.NewReader(content))), Decompress(&back, odd(&out), nil)); err != nil || back.String() != content {
					t.Errorf("compressed, %s: %d octets, %v", name, back.Len(), err)
				}
			}
		})
	}
	if n != 3*2*len(writtenCiphers) {
		t.Errorf("%d messages", n)
	}
}

func verifyFrom(src, detached io.Reader) (string, int, error) {
	var out bytes.Buffer
	certs, err := Verify(context.Background(), &out, src, detached, trustAll, nil)
	return out.String(), len(certs), err
}

// A key that signs garbage makes no message.
type garbageSigner struct {
	crypto.Signer
	sig []byte
}

func (s garbageSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return s.sig, nil }

func TestGarbageSigner(t *testing.T) {
	t.Parallel()
	n := 0
	for _, kind := range []string{"rsa", "p256", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			key := newSigner(t, kind)
			other := newKey(t, kind)
			if kind == "rsa" {
				other = newKey(t, "p256")
			}
			for name, sig := range map[string][]byte{"nil": nil, "empty": {}, "one octet": {1}, "zeros": make([]byte, 256), "long": make([]byte, 10_000)} {
				for _, size := range []int64{0, 100_000} {
					k := key
					k.Key = garbageSigner{key.Key, sig}
					w, err := NewSignWriter(t.Context(), io.Discard, []SigningKey{k}, &SignOptions{Size: size})
					if err != nil {
						t.Fatal(err)
					}
					if _, err := w.Write(make([]byte, 100_000)); err != nil {
						t.Fatal(err)
					}
					if err := w.Close(); err == nil {
						t.Errorf("%s, %s: signed", kind, name)
					}
					n++
				}
			}
			k := key
			k.Key = other
			if err := SignDetached(t.Context(), io.Discard, strings.NewReader(text), []SigningKey{k}, nil); err == nil {
				t.Errorf("%s: signed with another key", kind)
			}
		})
	}
	if n != 30 {
		t.Errorf("%d signatures", n)
	}
}

// Keys that are nil or zero are errors, not panics.
func TestZeroKeys(t *testing.T) {
	t.Parallel()
	rsaSigner, ecSigner, edSigner := newSigner(t, "rsa"), newSigner(t, "p256"), newSigner(t, "ed25519")
	signing := []SigningKey{
		{Certificate: rsaSigner.Certificate, Key: (*rsa.PrivateKey)(nil)}, {Certificate: rsaSigner.Certificate, Key: &rsa.PrivateKey{}},
		{Certificate: ecSigner.Certificate, Key: (*ecdsa.PrivateKey)(nil)}, {Certificate: ecSigner.Certificate, Key: &ecdsa.PrivateKey{}},
		{Certificate: edSigner.Certificate, Key: ed25519.PrivateKey(nil)}, {Certificate: edSigner.Certificate, Key: ed25519.PrivateKey{1}},
	}
	for i, key := range signing {
		if err := SignDetached(t.Context(), io.Discard, strings.NewReader(text), []SigningKey{key}, nil); err == nil {
			t.Errorf("signing key %d", i)
		}
	}
	keys := testKeys()
	for i, key := range []testKey{
		{"", keys[0].cert, nil}, {"", keys[0].cert, (*rsa.PrivateKey)(nil)}, {"", keys[0].cert, &rsa.PrivateKey{}}, {"", keys[0].cert, "a string"},
		{"", keys[1].cert, nil}, {"", keys[1].cert, (*ecdsa.PrivateKey)(nil)}, {"", keys[1].cert, &ecdsa.PrivateKey{}},
	} {
		to := []Recipient{ToCertificate(key.cert, nil)}
		if key.cert == keys[0].cert {
			to = append(to, ToCertificate(key.cert, &RecipientOptions{PKCS1v15: true}))
		}
		for _, r := range to {
			msg := encryptTo(t, noise(10), nil, r)
			if got, err := decryptAll(bytes.NewReader(msg), key.keyFunc(), nil); err == nil || len(got) > 0 {
				t.Errorf("decryption key %d: %v", i, err)
			}
		}
	}
	msg := encryptTo(t, noise(10), nil, ToKey(nil, noise(32)), ToPassword([]byte("x")))
	if _, err := decryptAll(bytes.NewReader(msg), fixed(DecryptionKey{}, KeyOf(nil, nil), KeyFromKEK(nil, nil), KeyFromPassword(nil)), nil); err == nil {
		t.Error("opened without a key")
	}
	if _, err := NewEncryptWriter(t.Context(), io.Discard, []Recipient{ToPassword(nil)}, nil); !errors.Is(err, ErrWeak) {
		t.Errorf("no password: %v", err)
	}
}

// A shortWriter writes less than it is given and says nothing, or claims to have
// written more.
type shortWriter struct{ more int }

func (w shortWriter) Write(p []byte) (int, error) { return len(p) + w.more, nil }

// What a destination did not take is an error in every place that has one.
func TestShortWrites(t *testing.T) {
	t.Parallel()
	key, kek := newSigner(t, "ed25519"), noise(32)
	keys := fixed(KeyFromKEK(nil, kek))
	long := strings.Repeat(text, 3000)
	n := 0
	for _, content := range []string{text, long} {
		t.Run(content, func(t *testing.T) {
			signed := sign(t, content, nil, key)
			var compressed bytes.Buffer
			if err := Compress(&compressed, strings.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			h := sha256.Sum256([]byte(content))
			digested := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.DigestedData)),
				ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Sequence, true, encodeVersion(0), alg.SHA256.Identifier().DER(),
					ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), ber.Append(nil, ber.Context(0), true, encodeOctets([]byte(content)))),
					encodeOctets(h[:]))))
			for _, more := range []int{-1, 1} {
				w := shortWriter{more}
				encrypt := func(dst io.Writer, opts *EncryptOptions, all bool) error {
					e, err := NewEncryptWriter(t.Context(), dst, []Recipient{ToKey(nil, kek)}, opts)
					if err != nil {
						return err
					}
					if all {
						_, err = e.(io.ReaderFrom).ReadFrom(strings.NewReader(content))
					} else {
						_, err = io.WriteString(e, content)
					}
					return errors.Join(err, e.Close())
				}
				for name, use := range map[string]func() error{
					"sign": func() error {
						s, err := NewSignWriter(t.Context(), w, []SigningKey{key}, nil)
						if err != nil {
							return err
						}
						_, err = io.WriteString(s, content)
						return errors.Join(err, s.Close())
					},
					"SignDetached": func() error {
						return SignDetached(t.Context(), w, strings.NewReader(content), []SigningKey{key}, nil)
					},
					"Verify": func() error {
						_, err := Verify(t.Context(), w, bytes.NewReader(signed), nil, trustAll, nil)
						return err
					},
					"AddSigner":  func() error { return AddSigner(t.Context(), w, bytes.NewReader(signed), key, nil) },
					"Compress":   func() error { return Compress(w, strings.NewReader(content)) },
					"Decompress": func() error { return Decompress(w, bytes.NewReader(compressed.Bytes()), nil) },
					"Extract":    func() error { _, err := Extract(t.Context(), w, bytes.NewReader(digested), nil, nil); return err },
					"encrypt":    func() error { return encrypt(w, nil, false) },
					"ReadFrom":   func() error { return encrypt(w, nil, true) },
					"ciphertext": func() error { return encrypt(io.Discard, &EncryptOptions{Ciphertext: w}, false) },
					"ciphertext, ReadFrom": func() error {
						return encrypt(io.Discard, &EncryptOptions{Ciphertext: w}, true)
					},
					"WriteTo": func() error {
						r, err := NewDecryptReader(t.Context(), bytes.NewReader(encryptTo(t, []byte(content), nil, ToKey(nil, kek))), keys, nil)
						if err != nil {
							return err
						}
						defer r.Close()
						_, err = r.WriteTo(w)
						return err
					},
				} {
					if err := use(); err == nil && more < 0 {
						t.Errorf("%s of %d octets: no error", name, len(content))
					}
					n++
				}
			}
		})
	}
	if n != 2*2*12 {
		t.Errorf("%d destinations", n)
	}
}

// A source that can seek is read from where it is, again too, in all verbs.
func TestSourceWithPrefix(t *testing.T) {
	t.Parallel()
	needDisk(t)
	key, kek := newSigner(t, "ed25519"), noise(32)
	content := strings.Repeat(text, 60_000) // more than is held
	prefixed := func(msg []byte) *bytes.Reader {
		src := bytes.NewReader(append(bytes.Repeat([]byte{0x30}, 1000), msg...))
		if _, err := src.Seek(1000, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		return src
	}
	for _, c := range []Cipher{AES256GCM, AES128CCM, AES256CBC} {
		for _, size := range []int64{0, int64(len(content))} {
			msg := encryptTo(t, []byte(content)[:min(len(content), 4<<20)], &EncryptOptions{Cipher: c, Size: size}, ToKey(nil, kek))
			for _, withhold := range []bool{false, true} {
				got, err := decryptAll(prefixed(msg), fixed(KeyFromKEK(nil, kek)), &DecryptOptions{Withhold: withhold})
				if err != nil || string(got) != content {
					t.Errorf("%v, size %d, withheld %v: %d octets, %v", c, size, withhold, len(got), err)
				}
			}
			var outside bytes.Buffer
			msg = encryptTo(t, []byte(content), &EncryptOptions{Cipher: c, Size: size, Ciphertext: &outside}, ToKey(nil, kek))
			got, err := decryptAll(prefixed(msg), fixed(KeyFromKEK(nil, kek)), &DecryptOptions{Ciphertext: prefixed(outside.Bytes())})
			if err != nil || string(got) != content {
				t.Errorf("%v, size %d, ciphertext elsewhere: %d octets, %v", c, size, len(got), err)
			}
		}
	}
	for name, msg := range map[string][]byte{"signed": sign(t, content, nil, key), "bare": signBare(t, key, content)} {
		t.Run(name, func(t *testing.T) {
			if got, n, err := verifyFrom(prefixed(msg), nil); err != nil || got != content || n != 1 {
				t.Errorf("%s: %d octets, %v", name, len(got), err)
			}
		})
	}
	if got, n, err := verifyFrom(prefixed(signDetached(t, content, nil, key)), prefixed([]byte(content))); err != nil || got != content || n != 1 {
		t.Errorf("detached: %d octets, %v", len(got), err)
	}
}

// What has failed or was closed stays so, and says so again.
func TestAfterTheEnd(t *testing.T) {
	t.Parallel()
	key, kek := newSigner(t, "ed25519"), noise(32)
	failed := errors.New("disk full")
	writers := map[string]func(dst io.Writer) (io.WriteCloser, error){
		"sign": func(dst io.Writer) (io.WriteCloser, error) {
			return NewSignWriter(t.Context(), dst, []SigningKey{key}, &SignOptions{Size: 200_000})
		},
		"encrypt": func(dst io.Writer) (io.WriteCloser, error) {
			return NewEncryptWriter(t.Context(), dst, []Recipient{ToKey(nil, kek)}, nil)
		},
	}
	for name, open := range writers {
		w, err := open(io.Discard)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 200_000)); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(w.Close(), w.Close()); err != nil {
			t.Errorf("%s: closed twice: %v", name, err)
		}
		if n, err := w.Write([]byte("x")); n != 0 || err == nil {
			t.Errorf("%s: written after Close: %d, %v", name, n, err)
		}
		w, err = open(&failingWriter{left: 100_000, err: failed})
		if err != nil {
			t.Fatal(err)
		}
		_, first := w.Write(make([]byte, 200_000))
		_, again := w.Write(make([]byte, 10))
		if closed := w.Close(); !errors.Is(errors.Join(first, closed), failed) || first != nil && !errors.Is(again, failed) || !errors.Is(closed, failed) {
			t.Errorf("%s: %v, %v, %v", name, first, again, closed)
		}
	}
	msg := encryptTo(t, noise(100), &EncryptOptions{Size: 100}, ToKey(nil, kek))
	for name, c := range map[string]struct {
		msg  []byte
		want error
	}{"good": {msg, io.EOF}, "bad tag": {flipLast(msg), ErrDecrypt}, "cut off": {msg[:len(msg)-1], ErrSyntax}} {
		t.Run(name, func(t *testing.T) {
			r, err := NewDecryptReader(t.Context(), unseekable(c.msg), fixed(KeyFromKEK(nil, kek)), nil)
			if err != nil {
				t.Fatal(err)
			}
			io.ReadAll(r)
			for range 2 {
				if n, err := r.Read(make([]byte, 10)); n != 0 || !errors.Is(err, c.want) {
					t.Errorf("%s: %d, %v", name, n, err)
				}
			}
			if err := errors.Join(r.Close(), r.Close()); err != nil {
				t.Errorf("%s: closed twice: %v", name, err)
			}
			if n, err := r.Read(make([]byte, 10)); n != 0 || err == nil || err == io.EOF {
				t.Errorf("%s: read after Close: %d, %v", name, n, err)
			}
			if _, err := r.Seek(0, io.SeekStart); err == nil {
				t.Errorf("%s: sought after Close", name)
			}
		})
	}
	good := sign(t, text, nil, key)
	r, err := NewSignedReader(bytes.NewReader(append(good, "garbage"...)), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	io.ReadAll(r)
	_, first := r.Read(make([]byte, 1))
	_, second := r.Signers()
	_, third := r.UnverifiedElements()
	for _, err := range []error{first, second, third} {
		if !errors.Is(err, ErrSyntax) {
			t.Errorf("after trailing data: %v", err)
		}
	}
}
