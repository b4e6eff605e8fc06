package alg

import (
	"github.com/gosmime/gosmime/internal/oid"
)

// A Signature is a signature algorithm with its parameters and digest.
type Signature struct {
	ID   Identifier
	Hash Hash // of the message (of signedAttrs); for pure algorithms the digest of the content

	family family
	pss    pss
}

// A family is a kind of signature algorithm.
type family uint8

const (
	_ family = iota
	rsaPKCS1
	rsaPSS
	ecdsaSig
	edwards25519
	edwards448
	moduleLattice
	hashBased
)

// SignatureOf returns the algorithm that id names. digest is that of
// SignerInfo.digestAlgorithm, which rsaEncryption depends on and all others
// must agree with (RFC 8933 section 3); zero where there is none, as in
// certificates, and for pure algorithms without signedAttrs.
//
// The pure algorithms prescribe or recommend digests (RFC 8419 section 3, RFC
// 9882 section 3.3, RFC 9814 section 4).
// DEVIATION: any digest is taken with them, because OpenSSL writes whatever its
// user says; what the digest covers is signed all the same, and Strength
// refuses the weak ones.
func SignatureOf(id Identifier, digest Hash) (*Signature, error) {
	s := &Signature{ID: id, Hash: digest}
	var named Hash
	s.family, named = signatureFamily(id.OID)
	if err := s.checkParams(); err != nil {
		return nil, err
	}
	switch {
	case s.family == 0:
		return nil, fail(ErrUnsupported, "signature %v", id.OID)
	case s.family == rsaPSS:
		named = s.pss.hash
	case s.Pure():
		return s, nil
	case named == 0: // rsaEncryption
		named = digest
	}
	if named == 0 || digest != 0 && digest != named {
		return nil, fail(ErrMismatch, "signature %v with digest %v", id.OID, digest)
	}
	s.Hash = named
	return s, nil
}

// checkParams holds the parameters to the algorithm and reads those of PSS.
func (s *Signature) checkParams() (err error) {
	none := len(s.ID.Params) == 0
	switch s.ID.OID {
	case oid.RSASSAPSS:
		s.pss, err = parsePSS(s.ID.Params)
		return err
	case oid.RSAPSSSHAKE128:
		s.pss = pss{SHAKE128, SHAKE128, 32}
	case oid.RSAPSSSHAKE256:
		s.pss = pss{SHAKE256, SHAKE256, 64}
	case oid.ECDSAWithSHAKE128, oid.ECDSAWithSHAKE256:
	default:
		switch s.family {
		case rsaPKCS1, ecdsaSig:
			// RFC 5754 section 3.2 asks to accept absent parameters for RSA; old senders write NULL for ECDSA.
			none = s.ID.noParams()
		case 0:
			none = true // unsupported is the better answer
		}
	}
	if !none {
		return fail(ErrMalformed, "parameters of signature %v", s.ID.OID)
	}
	return nil
}

// signatureFamily returns the family and the digest that o names.
func signatureFamily(o oid.OID) (family, Hash) {
	switch o {
	case oid.RSAEncryption:
		return rsaPKCS1, 0
	case oid.RSASSAPSS:
		return rsaPSS, 0
	case oid.RSAPSSSHAKE128:
		return rsaPSS, SHAKE128
	case oid.RSAPSSSHAKE256:
		return rsaPSS, SHAKE256
	case oid.Ed25519:
		return edwards25519, 0
	case oid.Ed448:
		return edwards448, 0
	case oid.MLDSA44, oid.MLDSA65, oid.MLDSA87:
		return moduleLattice, 0
	}
	if h := pkcs1Digest(o); h != 0 {
		return rsaPKCS1, h
	}
	if h := ecdsaDigest(o); h != 0 {
		return ecdsaSig, h
	}
	if slhdsaID(o) != 0 {
		return hashBased, 0
	}
	return 0, 0
}

func pkcs1Digest(o oid.OID) Hash {
	switch o {
	case oid.MD5WithRSA:
		return MD5
	case oid.SHA1WithRSA, oid.SHA1WithRSAOIW:
		return SHA1
	case oid.SHA224WithRSA:
		return SHA224
	case oid.SHA256WithRSA:
		return SHA256
	case oid.SHA384WithRSA:
		return SHA384
	case oid.SHA512WithRSA:
		return SHA512
	case oid.SHA512_224WithRSA:
		return SHA512_224
	case oid.SHA512_256WithRSA:
		return SHA512_256
	case oid.SHA3_224WithRSA:
		return SHA3_224
	case oid.SHA3_256WithRSA:
		return SHA3_256
	case oid.SHA3_384WithRSA:
		return SHA3_384
	case oid.SHA3_512WithRSA:
		return SHA3_512
	}
	return 0
}

func ecdsaDigest(o oid.OID) Hash {
	switch o {
	case oid.ECDSAWithSHA1:
		return SHA1
	case oid.ECDSAWithSHA224:
		return SHA224
	case oid.ECDSAWithSHA256:
		return SHA256
	case oid.ECDSAWithSHA384:
		return SHA384
	case oid.ECDSAWithSHA512:
		return SHA512
	case oid.ECDSAWithSHA3_224:
		return SHA3_224
	case oid.ECDSAWithSHA3_256:
		return SHA3_256
	case oid.ECDSAWithSHA3_384:
		return SHA3_384
	case oid.ECDSAWithSHA3_512:
		return SHA3_512
	case oid.ECDSAWithSHAKE128:
		return SHAKE128
	case oid.ECDSAWithSHAKE256:
		return SHAKE256
	}
	return 0
}

// Pure reports whether the algorithm signs the message itself, not a digest.
func (s *Signature) Pure() bool { return s.family >= edwards25519 }

// Strength returns nil or an error that wraps ErrWeak: SHA-1, MD5, RSA below
// 2048 bits, curves below 256. A mask by SHA-1 is no weakness, since nothing depends on its
// collisions. pub may be nil.
func (s *Signature) Strength(pub *PublicKey) error {
	if s.Hash.Weak() {
		return fail(ErrWeak, "digest %v", s.Hash)
	}
	return pub.Strength()
}

// Strength returns nil or an error that wraps ErrWeak: RSA below 2048 bits, curves
// below 256. A nil key is not weak.
func (p *PublicKey) Strength() error {
	switch {
	case p == nil:
	case p.isRSA() && p.Bits < 2048:
		return fail(ErrWeak, "RSA modulus of %d bits", p.Bits)
	case p.Kind == EC && p.Bits < 256:
		return fail(ErrWeak, "curve of %d bits", p.Bits)
	}
	return nil
}

func (p *PublicKey) isRSA() bool {
	return p.Kind == RSA || p.Kind == RSAPSS || p.Kind == RSAOAEP || p.Kind == RSAKEM
}
