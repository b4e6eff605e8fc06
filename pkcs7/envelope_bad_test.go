package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// documentedDecrypt reports whether err is of a type that NewDecryptReader promises.
func documentedDecrypt(err error) bool {
	for _, want := range []error{ErrSyntax, ErrUnsupported, ErrNoKey, ErrDecrypt, ErrUnauthenticated, ErrLimit, ErrWeak} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// smallEnvelopes are one message of each kind with the key that opens it.
func smallEnvelopes(t testing.TB, content []byte) (names []string, msgs [][]byte, keys []KeyFunc) {
	add := func(name string, msg []byte, key DecryptionKey) {
		names, msgs, keys = append(names, name), append(msgs, msg), append(keys, fixed(key))
	}
	p256 := testKeys()[1]
	kek := noise(32)
	for _, c := range []Cipher{AES128CBC, AES256GCM, AES128CCM, ChaCha20Poly1305} {
		add(c.String()+" DER", encryptTo(t, content, &EncryptOptions{Cipher: c, Size: int64(len(content))}, ToKey([]byte("id"), kek)), KeyFromKEK([]byte("id"), kek))
		add(c.String()+" BER", encryptTo(t, content, &EncryptOptions{Cipher: c}, ToKey([]byte("id"), kek)), KeyFromKEK([]byte("id"), kek))
	}
	add("ECDH", encryptTo(t, content, nil, ToCertificate(p256.cert, nil)), p256.decryption())
	add("RSA", encryptTo(t, content, nil, ToCertificate(testRSA().cert, &RecipientOptions{PKCS1v15: true})), testRSA().decryption())
	add("attributes", encryptTo(t, content, &EncryptOptions{
		AuthAttributes:        []Attribute{{Type: oid.FriendlyName.X509(), Values: [][]byte{{5, 0}}}},
		UnprotectedAttributes: []Attribute{{Type: oid.FriendlyName.X509(), Values: [][]byte{{5, 0}}}},
	}, ToKey([]byte("id"), kek)), KeyFromKEK([]byte("id"), kek))
	return names, msgs, keys
}

func TestTruncatedEnvelopes(t *testing.T) {
	t.Parallel()
	names, msgs, keys := smallEnvelopes(t, []byte("a short content, of more than one block"))
	for i, msg := range msgs {
		for n := range msg {
			for _, src := range []io.Reader{bytes.NewReader(msg[:n]), unseekable(msg[:n])} {
				content, err := decryptAll(src, keys[i], nil)
				if err == nil || !documentedDecrypt(err) || len(content) > 0 {
					t.Errorf("%s cut at %d of %d: %d octets, %v", names[i], n, len(msg), len(content), err)
				}
			}
		}
	}
	if len(msgs) != 11 {
		t.Errorf("%d messages", len(msgs))
	}
}

func TestFlippedEnvelopes(t *testing.T) {
	t.Parallel()
	want := []byte("a short content, of more than one block")
	names, msgs, keys := smallEnvelopes(t, want)
	for i, msg := range msgs {
		step := 1
		if names[i] == "RSA" {
			step = 5 // each takes a private-key operation
		}
		unseen := 0
		for bit := 0; bit < 8*len(msg); bit += step {
			bad := bytes.Clone(msg)
			bad[bit/8] ^= 1 << (bit % 8)
			r, err := NewDecryptReader(context.Background(), bytes.NewReader(bad), keys[i], nil)
			if err != nil {
				if !documentedDecrypt(err) {
					t.Errorf("%s, bit %d: %v", names[i], bit, err)
				}
				continue
			}
			got, err := io.ReadAll(r)
			switch {
			case err != nil && (!documentedDecrypt(err) || len(got) > 0 && r.Cipher().Authenticated()):
				t.Errorf("%s, bit %d: %d octets, %v", names[i], bit, len(got), err)
			case err == nil && !bytes.Equal(got, want) && r.Cipher().Authenticated():
				t.Errorf("%s, bit %d: changed content was authenticated", names[i], bit)
			case err == nil && !bytes.Equal(got, want):
				unseen++
			}
			r.Close()
		}
		if unseen > 0 && !strings.Contains(names[i], "CBC") {
			t.Errorf("%s: %d changes went unseen", names[i], unseen)
		}
	}
}

// rawEnvelope makes an EnvelopedData around anything.
func rawEnvelope(recipient encodedRecipient, algorithm alg.Identifier, ciphertext []byte) []byte {
	info := ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.OID, false, []byte(oid.Data)),
		algorithm.DER(),
		ber.Append(nil, ber.Context(0), false, ciphertext))
	body := ber.Append(nil, ber.Sequence, true, encodeVersion(2), ber.Append(nil, ber.Set, true, recipient.der), info)
	return ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.OID, false, []byte(oid.EnvelopedData)),
		ber.Append(nil, ber.Context(0), true, body))
}

func rsaEncryption() []byte {
	return alg.Identifier{OID: oid.RSAEncryption, Params: []byte{5, 0}}.DER()
}

// TestUniformFailure holds that whatever is wrong after a key was found, the
// error is the same.
func TestUniformFailure(t *testing.T) {
	t.Parallel()
	k := testKeys()
	kek := noise(16)
	wrappers := map[string]struct {
		wrap func(cek []byte) encodedRecipient
		key  DecryptionKey
	}{
		"PKCS #1 v1.5": {func(cek []byte) encodedRecipient {
			r, err := makeKTRI(issuerAndSerial(k[0].decryption().parse().cert), &k[0].key.(*rsa.PrivateKey).PublicKey, nil, rsaEncryption(), cek)
			if err != nil {
				t.Fatal(err)
			}
			return r
		}, k[0].decryption()},
		"OAEP":   {func(cek []byte) encodedRecipient { return must(ToCertificate(k[0].cert, nil).recipient(cek)) }, k[0].decryption()},
		"ECDH":   {func(cek []byte) encodedRecipient { return must(ToCertificate(k[1].cert, nil).recipient(cek)) }, k[1].decryption()},
		"ML-KEM": {func(cek []byte) encodedRecipient { return must(ToCertificate(k[5].cert, nil).recipient(cek)) }, k[5].decryption()},
		"KEK": {func(cek []byte) encodedRecipient {
			wrap := alg.WrapFor(16)
			wrapped, err := wrap.Wrap(kek, cek)
			if err != nil {
				t.Fatal(err)
			}
			id := ber.Append(nil, ber.Sequence, true, encodeOctets(nil))
			return encodedRecipient{der: ber.Append(nil, ber.Context(2), true, encodeVersion(4), id, wrap.ID.DER(), encodeOctets(wrapped))}
		}, KeyFromKEK(nil, kek)},
	}
	content, err := alg.NewContent(alg.AES128CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	cek := content.NewKey()
	encrypt := func(plain []byte) []byte { // without padding
		e, err := content.Encrypter(bytes.Clone(cek), nil)
		if err != nil {
			t.Fatal(err)
		}
		out := e.Update(nil, plain)
		return out[:len(plain)]
	}
	block := []byte("exactly 16 octet")
	good := encrypt(append(block, bytes.Repeat([]byte{16}, 16)...))
	cases := map[string]struct{ cek, ciphertext []byte }{
		"not block-aligned": {cek, good[:len(good)-1]},
		"empty":             {cek, nil},
		"one octet":         {cek, good[:1]},
		"other CEK":         {content.NewKey(), good},
		"padding of zero":   {cek, encrypt(append(block, make([]byte, 16)...))},
		"CEK of 24":         {append(bytes.Clone(cek), noise(8)...), good},
		"CEK of 32":         {append(bytes.Clone(cek), noise(16)...), good},
	}
	for n := 17; n < 256; n += 14 {
		cases[fmt.Sprintf("padding of %d", n)] = struct{ cek, ciphertext []byte }{cek, encrypt(append(block, bytes.Repeat([]byte{byte(n)}, 16)...))}
	}
	checked := 0
	for by, w := range wrappers {
		for name, c := range cases {
			msg := rawEnvelope(w.wrap(c.cek), content.ID, c.ciphertext)
			for way := range 4 {
				_, err := openGolden(msg, []DecryptionKey{w.key}, &DecryptOptions{}, way)
				if err != ErrDecrypt && !(by == "PKCS #1 v1.5" && err == nil) {
					t.Errorf("%s, %s: %v", by, name, err)
				}
				checked++
			}
		}
		msg := rawEnvelope(w.wrap(cek), content.ID, good)
		if got, err := openGolden(msg, []DecryptionKey{w.key}, &DecryptOptions{}, 0); err != nil || !bytes.Equal(got, block) {
			t.Errorf("%s: %q, %v", by, got, err)
		}
	}
	if checked != 5*4*(7+18) && checked != 5*4*(7+17) {
		t.Errorf("%d checked", checked)
	}
}

// TestAllPaddings holds that of all 256 last octets only the right one is taken
// and all others fail alike.
func TestAllPaddings(t *testing.T) {
	t.Parallel()
	kek := noise(16)
	content, err := alg.NewContent(alg.AES128CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	cek := content.NewKey()
	recipient := must(makeKEKRI(nil, kek, cek))
	good := 0
	for last := range 256 {
		for _, fill := range []byte{byte(last), 7} {
			plain := append(bytes.Repeat([]byte{fill}, 31), byte(last))
			e, err := content.Encrypter(bytes.Clone(cek), nil)
			if err != nil {
				t.Fatal(err)
			}
			msg := rawEnvelope(recipient, content.ID, e.Update(nil, plain)[:32])
			for way := range 4 {
				got, err := openGolden(msg, []DecryptionKey{KeyFromKEK(nil, kek)}, &DecryptOptions{}, way)
				right := last >= 1 && last <= 16 && (fill == byte(last) || last == 1)
				if right != (err == nil) || err != nil && (err != ErrDecrypt || len(got) > 0) || err == nil && !bytes.Equal(got, plain[:32-last]) {
					t.Errorf("%d after %d: %q, %v", last, fill, got, err)
				}
				if err == nil {
					good++
				}
			}
		}
	}
	if good != 4*(16+2) {
		t.Errorf("%d taken", good)
	}
}

func must(r encodedRecipient, err error) encodedRecipient {
	if err != nil {
		panic(err)
	}
	return r
}

func TestCipherOfOtherKind(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	for _, c := range []Cipher{AES256GCM, AES256CBC} {
		msg := encryptTo(t, noise(64), &EncryptOptions{Cipher: c, Size: 64}, ToKey(nil, kek))
		from, to := oid.EnvelopedData, oid.AuthEnvelopedData
		if c.Authenticated() {
			from, to = to, from
		}
		bad := bytes.Replace(msg, ber.Append(nil, ber.OID, false, []byte(from)), ber.Append(nil, ber.OID, false, []byte(to)), 1)
		if len(from) != len(to) {
			bad = reframe(t, msg, to)
		}
		asked := false
		_, err := decryptAll(bytes.NewReader(bad), func(context.Context, []CertID) ([]DecryptionKey, error) {
			asked = true
			return []DecryptionKey{KeyFromKEK(nil, kek)}, nil
		}, nil)
		if !errors.Is(err, ErrSyntax) || asked {
			t.Errorf("%v in the other kind: %v, key asked: %v", c, err, asked)
		}
	}
}

// reframe gives the content of a ContentInfo another type.
func reframe(t *testing.T, msg []byte, contentType oid.OID) []byte {
	t.Helper()
	r := ber.NewReader(bytes.NewReader(msg), ber.Limits{})
	if err := errors.Join(r.Enter(ber.Sequence), r.Skip()); err != nil {
		t.Fatal(err)
	}
	content, err := r.Raw(1 << 20)
	if err != nil {
		t.Fatal(err)
	}
	return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(contentType)), content)
}

func TestRequireAuthenticated(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	keys := fixed(KeyFromKEK(nil, kek))
	opts := &DecryptOptions{RequireAuthenticated: true}
	for _, c := range writtenCiphers {
		msg := encryptTo(t, noise(64), &EncryptOptions{Cipher: c}, ToKey(nil, kek))
		_, err := decryptAll(bytes.NewReader(msg), keys, opts)
		if c.Authenticated() && err != nil || !c.Authenticated() && err != error(nil) && !errors.Is(err, ErrUnauthenticated) || !c.Authenticated() && err == nil {
			t.Errorf("%v: %v", c, err)
		}
	}
}

// An rsaToken is an RSA key in hardware.
type rsaToken struct {
	key *rsa.PrivateKey
	err error
	out []byte
	ops int
}

func (k *rsaToken) Public() crypto.PublicKey { return k.key.Public() }

func (k *rsaToken) Decrypt(_ io.Reader, msg []byte, opts crypto.DecrypterOpts) ([]byte, error) {
	k.ops++
	if k.err != nil || k.out != nil {
		return k.out, k.err
	}
	return k.key.Decrypt(rand.Reader, msg, opts)
}

type ecToken struct {
	ecdh.KeyExchanger
	err error
}

func (k *ecToken) ECDH(pub *ecdh.PublicKey) ([]byte, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.KeyExchanger.ECDH(pub)
}

type kemToken struct {
	crypto.Decapsulator
	err error
}

func (k *kemToken) Decapsulate(ct []byte) ([]byte, error) {
	if k.err != nil {
		return nil, k.err
	}
	return k.Decapsulator.Decapsulate(ct)
}

// TestHardwareKeys holds that a key's own error tells nothing, but that a key
// that is not there does.
func TestHardwareKeys(t *testing.T) {
	t.Parallel()
	content := noise(1000)
	keys := testKeys()
	p256, err := keys[1].key.(*ecdsa.PrivateKey).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	own := errors.New("token: bad ciphertext")
	gone := fmt.Errorf("token: no card: %w", ErrKeyUnavailable)
	tests := []struct {
		name string
		key  testKey
		opts *RecipientOptions
		make func(err error, out []byte) crypto.PrivateKey
	}{
		{"PKCS #1 v1.5", keys[0], &RecipientOptions{PKCS1v15: true}, func(err error, out []byte) crypto.PrivateKey {
			return &rsaToken{key: keys[0].key.(*rsa.PrivateKey), err: err, out: out}
		}},
		{"OAEP", keys[0], nil, func(err error, out []byte) crypto.PrivateKey {
			return &rsaToken{key: keys[0].key.(*rsa.PrivateKey), err: err, out: out}
		}},
		{"ECDH", keys[1], nil, func(err error, _ []byte) crypto.PrivateKey { return &ecToken{p256, err} }},
		{"X25519", keys[4], nil, func(err error, _ []byte) crypto.PrivateKey {
			return &ecToken{keys[4].key.(ecdh.KeyExchanger), err}
		}},
		{"ML-KEM", keys[5], nil, func(err error, _ []byte) crypto.PrivateKey {
			return &kemToken{keys[5].key.(crypto.Decapsulator), err}
		}},
	}
	for _, tt := range tests {
		msg := encryptTo(t, content, nil, ToCertificate(tt.key.cert, tt.opts))
		open := func(err error, out []byte) ([]byte, error) {
			return decryptAll(bytes.NewReader(msg), fixed(KeyOf(tt.key.cert, tt.make(err, out))), nil)
		}
		if got, err := open(nil, nil); err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if _, err := open(own, nil); err != ErrDecrypt {
			t.Errorf("%s with an error of its own: %v", tt.name, err)
		}
		if _, err := open(gone, nil); !errors.Is(err, ErrKeyUnavailable) || !errors.Is(err, gone) {
			t.Errorf("%s that is not there: %v", tt.name, err)
		}
		for _, n := range []int{1, 16, 31, 33, 48} {
			if _, err := open(nil, noise(n)); err != ErrDecrypt && tt.key.name == "RSA-2048" {
				t.Errorf("%s with %d octets: %v", tt.name, n, err)
			}
		}
	}
}

// TestSeveralCandidates holds that all are tried, those that check themselves
// first, and no more than the limit.
func TestSeveralCandidates(t *testing.T) {
	t.Parallel()
	content := noise(1000)
	k := testRSA()
	v15 := &RecipientOptions{PKCS1v15: true}
	for _, c := range []Cipher{AES256GCM, AES128CBC} {
		msg := encryptTo(t, content, &EncryptOptions{Cipher: c},
			ToCertificate(k.cert, v15), ToCertificate(k.cert, v15), ToCertificate(k.cert, nil))
		token := &rsaToken{key: k.key.(*rsa.PrivateKey)}
		got, err := decryptAll(unseekable(msg), fixed(KeyOf(k.cert, token)), nil)
		if err != nil || !bytes.Equal(got, content) || token.ops != 1 {
			t.Errorf("%v: %d operations, %v", c, token.ops, err)
		}
		// The tag or padding is wrong under every key: every one was asked.
		bad := bytes.Clone(msg)
		bad[len(bad)-40] ^= 1
		bad[len(bad)-24] ^= 1
		token.ops = 0
		if _, err := decryptAll(unseekable(bad), fixed(KeyOf(k.cert, token)), nil); c.Authenticated() && (!errors.Is(err, ErrDecrypt) && !errors.Is(err, ErrSyntax)) {
			t.Errorf("%v changed: %v", c, err)
		}
	}
	var to []Recipient
	for range 30 {
		to = append(to, ToCertificate(k.cert, nil))
	}
	msg := encryptTo(t, content, nil, to...)
	token := &rsaToken{key: k.key.(*rsa.PrivateKey), err: errors.New("no")}
	_, err := decryptAll(bytes.NewReader(msg), fixed(KeyOf(k.cert, token)), nil)
	if !errors.Is(err, ErrDecrypt) || token.ops != 10 {
		t.Errorf("bomb: %d operations, %v", token.ops, err)
	}
}
