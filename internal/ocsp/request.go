package ocsp

import (
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An ID is what names a certificate in a request.
type ID struct {
	Issuer    []byte // Name
	IssuerKey []byte // key bits of the issuer
	Serial    []byte // content octets of the INTEGER
}

// Request returns an OCSPRequest about a certificate with a CertID by h. Without a
// nonce it can be answered from caches.
//
//	OCSPRequest ::= SEQUENCE {
//	    tbsRequest  SEQUENCE {
//	        requestList        SEQUENCE OF SEQUENCE { reqCert CertID },
//	        requestExtensions  [2] EXPLICIT Extensions OPTIONAL } }
func Request(of ID, h alg.Hash, nonce []byte) ([]byte, error) {
	var b cryptobyte.Builder
	sequence := func(f cryptobyte.BuilderContinuation) cryptobyte.BuilderContinuation {
		return func(b *cryptobyte.Builder) { b.AddASN1(asn1.SEQUENCE, f) }
	}
	certID := func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			h.Identifier().OID.Add(b)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(Digest(h, of.Issuer))
		b.AddASN1OctetString(Digest(h, of.IssuerKey))
		b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(of.Serial) })
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

// Digest returns the digest of b by h.
func Digest(h alg.Hash, b []byte) []byte {
	d := h.New()
	d.Write(b)
	return d.Sum(nil)
}
