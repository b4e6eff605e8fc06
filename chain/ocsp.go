package chain

import (
	"bytes"
	"crypto/sha1"
	"sync"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ocsp"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A lazyOCSP is an OCSP response that is parsed on first use.
type lazyOCSP struct {
	once     sync.Once
	response *ocsp.Response
	err      error
}

func (l *lazyOCSP) get(der []byte) (*ocsp.Response, error) {
	l.once.Do(func() { l.response, l.err = ocsp.Parse(der) })
	return l.response, l.err
}

// An ocspID has the digests by which a CertID names an issuer. The name may be
// encoded as the certificate or as the issuer itself has it.
type ocspID struct{ issuer, subject, key []byte }

func newOCSPID(cert, issuer *certificate, h alg.Hash) ocspID {
	return ocspID{ocsp.Digest(h, cert.Issuer), ocsp.Digest(h, issuer.Subject), ocsp.Digest(h, issuer.KeyBits())}
}

// about reports whether the answer is about the certificate: all three parts
// of the CertID are computed again by its own digest.
func (s *statusSearch) about(o *ocsp.Single) bool {
	if !bytes.Equal(o.Serial, x509der.TrimInteger(s.cert.SerialDER)) {
		return false
	}
	h, err := alg.HashOf(o.Hash)
	// MD5 finds collisions, and no responder uses it.
	if err != nil || h == alg.MD5 {
		return false
	}
	id, ok := s.ids[h]
	if !ok {
		id = newOCSPID(s.cert, s.issuer, h)
		s.ids[h] = id
	}
	return bytes.Equal(id.key, o.KeyHash) && (bytes.Equal(id.issuer, o.NameHash) || bytes.Equal(id.subject, o.NameHash))
}

// namedBy reports whether the ResponderID of r is that of c.
func (c *certificate) namedBy(r *ocsp.Response) bool {
	if r.ResponderName != nil {
		return x509der.EqualNames(r.ResponderName, c.Subject)
	}
	sum := sha1.Sum(c.KeyBits()) // by definition, RFC 6960 section 4.2.1
	return bytes.Equal(r.ResponderKey, sum[:])
}

// ocspSerials returns the serial numbers, as content octets, that an OCSP
// response tells about.
func (e *Entry) ocspSerials() ([][]byte, error) {
	r, err := e.ocsp.get(e.DER())
	if err != nil {
		return nil, err
	}
	list := make([][]byte, len(r.Singles))
	for i := range r.Singles {
		list[i] = r.Singles[i].Serial
	}
	return list, nil
}
