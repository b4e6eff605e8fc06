package pkcs7

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// A digestSigner is a key of which nothing but crypto.Signer is known, as of a
// smart card.
type digestSigner struct {
	key  crypto.Signer
	uses int
}

func (s *digestSigner) Public() crypto.PublicKey { return s.key.Public() }
func (s *digestSigner) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.uses++
	return s.key.Sign(r, digest, opts)
}

// A messageSigner hashes by itself.
type messageSigner struct {
	digestSigner
	messages int
}

func (s *messageSigner) SignMessage(r io.Reader, msg []byte, opts crypto.SignerOpts) ([]byte, error) {
	s.messages++
	return crypto.SignMessage(s.key, r, msg, opts)
}

// A boundSigner can be bound to a context.
type boundSigner struct {
	digestSigner
	ctx context.Context
}

func (s *boundSigner) WithContext(ctx context.Context) crypto.PrivateKey {
	return &boundSigner{s.digestSigner, ctx}
}

func (s *boundSigner) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if s.ctx == nil {
		return nil, errors.New("not bound to a context")
	}
	return s.key.Sign(r, digest, opts)
}

func TestKeysInHardware(t *testing.T) {
	t.Parallel()
	for kind, schemes := range map[string][]Scheme{
		"rsa": {RSAPKCS1SHA256, RSAPSSSHA384}, "p256": {0}, "p384": {0}, "ed25519": {0},
	} {
		t.Run(kind, func(t *testing.T) {
			plain := newSigner(t, kind)
			for _, scheme := range schemes {
				card, module, bound := &digestSigner{key: plain.Key}, &messageSigner{digestSigner: digestSigner{key: plain.Key}}, &boundSigner{digestSigner: digestSigner{key: plain.Key}}
				for _, key := range []crypto.Signer{card, module, bound} {
					signer := SigningKey{Certificate: plain.Certificate, Key: key, Scheme: scheme}
					if got, _, err := verify(sign(t, text, nil, signer), nil, nil); err != nil || got != text {
						t.Errorf("%s, %T: %v", kind, key, err)
					}
				}
				if card.uses != 1 || module.messages != 1 || module.uses != 0 {
					t.Errorf("%s: %d and %d uses, %d messages", kind, card.uses, module.uses, module.messages)
				}
			}
		})
	}
}

func TestSigningRefused(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "p256"), newSigner(t, "p256")
	failing := errors.New("card removed")
	for name, c := range map[string]struct {
		key  SigningKey
		want error
	}{
		"no certificate":    {SigningKey{Key: a.Key}, ErrNoCertificate},
		"no key":            {SigningKey{Certificate: a.Certificate}, ErrNoKey},
		"not a certificate": {SigningKey{Certificate: &x509.Certificate{Raw: []byte{1}}, Key: a.Key}, ErrSyntax},
		"scheme of RSA":     {SigningKey{Certificate: a.Certificate, Key: a.Key, Scheme: RSAPKCS1SHA256}, ErrSignature},
		"unknown scheme":    {SigningKey{Certificate: a.Certificate, Key: a.Key, Scheme: 999}, ErrUnsupported},
		"own digest": {SigningKey{Certificate: a.Certificate, Key: a.Key,
			Attributes: []Attribute{{Type: oid.AttrMessageDigest.X509(), Values: [][]byte{{5, 0}}}}}, ErrSyntax},
		"attribute without value": {SigningKey{Certificate: a.Certificate, Key: a.Key,
			Attributes: []Attribute{{Type: oid.AttrSecurityLabel.X509()}}}, ErrSyntax},
		"failing key": {SigningKey{Certificate: a.Certificate, Key: &failingSigner{a.Key, failing}}, failing},
	} {
		t.Run(name, func(t *testing.T) {
			w, err := NewSignWriter(context.Background(), io.Discard, []SigningKey{c.key}, nil)
			if err == nil {
				err = w.Close()
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
		})
	}
	w, err := NewSignWriter(context.Background(), io.Discard, []SigningKey{{Certificate: a.Certificate, Key: b.Key}}, nil)
	if err == nil {
		err = w.Close()
	}
	if err == nil {
		t.Error("signed with the key of another certificate")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	w, err = NewSignWriter(ctx, io.Discard, []SigningKey{a}, nil)
	if err == nil {
		err = w.Close()
	}
	if !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

type failingSigner struct {
	crypto.Signer
	err error
}

func (s *failingSigner) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, s.err }

// TestGoldenKeys signs with every kind of key of the golden PKI.
func TestGoldenKeys(t *testing.T) {
	t.Parallel()
	n := 0
	for _, name := range []string{"rsa2048", "rsa3072", "p256", "p384", "p521", "ed25519", "ed448", "mldsa44", "mldsa65", "mldsa87", "rsapss"} {
		t.Run(name, func(t *testing.T) {
			path := suites.Corpus(t, "goldens", "open", "pki", "keys")
			if _, err := os.Stat(path + "/" + name + ".key.pem"); err != nil {
				t.Logf("no %s", name)
				return
			}
			key, err := parsePrivateKey(readPEM(t, path+"/"+name+".key.pem"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			signer := SigningKey{Certificate: goldenCert(t, name), Key: key.(crypto.Signer)}
			for _, byKeyID := range []bool{false, true} {
				if got, _, err := verify(sign(t, text, &SignOptions{ByKeyID: byKeyID}, signer), nil, nil); err != nil || got != text {
					t.Errorf("%s: %v", name, err)
				}
			}
			// With the length of the signature known before, large content is DER, too.
			content := strings.Repeat(text, 3000)
			msg := sign(t, content, &SignOptions{Size: int64(len(content))}, signer)
			if got, _, err := verify(msg, nil, nil); err != nil || got != content || ber.CheckDER(msg, true) != nil {
				t.Errorf("%s, large: %v", name, err)
			}
			n++
		})
	}
	if n < 9 {
		t.Errorf("only %d kinds of keys", n)
	}
}

func TestCertID(t *testing.T) {
	t.Parallel()
	key := newKey(t, "ed25519")
	cert := newCert(t, key, "alice", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x80) })
	c, err := parseCertificate(cert)
	if err != nil {
		t.Fatal(err)
	}
	other := newCert(t, newKey(t, "ed25519"), "alice", func(c *x509.Certificate) { c.SerialNumber = big.NewInt(0x81) })
	upper := bytesReplace(c.Issuer, "alice", "ALICE")
	computed := c.KeyIDs()
	for name, x := range map[string]struct {
		id   CertID
		want int
	}{
		"issuer and serial":       {issuerAndSerial(c), 5},
		"issuer in other letters": {CertID{Issuer: upper, Serial: c.Serial}, 4},
		"other serial":            {CertID{Issuer: c.Issuer, Serial: big.NewInt(1)}, 0},
		"negative serial":         {CertID{Issuer: c.Issuer, Serial: big.NewInt(-0x80)}, 0},
		"other issuer":            {CertID{Issuer: []byte{0x30, 0}, Serial: c.Serial}, 0},
		"key identifier":          {CertID{KeyID: c.SubjectKeyID}, 3},
		"computed identifier":     {CertID{KeyID: computed[len(computed)-1]}, 2},
		"other key identifier":    {CertID{KeyID: []byte("x")}, 0},
		"nothing":                 {CertID{}, 0},
		"password":                {CertID{Kind: ByPassword, KeyID: c.SubjectKeyID}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := x.id.rank(c); got != x.want || x.id.Matches(cert) != (got > 0) {
				t.Errorf("%s: rank %d, not %d", name, got, x.want)
			}
			if x.id.Matches(other) || x.id.Matches(nil) || x.id.Matches(&x509.Certificate{}) {
				if name != "key identifier" { // the same in both
					t.Errorf("%s matches another certificate", name)
				}
			}
			if x.id.Kind == ByCertificate && (x.id.Serial != nil || x.id.KeyID != nil) {
				again, ok := parseCertID(x.id.encode())
				if !ok || again.rank(c) != x.want {
					t.Errorf("%s: encoded and read: %v", name, ok)
				}
			}
		})
	}
	for _, bad := range []string{"", "3000", "8000", "3004300002", "30053000020100ff", "a0020400"} {
		t.Run(bad, func(t *testing.T) {
			der, err := hex.DecodeString(bad)
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := parseCertID(der); ok {
				t.Errorf("%q is an identifier", bad)
			}
		})
	}
}

func bytesReplace(b []byte, from, to string) []byte {
	return []byte(string(b[:len(b)-len(from)]) + to)
}

// TestTrustList reads the list of trusted roots that Microsoft signs, whose
// content is no OCTET STRING.
func TestTrustList(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"robstradling-authroot-HEAD.stl", "signify-authroot-945a4e95.stl"} {
		t.Run(name, func(t *testing.T) {
			path := suites.Corpus(t, "sst", "real-stl", name)
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := NewSignedReader(f, nil, nil); !errors.Is(err, ErrSyntax) {
				t.Errorf("%s, not asked for: %v", name, err)
			}
			if _, err := f.Seek(0, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			r, err := NewSignedReader(f, nil, &ReadOptions{PKCS7Content: true, InsecureHistoric: true})
			if err != nil {
				t.Fatal(name, err)
			}
			content, err := io.ReadAll(r)
			if err != nil || len(content) < 1000 {
				t.Fatalf("%s: %d octets, %v", name, len(content), err)
			}
			if !r.ContentType().Equal(oid.MicrosoftCTL.X509()) {
				t.Errorf("%s: %v", name, r.ContentType())
			}
			signers, _ := r.Signers()
			elements, _ := r.UnverifiedElements()
			if len(signers) != 1 {
				t.Fatalf("%s: %d signers", name, len(signers))
			}
			if err := checkWithAny(signers[0], elements); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

// TestByKeyIDWithoutKeyID names a certificate that has no key identifier.
func TestByKeyIDWithoutKeyID(t *testing.T) {
	t.Parallel()
	key := newKey(t, "ed25519")
	bare := SigningKey{Key: key, Certificate: newCert(t, key, "bare", func(c *x509.Certificate) { c.SubjectKeyId = nil })}
	for _, keys := range [][]SigningKey{{bare}, {bare, newSigner(t, "p256")}} {
		msg := sign(t, text, &SignOptions{ByKeyID: true}, keys...)
		if _, certs, err := verify(msg, nil, nil); err != nil || len(certs) != len(keys) {
			t.Error(len(certs), err)
		}
		r := readSigned(t, msg, nil)
		want := 1
		for _, s := range r.signers {
			if s.id.Matches(bare.Certificate) != (s.version == 1) {
				t.Errorf("version %d", s.version)
			}
			want = max(want, s.version)
		}
		if r.version != want {
			t.Errorf("version %d, not %d", r.version, want)
		}
	}
}

func TestSignSLHDSA(t *testing.T) {
	t.Parallel()
	n := 0
	for id, c := range map[slhdsa.ID]struct {
		oid    oid.OID
		scheme Scheme
	}{
		slhdsa.SHA2_128f:  {oid.SLHDSA_SHA2_128f, SLHDSASHA2128f},
		slhdsa.SHAKE_128f: {oid.SLHDSA_SHAKE_128f, SLHDSASHAKE128f},
		slhdsa.SHA2_192f:  {oid.SLHDSA_SHA2_192f, SLHDSASHA2192f},
	} {
		pub, key, err := slhdsa.GenerateKey(rand.Reader, id)
		if err != nil {
			t.Fatal(err)
		}
		bits, err := pub.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		spki := ber.Append(nil, ber.Sequence, true,
			ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(c.oid))),
			ber.Append(nil, ber.BitString, false, []byte{0}, bits))
		signer := SigningKey{Certificate: testCertificate(spki, 1), Key: &key}
		content := strings.Repeat(text, 3000)
		msg := sign(t, content, &SignOptions{Size: int64(len(content))}, signer)
		if got, _, err := verify(msg, nil, nil); err != nil || got != content || ber.CheckDER(msg, true) != nil {
			t.Errorf("%v: %v", id, err)
		}
		if s := signersOf(t, msg, nil)[0].Scheme(); s != c.scheme {
			t.Errorf("%v: read as %v", id, s)
		}
		n++
	}
	if n != 3 {
		t.Errorf("%d sets", n)
	}
}
