package alg

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
)

// TestHashSLHDSAKnownAnswers verifies signatures that @noble/post-quantum 0.7.1
// made. Each file is a public key and a signature.
func TestHashSLHDSAKnownAnswers(t *testing.T) {
	t.Parallel()
	message := []byte("HashSLH-DSA with an empty context")
	for _, tt := range []struct {
		name         string
		hashed, pure oid.OID
		key          int
		hash         Hash
	}{
		{"SLH-DSA-SHA2-128s", oid.HashSLHDSA_SHA2_128s, oid.SLHDSA_SHA2_128s, 32, SHA256},
		{"SLH-DSA-SHA2-192s", oid.HashSLHDSA_SHA2_192s, oid.SLHDSA_SHA2_192s, 48, SHA512},
		{"SLH-DSA-SHAKE-128s", oid.HashSLHDSA_SHAKE_128s, oid.SLHDSA_SHAKE_128s, 32, SHAKE128},
		{"SLH-DSA-SHAKE-192s", oid.HashSLHDSA_SHAKE_192s, oid.SLHDSA_SHAKE_192s, 48, SHAKE256},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(filepath.Join("testdata", "hashslhdsa", tt.name+".bin"))
			if err != nil {
				t.Fatal(err)
			}
			raw, sig := data[:tt.key], data[tt.key:]
			pub := mustKey(t, spki(Identifier{OID: tt.hashed}, raw))
			if pub.Kind != SLHDSA || !pub.Kind.Signs() {
				t.Errorf("kind %v", pub.Kind)
			}
			if n, fixed := pub.SignatureLen(); n != len(sig) || !fixed {
				t.Errorf("signatures of %d octets", n)
			}
			s, err := CertificateSignatureOf(Identifier{OID: tt.hashed})
			if err != nil {
				t.Fatal(err)
			}
			if s.Hash != tt.hash || s.Scheme() != 0 || s.Strength(pub) != nil {
				t.Errorf("hash %v, scheme %v", s.Hash, s.Scheme())
			}
			if err := s.VerifyMessage(pub, message, sig); err != nil {
				t.Error(err)
			}
			if err := s.VerifyMessage(pub, message[1:], sig); !errors.Is(err, ErrSignature) {
				t.Errorf("another message: %v", err)
			}
			plain := mustKey(t, spki(Identifier{OID: tt.pure}, raw))
			if err := s.VerifyMessage(plain, message, sig); !errors.Is(err, ErrMismatch) {
				t.Errorf("key for the pure mode: %v", err)
			}
			p, err := CertificateSignatureOf(Identifier{OID: tt.pure})
			if err != nil {
				t.Fatal(err)
			}
			if err := p.VerifyMessage(pub, message, sig); !errors.Is(err, ErrMismatch) {
				t.Errorf("pure signature: %v", err)
			}
			if err := p.VerifyMessage(plain, message, sig); !errors.Is(err, ErrSignature) {
				t.Errorf("verified in the pure mode: %v", err)
			}
		})
	}
}

// TestHashSLHDSAIdentifiers: each parameter set has an identifier for
// certificates that CMS and private keys refuse.
func TestHashSLHDSAIdentifiers(t *testing.T) {
	t.Parallel()
	const sets = 12
	if len(slhdsaOIDs) != 2*sets {
		t.Fatalf("%d identifiers", len(slhdsaOIDs))
	}
	for i, pure := range slhdsaOIDs[:sets] {
		hashed := slhdsaOIDs[sets+i]
		id := Identifier{OID: hashed}
		t.Run(slhdsaID(pure).String(), func(t *testing.T) {
			p, h := signatureRowOf(pure), signatureRowOf(hashed)
			if slhdsaID(hashed) != slhdsaID(pure) || p.length != h.length || p.hash != h.hash {
				t.Errorf("%v and %v", p, h)
			}
			if _, err := preHashed(h.hash, nil); err != nil {
				t.Error(err)
			}
			if _, err := CertificateSignatureOf(id); err != nil {
				t.Error(err)
			}
			if _, err := CertificateSignatureOf(Identifier{OID: hashed, Params: []byte(nullDER)}); !errors.Is(err, ErrMalformed) {
				t.Errorf("parameters: %v", err)
			}
			for _, digest := range []Hash{0, SHA256, h.hash} {
				if _, err := SignatureOf(id, digest); !errors.Is(err, ErrUnsupported) {
					t.Errorf("in CMS with %v: %v", digest, err)
				}
			}
			pub := mustKey(t, spki(id, make([]byte, slhdsaID(pure).Scheme().PublicKeySize())))
			if _, err := SchemeFor(pub); !errors.Is(err, ErrUnsupported) {
				t.Errorf("signing: %v", err)
			}
			if _, err := ParsePublicKey(spki(id, make([]byte, 31))); !errors.Is(err, ErrMalformed) {
				t.Errorf("short key: %v", err)
			}
			if _, err := parseSLHDSAPrivate(id, bytes.Repeat([]byte{1}, 128), nil); !errors.Is(err, ErrUnsupported) {
				t.Errorf("private key: %v", err)
			}
		})
	}
}
