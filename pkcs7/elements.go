package pkcs7

import (
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// isSequence tells a certificate or CRL from the other choices.
//
//	CertificateChoices ::= CHOICE {
//	    certificate Certificate,
//	    extendedCertificate [0] IMPLICIT ExtendedCertificate, -- Obsolete
//	    v1AttrCert [1] IMPLICIT AttributeCertificateV1, -- Obsolete
//	    v2AttrCert [2] IMPLICIT AttributeCertificateV2,
//	    other [3] IMPLICIT OtherCertificateFormat }
func isSequence(der []byte) bool { return len(der) > 0 && der[0] == 0x30 }

// wrapOCSP returns the RevocationInfoChoice with an OCSP response.
func wrapOCSP(response []byte) []byte {
	return ber.Append(nil, ber.Context(1), true, ber.Append(nil, ber.OID, false, []byte(oid.OCSPResponseInfo)), response)
}

// ocspResponse returns the response in a RevocationInfoChoice (RFC 5940
// section 2), or nil.
//
//	RevocationInfoChoice ::= CHOICE {
//	    crl CertificateList,
//	    other [1] IMPLICIT OtherRevocationInfoFormat }
//
//	OtherRevocationInfoFormat ::= SEQUENCE {
//	    otherRevInfoFormat OBJECT IDENTIFIER,
//	    otherRevInfo ANY DEFINED BY otherRevInfoFormat }
func ocspResponse(choice []byte) []byte {
	der, err := ber.ToDER(choice, false, 2*len(choice)+16)
	if err != nil {
		return nil
	}
	var other, info cryptobyte.String
	var id oid.OID
	var tag asn1.Tag
	s := cryptobyte.String(der)
	if !s.ReadASN1(&other, asn1.Tag(1).ContextSpecific().Constructed()) || !oid.Read(&other, &id) ||
		id != oid.OCSPResponseInfo || !other.ReadAnyASN1Element(&info, &tag) {
		return nil
	}
	return info
}

// evidence returns the members of the certificate-values and revocation-values
// attributes (RFC 5126 sections 6.3.3 and 6.3.4).
//
//	CertificateValues ::= SEQUENCE OF Certificate
//
//	RevocationValues ::= SEQUENCE {
//	    crlVals [0] SEQUENCE OF CertificateList OPTIONAL,
//	    ocspVals [1] SEQUENCE OF BasicOCSPResponse OPTIONAL,
//	    otherRevVals [2] OtherRevVals OPTIONAL }
func (a attributes) evidence() [][]byte {
	var list [][]byte
	for _, attr := range a {
		for _, v := range attr.values {
			var seq cryptobyte.String
			s := cryptobyte.String(v)
			if !s.ReadASN1(&seq, asn1.SEQUENCE) {
				continue
			}
			switch attr.id {
			case oid.AttrCertValues:
				list = appendMembers(list, seq, nil)
			case oid.AttrRevocationValues:
				list = appendTagged(list, &seq, 0, nil)
				list = appendTagged(list, &seq, 1, ocspFromBasic)
			}
		}
	}
	return list
}

// maxEvidence bounds what one attribute adds.
const maxEvidence = 100

func appendTagged(list [][]byte, seq *cryptobyte.String, tag uint8, wrap func([]byte) []byte) [][]byte {
	var values, members cryptobyte.String
	t := asn1.Tag(tag).ContextSpecific().Constructed()
	if !seq.PeekASN1Tag(t) || !seq.ReadASN1(&values, t) || !values.ReadASN1(&members, asn1.SEQUENCE) {
		return list
	}
	return appendMembers(list, members, wrap)
}

func appendMembers(list [][]byte, members cryptobyte.String, wrap func([]byte) []byte) [][]byte {
	for n := 0; n < maxEvidence && !members.Empty(); n++ {
		var m cryptobyte.String
		if !members.ReadASN1Element(&m, asn1.SEQUENCE) {
			break
		}
		if wrap != nil {
			m = wrap(m)
		}
		list = append(list, m)
	}
	return list
}

// ocspFromBasic returns the OCSPResponse, with status successful, that holds a
// BasicOCSPResponse (RFC 6960 section 4.2.1).
func ocspFromBasic(basic []byte) []byte {
	responseBytes := ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.OID, false, []byte(oid.OCSPBasic)), ber.Append(nil, ber.OctetString, false, basic))
	return ber.Append(nil, ber.Sequence, true,
		ber.Append(nil, ber.Enumerated, false, []byte{0}), ber.Append(nil, ber.Context(0), true, responseBytes))
}
