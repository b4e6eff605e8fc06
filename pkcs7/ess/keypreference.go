package ess

import (
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ParseKeyPreference reads the value of an encryption key preference attribute
// (RFC 8551 section 2.5.3), and of Microsoft's form of it, which is the bare
// IssuerAndSerialNumber. It names the certificate that the signer wants replies
// to be encrypted to.
//
//	SMIMEEncryptionKeyPreference ::= CHOICE {
//	    issuerAndSerialNumber [0] IssuerAndSerialNumber,
//	    receipentKeyId [1] RecipientKeyIdentifier,
//	    subjectAltKeyIdentifier [2] SubjectKeyIdentifier }
func ParseKeyPreference(der []byte) (pkcs7.CertID, error) {
	var id pkcs7.CertID
	var key, seq cryptobyte.String
	s := cryptobyte.String(der)
	ok := false
	switch {
	case s.PeekASN1Tag(asn1.SEQUENCE):
		ok = readEntity(&s, &id)
	case s.PeekASN1Tag(constructed(0)):
		if ok = s.ReadASN1(&seq, constructed(0)); ok {
			ok = readIssuerAndSerial(&seq, &id)
		}
	case s.PeekASN1Tag(constructed(1)):
		// What follows the identifier, a date and other, tells nothing more.
		ok = s.ReadASN1(&seq, constructed(1)) && seq.ReadASN1(&key, asn1.OCTET_STRING)
		id.KeyID = key
	case s.PeekASN1Tag(primitive(2)):
		ok = s.ReadASN1(&key, primitive(2))
		id.KeyID = key
	}
	if !ok || !s.Empty() || id.Serial == nil && len(id.KeyID) == 0 {
		return pkcs7.CertID{}, malformed("SMIMEEncryptionKeyPreference")
	}
	return id, nil
}
