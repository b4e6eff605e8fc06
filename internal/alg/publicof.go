package alg

import (
	"crypto"
	"crypto/ecdh"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/oid"
)

// PublicOf returns the public key of a private one that can decrypt, and its
// SubjectPublicKeyInfo. It fails with ErrUnsupported for all others.
func PublicOf(key crypto.PrivateKey) (*PublicKey, []byte, error) {
	if !Usable(key) {
		return nil, nil, fail(ErrUnsupported, "key of type %T", key)
	}
	var pub crypto.PublicKey
	switch k := key.(type) {
	case interface{ Public() crypto.PublicKey }:
		pub = k.Public()
	case interface{ PublicKey() *ecdh.PublicKey }:
		pub = k.PublicKey()
	case crypto.Decapsulator:
		pub = k.Encapsulator()
	}
	var spki []byte
	switch k := pub.(type) {
	case *X448PublicKey:
		spki = rawSPKI(oid.X448, k.Bytes())
	case crypto.Encapsulator:
		id, ok := mlkemOf(len(k.Bytes()))
		if !ok {
			return nil, nil, fail(ErrUnsupported, "key of type %T", key)
		}
		spki = rawSPKI(id, k.Bytes())
	default:
		var err error
		if spki, err = x509.MarshalPKIXPublicKey(pub); err != nil {
			return nil, nil, fail(ErrUnsupported, "public key of type %T", pub)
		}
	}
	p, err := ParsePublicKey(spki)
	return p, spki, err
}

// mlkemOf returns the parameter set whose encapsulation keys have n octets (FIPS
// 203, table 3).
func mlkemOf(n int) (oid.OID, bool) {
	switch n {
	case 800:
		return oid.MLKEM512, true
	case 1184:
		return oid.MLKEM768, true
	case 1568:
		return oid.MLKEM1024, true
	}
	return "", false
}

func rawSPKI(id oid.OID, key []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(Identifier{OID: id}.DER())
		b.AddASN1BitString(key)
	})
	return b.BytesOrPanic()
}
