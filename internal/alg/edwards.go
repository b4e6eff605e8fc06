package alg

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/x509"
	"errors"
	"io"

	"github.com/cloudflare/circl/sign/ed448"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// checkRaw checks a key of RFC 8410, which has no parameters and a fixed length.
func (p *PublicKey) checkRaw(size int) error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of %v", p.Algorithm.OID) // RFC 8410 section 3
	}
	if len(p.raw) != size {
		return fail(ErrMalformed, "length of a public key")
	}
	return nil
}

func (p *PublicKey) parseEd25519() error {
	p.Kind, p.Bits, p.Key = Ed25519Key, 255, ed25519.PublicKey(p.raw)
	return p.checkRaw(ed25519.PublicKeySize)
}

func (p *PublicKey) parseEd448() error {
	p.Kind, p.Bits, p.Key = Ed448Key, 448, ed448.PublicKey(p.raw)
	return p.checkRaw(ed448.PublicKeySize)
}

func (p *PublicKey) parseX25519() error {
	if err := p.checkRaw(32); err != nil {
		return err
	}
	key, err := ecdh.X25519().NewPublicKey(p.raw)
	if err != nil {
		return fail(ErrMalformed, "X25519 key")
	}
	p.Kind, p.Bits, p.Key = X25519Key, 255, key
	return nil
}

func (p *PublicKey) parseX448() error {
	key := new(X448PublicKey)
	copy(key.u[:], p.raw)
	p.Kind, p.Bits, p.Key = X448Key, 448, key
	return p.checkRaw(x448Size)
}

func (p *PublicKey) verifyEd25519(message, sig []byte) bool {
	key, ok := p.Key.(ed25519.PublicKey)
	return ok && ed25519.Verify(key, message, sig)
}

func (p *PublicKey) verifyEd448(message, sig []byte) bool {
	key, ok := p.Key.(ed448.PublicKey)
	return ok && ed448.Verify(key, message, sig, "")
}

// parse25519Private lets the standard library read the whole PrivateKeyInfo.
func parse25519Private(id Identifier, _, pkcs8 []byte) (crypto.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(pkcs8)
	if err != nil {
		return nil, fail(ErrMalformed, "private key of %v", id.OID)
	}
	return key, nil
}

// parse448Private reads CurvePrivateKey of RFC 8410 section 7, an OCTET STRING.
func parse448Private(id Identifier, private, _ []byte) (crypto.PrivateKey, error) {
	var seed []byte
	s := cryptobyte.String(private)
	if len(id.Params) > 0 || !s.ReadASN1Bytes(&seed, asn1.OCTET_STRING) || !s.Empty() {
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
