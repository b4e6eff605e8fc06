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

// SignatureOf returns the algorithm that id names. digest is that of
// SignerInfo.digestAlgorithm, which rsaEncryption depends on and all others
// must agree with (RFC 8933 section 3); zero for pure algorithms without
// signedAttrs. HashSLH-DSA is unsupported (RFC 9814 section 3).
//
// The pure algorithms prescribe or recommend digests (RFC 8419 section 3, RFC
// 9882 section 3.3, RFC 9814 section 4).
// DEVIATION: any digest is taken with them, because OpenSSL writes whatever its
// user says; what the digest covers is signed all the same, and Strength
// refuses the weak ones.
//
// DEVIATION: RFC 5753 section 2.1.1 wants ecdsa-with-SHA2. Windows writes
// id-ecPublicKey, and others ecdsa-with-Specified; KeyIdentifier tells. Both
// need the digest of a SignerInfo, so that certificates can't have them.
func SignatureOf(id Identifier, digest Hash) (*Signature, error) {
	if row := signatureRowOf(id.OID); row != nil && row.family == preHash {
		return nil, fail(ErrUnsupported, "signature %v in CMS", id.OID)
	}
	return signatureOf(id, digest)
}

// CertificateSignatureOf returns the algorithm that id names in a certificate, a
// CRL or an OCSP response, where HashSLH-DSA is allowed (RFC 9909 section 3).
func CertificateSignatureOf(id Identifier) (*Signature, error) {
	return signatureOf(id, 0)
}

func signatureOf(id Identifier, digest Hash) (*Signature, error) {
	s := &Signature{ID: id, Hash: digest}
	row := signatureRowOf(id.OID)
	if row == nil {
		return nil, fail(ErrUnsupported, "signature %v", id.OID)
	}
	s.family = row.family
	if err := s.checkParams(); err != nil {
		return nil, err
	}
	named := row.hash
	switch {
	case s.family == rsaPSS:
		named = s.pss.hash
	case s.family == pure:
		return s, nil
	case named == 0: // rsaEncryption, id-ecPublicKey, ecdsa-with-Specified
		named = digest
	}
	if named == 0 || digest != 0 && digest != named {
		return nil, fail(ErrMismatch, "signature %v with digest %v", id.OID, digest)
	}
	s.Hash = named
	return s, nil
}

// checkParams compares the parameters with what the algorithm allows and reads
// those of PSS.
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
	case oid.ECPublicKey:
		// The parameters of the key, which verifying does not depend on.
		none = s.ID.noParams() || s.ID.namesCurve()
	case oid.ECDSAWithSpecified:
		return s.checkSpecified()
	default:
		if !s.Pure() {
			// RFC 5754 section 3.2 asks to accept absent parameters for RSA; old senders write NULL for ECDSA.
			none = s.ID.noParams()
		}
	}
	if !none {
		return fail(ErrMalformed, "parameters of signature %v", s.ID.OID)
	}
	return nil
}

// checkSpecified compares the parameter of ecdsa-with-Specified, which is the
// identifier of a digest (SEC 1 section C.5), with the digest of the SignerInfo.
func (s *Signature) checkSpecified() error {
	id, err := ParseIdentifier(s.ID.Params)
	if err != nil {
		return err
	}
	h, err := HashOf(id)
	if err != nil {
		return err
	}
	if h != s.Hash {
		return fail(ErrMismatch, "signature %v for %v with digest %v", s.ID.OID, h, s.Hash)
	}
	return nil
}

// KeyIdentifier reports whether id-ecPublicKey or ecdsa-with-Specified stands in
// place of the identifier of ECDSA with a digest (RFC 5753 section 2.1.1).
func (s *Signature) KeyIdentifier() bool {
	return s.ID.OID == oid.ECPublicKey || s.ID.OID == oid.ECDSAWithSpecified
}

// Pure reports whether Verify takes the message itself, not a digest. HashSLH-DSA
// counts as such, because it hashes the message on its own.
func (s *Signature) Pure() bool { return s.family == pure || s.family == preHash }

// Strength returns nil or an error that wraps ErrWeak: SHA-1, MD5, RSA below
// 2048 bits, curves below 256. A mask by SHA-1 is no weakness, since nothing depends on its
// collisions. pub may be nil.
func (s *Signature) Strength(pub *PublicKey) error {
	if s.Hash.Weak() {
		return fail(ErrWeak, "digest %v", s.Hash)
	}
	return pub.Strength()
}
