package x509der

import (
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Kind is what an element looks like.
type Kind uint8

const (
	OtherKind Kind = iota
	CertificateKind
	CRLKind
	OCSPKind
)

// KindOf tells elements apart by their first fields: an OCSPResponse begins with
// an ENUMERATED; in what is signed, a TBSCertList has a Time after its Name where
// a TBSCertificate has a SEQUENCE.
//
//	Certificate     ::= SEQUENCE { SEQUENCE { version [0] OPTIONAL, serial INTEGER, SEQUENCE, Name SEQUENCE, validity SEQUENCE ...
//	CertificateList ::= SEQUENCE { SEQUENCE { version INTEGER OPTIONAL, SEQUENCE, Name SEQUENCE, thisUpdate Time ...
func KindOf(der []byte) Kind {
	var seq, tbs cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return OtherKind
	}
	if seq.PeekASN1Tag(asn1.ENUM) {
		return OCSPKind
	}
	if !seq.ReadASN1(&tbs, asn1.SEQUENCE) || !tbs.SkipOptionalASN1(asn1.Tag(0).ContextSpecific().Constructed()) ||
		!tbs.SkipOptionalASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) {
		return OtherKind
	}
	switch {
	case tbs.PeekASN1Tag(asn1.SEQUENCE):
		return CertificateKind
	case tbs.PeekASN1Tag(asn1.UTCTime), tbs.PeekASN1Tag(asn1.GeneralizedTime):
		return CRLKind
	}
	return OtherKind
}
