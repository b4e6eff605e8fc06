package alg

import (
	"bytes"
	"context"
	"crypto"
	"crypto/cipher"
	"crypto/des"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestWrapVectors has RFC 3394 section 4 and RFC 5649 section 6.
func TestWrapVectors(t *testing.T) {
	t.Parallel()
	const kek = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
	for _, tt := range []struct {
		name           string
		oid            oid.OID
		kek, key, want string
	}{
		{"4.1", oid.AES128Wrap, kek[:32], "00112233445566778899aabbccddeeff", "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"},
		{"4.3", oid.AES256Wrap, kek, "00112233445566778899aabbccddeeff", "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"},
		{"4.6", oid.AES256Wrap, kek, "00112233445566778899aabbccddeeff000102030405060708090a0b0c0d0e0f", "28c9f404c4b810f4cbccb35cfb87f8263f5786e2d80ed326cbc7f0e71a99f43bfb988b9b7a02dd21"},
		{"pad 20", oid.AES192WrapPad, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "c37b7e6492584340bed12207808941155068f738", "138bdeaa9b8fa7fc61f97742e72248ee5ae6ae5360d1ae6a5f54f373fa543b6a"},
		{"pad 7", oid.AES192WrapPad, "5840df6e29b02af1ab493b705bf16ea1ae8338f4dcc176a8", "466f7250617369", "afbeb0f07dfbf5419200f2ccb50bb24f"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w, err := WrapOf(Identifier{OID: tt.oid})
			if err != nil {
				t.Fatal(err)
			}
			kek, key := unhex(t, tt.kek), unhex(t, tt.key)
			got, err := w.Wrap(kek, key)
			if err != nil || hex.EncodeToString(got) != tt.want {
				t.Fatalf("%x, %v", got, err)
			}
			back, err := w.Unwrap(kek, got)
			if err != nil || !bytes.Equal(back, key) {
				t.Fatalf("%x, %v", back, err)
			}
			for i := range 8 * len(got) {
				got[i/8] ^= 1 << (i % 8)
				if _, err := w.Unwrap(kek, got); err != ErrDecrypt {
					t.Fatalf("bit %d: %v", i, err)
				}
				got[i/8] ^= 1 << (i % 8)
			}
			for i := range len(got) {
				if _, err := w.Unwrap(kek, got[:i]); err != ErrDecrypt {
					t.Fatalf("cut to %d: %v", i, err)
				}
			}
		})
	}
}

func TestPaddedWrapLengths(t *testing.T) {
	t.Parallel()
	w, _ := WrapOf(Identifier{OID: oid.AES128WrapPad})
	kek := make([]byte, 16)
	for n := 1; n < 50; n++ {
		key := bytes.Repeat([]byte{0xff}, n)
		wrapped, err := w.Wrap(kek, key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := w.Unwrap(kek, wrapped); err != nil || !bytes.Equal(got, key) {
			t.Errorf("%d: %x, %v", n, got, err)
		}
	}
}

// wrapTripleDES is RFC 3217 section 3.1, for tests alone.
func wrapTripleDES(t testing.TB, kek, key, iv []byte) []byte {
	b, err := des.NewTripleDESCipher(kek)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha1.Sum(key)
	temp := append(slices.Clone(key), sum[:8]...)
	cipher.NewCBCEncrypter(b, iv).CryptBlocks(temp, temp)
	temp = append(slices.Clone(iv), temp...)
	slices.Reverse(temp)
	cipher.NewCBCEncrypter(b, unhex(t, "4adda22c79e82105")).CryptBlocks(temp, temp)
	return temp
}

// TestTripleDESWrap has the example of RFC 3217 section 3.3.
func TestTripleDESWrap(t *testing.T) {
	t.Parallel()
	key := unhex(t, "2923bf85e06dd6ae529149f1f1bae9eab3a7da3d860d3e98")
	kek := unhex(t, "255e0d1c07b646dfb3134cc843ba8aa71f025b7c0838251f")
	wrapped := unhex(t, "690107618ef092b3b48ca1796b234ae9fa33ebb4159604037db5d6a84eb3aac2768c632775a467d4")
	if got := wrapTripleDES(t, kek, key, unhex(t, "5dd4cbfc96f5453b")); !bytes.Equal(got, wrapped) {
		t.Fatalf("%x", got)
	}
	w, err := WrapOf(Identifier{OID: oid.TripleDESWrap, Params: []byte(nullDER)})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := w.Unwrap(kek, wrapped); err != nil || !bytes.Equal(got, key) {
		t.Errorf("%x, %v", got, err)
	}
	wrapped[7] ^= 1
	if _, err := w.Unwrap(kek, wrapped); err != ErrDecrypt {
		t.Error(err)
	}
	if _, err := w.Wrap(kek, key); !errors.Is(err, ErrWeak) {
		t.Error(err)
	}
}

// TestCEKHKDF has the two examples of RFC 9709 appendix B.
func TestCEKHKDF(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ info, cek, want string }{
		{
			"301b0609608648016503040106300e040c5c79058ba2f43447639d29e2",
			"c702e7d0a9e064b09ba55245fb733cf3", "2124ffb29fac4e0fbbc7d5d87492bff3",
		},
		{
			"301d06096086480165030401020410651f722ffd512c52fe072e507d72b377",
			"c702e7d0a9e064b09ba55245fb733cf3", "9cd102c52f1e19ece8729b35bfeceb50",
		},
	} {
		c, err := ContentOf(Identifier{OID: oid.CEKHKDFSHA256, Params: unhex(t, tt.info)})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.key(unhex(t, tt.cek))
		if err != nil || hex.EncodeToString(got) != tt.want {
			t.Errorf("%x, %v", got, err)
		}
	}
}

func TestPWRI(t *testing.T) {
	t.Parallel()
	for _, n := range []int{16, 24, 32} {
		kek, cek := randomBytes(n), randomBytes(40-n)
		id, wrapped, err := PWRIWrap(kek, cek)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := PWRIKeyLen(id); err != nil || got != n {
			t.Error(got, err)
		}
		if got, err := PWRIUnwrap(id, kek, wrapped); err != nil || !bytes.Equal(got, cek) {
			t.Errorf("%x, %v", got, err)
		}
		for i := range len(wrapped) {
			if _, err := PWRIUnwrap(id, kek, wrapped[:i]); err != ErrDecrypt && i%16 != 0 {
				t.Error(i, err)
			}
		}
		// Three octets check the rest: one change in 2^24 passes, which is not for this test.
		wrapped[0] ^= 1
		if got, err := PWRIUnwrap(id, kek, wrapped); err == nil && bytes.Equal(got, cek) {
			t.Error("changed key unwrapped")
		}
	}
}

// TestPWRIVector has the examples of RFC 3211 section 3.
func TestPWRIVector(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cipher                oid.OID
		iv, kek, cek, wrapped string
	}{
		{oid.DESCBC, "efe598ef21b33d6d", "d1daa78615f287e6", "8c627c897323a2f8", "b81b2565ee373ca6dedca26a178b0c10"},
		{oid.TripleDESCBC, "baf1ca7931213c4e", "6a8970bf68c92caea84a8df28510858607126380cc47ab2d",
			"8c637d887223a2f965b566eb014b0fa5d52300a3f7ea40fffc577203c71baf3b", "c03c514abdb9e2c5aac038572b5e24553876b377aafb82eca5a9d73f8ab143d9ec74e6cad7db260c"},
	} {
		id := Identifier{OID: oid.PWRIKEK, Params: Identifier{OID: tt.cipher, Params: element(asn1.OCTET_STRING, unhex(t, tt.iv))}.DER()}
		got, err := PWRIUnwrap(id, unhex(t, tt.kek), unhex(t, tt.wrapped))
		if err != nil || hex.EncodeToString(got) != tt.cek {
			t.Errorf("%v: %x, %v", tt.cipher, got, err)
		}
	}
}

func TestPBKDF2Parameters(t *testing.T) {
	t.Parallel()
	k := NewPBKDF2()
	again, err := PBKDF2Of(k.ID)
	if err != nil || again.Iterations != 600_000 || again.prf != SHA256 {
		t.Fatal(again, err)
	}
	again.Iterations, k.Iterations = 3, 3
	a, _ := k.Key([]byte("password"), 32)
	b, err := again.Key([]byte("password"), 32)
	if err != nil || !bytes.Equal(a, b) {
		t.Error(err)
	}
	for name, params := range map[string]string{
		"zero":     "300904040102030402" + "0100",
		"negative": "300904040102030402" + "01ff",
		"huge":     "301204040102030402" + "0a7fffffffffffffffffff",
		"no salt":  "3003020101",
		"trailing": "300b0404010203040201010500",
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := PBKDF2Of(Identifier{OID: oid.PBKDF2, Params: unhex(t, params)}); err == nil {
				t.Error(name, "accepted")
			}
		})
	}
}

// agreementKeys returns a key of each kind that agrees.
func agreementKeys(t testing.TB) map[string]crypto.PrivateKey {
	keys := map[string]crypto.PrivateKey{"x448": GenerateX448()}
	x, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys["x25519"] = x
	for _, c := range []elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		keys[c.Params().Name] = k
	}
	return keys
}

func publicOf(t testing.TB, key crypto.PrivateKey) *PublicKey {
	t.Helper()
	if k, ok := key.(*X448PrivateKey); ok {
		return mustKey(t, spki(Identifier{OID: oid.X448}, k.public.Bytes()))
	}
	return pkix(t, key.(interface{ Public() crypto.PublicKey }).Public())
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	keys := agreementKeys(t)
	for name, key := range keys {
		t.Run(name, func(t *testing.T) {
			pub := publicOf(t, key)
			if !pub.Matches(key) {
				t.Error("Matches")
			}
			z, originator, err := Ephemeral(pub)
			if err != nil {
				t.Fatal(err)
			}
			got, err := Agree(key, originator)
			if err != nil || !bytes.Equal(got, z) {
				t.Fatal(err)
			}
			a, err := AgreementFor(pub, 32)
			if err != nil {
				t.Fatal(err)
			}
			for _, ukm := range [][]byte{nil, {}, []byte("ukm")} {
				keks, err := a.KEKs(z, ukm)
				if err != nil || len(keks) < 1 || len(keks[0]) != 32 {
					t.Error(keks, err)
				}
				if want := 1; (len(keks) == want) != (!a.HKDF || len(ukm) == 0) {
					t.Errorf("%d keys for ukm %q", len(keks), ukm)
				}
			}
			for other, k := range keys {
				if other != name {
					if _, err := Agree(k, originator); !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrMalformed) {
						t.Errorf("%s: %v", other, err)
					}
				}
			}
		})
	}
	if len(keys) != 5 {
		t.Error(len(keys))
	}
}

// TestKEKForms: with NULL in the message both forms of keyInfo are tried.
func TestKEKForms(t *testing.T) {
	t.Parallel()
	withNull := Identifier{OID: oid.AES128Wrap, Params: []byte(nullDER)}
	for o, want := range map[oid.OID]int{oid.DHStdSHA256KDF: 2, oid.DHHKDFSHA256: 4} {
		a, err := AgreementOf(Identifier{OID: o, Params: withNull.DER()})
		if err != nil {
			t.Fatal(err)
		}
		keks, err := a.KEKs([]byte("secret"), []byte("ukm"))
		if err != nil || len(keks) != want {
			t.Errorf("%d keys: %v", len(keks), err)
		}
		plain, _ := AgreementOf(Identifier{OID: o, Params: Identifier{OID: oid.AES128Wrap}.DER()})
		canonical, _ := plain.KEKs([]byte("secret"), []byte("ukm"))
		if !bytes.Equal(canonical[0], keks[1]) {
			t.Error("the second is not the canonical one")
		}
	}
}

func TestOriginatorKeyRefused(t *testing.T) {
	t.Parallel()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	point, _ := key.PublicKey.Bytes()
	raw := func(id Identifier, b []byte) []byte { return spki(id, b) }
	ec := Identifier{OID: oid.ECPublicKey}
	named := func(o oid.OID) Identifier {
		return Identifier{OID: oid.ECPublicKey, Params: element(asn1.OBJECT_IDENTIFIER, []byte(o))}
	}
	changed := slices.Clone(point)
	changed[40] ^= 1
	big := slices.Clone(point)
	for i := range 32 {
		big[1+i] = 0xff
	}
	hybrid := slices.Clone(point)
	hybrid[0] = 6 + point[64]&1
	compressed := elliptic.MarshalCompressed(elliptic.P256(), key.X, key.Y)
	for _, tt := range []struct {
		name string
		der  []byte
		want error
	}{
		{"good", raw(ec, point), nil},
		{"named", raw(named(oid.P256), point), nil},
		{"null", raw(Identifier{OID: oid.ECPublicKey, Params: []byte(nullDER)}, point), nil},
		{"compressed", raw(ec, compressed), nil},
		{"other curve", raw(named(oid.P384), point), ErrMismatch},
		{"explicit", raw(Identifier{OID: oid.ECPublicKey, Params: []byte{0x30, 0}}, point), ErrMalformed},
		{"x25519", raw(Identifier{OID: oid.X25519}, point[:32]), ErrMismatch},
		{"off the curve", raw(ec, changed), ErrMalformed},
		{"too large", raw(ec, big), ErrMalformed},
		{"hybrid", raw(ec, hybrid), ErrMalformed},
		{"infinity", raw(ec, []byte{0}), ErrMalformed},
		{"empty", raw(ec, nil), ErrMalformed},
		{"short", raw(ec, point[:64]), ErrMalformed},
		{"trailing", append(raw(ec, point), 0), ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := Agree(key, tt.der); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
	// Low order: the secret would be zero.
	x, _ := ecdh.X25519().GenerateKey(rand.Reader)
	for _, u := range [][]byte{make([]byte, 32), append([]byte{1}, make([]byte, 31)...)} {
		if _, err := Agree(x, raw(Identifier{OID: oid.X25519}, u)); !errors.Is(err, ErrMalformed) {
			t.Error(err)
		}
	}
	if _, err := Agree(GenerateX448(), raw(Identifier{OID: oid.X448}, make([]byte, 56))); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// TestRSAKEM is the example of RFC 9690 appendix C.
func TestRSAKEM(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "rfc9690-rsa-kem")
	key, err := x509.ParsePKCS1PrivateKey(readPEM(t, dir+"/bob.key.pem").Bytes)
	if err != nil {
		t.Fatal(err)
	}
	der, err := os.ReadFile(dir + "/enveloped-rsa-kem.cms")
	if err != nil {
		t.Fatal(err)
	}
	// The ciphertext and what follows it stand in one KEMRecipientInfo.
	i := bytes.Index(der, []byte{0x04, 0x82, 0x01, 0x80})
	kemct := der[i+4 : i+4+384]
	sha := element(0x30, append(element(6, []byte(oid.SHA256)), 5, 0))
	k := &KEM{ID: Identifier{OID: oid.RSAKEM}, KDF: Identifier{OID: oid.KDF3, Params: sha}, Wrap: WrapFor(16)}
	secret, err := k.Decapsulate(key, kemct)
	if err != nil || hex.EncodeToString(secret) != "3cf82ec41b54ed4d37402bbd8f805a52" {
		t.Fatalf("%x, %v", secret, err)
	}
	kek, err := k.KEK(secret, unhex(t, "3010300b0609608648016503040105020110"), 16)
	if err != nil || hex.EncodeToString(kek) != "e6dc9d62ff2b469bef604c617b018718" {
		t.Fatalf("%x, %v", kek, err)
	}
	wrapped := unhex(t, "28782e5d3d794a7616b863fbcfc719b78f12de08cf286e09")
	if _, err := k.Wrap.Unwrap(kek, wrapped); err != nil {
		t.Error(err)
	}
	if _, err := k.KEK(secret, nil, 32); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
	if _, err := k.Decapsulate(key, kemct[1:]); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

// contextKey is a key in hardware that is asked through a context.
type contextKey struct {
	crypto.Signer
	ctx context.Context
}

func (k contextKey) WithContext(ctx context.Context) crypto.PrivateKey {
	return contextKey{k.Signer, ctx}
}

func TestWithContext(t *testing.T) {
	t.Parallel()
	key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ctx, cancel := context.WithCancel(context.Background())
	bound, ok := WithContext(ctx, contextKey{Signer: key}).(contextKey)
	if !ok || bound.ctx != ctx {
		t.Error("not bound")
	}
	pub := pkix(t, key.Public())
	if _, err := Sign(ctx, contextKey{Signer: key}, pub, SchemeECDSASHA256, nil); err != nil {
		t.Error(err)
	}
	cancel()
	if _, err := Sign(ctx, contextKey{Signer: key}, pub, SchemeECDSASHA256, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestOAEPIdentifier(t *testing.T) {
	t.Parallel()
	for _, o := range []*OAEP{
		{Hash: crypto.SHA1, MGF: crypto.SHA1},
		{Hash: crypto.SHA256, MGF: crypto.SHA256},
		{Hash: crypto.SHA256, MGF: crypto.SHA1, Label: []byte("label")},
		{Hash: crypto.SHA1, MGF: crypto.SHA512},
		{Hash: crypto.SHA512_256, MGF: crypto.SHA3_256},
	} {
		again, err := OAEPOf(o.Identifier())
		if err != nil || !again.equal(o) {
			t.Errorf("%+v: %+v, %v", o, again, err)
		}
	}
	// Row of the table in RFC 3560 section 5, with the tags that it forgets.
	want := "303c06092a864886f70d010107302fa00f300d06096086480165030402010500a11c301a06092a864886f70d010108300d06096086480165030402010500"
	if got := (&OAEP{Hash: crypto.SHA256, MGF: crypto.SHA256}).Identifier().DER(); hex.EncodeToString(got) != want {
		t.Errorf("%x", got)
	}
	for name, params := range map[string][]byte{"absent": nil, "null": []byte(nullDER), "trailing": {0x30, 0, 0}, "unknown": {0x30, 2, 0x84, 0}} {
		t.Run(name, func(t *testing.T) {
			if _, err := OAEPOf(Identifier{OID: oid.RSAESOAEP, Params: params}); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestRSARaw(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	m := randomBytes(128)
	m[0] = 0
	ct, ok := rsaPublic(&key.PublicKey, m)
	if !ok {
		t.Fatal("too large")
	}
	if got, err := rsaRaw(key, ct); err != nil || !bytes.Equal(got, m) {
		t.Error(err)
	}
	if _, err := rsaRaw(key, key.N.Bytes()); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
}

func BenchmarkUnwrap(b *testing.B) {
	w := WrapFor(32)
	kek, cek := make([]byte, 32), make([]byte, 32)
	wrapped, _ := w.Wrap(kek, cek)
	for b.Loop() {
		if _, err := w.Unwrap(kek, wrapped); err != nil {
			b.Fatal(err)
		}
	}
}

var _ cipher.Block = (*rc2)(nil)

// TestPBKDF2EndsWithItsContext holds that a derivation which would take hours is
// given up.
func TestPBKDF2EndsWithItsContext(t *testing.T) {
	k := NewPBKDF2()
	k.Iterations = 1 << 30
	ctx, cancel := context.WithCancel(t.Context())
	go cancel()
	if _, err := k.KeyContext(ctx, []byte("password"), 32); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
