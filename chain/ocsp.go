package chain

import (
	"bytes"
	"crypto/sha1"
	"sync"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An ocspResponse is a parsed successful response. Its fields point into the
// encoding.
type ocspResponse struct {
	tbs           []byte // ResponseData
	algorithm     []byte
	signature     []byte
	responderName []byte // one of both
	responderKey  []byte // SHA-1 of the key bits
	producedAt    time.Time
	singles       []ocspSingle
	certs         [][]byte
	nonce         []byte  // nil: none
	unknown       oid.OID // a critical extension that is not understood
}

// An ocspSingle is what a response says of one certificate.
type ocspSingle struct {
	hash              alg.Identifier
	nameHash, keyHash []byte
	serial            []byte
	status            ocspStatus
	entry             revocationEntry // with ocspRevoked
	thisUpdate        time.Time
	nextUpdate        time.Time // zero: none
	unknown           bool      // has a critical extension that is not understood
}

type ocspStatus uint8

const (
	ocspUnknown ocspStatus = iota
	ocspGood
	ocspRevoked
)

// What one response may have; more is refused.
const (
	maxOCSPSingles = 1000
	maxOCSPCerts   = 16
)

// A lazyOCSP is an OCSP response that is parsed on first use.
type lazyOCSP struct {
	once     sync.Once
	response *ocspResponse
	err      error
}

func (l *lazyOCSP) get(der []byte) (*ocspResponse, error) {
	l.once.Do(func() { l.response, l.err = parseOCSP(der) })
	return l.response, l.err
}

// parseOCSP reads
//
//	OCSPResponse ::= SEQUENCE {
//	    responseStatus  ENUMERATED { successful (0), … },
//	    responseBytes   [0] EXPLICIT SEQUENCE {
//	        responseType  OBJECT IDENTIFIER,
//	        response      OCTET STRING } OPTIONAL }
//
// Any status but successful is an error: it says nothing about a certificate.
func parseOCSP(der []byte) (*ocspResponse, error) {
	var outer, explicit, bytes, basic cryptobyte.String
	var status int
	var kind oid.OID
	s := cryptobyte.String(der)
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1Enum(&status) {
		return nil, errOCSP
	}
	if status != 0 {
		return nil, errOCSPStatus
	}
	if !outer.ReadASN1(&explicit, asn1.Tag(0).Constructed().ContextSpecific()) || !outer.Empty() ||
		!explicit.ReadASN1(&bytes, asn1.SEQUENCE) || !explicit.Empty() ||
		!oid.Read(&bytes, &kind) || kind != oid.OCSPBasic ||
		!bytes.ReadASN1(&basic, asn1.OCTET_STRING) || !bytes.Empty() {
		return nil, errOCSP
	}
	r := new(ocspResponse)
	if !r.parseBasic(basic) {
		return nil, errOCSP
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
func (r *ocspResponse) parseBasic(s cryptobyte.String) bool {
	var basic, explicit, certs cryptobyte.String
	var present bool
	if !s.ReadASN1(&basic, asn1.SEQUENCE) || !s.Empty() ||
		!basic.ReadASN1Element((*cryptobyte.String)(&r.tbs), asn1.SEQUENCE) ||
		!basic.ReadASN1Element((*cryptobyte.String)(&r.algorithm), asn1.SEQUENCE) ||
		!basic.ReadASN1BitStringAsBytes(&r.signature) ||
		!basic.ReadOptionalASN1(&explicit, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !basic.Empty() {
		return false
	}
	if present && (!explicit.ReadASN1(&certs, asn1.SEQUENCE) || !explicit.Empty()) {
		return false
	}
	for !certs.Empty() {
		var cert cryptobyte.String
		if len(r.certs) == maxOCSPCerts || !certs.ReadASN1Element(&cert, asn1.SEQUENCE) {
			return false
		}
		r.certs = append(r.certs, cert)
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
func (r *ocspResponse) parseData() bool {
	var data, id, list, exts cryptobyte.String
	var byName, byKey, hasExts bool
	var version int
	s := cryptobyte.String(r.tbs)
	if !s.ReadASN1(&data, asn1.SEQUENCE) ||
		!data.ReadOptionalASN1Integer(&version, asn1.Tag(0).Constructed().ContextSpecific(), 0) || version != 0 ||
		!data.ReadOptionalASN1(&id, &byName, asn1.Tag(1).Constructed().ContextSpecific()) {
		return false
	}
	if byName {
		if !id.ReadASN1Element((*cryptobyte.String)(&r.responderName), asn1.SEQUENCE) || !id.Empty() {
			return false
		}
	} else if !data.ReadOptionalASN1(&id, &byKey, asn1.Tag(2).Constructed().ContextSpecific()) || !byKey ||
		!id.ReadASN1((*cryptobyte.String)(&r.responderKey), asn1.OCTET_STRING) || !id.Empty() {
		return false
	}
	if !x509der.ReadGeneralizedTime(&data, &r.producedAt) || !data.ReadASN1(&list, asn1.SEQUENCE) ||
		!data.ReadOptionalASN1(&exts, &hasExts, asn1.Tag(1).Constructed().ContextSpecific()) || !data.Empty() {
		return false
	}
	if hasExts {
		all, err := x509der.ReadExtensions(&exts)
		if err != nil || !exts.Empty() {
			return false
		}
		for _, e := range all {
			switch {
			case e.ID == oid.OCSPNonce:
				r.nonce = readNonce(e.Value)
			case e.Critical && r.unknown == "":
				r.unknown = e.ID
			}
		}
	}
	for !list.Empty() {
		var single ocspSingle
		if len(r.singles) == maxOCSPSingles || !readSingle(&list, &single) {
			return false
		}
		r.singles = append(r.singles, single)
	}
	return true
}

// readNonce reads
//
//	Nonce ::= OCTET STRING (SIZE (1..128))
//
// (RFC 9654 section 2.1). What is none, as old responders write it, is nil:
// nobody who asked with a nonce takes it for his.
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
//	CertID ::= SEQUENCE {
//	    hashAlgorithm   AlgorithmIdentifier,
//	    issuerNameHash  OCTET STRING,
//	    issuerKeyHash   OCTET STRING,
//	    serialNumber    CertificateSerialNumber }
func readSingle(s *cryptobyte.String, out *ocspSingle) bool {
	var single, id, serial, next, exts cryptobyte.String
	var hasNext, hasExts bool
	if !s.ReadASN1(&single, asn1.SEQUENCE) || !single.ReadASN1(&id, asn1.SEQUENCE) ||
		!alg.ReadIdentifier(&id, &out.hash) ||
		!id.ReadASN1((*cryptobyte.String)(&out.nameHash), asn1.OCTET_STRING) ||
		!id.ReadASN1((*cryptobyte.String)(&out.keyHash), asn1.OCTET_STRING) ||
		!id.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 || !id.Empty() {
		return false
	}
	out.serial = trimInteger(serial)
	if !out.readStatus(&single) || !x509der.ReadGeneralizedTime(&single, &out.thisUpdate) ||
		!single.ReadOptionalASN1(&next, &hasNext, asn1.Tag(0).Constructed().ContextSpecific()) ||
		!single.ReadOptionalASN1(&exts, &hasExts, asn1.Tag(1).Constructed().ContextSpecific()) || !single.Empty() {
		return false
	}
	if hasNext && (!x509der.ReadGeneralizedTime(&next, &out.nextUpdate) || !next.Empty()) {
		return false
	}
	if !hasExts {
		return true
	}
	all, err := x509der.ReadExtensions(&exts)
	if err != nil || !exts.Empty() {
		return false
	}
	for _, e := range all {
		switch {
		case e.ID == oid.ExtInvalidityDate:
			// RFC 6960 section 4.4.5: CRL entry extensions may appear here.
			v := cryptobyte.String(e.Value)
			if !x509der.ReadGeneralizedTime(&v, &out.entry.invalidity) || !v.Empty() {
				return false
			}
		case e.Critical:
			out.unknown = true
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
func (o *ocspSingle) readStatus(s *cryptobyte.String) bool {
	var b, reason cryptobyte.String
	var present bool
	switch {
	case s.PeekASN1Tag(asn1.Tag(0).ContextSpecific()):
		o.status = ocspGood
		return s.ReadASN1(&b, asn1.Tag(0).ContextSpecific()) && b.Empty()
	case s.PeekASN1Tag(asn1.Tag(2).ContextSpecific()):
		o.status = ocspUnknown
		return s.ReadASN1(&b, asn1.Tag(2).ContextSpecific()) && b.Empty()
	}
	o.status = ocspRevoked
	if !s.ReadASN1(&b, asn1.Tag(1).Constructed().ContextSpecific()) ||
		!x509der.ReadGeneralizedTime(&b, &o.entry.date) ||
		!b.ReadOptionalASN1(&reason, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !b.Empty() {
		return false
	}
	if !present {
		return true
	}
	var ok bool
	o.entry.reason, ok = readReason(&reason)
	return ok && reason.Empty()
}

// An ocspID has the digests by which a CertID names an issuer. The name may be
// encoded as the certificate or as the issuer itself has it.
type ocspID struct{ issuer, subject, key []byte }

func newOCSPID(cert, issuer *certificate, h alg.Hash) ocspID {
	return ocspID{digest(h, cert.Issuer), digest(h, issuer.Subject), digest(h, issuer.KeyBits())}
}

// about reports whether the answer is about the certificate: all three parts
// of the CertID are computed again by its own digest.
func (s *statusSearch) about(o *ocspSingle) bool {
	if !bytes.Equal(o.serial, trimInteger(s.cert.SerialDER)) {
		return false
	}
	h, err := alg.HashOf(o.hash)
	// MD5 finds collisions, and no responder uses it.
	if err != nil || h == alg.MD5 {
		return false
	}
	id, ok := s.ids[h]
	if !ok {
		id = newOCSPID(s.cert, s.issuer, h)
		s.ids[h] = id
	}
	return bytes.Equal(id.key, o.keyHash) && (bytes.Equal(id.issuer, o.nameHash) || bytes.Equal(id.subject, o.nameHash))
}

func digest(h alg.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}

// namesResponder reports whether the ResponderID is that of cert.
func (r *ocspResponse) namesResponder(cert *certificate) bool {
	if r.responderName != nil {
		return x509der.EqualNames(r.responderName, cert.Subject)
	}
	sum := sha1.Sum(cert.KeyBits()) // by definition, RFC 6960 section 4.2.1
	return bytes.Equal(r.responderKey, sum[:])
}

// ocspSerials returns the serial numbers, as content octets, that an OCSP
// response tells about.
func (e *Entry) ocspSerials() ([][]byte, error) {
	r, err := e.ocsp.get(e.DER())
	if err != nil {
		return nil, err
	}
	list := make([][]byte, len(r.singles))
	for i := range r.singles {
		list[i] = r.singles[i].serial
	}
	return list, nil
}

// ocspRequest returns an OCSPRequest about cert with a CertID by h. Without a
// nonce it can be answered from caches.
//
//	OCSPRequest ::= SEQUENCE {
//	    tbsRequest  SEQUENCE {
//	        requestList        SEQUENCE OF SEQUENCE { reqCert CertID },
//	        requestExtensions  [2] EXPLICIT Extensions OPTIONAL } }
func ocspRequest(cert, issuer *certificate, h alg.Hash, nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	sequence := func(f cryptobyte.BuilderContinuation) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, f) }
	}
	certID := func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			h.Identifier().OID.Add(b)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(digest(h, cert.Issuer))
		b.AddASN1OctetString(digest(h, issuer.KeyBits()))
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(cert.SerialDER) })
	}
	extension := func(b *cryptobyte.Builder) {
		oid.OCSPNonce.Add(b)
		b.AddASN1(asn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	}
	b.AddASN1(asn1.SEQUENCE, sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, sequence(sequence(certID)))
		if nonce != nil {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), sequence(sequence(extension)))
		}
	}))
	return b.Bytes()
}
