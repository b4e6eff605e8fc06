package fetch

import (
	"bytes"
	"encoding/pem"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// maxElements is how many certificates one answer may have.
const maxElements = 256

// decode takes an answer apart.
func decode(kind chain.Kind, body []byte) ([][]byte, error) {
	switch kind {
	case chain.KindCertificate:
		return decodeCertificates(body)
	case chain.KindCRL:
		der := body
		if list := pemBlocks(body, "X509 CRL"); len(list) > 0 {
			der = list[0]
		}
		if _, ok := crlNextUpdate(der); !ok {
			return nil, problem(ErrContent, "no CRL")
		}
		return [][]byte{der}, nil
	case chain.KindOCSPResponse:
		if _, ok := ocspNextUpdate(body); !ok {
			return nil, problem(ErrContent, "no OCSP response")
		}
		return [][]byte{body}, nil
	}
	return nil, problem(ErrContent, "nothing is asked for")
}

// nextUpdate returns when an answer runs out; ok is false for what does not.
func nextUpdate(kind chain.Kind, der []byte) (next time.Time, ok bool) {
	switch kind {
	case chain.KindCRL:
		return crlNextUpdate(der)
	case chain.KindOCSPResponse:
		return ocspNextUpdate(der)
	}
	return next, false
}

// decodeCertificates reads what caIssuers may point at: a DER certificate or
// certs-only CMS (RFC 5280 section 4.2.2.1), and also PEM of either, which occurs.
func decodeCertificates(body []byte) ([][]byte, error) {
	list := pemBlocks(body, "CERTIFICATE")
	if cms := pemBlocks(body, "PKCS7", "CMS"); len(list) == 0 && len(cms) > 0 {
		body = cms[0]
	}
	if len(list) == 0 {
		if _, err := x509der.Parse(body); err == nil {
			list = [][]byte{body}
		} else if list, _, err = pkcs7.ReadCertificates(bytes.NewReader(body), nil); err != nil {
			return nil, problem(ErrContent, "no certificate")
		}
	}
	if len(list) == 0 || len(list) > maxElements {
		return nil, problem(ErrContent, "%d certificates", len(list))
	}
	return list, nil
}

// pemBlocks returns the blocks of some types, at most one more than maxElements.
func pemBlocks(text []byte, types ...string) [][]byte {
	// DER never begins like text.
	if len(text) == 0 || text[0] == 0x30 && !bytes.Contains(text[:min(len(text), 4096)], []byte("-----BEGIN")) {
		return nil
	}
	text = x509der.Text(text)
	var list [][]byte
	for len(list) <= maxElements {
		var b *pem.Block
		if b, text = pem.Decode(text); b == nil {
			break
		}
		for _, t := range types {
			if b.Type == t {
				list = append(list, b.Bytes)
			}
		}
	}
	return list
}

// crlNextUpdate returns nextUpdate of what looks like a CRL, the zero time if
// it has none. The entries are not looked at.
func crlNextUpdate(der []byte) (next time.Time, ok bool) {
	var list, tbs cryptobyte.String
	var this time.Time
	s := cryptobyte.String(der)
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !s.Empty() || !list.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(asn1.INTEGER) || !tbs.SkipASN1(asn1.SEQUENCE) || !tbs.SkipASN1(asn1.SEQUENCE) ||
		!x509der.ReadTime(&tbs, &this) {
		return next, false
	}
	if tbs.PeekASN1Tag(asn1.UTCTime) || tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		return next, x509der.ReadTime(&tbs, &next)
	}
	return next, true
}

// ocspNextUpdate returns the first nextUpdate of what looks like an
// OCSPResponse; the zero time if it has none, or no answers.
func ocspNextUpdate(der []byte) (next time.Time, ok bool) {
	var outer, explicit, bytes, octets, basic, data, list cryptobyte.String
	var status int
	s := cryptobyte.String(der)
	if !s.ReadASN1(&outer, asn1.SEQUENCE) || !s.Empty() || !outer.ReadASN1Enum(&status) {
		return next, false
	}
	explicitTag := func(n asn1.Tag) asn1.Tag { return n.Constructed().ContextSpecific() }
	if !outer.ReadASN1(&explicit, explicitTag(0)) || !explicit.ReadASN1(&bytes, asn1.SEQUENCE) ||
		!bytes.SkipASN1(asn1.OBJECT_IDENTIFIER) || !bytes.ReadASN1(&octets, asn1.OCTET_STRING) ||
		!octets.ReadASN1(&basic, asn1.SEQUENCE) || !basic.ReadASN1(&data, asn1.SEQUENCE) ||
		!data.SkipOptionalASN1(explicitTag(0)) || !data.SkipOptionalASN1(explicitTag(1)) || !data.SkipOptionalASN1(explicitTag(2)) ||
		!data.SkipASN1(asn1.GeneralizedTime) || !data.ReadASN1(&list, asn1.SEQUENCE) {
		return next, true // such as tryLater: an answer, but not to keep
	}
	for !list.Empty() {
		var single, explicit cryptobyte.String
		var t, this time.Time
		var tag asn1.Tag
		var status cryptobyte.String
		if !list.ReadASN1(&single, asn1.SEQUENCE) || !single.SkipASN1(asn1.SEQUENCE) ||
			!single.ReadAnyASN1(&status, &tag) || !x509der.ReadGeneralizedTime(&single, &this) {
			return time.Time{}, true
		}
		if !single.PeekASN1Tag(explicitTag(0)) || !single.ReadASN1(&explicit, explicitTag(0)) ||
			!x509der.ReadGeneralizedTime(&explicit, &t) {
			return time.Time{}, true
		}
		if next.IsZero() || t.Before(next) {
			next = t
		}
	}
	return next, true
}
