package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/ed448"
	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// A caller that leaves trust out still gets no signature that does not hold, and
// no message without signers.
func TestVerifyAnySigner(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	good := sign(t, text, nil, key)
	bad := bytes.Clone(good)
	bad[len(bad)-1] ^= 1
	var certsOnly bytes.Buffer
	if err := WriteCertificates(&certsOnly, [][]byte{key.Certificate.Raw}, nil); err != nil {
		t.Fatal(err)
	}
	bare := sign(t, text, &SignOptions{NoCertificates: true}, key)
	for _, c := range []struct {
		name  string
		msg   []byte
		certs []*x509.Certificate
		want  error
	}{
		{"good", good, nil, nil},
		{"changed", bad, nil, ErrSignature},
		{"no signer", certsOnly.Bytes(), nil, ErrNoSigner},
		{"no certificate", bare, nil, ErrNoCertificate},
		{"certificate from outside", bare, []*x509.Certificate{nil, key.Certificate}, nil},
		{"another certificate from outside", bare, []*x509.Certificate{newSigner(t, "p256").Certificate}, ErrNoCertificate},
	} {
		t.Run(c.name, func(t *testing.T) {
			var content bytes.Buffer
			signers, err := Verify(context.Background(), &content, bytes.NewReader(c.msg), nil, InsecureAnySigner, &ReadOptions{Certificates: c.certs})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v", err)
			}
			if err != nil {
				if content.Len() > 0 || len(signers) > 0 {
					t.Errorf("%q, %d signers", content.String(), len(signers))
				}
				return
			}
			if len(signers) != 1 || !signers[0].Certificate().Equal(key.Certificate) || content.String() != text {
				t.Errorf("%d signers, %q", len(signers), content.String())
			}
		})
	}
	defer func() {
		if recover() == nil {
			t.Error("a zero Signer has a certificate")
		}
	}()
	new(Signer).Certificate()
}

// Attributes go in and come out as Go values.
func TestAttributeValues(t *testing.T) {
	t.Parallel()
	typ, err := x509.ParseOID("2.16.840.1.113733.1.9.7") // transactionID of SCEP
	if err != nil {
		t.Fatal(err)
	}
	absent, err := x509.ParseOID("1.2.3.4")
	if err != nil {
		t.Fatal(err)
	}
	a, err := NewAttribute(typ, "transaction 7")
	if err != nil {
		t.Fatal(err)
	}
	key := newSigner(t, "p256")
	key.Attributes = []Attribute{a}
	s := signersOf(t, sign(t, text, nil, key), nil)[0]
	got, ok := s.SignedAttribute(typ)
	var id string
	if err := got.Unmarshal(&id); !ok || err != nil || id != "transaction 7" {
		t.Errorf("%q, %v, %v", id, ok, err)
	}
	var number int
	if err := got.Unmarshal(&number); !errors.Is(err, ErrSyntax) {
		t.Errorf("a string as a number: %v", err)
	}
	if _, ok := s.SignedAttribute(absent); ok {
		t.Error("an attribute that is not there")
	}
	if _, ok := s.UnsignedAttribute(typ); ok {
		t.Error("a signed attribute among the unsigned")
	}
	if err := (Attribute{Type: typ}).Unmarshal(&id); !errors.Is(err, ErrSyntax) {
		t.Errorf("no value: %v", err)
	}
	if _, err := NewAttribute(typ); !errors.Is(err, ErrSyntax) {
		t.Errorf("no values: %v", err)
	}
	if _, err := NewAttribute(typ, make(chan int)); !errors.Is(err, ErrSyntax) {
		t.Errorf("a channel: %v", err)
	}
	if raw, err := NewAttribute(typ, asn1.RawValue{FullBytes: []byte{5, 0}}); err != nil || !bytes.Equal(raw.Values[0], []byte{5, 0}) {
		t.Errorf("%x, %v", raw.Values, err)
	}
}

// SetUnsigned replaces attributes of the same type, removes those without values
// and leaves the rest, and the signature, as they are.
func TestSetUnsigned(t *testing.T) {
	t.Parallel()
	types := make([]x509.OID, 3)
	for i := range types {
		types[i] = oid.OID([]byte{0x2a, byte(i + 1)}).X509()
	}
	value := func(typ int, values ...int) Attribute {
		a := Attribute{Type: types[typ]}
		for _, v := range values {
			a.Values = append(a.Values, []byte{2, 1, byte(v)})
		}
		return a
	}
	key := newSigner(t, "p256")
	msg := sign(t, text, nil, key)
	step := func(what string, attrs []Attribute, want ...int) {
		t.Helper()
		var out bytes.Buffer
		if err := SetUnsigned(&out, bytes.NewReader(msg), 0, attrs...); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		msg = out.Bytes()
		s := signersOf(t, msg, nil)[0]
		if err := s.CheckSignature(key.Certificate); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		var got []int
		for _, typ := range types {
			if a, ok := s.UnsignedAttribute(typ); ok {
				for _, v := range a.Values {
					got = append(got, int(v[2]))
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, not %v", what, got, want)
		}
	}
	step("two", []Attribute{value(0, 1), value(1, 2, 3)}, 1, 2, 3)
	step("replace", []Attribute{value(0, 4)}, 4, 2, 3)
	step("remove and add", []Attribute{value(1), value(2, 5)}, 4, 5)
	step("remove what is not there", []Attribute{value(1)}, 4, 5)
	step("remove all", []Attribute{value(0), value(2)})
	if err := SetUnsigned(&bytes.Buffer{}, bytes.NewReader(msg), 1, value(0, 1)); !errors.Is(err, ErrNoSigner) {
		t.Errorf("no such signer: %v", err)
	}
}

// The caller's order of signers and certificates is kept, unless DER is wanted.
func TestOrder(t *testing.T) {
	t.Parallel()
	var keys []SigningKey
	for range 4 {
		key := newSigner(t, "p256")
		key.Chain = []*x509.Certificate{newSigner(t, "ed25519").Certificate}
		keys = append(keys, key)
	}
	large := strings.Repeat("x", 2*maxHeld)
	for _, c := range []struct {
		name string
		make func(opts *SignOptions) []byte
	}{
		{"detached", func(opts *SignOptions) []byte { return signDetached(t, text, opts, keys...) }},
		{"stream", func(opts *SignOptions) []byte { return sign(t, large, opts, keys...) }},
		{"one shot", func(opts *SignOptions) []byte {
			msg, err := Sign(context.Background(), []byte(large), keys, opts)
			if err != nil {
				t.Fatal(err)
			}
			if ber.CheckDER(msg, false) != nil {
				t.Error("lengths are not definite")
			}
			return msg
		}},
	} {
		for _, sorted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/sorted %v", c.name, sorted), func(t *testing.T) {
				msg := c.make(&SignOptions{Sorted: sorted})
				r := newSignedReader(bytes.NewReader(msg), nil)
				if err := r.begin(); err != nil {
					t.Fatal(err)
				}
				r.digest = NewDigester()
				r.digest.external = true
				if _, err := io.Copy(io.Discard, r); err != nil {
					t.Fatal(err)
				}
				if sorted {
					if !slices.IsSortedFunc(r.certs, bytes.Compare) || !slices.IsSortedFunc(r.rawSigners(), bytes.Compare) {
						t.Error("not in the order of DER")
					}
					return
				}
				for i, key := range keys {
					if !r.signers[i].ID().Matches(key.Certificate) || !bytes.Equal(r.certs[2*i], key.Certificate.Raw) || !bytes.Equal(r.certs[2*i+1], key.Chain[0].Raw) {
						t.Errorf("signer %d is elsewhere", i)
					}
				}
			})
		}
	}
}

// MaxSize is never too small and seldom much too large.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"rsa", "p256", "p384", "p521", "ed25519"} {
		t.Run(kind, func(t *testing.T) {
			key := newSigner(t, kind)
			for _, opts := range []*SignOptions{nil, {ByKeyID: true}, {NoCertificates: true}, {CertificateHash: crypto.SHA512}, {Sorted: true}} {
				n, err := opts.MaxSize([]SigningKey{key, key})
				if err != nil {
					t.Fatal(err)
				}
				for range 8 {
					if got := len(signDetached(t, text, opts, key, key)); got > n || got < n-24 {
						t.Errorf("%d octets, MaxSize %d", got, n)
					}
				}
			}
		})
	}
	if _, err := (*SignOptions)(nil).MaxSize(nil); !errors.Is(err, ErrNoSigner) {
		t.Errorf("no signers: %v", err)
	}
}

// The signing certificate attribute has the digest that the caller wants.
func TestCertificateHash(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	for hash, want := range map[crypto.Hash]error{
		0: nil, crypto.SHA256: nil, crypto.SHA384: nil, crypto.SHA512: nil, crypto.SHA3_256: nil,
		crypto.SHA1: ErrUnsupported, crypto.MD5: ErrUnsupported, crypto.RIPEMD160: ErrUnsupported,
	} {
		t.Run(fmt.Sprint(hash), func(t *testing.T) {
			var out bytes.Buffer
			err := SignDetached(context.Background(), &out, strings.NewReader(text), []SigningKey{key}, &SignOptions{CertificateHash: hash})
			if !errors.Is(err, want) || (err == nil) != (want == nil) {
				t.Fatal(err)
			}
			if err != nil {
				return
			}
			if _, _, err := verify(out.Bytes(), strings.NewReader(text), nil); err != nil {
				t.Error(err)
			}
			r, err := NewSignedReader(bytes.NewReader(out.Bytes()), strings.NewReader(text), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Fatal(err)
			}
			v, _ := r.signers[0].signed.single(oid.AttrSigningCertificateV2)
			id, err := firstCertID(v, true)
			if wantHash := max(hash, crypto.SHA256); err != nil || id.hash != alg.HashOfCrypto(wantHash) {
				t.Errorf("%v, %v", id, err)
			}
		})
	}
}

// What SchemeFor returns signs with the key, and its digest is the one to name.
func TestSchemeFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind   string
		hash   crypto.Hash
		want   Scheme
		micalg string
		err    error
	}{
		{"rsa", 0, RSAPKCS1SHA256, "sha-256", nil},
		{"rsa", crypto.SHA512, RSAPKCS1SHA512, "sha-512", nil},
		{"rsa", crypto.SHA1, 0, "unknown", ErrUnsupported},
		{"p256", 0, ECDSASHA256, "sha-256", nil},
		{"p256", crypto.SHA384, ECDSASHA384, "sha-384", nil},
		{"p384", 0, ECDSASHA384, "sha-384", nil},
		{"p521", 0, ECDSASHA512, "sha-512", nil},
		{"ed25519", 0, Ed25519, "sha-512", nil},
		{"ed25519", crypto.SHA256, Ed25519, "sha-512", nil},
		{"mldsa65", 0, MLDSA65, "sha-512", nil},
		{"ed448", 0, Ed448, "shake256", nil},
		{"slhdsa128f", 0, SLHDSASHA2128f, "sha-256", nil},
	} {
		t.Run(fmt.Sprintf("%s/%v", c.kind, c.hash), func(t *testing.T) {
			var pub crypto.PublicKey
			switch c.kind {
			case "mldsa65":
				key, err := mldsa.GenerateKey(mldsa.MLDSA65())
				if err != nil {
					t.Fatal(err)
				}
				pub = key.Public()
			case "ed448":
				key, _, err := ed448.GenerateKey(rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				pub = key
			case "slhdsa128f":
				key, _, err := slhdsa.GenerateKey(rand.Reader, slhdsa.SHA2_128f)
				if err != nil {
					t.Fatal(err)
				}
				pub = key
			default:
				pub = newKey(t, c.kind).Public()
			}
			got, err := SchemeFor(pub, c.hash)
			if got != c.want || got.Micalg() != c.micalg || !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Errorf("%v, %v, %v", got, got.Micalg(), err)
			}
			if h := got.Hash(); h != 0 && err == nil && !strings.Contains(strings.ToLower(h.String()), c.micalg) {
				t.Errorf("hash %v", h)
			}
		})
	}
	for _, key := range []crypto.PublicKey{nil, 7, struct{}{}} {
		if _, err := SchemeFor(key, 0); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%T: %v", key, err)
		}
	}
}

// A bare token verifies over the data that was stamped, and over nothing else.
func TestVerifyTimestamp(t *testing.T) {
	t.Parallel()
	key := newKey(t, "p256")
	tsa := SigningKey{Key: key, Certificate: newCert(t, key, "tsa", func(c *x509.Certificate) { c.ExtraExtensions = timeStampingExtension() })}
	other := newSigner(t, "p256") // not for time stamping
	token := func(key SigningKey, opts SignOptions) []byte {
		opts.ContentType = oid.TSTInfo.X509()
		info := tst(1, alg.SHA256, []byte("data"), "20260102030405Z", []byte("\x02\x01\x63"))
		der, err := Sign(context.Background(), info, []SigningKey{key}, &opts)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	refused := errors.New("not trusted")
	for _, c := range []struct {
		name, data string
		token      []byte
		trust      TrustFunc
		opts       *ReadOptions
		want       error
	}{
		{"good", "data", token(tsa, SignOptions{}), InsecureAnySigner, nil, nil},
		{"other data", "date", token(tsa, SignOptions{}), InsecureAnySigner, nil, ErrDigest},
		{"not trusted", "data", token(tsa, SignOptions{}), func(context.Context, *x509.Certificate, time.Time, [][]byte) error { return refused }, nil, refused},
		{"not for time stamping", "data", token(other, SignOptions{}), InsecureAnySigner, nil, ErrSignature},
		{"no certificate", "data", token(tsa, SignOptions{NoCertificates: true}), InsecureAnySigner, nil, ErrNoCertificate},
		{"certificate from outside", "data", token(tsa, SignOptions{NoCertificates: true}), InsecureAnySigner, &ReadOptions{Certificates: []*x509.Certificate{tsa.Certificate}}, nil},
		{"mail", "data", sign(t, "data", nil, tsa), InsecureAnySigner, nil, ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			at, err := VerifyTimestamp(context.Background(), c.token, strings.NewReader(c.data), c.trust, c.opts)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) || (err == nil) != (at != nil) {
				t.Fatalf("%+v, %v", at, err)
			}
			if err == nil && (at.Time.Year() != 2026 || !at.TSA.Equal(tsa.Certificate) || at.Nonce == nil || at.Nonce.Int64() != 0x63 || at.Serial == nil) {
				t.Errorf("%+v", at)
			}
		})
	}
	if _, err := VerifyTimestamp(context.Background(), token(tsa, SignOptions{}), strings.NewReader("data"), nil, nil); err == nil {
		t.Error("without a TrustFunc")
	}
}

// The one-shot functions agree with the streams.
func TestOneShot(t *testing.T) {
	t.Parallel()
	key := newKey(t, "rsa")
	cert := newCert(t, key, "rsa")
	for _, content := range []string{"", text, strings.Repeat("y", 3<<20)} {
		for _, cipher := range []Cipher{0, AES256CBC, AES256CCM} {
			t.Run(fmt.Sprintf("%d octets/%v", len(content), cipher), func(t *testing.T) {
				msg, err := Encrypt(context.Background(), []byte(content), []Recipient{ToCertificate(cert, nil)}, &EncryptOptions{Cipher: cipher})
				if err != nil {
					t.Fatal(err)
				}
				if err := ber.CheckDER(msg, false); err != nil {
					t.Errorf("not DER: %v", err)
				}
				keys := func(context.Context, []CertID) ([]DecryptionKey, error) {
					return []DecryptionKey{KeyOf(cert, key)}, nil
				}
				got, err := Decrypt(context.Background(), msg, keys, nil)
				if err != nil || string(got) != content {
					t.Errorf("%d octets, %v", len(got), err)
				}
				msg[len(msg)-1] ^= 1
				if got, err := Decrypt(context.Background(), msg, keys, nil); cipher != AES256CBC && (err == nil || got != nil) {
					t.Errorf("changed: %d octets, %v", len(got), err)
				}
			})
		}
		signed, err := Sign(context.Background(), []byte(content), []SigningKey{newSigner(t, "p256")}, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err := verify(signed, nil, nil); err != nil || got != content {
			t.Errorf("%d octets signed: %v", len(content), err)
		}
	}
}
