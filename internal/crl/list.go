// Package crl parses CRLs (RFC 5280 section 5) and finds certificates in them. It
// checks no signature and knows no certificates.
package crl

import (
	"bytes"
	"crypto/sha256"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A List is a parsed CRL. Its fields point into the encoding; the list of
// entries is walked when it is first asked for a certificate.
type List struct {
	Raw, TBS     []byte
	Algorithm    []byte // AlgorithmIdentifier, the same within and outside
	Signature    []byte
	Issuer       []byte
	IssuerKey    string // of the issuer, normalised
	ThisUpdate   time.Time
	NextUpdate   time.Time // zero: none
	entries      []byte    // contents of revokedCertificates
	Number       []byte    // cRLNumber, content octets; nil: none
	baseNumber   []byte    // BaseCRLNumber of a delta CRL; nil: complete
	AuthorityKey []byte
	KeyIndex     int    // of the CA's key, as Microsoft's CAs number them; -1: not given
	idpDER       []byte // of the extension; nil: none
	IDP          *IssuingPoint
	Freshest     []DistributionPoint
	Unknown      oid.OID // a critical extension that is not understood

	asked    atomic.Bool
	once     sync.Once
	index    *index
	indexErr error

	mu      sync.Mutex
	signers [][32]byte // digests of the keys (SPKI) that the signature was found good under
}

// An Error says why a CRL can't be used.
type Error string

func (e Error) Error() string { return string(e) }

const (
	ErrMalformed      Error = "malformed CRL"
	ErrMalformedEntry Error = "malformed CRL entry"
	ErrUnknownEntry   Error = "CRL entry with an unknown critical extension"
	ErrUnknown        Error = "CRL with an unknown critical extension"
)

// Check says why the CRL can't be used for any certificate. It reads every
// entry in form.
func (c *List) Check() error {
	if c.Unknown != "" {
		return ErrUnknown
	}
	_, _, err := scanEntries(c.entries, nil, nil)
	return err
}

// Parse reads all of a CRL but its entries.
//
//	CertificateList ::= SEQUENCE {
//	    tbsCertList         TBSCertList,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
func Parse(der []byte) (*List, error) {
	var list, tbs cryptobyte.String
	c := &List{Raw: der, KeyIndex: -1}
	s := cryptobyte.String(der)
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !s.Empty() ||
		!list.ReadASN1Element((*cryptobyte.String)(&c.TBS), asn1.SEQUENCE) ||
		!list.ReadASN1Element((*cryptobyte.String)(&c.Algorithm), asn1.SEQUENCE) ||
		!list.ReadASN1BitStringAsBytes(&c.Signature) || !list.Empty() {
		return nil, ErrMalformed
	}
	s = c.TBS
	if !s.ReadASN1(&tbs, asn1.SEQUENCE) {
		return nil, ErrMalformed
	}
	if err := c.parseTBS(tbs); err != nil {
		return nil, err
	}
	return c, nil
}

// parseTBS reads
//
//	TBSCertList ::= SEQUENCE {
//	    version              Version OPTIONAL, -- if present, v2
//	    signature            AlgorithmIdentifier,
//	    issuer               Name,
//	    thisUpdate           Time,
//	    nextUpdate           Time OPTIONAL,
//	    revokedCertificates  SEQUENCE OF SEQUENCE { … } OPTIONAL,
//	    crlExtensions        [0] EXPLICIT Extensions OPTIONAL }
func (c *List) parseTBS(tbs cryptobyte.String) error {
	v2 := tbs.PeekASN1Tag(asn1.INTEGER)
	if v2 {
		var version int
		if !tbs.ReadASN1Integer(&version) || version != 1 {
			return ErrMalformed
		}
	}
	var inner, issuer cryptobyte.String
	if !tbs.ReadASN1Element(&inner, asn1.SEQUENCE) || !bytes.Equal(inner, c.Algorithm) ||
		!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) || !x509der.ReadTime(&tbs, &c.ThisUpdate) {
		return ErrMalformed
	}
	c.Issuer, c.IssuerKey = issuer, x509der.NormalName(issuer)
	if tbs.PeekASN1Tag(asn1.UTCTime) || tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		if !x509der.ReadTime(&tbs, &c.NextUpdate) {
			return ErrMalformed
		}
	}
	// DEVIATION: an empty list should be left out (RFC 5280 section
	// 5.1.2.6), but occurs and can't be misread.
	if tbs.PeekASN1Tag(asn1.SEQUENCE) && !tbs.ReadASN1((*cryptobyte.String)(&c.entries), asn1.SEQUENCE) {
		return ErrMalformed
	}
	var exts cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&exts, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !tbs.Empty() {
		return ErrMalformed
	}
	if !present {
		return nil
	}
	if !v2 {
		return ErrMalformed
	}
	return c.parseExtensions(exts)
}

// parseExtensions reads the extensions of RFC 5280 section 5.2.
func (c *List) parseExtensions(s cryptobyte.String) error {
	list, err := x509der.ReadExtensions(&s)
	if err != nil {
		return err
	}
	if !s.Empty() {
		return ErrMalformed
	}
	for _, e := range list {
		ok := true
		switch e.ID {
		case oid.ExtCRLNumber:
			c.Number, ok = integer(e.Value)
		case oid.ExtDeltaCRLIndicator:
			c.baseNumber, ok = integer(e.Value)
		case oid.ExtAuthorityKeyID:
			c.AuthorityKey, ok = x509der.AuthorityKeyIdentifier(e.Value)
		case oid.ExtIssuingDistributionPoint:
			c.idpDER = e.Value
			c.IDP, ok = parseIssuingPoint(e.Value, c.IssuerKey)
		case oid.ExtFreshestCRL:
			c.Freshest, ok = ParseDistributionPoints(e.Value, c.IssuerKey)
		case oid.ExtCAVersion:
			c.KeyIndex = ReadKeyIndex(e.Value)
		case oid.ExtIssuerAltName, oid.ExtAuthorityInfoAccess:
		default:
			if e.Critical && c.Unknown == "" {
				c.Unknown = e.ID
			}
		}
		if !ok {
			return ErrMalformed
		}
	}
	return nil
}

// integer returns the content octets of a DER INTEGER that is not negative,
// without leading zero.
func integer(der []byte) ([]byte, bool) {
	var b cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&b, asn1.INTEGER) || !s.Empty() || len(b) == 0 || b[0]&0x80 != 0 {
		return nil, false
	}
	return bytes.TrimLeft(b, "\x00"), true
}

// ReadKeyIndex reads the extension by which a Microsoft CA numbers its
// certificates and keys ([MS-WCCE] section 2.2.2.7.1): an INTEGER of which the
// lower 16 bits count certificates and the upper 16 bits keys. It returns the
// number of the key, -1 if it can't be read.
func ReadKeyIndex(der []byte) int {
	var n uint32
	s := cryptobyte.String(der)
	if !s.ReadASN1Integer(&n) || !s.Empty() {
		return -1
	}
	return int(n >> 16)
}

// CompareNumbers compares two results of integer.
func CompareNumbers(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// Delta reports whether c is a delta CRL.
func (c *List) Delta() bool { return c.baseNumber != nil }

// Updates reports whether the delta CRL d brings base up to date (RFC 5280
// sections 5.2.4 and 6.3.3 (c)).
func (d *List) Updates(base *List) bool {
	return base.Number != nil && d.Number != nil && d.IssuerKey == base.IssuerKey &&
		bytes.Equal(d.idpDER, base.idpDER) && (d.idpDER == nil) == (base.idpDER == nil) &&
		bytes.Equal(d.AuthorityKey, base.AuthorityKey) &&
		CompareNumbers(d.baseNumber, base.Number) <= 0 && CompareNumbers(base.Number, d.Number) < 0
}

// KnownSigner reports whether the signature is known to be good under key. A
// large CRL is hashed once, not once for each certificate it is asked about.
func (c *List) KnownSigner(spki []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.signers, sha256.Sum256(spki))
}

func (c *List) NoteSigner(spki []byte) {
	const most = 8
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.signers) < most {
		c.signers = append(c.signers, sha256.Sum256(spki))
	}
}
