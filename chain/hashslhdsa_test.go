package chain_test

import (
	"crypto"
	"crypto/x509"
	"io"
	"testing"

	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
)

// A slhKey signs with SLH-DSA-SHA2-128f, in the mode that signs says. Its
// SubjectPublicKeyInfo has the identifier key.
type slhKey struct {
	*slhdsa.PrivateKey
	key, signs oid.OID
}

func (k *slhKey) identifier() []byte {
	return sequence(build(func(b *cryptobyte.Builder) { k.signs.Add(b) }))
}

func (k *slhKey) spki(t testing.TB) []byte {
	t.Helper()
	raw, err := k.PrivateKey.PublicKey().MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return sequence(
		sequence(build(func(b *cryptobyte.Builder) { k.key.Add(b) })),
		build(func(b *cryptobyte.Builder) { b.AddASN1BitString(raw) }))
}

func (k *slhKey) Sign(_ io.Reader, message []byte, _ crypto.SignerOpts) ([]byte, error) {
	if k.signs == oid.SLHDSA_SHA2_128f {
		return slhdsa.SignDeterministic(k.PrivateKey, slhdsa.NewMessage(message), nil)
	}
	hash, err := slhdsa.NewPreHashWithHash(crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if _, err := hash.Write(message); err != nil {
		return nil, err
	}
	m, err := hash.BuildMessage()
	if err != nil {
		return nil, err
	}
	return slhdsa.SignDeterministic(k.PrivateKey, m, nil)
}

func newSLH(t testing.TB, key, signs oid.OID) *slhKey {
	t.Helper()
	_, private, err := slhdsa.GenerateKey(nil, slhdsa.SHA2_128f)
	if err != nil {
		t.Fatal(err)
	}
	return &slhKey{&private, key, signs}
}

// withSLH returns p with the key, signed by issuer; nil: by itself.
func withSLH(t testing.TB, p, issuer *party, key *slhKey) *party {
	t.Helper()
	if issuer == nil {
		issuer = &party{p.Certificate, key}
	}
	out := reshaped(t, p, issuer, func(parts [][]byte) [][]byte {
		parts[tbsAlgorithm], parts[tbsKey] = issuer.algorithm(), key.spki(t)
		return parts
	})
	c, err := x509.ParseCertificate(out.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return &party{c, key}
}

// TestHashSLHDSA: certificates, CRLs and OCSP responses signed with HashSLH-DSA
// (RFC 9909), by keys whose identifier allows it and by others.
func TestHashSLHDSA(t *testing.T) {
	t.Parallel()
	hashed, pure := oid.HashSLHDSA_SHA2_128f, oid.SLHDSA_SHA2_128f
	plainRoot := newRoot(t, "Root")
	plainCA := plainRoot.newCA(t, "CA")
	root := withSLH(t, plainRoot, nil, newSLH(t, hashed, hashed))
	for _, tt := range []struct {
		name       string
		key, signs oid.OID // of the CA
		reason     chain.Reason
	}{
		{"hashed", hashed, hashed, 0},
		{"pure", pure, pure, 0},
		{"hashed signature by a pure key", pure, hashed, chain.ErrBadSignature},
		{"pure signature by a hashed key", hashed, pure, chain.ErrBadSignature},
		{"another parameter set", oid.HashSLHDSA_SHAKE_128f, hashed, chain.ErrBadSignature},
		{"signature says more than was done", hashed, oid.HashSLHDSA_SHA2_192f, chain.ErrBadSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ca := withSLH(t, plainCA, root, newSLH(t, tt.key, tt.signs))
			leaf := withSLH(t, plainCA.newLeaf(t, alice), ca, newSLH(t, hashed, hashed))
			trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca)))
			path, err := trust.Verify(t.Context(), leaf.Certificate, signing())
			wantReason(t, err, tt.reason)
			if err == nil && len(path.Certificates()) != 3 {
				t.Errorf("path of %d", len(path.Certificates()))
			}
		})
	}
	ca := withSLH(t, plainCA, root, newSLH(t, hashed, hashed))
	leaf := withSLH(t, plainCA.newLeaf(t, alice), ca, newSLH(t, hashed, hashed))
	crl := list{by: ca, number: 5, this: -day, next: day}
	listing := crl
	listing.entries = []listed{{cert: leaf, date: -2 * day}}
	forged := crl
	forged.breakIt = true
	good := response{by: ca, answers: []reply{{cert: leaf, issuer: ca, state: "good", this: -day, next: day}}}
	bad := good
	bad.answers = []reply{{cert: leaf, issuer: ca, state: "revoked", date: -2 * day, this: -day, next: day}}
	broken := good
	broken.breakIt = true
	for _, tt := range []struct {
		name, want string
		evidence   []byte
	}{
		{"CRL, not listed", "good", crl.der(t)},
		{"CRL, listed", "revoked", listing.der(t)},
		{"CRL, forged", "unknown", forged.der(t)},
		{"OCSP, good", "good", good.der(t)},
		{"OCSP, revoked", "revoked", bad.der(t)},
		{"OCSP, forged", "unknown", broken.der(t)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got, _ := outcome(t, root, leaf, nil, []*party{ca}, tt.evidence); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}
