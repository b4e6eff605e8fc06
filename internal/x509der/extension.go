package x509der

import (
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Extension is one extension, unparsed.
type Extension struct {
	ID       oid.OID
	Critical bool
	Value    []byte
}

// Find returns the extension with that identifier, or nil.
func Find(list []Extension, id oid.OID) *Extension {
	for i := range list {
		if list[i].ID == id {
			return &list[i]
		}
	}
	return nil
}

// ReadExtensions reads the extensions of a certificate, CRL, CRL entry or OCSP
// structure from s: at least one and at most [MaxExtensions], none of them twice.
//
//	Extensions ::= SEQUENCE SIZE (1..MAX) OF Extension
//	Extension  ::= SEQUENCE {
//	    extnID     OBJECT IDENTIFIER,
//	    critical   BOOLEAN DEFAULT FALSE,
//	    extnValue  OCTET STRING }
func ReadExtensions(s *cryptobyte.String) ([]Extension, error) {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || seq.Empty() {
		return nil, malformed("extensions")
	}
	n := 0
	for rest := seq; !rest.Empty(); n++ {
		if !rest.SkipASN1(asn1.SEQUENCE) {
			return nil, malformed("extensions")
		}
		if n == MaxExtensions {
			return nil, &Error{"extensions", "too many"}
		}
	}
	list := make([]Extension, n)
	for i := range list {
		e := &list[i]
		if !ReadExtension(&seq, e) {
			return nil, malformed("extensions")
		}
		if Find(list[:i], e.ID) != nil {
			return nil, &Error{"extensions", "the same extension twice: " + e.ID.String()}
		}
	}
	return list, nil
}

// ReadExtension reads one extension.
func ReadExtension(s *cryptobyte.String, e *Extension) bool {
	var ext cryptobyte.String
	if !s.ReadASN1(&ext, asn1.SEQUENCE) || !oid.Read(&ext, &e.ID) {
		return false
	}
	// DEVIATION: critical FALSE written out is not DER but occurs.
	if ext.PeekASN1Tag(asn1.BOOLEAN) && !ext.ReadASN1Boolean(&e.Critical) {
		return false
	}
	return ext.ReadASN1((*cryptobyte.String)(&e.Value), asn1.OCTET_STRING) && ext.Empty()
}

// AuthorityKeyIdentifier returns the keyIdentifier in the value of that
// extension, nil if it has none, and whether the value can be read.
//
//	AuthorityKeyIdentifier ::= SEQUENCE {
//	    keyIdentifier             [0] IMPLICIT OCTET STRING OPTIONAL,
//	    authorityCertIssuer       [1] IMPLICIT GeneralNames OPTIONAL,
//	    authorityCertSerialNumber [2] IMPLICIT INTEGER OPTIONAL }
func AuthorityKeyIdentifier(value []byte) (id []byte, ok bool) {
	var seq, key cryptobyte.String
	var present bool
	s := cryptobyte.String(value)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return nil, false
	}
	if !seq.ReadOptionalASN1(&key, &present, asn1.Tag(0).ContextSpecific()) ||
		!seq.SkipOptionalASN1(asn1.Tag(1).Constructed().ContextSpecific()) ||
		!seq.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) || !seq.Empty() {
		return nil, false
	}
	if !present {
		return nil, true
	}
	return key, true
}
