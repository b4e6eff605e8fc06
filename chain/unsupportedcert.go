package chain

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
)

// known returns what this package reads of the certificate, in the form of
// crypto/x509.
func (c *certificate) known() *x509.Certificate {
	d := c.details()
	std := &x509.Certificate{
		Raw: c.Raw, RawTBSCertificate: c.TBS, RawSubject: c.Subject, RawIssuer: c.Issuer,
		RawSubjectPublicKeyInfo: c.SPKI, Signature: c.Signature, Version: c.Version, SerialNumber: c.Serial,
		NotBefore: c.NotBefore, NotAfter: c.NotAfter,
		SubjectKeyId: c.SubjectKeyID, AuthorityKeyId: c.AuthorityKeyID,
		Subject: pkixName(c.Subject), Issuer: pkixName(c.Issuer),
		KeyUsage: d.keyUsage, BasicConstraintsValid: d.hasBasic, IsCA: d.ca,
		IssuingCertificateURL: d.caIssuers, OCSPServer: d.ocspURLs,
	}
	if d.hasBasic {
		std.MaxPathLen, std.MaxPathLenZero = d.pathLen, d.pathLen == 0
	}
	std.PublicKeyAlgorithm, std.PublicKey = c.knownKey()
	for _, id := range d.eku {
		if usage, ok := knownUsage(id); ok {
			std.ExtKeyUsage = append(std.ExtKeyUsage, usage)
		} else {
			std.UnknownExtKeyUsage = append(std.UnknownExtKeyUsage, objectIdentifier(id))
		}
	}
	for _, id := range d.policies {
		std.Policies = append(std.Policies, id.X509())
	}
	if d.anyPolicy {
		std.Policies = append(std.Policies, oid.AnyPolicy.X509())
	}
	for _, n := range d.names {
		if n.Kind == x509der.RFC822Name {
			std.EmailAddresses = append(std.EmailAddresses, string(n.Value))
		}
	}
	points, _ := c.distributionPoints()
	for _, p := range points {
		std.CRLDistributionPoints = append(std.CRLDistributionPoints, p.URLs...)
	}
	for i := range c.Extensions {
		e := &c.Extensions[i]
		std.Extensions = append(std.Extensions, pkix.Extension{Id: objectIdentifier(e.ID), Critical: e.Critical, Value: slices.Clip(e.Value)})
	}
	return std
}

func (c *certificate) knownKey() (x509.PublicKeyAlgorithm, any) {
	key, err := c.key()
	if err != nil {
		return 0, nil
	}
	switch k := key.Key.(type) {
	case *rsa.PublicKey:
		if key.Algorithm.OID == oid.RSAEncryption {
			return x509.RSA, k
		}
	case *ecdsa.PublicKey:
		return x509.ECDSA, k
	case ed25519.PublicKey:
		return x509.Ed25519, k
	case nil:
		if key.Kind == alg.DSA {
			return x509.DSA, nil
		}
	}
	return 0, nil
}

// objectIdentifier returns the identifier in the older form; nil if it does not
// fit that.
func objectIdentifier(id oid.OID) (out asn1.ObjectIdentifier) {
	var b cryptobyte.Builder
	id.Add(&b)
	if der, err := b.Bytes(); err != nil || !unmarshalAll(der, &out) {
		return nil
	}
	return out
}

func knownUsage(id oid.OID) (x509.ExtKeyUsage, bool) {
	switch id {
	case oid.AnyExtendedKeyUsage:
		return x509.ExtKeyUsageAny, true
	case oid.EKUServerAuth:
		return x509.ExtKeyUsageServerAuth, true
	case oid.EKUClientAuth:
		return x509.ExtKeyUsageClientAuth, true
	case ekuCodeSigning:
		return x509.ExtKeyUsageCodeSigning, true
	case oid.EKUEmailProtection:
		return x509.ExtKeyUsageEmailProtection, true
	case oid.EKUTimeStamping:
		return x509.ExtKeyUsageTimeStamping, true
	case oid.EKUOCSPSigning:
		return x509.ExtKeyUsageOCSPSigning, true
	}
	return 0, false
}

const ekuCodeSigning oid.OID = "\x2b\x06\x01\x05\x05\x07\x03\x03" // 1.3.6.1.5.5.7.3.3
