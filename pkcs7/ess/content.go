package ess

import (
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// ContentHints describe the innermost content of a message (RFC 2634 section 2.9).
//
//	ContentHints ::= SEQUENCE {
//	    contentDescription UTF8String (SIZE (1..MAX)) OPTIONAL,
//	    contentType ContentType }
type ContentHints struct {
	Description string // or empty
	ContentType x509.OID
}

// ParseContentHints reads the value of a content hints attribute.
func ParseContentHints(der []byte) (*ContentHints, error) {
	h := &ContentHints{}
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	ok := s.ReadASN1(&seq, asn1.SEQUENCE) && s.Empty()
	if ok && seq.PeekASN1Tag(asn1.UTF8String) {
		ok = readText(&seq, &h.Description)
	}
	if !ok || !readOID(&seq, &h.ContentType) || !seq.Empty() {
		return nil, malformed("ContentHints")
	}
	return h, nil
}

// Encode returns the DER.
func (h *ContentHints) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if h.Description != "" {
			addText(b, h.Description)
		}
		addOID(b, h.ContentType)
	})
	return b.Bytes()
}

// A ContentReference links one message to another (RFC 2634 section 2.11).
//
//	ContentReference ::= SEQUENCE {
//	    contentType ContentType,
//	    signedContentIdentifier ContentIdentifier,
//	    originatorSignatureValue OCTET STRING }
type ContentReference struct {
	ContentType x509.OID
	ContentID   []byte
	Signature   []byte
}

// ParseContentReference reads the value of a content reference attribute.
func ParseContentReference(der []byte) (*ContentReference, error) {
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return nil, malformed("ContentReference")
	}
	r, ok := readReference(&seq)
	if !ok {
		return nil, malformed("ContentReference")
	}
	return r, nil
}

func readReference(seq *cryptobyte.String) (*ContentReference, bool) {
	r := &ContentReference{}
	var id, sig cryptobyte.String
	ok := readOID(seq, &r.ContentType) && seq.ReadASN1(&id, asn1.OCTET_STRING) &&
		seq.ReadASN1(&sig, asn1.OCTET_STRING) && seq.Empty()
	r.ContentID, r.Signature = id, sig
	return r, ok
}

func (r *ContentReference) add(b *cryptobyte.Builder) {
	addOID(b, r.ContentType)
	b.AddASN1OctetString(r.ContentID)
	b.AddASN1OctetString(r.Signature)
}

// Encode returns the DER.
func (r *ContentReference) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, r.add)
	return b.Bytes()
}
