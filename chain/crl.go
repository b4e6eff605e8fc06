package chain

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

// A crl is a parsed CRL. Its fields point into the encoding; the list of
// entries is walked when it is first asked for a certificate.
type crl struct {
	raw, tbs     []byte
	algorithm    []byte // AlgorithmIdentifier, the same within and outside
	signature    []byte
	issuer       []byte
	issuerKey    string // of the issuer, normalised
	thisUpdate   time.Time
	nextUpdate   time.Time // zero: none
	entries      []byte    // contents of revokedCertificates
	number       []byte    // cRLNumber, content octets; nil: none
	baseNumber   []byte    // BaseCRLNumber of a delta CRL; nil: complete
	authorityKey []byte
	keyIndex     int    // of the CA's key, as Microsoft's CAs number them; -1: not given
	idpDER       []byte // of the extension; nil: none
	idp          *issuingPoint
	freshest     []distributionPoint
	unknown      oid.OID // a critical extension that is not understood

	asked    atomic.Bool
	once     sync.Once
	index    *crlIndex
	indexErr error

	mu      sync.Mutex
	signers [][32]byte // digests of the keys (SPKI) that the signature was found good under
}

// A formError says what evidence of revocation can't be read.
type formError string

func (e formError) Error() string { return string(e) }

const (
	errCRL        formError = "malformed CRL"
	errCRLEntry   formError = "malformed CRL entry"
	errCRLUnknown formError = "CRL entry with an unknown critical extension"
	errOCSP       formError = "malformed OCSP response"
	errOCSPStatus formError = "OCSP response without an answer"

	errCRLCritical formError = "CRL with an unknown critical extension"
	errOCSPUnknown formError = "OCSP response with an unknown critical extension"
)

// A lazyCRL is a CRL that is parsed and indexed on first use.
type lazyCRL struct {
	once sync.Once
	crl  *crl
	err  error
}

func (l *lazyCRL) get(der []byte) (*crl, error) {
	l.once.Do(func() { l.crl, l.err = parseCRL(der) })
	return l.crl, l.err
}

// usable says why the CRL can't be used for any certificate.
func (l *lazyCRL) usable(der []byte) error {
	c, err := l.get(der)
	switch {
	case err != nil:
		return err
	case c.unknown != "":
		return errCRLCritical
	}
	_, _, err = scanEntries(c.entries, nil, nil)
	return err
}

// parseCRL reads all of a CRL but its entries.
//
//	CertificateList ::= SEQUENCE {
//	    tbsCertList         TBSCertList,
//	    signatureAlgorithm  AlgorithmIdentifier,
//	    signatureValue      BIT STRING }
func parseCRL(der []byte) (*crl, error) {
	var list, tbs cryptobyte.String
	c := &crl{raw: der, keyIndex: -1}
	s := cryptobyte.String(der)
	if !s.ReadASN1(&list, asn1.SEQUENCE) || !s.Empty() ||
		!list.ReadASN1Element((*cryptobyte.String)(&c.tbs), asn1.SEQUENCE) ||
		!list.ReadASN1Element((*cryptobyte.String)(&c.algorithm), asn1.SEQUENCE) ||
		!list.ReadASN1BitStringAsBytes(&c.signature) || !list.Empty() {
		return nil, errCRL
	}
	s = c.tbs
	if !s.ReadASN1(&tbs, asn1.SEQUENCE) {
		return nil, errCRL
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
func (c *crl) parseTBS(tbs cryptobyte.String) error {
	v2 := tbs.PeekASN1Tag(asn1.INTEGER)
	if v2 {
		var version int
		if !tbs.ReadASN1Integer(&version) || version != 1 {
			return errCRL
		}
	}
	var inner, issuer cryptobyte.String
	if !tbs.ReadASN1Element(&inner, asn1.SEQUENCE) || !bytes.Equal(inner, c.algorithm) ||
		!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) || !x509der.ReadTime(&tbs, &c.thisUpdate) {
		return errCRL
	}
	c.issuer, c.issuerKey = issuer, x509der.NormalName(issuer)
	if tbs.PeekASN1Tag(asn1.UTCTime) || tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		if !x509der.ReadTime(&tbs, &c.nextUpdate) {
			return errCRL
		}
	}
	// DEVIATION: an empty list should be left out (RFC 5280 section
	// 5.1.2.6), but occurs and can't be misread.
	if tbs.PeekASN1Tag(asn1.SEQUENCE) && !tbs.ReadASN1((*cryptobyte.String)(&c.entries), asn1.SEQUENCE) {
		return errCRL
	}
	var exts cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&exts, &present, asn1.Tag(0).Constructed().ContextSpecific()) || !tbs.Empty() {
		return errCRL
	}
	if !present {
		return nil
	}
	if !v2 {
		return errCRL
	}
	return c.parseExtensions(exts)
}

// parseExtensions reads the extensions of RFC 5280 section 5.2.
func (c *crl) parseExtensions(s cryptobyte.String) error {
	list, err := x509der.ReadExtensions(&s)
	if err != nil {
		return err
	}
	if !s.Empty() {
		return errCRL
	}
	for _, e := range list {
		ok := true
		switch e.ID {
		case oid.ExtCRLNumber:
			c.number, ok = integer(e.Value)
		case oid.ExtDeltaCRLIndicator:
			c.baseNumber, ok = integer(e.Value)
		case oid.ExtAuthorityKeyID:
			c.authorityKey, ok = x509der.AuthorityKeyIdentifier(e.Value)
		case oid.ExtIssuingDistributionPoint:
			c.idpDER = e.Value
			c.idp, ok = parseIssuingPoint(e.Value, c.issuerKey)
		case oid.ExtFreshestCRL:
			c.freshest, ok = parseDistributionPoints(e.Value, c.issuerKey)
		case oid.ExtCAVersion:
			c.keyIndex = readKeyIndex(e.Value)
		case oid.ExtIssuerAltName, oid.ExtAuthorityInfoAccess:
		default:
			if e.Critical && c.unknown == "" {
				c.unknown = e.ID
			}
		}
		if !ok {
			return errCRL
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

// readKeyIndex reads the extension by which a Microsoft CA numbers its
// certificates and keys ([MS-WCCE] section 2.2.2.7.1): an INTEGER of which the
// lower 16 bits count certificates and the upper 16 bits keys. It returns the
// number of the key, -1 if it can't be read.
func readKeyIndex(der []byte) int {
	var n uint32
	s := cryptobyte.String(der)
	if !s.ReadASN1Integer(&n) || !s.Empty() {
		return -1
	}
	return int(n >> 16)
}

// compareNumbers compares two results of integer.
func compareNumbers(a, b []byte) int {
	if len(a) != len(b) {
		return len(a) - len(b)
	}
	return bytes.Compare(a, b)
}

// delta reports whether c is a delta CRL.
func (c *crl) delta() bool { return c.baseNumber != nil }

// updates reports whether the delta CRL d brings base up to date (RFC 5280
// sections 5.2.4 and 6.3.3 (c)).
func (d *crl) updates(base *crl) bool {
	return base.number != nil && d.number != nil && d.issuerKey == base.issuerKey &&
		bytes.Equal(d.idpDER, base.idpDER) && (d.idpDER == nil) == (base.idpDER == nil) &&
		bytes.Equal(d.authorityKey, base.authorityKey) &&
		compareNumbers(d.baseNumber, base.number) <= 0 && compareNumbers(base.number, d.number) < 0
}

// knownSigner reports whether the signature is known to be good under key. A
// large CRL is hashed once, not once for each certificate it is asked about.
func (c *crl) knownSigner(spki []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Contains(c.signers, sha256.Sum256(spki))
}

func (c *crl) noteSigner(spki []byte) {
	const most = 8
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.signers) < most {
		c.signers = append(c.signers, sha256.Sum256(spki))
	}
}

// crlKeys returns what a source is asked by: the issuer and the authority key
// identifier (nil if none) of a CRL.
func (e *Entry) crlKeys() (issuer, keyID []byte, err error) {
	c, err := e.crl.get(e.DER())
	if err != nil {
		return nil, nil, err
	}
	return c.issuer, c.authorityKey, nil
}
