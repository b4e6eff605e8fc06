package ess

import (
	"crypto/x509"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Level is a baseline level of CAdES (ETSI EN 319 122-1) by what is there.
// Whether that holds, [pkcs7.SignerInfo.CheckSignature],
// [pkcs7.SignerInfo.VerifyTimestamps] and the validation of the path say.
type Level uint8

const (
	NoLevel Level = iota
	BB            // signed attributes that name signer and time
	BT            // with a timestamp over the signature
	BLT           // with revocation evidence as well
	BLTA          // with an archive timestamp over all that, which this module does not check
)

// LevelOf returns the level of a signer; elements are those of
// [pkcs7.SignedReader.UnverifiedElements].
func LevelOf(s *pkcs7.SignerInfo, elements [][]byte) Level {
	signed, unsigned := types(s.Signed()), types(s.Unsigned())
	switch {
	case !signed[oid.AttrContentType], !signed[oid.AttrMessageDigest],
		!signed[oid.AttrSigningCertificateV2] && !signed[oid.AttrSigningCertificate]:
		return NoLevel
	case !signed[oid.AttrSigningTime]:
		return NoLevel
	case !unsigned[oid.AttrTimestampToken]:
		return BB
	}
	for _, der := range elements {
		if k := x509der.KindOf(der); k == x509der.CRLKind || k == x509der.OCSPKind {
			if unsigned[oid.AttrArchiveTimestampV3] {
				return BLTA
			}
			return BLT
		}
	}
	return BT
}

func types(list []pkcs7.Attribute) map[oid.OID]bool {
	m := make(map[oid.OID]bool, len(list))
	for _, a := range list {
		m[oid.FromX509(a.Type)] = true
	}
	return m
}

// A SignaturePolicy is the policy that a signer claims to follow (RFC 5126
// section 5.8.1).
//
//	SignaturePolicyId ::= SEQUENCE {
//	    sigPolicyId SigPolicyId,
//	    sigPolicyHash SigPolicyHash,
//	    sigPolicyQualifiers SEQUENCE OF SigPolicyQualifierInfo OPTIONAL }
type SignaturePolicy struct {
	ID            x509.OID // zero: implied
	HashAlgorithm x509.OID
	Hash          []byte
}

// ParseSignaturePolicy reads the value of a signature policy attribute.
func ParseSignaturePolicy(der []byte) (*SignaturePolicy, error) {
	const field = "SignaturePolicy"
	p := &SignaturePolicy{}
	s := cryptobyte.String(der)
	if s.PeekASN1Tag(asn1.NULL) {
		if !s.SkipASN1(asn1.NULL) || !s.Empty() {
			return nil, malformed(field)
		}
		return p, nil
	}
	var seq, hash, algorithm, value cryptobyte.String
	ok := s.ReadASN1(&seq, asn1.SEQUENCE) && s.Empty() && readOID(&seq, &p.ID) &&
		seq.ReadASN1(&hash, asn1.SEQUENCE) && hash.ReadASN1(&algorithm, asn1.SEQUENCE) && readOID(&algorithm, &p.HashAlgorithm) &&
		hash.ReadASN1(&value, asn1.OCTET_STRING) && hash.Empty()
	if !ok {
		return nil, malformed(field)
	}
	p.Hash = value
	return p, nil
}

// ParseCommitment reads the value of a commitment type attribute and returns
// the type, such as proof of origin (RFC 5126 section 5.11.1).
//
//	CommitmentTypeIndication ::= SEQUENCE {
//	    commitmentTypeId CommitmentTypeIdentifier,
//	    commitmentTypeQualifier SEQUENCE SIZE (1..MAX) OF CommitmentTypeQualifier OPTIONAL }
func ParseCommitment(der []byte) (x509.OID, error) {
	var seq cryptobyte.String
	var id x509.OID
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !readOID(&seq, &id) {
		return x509.OID{}, malformed("CommitmentTypeIndication")
	}
	return id, nil
}

// A Location is where a signer claims to be (RFC 5126 section 5.11.2).
//
//	SignerLocation ::= SEQUENCE {
//	    countryName [0] DirectoryString OPTIONAL,
//	    localityName [1] DirectoryString OPTIONAL,
//	    postalAdddress [2] PostalAddress OPTIONAL }
type Location struct {
	Country, Locality string
	Address           []string // at most six lines
}

// ParseLocation reads the value of a signer location attribute.
func ParseLocation(der []byte) (*Location, error) {
	l := &Location{}
	var seq, v cryptobyte.String
	s := cryptobyte.String(der)
	ok := s.ReadASN1(&seq, asn1.SEQUENCE) && s.Empty()
	for i, text := range []*string{&l.Country, &l.Locality} {
		if ok && seq.PeekASN1Tag(constructed(uint8(i))) {
			ok = seq.ReadASN1(&v, constructed(uint8(i))) && readText(&v, text) && v.Empty()
		}
	}
	if ok && seq.PeekASN1Tag(constructed(2)) {
		var lines cryptobyte.String
		ok = seq.ReadASN1(&v, constructed(2))
		// The tag is EXPLICIT in some modules and IMPLICIT in others.
		if ok && v.PeekASN1Tag(asn1.SEQUENCE) {
			ok = v.ReadASN1(&lines, asn1.SEQUENCE) && v.Empty()
		} else {
			lines = v
		}
		for ok && !lines.Empty() {
			var line string
			ok = readText(&lines, &line) && len(l.Address) < 6
			l.Address = append(l.Address, line)
		}
	}
	if !ok || !seq.Empty() {
		return nil, malformed("SignerLocation")
	}
	return l, nil
}
