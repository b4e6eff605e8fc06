package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func envelopeVersion(t *testing.T, msg []byte) byte {
	t.Helper()
	r := ber.NewReader(bytes.NewReader(msg), ber.Limits{})
	if err := errors.Join(r.Enter(ber.Sequence), r.Skip(), r.Enter(ber.Context(0)), r.Enter(ber.Sequence)); err != nil {
		t.Fatal(err)
	}
	v, err := r.Contents(ber.Integer, 1)
	if err != nil {
		t.Fatal(err)
	}
	return v[0]
}

// TestEnvelopeVersion is the rule of RFC 5652 section 6.1.
func TestEnvelopeVersion(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	rsaCert, ecCert, kemCert := keys[0].cert, keys[1].cert, keys[5].cert
	byKeyID := &RecipientOptions{ByKeyID: true}
	kek := ToKey([]byte("id"), noise(32))
	attrs := []Attribute{{Type: oid.FriendlyName.X509(), Values: [][]byte{{5, 0}}}}
	cbc := AES256CBC
	tests := []struct {
		opts EncryptOptions
		to   []Recipient
		want byte
	}{
		{EncryptOptions{Cipher: cbc}, []Recipient{ToCertificate(rsaCert, nil)}, 0},
		{EncryptOptions{Cipher: cbc}, []Recipient{ToCertificate(rsaCert, byKeyID)}, 2},
		{EncryptOptions{Cipher: cbc}, []Recipient{ToCertificate(ecCert, nil)}, 2},
		{EncryptOptions{Cipher: cbc}, []Recipient{ToCertificate(rsaCert, nil), ToCertificate(ecCert, nil)}, 2},
		{EncryptOptions{Cipher: cbc}, []Recipient{kek}, 2},
		{EncryptOptions{Cipher: cbc}, []Recipient{kek, ToPassword([]byte("p"))}, 3},
		{EncryptOptions{Cipher: cbc}, []Recipient{ToCertificate(kemCert, nil), kek}, 3},
		{EncryptOptions{Cipher: cbc, UnprotectedAttributes: attrs}, []Recipient{ToCertificate(rsaCert, nil)}, 2},
		{EncryptOptions{}, []Recipient{ToCertificate(kemCert, nil), kek}, 0},
		{EncryptOptions{AuthAttributes: attrs, UnprotectedAttributes: attrs}, []Recipient{kek}, 0},
	}
	for i, tt := range tests {
		if got := envelopeVersion(t, encryptTo(t, noise(5), &tt.opts, tt.to...)); got != tt.want {
			t.Errorf("%d: version %d, want %d", i, got, tt.want)
		}
	}
}

func TestEnvelopeAttributes(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	name := Attribute{Type: oid.FriendlyName.X509(), Values: [][]byte{encodeOctets([]byte("name"))}}
	for _, c := range []Cipher{AES256GCM, AES128CCM, ChaCha20Poly1305} {
		opts := &EncryptOptions{Cipher: c, ContentType: oid.SignedData.X509(), AuthAttributes: []Attribute{name}, UnprotectedAttributes: []Attribute{name}}
		msg := encryptTo(t, noise(100), opts, ToKey(nil, kek))
		for _, src := range []io.Reader{bytes.NewReader(msg), unseekable(msg)} {
			r, err := NewDecryptReader(context.Background(), src, fixed(KeyFromKEK(nil, kek)), nil)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, noise(100)) {
				t.Fatalf("%v: %v", c, err)
			}
			if got := r.ContentType(); !got.Equal(oid.SignedData.X509()) {
				t.Errorf("content type %v", got)
			}
			auth, unprotected := r.AuthenticatedAttributes(), r.UnprotectedAttributes()
			if len(auth) != 2 || len(unprotected) != 1 || !bytes.Equal(unprotected[0].Values[0], name.Values[0]) {
				t.Errorf("%v: attributes %v and %v", c, auth, unprotected)
			}
			r.Close()
		}
	}
}

// dissect takes an AuthEnvelopedData in DER apart.
func dissect(t *testing.T, msg []byte) (recipients []byte, algorithm alg.Identifier, ciphertext, mac []byte) {
	t.Helper()
	s := cryptobyte.String(msg)
	var outer, body, info, set, content, tag cryptobyte.String
	var version int
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !outer.SkipASN1(asn1.OBJECT_IDENTIFIER) || !outer.ReadASN1(&s, contextTag0) ||
		!s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&version) || !body.ReadASN1Element(&set, asn1.SET) ||
		!body.ReadASN1(&info, asn1.SEQUENCE) || !info.SkipASN1(asn1.OBJECT_IDENTIFIER) || !alg.ReadIdentifier(&info, &algorithm) ||
		!info.ReadASN1(&content, asn1.Tag(0x80)) || !body.ReadASN1(&tag, asn1.OCTET_STRING) {
		t.Fatal("not what this package writes")
	}
	return set, algorithm, content, tag
}

func assemble(recipients []byte, algorithm []byte, ciphertext, mac []byte) []byte {
	info := ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.OID, false, []byte(oid.Data)), algorithm,
		ber.Append(nil, ber.Context(0), false, ciphertext))
	body := ber.Append(nil, ber.Sequence, true, encodeVersion(0), recipients, info, encodeOctets(mac))
	return ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.OID, false, []byte(oid.AuthEnvelopedData)),
		ber.Append(nil, ber.Context(0), true, body))
}

// TestTagLength holds the lengths of RFC 5084: 12 octets where aes-ICVlen is
// omitted, with the one exception that RFC 8551 section 3.4 prints.
func TestTagLength(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	keys := fixed(KeyFromKEK(nil, kek))
	content := noise(40)
	recipients, algorithm, ciphertext, mac := dissect(t, encryptTo(t, content, &EncryptOptions{Size: 40}, ToKey(nil, kek)))
	var params, nonce cryptobyte.String
	if s := cryptobyte.String(algorithm.Params); !s.ReadASN1(&params, asn1.SEQUENCE) || !params.ReadASN1Element(&nonce, asn1.OCTET_STRING) {
		t.Fatal("no parameters")
	}
	for icv := -1; icv <= 20; icv++ {
		parts := [][]byte{nonce}
		if icv >= 0 {
			parts = append(parts, encodeInteger(icv))
		}
		id := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(algorithm.OID)), ber.Append(nil, ber.Sequence, true, parts...))
		for n := 0; n <= 16; n++ {
			_, err := decryptAll(bytes.NewReader(assemble(recipients, id, ciphertext, mac[:n])), keys, nil)
			want := icv == n && n >= 12 || icv == -1 && (n == 12 || n == 16)
			if (err == nil) != want || err != nil && !errors.Is(err, ErrDecrypt) && !errors.Is(err, ErrSyntax) {
				t.Errorf("aes-ICVlen %d and a tag of %d: %v", icv, n, err)
			}
		}
	}
}

// TestDowngrade is the attack of RFC 9709 section 1, which the derived key stops.
func TestDowngrade(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	content := noise(64)
	msg := encryptTo(t, content, &EncryptOptions{Size: 64, CEKHKDF: true}, ToKey(nil, kek))
	recipients, _, ciphertext, _ := dissect(t, msg)
	cbc := alg.Identifier{OID: oid.AES256CBC, Params: encodeOctets(noise(16))}
	set := cryptobyte.String(recipients)
	var one cryptobyte.String
	if !set.ReadASN1(&one, asn1.SET) {
		t.Fatal("no recipients")
	}
	bad := rawEnvelope(encodedRecipient{der: one}, cbc, ciphertext)
	got, err := decryptAll(bytes.NewReader(bad), fixed(KeyFromKEK(nil, kek)), &DecryptOptions{Withhold: true})
	if len(got) > 0 || !errors.Is(err, ErrDecrypt) {
		t.Errorf("%d octets, %v", len(got), err)
	}
	if got, err := decryptAll(bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil); err != nil || !bytes.Equal(got, content) {
		t.Errorf("the message itself: %v", err)
	}
}

func TestDetachedCiphertext(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	keys := fixed(KeyFromKEK(nil, kek))
	content := noise(300_000)
	for _, c := range []Cipher{AES256GCM, AES256CBC} {
		var ciphertext bytes.Buffer
		msg := encryptTo(t, content, &EncryptOptions{Cipher: c, Ciphertext: &ciphertext}, ToKey(nil, kek))
		if err := ber.CheckDER(msg, true); err != nil || len(msg) > 300 || ciphertext.Len() < len(content) {
			t.Errorf("%v: %d octets and %d, %v", c, len(msg), ciphertext.Len(), err)
		}
		for _, src := range []io.Reader{bytes.NewReader(ciphertext.Bytes()), unseekable(ciphertext.Bytes())} {
			got, err := decryptAll(bytes.NewReader(msg), keys, &DecryptOptions{Ciphertext: src})
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: %d octets, %v", c, len(got), err)
			}
		}
		for _, src := range []io.Reader{bytes.NewReader(ciphertext.Bytes()[1:]), bytes.NewReader(nil)} {
			if got, err := decryptAll(bytes.NewReader(msg), keys, &DecryptOptions{Ciphertext: src, Withhold: true}); !errors.Is(err, ErrDecrypt) || len(got) > 0 {
				t.Errorf("%v: %d octets, %v", c, len(got), err)
			}
		}
		if _, err := decryptAll(bytes.NewReader(msg), keys, nil); !errors.Is(err, ErrSyntax) {
			t.Errorf("%v without the ciphertext: %v", c, err)
		}
		whole := encryptTo(t, content, &EncryptOptions{Cipher: c}, ToKey(nil, kek))
		if _, err := decryptAll(bytes.NewReader(whole), keys, &DecryptOptions{Ciphertext: &ciphertext}); !errors.Is(err, ErrSyntax) {
			t.Errorf("%v with two ciphertexts: %v", c, err)
		}
	}
}

// TestFresh holds that no content key and no nonce is used twice.
func TestFresh(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	wrap := alg.WrapFor(32)
	seen := map[string]bool{}
	const messages = 2000
	for range messages {
		recipients, algorithm, _, _ := dissect(t, encryptTo(t, []byte("x"), &EncryptOptions{Size: 1}, ToKey(nil, kek)))
		cek, err := wrap.Unwrap(kek, recipients[len(recipients)-40:])
		if err != nil {
			t.Fatal(err)
		}
		seen[string(cek)] = true
		seen[string(algorithm.Params)] = true
	}
	if len(seen) != 2*messages {
		t.Errorf("%d different keys and nonces of %d messages", len(seen), messages)
	}
}

// toBER writes DER anew with indefinite lengths and strings in segments.
func toBER(t testing.TB, der []byte) []byte {
	t.Helper()
	var out []byte
	for s := cryptobyte.String(der); !s.Empty(); {
		var element, contents cryptobyte.String
		var tag asn1.Tag
		if !s.ReadAnyASN1Element(&element, &tag) {
			t.Fatal("not DER")
		}
		whole := element
		if !whole.ReadASN1(&contents, tag) {
			t.Fatal("not DER")
		}
		switch {
		case tag&0x20 != 0:
			out = append(out, byte(tag), 0x80)
			out = append(out, toBER(t, contents)...)
			out = append(out, 0, 0)
		case tag == asn1.OCTET_STRING && len(contents) > 1:
			out = append(out, 0x24, 0x80)
			out = append(out, encodeOctets(contents[:len(contents)/2])...)
			out = append(out, 0x24, 0x80)
			out = append(out, encodeOctets(contents[len(contents)/2:])...)
			out = append(out, 0, 0, 0, 0)
		default:
			out = append(out, element...)
		}
	}
	return out
}

// TestBER reads messages of which everything is BER, the RecipientInfos and the
// parameters too.
func TestBER(t *testing.T) {
	t.Parallel()
	content := noise(500)
	attrs := []Attribute{{Type: oid.FriendlyName.X509(), Values: [][]byte{encodeOctets([]byte("name"))}}}
	checked := 0
	for _, k := range testKeys() {
		for _, opts := range []*EncryptOptions{{Size: 500, Cipher: AES128CBC}, {Size: 500, AuthAttributes: attrs}} {
			for _, byKeyID := range []bool{false, true} {
				msg := encryptTo(t, content, opts, ToCertificate(k.cert, &RecipientOptions{ByKeyID: byKeyID}))
				for _, src := range []io.Reader{bytes.NewReader(toBER(t, msg)), unseekable(toBER(t, msg))} {
					got, err := decryptAll(src, k.keyFunc(), nil)
					if err != nil || !bytes.Equal(got, content) {
						t.Errorf("%s, %v, by key identifier %v: %v", k.name, opts.Cipher, byKeyID, err)
					}
					checked++
				}
			}
		}
	}
	if checked != 9*8 {
		t.Errorf("%d messages", checked)
	}
}

// kariParts returns what comes before the encrypted keys of a kari, and those.
func kariParts(t *testing.T, der []byte) (head, keys []byte) {
	t.Helper()
	var body, skip, list cryptobyte.String
	var tag asn1.Tag
	if s := cryptobyte.String(der); !s.ReadASN1(&body, contextTag1) {
		t.Fatal("no kari")
	}
	rest := body
	for range 3 {
		if !rest.ReadAnyASN1Element(&skip, &tag) {
			t.Fatal("short kari")
		}
	}
	head = body[:len(body)-len(rest)]
	if !rest.ReadASN1(&list, asn1.SEQUENCE) {
		t.Fatal("no keys")
	}
	return head, list
}

// TestManyKeys holds that a key is found among many as it is among few.
func TestManyKeys(t *testing.T) {
	t.Parallel()
	k, other := testKeys()[1], testKeys()[4].key
	// Some of 500 have the serial number of the right one.
	for _, n := range []int{0, 1, fewKeys - 1, fewKeys, 500} {
		keys := []DecryptionKey{KeyFromPassword([]byte("p")), KeyFromKEK([]byte("id"), noise(32)), {}, KeyOf(nil, k.key), KeyOf(&x509.Certificate{Raw: []byte{1}}, k.key)}
		for i := range n {
			keys = append(keys, KeyOf(testCertificate(rawSPKI(oid.X25519, append(noise(30), byte(i), byte(i>>8))), byte(i)), other))
		}
		keys = append(keys, k.decryption())
		for _, byKeyID := range []bool{false, true} {
			msg := encryptTo(t, noise(10), nil, ToCertificate(k.cert, &RecipientOptions{ByKeyID: byKeyID}))
			r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), fixed(keys...), nil)
			if err != nil {
				t.Errorf("%d others, by key identifier %v: %v", n, byKeyID, err)
				continue
			}
			if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, noise(10)) || r.Certificate() != k.cert {
				t.Errorf("%d others, by key identifier %v: %v", n, byKeyID, err)
			}
			r.Close()
		}
	}
}

// TestRecipientInfos holds what is skipped and what is found.
func TestRecipientInfos(t *testing.T) {
	t.Parallel()
	k := testKeys()[1]
	content, err := alg.NewContent(alg.AES128CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	cek := content.NewKey()
	e, err := content.Encrypter(bytes.Clone(cek), nil)
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, _ := e.Final(e.Update(nil, []byte("found")))
	mine := must(ToCertificate(k.cert, nil).recipient(cek)).der
	other := must(ToCertificate(testKeys()[2].cert, nil).recipient(cek)).der
	// One kari with a key for somebody else before that for us.
	head, keys := kariParts(t, mine)
	_, otherKeys := kariParts(t, other)
	several := ber.Append(nil, ber.Context(1), true, head, ber.Append(nil, ber.Sequence, true, otherKeys, keys))
	unknownORI := ber.Append(nil, ber.Context(4), true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), []byte{5, 0})
	// RFC 8696 sections 3 and 4: recipients with a pre-shared key.
	psk := func(kind byte) []byte {
		value := ber.Append(nil, ber.Sequence, true, encodeVersion(0), encodeOctets([]byte("key")), []byte{5, 0})
		return ber.Append(nil, ber.Context(4), true, ber.Append(nil, ber.OID, false, []byte(oid.ORIKEM[:len(oid.ORIKEM)-1]), []byte{kind}), value)
	}
	otherVersion := ber.Append(nil, ber.Sequence, true, encodeVersion(9), []byte{5, 0})
	large := ber.Append(nil, ber.Context(7), true, encodeOctets(make([]byte, maxRecipientInfo)))
	tests := []struct {
		name   string
		before []byte
		mine   []byte
		ids    int
		want   error
	}{
		{"alone", nil, mine, 1, nil},
		{"several keys in one", nil, several, 2, nil},
		{"unknown choice", []byte{0xa9, 2, 5, 0}, mine, 1, nil},
		{"unknown other recipient", unknownORI, mine, 1, nil},
		{"pre-shared key, transport", psk(1), mine, 1, nil},
		{"pre-shared key, agreement", psk(2), mine, 1, nil},
		{"unknown version", otherVersion, mine, 1, nil},
		{"large and unknown", large, mine, 1, nil},
		{"broken", ber.Append(nil, ber.Sequence, true, encodeVersion(0), []byte{5, 0}), mine, 0, ErrSyntax},
		{"nobody", nil, nil, 0, ErrSyntax},
		{"only unknown", unknownORI, nil, 0, ErrNoKey},
	}
	for _, tt := range tests {
		msg := rawEnvelope(encodedRecipient{der: append(bytes.Clone(tt.before), tt.mine...)}, content.ID, ciphertext)
		var ids []CertID
		got, err := decryptAll(bytes.NewReader(msg), func(_ context.Context, to []CertID) ([]DecryptionKey, error) {
			ids = to
			return []DecryptionKey{k.decryption()}, nil
		}, nil)
		if !errors.Is(err, tt.want) || err == nil && string(got) != "found" || len(ids) != tt.ids {
			t.Errorf("%s: %q of %d, %v", tt.name, got, len(ids), err)
		}
	}
}

func TestEnvelopeLimits(t *testing.T) {
	t.Parallel()
	needDisk(t)
	kek := noise(32)
	key := fixed(KeyFromKEK(nil, kek), KeyFromPassword([]byte("password")))
	content := noise(6 << 20)
	many := encryptTo(t, content, nil, ToKey(nil, kek), ToKey([]byte("other"), kek))
	password := encryptTo(t, noise(10), nil, ToPassword([]byte("password")))
	tests := []struct {
		name string
		msg  []byte
		lim  Limits
		want error
	}{
		{"defaults", many, Limits{}, nil},
		{"recipients", many, Limits{Recipients: 1}, ErrLimit},
		{"octets", many, Limits{Bytes: 1 << 20}, ErrLimit},
		{"memory without a disk", many, Limits{Disk: -1}, ErrLimit},
		{"enough memory", many, Limits{Disk: -1, Memory: 8 << 20}, nil},
		{"little disk", many, Limits{Disk: 1 << 20}, ErrLimit},
		{"depth", many, Limits{Depth: 3}, ErrLimit},
		{"iterations", password, Limits{Iterations: 1000}, ErrLimit},
		{"password", password, Limits{}, nil},
	}
	for _, tt := range tests {
		tt.lim.Dir = t.TempDir()
		got, err := decryptAll(unseekable(tt.msg), key, &DecryptOptions{Limits: tt.lim})
		if !errors.Is(err, tt.want) || err != nil && len(got) > 0 {
			t.Errorf("%s: %d octets, %v", tt.name, len(got), err)
		}
	}
	shared := Limits{PrivateKeys: 2}.Shared()
	for i, want := range []error{nil, nil, ErrLimit} {
		_, err := decryptAll(bytes.NewReader(encryptTo(t, noise(10), nil, ToKey(nil, kek))), key, &DecryptOptions{Limits: shared})
		if !errors.Is(err, want) {
			t.Errorf("message %d: %v", i, err)
		}
	}
}

type contextKey struct {
	crypto.Decrypter
	bound *context.Context
}

func (k contextKey) WithContext(ctx context.Context) crypto.PrivateKey {
	*k.bound = ctx
	return k.Decrypter
}

func TestDecryptContext(t *testing.T) {
	t.Parallel()
	k := testRSA()
	msg := encryptTo(t, noise(10), nil, ToCertificate(k.cert, nil))
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "here")
	var bound context.Context
	r, err := NewDecryptReader(ctx, bytes.NewReader(msg), fixed(KeyOf(k.cert, contextKey{k.key.(crypto.Decrypter), &bound})), nil)
	if err != nil || bound == nil || bound.Value(key{}) != "here" {
		t.Fatalf("key not bound to the context: %v", err)
	}
	r.Close()
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := NewDecryptReader(canceled, bytes.NewReader(msg), k.keyFunc(), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("decrypt: %v", err)
	}
	if _, err := NewEncryptWriter(canceled, io.Discard, []Recipient{ToCertificate(k.cert, nil)}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("encrypt: %v", err)
	}
	own := errors.New("no directory")
	_, err = NewDecryptReader(ctx, bytes.NewReader(msg), func(context.Context, []CertID) ([]DecryptionKey, error) { return nil, own }, nil)
	if !errors.Is(err, own) {
		t.Errorf("keys: %v", err)
	}
}

// TestHistoricCipher holds that no key is asked for a cipher that is refused.
func TestHistoricCipher(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	wrapped := must(makeKEKRI(nil, kek, noise(24)))
	msg := rawEnvelope(wrapped, alg.Identifier{OID: oid.TripleDESCBC, Params: encodeOctets(noise(8))}, noise(64))
	asked := false
	keys := func(context.Context, []CertID) ([]DecryptionKey, error) {
		asked = true
		return []DecryptionKey{KeyFromKEK(nil, kek)}, nil
	}
	if _, err := decryptAll(bytes.NewReader(msg), keys, nil); !errors.Is(err, ErrWeak) || asked {
		t.Errorf("by default: %v, key asked: %v", err, asked)
	}
	r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), keys, &DecryptOptions{InsecureHistoric: true})
	if err != nil || !asked || !errors.Is(r.Strength(), ErrWeak) {
		t.Errorf("historic: %v", err)
	}
}

func TestOAEPCertificate(t *testing.T) {
	t.Parallel()
	k := testRSA()
	var key cryptobyte.String
	spki := cryptobyte.String(spkiOf(k.key.(crypto.Decrypter).Public()))
	if !spki.ReadASN1(&spki, asn1.SEQUENCE) || !spki.SkipASN1(asn1.SEQUENCE) || !spki.ReadASN1Element(&key, asn1.BIT_STRING) {
		t.Fatal("no key")
	}
	certOf := func(id alg.Identifier) *x509.Certificate {
		return testCertificate(ber.Append(nil, ber.Sequence, true, id.DER(), key), 60)
	}
	oaep := &alg.OAEP{Hash: crypto.SHA384, MGF: crypto.SHA512}
	bound := certOf(oaep.Identifier())
	msg := encryptTo(t, noise(10), &EncryptOptions{Size: 10}, ToCertificate(bound, &RecipientOptions{PKCS1v15: true}))
	if !bytes.Contains(msg, oaep.Identifier().DER()) {
		t.Error("parameters of the certificate are not used")
	}
	if _, err := decryptAll(bytes.NewReader(msg), fixed(KeyOf(bound, k.key)), nil); err != nil {
		t.Error(err)
	}
	// The same key under PKCS #1 v1.5 is not opened.
	forged := rawEnvelope(must(makeKTRI(issuerAndSerial(KeyOf(bound, k.key).parse().cert), k.key.(interface{ Public() crypto.PublicKey }).Public().(*rsa.PublicKey), nil, rsaEncryption(), noise(16))),
		alg.Identifier{OID: oid.AES128CBC, Params: encodeOctets(noise(16))}, noise(32))
	if _, err := decryptAll(bytes.NewReader(forged), fixed(KeyOf(bound, k.key)), nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("PKCS #1 v1.5 with a key for OAEP: %v", err)
	}
	pss := certOf(alg.Identifier{OID: oid.RSASSAPSS})
	if _, err := NewEncryptWriter(context.Background(), io.Discard, []Recipient{ToCertificate(pss, nil)}, nil); !errors.Is(err, ErrUnsupported) {
		t.Errorf("to a key for PSS: %v", err)
	}
}
