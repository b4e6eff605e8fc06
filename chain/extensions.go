package chain

import (
	"crypto/x509"
	"encoding/asn1"
	"strconv"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// details are the extensions that path validation reads.
type details struct {
	malformed string // the first extension that is understood but can't be read; empty: none
	unhandled oid.OID

	hasBasic    bool
	ca          bool
	pathLen     int // -1: no limit
	hasKeyUsage bool
	keyUsage    x509.KeyUsage

	hasEKU, criticalEKU bool
	eku                 []oid.OID

	hasApplications bool
	applications    []oid.OID // of a critical application policies extension

	hasPolicies bool
	policies    []oid.OID // anyPolicy apart
	anyPolicy   bool
	mappings    []policyMapping

	requireExplicit, inhibitMapping, inhibitAny int // -1: absent

	constraints *nameConstraints
	names       []x509der.GeneralName // subjectAltName
	caIssuers   []string
	ocspURLs    []string
}

type policyMapping struct{ issuer, subject oid.OID }

// maxPolicies bounds the policies and the mappings of one certificate. Real
// ones have a dozen.
const maxPolicies = 1024

// decodeExtensions reads what this package understands. RFC 5280 sections
// 6.1.4 (o) and 6.1.5 (f): an unrecognised critical extension, and one that is
// recognised but can't be processed, refuse the certificate.
func decodeExtensions(c *x509der.Certificate) details {
	d := details{pathLen: -1, requireExplicit: -1, inhibitMapping: -1, inhibitAny: -1}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		known, ok := d.decode(e)
		switch {
		case !known && e.Critical && d.unhandled == "":
			d.unhandled = e.ID
		case !ok && d.malformed == "":
			d.malformed = extensionName(e.ID)
		}
	}
	d.restrictUsages()
	return d
}

func isEmptySequence(der []byte) bool { return string(der) == "\x30\x00" }

func (d *details) decode(e *x509der.Extension) (known, ok bool) {
	s := cryptobyte.String(e.Value)
	switch e.ID {
	case oid.ExtBasicConstraints:
		return true, d.decodeBasic(s)
	case oid.ExtKeyUsage:
		return true, d.decodeKeyUsage(s)
	case oid.ExtExtendedKeyUsage:
		d.hasEKU, d.criticalEKU = true, e.Critical
		return true, d.decodeEKU(s)
	case oid.ExtCertificatePolicies:
		d.hasPolicies = true
		return true, d.decodePolicies(s, e.Critical)
	case oid.ExtPolicyMappings:
		return true, d.decodeMappings(s)
	case oid.ExtPolicyConstraints:
		return true, d.decodePolicyConstraints(s)
	case oid.ExtInhibitAnyPolicy:
		return true, readSkipCerts(&s, der.INTEGER, &d.inhibitAny) && s.Empty()
	case oid.ExtNameConstraints:
		nc, err := parseNameConstraints(e.Value)
		if d.constraints = nc; nc != nil {
			nc.critical = e.Critical
		}
		return true, err == nil
	case oid.ExtSubjectAltName:
		names, err := x509der.GeneralNames(e.Value)
		d.names = names
		// DEVIATION: RFC 5280 section 4.2.1.6 forbids an empty one. It says nothing.
		return true, err == nil || !e.Critical && isEmptySequence(e.Value)
	case oid.ExtIssuerAltName:
		// Nothing depends on it; old OpenSSL writes empty ones.
		_, err := x509der.GeneralNames(e.Value)
		return true, err == nil || !e.Critical
	case oid.ExtAuthorityInfoAccess:
		// RFC 5280 section 4.2.2.1: must not be critical; nothing depends on it,
		// so that one which can't be read, or is empty, names nothing.
		return !e.Critical, d.decodeAccess(s) || !e.Critical
	case oidApplicationPolicies:
		if e.Critical {
			d.hasApplications = true
			return true, d.decodeApplications(s)
		}
		return true, true
	case oid.ExtSubjectKeyID, oid.ExtAuthorityKeyID:
		// RFC 5280 sections 4.2.1.1 and 4.2.1.2: must not be critical.
		return true, !e.Critical
	case oid.ExtCRLDistributionPoints, oid.ExtFreshestCRL:
		return true, true // read where revocation is checked
	}
	return false, true
}

// decodeBasic reads
//
//	BasicConstraints ::= SEQUENCE {
//	    cA                 BOOLEAN DEFAULT FALSE,
//	    pathLenConstraint  INTEGER (0..MAX) OPTIONAL }
func (d *details) decodeBasic(s cryptobyte.String) bool {
	var seq cryptobyte.String
	d.hasBasic = true
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() {
		return false
	}
	if seq.PeekASN1Tag(der.BOOLEAN) && !seq.ReadASN1Boolean(&d.ca) {
		return false
	}
	if seq.PeekASN1Tag(der.INTEGER) && !readSkipCerts(&seq, der.INTEGER, &d.pathLen) {
		return false
	}
	return seq.Empty()
}

// readSkipCerts reads an INTEGER (0..MAX); one too large to matter is cut.
func readSkipCerts(s *cryptobyte.String, tag der.Tag, out *int) bool {
	var b cryptobyte.String
	if !s.ReadASN1(&b, tag) || len(b) == 0 || b[0]&0x80 != 0 {
		return false
	}
	if len(b) > 1 && b[0] == 0 && b[1]&0x80 == 0 {
		return false // not the shortest form
	}
	n := 0
	for _, c := range b {
		if n = n<<8 | int(c); n > 1<<20 {
			n = 1 << 20
		}
	}
	*out = n
	return true
}

// decodeKeyUsage reads a BIT STRING whose first bit is digitalSignature. At
// least one bit must be set (RFC 5280 section 4.2.1.3).
func (d *details) decodeKeyUsage(s cryptobyte.String) bool {
	var bits asn1.BitString
	d.hasKeyUsage = true
	if !s.ReadASN1BitString(&bits) || !s.Empty() {
		return false
	}
	for i := range 9 {
		if bits.At(i) != 0 {
			d.keyUsage |= 1 << i
		}
	}
	return d.keyUsage != 0
}

func (d *details) decodeEKU(s cryptobyte.String) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false
	}
	for !seq.Empty() {
		var id oid.OID
		if !oid.Read(&seq, &id) || len(d.eku) == maxPolicies {
			return false
		}
		d.eku = append(d.eku, id)
	}
	return true
}

// decodePolicies reads
//
//	certificatePolicies ::= SEQUENCE SIZE (1..MAX) OF PolicyInformation
//	PolicyInformation ::= SEQUENCE {
//	    policyIdentifier   OBJECT IDENTIFIER,
//	    policyQualifiers   SEQUENCE SIZE (1..MAX) OF PolicyQualifierInfo OPTIONAL }
func (d *details) decodePolicies(s cryptobyte.String, critical bool) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false
	}
	seen := make(map[oid.OID]bool)
	for !seq.Empty() {
		var info cryptobyte.String
		var id oid.OID
		if !seq.ReadASN1(&info, der.SEQUENCE) || !oid.Read(&info, &id) || len(seen) == maxPolicies {
			return false
		}
		if !info.Empty() && !d.decodeQualifiers(&info, critical) {
			return false
		}
		// RFC 5280 section 4.2.1.4: a policy must not appear more than once.
		if !info.Empty() || seen[id] {
			return false
		}
		seen[id] = true
		if id == oid.AnyPolicy {
			d.anyPolicy = true
		} else {
			d.policies = append(d.policies, id)
		}
	}
	return true
}

// decodeQualifiers looks only at their kinds: an application must be able to
// interpret those of a critical extension (RFC 5280 section 4.2.1.4).
func (d *details) decodeQualifiers(info *cryptobyte.String, critical bool) bool {
	var list cryptobyte.String
	// DEVIATION: RFC 5280 section 4.2.1.4 wants at least one. None say nothing.
	if !info.ReadASN1(&list, der.SEQUENCE) || critical && list.Empty() {
		return false
	}
	for !list.Empty() {
		var q cryptobyte.String
		var id oid.OID
		var value cryptobyte.String
		var tag der.Tag
		if !list.ReadASN1(&q, der.SEQUENCE) || !oid.Read(&q, &id) || !q.ReadAnyASN1(&value, &tag) || !q.Empty() {
			return false
		}
		if critical && id != oidCPS && id != oidUserNotice && d.unhandled == "" {
			d.unhandled = oid.ExtCertificatePolicies
		}
	}
	return true
}

const (
	oidCPS        oid.OID = "\x2b\x06\x01\x05\x05\x07\x02\x01" // 1.3.6.1.5.5.7.2.1
	oidUserNotice oid.OID = "\x2b\x06\x01\x05\x05\x07\x02\x02" // 1.3.6.1.5.5.7.2.2
)

// decodeMappings reads
//
//	PolicyMappings ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
//	    issuerDomainPolicy   CertPolicyId,
//	    subjectDomainPolicy  CertPolicyId }
func (d *details) decodeMappings(s cryptobyte.String) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false
	}
	for !seq.Empty() {
		var pair cryptobyte.String
		var m policyMapping
		if !seq.ReadASN1(&pair, der.SEQUENCE) || !oid.Read(&pair, &m.issuer) ||
			!oid.Read(&pair, &m.subject) || !pair.Empty() || len(d.mappings) == maxPolicies {
			return false
		}
		d.mappings = append(d.mappings, m)
	}
	return true
}

// decodePolicyConstraints reads
//
//	PolicyConstraints ::= SEQUENCE {
//	    requireExplicitPolicy [0] IMPLICIT SkipCerts OPTIONAL,
//	    inhibitPolicyMapping  [1] IMPLICIT SkipCerts OPTIONAL }
func (d *details) decodePolicyConstraints(s cryptobyte.String) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false // RFC 5280 section 4.2.1.11: must not be empty
	}
	explicit, mapping := der.Tag(0).ContextSpecific(), der.Tag(1).ContextSpecific()
	if seq.PeekASN1Tag(explicit) && !readSkipCerts(&seq, explicit, &d.requireExplicit) {
		return false
	}
	if seq.PeekASN1Tag(mapping) && !readSkipCerts(&seq, mapping, &d.inhibitMapping) {
		return false
	}
	return seq.Empty()
}

// decodeAccess reads the caIssuers and ocsp locations of
//
//	AuthorityInfoAccessSyntax ::= SEQUENCE SIZE (1..MAX) OF SEQUENCE {
//	    accessMethod    OBJECT IDENTIFIER,
//	    accessLocation  GeneralName }
func (d *details) decodeAccess(s cryptobyte.String) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false
	}
	for !seq.Empty() {
		var access cryptobyte.String
		var method oid.OID
		var name x509der.GeneralName
		if !seq.ReadASN1(&access, der.SEQUENCE) || !oid.Read(&access, &method) ||
			!x509der.ReadGeneralName(&access, &name) || !access.Empty() {
			return false
		}
		switch {
		case name.Kind != x509der.URI:
		case method == oid.AccessCAIssuers:
			d.caIssuers = append(d.caIssuers, string(name.Value))
		case method == oid.AccessOCSP:
			d.ocspURLs = append(d.ocspURLs, string(name.Value))
		}
	}
	return true
}

// unmarshalAll reads der, all of it, into v.
func unmarshalAll(der []byte, v any) bool {
	rest, err := asn1.Unmarshal(der, v)
	return err == nil && len(rest) == 0
}

func extensionName(id oid.OID) string {
	switch id {
	case oid.ExtBasicConstraints:
		return "basicConstraints"
	case oid.ExtKeyUsage:
		return "keyUsage"
	case oid.ExtExtendedKeyUsage:
		return "extendedKeyUsage"
	case oid.ExtCertificatePolicies:
		return "certificatePolicies"
	case oid.ExtPolicyMappings:
		return "policyMappings"
	case oid.ExtPolicyConstraints:
		return "policyConstraints"
	case oid.ExtInhibitAnyPolicy:
		return "inhibitAnyPolicy"
	case oid.ExtNameConstraints:
		return "nameConstraints"
	case oid.ExtSubjectAltName:
		return "subjectAltName"
	case oid.ExtIssuerAltName:
		return "issuerAltName"
	case oid.ExtAuthorityInfoAccess:
		return "authorityInfoAccess"
	case oid.ExtSubjectKeyID:
		return "subjectKeyIdentifier"
	case oid.ExtAuthorityKeyID:
		return "authorityKeyIdentifier"
	}
	return "extension " + strconv.Quote(id.String())
}
