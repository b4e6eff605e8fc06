package alg

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/cloudflare/circl/sign/slhdsa"
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
	return parsePrivate(id, private, pkcs8)
}

func parsePrivate(id Identifier, private, pkcs8 []byte) (crypto.PrivateKey, error) {
	switch id.OID {
	case oid.RSAEncryption, oid.RSASSAPSS, oid.RSAESOAEP, oid.RSAKEM, oid.RSAKEMSPKI:
		return parseRSAPrivate(private)
	case oid.ECPublicKey, oid.ECDH:
		return parseECPrivate(id, private)
	case oid.Ed25519, oid.X25519:
		key, err := x509.ParsePKCS8PrivateKey(pkcs8)
		if err != nil {
			return nil, fail(ErrMalformed, "private key of %v", id.OID)
		}
		return key, nil
	case oid.Ed448, oid.X448:
		return parse448Private(id, private)
	case oid.MLDSA44, oid.MLDSA65, oid.MLDSA87:
		return parseMLDSAPrivate(id, private)
	case oid.MLKEM512, oid.MLKEM768, oid.MLKEM1024:
		return parseMLKEMPrivate(id, private)
	}
	if set := slhdsaID(id.OID); set != 0 {
		key := &slhdsa.PrivateKey{ID: set} // RFC 9909 section 6: the bare octets
		if len(id.Params) > 0 || key.UnmarshalBinary(private) != nil {
			return nil, fail(ErrMalformed, "SLH-DSA key")
		}
		return key, nil
	}
	return nil, fail(ErrUnsupported, "private key %v", id.OID)
}

func parseRSAPrivate(der []byte) (*rsa.PrivateKey, error) {
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
func parseECPrivate(id Identifier, private []byte) (crypto.PrivateKey, error) {
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

// parse448Private reads CurvePrivateKey of RFC 8410 section 7, an OCTET STRING.
func parse448Private(id Identifier, private cryptobyte.String) (crypto.PrivateKey, error) {
	var seed []byte
	if len(id.Params) > 0 || !private.ReadASN1Bytes(&seed, asn1.OCTET_STRING) || !private.Empty() {
		return nil, fail(ErrMalformed, "CurvePrivateKey")
	}
	switch {
	case id.OID == oid.X448 && len(seed) == x448Size:
		return newX448(seed), nil
	case id.OID == oid.Ed448 && len(seed) == ed448.SeedSize:
		return &Ed448PrivateKey{ed448.NewKeyFromSeed(seed)}, nil
	}
	return nil, fail(ErrMalformed, "length of a private key")
}

// A Ed448PrivateKey is a private key for Ed448. It is a crypto.Signer of whole
// messages.
type Ed448PrivateKey struct{ key ed448.PrivateKey }

// Public returns the ed448.PublicKey.
func (k *Ed448PrivateKey) Public() crypto.PublicKey { return k.key.Public() }

// Sign signs message, which must not be hashed: the hash of opts must be zero.
func (k *Ed448PrivateKey) Sign(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	if opts != nil && opts.HashFunc() != 0 {
		return nil, errors.New("alg: Ed448 signs messages, not digests")
	}
	return ed448.Sign(k.key, message, ""), nil
}

// Equal reports whether x is the same key.
func (k *Ed448PrivateKey) Equal(x crypto.PrivateKey) bool {
	o, ok := x.(*Ed448PrivateKey)
	return ok && o != nil && k.key.Equal(o.key)
}
