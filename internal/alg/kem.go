package alg

import (
	"crypto"
	"crypto/hkdf"
	"crypto/rsa"
	"fmt"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A KEM is a key encapsulation mechanism with the KDF and wrap that follow it (RFC 9629).
type KEM struct {
	ID   Identifier // ML-KEM, id-kem-rsa
	KDF  Identifier
	Wrap *Wrap
}

// Decapsulate asks key, a crypto.Decapsulator for ML-KEM, a *rsa.PrivateKey for
// RSA-KEM, which needs raw decryption. A ciphertext of the right length that was not made
// for the key gives a secret that is of no use. Errors of the key are wrapped.
func (k *KEM) Decapsulate(key crypto.PrivateKey, kemct []byte) (secret []byte, err error) {
	if k.ID.OID == oid.RSAKEM {
		return k.decapsulateRSA(key, kemct)
	}
	keyLen, ctLen := mlkemSizes(k.ID.OID)
	if keyLen == 0 {
		return nil, fail(ErrUnsupported, "key encapsulation %v", k.ID.OID)
	}
	if len(k.ID.Params) > 0 {
		return nil, fail(ErrMalformed, "parameters of ML-KEM") // RFC 9936 section 2.3
	}
	d, ok := key.(crypto.Decapsulator)
	if !ok || len(d.Encapsulator().Bytes()) != keyLen {
		return nil, fail(ErrMismatch, "key for %v", k.ID.OID)
	}
	if len(kemct) != ctLen {
		return nil, fail(ErrMalformed, "length of a ML-KEM ciphertext")
	}
	if secret, err = d.Decapsulate(kemct); err != nil {
		return nil, fmt.Errorf("decapsulation: %w", err)
	}
	return secret, nil
}

// Decapsulates reports whether key has the method that Decapsulate asks, or may
// have it once it is bound to a context.
func (k *KEM) Decapsulates(key crypto.PrivateKey) bool {
	switch key.(type) {
	case cancellable:
		return true
	case *rsa.PrivateKey:
		return k.ID.OID == oid.RSAKEM
	case crypto.Decapsulator:
		return k.ID.OID != oid.RSAKEM
	}
	return false
}

// KEK derives the key-encryption key: info is the DER CMSORIforKEMOtherInfo,
// kekLen as the message has it, which must be that of the wrap (RFC 9629 section 3).
func (k *KEM) KEK(secret, info []byte, kekLen int) ([]byte, error) {
	if kekLen < 1 || k.Wrap == nil || kekLen != k.Wrap.KEKLen {
		return nil, fail(ErrMismatch, "kekLength %d", kekLen)
	}
	var h Hash
	switch k.KDF.OID {
	case oid.HKDFSHA256:
		h = SHA256
	case oid.HKDFSHA384:
		h = SHA384
	case oid.HKDFSHA512:
		h = SHA512
	case oid.KDF2, oid.KDF3:
		return counterKEK(k.KDF, secret, info, kekLen)
	default:
		return nil, fail(ErrUnsupported, "key derivation %v", k.KDF.OID)
	}
	if len(k.KDF.Params) > 0 {
		return nil, fail(ErrMalformed, "parameters of HKDF") // RFC 8619 section 2
	}
	kek, err := hkdf.Key(h.New, secret, nil, string(info), kekLen)
	if err != nil {
		return nil, fail(ErrUnsupported, "HKDF")
	}
	return kek, nil
}

// counterKEK derives by KDF2 or KDF3, whose parameter is the hash (RFC 9690 appendix B).
func counterKEK(kdf Identifier, secret, info []byte, n int) ([]byte, error) {
	id, err := ParseIdentifier(kdf.Params)
	if err != nil {
		return nil, err
	}
	h, err := HashOf(id)
	if err != nil {
		return nil, err
	}
	if kdf.OID == oid.KDF2 {
		return x963(h, secret, info, n), nil
	}
	return kdf3(h, secret, info, n), nil
}

// decapsulateRSA is RFC 9690 appendix A: the secret is derived from the raw
// decryption, by KDF3 with SHA-256 and as long as the key-encryption key if the
// parameters don't say otherwise.
//
//	RsaKemParameters ::= SEQUENCE {
//	    keyDerivationFunction  AlgorithmIdentifier,
//	    keyLength              INTEGER (1..MAX) }
func (k *KEM) decapsulateRSA(key crypto.PrivateKey, kemct []byte) ([]byte, error) {
	private, ok := key.(*rsa.PrivateKey)
	if !ok {
		return nil, fail(ErrMismatch, "RSA-KEM with a %T", key)
	}
	kdf := Identifier{OID: oid.KDF3, Params: SHA256.Identifier().DER()}
	if k.KDF.OID == oid.KDF2 || k.KDF.OID == oid.KDF3 {
		kdf = k.KDF
	}
	n := 16
	if k.Wrap != nil {
		n = k.Wrap.KEKLen
	}
	if !k.ID.noParams() {
		s := cryptobyte.String(k.ID.Params)
		var body cryptobyte.String
		if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !ReadIdentifier(&body, &kdf) ||
			!body.ReadASN1Integer(&n) || !body.Empty() || n < 1 || n > 1024 {
			return nil, fail(ErrMalformed, "parameters of RSA-KEM")
		}
	}
	z, err := rsaRaw(private, kemct)
	if err != nil {
		return nil, err
	}
	if kdf.OID != oid.KDF2 && kdf.OID != oid.KDF3 {
		return nil, fail(ErrUnsupported, "key derivation %v", kdf.OID)
	}
	return counterKEK(kdf, z, nil, n)
}

// EncapsulationFor returns the mechanism for an encapsulation key, and the wrap
// for a content-encryption key of that many octets.
func EncapsulationFor(pub *PublicKey, cekLen int) (*KEM, error) {
	if _, ok := pub.Key.(crypto.Encapsulator); !ok {
		return nil, fail(ErrUnsupported, "encapsulation for a key of %v", pub.Algorithm.OID)
	}
	// RFC 5652 section 14: the wrapping key is no weaker than what it wraps.
	// RFC 9936 section 2.2 demands the KDF of everyone.
	return &KEM{
		ID: pub.Algorithm, KDF: Identifier{OID: oid.HKDFSHA256},
		Wrap: WrapFor(max(mlkemWrapLen(pub.Algorithm.OID), cekLen)),
	}, nil
}

// Fits reports whether pub is a key of the mechanism.
func (k *KEM) Fits(pub *PublicKey) bool {
	if k.ID.OID == oid.RSAKEM {
		return pub.Kind == RSA || pub.Kind == RSAKEM
	}
	return pub.Kind.Transport() == KeyEncapsulation && pub.Algorithm.OID == k.ID.OID
}

// Encapsulate makes a shared secret for pub, a key for ML-KEM.
func Encapsulate(pub *PublicKey) (kemct, secret []byte, err error) {
	key, ok := pub.Key.(crypto.Encapsulator)
	if !ok {
		return nil, nil, fail(ErrUnsupported, "encapsulation for a key of %v", pub.Algorithm.OID)
	}
	secret, kemct = key.Encapsulate()
	return kemct, secret, nil
}
