package fetch

import (
	"bytes"
	"encoding/pem"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/ocsp"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
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
		if _, err := crl.Parse(der); err != nil {
			return nil, problem(ErrContent, "no CRL")
		}
		return [][]byte{der}, nil
	case chain.KindOCSPResponse:
		// A status such as tryLater is an answer too.
		if _, err := ocsp.Parse(body); err != nil && err != ocsp.ErrStatus {
			return nil, problem(ErrContent, "no OCSP response")
		}
		return [][]byte{body}, nil
	}
	return nil, problem(ErrContent, "nothing is asked for")
}

// nextUpdate returns when an answer runs out, the zero time if it does not say;
// ok is false for what does not.
func nextUpdate(kind chain.Kind, der []byte) (next time.Time, ok bool) {
	switch kind {
	case chain.KindCRL:
		if c, err := crl.Parse(der); err == nil {
			next = c.NextUpdate
		}
		return next, true
	case chain.KindOCSPResponse:
		r, err := ocsp.Parse(der)
		if err != nil {
			return next, true
		}
		for i, s := range r.Singles {
			if i == 0 || s.NextUpdate.Before(next) {
				next = s.NextUpdate
			}
		}
		return next, true
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
