package alg

import (
	"crypto/ecdsa"
	"crypto/rsa"

	"github.com/gosmime/gosmime/internal/oid"
)

// Verify checks sig over a digest, or over the message itself if Pure. It fails with
// ErrSignature, ErrMismatch, ErrUnsupported or ErrMalformed. Strength is not its
// concern, but MD5 and RSA below 1024 bits never verify: they are ErrWeak.
func (s *Signature) Verify(pub *PublicKey, digest, sig []byte) error {
	if err := s.fits(pub); err != nil {
		return err
	}
	if !s.Pure() && len(digest) != s.Hash.Size() {
		return fail(ErrMismatch, "digest of %d octets for %v", len(digest), s.Hash)
	}
	var ok bool
	switch key := pub.Key.(type) {
	case *rsa.PublicKey:
		if s.family == rsaPSS {
			return s.pss.verify(key, digest, sig)
		}
		return verifyPKCS1(key, s.Hash, digest, sig)
	case *ecdsa.PublicKey:
		ok = ecdsa.VerifyASN1(key, digest, sig) // strict DER
	default:
		if verify := pub.Kind.row().verify; verify != nil {
			ok = verify(pub, digest, sig)
		}
	}
	if !ok {
		return ErrSignature
	}
	return nil
}

// VerifyMessage checks sig over message, which it hashes if need be. It fails as Verify does.
func (s *Signature) VerifyMessage(pub *PublicKey, message, sig []byte) error {
	if s.Pure() {
		return s.Verify(pub, message, sig)
	}
	if err := s.fits(pub); err != nil {
		return err
	}
	return s.Verify(pub, s.Hash.sum(message), sig)
}

// fits reports whether a key may be used with the algorithm.
func (s *Signature) fits(pub *PublicKey) error {
	switch {
	case pub == nil || s.family == 0:
		return fail(ErrUnsupported, "no key or algorithm")
	case pub.Kind == DSA || pub.Kind == OtherCurve:
		return fail(ErrUnsupported, "key of %v", pub.Algorithm.OID)
	case pub.Key == nil:
		return fail(ErrMismatch, "key without value")
	case s.Hash == MD5 && !s.Pure():
		return fail(ErrWeak, "digest %v", s.Hash)
	case pub.IsRSA() && pub.Bits < minRSABits:
		return fail(ErrWeak, "RSA modulus of %d bits", pub.Bits)
	}
	ok := false
	switch s.family {
	case rsaPKCS1:
		ok = pub.Kind == RSA // RFC 4055 section 1.2: a PSS key signs with PSS only
	case rsaPSS:
		ok = pub.Kind == RSA || pub.Kind == RSAPSS && pub.pss.allows(s.pss)
	case ecdsaSig:
		ok = pub.Kind == EC && pub.Algorithm.OID != oid.ECDH // RFC 5480 section 2.1.2
	case pure, preHash:
		ok = pub.Algorithm.OID == s.ID.OID
	}
	if !ok {
		return fail(ErrMismatch, "key of %v for signature %v", pub.Algorithm.OID, s.ID.OID)
	}
	return nil
}

// allows holds the parameters of a signature to those of its key: RFC 4056
// section 3 and RFC 4055 section 3.3 want the same hash, mask and trailer and
// no shorter salt. A nil key parameter allows everything.
func (p *pss) allows(s pss) bool {
	return p == nil || p.hash == s.hash && p.mgf == s.mgf && p.salt <= s.salt
}

// verifyPKCS1 encodes and compares (RFC 8017 section 8.2.2, the note), with
// exactly two encodings of the DigestInfo: parameters NULL, then absent (RFC
// 8017 appendix A.2.4 and appendix B.1).
func verifyPKCS1(key *rsa.PublicKey, h Hash, digest, sig []byte) error {
	if h.Crypto() == 0 {
		return fail(ErrUnsupported, "%v with PKCS #1 v1.5", h)
	}
	if rsa.VerifyPKCS1v15(key, h.Crypto(), digest, sig) == nil {
		return nil
	}
	// A hash of zero makes the standard library take the DigestInfo as it is.
	info := element(0x30, append(h.Identifier().DER(), element(0x04, digest)...))
	if rsa.VerifyPKCS1v15(key, 0, info, sig) == nil {
		return nil
	}
	return ErrSignature
}
