package pkcs7

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
)

// essCert returns a SigningCertificateV2 with one ESSCertIDv2. The fields are DER.
func essCert(fields ...[]byte) []byte {
	id := ber.Append(nil, ber.Sequence, true, fields...)
	return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, id))
}

// TestSigningCertificateRules holds RFC 5035 section 4: the hash is of any known
// algorithm, and an issuerSerial names the same certificate.
func TestSigningCertificateRules(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	cert, err := parseCertificate(key.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	other, err := parseCertificate(newSigner(t, "p384").Certificate)
	if err != nil {
		t.Fatal(err)
	}
	sum := func(h alg.Hash) []byte {
		d := h.New()
		d.Write(cert.Raw)
		return encodeOctets(d.Sum(nil))
	}
	serial := func(c *x509der.Certificate, n *big.Int, more ...[]byte) []byte {
		name := ber.Append(nil, ber.Context(4), true, c.Issuer)
		b := CertID{Issuer: []byte{0x30, 0}, Serial: n}.encodeIssuerAndSerial()
		return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, append([][]byte{name}, more...)...), b[4:])
	}
	unknown := alg.Identifier{OID: "\x2a\x03"}.DER()
	v1, v2 := oid.AttrSigningCertificate, oid.AttrSigningCertificateV2
	n := 0
	for name, c := range map[string]struct {
		id   oid.OID
		der  []byte
		want error
	}{
		"default hash":    {v2, essCert(sum(alg.SHA256)), nil},
		"SHA-512":         {v2, essCert(alg.SHA512.Identifier().DER(), sum(alg.SHA512)), nil},
		"SHA-1 in V2":     {v2, essCert(alg.SHA1.Identifier().DER(), sum(alg.SHA1)), nil},
		"V1":              {v1, essCert(sum(alg.SHA1)), nil},
		"SHA-256 in V1":   {v1, essCert(sum(alg.SHA256)), ErrSignature},
		"wrong algorithm": {v2, essCert(alg.SHA512.Identifier().DER(), sum(alg.SHA256)), ErrSignature},
		"unknown hash":    {v2, essCert(unknown, sum(alg.SHA256)), ErrUnsupported},
		"issuerSerial":    {v2, essCert(sum(alg.SHA256), serial(cert, cert.Serial)), nil},
		"another serial":  {v2, essCert(sum(alg.SHA256), serial(cert, big.NewInt(7))), ErrSignature},
		"another issuer":  {v2, essCert(sum(alg.SHA256), serial(other, cert.Serial)), ErrSignature},
		"two names":       {v2, essCert(sum(alg.SHA256), serial(cert, cert.Serial, ber.Append(nil, ber.Context(2), false, []byte("x")))), ErrSignature},
		"no hash":         {v2, essCert(), ErrSyntax},
		"no certificate":  {v2, ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true)), ErrSyntax},
		"more after it":   {v2, essCert(sum(alg.SHA256), serial(cert, cert.Serial), []byte{5, 0}), ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			crafted := crafted{key: key, attrs: with(c.id, c.der)}
			if c.id == v1 {
				only := crafted.attrs
				crafted.attrs = func(a attributes) attributes { return without(v2)(only(a)) }
			}
			if _, _, err := verify(crafted.message(t), nil, nil); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
			n++
		})
	}
	if n != 14 {
		t.Errorf("%d cases", n)
	}
}

// TestForgedLongAttributes takes signed attributes that are too long to be held.
func TestForgedLongAttributes(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	content := ber.Append(nil, ber.Set, true, make([]byte, 2*smallContent))
	for content, want := range map[string]error{string(content): ErrSignature, string(content) + "x": nil, string(content[1:]): nil} {
		t.Run(content, func(t *testing.T) {
			if _, _, err := verify(signBare(t, key, content), nil, nil); !errors.Is(err, want) {
				t.Errorf("%d octets: %v", len(content), err)
			}
		})
	}
	if err := SignDetached(t.Context(), io.Discard, bytes.NewReader(content), []SigningKey{key}, nil); !errors.Is(err, ErrSyntax) {
		t.Errorf("signing such a content: %v", err)
	}
}

// TestSigningTimes holds RFC 5652 section 11.3: UTCTime through 2049.
func TestSigningTimes(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	for year, tag := range map[int]ber.Tag{1950: ber.UTCTime, 1999: ber.UTCTime, 2049: ber.UTCTime, 2050: ber.GeneralizedTime, 1949: ber.GeneralizedTime, 9999: ber.GeneralizedTime} {
		at := time.Date(year, 12, 31, 23, 59, 58, 999, time.UTC)
		s := signersOf(t, sign(t, text, &SignOptions{SigningTime: at}, key), nil)[0]
		v, _ := s.signed.single(oid.AttrSigningTime)
		if got, ok := s.ClaimedTime(); !ok || !got.Equal(at.Truncate(time.Second)) || v[0] != byte(tag) {
			t.Errorf("%d: %v, %x", year, got, v)
		}
	}
	if _, err := NewSignWriter(t.Context(), io.Discard, []SigningKey{key}, &SignOptions{SigningTime: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}); !errors.Is(err, ErrSyntax) {
		t.Errorf("year 10000: %v", err)
	}
	// A claim that is unambiguous is read in forms that nobody should write.
	for der, ok := range map[string]bool{
		"\x17\x0d260102030405Z": true, "\x18\x0f20260102030405Z": true, "\x17\x0b2601020304Z": true, "\x18\x1120260102030405.5Z": false,
		"\x17\x11260102030405+0100": true, "\x17\x0c260102030405": false, "\x16\x0d260102030405Z": false, "": false, "\x17\x0d261302030405Z": false,
	} {
		t.Run(der, func(t *testing.T) {
			if at, got := parseTime([]byte(der)); got != ok {
				t.Errorf("%q: %v, %v", der, at, got)
			}
		})
	}
}

func TestExtractRefuses(t *testing.T) {
	t.Parallel()
	key := noise(32)
	content, err := alg.NewContent(alg.AES256CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	aead, err := alg.NewContent(alg.AES256GCM, false)
	if err != nil {
		t.Fatal(err)
	}
	encrypted := func(c *alg.Content) []byte {
		e, err := c.Encrypter(bytes.Clone(key), nil)
		if err != nil {
			t.Fatal(err)
		}
		ciphertext, _ := e.Final(e.Update(nil, []byte(text)))
		info := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), c.ID.DER(), ber.Append(nil, ber.Context(0), false, ciphertext))
		return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.EncryptedData)),
			ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Sequence, true, encodeVersion(0), info)))
	}
	h := alg.SHA256.New()
	io.WriteString(h, text)
	digested := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.DigestedData)),
		ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Sequence, true, encodeVersion(0), alg.SHA256.Identifier().DER(),
			ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), ber.Append(nil, ber.Context(0), true, encodeOctets([]byte(text)))),
			encodeOctets(h.Sum(nil)))))
	right := fixed(KeyFromKEK(nil, key))
	for name, c := range map[string]struct {
		msg  []byte
		keys KeyFunc
		opts *DecryptOptions
		want error
	}{
		"encrypted":                    {encrypted(content), right, nil, nil},
		"encrypted, must be authentic": {encrypted(content), right, &DecryptOptions{RequireAuthenticated: true}, ErrUnauthenticated},
		"encrypted by AES-GCM":         {encrypted(aead), right, nil, ErrSyntax},
		"no key":                       {encrypted(content), nil, nil, ErrNoKey},
		"key of another length":        {encrypted(content), fixed(KeyFromKEK(nil, key[:16])), nil, ErrNoKey},
		"key of another kind":          {encrypted(content), fixed(testRSA().decryption()), nil, ErrNoKey},
		"digested":                     {digested, nil, nil, nil},
		"digested, must be authentic":  {digested, nil, &DecryptOptions{RequireAuthenticated: true}, ErrUnauthenticated},
		"digest changed":               {flipLast(digested), nil, nil, ErrDigest},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			_, err := Extract(t.Context(), &out, bytes.NewReader(c.msg), c.keys, c.opts)
			if !errors.Is(err, c.want) || (err == nil) != (out.String() == text) || err != nil && out.Len() > 0 {
				t.Errorf("%s: %q, %v, not %v", name, out.String(), err, c.want)
			}
		})
	}
}

// TestRecipientRules changes one thing in a RecipientInfo that everybody can see.
func TestRecipientRules(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	content, err := alg.NewContent(alg.AES256CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	cek := content.NewKey()
	e, err := content.Encrypter(bytes.Clone(cek), nil)
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, _ := e.Final(e.Update(nil, []byte(text)))
	kem := func(change func(fields [][]byte)) []byte {
		outer, err := members(must(ToCertificate(keys[5].cert, nil).recipient(cek)).der)
		if err != nil {
			t.Fatal(err)
		}
		fields, err := members(outer[1])
		if err != nil {
			t.Fatal(err)
		}
		change(fields)
		return ber.Append(nil, ber.Context(4), true, outer[0], ber.Append(nil, ber.Sequence, true, fields...))
	}
	agreed := func(change func(fields [][]byte)) []byte {
		fields, err := members(must(ToCertificate(keys[1].cert, nil).recipient(cek)).der)
		if err != nil {
			t.Fatal(err)
		}
		change(fields)
		return ber.Append(nil, ber.Context(1), true, fields...)
	}
	static := issuerAndSerial(keys[2].decryption().parse().cert)
	password := func(derivation alg.Identifier) []byte {
		var fields [][]byte
		fields = append(fields, encodeVersion(0))
		if derivation.OID != "" {
			d := bytes.Clone(derivation.DER())
			d[0] = 0xa0
			fields = append(fields, d)
		}
		return ber.Append(nil, ber.Context(3), true, append(fields, alg.Identifier{OID: oid.AES256Wrap}.DER(), encodeOctets(make([]byte, 40)))...)
	}
	pbkdf2 := func(iterations, keyLen int) alg.Identifier {
		return alg.Identifier{OID: oid.PBKDF2, Params: ber.Append(nil, ber.Sequence, true, encodeOctets([]byte("salt")), encodeInteger(iterations), encodeInteger(keyLen))}
	}
	secret := KeyFromPassword([]byte("password"))
	unknown := alg.Identifier{OID: "\x2a\x03"}
	for name, c := range map[string]struct {
		der  []byte
		key  DecryptionKey
		want error
	}{
		"KEM":                        {kem(func([][]byte) {}), keys[5].decryption(), nil},
		"kekLength of another wrap":  {kem(func(f [][]byte) { f[5] = encodeInteger(16) }), keys[5].decryption(), ErrUnsupported},
		"kekLength of nothing":       {kem(func(f [][]byte) { f[5] = encodeInteger(0) }), keys[5].decryption(), ErrUnsupported},
		"kekLength without end":      {kem(func(f [][]byte) { f[5] = append([]byte{2, 9, 1}, make([]byte, 8)...) }), keys[5].decryption(), ErrSyntax},
		"unknown wrap":               {kem(func(f [][]byte) { f[6] = unknown.DER() }), keys[5].decryption(), ErrUnsupported},
		"unknown derivation":         {kem(func(f [][]byte) { f[4] = unknown.DER() }), keys[5].decryption(), ErrUnsupported},
		"HKDF with parameters":       {kem(func(f [][]byte) { f[4] = alg.Identifier{OID: oid.HKDFSHA256, Params: []byte{5, 0}}.DER() }), keys[5].decryption(), ErrUnsupported},
		"another KEM":                {kem(func(f [][]byte) { f[2] = alg.Identifier{OID: oid.MLKEM1024}.DER() }), keys[5].decryption(), ErrUnsupported},
		"KEM for a key of RSA":       {kem(func([][]byte) {}), KeyOf(keys[5].cert, testRSA().key), ErrUnsupported},
		"kemct too short":            {kem(func(f [][]byte) { f[3] = encodeOctets(make([]byte, 1000)) }), keys[5].decryption(), ErrDecrypt},
		"kemct of zeros":             {kem(func(f [][]byte) { f[3] = encodeOctets(make([]byte, 1088)) }), keys[5].decryption(), ErrDecrypt},
		"static key by name":         {agreed(func(f [][]byte) { f[1] = ber.Append(nil, ber.Context(0), true, static.encode()) }), keys[1].decryption(), ErrUnsupported},
		"static key by identifier":   {agreed(func(f [][]byte) { f[1] = ber.Append(nil, ber.Context(0), true, []byte{0x80, 1, 1}) }), keys[1].decryption(), ErrUnsupported},
		"MQV":                        {agreed(func(f [][]byte) { f[2] = alg.Identifier{OID: "\x2b\x81\x04\x01\x0f\x01", Params: unknown.DER()}.DER() }), keys[1].decryption(), ErrUnsupported},
		"no originator":              {agreed(func(f [][]byte) { f[1] = []byte{0xa0, 2, 5, 0} }), keys[1].decryption(), ErrSyntax},
		"password, key of elsewhere": {password(alg.Identifier{}), secret, ErrUnsupported},
		"password, other derivation": {password(unknown), secret, ErrUnsupported},
		"password, wrong key length": {password(pbkdf2(1000, 16)), secret, ErrUnsupported},
		"password, no iterations":    {password(pbkdf2(0, 32)), secret, ErrUnsupported},
		"password, wrong":            {password(pbkdf2(1000, 32)), secret, ErrDecrypt},
		"password, bomb":             {password(pbkdf2(1<<30, 32)), secret, ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decryptAll(bytes.NewReader(rawEnvelope(encodedRecipient{der: c.der}, content.ID, ciphertext)), fixed(c.key), nil)
			if !errors.Is(err, c.want) || (err == nil) != (string(got) == text) {
				t.Errorf("%s: %q, %v, not %v", name, got, err, c.want)
			}
		})
	}
}

func TestEncryptRefusesKeys(t *testing.T) {
	t.Parallel()
	n := new(big.Int).Lsh(big.NewInt(1), 1535)
	n.SetBit(n, 0, 1)
	short := testCertificate(spkiOf(&rsa.PublicKey{N: n, E: 65537}), 60)
	for name, c := range map[string]struct {
		cert *x509.Certificate
		opts *RecipientOptions
		want error
	}{
		"RSA of 1536 bits":  {short, nil, ErrWeak},
		"unknown hash":      {testRSA().cert, &RecipientOptions{OAEPHash: crypto.MD4}, ErrUnsupported},
		"no certificate":    {&x509.Certificate{Raw: []byte{0x30, 0}}, nil, ErrSyntax},
		"unknown key":       {testCertificate(rawSPKI("\x2a\x03", noise(32)), 61), nil, ErrUnsupported},
		"X25519, low order": {testCertificate(rawSPKI(oid.X25519, make([]byte, 32)), 62), nil, alg.ErrMalformed},
		"X448, low order":   {testCertificate(rawSPKI(oid.X448, make([]byte, 56)), 63), nil, alg.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewEncryptWriter(t.Context(), io.Discard, []Recipient{ToCertificate(c.cert, c.opts)}, nil)
			var one *RecipientError
			if !errors.Is(err, c.want) || !errors.As(err, &one) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
		})
	}
}

// What a key is for, and what it is not for, decides what it opens.
func TestKeyForOtherUse(t *testing.T) {
	t.Parallel()
	x, err := ecdh.X25519().GenerateKey(bytes.NewReader(noise(64)))
	if err != nil {
		t.Fatal(err)
	}
	keys := testKeys()
	for name, c := range map[string]struct{ to, with testKey }{
		"P-256 by P-384": {keys[1], testKey{"", keys[1].cert, keys[2].key}}, "P-256 by X25519": {keys[1], testKey{"", keys[1].cert, x}},
		"X25519 by P-256": {keys[4], testKey{"", keys[4].cert, keys[1].key}}, "X448 by X25519": {keys[8], testKey{"", keys[8].cert, x}},
		"ML-KEM-768 by 1024": {keys[5], testKey{"", keys[5].cert, keys[6].key}}, "X25519 by another": {keys[4], testKey{"", keys[4].cert, x}},
	} {
		t.Run(name, func(t *testing.T) {
			msg := encryptTo(t, noise(10), nil, ToCertificate(c.to.cert, nil))
			if _, err := decryptAll(bytes.NewReader(msg), c.with.keyFunc(), nil); err != ErrDecrypt && !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// A list is bounded, and so is what is there twice.
func TestListLimits(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	var digests [][]byte
	for n := range maxDigests + 1 {
		digests = append(digests, alg.Identifier{OID: oid.OID([]byte{0x2a, 3, byte(n)})}.DER())
	}
	for n, want := range map[int]error{maxDigests: nil, maxDigests + 1: ErrLimit} {
		_, _, err := verify((&crafted{key: key, front: encodeFront(1, digests[:n])}).message(t), nil, nil)
		if !errors.Is(err, want) {
			t.Errorf("%d digest algorithms: %v", n, err)
		}
	}
	cert := key.Certificate.Raw
	for n, want := range map[int]error{1000: nil, 1002: ErrLimit} {
		bag := ber.Append(nil, ber.Context(0), true, bytes.Repeat(cert, n))
		sd := ber.Append(nil, ber.Sequence, true, encodeVersion(1), []byte{0x31, 0}, ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data))), bag, []byte{0x31, 0})
		msg := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.SignedData)), ber.Append(nil, ber.Context(0), true, sd))
		certs, _, err := ReadCertificates(bytes.NewReader(msg), nil)
		if !errors.Is(err, want) || err == nil && len(certs) != 1 {
			t.Errorf("%d copies: %d, %v", n, len(certs), err)
		}
	}
	value := []byte{5, 0}
	many := ber.Append(nil, ber.Set, true, ber.Append(nil, ber.Sequence, true, []byte{6, 2, 0x2a, 3}, ber.Append(nil, ber.Set, true, bytes.Repeat(value, maxAttributes+1))))
	if _, err := parseAttributes(many, 0, ""); !errors.Is(err, ErrLimit) {
		t.Errorf("values: %v", err)
	}
	one := ber.Append(nil, ber.Sequence, true, []byte{6, 2, 0x2a, 3}, ber.Append(nil, ber.Set, true, value))
	if _, err := parseAttributes(ber.Append(nil, ber.Set, true, bytes.Repeat(one, maxAttributes+1)), 0, ""); !errors.Is(err, ErrLimit) {
		t.Errorf("attributes: %v", err)
	}
}

func TestFactsOfSigners(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "p256"), newSigner(t, "p384")
	r := readSigned(t, sign(t, text, nil, a, b), nil)
	algorithms, err := r.DigestAlgorithms()
	if err != nil || len(algorithms) != 2 {
		t.Errorf("%v, %v", algorithms, err)
	}
	for _, s := range r.signers {
		h := s.hash.New()
		h.Write(s.signedDER)
		if !bytes.Equal(s.AttributesDigest(), h.Sum(nil)) || !strings.HasPrefix(s.Scheme().String(), "ECDSA") {
			t.Errorf("%v", s.Scheme())
		}
	}
	for d := DigestNotAnnounced; d < deviations; d++ {
		if d.String() == "" || d.String() == Deviation(99).String() {
			t.Errorf("deviation %d has no text", d)
		}
	}
}

// TestCheckPath holds a path to the certificates that the attribute names.
func TestCheckPath(t *testing.T) {
	t.Parallel()
	key, issuer := newSigner(t, "p256"), newSigner(t, "p384").Certificate
	id := func(cert *x509.Certificate) []byte {
		h := alg.SHA256.New()
		h.Write(cert.Raw)
		return ber.Append(nil, ber.Sequence, true, encodeOctets(h.Sum(nil)))
	}
	value := func(ids ...[]byte) []byte {
		return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, ids...))
	}
	own := id(key.Certificate)
	path := []*x509.Certificate{key.Certificate, issuer}
	for name, c := range map[string]struct {
		value []byte
		want  error
	}{
		"the signer alone":        {value(own), nil},
		"all":                     {value(own, id(issuer)), nil},
		"another one":             {value(own, id(newSigner(t, "ed25519").Certificate)), ErrSignature},
		"garbage after the first": {value(own, []byte{5, 0}), ErrSyntax},
		"too many":                {value(own, bytes.Repeat(id(issuer), maxCertIDs)), ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			s := signersOf(t, (&crafted{key: key, attrs: with(oid.AttrSigningCertificateV2, c.value)}).message(t), nil)[0]
			if err := s.CheckSignature(key.Certificate); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if err := s.CheckPath(path); !errors.Is(err, c.want) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
		})
	}
	none := signersOf(t, (&crafted{key: key, attrs: without(oid.AttrSigningCertificateV2)}).message(t), nil)[0]
	if err := errors.Join(none.CheckPath(path), new(SignerInfo).CheckPath(path)); err != nil {
		t.Errorf("no attribute: %v", err)
	}
}
