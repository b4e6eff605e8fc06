package profile

import (
	"crypto/mlkem"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"testing"

	"filippo.io/mldsa"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
)

// TestPostQuantumKeyUsage: ML-DSA signs and ML-KEM encrypts, and neither does
// what the other is for.
func TestPostQuantumKeyUsage(t *testing.T) {
	spki := func(last int, arc int, key []byte) []byte {
		der, err := asn1.Marshal(struct {
			Algorithm pkix.AlgorithmIdentifier
			Key       asn1.BitString
		}{pkix.AlgorithmIdentifier{Algorithm: []int{2, 16, 840, 1, 101, 3, 4, arc, last}}, asn1.BitString{Bytes: key, BitLength: 8 * len(key)}})
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	signing, err := mldsa.GenerateKey(mldsa.MLDSA44())
	if err != nil {
		t.Fatal(err)
	}
	opening, err := mlkem.GenerateKey768()
	if err != nil {
		t.Fatal(err)
	}
	dsa, kem := spki(17, 3, signing.PublicKey().Bytes()), spki(2, 4, opening.EncapsulationKey().Bytes())
	for _, tt := range []struct {
		name string
		spki []byte
		bits x509.KeyUsage
		good bool
	}{
		{"ML-DSA signs", dsa, x509.KeyUsageDigitalSignature, true},
		{"ML-DSA signs and commits", dsa, x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment, true},
		{"ML-DSA encrypts", dsa, x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, false},
		{"ML-DSA agrees", dsa, x509.KeyUsageKeyAgreement, false},
		{"ML-KEM encrypts", kem, x509.KeyUsageKeyEncipherment, true},
		{"ML-KEM signs", kem, x509.KeyUsageDigitalSignature, false},
		{"ML-KEM signs, too", kem, x509.KeyUsageKeyEncipherment | x509.KeyUsageDigitalSignature, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := &subject{Certificate: &x509.Certificate{KeyUsage: tt.bits}, generation: Multipurpose,
				der: &x509der.Certificate{SPKI: tt.spki, Extensions: []x509der.Extension{{ID: oid.ExtKeyUsage, Critical: true}}}}
			s.keyUsage()
			if errors.Is(Findings(s.found), RuleKeyUsage) == tt.good {
				t.Errorf("found %v", s.found)
			}
		})
	}
}
