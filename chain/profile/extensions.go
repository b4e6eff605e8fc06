package profile

import (
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/oid"
)

// Rules on extensions and their qualifiers.
const (
	RuleCA         Rule = "SBR 7.1.2.3(d) basicConstraints"
	RulePolicyText Rule = "SBR 7.1.2.3(a) policy qualifiers"
	RuleAnyPolicy  Rule = "SBR 7.1.6.1 anyPolicy"
	RuleCritical   Rule = "RFC 5280 4.2.1.1, 4.2.1.2 and 4.2.2.1 criticality"
)

// criticality refuses extensions that must not be critical.
func (s *subject) criticality() {
	for _, e := range s.der.Extensions {
		switch e.ID {
		case oid.ExtSubjectKeyID, oid.ExtAuthorityKeyID, oid.ExtAuthorityInfoAccess:
			if e.Critical {
				s.report(RuleCritical, "extension %v", e.ID)
			}
		}
	}
}

// policyQualifiers checks pointers to the CPS and notices.
//
//	PolicyQualifierInfo ::= SEQUENCE {
//	    policyQualifierId  PolicyQualifierId,
//	    qualifier          ANY DEFINED BY policyQualifierId }
//
//	UserNotice ::= SEQUENCE {
//	    noticeRef     NoticeReference OPTIONAL,
//	    explicitText  DisplayText OPTIONAL }
func (s *subject) policyQualifiers() {
	e := s.der.Extension(oid.ExtCertificatePolicies)
	if e == nil {
		return
	}
	in := cryptobyte.String(e.Value)
	var policies, info, qualifiers, one cryptobyte.String
	if !in.ReadASN1(&policies, asn1.SEQUENCE) {
		return
	}
	for policies.ReadASN1(&info, asn1.SEQUENCE) {
		var id oid.OID
		if !oid.Read(&info, &id) {
			return
		}
		if id == oid.AnyPolicy {
			s.report(RuleAnyPolicy, "in the certificate of a subscriber")
		}
		if !info.ReadASN1(&qualifiers, asn1.SEQUENCE) {
			continue
		}
		for qualifiers.ReadASN1(&one, asn1.SEQUENCE) {
			s.policyQualifier(one)
		}
	}
}

func (s *subject) policyQualifier(q cryptobyte.String) {
	const (
		cps    oid.OID = "\x2b\x06\x01\x05\x05\x07\x02\x01" // 1.3.6.1.5.5.7.2.1
		notice oid.OID = "\x2b\x06\x01\x05\x05\x07\x02\x02" // 1.3.6.1.5.5.7.2.2
	)
	var id oid.OID
	var value cryptobyte.String
	if !oid.Read(&q, &id) {
		return
	}
	switch id {
	case cps:
		if !q.ReadASN1(&value, asn1.IA5String) || !strings.HasPrefix(string(value), "http://") && !strings.HasPrefix(string(value), "https://") {
			s.report(RulePolicyText, "the CPS is at %s", quote(string(value)))
		}
	case notice:
		if !q.ReadASN1(&value, asn1.SEQUENCE) || value.Empty() || value.PeekASN1Tag(asn1.SEQUENCE) {
			s.report(RulePolicyText, "a user notice without text, or with a noticeRef")
		}
	}
}
