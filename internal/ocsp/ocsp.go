// Package ocsp parses OCSP responses and writes requests (RFC 6960). It checks no
// signature and knows no certificates.
package ocsp

import (
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Response is a parsed successful response. Its fields point into the
// encoding.
type Response struct {
	TBS              []byte // ResponseData
	Algorithm        []byte
	Signature        []byte
	ResponderName    []byte // one of both
	ResponderKey     []byte // SHA-1 of the key bits
	ProducedAt       time.Time
	Singles          []Single
	Certs            [][]byte
	Nonce            []byte  // nil: none
	UnknownExtension oid.OID // a critical extension that is not understood
}

// A Single is what a response says of one certificate.
type Single struct {
	Hash              alg.Identifier
	NameHash, KeyHash []byte
	Serial            []byte
	Status            Status
	Date              time.Time // with Revoked
	Invalidity        time.Time // zero: not given
	Reason            uint8     // CRLReason, with Revoked
	ThisUpdate        time.Time
	NextUpdate        time.Time // zero: none
	UnknownExtension  bool      // has a critical extension that is not understood
}

type Status uint8

const (
	Unknown Status = iota
	Good
	Revoked
)

// What one response may have; more is refused.
const (
	maxSingles = 1000
	maxCerts   = 16
)

// An Error says why a response can't be used.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrMalformed Error = "malformed OCSP response"
	ErrStatus    Error = "OCSP response without an answer"
	ErrUnknown   Error = "OCSP response with an unknown critical extension"
)

// Parse reads
//
//	OCSPResponse ::= SEQUENCE {
//	    responseStatus  ENUMERATED { successful (0), … },
//	    responseBytes   [0] EXPLICIT SEQUENCE {
//	        responseType  OBJECT IDENTIFIER,
//	        response      OCTET STRING } OPTIONAL }
//
// Any status but successful is an error: it says nothing about a certificate.
func Parse(der []byte) (*Response, error) {
	var outer, explicit, bytes, basic cryptobyte.String
	var status int
	var kind oid.OID
	s := cryptobyte.String(der)
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, ErrMalformed
	}
	if status != 0 {
		return nil, ErrStatus
	}
	if !outer.ReadASN1(&explicit, asn1.Tag(0).Constructed().ContextSpecific()) || !outer.Empty() ||
		!explicit.ReadASN1(&bytes, asn1.SEQUENCE) || !explicit.Empty() ||
		!oid.Read(&bytes, &kind) || kind != oid.OCSPBasic ||
		!bytes.ReadASN1(&basic, asn1.OCTET_STRING) || !bytes.Empty() {
		return nil, ErrMalformed
	}
	r := new(Response)
	if !r.parseBasic(basic) {
		return nil, ErrMalformed
	}
	return r, nil
}

// parseBasic reads
//
//	BasicOCSPResponse ::= SEQUENCE {
//	    tbsResponseData     ResponseData,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signature           BIT STRING,
//	    certs               [0] EXPLICIT SEQUENCE OF Certificate OPTIONAL }
func (r *Response) parseBasic(s cryptobyte.String) bool {
	var basic, explicit, certs cryptobyte.String
	var present bool
	if !s.ReadASN1(&basic, asn1.SEQUENCE) || !s.Empty() ||
		!basic.ReadASN1Element((*cryptobyte.String)(&r.TBS), asn1.SEQUENCE) ||
		!basic.ReadASN1Element((*cryptobyte.String)(&r.Algorithm), asn1.SEQUENCE) ||
		!basic.ReadASN1BitStringAsBytes(&r.Signature) ||
		!basic.ReadOptionalASN1(&explicit, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !basic.Empty() {
		return false
	}
	if present && (!explicit.ReadASN1(&certs, asn1.SEQUENCE) || !explicit.Empty()) {
		return false
	}
	for !certs.Empty() {
		var cert cryptobyte.String
		if len(r.Certs) == maxCerts || !certs.ReadASN1Element(&cert, asn1.SEQUENCE) {
			return false
		}
		r.Certs = append(r.Certs, cert)
	}
	return r.parseData()
}

// parseData reads
//
//	ResponseData ::= SEQUENCE {
//	    version             [0] EXPLICIT INTEGER DEFAULT v1,
//	    responderID         CHOICE { byName [1] Name, byKey [2] OCTET STRING },
//	    producedAt          GeneralizedTime,
//	    responses           SEQUENCE OF SingleResponse,
//	    responseExtensions  [1] EXPLICIT Extensions OPTIONAL }
func (r *Response) parseData() bool {
	var data, list cryptobyte.String
	var version int
	s := cryptobyte.String(r.TBS)
	return s.ReadASN1(&data, asn1.SEQUENCE) &&
		data.ReadOptionalASN1Integer(&version, asn1.Tag(0).Constructed().ContextSpecific(), 0) && version == 0 &&
		r.readResponderID(&data) &&
		x509der.ReadGeneralizedTime(&data, &r.ProducedAt) &&
		data.ReadASN1(&list, asn1.SEQUENCE) &&
		r.readExtensions(&data) && data.Empty() &&
		r.readSingles(list)
}

// readResponderID reads
//
//	ResponderID ::= CHOICE {
//	    byName  [1] EXPLICIT Name,
//	    byKey   [2] EXPLICIT OCTET STRING }
func (r *Response) readResponderID(s *cryptobyte.String) bool {
	var id cryptobyte.String
	var byName, byKey bool
	if !s.ReadOptionalASN1(&id, &byName, asn1.Tag(1).Constructed().ContextSpecific()) {
		return false
	}
	if byName {
		return id.ReadASN1Element((*cryptobyte.String)(&r.ResponderName), asn1.SEQUENCE) && id.Empty()
	}
	return s.ReadOptionalASN1(&id, &byKey, asn1.Tag(2).Constructed().ContextSpecific()) && byKey &&
		id.ReadASN1((*cryptobyte.String)(&r.ResponderKey), asn1.OCTET_STRING) && id.Empty()
}

// readExtensions reads the responseExtensions of a ResponseData.
func (r *Response) readExtensions(s *cryptobyte.String) bool {
	all, ok := optionalExtensions(s)
	for _, e := range all {
		switch {
		case e.ID == oid.OCSPNonce:
			r.Nonce = readNonce(e.Value)
		case e.Critical && r.UnknownExtension == "":
			r.UnknownExtension = e.ID
		}
	}
	return ok
}

// optionalExtensions reads Extensions with the tag [1] EXPLICIT, if they are there.
func optionalExtensions(s *cryptobyte.String) ([]x509der.Extension, bool) {
	var exts cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&exts, &present, asn1.Tag(1).Constructed().ContextSpecific()) {
		return nil, false
	}
	if !present {
		return nil, true
	}
	all, err := x509der.ReadExtensions(&exts)
	return all, err == nil && exts.Empty()
}

// readSingles reads the list of a ResponseData.
func (r *Response) readSingles(list cryptobyte.String) bool {
	for !list.Empty() {
		var single Single
		if len(r.Singles) == maxSingles || !readSingle(&list, &single) {
			return false
		}
		r.Singles = append(r.Singles, single)
	}
	return true
}

// readNonce reads
//
//	Nonce ::= OCTET STRING (SIZE (1..128))
//
// (RFC 9654 section 2.1). It returns nil for a value that is not an OCTET STRING
// of that size, as some old responders send: such a response never matches a
// request with a nonce.
func readNonce(value cryptobyte.String) []byte {
	var nonce cryptobyte.String
	if !value.ReadASN1(&nonce, asn1.OCTET_STRING) || !value.Empty() || len(nonce) == 0 || len(nonce) > 128 {
		return nil
	}
	return nonce
}

// readSingle reads
//
//	SingleResponse ::= SEQUENCE {
//	    certID            CertID,
//	    certStatus        CertStatus,
//	    thisUpdate        GeneralizedTime,
//	    nextUpdate        [0] EXPLICIT GeneralizedTime OPTIONAL,
//	    singleExtensions  [1] EXPLICIT Extensions OPTIONAL }
func readSingle(s *cryptobyte.String, out *Single) bool {
	var single cryptobyte.String
	return s.ReadASN1(&single, asn1.SEQUENCE) &&
		out.readCertID(&single) &&
		out.readStatus(&single) &&
		x509der.ReadGeneralizedTime(&single, &out.ThisUpdate) &&
		out.readNextUpdate(&single) &&
		out.readExtensions(&single) && single.Empty()
}

// readCertID reads
//
//	CertID ::= SEQUENCE {
//	    hashAlgorithm   AlgorithmIdentifier,
//	    issuerNameHash  OCTET STRING,
//	    issuerKeyHash   OCTET STRING,
//	    serialNumber    CertificateSerialNumber }
func (o *Single) readCertID(s *cryptobyte.String) bool {
	var id, serial cryptobyte.String
	if !s.ReadASN1(&id, asn1.SEQUENCE) || !alg.ReadIdentifier(&id, &o.Hash) ||
		!id.ReadASN1((*cryptobyte.String)(&o.NameHash), asn1.OCTET_STRING) ||
		!id.ReadASN1((*cryptobyte.String)(&o.KeyHash), asn1.OCTET_STRING) ||
		!id.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 || !id.Empty() {
		return false
	}
	o.Serial = x509der.TrimInteger(serial)
	return true
}

// readNextUpdate reads the time of the next update, if there is one.
func (o *Single) readNextUpdate(s *cryptobyte.String) bool {
	var next cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&next, &present, asn1.Tag(0).Constructed().ContextSpecific()) {
		return false
	}
	return !present || x509der.ReadGeneralizedTime(&next, &o.NextUpdate) && next.Empty()
}

// readExtensions reads the singleExtensions of a SingleResponse.
func (o *Single) readExtensions(s *cryptobyte.String) bool {
	all, ok := optionalExtensions(s)
	if !ok {
		return false
	}
	for _, e := range all {
		switch {
		case e.ID == oid.ExtInvalidityDate:
			// RFC 6960 section 4.4.5: CRL entry extensions may appear here.
			v := cryptobyte.String(e.Value)
			if !x509der.ReadGeneralizedTime(&v, &o.Invalidity) || !v.Empty() {
				return false
			}
		case e.Critical:
			o.UnknownExtension = true
		}
	}
	return true
}

// readStatus reads
//
//	CertStatus ::= CHOICE {
//	    good     [0] IMPLICIT NULL,
//	    revoked  [1] IMPLICIT SEQUENCE {
//	        revocationTime    GeneralizedTime,
//	        revocationReason  [0] EXPLICIT CRLReason OPTIONAL },
//	    unknown  [2] IMPLICIT NULL }
func (o *Single) readStatus(s *cryptobyte.String) bool {
	var b, reason cryptobyte.String
	var present bool
	switch {
	case s.PeekASN1Tag(asn1.Tag(0).ContextSpecific()):
		o.Status = Good
		return s.ReadASN1(&b, asn1.Tag(0).ContextSpecific()) && b.Empty()
	case s.PeekASN1Tag(asn1.Tag(2).ContextSpecific()):
		o.Status = Unknown
		return s.ReadASN1(&b, asn1.Tag(2).ContextSpecific()) && b.Empty()
	}
	o.Status = Revoked
	if !s.ReadASN1(&b, asn1.Tag(1).Constructed().ContextSpecific()) ||
		!x509der.ReadGeneralizedTime(&b, &o.Date) ||
		!b.ReadOptionalASN1(&reason, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !b.Empty() {
		return false
	}
	if !present {
		return true
	}
	var ok bool
	o.Reason, ok = x509der.ReadCRLReason(&reason)
	return ok && reason.Empty()
}
