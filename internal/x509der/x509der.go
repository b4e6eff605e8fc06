// Package x509der reads certificates from DER as RFC 5280 has them, including
// those that crypto/x509 refuses: negative and zero serial numbers, curves that
// it lacks, names and addresses it can't represent. What it returns points
// into the input, which must not be changed afterwards.
package x509der

import (
	encodingasn1 "encoding/asn1"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// MaxExtensions is how many extensions a certificate may have. Real ones have
// at most a dozen.
const MaxExtensions = 256

// A Certificate is a parsed certificate. Its fields must not be changed.
type Certificate struct {
	Raw, TBS              []byte
	Version               int // 1, 2 or 3
	Serial                *big.Int
	SerialDER             []byte // content octets
	SignatureAlgorithm    []byte // the outer AlgorithmIdentifier, DER
	TBSSignatureAlgorithm []byte
	Signature             []byte
	Issuer, Subject       []byte // DER Name
	NotBefore, NotAfter   time.Time
	SPKI                  []byte
	Extensions            []Extension
	SubjectKeyID          []byte // of the extension; nil: none
	AuthorityKeyID        []byte // its keyIdentifier; nil: none
}

// An Error says what is wrong where.
type Error struct {
	Field  string
	Reason string
}

func (e *Error) Error() string { return "certificate: " + e.Field + ": " + e.Reason }

func malformed(field string) error { return &Error{field, "malformed"} }

// Parse reads one certificate, which must be all of der. Bytes are checked to
// be DER in structure; names, keys and extensions are left to who needs them,
// save for the two key identifiers. The error is always an [*Error].
//
//	Certificate ::= SEQUENCE {
//	    tbsCertificate      TBSCertificate,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
func Parse(der []byte) (*Certificate, error) {
	var whole, input cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1Element(&whole, asn1.SEQUENCE) {
		return nil, malformed("Certificate")
	}
	if !s.Empty() {
		return nil, &Error{"Certificate", "followed by other data"}
	}
	c := &Certificate{Raw: whole}
	if !whole.ReadASN1(&input, asn1.SEQUENCE) {
		return nil, malformed("Certificate")
	}
	if !input.ReadASN1Element((*cryptobyte.String)(&c.TBS), asn1.SEQUENCE) {
		return nil, malformed("tbsCertificate")
	}
	if !input.ReadASN1Element((*cryptobyte.String)(&c.SignatureAlgorithm), asn1.SEQUENCE) {
		return nil, malformed("signatureAlgorithm")
	}
	if !readSignature(&input, &c.Signature) {
		return nil, malformed("signatureValue")
	}
	if !input.Empty() {
		return nil, &Error{"Certificate", "has more than three elements"}
	}
	if err := c.parseTBS(); err != nil {
		return nil, err
	}
	return c, nil
}

// readSignature reads a BIT STRING. One that is not whole octets is no
// signature of any algorithm, but that is for the check of it to say.
func readSignature(s *cryptobyte.String, out *[]byte) bool {
	var bits encodingasn1.BitString
	if !s.ReadASN1BitString(&bits) {
		return false
	}
	*out = bits.RightAlign()
	return true
}

// parseTBS reads
//
//	TBSCertificate ::= SEQUENCE {
//	    version         [0] EXPLICIT Version DEFAULT v1,
//	    serialNumber         CertificateSerialNumber,
//	    signature            AlgorithmIdentifier,
//	    issuer               Name,
//	    validity             Validity,
//	    subject              Name,
//	    subjectPublicKeyInfo SubjectPublicKeyInfo,
//	    issuerUniqueID  [1] IMPLICIT UniqueIdentifier OPTIONAL,
//	    subjectUniqueID [2] IMPLICIT UniqueIdentifier OPTIONAL,
//	    extensions      [3] EXPLICIT Extensions OPTIONAL }
func (c *Certificate) parseTBS() error {
	var tbs cryptobyte.String
	in := cryptobyte.String(c.TBS)
	if !in.ReadASN1(&tbs, asn1.SEQUENCE) {
		return malformed("tbsCertificate")
	}
	if err := c.parseVersion(&tbs); err != nil {
		return err
	}
	var serial cryptobyte.String
	at := tbs
	if !tbs.ReadASN1(&serial, asn1.INTEGER) {
		return malformed("serialNumber")
	}
	// DEVIATION: RFC 5280 section 4.1.2.2 wants a positive number of at most
	// 20 octets; old mail has certificates with others.
	c.Serial, c.SerialDER = new(big.Int), serial
	if !at.ReadASN1Integer(c.Serial) {
		return malformed("serialNumber")
	}
	if !tbs.ReadASN1Element((*cryptobyte.String)(&c.TBSSignatureAlgorithm), asn1.SEQUENCE) {
		return malformed("signature")
	}
	if !tbs.ReadASN1Element((*cryptobyte.String)(&c.Issuer), asn1.SEQUENCE) {
		return malformed("issuer")
	}
	if err := c.parseValidity(&tbs); err != nil {
		return err
	}
	if !tbs.ReadASN1Element((*cryptobyte.String)(&c.Subject), asn1.SEQUENCE) {
		return malformed("subject")
	}
	if !tbs.ReadASN1Element((*cryptobyte.String)(&c.SPKI), asn1.SEQUENCE) {
		return malformed("subjectPublicKeyInfo")
	}
	if c.Version >= 2 {
		if !tbs.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) {
			return malformed("issuerUniqueID")
		}
		if !tbs.SkipOptionalASN1(asn1.Tag(2).ContextSpecific()) {
			return malformed("subjectUniqueID")
		}
	}
	if c.Version == 3 {
		if err := c.parseExtensions(&tbs); err != nil {
			return err
		}
	}
	if !tbs.Empty() {
		return &Error{"tbsCertificate", "has elements that its version does not have"}
	}
	return nil
}

func (c *Certificate) parseVersion(tbs *cryptobyte.String) error {
	var (
		explicit cryptobyte.String
		present  bool
		version  int
	)
	if !tbs.ReadOptionalASN1(&explicit, &present, asn1.Tag(0).Constructed().ContextSpecific()) {
		return malformed("version")
	}
	if present && (!explicit.ReadASN1Integer(&version) || !explicit.Empty()) {
		return malformed("version")
	}
	// DEVIATION: version v1 written out is not DER but occurs.
	if version < 0 || version > 2 {
		return &Error{"version", "unknown"}
	}
	c.Version = version + 1
	return nil
}

func (c *Certificate) parseValidity(tbs *cryptobyte.String) error {
	var validity cryptobyte.String
	if !tbs.ReadASN1(&validity, asn1.SEQUENCE) {
		return malformed("validity")
	}
	if !ReadTime(&validity, &c.NotBefore) {
		return malformed("notBefore")
	}
	if !ReadTime(&validity, &c.NotAfter) {
		return malformed("notAfter")
	}
	if !validity.Empty() {
		return malformed("validity")
	}
	return nil
}

// parseExtensions reads extensions [3], if present, and the key identifiers
// among them.
func (c *Certificate) parseExtensions(tbs *cryptobyte.String) error {
	var (
		explicit cryptobyte.String
		present  bool
		err      error
	)
	if !tbs.ReadOptionalASN1(&explicit, &present, asn1.Tag(3).Constructed().ContextSpecific()) {
		return malformed("extensions")
	}
	if !present {
		return nil
	}
	c.Extensions, err = ReadExtensions(&explicit)
	if err != nil {
		return err
	}
	if !explicit.Empty() {
		return malformed("extensions")
	}
	if e := c.Extension(oid.ExtSubjectKeyID); e != nil {
		v := cryptobyte.String(e.Value)
		if !v.ReadASN1((*cryptobyte.String)(&c.SubjectKeyID), asn1.OCTET_STRING) || !v.Empty() {
			return malformed("subjectKeyIdentifier")
		}
	}
	if e := c.Extension(oid.ExtAuthorityKeyID); e != nil {
		id, ok := AuthorityKeyIdentifier(e.Value)
		if !ok {
			return malformed("authorityKeyIdentifier")
		}
		c.AuthorityKeyID = id
	}
	return nil
}

// Extension returns the extension with that identifier, or nil. Duplicates are
// an error of [Parse].
func (c *Certificate) Extension(id oid.OID) *Extension { return Find(c.Extensions, id) }
