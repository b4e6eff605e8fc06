package alg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/x509"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxPrivateKey bounds what is parsed: the longest is RSA with 16384 bits.
const maxPrivateKey = 16 << 10

// ParsePrivateKey reads a PrivateKeyInfo (RFC 5958). What it returns can be used
// with Sign, Agree or Decapsulate and has the methods that PublicKey.Matches
// asks for: a *rsa.PrivateKey (also for id-RSASSA-PSS and id-RSAES-OAEP),
// *ecdsa.PrivateKey, ed25519.PrivateKey, *Ed448PrivateKey, *ecdh.PrivateKey
// (X25519), *X448PrivateKey, *mldsa.PrivateKey, *MLDSAExpandedKey,
// *slhdsa.PrivateKey, *mlkem.DecapsulationKey768 or 1024, or *MLKEMPrivateKey.
// It fails with ErrMalformed, ErrUnsupported, ErrWeak or, if the parts of a key
// contradict each other, ErrMismatch.
//
//	OneAsymmetricKey ::= SEQUENCE {
//	    version              INTEGER { v1(0), v2(1) },
//	    privateKeyAlgorithm  AlgorithmIdentifier,
//	    privateKey           OCTET STRING,
//	    attributes       [0] Attributes OPTIONAL,
//	    publicKey        [1] BIT STRING OPTIONAL }
func ParsePrivateKey(pkcs8 []byte) (crypto.PrivateKey, error) {
	s := cryptobyte.String(pkcs8)
	var body, private cryptobyte.String
	var version int
	var id Identifier
	if len(pkcs8) > maxPrivateKey || !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() ||
		!body.ReadASN1Integer(&version) || version < 0 || version > 1 ||
		!ReadIdentifier(&body, &id) || !body.ReadASN1(&private, asn1.OCTET_STRING) {
		return nil, fail(ErrMalformed, "PrivateKeyInfo")
	}
	for tag := uint8(0); tag < 2; tag++ {
		t := asn1.Tag(tag).ContextSpecific()
		if !body.SkipOptionalASN1(t.Constructed()) || !body.SkipOptionalASN1(t) {
			return nil, fail(ErrMalformed, "PrivateKeyInfo")
		}
	}
	if !body.Empty() {
		return nil, fail(ErrMalformed, "PrivateKeyInfo")
	}
	parse := privateParsers[kindOf(id.OID)]
	if parse == nil {
		return nil, fail(ErrUnsupported, "private key %v", id.OID)
	}
	return parse(id, private, pkcs8)
}

func parseRSAPrivate(_ Identifier, der, _ []byte) (crypto.PrivateKey, error) {
	s := cryptobyte.String(der)
	var body cryptobyte.String
	var version int
	var n []byte
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&version) || !body.ReadASN1Integer(&n) {
		return nil, fail(ErrMalformed, "RSAPrivateKey")
	}
	switch {
	case len(n) < minRSABits/8:
		return nil, fail(ErrWeak, "RSA modulus of %d octets", len(n))
	case len(n) > maxRSABits/8:
		return nil, fail(ErrUnsupported, "RSA modulus of more than %d bits", maxRSABits)
	}
	key, err := x509.ParsePKCS1PrivateKey(der)
	if err != nil {
		return nil, fail(ErrMalformed, "RSAPrivateKey")
	}
	return key, nil
}

// parseECPrivate lets the standard library read ECPrivateKey (RFC 5915); the
// curve stands in the identifier and may be missing inside.
func parseECPrivate(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
	s := cryptobyte.String(id.Params)
	var name oid.OID
	if !oid.Read(&s, &name) || !s.Empty() {
		return nil, fail(ErrUnsupported, "explicit curve parameters")
	}
	if curveOf(name) == nil {
		return nil, fail(ErrUnsupported, "curve %v", name)
	}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(0)
		Identifier{OID: oid.ECPublicKey, Params: id.Params}.add(b)
		b.AddASN1OctetString(private)
	})
	key, err := x509.ParsePKCS8PrivateKey(b.BytesOrPanic())
	ec, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok {
		return nil, fail(ErrMalformed, "ECPrivateKey")
	}
	return ec, nil
}
