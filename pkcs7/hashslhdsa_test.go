package pkcs7

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// TestHashSLHDSA: RFC 9814 section 3 allows pure SLH-DSA alone, whatever the
// certificate says and although the arithmetic is right.
func TestHashSLHDSA(t *testing.T) {
	t.Parallel()
	public, key, err := slhdsa.GenerateKey(rand.Reader, slhdsa.SHA2_128f)
	if err != nil {
		t.Fatal(err)
	}
	bits, err := public.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(o oid.OID) *x509.Certificate {
		return testCertificate(ber.Append(nil, ber.Sequence, true,
			ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(o))),
			ber.Append(nil, ber.BitString, false, []byte{0}, bits)), 1)
	}
	const pure, hashed = oid.SLHDSA_SHA2_128f, oid.HashSLHDSA_SHA2_128f
	good := sign(t, text, nil, SigningKey{Certificate: certificate(pure), Key: &key})
	if _, _, err := verify(good, nil, nil); err != nil {
		t.Fatal(err)
	}
	info := signersOf(t, good, nil)[0]
	hash, err := slhdsa.NewPreHashWithHash(crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := hash.Write(info.signedDER); err != nil {
		t.Fatal(err)
	}
	m, err := hash.BuildMessage()
	if err != nil {
		t.Fatal(err)
	}
	sig, err := slhdsa.SignDeterministic(&key, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	resigned := bytes.Replace(good, info.Signature(), sig, 1)
	everywhere := bytes.ReplaceAll(resigned, []byte(pure), []byte(hashed))
	at := bytes.LastIndex(resigned, []byte(pure)) // in the SignerInfo
	signatureOnly := append(append(bytes.Clone(resigned[:at]), hashed...), resigned[at+len(pure):]...)
	keyOnly := bytes.Replace(good, []byte(pure), []byte(hashed), 1)
	for _, tt := range []struct {
		name string
		msg  []byte
		want error
	}{
		{"key and signature", everywhere, ErrUnsupported},
		{"signature", signatureOnly, ErrUnsupported},
		{"key", keyOnly, ErrSignature},
		{"signature that does not say so", resigned, ErrSignature},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if bytes.Equal(tt.msg, good) {
				t.Fatal("unchanged")
			}
			if _, _, err := verify(tt.msg, nil, nil); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
	t.Run("signing", func(t *testing.T) {
		signer := SigningKey{Certificate: certificate(hashed), Key: &key}
		if _, err := Sign(t.Context(), []byte(text), []SigningKey{signer}, nil); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%v", err)
		}
	})
}
