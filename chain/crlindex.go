package chain

import (
	"bytes"
	"hash/maphash"
	"slices"
	"sort"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A crlReason is a CRLReason of RFC 5280 section 5.3.1.
type crlReason uint8

const (
	reasonUnspecified   crlReason = 0
	reasonKeyCompromise crlReason = 1
	reasonCACompromise  crlReason = 2
	reasonHold          crlReason = 6
	reasonRemoveFromCRL crlReason = 8
)

func (r crlReason) String() string {
	switch r {
	case reasonKeyCompromise:
		return "keyCompromise"
	case reasonCACompromise:
		return "cACompromise"
	case 3:
		return "affiliationChanged"
	case 4:
		return "superseded"
	case 5:
		return "cessationOfOperation"
	case reasonHold:
		return "certificateHold"
	case reasonRemoveFromCRL:
		return "removeFromCRL"
	case 9:
		return "privilegeWithdrawn"
	case 10:
		return "aACompromise"
	}
	return "unspecified"
}

// A revocationEntry is what a CRL or an OCSP response says of a revoked
// certificate.
type revocationEntry struct {
	date       time.Time
	invalidity time.Time // zero: not given
	reason     crlReason
}

// since returns the earlier of both dates.
func (r revocationEntry) since() time.Time {
	if !r.invalidity.IsZero() && r.invalidity.Before(r.date) {
		return r.invalidity
	}
	return r.date
}

// A crlEntry is one entry of a CRL.
type crlEntry struct {
	serial []byte // content octets, without padding
	revocationEntry
	issuer  []byte // value of certificateIssuer; nil: none
	unknown bool   // has a critical extension that is not understood
}

// A crlIndex finds the entries of a serial number. It takes 8 octets for an
// entry and 4 more for one that names a certificate issuer.
type crlIndex struct {
	seed    maphash.Seed
	slots   []uint64 // hash of the serial number << 32 | offset, sorted
	issuers []uint32 // offsets of the entries with certificateIssuer, ascending
	unknown bool     // some entry has a critical extension that is not understood
}

// lookup returns the entries for a certificate of the issuer with that
// normalised name. The error says that the list can't be used at all.
func (c *crl) lookup(issuerKey string, serial []byte) ([]revocationEntry, error) {
	c.once.Do(func() { c.index, c.indexErr = indexEntries(c.entries) })
	if c.indexErr != nil {
		return nil, c.indexErr
	}
	x := c.index
	serial = trimInteger(serial)
	h := uint64(uint32(maphash.Bytes(x.seed, serial)))
	i, _ := slices.BinarySearch(x.slots, h<<32)
	var found []revocationEntry
	for ; i < len(x.slots) && x.slots[i]>>32 == h; i++ {
		at := uint32(x.slots[i])
		var e crlEntry
		s := cryptobyte.String(c.entries[at:])
		if !readCRLEntry(&s, &e) {
			return nil, errCRLEntry
		}
		if bytes.Equal(e.serial, serial) && c.entryIssuedBy(at, issuerKey) {
			found = append(found, e.revocationEntry)
		}
	}
	return found, nil
}

// entryIssuedBy reports whether the certificate of the entry at that offset
// was issued by a name. The certificateIssuer of an entry holds for those
// after it too (RFC 5280 section 5.3.3); before the first it is the CRL's own.
func (c *crl) entryIssuedBy(at uint32, issuerKey string) bool {
	list := c.index.issuers
	i := sort.Search(len(list), func(i int) bool { return list[i] > at })
	if i == 0 {
		return c.issuerKey == issuerKey
	}
	var e crlEntry
	s := cryptobyte.String(c.entries[list[i-1]:])
	if !readCRLEntry(&s, &e) {
		return false
	}
	names, err := x509der.GeneralNames(e.issuer)
	if err != nil {
		return false
	}
	for _, n := range names {
		if n.Kind == x509der.DirectoryName && x509der.NormalName(n.Value) == issuerKey {
			return true
		}
	}
	return false
}

// indexEntries walks the entries twice: it counts them, then reads every one
// in full, so that a list with a broken entry is never used in part.
func indexEntries(list []byte) (*crlIndex, error) {
	n := 0
	for s := cryptobyte.String(list); !s.Empty(); n++ {
		if !s.SkipASN1(asn1.SEQUENCE) {
			return nil, errCRLEntry
		}
	}
	x := &crlIndex{seed: maphash.MakeSeed(), slots: make([]uint64, n)}
	s := cryptobyte.String(list)
	var e crlEntry
	for i := range x.slots {
		at := len(list) - len(s)
		if !readCRLEntry(&s, &e) {
			return nil, errCRLEntry
		}
		x.slots[i] = uint64(uint32(maphash.Bytes(x.seed, e.serial)))<<32 | uint64(uint32(at))
		x.unknown = x.unknown || e.unknown
		if e.issuer != nil {
			x.addIssuer(uint32(at), list)
		}
	}
	slices.Sort(x.slots)
	x.issuers = append(make([]uint32, 0, len(x.issuers)), x.issuers...)
	return x, nil
}

// addIssuer notes an entry with certificateIssuer unless it repeats the last.
func (x *crlIndex) addIssuer(at uint32, list []byte) {
	if n := len(x.issuers); n > 0 {
		var last, this crlEntry
		a, b := cryptobyte.String(list[x.issuers[n-1]:]), cryptobyte.String(list[at:])
		if readCRLEntry(&a, &last) && readCRLEntry(&b, &this) && bytes.Equal(last.issuer, this.issuer) {
			return
		}
	}
	x.issuers = append(x.issuers, at)
}

// readCRLEntry reads
//
//	SEQUENCE {
//	    userCertificate     CertificateSerialNumber,
//	    revocationDate      Time,
//	    crlEntryExtensions  Extensions OPTIONAL }
func readCRLEntry(s *cryptobyte.String, e *crlEntry) bool {
	var entry, serial cryptobyte.String
	*e = crlEntry{}
	if !s.ReadASN1(&entry, asn1.SEQUENCE) || !entry.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 ||
		!x509der.ReadTime(&entry, &e.date) {
		return false
	}
	e.serial = trimInteger(serial)
	if entry.Empty() {
		return true
	}
	var exts cryptobyte.String
	if !entry.ReadASN1(&exts, asn1.SEQUENCE) || !entry.Empty() || exts.Empty() {
		return false
	}
	return e.readExtensions(exts)
}

// readExtensions reads the extensions of RFC 5280 section 5.3 without making
// a list of them.
func (e *crlEntry) readExtensions(exts cryptobyte.String) bool {
	var seen uint8
	for !exts.Empty() {
		var ext, id, value cryptobyte.String
		critical := false
		if !exts.ReadASN1(&ext, asn1.SEQUENCE) || !ext.ReadASN1(&id, asn1.OBJECT_IDENTIFIER) {
			return false
		}
		if ext.PeekASN1Tag(asn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical) {
			return false
		}
		if !ext.ReadASN1(&value, asn1.OCTET_STRING) || !ext.Empty() {
			return false
		}
		bit := uint8(0)
		ok := true
		switch oid.OID(id) {
		case oid.ExtReasonCode:
			bit = 1
			e.reason, ok = readReason(&value)
			ok = ok && value.Empty()
		case oid.ExtInvalidityDate:
			bit = 2
			ok = x509der.ReadGeneralizedTime(&value, &e.invalidity) && value.Empty()
		case oid.ExtCertificateIssuer:
			bit = 4
			e.issuer = value
			rest := value
			ok = rest.SkipASN1(asn1.SEQUENCE) && rest.Empty()
		default:
			e.unknown = e.unknown || critical
		}
		if !ok || seen&bit != 0 {
			return false
		}
		seen |= bit
	}
	return true
}

// readReason reads CRLReason ::= ENUMERATED. One that is not known counts as
// unspecified.
func readReason(s *cryptobyte.String) (crlReason, bool) {
	var n int
	if !s.ReadASN1Enum(&n) {
		return 0, false
	}
	if n < 0 || n > 10 {
		return reasonUnspecified, true
	}
	return crlReason(n), true
}

// trimInteger takes the padding off the content octets of an INTEGER, which
// DER does not have.
func trimInteger(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}
