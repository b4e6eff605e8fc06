package alg

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"math/big"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// encodePSS is EMSA-PSS-ENCODE (RFC 8017 section 9.1.1) and RSASP1.
func encodePSS(t testing.TB, key *rsa.PrivateKey, p pss, message []byte) []byte {
	t.Helper()
	bits := key.N.BitLen() - 1
	n := (bits + 7) / 8
	salt := randomBytes(p.salt)
	d := p.hash.New()
	d.Write(make([]byte, 8))
	d.Write(p.hash.sum(message))
	d.Write(salt)
	h := d.Sum(nil)
	db := make([]byte, n-len(h)-1)
	db[len(db)-p.salt-1] = 1
	copy(db[len(db)-p.salt:], salt)
	subtle.XORBytes(db, db, p.mask(h, len(db)))
	db[0] &= 0xff >> (8*n - bits)
	em := append(append(db, h...), 0xbc)
	em = append(make([]byte, key.Size()-len(em)), em...)
	sig, err := rsaRaw(key, em)
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

func rsaTestKey(t testing.TB, bits int) *rsa.PrivateKey {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestPSSParameters: any hash, any mask, any salt that fits, and a modulus of
// one bit more than a multiple of eight.
func TestPSSParameters(t *testing.T) {
	t.Parallel()
	message := []byte("message")
	n := 0
	for _, bits := range []int{1024, 1025, 1030} {
		key := rsaTestKey(t, bits)
		pub := pkix(t, &key.PublicKey)
		for _, p := range []pss{
			{SHA256, SHA256, 0}, {SHA256, SHA256, 20}, {SHA256, SHA256, 32}, {SHA256, SHA256, 94}, {SHA256, SHA1, 32},
			{SHA512, SHA256, 62}, {SHA512, SHA512, 0}, {SHA1, SHA1, 20}, {SHA3_256, SHA3_256, 32}, {SHA3_384, SHA256, 7},
		} {
			s, err := SignatureOf(Identifier{OID: oid.RSASSAPSS, Params: p.params()}, p.hash)
			if err != nil {
				t.Fatal(err)
			}
			checkPSS(t, key, pub, s, p, message)
			n++
		}
		s, err := SignatureOf(Identifier{OID: oid.RSAPSSSHAKE128}, SHAKE128)
		if err != nil {
			t.Fatal(err)
		}
		checkPSS(t, key, pub, s, pss{SHAKE128, SHAKE128, 32}, message)
	}
	key := rsaTestKey(t, 2048)
	s, err := SignatureOf(Identifier{OID: oid.RSAPSSSHAKE256}, SHAKE256)
	if err != nil {
		t.Fatal(err)
	}
	checkPSS(t, key, pkix(t, &key.PublicKey), s, pss{SHAKE256, SHAKE256, 64}, message)
	if n != 30 {
		t.Error(n)
	}
}

func checkPSS(t *testing.T, key *rsa.PrivateKey, pub *PublicKey, s *Signature, p pss, message []byte) {
	t.Helper()
	sig := encodePSS(t, key, p, message)
	if err := s.VerifyMessage(pub, message, sig); err != nil {
		t.Errorf("%+v: %v", p, err)
	}
	if err := s.VerifyMessage(pub, []byte("other"), sig); !errors.Is(err, ErrSignature) {
		t.Errorf("%+v: %v", p, err)
	}
	for _, delta := range []int{-1, 1} {
		other := *s
		other.pss.salt += delta
		if other.pss.salt < 0 {
			continue
		}
		if err := other.VerifyMessage(pub, message, sig); !errors.Is(err, ErrSignature) {
			t.Errorf("%+v with a salt of %d: %v", p, other.pss.salt, err)
		}
	}
	sig[0] ^= 0x80 // above the modulus, or another number
	if err := s.VerifyMessage(pub, message, sig); !errors.Is(err, ErrSignature) {
		t.Errorf("%+v: %v", p, err)
	}
}

// TestPSSKey: a key with parameters takes signatures with the same hash and mask and no shorter salt.
func TestPSSKey(t *testing.T) {
	t.Parallel()
	key := rsaTestKey(t, 1024)
	der := x509.MarshalPKCS1PublicKey(&key.PublicKey)
	restricted := pss{SHA256, SHA256, 30}
	for _, tt := range []struct {
		sig  pss
		want error
	}{
		{pss{SHA256, SHA256, 30}, nil},
		{pss{SHA256, SHA256, 32}, nil},
		{pss{SHA256, SHA256, 29}, ErrMismatch},
		{pss{SHA384, SHA256, 30}, ErrMismatch},
		{pss{SHA256, SHA384, 30}, ErrMismatch},
	} {
		pub := mustKey(t, spki(Identifier{OID: oid.RSASSAPSS, Params: restricted.params()}, der))
		s, err := SignatureOf(Identifier{OID: oid.RSASSAPSS, Params: tt.sig.params()}, 0)
		if err != nil {
			t.Fatal(err)
		}
		err = s.VerifyMessage(pub, nil, encodePSS(t, key, tt.sig, nil))
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%+v: %v", tt.sig, err)
		}
		free := mustKey(t, spki(Identifier{OID: oid.RSASSAPSS}, der))
		if err := s.VerifyMessage(free, nil, encodePSS(t, key, tt.sig, nil)); err != nil {
			t.Error(err)
		}
		oaep := mustKey(t, spki((&OAEP{Hash: crypto.SHA1, MGF: crypto.SHA1}).Identifier(), der))
		if err := s.VerifyMessage(oaep, nil, encodePSS(t, key, tt.sig, nil)); !errors.Is(err, ErrMismatch) {
			t.Error("encryption key signs:", err)
		}
	}
	v15, _ := SignatureOf(Identifier{OID: oid.SHA256WithRSA, Params: []byte(nullDER)}, 0)
	pub := mustKey(t, spki(Identifier{OID: oid.RSASSAPSS}, der))
	sum := SHA256.sum(nil)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum)
	if err != nil {
		t.Fatal(err)
	}
	if err := v15.Verify(pub, sum, sig); !errors.Is(err, ErrMismatch) {
		t.Error("PSS key with PKCS #1 v1.5:", err)
	}
}

// TestHashes: each digest with RSA and ECDSA under the identifiers of both.
func TestHashes(t *testing.T) {
	t.Parallel()
	rk := rsaTestKey(t, 1024)
	rpub := pkix(t, &rk.PublicKey)
	ek, _ := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	epub := pkix(t, &ek.PublicKey)
	message := []byte("message")
	pkcs1, dsa := 0, 0
	all := append([]oid.OID{}, oid.SHA1WithRSA, oid.SHA1WithRSAOIW, oid.SHA224WithRSA, oid.SHA256WithRSA, oid.SHA384WithRSA, oid.SHA512WithRSA,
		oid.SHA512_224WithRSA, oid.SHA512_256WithRSA, oid.SHA3_224WithRSA, oid.SHA3_256WithRSA, oid.SHA3_384WithRSA, oid.SHA3_512WithRSA,
		oid.ECDSAWithSHA1, oid.ECDSAWithSHA224, oid.ECDSAWithSHA256, oid.ECDSAWithSHA384, oid.ECDSAWithSHA512, oid.ECDSAWithSHA3_224,
		oid.ECDSAWithSHA3_256, oid.ECDSAWithSHA3_384, oid.ECDSAWithSHA3_512, oid.ECDSAWithSHAKE128, oid.ECDSAWithSHAKE256)
	for _, o := range all {
		s, err := SignatureOf(Identifier{OID: o}, 0)
		if err != nil {
			t.Fatal(err)
		}
		sum := s.Hash.sum(message)
		pub, sig := rpub, []byte(nil)
		if s.family == rsaPKCS1 {
			sig, err = rsa.SignPKCS1v15(nil, rk, s.Hash.Crypto(), sum)
			pkcs1++
		} else {
			sig, err = ecdsa.SignASN1(rand.Reader, ek, sum)
			pub = epub
			dsa++
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := s.VerifyMessage(pub, message, sig); err != nil {
			t.Errorf("%v: %v", o, err)
		}
		if weak := errors.Is(s.Strength(epub), ErrWeak); weak != (s.Hash == SHA1) {
			t.Errorf("%v: weak: %v", o, weak)
		}
		// The digest of a SignerInfo must be the same (RFC 8933 section 3).
		if _, err := SignatureOf(Identifier{OID: o}, s.Hash); err != nil {
			t.Error(err)
		}
		if _, err := SignatureOf(Identifier{OID: o}, MD5); !errors.Is(err, ErrMismatch) {
			t.Error(err)
		}
		if _, err := SignatureOf(Identifier{OID: o, Params: []byte{0x30, 0}}, 0); !errors.Is(err, ErrMalformed) {
			t.Error(err)
		}
	}
	if pkcs1 != 12 || dsa != 11 {
		t.Error(pkcs1, dsa)
	}
}

// TestDigestInfo: exactly two encodings are taken.
func TestDigestInfo(t *testing.T) {
	t.Parallel()
	key := rsaTestKey(t, 1024)
	pub := pkix(t, &key.PublicKey)
	sum := SHA256.sum(nil)
	sha := func(params ...byte) []byte { return element(0x30, append(element(6, []byte(oid.SHA256)), params...)) }
	info := func(id []byte, rest ...byte) []byte {
		return element(0x30, append(append(id, element(4, sum)...), rest...))
	}
	pad := func(t byte, info []byte) []byte {
		em := append([]byte{0, t}, bytes.Repeat([]byte{0xff}, 128-3-len(info))...)
		return append(append(em, 0), info...)
	}
	short := append([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, info(sha(5, 0))...)
	for _, tt := range []struct {
		name string
		em   []byte
		good bool
	}{
		{"null", pad(1, info(sha(5, 0))), true},
		{"absent", pad(1, info(sha())), true},
		{"other parameters", pad(1, info(sha(4, 0))), false},
		{"bare hash", pad(1, sum), false},
		{"type 2", pad(2, info(sha(5, 0))), false},
		{"trailing within", pad(1, info(sha(5, 0), 5, 0)), false},
		{"garbage after", append(short, make([]byte, 128-len(short))...), false},
		{"sha-1", pad(1, info(element(0x30, append(element(6, []byte(oid.SHA1)), 5, 0)))), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sig, err := rsaRaw(key, tt.em)
			if err != nil {
				t.Fatal(err)
			}
			s, _ := SignatureOf(Identifier{OID: oid.RSAEncryption}, SHA256)
			if err := s.Verify(pub, sum, sig); (err == nil) != tt.good || err != nil && !errors.Is(err, ErrSignature) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
}

func TestSignatureRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		id     Identifier
		digest Hash
		want   error
	}{
		{"unsigned", Identifier{OID: oid.Unsigned}, SHA256, ErrUnsupported},
		{"dsa", Identifier{OID: oid.DSAWithSHA256}, SHA256, ErrUnsupported},
		{"hash-ml-dsa", Identifier{OID: "\x60\x86\x48\x01\x65\x03\x04\x03\x20"}, SHA512, ErrUnsupported},
		{"rsa without digest", Identifier{OID: oid.RSAEncryption}, 0, ErrMismatch},
		{"pss absent", Identifier{OID: oid.RSASSAPSS}, SHA256, ErrMalformed},
		{"pss null", Identifier{OID: oid.RSASSAPSS, Params: []byte(nullDER)}, SHA256, ErrMalformed},
		{"pss default is sha-1", Identifier{OID: oid.RSASSAPSS, Params: []byte{0x30, 0}}, SHA256, ErrMismatch},
		{"pss trailer", Identifier{OID: oid.RSASSAPSS, Params: []byte{0x30, 5, 0xa3, 3, 2, 1, 2}}, SHA1, ErrMalformed},
		{"pss negative salt", Identifier{OID: oid.RSASSAPSS, Params: []byte{0x30, 5, 0xa2, 3, 2, 1, 0xff}}, SHA1, ErrMalformed},
		{"pss unknown field", Identifier{OID: oid.RSASSAPSS, Params: []byte{0x30, 5, 0xa4, 3, 2, 1, 1}}, SHA1, ErrMalformed},
		{"ed25519 null", Identifier{OID: oid.Ed25519, Params: []byte(nullDER)}, SHA512, ErrMalformed},
		{"ml-dsa null", Identifier{OID: oid.MLDSA44, Params: []byte(nullDER)}, SHA512, ErrMalformed},
		{"slh-dsa null", Identifier{OID: oid.SLHDSA_SHAKE_256s, Params: []byte(nullDER)}, SHAKE256, ErrMalformed},
		{"shake null", Identifier{OID: oid.RSAPSSSHAKE128, Params: []byte(nullDER)}, SHAKE128, ErrMalformed},
		{"shake digest", Identifier{OID: oid.RSAPSSSHAKE128}, SHAKE256, ErrMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if s, err := SignatureOf(tt.id, tt.digest); !errors.Is(err, tt.want) || s != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
}

// TestWeak: what never verifies, and what verifies and is told to be weak.
func TestWeak(t *testing.T) {
	t.Parallel()
	key := rsaTestKey(t, 1024)
	pub := pkix(t, &key.PublicKey)
	sum := MD5.sum(nil)
	sig, err := rsa.SignPKCS1v15(nil, key, crypto.MD5, sum)
	if err != nil {
		t.Fatal(err)
	}
	s, err := SignatureOf(Identifier{OID: oid.MD5WithRSA}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Verify(pub, sum, sig); !errors.Is(err, ErrWeak) {
		t.Error("MD5:", err)
	}
	s, _ = SignatureOf(Identifier{OID: oid.SHA256WithRSA}, 0)
	if err := s.Strength(pub); !errors.Is(err, ErrWeak) {
		t.Error("RSA-1024:", err)
	}
	ed, _ := SignatureOf(Identifier{OID: oid.Ed25519}, SHA1)
	if err := ed.Strength(nil); !errors.Is(err, ErrWeak) {
		t.Error("SHA-1 beside Ed25519:", err)
	}
}

// TestRSAKeys: sizes are refused before any arithmetic.
func TestRSAKeys(t *testing.T) {
	t.Parallel()
	number := func(bits int) []byte {
		return new(big.Int).SetBit(big.NewInt(1), bits-1, 1).Bytes()
	}
	for _, tt := range []struct {
		name string
		n, e []byte
		want error
	}{
		{"1024", number(1024), []byte{3}, nil},
		{"16384", number(16384), []byte{1, 0, 1}, nil},
		{"1023", number(1023), []byte{3}, ErrWeak},
		{"512", number(512), []byte{3}, ErrWeak},
		{"16385", number(16385), []byte{3}, ErrUnsupported},
		{"64k", number(65536), []byte{3}, ErrUnsupported},
		{"even", append(number(1024), 0), []byte{3}, ErrMalformed},
		{"e 1", number(1024), []byte{1}, ErrMalformed},
		{"e 2", number(1024), []byte{2}, ErrMalformed},
		{"e 65536", number(1024), []byte{1, 0, 0}, ErrMalformed},
		{"e 2^31-1", number(1024), []byte{0x7f, 0xff, 0xff, 0xff}, nil},
		{"e 2^31+1", number(1024), []byte{0x80, 0, 0, 1}, ErrUnsupported},
		{"e long", number(1024), append([]byte{1}, make([]byte, 40)...), ErrMalformed},
		{"zero", nil, []byte{3}, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := cryptobyte.NewBuilder(nil)
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1BigInt(new(big.Int).SetBytes(tt.n))
				b.AddASN1BigInt(new(big.Int).SetBytes(tt.e))
			})
			_, err := ParsePublicKey(spki(Identifier{OID: oid.RSAEncryption, Params: []byte(nullDER)}, b.BytesOrPanic()))
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
}

func TestPublicKeyRefused(t *testing.T) {
	t.Parallel()
	named := func(o oid.OID) Identifier {
		return Identifier{OID: oid.ECPublicKey, Params: element(asn1.OBJECT_IDENTIFIER, []byte(o))}
	}
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	point, _ := key.PublicKey.Bytes()
	off := bytes.Clone(point)
	off[64] ^= 1
	for _, tt := range []struct {
		name string
		der  []byte
		want error
	}{
		{"p-256", spki(named(oid.P256), point), nil},
		{"brainpool", spki(named(oid.BrainpoolP256r1), point), nil},
		{"off the curve", spki(named(oid.P256), off), ErrMalformed},
		{"other curve", spki(named(oid.P384), point), ErrMalformed},
		{"explicit", spki(Identifier{OID: oid.ECPublicKey, Params: []byte{0x30, 0}}, point), ErrUnsupported},
		{"implicit", spki(Identifier{OID: oid.ECPublicKey, Params: []byte(nullDER)}, point), ErrMalformed},
		{"no curve", spki(Identifier{OID: oid.ECPublicKey}, point), ErrMalformed},
		{"infinity", spki(named(oid.P256), []byte{0}), ErrMalformed},
		{"ed25519 null", spki(Identifier{OID: oid.Ed25519, Params: []byte(nullDER)}, make([]byte, 32)), ErrMalformed},
		{"ed25519 short", spki(Identifier{OID: oid.Ed25519}, make([]byte, 31)), ErrMalformed},
		{"x448 short", spki(Identifier{OID: oid.X448}, make([]byte, 32)), ErrMalformed},
		{"ml-dsa short", spki(Identifier{OID: oid.MLDSA44}, make([]byte, 1311)), ErrMalformed},
		{"ml-kem overflow", spki(Identifier{OID: oid.MLKEM512}, bytes.Repeat([]byte{0xff}, 800)), ErrMalformed},
		{"slh-dsa short", spki(Identifier{OID: oid.SLHDSA_SHA2_128s}, make([]byte, 31)), ErrMalformed},
		{"unknown", spki(Identifier{OID: oid.SHA256}, nil), ErrUnsupported},
		{"trailing", append(spki(named(oid.P256), point), 0), ErrMalformed},
		{"empty", nil, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePublicKey(tt.der)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || (p == nil) != (err != nil) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
	p, _ := ParsePublicKey(spki(named(oid.BrainpoolP256r1), point))
	s, _ := SignatureOf(Identifier{OID: oid.ECDSAWithSHA256}, 0)
	if err := s.VerifyMessage(p, nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Error("brainpool:", err)
	}
}

func TestIdentifierEqual(t *testing.T) {
	t.Parallel()
	id := func(s string) Identifier {
		a, err := ParseIdentifier(unhex(t, s))
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	sha := "300b0609608648016503040201"
	shaNull := "300d06096086480165030402010500"
	sha384 := "300b0609608648016503040202"
	defaults := "300d06092a864886f70d01010a3000"
	explicit := "301806092a864886f70d01010a300ba009300706052b0e03021a"
	saltToo := "301206092a864886f70d01010a3005a203020114"
	otherSalt := "301206092a864886f70d01010a3005a203020115"
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{sha, sha, true}, {sha, shaNull, true}, {sha, sha384, false},
		{defaults, explicit, true}, {defaults, saltToo, true}, {explicit, saltToo, true}, {defaults, otherSalt, false},
		{sha, defaults, false},
	} {
		if id(tt.a).Equal(id(tt.b)) != tt.want || id(tt.b).Equal(id(tt.a)) != tt.want {
			t.Errorf("%s, %s: %v", tt.a, tt.b, !tt.want)
		}
	}
	twelve, none := aeadIdentifier(oid.AES128GCM, make([]byte, 12), 12), aeadIdentifier(oid.AES128GCM, make([]byte, 12), 0)
	if !twelve.Equal(none) || twelve.Equal(aeadIdentifier(oid.AES128GCM, make([]byte, 12), 16)) {
		t.Error("aes-ICVlen")
	}
}

func TestHashOf(t *testing.T) {
	t.Parallel()
	for h := MD5; h < hashes; h++ {
		got, err := HashOf(h.Identifier())
		if err != nil || got != h || h.New().Size() != h.Size() || len(h.sum(nil)) != h.Size() || h.Crypto() != 0 && h.Crypto().Size() != h.Size() {
			t.Errorf("%v: %v, %v", h, got, err)
		}
		_, err = HashOf(Identifier{OID: h.Identifier().OID, Params: []byte(nullDER)})
		if refused := h == SHAKE128 || h == SHAKE256; (err != nil) != refused {
			t.Errorf("%v with NULL: %v", h, err)
		}
	}
	if h, err := HashOf(Identifier{OID: oid.SHAKE256Len, Params: unhex(t, "02020200")}); h != SHAKE256 || err != nil {
		t.Error(h, err)
	}
	for _, bad := range []string{"", "0500", "02020100", "0203000200"} {
		t.Run(bad, func(t *testing.T) {
			if _, err := HashOf(Identifier{OID: oid.SHAKE256Len, Params: unhex(t, bad)}); !errors.Is(err, ErrMalformed) {
				t.Error(bad, err)
			}
		})
	}
	// FIPS 202: SHAKE128 of nothing; and Sum leaves the state as it is.
	d := SHAKE128.New()
	for range 2 {
		if got := hex.EncodeToString(d.Sum(nil)); got != "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26" {
			t.Error(got)
		}
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for p := ErrMalformed; p <= ErrKeyUnavailable; p++ {
		if seen[p.Error()] || p.Error() == Problem(200).Error() {
			t.Errorf("%d: %q", p, p.Error())
		}
		seen[p.Error()] = true
	}
}

func FuzzParsePublicKey(f *testing.F) {
	_, ed, _ := ed25519.GenerateKey(rand.Reader)
	der, _ := x509.MarshalPKIXPublicKey(ed.Public())
	f.Add(der)
	f.Add(spki(Identifier{OID: oid.RSAEncryption, Params: []byte(nullDER)}, []byte{0x30, 6, 2, 1, 15, 2, 1, 3}))
	f.Add(spki(Identifier{OID: oid.RSASSAPSS, Params: pss{SHA256, SHA256, 32}.params()}, []byte{0x30, 6, 2, 1, 15, 2, 1, 3}))
	f.Fuzz(func(t *testing.T, der []byte) {
		p, err := ParsePublicKey(der)
		if (p == nil) != (err != nil) {
			t.Fatal("both or neither")
		}
		if err == nil && !bytes.Contains(der, p.raw) {
			t.Error("the key is not from the input")
		}
	})
}

// FuzzIdentifier: what is read is equal to itself and keeps its encoding, and no parser panics.
func FuzzIdentifier(f *testing.F) {
	f.Add(Identifier{OID: oid.RSASSAPSS, Params: pss{SHA256, SHA1, 3}.params()}.DER())
	f.Add((&OAEP{Hash: crypto.SHA256, MGF: crypto.SHA1, Label: []byte("x")}).Identifier().DER())
	f.Add(aeadIdentifier(oid.AES128GCM, make([]byte, 12), 16).DER())
	f.Add(NewPBKDF2().ID.DER())
	a, _ := NewContent(AES128CBC, true)
	f.Add(a.ID.DER())
	f.Fuzz(func(t *testing.T, der []byte) {
		id, err := ParseIdentifier(der)
		if err != nil {
			return
		}
		if !id.Equal(id) || !bytes.Equal(id.DER(), der) {
			t.Error("not equal to itself")
		}
		again := Identifier{OID: id.OID, Params: id.Params}
		if !bytes.Equal(again.DER(), der) {
			t.Error("other encoding")
		}
		if c, err := ContentOf(id); err == nil && (c.KeyLen() < 1 || len(c.nonce) > 64) {
			t.Error("content encryption without key")
		}
		if s, err := SignatureOf(id, SHA256); err == nil && s.Hash == 0 {
			t.Error("signature without digest")
		}
		_, _ = OAEPOf(id)
		_, _ = AgreementOf(id)
		_, _ = PBKDF2Of(id)
		_, _ = PWRIKeyLen(id)
		_, _ = HashOf(id)
	})
}

func BenchmarkVerify(b *testing.B) {
	rk := rsaTestKey(b, 2048)
	ek, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	sum := SHA256.sum(nil)
	rsig, _ := rsa.SignPKCS1v15(nil, rk, crypto.SHA256, sum)
	esig, _ := ecdsa.SignASN1(rand.Reader, ek, sum)
	for _, tt := range []struct {
		name string
		key  any
		oid  oid.OID
		sig  []byte
		bare func() bool
	}{
		{"RSA-2048", &rk.PublicKey, oid.SHA256WithRSA, rsig, func() bool { return rsa.VerifyPKCS1v15(&rk.PublicKey, crypto.SHA256, sum, rsig) == nil }},
		{"P-256", &ek.PublicKey, oid.ECDSAWithSHA256, esig, func() bool { return ecdsa.VerifyASN1(&ek.PublicKey, sum, esig) }},
	} {
		der, _ := x509.MarshalPKIXPublicKey(tt.key)
		id := Identifier{OID: tt.oid}
		b.Run(tt.name+"/bare", func(b *testing.B) {
			for b.Loop() {
				if !tt.bare() {
					b.Fatal("bad signature")
				}
			}
		})
		b.Run(tt.name+"/parsed", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				pub, err := ParsePublicKey(der)
				if err != nil {
					b.Fatal(err)
				}
				s, err := SignatureOf(id, SHA256)
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Verify(pub, sum, tt.sig); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
