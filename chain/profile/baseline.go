package profile

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
)

// Rules of the S/MIME Baseline Requirements.
const (
	RulePolicy              Rule = "SBR 7.1.6.1 policy"
	RuleLegacyClosed        Rule = "SBR 7.1.6.1 legacy generation"
	RuleValidity            Rule = "SBR 6.3.2 validity"
	RuleSerial              Rule = "SBR 7.1 serial number"
	RuleKey                 Rule = "SBR 6.1.5 key"
	RuleKeyIdentifier       Rule = "SBR 7.1.3.1 algorithm of the key"
	RuleSignature           Rule = "SBR 7.1.3.2 signature algorithm"
	RuleMailbox             Rule = "SBR 7.1.4.2.1 mailbox in subjectAltName"
	RuleSubjectMailbox      Rule = "SBR 7.1.4.2.1 mailbox of the subject in subjectAltName"
	RuleAltNames            Rule = "SBR 7.1.4.2.1 other names"
	RuleAltNameCritical     Rule = "SBR 7.1.2.3(h) criticality of subjectAltName"
	RuleSubject             Rule = "SBR 7.1.4.2 subject"
	RulePerson              Rule = "SBR 7.1.4.2.5 person"
	RuleKeyUsage            Rule = "SBR 7.1.2.3(e) keyUsage"
	RuleKeyUsageCritical    Rule = "SBR 7.1.2.3(e) criticality of keyUsage"
	RuleExtendedKeyUsage    Rule = "SBR 7.1.2.3(f) extendedKeyUsage"
	RuleCRL                 Rule = "SBR 7.1.2.3(b) cRLDistributionPoints"
	RuleAccess              Rule = "SBR 7.1.2.3(c) authorityInfoAccess"
	RuleAuthorityKey        Rule = "SBR 7.1.2.3(g) authorityKeyIdentifier"
	RuleDirectoryAttributes Rule = "SBR 7.1.2.3(j) subjectDirectoryAttributes"
	RuleQCStatements        Rule = "SBR 7.1.2.3(k) qcStatements"
	RuleLEI                 Rule = "SBR 7.1.2.3(l) legal entity identifier"
	RuleAdobe               Rule = "SBR 7.1.2.3(m) Adobe extensions"
)

// A subject is what the rules are applied to.
type subject struct {
	*x509.Certificate
	validation Validation
	generation Generation
	der        *x509der.Certificate
	given      *x509.Certificate // by the caller
	found      []Finding
}

func (s *subject) report(r Rule, format string, args ...any) {
	s.found = append(s.found, Finding{Rule: r, Cert: s.given, Text: fmt.Sprintf(format, args...)})
}

// effective is when the Baseline Requirements came into force.
func effective() time.Time { return time.Date(2023, 9, 1, 0, 0, 0, 0, time.UTC) }

// Baseline compares the leaf with the S/MIME Baseline Requirements of the
// CA/Browser Forum, version 1.0.10. A certificate that was issued before they
// came into force, on 1 September 2023, has no findings; one with none of their
// policies, and one of a CA, has only that finding.
//
// It looks at one certificate alone, without a network. So it does not check
// whether a mailbox, a person or an organization was validated; whether a
// registration number, a state or a domain exists (there are no lists of registers,
// of ISO 3166-2 or of public suffixes); what issuers, CRLs and responders hold;
// how keys were made (SBR 6.1.1.3, such as weak Debian keys and ROCA); or how
// often a serial number is used.
func Baseline(certs []*x509.Certificate) []Finding {
	if len(certs) == 0 {
		return nil
	}
	s, ok := read(certs[0])
	switch {
	case !ok:
		return []Finding{{Rule: RulePolicy, Cert: certs[0], Text: "the certificate can't be read"}}
	case s.NotBefore.Before(effective()):
		return nil
	}
	var one bool
	if s.IsCA {
		s.report(RuleCA, "the certificate is that of a CA: the rules for subscribers are not its own")
		return s.found
	}
	s.validation, s.generation, one = KindOf(s.Policies)
	if !one {
		s.report(RulePolicy, "not exactly one of the policies 2.23.140.1.5.1.1 to 2.23.140.1.5.4.3")
		if s.generation == 0 {
			return s.found
		}
	}
	s.issuing()
	s.subjectFields(s.names())
	s.keyUsage()
	s.extendedKeyUsage()
	s.places()
	s.otherExtensions()
	s.criticality()
	s.policyQualifiers()
	return s.found
}

// issuing checks dates, numbers and algorithms.
func (s *subject) issuing() {
	if s.generation == Legacy && !s.NotBefore.Before(time.Date(2025, 7, 15, 0, 0, 0, 0, time.UTC)) {
		s.report(RuleLegacyClosed, "issued at %s, after 15 July 2025", s.NotBefore.Format(time.DateOnly))
	}
	days := 825
	if s.generation == Legacy {
		days = 1185
	}
	// notAfter is inclusive: its second counts.
	if life := s.NotAfter.Sub(s.NotBefore) + time.Second; life > time.Duration(days)*24*time.Hour {
		s.report(RuleValidity, "valid for %v, more than %d days", life, days)
	}
	if s.SerialNumber.Sign() <= 0 || s.SerialNumber.BitLen() > 159 {
		s.report(RuleSerial, "%s is not between 1 and 2^159", quote(s.SerialNumber.String()))
	}
	switch s.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.MD2WithRSA:
		s.report(RuleSignature, "%v", s.SignatureAlgorithm)
	}
	switch key := s.PublicKey.(type) {
	case *rsa.PublicKey:
		if n := key.N.BitLen(); n < 2048 || n%8 != 0 {
			s.report(RuleKey, "RSA modulus of %d bits", n)
		}
	case *ecdsa.PublicKey:
		if key.Curve.Params().BitSize < 256 {
			s.report(RuleKey, "curve %s", key.Curve.Params().Name)
		}
	}
	s.keyAlgorithm()
}

// keyAlgorithm compares the AlgorithmIdentifier of the key octet by octet.
func (s *subject) keyAlgorithm() {
	pub, err := alg.ParsePublicKey(s.der.SPKI)
	if err != nil || !alg.BaselineIdentifier(pub.Algorithm) {
		s.report(RuleKeyIdentifier, "not one of the identifiers that are allowed")
	}
}

// names checks the subjectAltName.
func (s *subject) names() ([]x509der.GeneralName, []mailbox.Address) {
	ext := s.der.Extension(oid.ExtSubjectAltName)
	if ext != nil && ext.Critical && len(s.RawSubject) > 2 {
		s.report(RuleAltNameCritical, "critical beside a subject")
	}
	list, err := s.der.SubjectAltNames()
	if err != nil {
		s.report(RuleMailbox, "malformed")
		return nil, nil
	}
	var have []mailbox.Address
	for _, n := range list {
		text, utf8 := string(n.Value), false
		switch {
		case n.Kind == x509der.RFC822Name:
		case n.Kind == x509der.OtherName && n.Type == oid.SmtpUTF8Mailbox:
			if text, utf8 = x509der.SmtpUTF8Mailbox(n.Value); !utf8 {
				s.report(RuleMailbox, "a SmtpUTF8Mailbox that is none")
				continue
			}
		case n.Kind == x509der.DNSName, n.Kind == x509der.IPAddress, n.Kind == x509der.URI:
			if s.generation != Legacy {
				s.report(RuleAltNames, "a name of kind %d", n.Kind)
			}
			continue
		default:
			continue
		}
		a, err := mailbox.Parse(text)
		if err != nil {
			s.report(RuleMailbox, "%s is no address", quote(text))
			continue
		}
		have = append(have, a)
	}
	if len(have) == 0 {
		s.report(RuleMailbox, "none")
	}
	return list, have
}

// subjectFields checks the attributes of the subject, beside the names of
// subjectAltName and the addresses among them.
func (s *subject) subjectFields(names []x509der.GeneralName, addresses []mailbox.Address) {
	list := s.attributes()
	s.attributeTable(list)
	s.dependencies(list)
	s.commonNames(list, addresses)
	s.attributeValues(list)
	s.organizationIdentifiers(list)
	s.addressesElsewhere(list, names, addresses)
	for _, v := range values(list, atCountry) {
		if !isCountry(v) {
			s.report(RuleSubject, "country %s", quote(v))
		}
	}
	for _, v := range values(list, atEmail) {
		if _, err := mailbox.Parse(v); err != nil {
			s.report(RuleSubject, "emailAddress %s is not one address", quote(v))
		}
	}
	if n := len(values(list, atEmail)); n > 1 && s.generation == Strict {
		s.report(RuleSubject, "%d addresses", n)
	}
}

// places checks where CRLs, responders and issuers are found.
func (s *subject) places() {
	if s.der.Extension(oid.ExtCRLDistributionPoints) == nil {
		s.report(RuleCRL, "none")
	} else {
		s.urls(RuleCRL, s.CRLDistributionPoints)
	}
	if s.der.Extension(oid.ExtAuthorityInfoAccess) != nil {
		for _, list := range [][]string{s.OCSPServer, s.IssuingCertificateURL} {
			if len(list) > 0 {
				s.urls(RuleAccess, list)
			}
		}
	}
	if ext := s.der.Extension(oid.ExtAuthorityKeyID); ext == nil || len(s.AuthorityKeyId) == 0 ||
		len(ext.Value) != len(s.AuthorityKeyId)+4 {
		s.report(RuleAuthorityKey, "must have a key identifier and nothing else")
	}
}

// urls wants one location by HTTP for the legacy generation, and all for others.
func (s *subject) urls(rule Rule, list []string) {
	http := 0
	for _, l := range list {
		u, err := url.Parse(l)
		if err != nil || u.Scheme != "http" {
			if s.generation != Legacy {
				s.report(rule, "%s is not of HTTP", quote(l))
			}
			continue
		}
		http++
		if host := u.Hostname(); !strings.ContainsAny(host, ".:") {
			s.report(rule, "%s is no public name", quote(host))
		}
	}
	if http == 0 {
		s.report(rule, "no location of HTTP")
	}
}

// otherExtensions checks those with rules of their own.
func (s *subject) otherExtensions() {
	const (
		adobeTimestamp oid.OID = "\x2a\x86\x48\x86\xf7\x2f\x01\x01\x09\x01" // 1.2.840.113583.1.1.9.1
		adobeArchive   oid.OID = "\x2a\x86\x48\x86\xf7\x2f\x01\x01\x09\x02"
		lei            oid.OID = "\x2b\x06\x01\x04\x01\x83\x98\x2a\x01" // 1.3.6.1.4.1.52266.1
		leiRole        oid.OID = "\x2b\x06\x01\x04\x01\x83\x98\x2a\x02"
		qc             oid.OID = "\x2b\x06\x01\x05\x05\x07\x01\x03" // 1.3.6.1.5.5.7.1.3
		directory      oid.OID = "\x55\x1d\x09"
	)
	for _, e := range s.der.Extensions {
		switch e.ID {
		case adobeTimestamp, adobeArchive:
			if s.generation == Strict || e.Critical {
				s.report(RuleAdobe, "extension %v, critical: %v", e.ID, e.Critical)
			}
		case lei:
			if e.Critical || s.validation != Organization && s.validation != Sponsored {
				s.report(RuleLEI, "in a %v certificate, critical: %v", s.validation, e.Critical)
			}
		case leiRole:
			if e.Critical || s.validation != Sponsored {
				s.report(RuleLEI, "a role in a %v certificate, critical: %v", s.validation, e.Critical)
			}
		case qc:
			if e.Critical {
				s.report(RuleQCStatements, "critical")
			}
		case directory:
			if s.generation != Legacy || e.Critical {
				s.report(RuleDirectoryAttributes, "in a %v certificate, critical: %v", s.generation, e.Critical)
			}
		}
	}
}

// keyUsage checks the bits against the kind of the key.
func (s *subject) keyUsage() {
	ext := s.der.Extension(oid.ExtKeyUsage)
	if ext == nil {
		s.report(RuleKeyUsage, "none")
		return
	}
	if !ext.Critical {
		s.report(RuleKeyUsageCritical, "not critical")
	}
	const (
		sign, commit = x509.KeyUsageDigitalSignature, x509.KeyUsageContentCommitment
		wrap, data   = x509.KeyUsageKeyEncipherment, x509.KeyUsageDataEncipherment
		agree        = x509.KeyUsageKeyAgreement
		enc, dec     = x509.KeyUsageEncipherOnly, x509.KeyUsageDecipherOnly
	)
	ku := s.KeyUsage
	allowed, need := sign|commit, sign
	switch s.PublicKey.(type) {
	case *rsa.PublicKey:
		allowed, need = sign|commit|wrap|data, sign|wrap
		if s.generation == Strict {
			allowed &^= data
		}
		if ku&data != 0 && ku&wrap == 0 {
			s.report(RuleKeyUsage, "dataEncipherment without keyEncipherment")
		}
	case *ecdsa.PublicKey:
		allowed, need = sign|commit|agree|enc|dec, sign|agree
		if ku&(enc|dec) != 0 && ku&agree == 0 {
			s.report(RuleKeyUsage, "encipherOnly or decipherOnly without keyAgreement")
		}
	case ed25519.PublicKey:
	default:
		pub, err := alg.ParsePublicKey(s.der.SPKI)
		switch {
		case err != nil || !alg.BaselineIdentifier(pub.Algorithm):
			return // kinds without a rule
		case !pub.Kind.Signs(): // SBR 7.1.2.3(e): for encryption alone
			allowed, need = wrap, wrap
		}
	}
	if ku&^allowed != 0 || ku&need == 0 || ku&commit != 0 && ku&sign == 0 {
		s.report(RuleKeyUsage, "bits %09b for a %T", int(ku), s.PublicKey)
	}
}

// extendedKeyUsage wants emailProtection, and nothing that other rules are for.
func (s *subject) extendedKeyUsage() {
	if !slices.Contains(s.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) {
		s.report(RuleExtendedKeyUsage, "lacks emailProtection")
	}
	for _, u := range s.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageEmailProtection:
			continue
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageCodeSigning, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageAny:
			s.report(RuleExtendedKeyUsage, "has a usage that is forbidden beside emailProtection")
			continue
		}
		if s.generation == Strict {
			s.report(RuleExtendedKeyUsage, "has more than emailProtection")
		}
	}
	if s.generation == Strict && len(s.UnknownExtKeyUsage) > 0 {
		s.report(RuleExtendedKeyUsage, "has more than emailProtection")
	}
}
