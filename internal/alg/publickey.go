package alg

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/mlkem"
	"crypto/rsa"
	"encoding"
	"math/big"

	"filippo.io/mldsa"
	"github.com/cloudflare/circl/sign/ed448"
	"github.com/cloudflare/circl/sign/slhdsa"
	"github.com/gosmime/gosmime/internal/oid"
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
	// *mldsa.PublicKey, *slhdsa.PublicKey or a crypto.Encapsulator (ML-KEM). It
	// is nil for the kinds that are only recognised.
	Key any

	raw  []byte // content of subjectPublicKey
	pss  *pss   // of an id-RSASSA-PSS key with parameters
	oaep *OAEP  // of an id-RSAES-OAEP key with parameters
}

// KeyKind is the kind of a public key.
type KeyKind uint8

const (
	_ KeyKind = iota
	RSA
	RSAPSS  // id-RSASSA-PSS: signs only, perhaps with fixed parameters
	RSAOAEP // id-RSAES-OAEP: encrypts only
	EC      // named curve of the NIST
	Ed25519Key
	Ed448Key
	X25519Key
	X448Key
	MLDSA
	SLHDSA
	MLKEM
	RSAKEM
	DSA        // recognised only
	OtherCurve // recognised only: brainpool, secp256k1
)

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
	switch p.Algorithm.OID {
	case oid.RSAEncryption:
		return p.parseRSA(RSA)
	case oid.RSASSAPSS:
		return p.parsePSSKey()
	case oid.RSAESOAEP:
		return p.parseOAEPKey()
	case oid.RSAKEMSPKI, oid.RSAKEM:
		return p.parseRSA(RSAKEM)
	case oid.ECPublicKey, oid.ECDH:
		return p.parseEC()
	case oid.Ed25519, oid.Ed448, oid.X25519, oid.X448:
		return p.parseEdwards()
	case oid.MLDSA44, oid.MLDSA65, oid.MLDSA87:
		return p.parseMLDSA()
	case oid.MLKEM512, oid.MLKEM768, oid.MLKEM1024:
		return p.parseMLKEM()
	case oid.DSA:
		p.Kind = DSA
		return nil
	}
	if slhdsaID(p.Algorithm.OID) != 0 {
		return p.parseSLHDSA()
	}
	return fail(ErrUnsupported, "public key %v", p.Algorithm.OID)
}

// parseRSA reads RSAPublicKey of RFC 8017 appendix A.1.1.
//
//	RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
func (p *PublicKey) parseRSA(kind KeyKind) error {
	p.Kind = kind
	if kind == RSA && !p.Algorithm.noParams() {
		return fail(ErrMalformed, "parameters of an RSA key")
	}
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

func (p *PublicKey) parseEdwards() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of %v", p.Algorithm.OID) // RFC 8410 section 3
	}
	want := 32
	switch p.Algorithm.OID {
	case oid.Ed448:
		want = ed448.PublicKeySize
	case oid.X448:
		want = x448Size
	}
	if len(p.raw) != want {
		return fail(ErrMalformed, "length of a public key")
	}
	switch p.Algorithm.OID {
	case oid.Ed25519:
		p.Kind, p.Bits, p.Key = Ed25519Key, 255, ed25519.PublicKey(p.raw)
	case oid.Ed448:
		p.Kind, p.Bits, p.Key = Ed448Key, 448, ed448.PublicKey(p.raw)
	case oid.X25519:
		key, err := ecdh.X25519().NewPublicKey(p.raw)
		if err != nil {
			return fail(ErrMalformed, "X25519 key")
		}
		p.Kind, p.Bits, p.Key = X25519Key, 255, key
	case oid.X448:
		key := new(X448PublicKey)
		copy(key.u[:], p.raw)
		p.Kind, p.Bits, p.Key = X448Key, 448, key
	}
	return nil
}

func (p *PublicKey) parseMLDSA() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of ML-DSA") // RFC 9881 section 2
	}
	params, _ := mldsaParameters(p.Algorithm.OID)
	key, err := mldsa.NewPublicKey(params, p.raw)
	if err != nil {
		return fail(ErrMalformed, "ML-DSA key")
	}
	p.Kind, p.Bits, p.Key = MLDSA, 8*len(p.raw), key
	return nil
}

func (p *PublicKey) parseSLHDSA() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of SLH-DSA") // RFC 9909 section 3
	}
	key := &slhdsa.PublicKey{ID: slhdsaID(p.Algorithm.OID)}
	if key.UnmarshalBinary(p.raw) != nil {
		return fail(ErrMalformed, "SLH-DSA key")
	}
	p.Kind, p.Bits, p.Key = SLHDSA, 8*len(p.raw), key
	return nil
}

func (p *PublicKey) parseMLKEM() error {
	if len(p.Algorithm.Params) > 0 {
		return fail(ErrMalformed, "parameters of ML-KEM") // RFC 9935 section 3
	}
	var err error
	switch p.Algorithm.OID {
	case oid.MLKEM512:
		p.Key, err = newMLKEM512PublicKey(p.raw)
	case oid.MLKEM768:
		p.Key, err = mlkem.NewEncapsulationKey768(p.raw)
	default:
		p.Key, err = mlkem.NewEncapsulationKey1024(p.raw)
	}
	if err != nil {
		return fail(ErrMalformed, "ML-KEM key")
	}
	p.Kind, p.Bits = MLKEM, 8*len(p.raw)
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
	case *mldsa.PublicKey:
		return p.Kind == MLDSA && k != nil && bytes.Equal(k.Bytes(), p.raw)
	case crypto.Encapsulator:
		return p.Kind == MLKEM && bytes.Equal(k.Bytes(), p.raw)
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
