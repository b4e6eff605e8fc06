package alg

import (
	"bytes"
	"crypto"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/rand"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func rc2Params(version int64, iv []byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(version)
		b.AddASN1OctetString(iv)
	})
	return b.BytesOrPanic()
}

// TestHistoric reads what old programs wrote; nothing writes it.
func TestHistoric(t *testing.T) {
	t.Parallel()
	iv := []byte("01234567")
	octets := element(asn1.OCTET_STRING, iv)
	n := 0
	for _, tt := range []struct {
		name   string
		id     Identifier
		keyLen int
	}{
		{"triple des", Identifier{OID: oid.TripleDESCBC, Params: octets}, 24},
		{"des", Identifier{OID: oid.DESCBC, Params: octets}, 8},
		{"rc2 40", Identifier{OID: oid.RC2CBC, Params: rc2Params(160, iv)}, 5},
		{"rc2 64", Identifier{OID: oid.RC2CBC, Params: rc2Params(120, iv)}, 8},
		{"rc2 128", Identifier{OID: oid.RC2CBC, Params: rc2Params(58, iv)}, 16},
		{"rc2 256", Identifier{OID: oid.RC2CBC, Params: rc2Params(256, iv)}, 32},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := ContentOf(tt.id)
			if err != nil {
				t.Fatal(err)
			}
			if c.KeyLen() != tt.keyLen || len(c.NewKey()) != tt.keyLen || c.Authenticated() {
				t.Errorf("key of %d", c.KeyLen())
			}
			if !errors.Is(c.Strength(), ErrWeak) {
				t.Error("not weak")
			}
			key := c.NewKey()
			if _, err := c.Encrypter(key, nil); !errors.Is(err, ErrWeak) {
				t.Error("written:", err)
			}
			b, err := c.block(key)
			if err != nil || b.BlockSize() != 8 {
				t.Fatal(err)
			}
			plain := []byte("thirteen more")
			sealed := append(bytes.Clone(plain), 3, 3, 3)
			cipher.NewCBCEncrypter(b, iv).CryptBlocks(sealed, sealed)
			d, err := c.Decrypter(key)
			if err != nil {
				t.Fatal(err)
			}
			if out, ok := d.Final(d.Update(nil, sealed)); !ok || !bytes.Equal(out, plain) {
				t.Errorf("%q", out)
			}
			if _, err := c.Decrypter(nil); !errors.Is(err, ErrDecrypt) {
				t.Error("empty key:", err)
			}
			if _, err := c.Authenticator(key, nil, 0); !errors.Is(err, ErrMismatch) {
				t.Error(err)
			}
			n++
		})
	}
	if n != 6 {
		t.Error(n)
	}
	for name, params := range map[string][]byte{
		"version": rc2Params(1, iv), "too long": rc2Params(1025, iv), "iv": rc2Params(58, iv[1:]), "only iv": octets, "absent": nil,
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ContentOf(Identifier{OID: oid.RC2CBC, Params: params}); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestAgreementRefused(t *testing.T) {
	t.Parallel()
	wrap := WrapFor(16).ID.DER()
	for _, tt := range []struct {
		name string
		id   Identifier
		want error
	}{
		{"mqv", Identifier{OID: "\x2b\x81\x05\x10\x86\x48\x3f\x00\x10", Params: wrap}, ErrUnsupported},
		{"no wrap", Identifier{OID: oid.DHStdSHA256KDF}, ErrMalformed},
		{"unknown wrap", Identifier{OID: oid.DHStdSHA256KDF, Params: Identifier{OID: oid.RC2Wrap}.DER()}, ErrUnsupported},
		{"wrap with parameters", Identifier{OID: oid.DHStdSHA256KDF, Params: Identifier{OID: oid.AES128Wrap, Params: []byte{4, 0}}.DER()}, ErrMalformed},
		{"trailing", Identifier{OID: oid.DHStdSHA256KDF, Params: append(wrap, 0)}, ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if a, err := AgreementOf(tt.id); !errors.Is(err, tt.want) || a != nil {
				t.Errorf("%s: %v", tt.name, err)
			}
		})
	}
	for o := range map[oid.OID]Hash{oid.DHStdSHA1KDF: SHA1, oid.DHStdSHA224KDF: SHA224, oid.DHCofactorSHA384KDF: SHA384, oid.DHHKDFSHA512: SHA512} {
		if _, err := AgreementOf(Identifier{OID: o, Params: wrap}); err != nil {
			t.Error(o, err)
		}
	}
}

// A badToken is a key in hardware that gives what it is told to.
type badToken struct {
	public *ecdh.PublicKey
	z      []byte
	err    error
}

func (b badToken) PublicKey() *ecdh.PublicKey             { return b.public }
func (b badToken) Curve() ecdh.Curve                      { return b.public.Curve() }
func (b badToken) ECDH(*ecdh.PublicKey) ([]byte, error)   { return b.z, b.err }
func (b badToken) Encapsulator() crypto.Encapsulator      { return badPublic{} }
func (b badToken) Decapsulate([]byte) (k []byte, e error) { return b.z, b.err }

type badPublic struct{}

func (badPublic) Bytes() []byte              { return make([]byte, 800) }
func (badPublic) Encapsulate() (k, c []byte) { return nil, nil }

// TestHardwareKeys: errors of keys come through, and a token that does not
// check points is checked.
func TestHardwareKeys(t *testing.T) {
	t.Parallel()
	own, _ := ecdh.X25519().GenerateKey(rand.Reader)
	_, originator, err := Ephemeral(pkix(t, own.PublicKey()))
	if err != nil {
		t.Fatal(err)
	}
	lost := errors.New("card removed")
	token := badToken{public: own.PublicKey(), err: lost}
	if !pkix(t, own.PublicKey()).Matches(token) {
		t.Error("does not match")
	}
	if _, err := Agree(token, originator); !errors.Is(err, lost) {
		t.Error(err)
	}
	token = badToken{public: own.PublicKey(), z: make([]byte, 32)}
	if _, err := Agree(token, originator); !errors.Is(err, ErrMalformed) {
		t.Error("secret of zeros:", err)
	}
	k := &KEM{ID: Identifier{OID: oid.MLKEM512}}
	if _, err := k.Decapsulate(badToken{err: lost}, make([]byte, 768)); !errors.Is(err, lost) {
		t.Error(err)
	}
	if _, err := k.Decapsulate(badToken{err: lost}, make([]byte, 767)); !errors.Is(err, ErrMalformed) {
		t.Error(err)
	}
	k.ID.OID = oid.MLKEM768
	if _, err := k.Decapsulate(badToken{err: lost}, make([]byte, 1088)); !errors.Is(err, ErrMismatch) {
		t.Error("key of another size:", err)
	}
	if _, err := Agree(rsaTestKey(t, 1024), originator); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
	if _, err := Sign(t.Context(), failing{own.Public(), lost}, mustKey(t, spki(Identifier{OID: oid.Ed25519}, make([]byte, 32))), SchemeEd25519, nil); !errors.Is(err, lost) {
		t.Error(err)
	}
}

func TestKEMRefused(t *testing.T) {
	t.Parallel()
	secret, info := make([]byte, 32), []byte("info")
	sha := Identifier{OID: oid.SHA256}.DER()
	for _, tt := range []struct {
		name string
		kdf  Identifier
		n    int
		want error
	}{
		{"hkdf", Identifier{OID: oid.HKDFSHA384}, 32, nil},
		{"hkdf 512", Identifier{OID: oid.HKDFSHA512}, 32, nil},
		{"kdf2", Identifier{OID: oid.KDF2, Params: sha}, 32, nil},
		{"kdf3", Identifier{OID: oid.KDF3, Params: sha}, 32, nil},
		{"kdf3 without hash", Identifier{OID: oid.KDF3}, 32, ErrMalformed},
		{"hkdf with parameters", Identifier{OID: oid.HKDFSHA256, Params: []byte(nullDER)}, 32, ErrMalformed},
		{"unknown", Identifier{OID: oid.SHA256}, 32, ErrUnsupported},
		{"other length", Identifier{OID: oid.HKDFSHA256}, 16, ErrMismatch},
		{"huge", Identifier{OID: oid.HKDFSHA256}, 1<<31 - 1, ErrMismatch},
		{"negative", Identifier{OID: oid.HKDFSHA256}, -1, ErrMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			k := &KEM{ID: Identifier{OID: oid.MLKEM768}, KDF: tt.kdf, Wrap: WrapFor(32)}
			kek, err := k.KEK(secret, info, tt.n)
			if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) || (len(kek) == 32) != (err == nil) {
				t.Errorf("%s: %d octets, %v", tt.name, len(kek), err)
			}
		})
	}
	if _, err := (&KEM{ID: Identifier{OID: oid.SHA256}}).Decapsulate(nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
	if _, err := (&KEM{ID: Identifier{OID: oid.RSAKEM}}).Decapsulate(nil, nil); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
}

func TestDecryptPKCS8Refused(t *testing.T) {
	t.Parallel()
	pbes2 := func(kdf, scheme Identifier) []byte {
		id := Identifier{OID: oid.PBES2, Params: element(asn1.SEQUENCE, append(kdf.DER(), scheme.DER()...))}
		return element(asn1.SEQUENCE, append(id.DER(), element(asn1.OCTET_STRING, make([]byte, 32))...))
	}
	cbc, _ := NewContent(AES128CBC, false)
	gcm, _ := NewContent(AES128GCM, false)
	for name, der := range map[string][]byte{
		"empty": nil, "no pbes2": element(asn1.SEQUENCE, append(cbc.ID.DER(), 4, 0)),
		"aead": pbes2(NewPBKDF2().ID, gcm.ID), "iterations": pbes2(NewPBKDF2().ID, cbc.ID), "scrypt": pbes2(gcm.ID, cbc.ID),
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := DecryptPKCS8(der, nil, 1000); err == nil || out != nil {
				t.Errorf("%s accepted", name)
			}
		})
	}
}

type failing struct {
	public crypto.PublicKey
	err    error
}

func (f failing) Public() crypto.PublicKey { return f.public }

func (f failing) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, f.err }
