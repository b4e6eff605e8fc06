package alg

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A PublicKey is a parsed SubjectPublicKeyInfo.
type PublicKey struct {
	Algorithm Identifier
	Kind      KeyKind
	Bits      int // of security-relevant size: modulus or field

	// Key is a *rsa.PublicKey, *ecdsa.PublicKey (P-224 to P-521), *ecdh.PublicKey
	// (X25519), *X448PublicKey, ed25519.PublicKey, ed448.PublicKey,
	// *mldsa.PublicKey, *slhdsa.PublicKey or a crypto.Encapsulator. It
	// is nil for the kinds that are only recognised.
	Key any

	raw  []byte // content of subjectPublicKey
	pss  *pss   // of an id-RSASSA-PSS key with parameters
	oaep *OAEP  // of an id-RSAES-OAEP key with parameters
}

// RSA moduli outside these bounds are refused before any arithmetic: below no
// signature counts, above one check can take seconds.
const (
	minRSABits = 1024
	maxRSABits = 16384
)

// ParsePublicKey reads a SubjectPublicKeyInfo. Sizes are capped before any
// arithmetic: RSA 1024 to 16384 bits, odd modulus, 3 ≤ e < 2^31 odd. The
// result keeps parts of spki.
//
//	SubjectPublicKeyInfo ::= SEQUENCE {
//	    algorithm         AlgorithmIdentifier,
//	    subjectPublicKey  BIT STRING }
func ParsePublicKey(spki []byte) (*PublicKey, error) {
	s := cryptobyte.String(spki)
	var body cryptobyte.String
	p := new(PublicKey)
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() ||
		!ReadIdentifier(&body, &p.Algorithm) ||
		!body.ReadASN1BitStringAsBytes(&p.raw) || !body.Empty() {
		return nil, fail(ErrMalformed, "SubjectPublicKeyInfo")
	}
	if err := p.parse(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *PublicKey) parse() error {
	p.Kind = kindOf(p.Algorithm.OID)
	if p.Kind == 0 {
		return fail(ErrUnsupported, "public key %v", p.Algorithm.OID)
	}
	if parse := p.Kind.row().parse; parse != nil {
		return parse(p)
	}
	return nil
}

func (p *PublicKey) parsePlainRSA() error {
	if !p.Algorithm.noParams() {
		return fail(ErrMalformed, "parameters of an RSA key")
	}
	return p.parseRSA(RSA)
}

func (p *PublicKey) parseRSAKEM() error { return p.parseRSA(RSAKEM) }

// parseRSA reads RSAPublicKey of RFC 8017 appendix A.1.1.
//
//	RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
func (p *PublicKey) parseRSA(kind KeyKind) error {
	p.Kind = kind
	s := cryptobyte.String(p.raw)
	var body cryptobyte.String
	var n, e []byte
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() ||
		!body.ReadASN1Integer(&n) || !body.ReadASN1Integer(&e) || !body.Empty() ||
		len(n) == 0 || len(e) == 0 {
		return fail(ErrMalformed, "RSAPublicKey")
	}
	if len(n) > maxRSABits/8 {
		return fail(ErrUnsupported, "RSA modulus of more than %d bits", maxRSABits)
	}
	if n[len(n)-1]&1 == 0 || e[len(e)-1]&1 == 0 || len(e) == 1 && e[0] < 3 {
		return fail(ErrMalformed, "RSA modulus or exponent")
	}
	// Larger exponents are legal but nobody uses them.
	if len(e) > 4 || len(e) == 4 && e[0] > 0x7f {
		return fail(ErrUnsupported, "RSA exponent of more than 31 bits")
	}
	pub := &rsa.PublicKey{N: new(big.Int).SetBytes(n)}
	for _, b := range e {
		pub.E = pub.E<<8 | int(b)
	}
	p.Bits = pub.N.BitLen()
	if p.Bits < minRSABits {
		return fail(ErrWeak, "RSA modulus of %d bits", p.Bits)
	}
	p.Key = pub
	return nil
}

// parsePSSKey: RFC 4055 section 1.2; absent parameters restrict nothing.
func (p *PublicKey) parsePSSKey() error {
	if len(p.Algorithm.Params) > 0 {
		params, err := parsePSS(p.Algorithm.Params)
		if err != nil {
			return err
		}
		p.pss = &params
	}
	return p.parseRSA(RSAPSS)
}

// parseOAEPKey: RFC 4055 section 4.1; absent parameters restrict nothing.
func (p *PublicKey) parseOAEPKey() error {
	if len(p.Algorithm.Params) > 0 {
		o, err := OAEPOf(p.Algorithm)
		if err != nil {
			return err
		}
		p.oaep = o
	}
	return p.parseRSA(RSAOAEP)
}

// OAEP returns the parameters that an id-RSAES-OAEP key demands, nil if it
// leaves the choice (RFC 3560 section 4).
func (p *PublicKey) OAEP() *OAEP { return p.oaep }

// Strength returns nil or an error that wraps ErrWeak: RSA below 2048 bits, curves
// below 256. A nil key is not weak.
func (p *PublicKey) Strength() error {
	switch {
	case p == nil:
	case p.IsRSA() && p.Bits < 2048:
		return fail(ErrWeak, "RSA modulus of %d bits", p.Bits)
	case p.Kind == EC && p.Bits < 256:
		return fail(ErrWeak, "curve of %d bits", p.Bits)
	}
	return nil
}

// Matches reports whether key is the private key of p, as far as its Public or
// PublicKey or Encapsulator method tells.
func (p *PublicKey) Matches(key crypto.PrivateKey) bool {
	switch k := key.(type) {
	case interface{ Public() crypto.PublicKey }:
		return p.equal(k.Public())
	case interface{ PublicKey() *ecdh.PublicKey }:
		return p.equal(k.PublicKey())
	case crypto.Decapsulator:
		return p.Kind == MLKEM && bytes.Equal(k.Encapsulator().Bytes(), p.raw)
	}
	return false
}

func (p *PublicKey) equal(pub crypto.PublicKey) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		own, ok := p.Key.(*rsa.PublicKey)
		return ok && k != nil && k.N != nil && own.Equal(k)
	case *ecdsa.PublicKey:
		own, ok := p.Key.(*ecdsa.PublicKey)
		return ok && k != nil && own.Equal(k)
	case *ecdh.PublicKey:
		return k != nil && p.equalECDH(k)
	case ed25519.PublicKey:
		return p.Kind == Ed25519Key && bytes.Equal(k, p.raw)
	case *X448PublicKey:
		return p.Kind == X448Key && k != nil && bytes.Equal(k.u[:], p.raw)
	case interface{ Bytes() []byte }: // of the post-quantum algorithms
		row := p.Kind.row()
		return (row.family == pure || row.transport == KeyEncapsulation) && Usable(k) && bytes.Equal(k.Bytes(), p.raw)
	case encoding.BinaryMarshaler: // Ed448 and SLH-DSA of circl, and kinds of other makers
		b, err := k.MarshalBinary()
		return err == nil && p.Kind >= Ed448Key && p.Kind <= SLHDSA && bytes.Equal(b, p.raw)
	}
	return false
}

func (p *PublicKey) equalECDH(k *ecdh.PublicKey) bool {
	switch own := p.Key.(type) {
	case *ecdh.PublicKey:
		return own.Equal(k)
	case *ecdsa.PublicKey:
		e, err := own.ECDH()
		return err == nil && e.Equal(k)
	}
	return false
}
