package crl

import (
	encodingasn1 "encoding/asn1"
	"slices"
	"strconv"
	"strings"

	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// What a certificate or CRL may have: each name is compared with each of each
// CRL, genuine or not.
const (
	maxDistributionPoints = 64
	maxPointNames         = 256 // of all points together
)

// A ReasonMask is a set of ReasonFlags, bit n for flag n.
//
//	ReasonFlags ::= BIT STRING {
//	    unused (0), keyCompromise (1), cACompromise (2), affiliationChanged (3),
//	    superseded (4), cessationOfOperation (5), certificateHold (6),
//	    privilegeWithdrawn (7), aACompromise (8) }
type ReasonMask uint16

const (
	AllReasons ReasonMask = 0x1fe
	HoldReason ReasonMask = 1 << ReasonHold
)

// A DistributionPoint is where to find the CRL of a certificate.
//
//	DistributionPoint ::= SEQUENCE {
//	    DistributionPoint  [0] DistributionPointName OPTIONAL,
//	    reasons            [1] ReasonFlags OPTIONAL,
//	    cRLIssuer          [2] GeneralNames OPTIONAL }
type DistributionPoint struct {
	names   []string // as pointNames has them; nil: none given
	URLs    []string
	Reasons ReasonMask
	Issuers [][]byte // directory names of cRLIssuer; nil: none given
	Keys    []string // the same, normalised
}

// An IssuingPoint is the scope of a CRL.
//
//	IssuingDistributionPoint ::= SEQUENCE {
//	    DistributionPoint          [0] DistributionPointName OPTIONAL,
//	    onlyContainsUserCerts      [1] BOOLEAN DEFAULT FALSE,
//	    onlyContainsCACerts        [2] BOOLEAN DEFAULT FALSE,
//	    onlySomeReasons            [3] ReasonFlags OPTIONAL,
//	    indirectCRL                [4] BOOLEAN DEFAULT FALSE,
//	    onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
type IssuingPoint struct {
	names                                []string
	onlyUser, onlyCA, onlyAttr, Indirect bool
	reasons                              ReasonMask
}

// ParseDistributionPoints reads a CRLDistributionPoints or FreshestCRL.
// issuerKey is the normalised name that relative names continue.
func ParseDistributionPoints(der []byte, issuerKey string) ([]DistributionPoint, bool) {
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() {
		return nil, false
	}
	var list []DistributionPoint
	names := 0
	for !seq.Empty() {
		dp, ok := readDistributionPoint(&seq, issuerKey)
		names += len(dp.names) + len(dp.Issuers)
		if !ok || len(list) == maxDistributionPoints || names > maxPointNames {
			return nil, false
		}
		list = append(list, dp)
	}
	return list, true
}

func readDistributionPoint(s *cryptobyte.String, issuerKey string) (DistributionPoint, bool) {
	var point, name, reasons, issuers cryptobyte.String
	var hasName, hasReasons, hasIssuers bool
	dp := DistributionPoint{Reasons: AllReasons}
	if !s.ReadASN1(&point, asn1.SEQUENCE) ||
		!point.ReadOptionalASN1(&name, &hasName, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!point.ReadOptionalASN1(&reasons, &hasReasons, asn1.Tag(1).ContextSpecific()) ||
		!point.ReadOptionalASN1(&issuers, &hasIssuers, asn1.Tag(2).Constructed().ContextSpecific()) || !point.Empty() {
		return dp, false
	}
	// RFC 5280 section 4.2.1.13: reasons alone name nothing.
	if !hasName && !hasIssuers {
		return dp, false
	}
	ok := true
	if hasIssuers {
		names, err := x509der.ReadGeneralNames(issuers)
		if err != nil || len(names) == 0 || len(names) > maxPointNames {
			return dp, false
		}
		dp.Issuers = [][]byte{}
		for _, n := range names {
			if n.Kind == x509der.DirectoryName {
				dp.Issuers = append(dp.Issuers, n.Value)
				dp.Keys = append(dp.Keys, x509der.NormalName(n.Value))
			}
		}
		if len(dp.Keys) == 1 {
			issuerKey = dp.Keys[0]
		}
	}
	if hasName {
		if dp.names, dp.URLs, ok = pointNames(name, issuerKey); !ok {
			return dp, false
		}
	}
	if hasReasons {
		dp.Reasons, ok = readReasonFlags(reasons)
	}
	return dp, ok
}

// pointNames reads the contents of a [0] that holds
//
//	DistributionPointName ::= CHOICE {
//	    fullName                 [0] IMPLICIT GeneralNames,
//	    nameRelativeToCRLIssuer  [1] IMPLICIT RelativeDistinguishedName }
//
// and returns keys by which names are compared, and the URLs among them.
func pointNames(s cryptobyte.String, issuerKey string) (keys, urls []string, ok bool) {
	var full, rdn cryptobyte.String
	switch {
	case s.PeekASN1Tag(asn1.Tag(1).Constructed().ContextSpecific()):
		if !s.ReadASN1(&rdn, asn1.Tag(1).Constructed().ContextSpecific()) || !s.Empty() {
			return nil, nil, false
		}
		more := x509der.NormalRDN(rdn)
		return []string{nameKey(x509der.DirectoryName, issuerKey+more)}, nil, more != ""
	case !s.ReadASN1(&full, asn1.Tag(0).Constructed().ContextSpecific()) || !s.Empty():
		return nil, nil, false
	}
	names, err := x509der.ReadGeneralNames(full)
	if err != nil || len(names) == 0 || len(names) > maxDistributionPoints {
		return nil, nil, false
	}
	for _, n := range names {
		value := string(n.Value)
		switch n.Kind {
		case x509der.DirectoryName:
			value = x509der.NormalName(n.Value)
		case x509der.URI:
			urls = append(urls, value)
			value = normalURL(value)
		case x509der.OtherName:
			value = string(n.Type) + "=" + value
		}
		keys = append(keys, nameKey(n.Kind, value))
	}
	return keys, urls, true
}

// normalURL lowers the case of scheme and host, the parts that have none (RFC
// 5280 section 7.4).
func normalURL(s string) string {
	host := strings.Index(s, "://")
	if host < 0 {
		return s
	}
	end := strings.IndexAny(s[host+3:], "/?#")
	if end < 0 {
		return strings.ToLower(s)
	}
	end += host + 3
	return strings.ToLower(s[:end]) + s[end:]
}

func nameKey(kind x509der.NameKind, value string) string {
	return strconv.Itoa(int(kind)) + ":" + value
}

// readReasonFlags reads the contents of a BIT STRING of ReasonFlags.
func readReasonFlags(b []byte) (ReasonMask, bool) {
	if len(b) == 0 || b[0] > 7 || len(b) == 1 && b[0] != 0 {
		return 0, false
	}
	bits := encodingasn1.BitString{Bytes: b[1:], BitLength: 8*(len(b)-1) - int(b[0])}
	var m ReasonMask
	for i := 1; i <= 8; i++ {
		m |= ReasonMask(bits.At(i)) << i
	}
	return m, true
}

func parseIssuingPoint(der []byte, issuerKey string) (*IssuingPoint, bool) {
	var seq, name, reasons cryptobyte.String
	var hasName, hasReasons bool
	p := &IssuingPoint{reasons: AllReasons}
	s := cryptobyte.String(der)
	// RFC 5280 section 5.2.5: never an empty sequence.
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || seq.Empty() ||
		!seq.ReadOptionalASN1(&name, &hasName, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!readFlag(&seq, 1, &p.onlyUser) || !readFlag(&seq, 2, &p.onlyCA) ||
		!seq.ReadOptionalASN1(&reasons, &hasReasons, asn1.Tag(3).ContextSpecific()) ||
		!readFlag(&seq, 4, &p.Indirect) || !readFlag(&seq, 5, &p.onlyAttr) || !seq.Empty() {
		return nil, false
	}
	ok := true
	if hasName {
		if p.names, _, ok = pointNames(name, issuerKey); !ok {
			return nil, false
		}
	}
	if hasReasons {
		p.reasons, ok = readReasonFlags(reasons)
	}
	// At most one of the three may be TRUE.
	if p.onlyUser && p.onlyCA || p.onlyUser && p.onlyAttr || p.onlyCA && p.onlyAttr {
		return nil, false
	}
	return p, ok
}

// readFlag reads a [tag] IMPLICIT BOOLEAN DEFAULT FALSE.
func readFlag(s *cryptobyte.String, tag uint8, out *bool) bool {
	var b cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&b, &present, asn1.Tag(tag).ContextSpecific()) {
		return false
	}
	if !present {
		return true
	}
	if len(b) != 1 || b[0] != 0 && b[0] != 0xff {
		return false
	}
	*out = b[0] != 0
	return true
}

// A Subject is what the scope of a CRL is compared with, of a certificate.
type Subject struct {
	IssuerKey string // normalised name of the issuer
	CA        bool
	Version   int
}

// AnyOf returns the distribution point that RFC 5280 section 6.3.3 assumes: any
// CRL of the certificate's issuer.
func AnyOf(issuerKey string) DistributionPoint {
	return DistributionPoint{names: []string{nameKey(x509der.DirectoryName, issuerKey)}, Reasons: AllReasons}
}

// Covers is step (b) of RFC 5280 section 6.3.3: whether c is of the issuer and
// of the scope that the certificate and dp ask for, and for which reasons (step (d)).
func (c *List) Covers(of Subject, dp *DistributionPoint) (ReasonMask, bool) {
	if dp.Issuers != nil {
		if c.IDP == nil || !c.IDP.Indirect || !slices.Contains(dp.Keys, c.IssuerKey) {
			return 0, false
		}
	} else if c.IssuerKey != of.IssuerKey {
		return 0, false
	}
	if c.IDP == nil {
		return dp.Reasons, true
	}
	if c.IDP.names != nil && !overlap(c.IDP.names, dp.scopeNames()) {
		return 0, false
	}
	ca := of.CA
	if c.IDP.onlyAttr || c.IDP.onlyUser && ca || c.IDP.onlyCA && !ca {
		return 0, false
	}
	// A certificate of version 1 does not say what it is.
	if (c.IDP.onlyUser || c.IDP.onlyCA) && of.Version < 3 {
		return 0, false
	}
	return dp.Reasons & c.IDP.reasons, true
}

// scopeNames returns the names that one of the CRL's must equal: those of the
// distribution point, or those of its cRLIssuer where it has none (step (b)(2)(i)).
func (dp *DistributionPoint) scopeNames() []string {
	if dp.names != nil {
		return dp.names
	}
	var keys []string
	for _, key := range dp.Keys {
		keys = append(keys, nameKey(x509der.DirectoryName, key))
	}
	return keys
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(s string) bool { return slices.Contains(b, s) })
}
