package alg

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/ed448"
	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// spki returns a SubjectPublicKeyInfo.
func spki(id Identifier, key []byte) []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		id.add(b)
		b.AddASN1BitString(key)
	})
	return b.BytesOrPanic()
}

func mustKey(t testing.TB, der []byte) *PublicKey {
	t.Helper()
	p, err := ParsePublicKey(der)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func pkix(t testing.TB, key any) *PublicKey {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return mustKey(t, der)
}

// signers returns one key of each kind that signs.
func signers(t testing.TB) map[string]struct {
	key crypto.Signer
	pub *PublicKey
} {
	type pair = struct {
		key crypto.Signer
		pub *PublicKey
	}
	out := map[string]pair{}
	add := func(name string, key crypto.Signer, pub *PublicKey) { out[name] = pair{key, pub} }
	rk, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	add("rsa", rk, pkix(t, rk.Public()))
	add("rsapss", rk, mustKey(t, spki(Identifier{OID: oid.RSASSAPSS}, x509.MarshalPKCS1PublicKey(&rk.PublicKey))))
	restricted := pss{SHA384, SHA384, 60}
	add("rsapss-384", rk, mustKey(t, spki(Identifier{OID: oid.RSASSAPSS, Params: restricted.params()}, x509.MarshalPKCS1PublicKey(&rk.PublicKey))))
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		k, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		add(c.Params().Name, k, pkix(t, k.Public()))
	}
	_, ek, _ := ed25519.GenerateKey(rand.Reader)
	add("ed25519", ek, pkix(t, ek.Public()))
	pub4, k4, _ := ed448.GenerateKey(rand.Reader)
	add("ed448", k4, mustKey(t, spki(Identifier{OID: oid.Ed448}, pub4)))
	for _, o := range []oid.OID{oid.MLDSA44, oid.MLDSA65, oid.MLDSA87} {
		params, _ := mldsaParameters(o)
		k, err := mldsa.GenerateKey(params)
		if err != nil {
			t.Fatal(err)
		}
		add(params.String(), k, mustKey(t, spki(Identifier{OID: o}, k.PublicKey().Bytes())))
	}
	for _, o := range []oid.OID{oid.SLHDSA_SHA2_128f, oid.SLHDSA_SHAKE_128f} {
		pub, k, err := slhdsa.GenerateKey(rand.Reader, slhdsaID(o))
		if err != nil {
			t.Fatal(err)
		}
		raw, _ := pub.MarshalBinary()
		add(slhdsaID(o).String(), &k, mustKey(t, spki(Identifier{OID: o}, raw)))
	}
	return out
}

// opaque hides what a key is, as hardware does.
type opaque struct{ crypto.Signer }

func TestSignVerify(t *testing.T) {
	t.Parallel()
	keys := signers(t)
	if len(keys) != 14 {
		t.Fatalf("%d keys", len(keys))
	}
	message := []byte("message")
	for name, k := range keys {
		t.Run(name, func(t *testing.T) {
			if !k.pub.Matches(k.key) {
				t.Error("key does not match itself")
			}
			scheme, err := SchemeFor(k.pub)
			if err != nil {
				t.Fatal(err)
			}
			d, s, err := scheme.Identifiers(k.pub)
			if err != nil {
				t.Fatal(err)
			}
			h, err := HashOf(d)
			if err != nil || h != scheme.Hash() {
				t.Fatalf("digest %v: %v", h, err)
			}
			alg, err := SignatureOf(s, h)
			if err != nil {
				t.Fatal(err)
			}
			for _, key := range []crypto.Signer{k.key, opaque{k.key}} {
				if _, ok := key.(opaque); ok && name == "ed448" {
					continue // circl wants an option of its own
				}
				sig, err := Sign(context.Background(), key, k.pub, scheme, message)
				if err != nil {
					t.Fatal(err)
				}
				if err := alg.VerifyMessage(k.pub, message, sig); err != nil {
					t.Error(err)
				}
				if err := alg.VerifyMessage(k.pub, []byte("massage"), sig); !errors.Is(err, ErrSignature) {
					t.Errorf("other message: %v", err)
				}
				sig[len(sig)/2] ^= 1
				if err := alg.VerifyMessage(k.pub, message, sig); !errors.Is(err, ErrSignature) {
					t.Errorf("changed signature: %v", err)
				}
				for _, bad := range [][]byte{nil, sig[:len(sig)-1], append(sig, 0)} {
					if err := alg.VerifyMessage(k.pub, message, bad); !errors.Is(err, ErrSignature) {
						t.Errorf("signature of %d octets: %v", len(bad), err)
					}
				}
			}
			other := keys["ed25519"]
			if name == "ed25519" {
				other = keys["P-256"]
			}
			if _, err := Sign(context.Background(), other.key, k.pub, scheme, message); err == nil {
				t.Error("signed with a key of another kind")
			}
			if err := alg.VerifyMessage(other.pub, message, nil); !errors.Is(err, ErrMismatch) {
				t.Errorf("key of another kind: %v", err)
			}
		})
	}
}

func TestSignWithOther(t *testing.T) {
	t.Parallel()
	_, a, _ := ed25519.GenerateKey(rand.Reader)
	_, b, _ := ed25519.GenerateKey(rand.Reader)
	pub := pkix(t, a.Public())
	if _, err := Sign(context.Background(), b, pub, SchemeEd25519, nil); !errors.Is(err, ErrMismatch) {
		t.Error(err)
	}
	if _, err := Sign(context.Background(), opaque{b}, pub, SchemeEd25519, nil); !errors.Is(err, ErrSignature) {
		t.Error(err)
	}
	if pub.Matches(b) || !pub.Matches(a) {
		t.Error("Matches")
	}
}

// TestCorpusCertificates checks the signature of each certificate of the
// corpus with the key of its issuer.
func TestCorpusCertificates(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "goldens", "open", "pki")
	issuers := map[string][]*PublicKey{}
	var certs []*x509.Certificate
	for _, glob := range []string{"ca/*.pem", "certs/*.pem"} {
		t.Run(glob, func(t *testing.T) {
			files, _ := filepath.Glob(filepath.Join(dir, glob))
			for _, f := range files {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				block, _ := pem.Decode(b)
				c, err := x509.ParseCertificate(block.Bytes)
				if err != nil {
					continue // brainpool and other curves, which the standard library refuses whole
				}
				certs = append(certs, c)
				pub, err := ParsePublicKey(c.RawSubjectPublicKeyInfo)
				if err != nil {
					t.Errorf("%s: %v", f, err)
					continue
				}
				issuers[string(c.RawSubject)] = append(issuers[string(c.RawSubject)], pub)
			}
		})
	}
	good, weak := 0, 0
	for _, c := range certs {
		s := cryptobyte.String(c.Raw)
		var body, skip cryptobyte.String
		var id Identifier
		if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Element(&skip, asn1.SEQUENCE) || !ReadIdentifier(&body, &id) {
			t.Fatal(c.Subject)
		}
		alg, err := SignatureOf(id, 0)
		if err != nil {
			t.Fatal(c.Subject, err)
		}
		err = ErrSignature
		for _, pub := range issuers[string(c.RawIssuer)] {
			if e := alg.VerifyMessage(pub, c.RawTBSCertificate, c.Signature); e == nil || errors.Is(e, ErrWeak) {
				err = e
			}
		}
		switch {
		case err == nil:
			good++
		case errors.Is(err, ErrWeak):
			weak++
		default:
			t.Errorf("%v: %v", c.Subject, err)
		}
	}
	if good < 100 || weak != 1 {
		t.Errorf("%d good, %d refused as weak", good, weak)
	}
	t.Log(good, weak)
}
