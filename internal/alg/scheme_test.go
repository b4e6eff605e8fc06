package alg

import (
	"crypto"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
)

// Every Scheme has a whole row, its Scheme is found again from what it writes,
// and its signatures are as long as the row says.
func TestSchemeTable(t *testing.T) {
	t.Parallel()
	names := map[string]Scheme{}
	for s := Scheme(1); s < schemes; s++ {
		t.Run(s.String(), func(t *testing.T) {
			row := s.row()
			if row.name == "" || row.oid == "" || row.hash == 0 || row.family == 0 || (row.family == pure) != (row.length > 0) {
				t.Errorf("row %+v", row)
			}
			if other, twice := names[row.name]; twice {
				t.Errorf("the name of %d too", other)
			}
			names[row.name] = s
			id := Identifier{OID: row.oid}
			if row.family == rsaPSS {
				id.Params = s.pssFor(nil).params()
			}
			sig, err := SignatureOf(id, row.hash)
			if err != nil || sig.Scheme() != s {
				t.Errorf("read as %v, %v", sig, err)
			}
			if row.hash.Micalg() == "" || HashOfMicalg(row.hash.Micalg()) != row.hash {
				t.Errorf("micalg %q", row.hash.Micalg())
			}
		})
	}
	for _, row := range readOnlySignatures {
		if found := signatureRowOf(row.oid); found == nil || *found != row {
			t.Errorf("%v has two rows", row.oid)
		}
	}
}

// Every kind of key says what its keys are for.
func TestKeyKindTable(t *testing.T) {
	t.Parallel()
	seen := map[oid.OID]KeyKind{}
	for k := KeyKind(1); k < keyKinds; k++ {
		row := k.row()
		if !row.signs && row.transport == NoTransport {
			t.Errorf("kind %d is for nothing", k)
		}
		if (row.family == pure) != (row.verify != nil) {
			t.Errorf("kind %d can't verify", k)
		}
		if (row.parse != nil) != (privateParsers[k] != nil) {
			t.Errorf("kind %d: only one half of a key is read", k)
		}
		if (row.transport == KeyAgreement && row.parse != nil) != (row.agreement != "") {
			t.Errorf("kind %d announces no agreement", k)
		}
		for _, o := range row.oids {
			if seen[o] != 0 || kindOf(o) != k {
				t.Errorf("%v is of two kinds", o)
			}
			seen[o] = k
		}
	}
	for k, want := range map[KeyKind]x509.KeyUsage{
		RSA: x509.KeyUsageKeyEncipherment, EC: x509.KeyUsageKeyAgreement, X448Key: x509.KeyUsageKeyAgreement,
		MLKEM: x509.KeyUsageKeyEncipherment, Ed25519Key: 0, MLDSA: 0,
	} {
		if got := k.EncryptionUsage(); got != want {
			t.Errorf("kind %d: key usage %v", k, got)
		}
	}
}

// Windows and others name the key where ECDSA with a digest belongs: that is
// read for elliptic curves with the digest of the SignerInfo, and not in
// certificates, which have none.
func TestECDSAByKeyIdentifier(t *testing.T) {
	t.Parallel()
	curve := "\x06\x08" + string(oid.P256)
	sha256, sha384 := string(SHA256.Identifier().DER()), string(SHA384.Identifier().DER())
	for _, c := range []struct {
		name   string
		id     Identifier
		digest Hash
		err    error
	}{
		{"key, absent", Identifier{OID: oid.ECPublicKey}, SHA256, nil},
		{"key, NULL", Identifier{OID: oid.ECPublicKey, Params: []byte(nullDER)}, SHA384, nil},
		{"key, curve", Identifier{OID: oid.ECPublicKey, Params: []byte(curve)}, SHA512, nil},
		{"key, unknown curve", Identifier{OID: oid.ECPublicKey, Params: []byte("\x06\x01\x01")}, SHA256, ErrMalformed},
		{"key, explicit", Identifier{OID: oid.ECPublicKey, Params: []byte("\x30\x00")}, SHA256, ErrMalformed},
		{"key in a certificate", Identifier{OID: oid.ECPublicKey, Params: []byte(curve)}, 0, ErrMismatch},
		{"specified", Identifier{OID: oid.ECDSAWithSpecified, Params: []byte(sha256)}, SHA256, nil},
		{"specified otherwise", Identifier{OID: oid.ECDSAWithSpecified, Params: []byte(sha384)}, SHA256, ErrMismatch},
		{"specified, absent", Identifier{OID: oid.ECDSAWithSpecified}, SHA256, ErrMalformed},
		{"specified in a certificate", Identifier{OID: oid.ECDSAWithSpecified, Params: []byte(sha256)}, 0, ErrMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := SignatureOf(c.id, c.digest)
			if !errors.Is(err, c.err) {
				t.Fatalf("%v", err)
			}
			if err == nil && (s.Hash != c.digest || !s.KeyIdentifier() || s.fits(&PublicKey{Kind: RSA, Key: 1}) == nil) {
				t.Errorf("%+v", s)
			}
		})
	}
}

// A digestAlgorithm may name a signature algorithm, whose digest then counts.
func TestDigestOfSignatureIdentifier(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		id       Identifier
		want     Hash
		deviates bool
		err      error
	}{
		{"digest", Identifier{OID: oid.SHA256}, SHA256, false, nil},
		{"RSA", Identifier{OID: oid.SHA256WithRSA, Params: []byte(nullDER)}, SHA256, true, nil},
		{"ECDSA", Identifier{OID: oid.ECDSAWithSHA384}, SHA384, true, nil},
		{"rsaEncryption", Identifier{OID: oid.RSAEncryption}, 0, false, ErrUnsupported},
		{"RSASSA-PSS", Identifier{OID: oid.RSASSAPSS}, 0, false, ErrUnsupported},
		{"Ed25519", Identifier{OID: oid.Ed25519}, 0, false, ErrUnsupported},
		{"parameters", Identifier{OID: oid.SHA256WithRSA, Params: []byte("\x02\x01\x01")}, 0, false, ErrUnsupported},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, deviates, err := DigestOf(c.id)
			if h != c.want || deviates != c.deviates || !errors.Is(err, c.err) {
				t.Errorf("%v, %v, %v", h, deviates, err)
			}
		})
	}
	if HashOfCrypto(crypto.SHA384) != SHA384 || HashOfCrypto(crypto.RIPEMD160) != 0 || HashOfMicalg("rsa-sha1") != SHA1 || HashOfMicalg("whirlpool") != 0 {
		t.Error("names of digests")
	}
}
