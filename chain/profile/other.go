package profile

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

// Rules of Gmail and of this package.
const (
	RuleGmailKey       Rule = "Gmail key"
	RuleGmailSignature Rule = "Gmail signature algorithm"
	RuleGmailSerial    Rule = "Gmail serial number"
	RuleGmailName      Rule = "Gmail issuer name"
	RuleGmailCA        Rule = "Gmail CA extensions"
	RuleGmailLeaf      Rule = "Gmail end entity"
	RuleStrictUsage    Rule = "strict extendedKeyUsage"
	RuleStrictMailbox  Rule = "strict mailbox"
	RuleStrictCA       Rule = "strict end entity"
	RuleStrictKey      Rule = "strict key"
	RuleStrictKeyID    Rule = "strict subjectKeyIdentifier"
	RuleStrictIssuer   Rule = "strict issuer"
)

// Gmail holds a path to what Gmail asks of the certificates of hosted S/MIME.
func Gmail(certs []*x509.Certificate) []Finding {
	var found []Finding
	for i, c := range certs {
		s, ok := read(c)
		if !ok {
			return append(found, Finding{RuleGmailKey, c, "the certificate can't be read"})
		}
		if len(s.der.SerialDER) > 20 || s.SerialNumber.Sign() <= 0 {
			s.report(RuleGmailSerial, "%s", quote(s.SerialNumber.String()))
		}
		issuer, ok := read(certs[min(i+1, len(certs)-1)])
		if len(certs) > 1 && (!ok || !bytes.Equal(s.RawIssuer, issuer.RawSubject)) {
			s.report(RuleGmailName, "issuer and subject above differ in their octets")
		}
		switch s.SignatureAlgorithm {
		case x509.SHA256WithRSA, x509.SHA384WithRSA, x509.SHA512WithRSA, x509.ECDSAWithSHA256, x509.ECDSAWithSHA384, x509.ECDSAWithSHA512:
		default:
			if i+1 < len(certs) || len(certs) == 1 { // that of an anchor is not looked at
				s.report(RuleGmailSignature, "%v", s.SignatureAlgorithm)
			}
		}
		if i == 0 && len(certs) > 1 || len(certs) == 1 {
			s.gmailLeaf()
		} else {
			s.gmailCA()
		}
		found = append(found, s.found...)
	}
	return found
}

func (s *subject) gmailLeaf() {
	if len(s.EmailAddresses) == 0 {
		s.report(RuleGmailLeaf, "no rfc822Name")
	}
	if !slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		s.report(RuleGmailLeaf, "extendedKeyUsage lacks emailProtection")
	}
	if e := s.der.Extension(oid.ExtKeyUsage); e == nil || !e.Critical {
		s.report(RuleGmailLeaf, "no critical keyUsage")
	}
	if len(s.CRLDistributionPoints) == 0 {
		s.report(RuleGmailLeaf, "no cRLDistributionPoints")
	}
	if !s.netscape(2) {
		s.report(RuleGmailLeaf, "nsCertType lacks S/MIME")
	}
}

// netscape reports whether the nsCertType of old, if there is one, has the bit.
func (s *subject) netscape(bit int) bool {
	const nsCertType oid.OID = "\x60\x86\x48\x01\x86\xf8\x42\x01\x01" // 2.16.840.1.113730.1.1
	e := s.der.Extension(nsCertType)
	if e == nil {
		return true
	}
	var bits asn1.BitString
	rest, err := asn1.Unmarshal(e.Value, &bits)
	return err == nil && len(rest) == 0 && bits.At(bit) == 1
}

func (s *subject) gmailCA() {
	switch key := s.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n != 2048 && n != 3072 && n != 4096 {
			s.report(RuleGmailKey, "RSA modulus of %d bits", n)
		}
	case *ecdsa.PublicKey:
		if n := key.Curve.Params().BitSize; n != 256 && n != 384 {
			s.report(RuleGmailKey, "curve %s", key.Curve.Params().Name)
		}
	default:
		s.report(RuleGmailKey, "%T", key)
	}
	if e := s.der.Extension(oid.ExtKeyUsage); e == nil || !e.Critical || s.KeyUsage&x509.KeyUsageCertSign == 0 {
		s.report(RuleGmailCA, "no critical keyUsage with keyCertSign")
	}
	if e := s.der.Extension(oid.ExtBasicConstraints); e == nil || !e.Critical || !s.IsCA {
		s.report(RuleGmailCA, "no critical basicConstraints with cA")
	}
	if !s.netscape(6) {
		s.report(RuleGmailCA, "nsCertType lacks S/MIME CA")
	}
}

// Careful is a strict set for those who choose their own issuers: a leaf that is
// no CA, with emailProtection and no other purpose that matters, an address in
// subjectAltName and a subject key identifier, keys of today's strength, and an
// intermediate CA between the leaf and a root, which can be revoked.
func Careful(certs []*x509.Certificate) []Finding {
	if len(certs) == 0 {
		return nil
	}
	s, ok := read(certs[0])
	if !ok {
		return unread(certs[0])
	}
	if !slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageAny) ||
		slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageCodeSigning) {
		s.report(RuleStrictUsage, "must have emailProtection and not that of servers, of code or of anything")
	}
	if list, err := s.der.Mailboxes(); err != nil || len(list) == 0 || list[0].Subject {
		s.report(RuleStrictMailbox, "no mailbox in subjectAltName")
	}
	if s.IsCA {
		s.report(RuleStrictCA, "the certificate is that of a CA")
	}
	if len(s.SubjectKeyId) == 0 {
		s.report(RuleStrictKeyID, "no subjectKeyIdentifier, which Exchange demands")
	}
	if len(certs) > 1 {
		if issuer, ok := read(certs[1]); ok && bytes.Equal(issuer.RawIssuer, issuer.RawSubject) {
			s.report(RuleStrictIssuer, "a root issued the certificate directly, and can't be revoked")
		}
	}
	for _, c := range certs {
		s.found = append(s.found, strictKey(c)...)
	}
	return s.found
}

// unread says of a certificate that can't be read that it keeps no rule.
func unread(c *x509.Certificate) (found []Finding) {
	for _, rule := range []Rule{RuleStrictUsage, RuleStrictMailbox, RuleStrictKey} {
		found = append(found, Finding{rule, c, "the certificate can't be read"})
	}
	return found
}

// strictKey reads the key itself: crypto/x509 doesn't know all.
func strictKey(c *x509.Certificate) []Finding {
	s, ok := read(c)
	if !ok {
		return []Finding{{RuleStrictKey, c, "the certificate can't be read"}}
	}
	key, err := alg.ParsePublicKey(s.der.SPKI)
	if err != nil {
		s.report(RuleStrictKey, "the key can't be used: %v", err)
	} else if rsa, ok := key.Key.(*rsa.PublicKey); ok && rsa.N.BitLen() < 3072 {
		s.report(RuleStrictKey, "RSA modulus of %d bits, less than 3072", rsa.N.BitLen())
	}
	return s.found
}
