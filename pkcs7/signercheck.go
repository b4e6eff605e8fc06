package pkcs7

import (
	"context"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/budget"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// parseCertificate reads a certificate anew: of an x509.Certificate only Raw
// is believed.
func parseCertificate(cert *x509.Certificate) (*x509der.Certificate, error) {
	if cert == nil {
		return nil, fmt.Errorf("%w: no certificate", ErrNoCertificate)
	}
	c, err := x509der.Parse(cert.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	return c, nil
}

// algError makes an error of package alg one of this package.
func algError(err error, field string) error {
	problem := ErrSyntax
	switch {
	case err == nil:
		return nil
	case errors.Is(err, alg.ErrUnsupported):
		problem = ErrUnsupported
	case errors.Is(err, alg.ErrWeak):
		problem = ErrWeak
	case errors.Is(err, alg.ErrSignature), errors.Is(err, alg.ErrMismatch):
		problem = ErrSignature
	case errors.Is(err, alg.ErrKeyUnavailable):
		problem = ErrKeyUnavailable
	}
	return fmt.Errorf("%w: %s: %w", problem, field, err)
}

// findFault looks at all that can be said without the content and a key.
func (s *SignerInfo) findFault() error {
	hash, _, hashErr := alg.DigestOf(s.digestID)
	var err error
	s.algorithm, err = alg.SignatureOf(s.sigID, hash)
	if err != nil && s.signedDER == nil {
		// A pure algorithm without signedAttrs does not use the digest
		// (RFC 9882 section 3.3).
		if pure, pureErr := alg.SignatureOf(s.sigID, 0); pureErr == nil && pure.Pure() {
			s.algorithm, err, hashErr = pure, nil, nil
		}
	}
	if hashErr != nil {
		s.algorithm = nil
		return algError(hashErr, s.field+".digestAlgorithm")
	}
	if err != nil {
		s.algorithm = nil
		return algError(err, s.field+".signatureAlgorithm")
	}
	s.hash = hash
	if id := s.unsigned.misplaced(); id != "" {
		return s.syntax("unsignedAttrs", "attribute "+id.String()+" must be signed")
	}
	if s.signedDER == nil {
		return nil
	}
	return s.attributeFault()
}

// attributeFault holds signedAttrs to the rules that don't depend on content.
func (s *SignerInfo) attributeFault() error {
	// RFC 5652 section 11, RFC 6211 section 2, RFC 2634 section 1.3.4: at most
	// one of each, with one value. Two would let two readers choose differently.
	for _, id := range [...]oid.OID{
		oid.AttrContentType, oid.AttrMessageDigest, oid.AttrSigningTime, oid.AttrCMSAlgorithmProtection,
		oid.AttrSigningCertificate, oid.AttrSigningCertificateV2, oid.AttrReceiptRequest, oid.AttrSecurityLabel,
		oid.AttrMLExpansionHistory, oid.AttrContentHints, oid.AttrMsgSigDigest, oid.AttrContentIdentifier,
		oid.AttrEquivalentLabels, oid.AttrContentReference, oid.AttrEncryptionKeyPreference, oid.AttrSMIMECapabilities,
	} {
		if _, ok := s.signed.single(id); !ok {
			return s.syntax("signedAttrs", "attribute "+id.String()+" more than once or not with one value")
		}
	}
	for i := range s.signed {
		if len(s.signed[i].values) == 0 {
			return s.syntax("signedAttrs", "attribute "+s.signed[i].id.String()+" without a value")
		}
	}
	if s.signed.has(oid.AttrSigningTime) {
		if _, ok := s.ClaimedTime(); !ok {
			return s.syntax("signedAttrs.signingTime", "not a time")
		}
	}
	v, _ := s.signed.single(oid.AttrMessageDigest)
	if digest, ok := octetString(v); !ok || len(digest) != s.hash.Size() {
		return s.syntax("signedAttrs.messageDigest", "missing or not a digest of the algorithm")
	}
	return s.algorithmProtection()
}

func octetString(der []byte) ([]byte, bool) {
	var v cryptobyte.String
	s := cryptobyte.String(der)
	return v, s.ReadASN1(&v, asn1.OCTET_STRING) && s.Empty()
}

// algorithmProtection enforces RFC 6211 and RFC 8933 section 4.
//
//	CMSAlgorithmProtection ::= SEQUENCE {
//	    digestAlgorithm DigestAlgorithmIdentifier,
//	    signatureAlgorithm [1] SignatureAlgorithmIdentifier OPTIONAL,
//	    macAlgorithm [2] MessageAuthenticationCodeAlgorithm OPTIONAL }
func (s *SignerInfo) algorithmProtection() error {
	v, _ := s.signed.single(oid.AttrCMSAlgorithmProtection)
	if v == nil {
		return nil
	}
	digest, sig, ok := parseAlgorithmProtection(v, 1)
	switch {
	case !ok:
		return s.syntax("signedAttrs.cmsAlgorithmProtection", "malformed")
	case !digest.Equal(s.digestID), !sig.Equal(s.sigID):
		return fmt.Errorf("%w: %s: cmsAlgorithmProtection names other algorithms", ErrSignature, s.field)
	}
	return nil
}

// parseAlgorithmProtection returns the digest algorithm and the algorithm with
// the context-specific tag: 1 for a signature, 2 for a MAC.
func parseAlgorithmProtection(der []byte, tag uint8) (digest, other alg.Identifier, ok bool) {
	var seq, element cryptobyte.String
	var present bool
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !alg.ReadIdentifier(&seq, &digest) ||
		!optionalElement(&seq, &element, &present, tag) || !present || !seq.Empty() {
		return digest, other, false
	}
	retagged := cryptobyte.String(append([]byte{byte(asn1.SEQUENCE)}, element[1:]...))
	ok = alg.ReadIdentifier(&retagged, &other) && retagged.Empty()
	return digest, other, ok
}

func (s *SignerInfo) strength(pub *alg.PublicKey) error {
	if s.hash != 0 && s.hash.Weak() {
		return fmt.Errorf("%w: %s: digest %v", ErrWeak, s.field, s.hash)
	}
	return algError(s.algorithm.Strength(pub), s.field)
}

// check is CheckSignature.
func (s *SignerInfo) check(c *x509der.Certificate) error {
	if s.over == nil {
		return ErrNotRead
	}
	if s.fault != nil {
		return s.fault
	}
	pub, err := alg.ParsePublicKey(c.SPKI)
	if err != nil {
		return algError(err, s.field+" certificate")
	}
	if err := s.spend(pub); err != nil {
		return err
	}
	if s.parent == nil && s.over.noContent() {
		return fmt.Errorf("%w: %s: there is no content", ErrDigest, s.field)
	}
	if s.signedDER != nil {
		err = s.checkAttributes(pub, c)
	} else {
		err = s.checkBare(pub)
	}
	if err == nil && !s.over.historic {
		err = s.strength(pub)
	}
	return err
}

// spend takes one check with a key from the budget.
func (s *SignerInfo) spend(pub *alg.PublicKey) error {
	return take(s.over.p.budget, budget.Signatures, int64(pub.Cost()))
}

// checkAttributes checks a signature over signedAttrs (RFC 5652 section 5.4
// and 5.6).
func (s *SignerInfo) checkAttributes(pub *alg.PublicKey, c *x509der.Certificate) error {
	if err := s.checkContentType(); err != nil {
		return err
	}
	digest, err := s.contentDigest()
	if err != nil {
		return err
	}
	v, _ := s.signed.single(oid.AttrMessageDigest)
	claimed, ok := octetString(v)
	if !ok || subtle.ConstantTimeCompare(claimed, digest) != 1 {
		return fmt.Errorf("%w: %s", ErrDigest, s.field)
	}
	err = s.algorithm.VerifyMessage(pub, s.signedDER, s.signature)
	for _, sent := range s.asSent {
		if err == nil {
			break
		}
		if over := s.spend(pub); over != nil {
			return over
		}
		err = s.algorithm.VerifyMessage(pub, sent, s.signature)
	}
	if err != nil {
		return signatureError(err, s.field)
	}
	return s.signingCertificate(c)
}

// signatureError makes whatever is wrong with a signature value ErrSignature,
// a malformed one included. What is too weak to be tried says nothing about the
// value.
func signatureError(err error, field string) error {
	if errors.Is(err, alg.ErrUnsupported) || errors.Is(err, alg.ErrWeak) {
		return algError(err, field)
	}
	return fmt.Errorf("%w: %s: %w", ErrSignature, field, err)
}

// checkContentType compares the content-type attribute with eContentType (RFC
// 5652 section 11.1). A countersignature has none (section 11.4).
func (s *SignerInfo) checkContentType() error {
	if s.parent != nil {
		return s.counterFault()
	}
	v, _ := s.signed.single(oid.AttrContentType)
	var id oid.OID
	in := cryptobyte.String(v)
	if v == nil || !oid.Read(&in, &id) || !in.Empty() {
		return s.syntax("signedAttrs.contentType", "missing or malformed")
	}
	if id != s.over.type_ {
		return fmt.Errorf("%w: %s: signed as type %s, sent as %s", ErrSignature, s.field, id, s.over.type_)
	}
	return nil
}

// contentDigest returns the digest of what is signed.
func (s *SignerInfo) contentDigest() ([]byte, error) {
	if s.parent != nil {
		h := s.hash.New()
		h.Write(s.parent.signature)
		return h.Sum(nil), nil
	}
	sum, ok := s.over.digest.sum(s.hash)
	if !ok {
		// RFC 5652 section 5.1 lets a verifier fail here.
		return nil, fmt.Errorf("%w: %s: the content was not hashed by %v, which was not announced", ErrNotRead, s.field, s.hash)
	}
	return sum, nil
}

// checkBare checks a signature over the content itself.
func (s *SignerInfo) checkBare(pub *alg.PublicKey) error {
	if s.parent == nil {
		// RFC 5652 section 5.3: signedAttrs are required for every other type.
		if s.over.type_ != oid.Data {
			return s.syntax("signedAttrs", "missing, and the content is not id-data")
		}
		if s.over.digest.forged() {
			return fmt.Errorf("%w: %s: the content is the signed attributes of another signature", ErrSignature, s.field)
		}
	}
	if s.algorithm.Pure() {
		content, ok := s.signedContent()
		if !ok {
			return fmt.Errorf("%w: %s: content without signed attributes does not fit in memory", ErrLimit, s.field)
		}
		if err := s.algorithm.VerifyMessage(pub, content, s.signature); err != nil {
			return signatureError(err, s.field)
		}
		return nil
	}
	digest, err := s.contentDigest()
	if err != nil {
		return err
	}
	if err := s.algorithm.Verify(pub, digest, s.signature); err != nil {
		return signatureError(err, s.field)
	}
	return nil
}

func (s *SignerInfo) signedContent() ([]byte, bool) {
	if s.parent != nil {
		return s.parent.signature, true
	}
	return s.over.digest.content()
}

// signingCertificate enforces both forms of the attribute where they are
// (RFC 5035 section 3): the first ESSCertID names the signer's certificate.
func (s *SignerInfo) signingCertificate(c *x509der.Certificate) error {
	for _, id := range [...]oid.OID{oid.AttrSigningCertificate, oid.AttrSigningCertificateV2} {
		v, _ := s.signed.single(id)
		if v == nil {
			continue
		}
		first, err := firstCertID(v, id == oid.AttrSigningCertificateV2)
		if err != nil {
			return fmt.Errorf("%w: %s.signedAttrs.signingCertificate", err, s.field)
		}
		if !first.names(c) {
			return fmt.Errorf("%w: %s.signedAttrs.signingCertificate names another certificate", ErrSignature, s.field)
		}
	}
	return nil
}

// CheckPath returns nil if the signer's signing certificate attributes leave the
// path free, which they do if they name the signer's certificate alone or are
// not there; or if they name each certificate of path, the trust anchor being
// left out of it. Else its error wraps [ErrSignature], or says why an attribute or
// a certificate can't be read. Programs that validate by RFC 5035 section 5.4.1
// ask it of a path that was found otherwise. The policies that the attribute may
// list are not looked at.
func (s *SignerInfo) CheckPath(path []*x509.Certificate) error {
	for _, id := range [...]oid.OID{oid.AttrSigningCertificate, oid.AttrSigningCertificateV2} {
		v, ok := s.signed.single(id)
		if v == nil && ok {
			continue
		}
		ids, err := certIDs(v, id == oid.AttrSigningCertificateV2)
		if err != nil {
			return fmt.Errorf("%w: %s.signedAttrs.signingCertificate", err, s.field)
		}
		if len(ids) == 1 {
			continue
		}
		for _, cert := range path {
			c, err := parseCertificate(cert)
			if err != nil {
				return err
			}
			if !slices.ContainsFunc(ids, func(e *essCertID) bool { return e.names(c) }) {
				return fmt.Errorf("%w: %s.signedAttrs.signingCertificate leaves out a certificate of the path", ErrSignature, s.field)
			}
		}
	}
	return nil
}

// verify returns the certificate that made the signature and
// that trust vouches for.
func (s *SignerInfo) verify(ctx context.Context, trust TrustFunc, at time.Time, extra [][]byte) (*x509.Certificate, error) {
	if s.fault != nil {
		return nil, s.fault
	}
	// Several certificates may have one name or key: the one that verifies and
	// is trusted counts.
	var failure error
	for _, c := range s.candidates() {
		err := s.check(c)
		if err == nil {
			cert := exportCertificate(c)
			if err = trust(ctx, cert, at, extra); err == nil {
				return cert, nil
			}
		}
		if failure == nil {
			failure = err
		}
	}
	if failure == nil {
		failure = ErrNoCertificate
	}
	return nil, failure
}

// candidates returns the certificates in the message that the signer may have
// meant, best match first. What can't be read is no candidate.
func (s *SignerInfo) candidates() []*x509der.Certificate {
	type candidate struct {
		cert *x509der.Certificate
		rank int
	}
	var list []candidate
	for _, c := range s.over.parsedCerts() {
		if rank := s.id.rank(c); rank > 0 {
			list = append(list, candidate{c, rank})
		}
	}
	slices.SortStableFunc(list, func(a, b candidate) int { return b.rank - a.rank })
	certs := make([]*x509der.Certificate, len(list))
	for i := range list {
		certs[i] = list[i].cert
	}
	return certs
}
