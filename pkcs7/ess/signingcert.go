package ess

import (
	"crypto/x509"
	"math/big"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A CertHash names a certificate by its digest (RFC 5035 section 4): ESSCertID
// and ESSCertIDv2.
type CertHash struct {
	Algorithm x509.OID // of the digest
	Digest    []byte
	Issuer    []byte   // DER Name; nil: not given
	Serial    *big.Int // nil: not given
}

// A SigningCertificate is the value of either signing certificate attribute. Package
// pkcs7 has compared the first of Certs with the signer's certificate where it
// says that a signature holds; further ones restrict the path to those
// (RFC 5035 section 5.4.1).
type SigningCertificate struct {
	Certs    []CertHash
	Policies []x509.OID
}

// ParseSigningCertificate reads the value of a signingCertificateV2 attribute,
// and with v1 that of a signingCertificate attribute.
//
//	SigningCertificateV2 ::= SEQUENCE {
//	    certs SEQUENCE OF ESSCertIDv2,
//	    policies SEQUENCE OF PolicyInformation OPTIONAL }
func ParseSigningCertificate(der []byte, v1 bool) (*SigningCertificate, error) {
	const field = "SigningCertificate"
	var seq, certs, policies cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&certs, asn1.SEQUENCE) || certs.Empty() {
		return nil, malformed(field)
	}
	c := &SigningCertificate{}
	for !certs.Empty() {
		h, ok := readCertHash(&certs, v1)
		if !ok {
			return nil, malformed(field + ".certs")
		}
		if c.Certs = append(c.Certs, h); len(c.Certs) > maxNames {
			return nil, tooMany(field)
		}
	}
	if !seq.Empty() && (!seq.ReadASN1(&policies, asn1.SEQUENCE) || !seq.Empty()) {
		return nil, malformed(field + ".policies")
	}
	for !policies.Empty() {
		var info cryptobyte.String
		var id x509.OID
		if !policies.ReadASN1(&info, asn1.SEQUENCE) || !readOID(&info, &id) {
			return nil, malformed(field + ".policies")
		}
		if c.Policies = append(c.Policies, id); len(c.Policies) > maxNames {
			return nil, tooMany(field)
		}
	}
	return c, nil
}

// readCertHash reads
//
//	ESSCertIDv2 ::= SEQUENCE {
//	    hashAlgorithm AlgorithmIdentifier DEFAULT {algorithm id-sha256},
//	    certHash Hash,
//	    issuerSerial IssuerSerial OPTIONAL }
func readCertHash(s *cryptobyte.String, v1 bool) (h CertHash, ok bool) {
	var seq, digest, issuerSerial, names, name cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) {
		return h, false
	}
	h.Algorithm = oid.SHA256.X509()
	if v1 {
		h.Algorithm = oid.SHA1.X509()
	}
	if !v1 && seq.PeekASN1Tag(asn1.SEQUENCE) {
		var id alg.Identifier
		if !alg.ReadIdentifier(&seq, &id) {
			return h, false
		}
		h.Algorithm = id.OID.X509()
	}
	if !seq.ReadASN1(&digest, asn1.OCTET_STRING) {
		return h, false
	}
	h.Digest = digest
	if seq.Empty() {
		return h, true
	}
	h.Serial = new(big.Int)
	ok = seq.ReadASN1(&issuerSerial, asn1.SEQUENCE) && seq.Empty() &&
		issuerSerial.ReadASN1(&names, asn1.SEQUENCE) && issuerSerial.ReadASN1Integer(h.Serial) && issuerSerial.Empty()
	if ok && names.ReadASN1(&name, constructed(4)) {
		h.Issuer = name
	}
	return h, ok
}
