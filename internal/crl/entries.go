package crl

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

// A Reason is a CRLReason of RFC 5280 section 5.3.1.
type Reason uint8

const (
	ReasonUnspecified   Reason = 0
	ReasonKeyCompromise Reason = 1
	ReasonCACompromise  Reason = 2
	ReasonHold          Reason = 6
	ReasonRemoveFromCRL Reason = 8
)

func (r Reason) String() string {
	switch r {
	case ReasonKeyCompromise:
		return "keyCompromise"
	case ReasonCACompromise:
		return "cACompromise"
	case 3:
		return "affiliationChanged"
	case 4:
		return "superseded"
	case 5:
		return "cessationOfOperation"
	case ReasonHold:
		return "certificateHold"
	case ReasonRemoveFromCRL:
		return "removeFromCRL"
	case 9:
		return "privilegeWithdrawn"
	case 10:
		return "aACompromise"
	}
	return "unspecified"
}

// A Entry is what a CRL or an OCSP response says of a revoked
// certificate.
type Entry struct {
	Date       time.Time
	Invalidity time.Time // zero: not given
	Reason     Reason
}

// Since returns the earlier of both dates.
func (r Entry) Since() time.Time {
	if !r.Invalidity.IsZero() && r.Invalidity.Before(r.Date) {
		return r.Invalidity
	}
	return r.Date
}

// A entry is one entry of a CRL.
type entry struct {
	serial []byte // content octets, without padding
	Entry
	issuer  []byte // value of certificateIssuer; nil: none
	unknown bool   // has a critical extension that is not understood
}

// A index finds the entries of a serial number. It takes 8 octets for an
// entry and 4 more for one that names a certificate issuer.
type index struct {
	seed    maphash.Seed
	slots   []uint64 // hash of the serial number << 32 | offset, sorted
	issuers []uint32 // offsets of the entries with certificateIssuer, ascending
}

// smallList is up to where a list of entries is not indexed when it is first
// asked: most CRLs are asked about one certificate and never again.
const smallList = 1 << 16

// Lookup returns the entries for a certificate of the issuer with that
// normalised name. Every entry is read at least in form, whatever is looked
// for: the error says that the list can't be used for any certificate.
func (c *List) Lookup(issuerKey string, serial []byte) ([]Entry, error) {
	serial = x509der.TrimInteger(serial)
	var offsets [8]uint32
	if len(c.entries) <= smallList && !c.asked.Swap(true) {
		found, issuers, err := scanEntries(c.entries, serial, offsets[:0])
		if err != nil {
			return nil, err
		}
		return c.entriesAt(found, issuers, issuerKey, serial)
	}
	c.once.Do(func() { c.index, c.indexErr = indexEntries(c.entries) })
	if c.indexErr != nil {
		return nil, c.indexErr
	}
	x := c.index
	h := uint64(uint32(maphash.Bytes(x.seed, serial)))
	found := offsets[:0]
	i, _ := slices.BinarySearch(x.slots, h<<32)
	for ; i < len(x.slots) && x.slots[i]>>32 == h; i++ {
		found = append(found, uint32(x.slots[i]))
	}
	return c.entriesAt(found, x.issuers, issuerKey, serial)
}

// entriesAt reads the entries at those offsets and returns those that are about
// the certificate.
func (c *List) entriesAt(offsets, issuers []uint32, issuerKey string, serial []byte) (found []Entry, err error) {
	for _, at := range offsets {
		var e entry
		s := cryptobyte.String(c.entries[at:])
		if !readEntry(&s, &e) {
			return nil, ErrMalformedEntry
		}
		if bytes.Equal(e.serial, serial) && c.entryIssuedBy(at, issuers, issuerKey) {
			found = append(found, e.Entry)
		}
	}
	return found, nil
}

// entryIssuedBy reports whether the certificate of the entry at that offset
// was issued by a name. The certificateIssuer of an entry holds for those
// after it too (RFC 5280 section 5.3.3); before the first it is the CRL's own.
func (c *List) entryIssuedBy(at uint32, issuers []uint32, issuerKey string) bool {
	i := sort.Search(len(issuers), func(i int) bool { return issuers[i] > at })
	if i == 0 {
		return c.IssuerKey == issuerKey
	}
	var e entry
	s := cryptobyte.String(c.entries[issuers[i-1]:])
	if !readEntry(&s, &e) {
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

// scanEntries reads a list from end to end and returns the offsets of the
// entries with a serial number, and of those with certificateIssuer.
func scanEntries(list, serial []byte, found []uint32) (all, issuers []uint32, err error) {
	var e entry
	for s := cryptobyte.String(list); !s.Empty(); {
		at := uint32(len(list) - len(s))
		if err := nextEntry(&s, &e); err != nil {
			return nil, nil, err
		}
		if bytes.Equal(e.serial, serial) {
			found = append(found, at)
		}
		if e.issuer != nil {
			issuers = append(issuers, at)
		}
	}
	return found, issuers, nil
}

// indexEntries reads a list from end to end, after it has counted the entries.
func indexEntries(list []byte) (*index, error) {
	n := 0
	for s := cryptobyte.String(list); !s.Empty(); n++ {
		if !s.SkipASN1(asn1.SEQUENCE) {
			return nil, ErrMalformedEntry
		}
	}
	x := &index{seed: maphash.MakeSeed(), slots: make([]uint64, n)}
	s := cryptobyte.String(list)
	var e entry
	for i := range x.slots {
		at := len(list) - len(s)
		if err := nextEntry(&s, &e); err != nil {
			return nil, err
		}
		x.slots[i] = uint64(uint32(maphash.Bytes(x.seed, e.serial)))<<32 | uint64(uint32(at))
		if e.issuer != nil {
			x.addIssuer(uint32(at), list)
		}
	}
	slices.Sort(x.slots)
	x.issuers = append(make([]uint32, 0, len(x.issuers)), x.issuers...)
	return x, nil
}

// nextEntry reads an entry in form. Of one in the shape that nearly all have,
// with a reason code or nothing, only the serial number is taken.
func nextEntry(s *cryptobyte.String, e *entry) error {
	if serial, n := plainEntry(*s); n > 0 {
		e.serial, e.issuer = serial, nil
		*s = (*s)[n:]
		return nil
	}
	if !readEntry(s, e) {
		return ErrMalformedEntry
	}
	// RFC 5280 section 5.3: then the CRL must not decide about any certificate.
	if e.unknown {
		return ErrUnknownEntry
	}
	return nil
}

// plainEntry returns the serial number and the length of an entry with short
// lengths, a UTCTime and at most a reason code; 0 if it is not one.
func plainEntry(b []byte) (serial []byte, size int) {
	const dateLen, reasonLen = 15, 14
	if len(b) < 4 || b[0] != 0x30 || b[1] >= 0x80 || len(b) < 2+int(b[1]) {
		return nil, 0
	}
	size = 2 + int(b[1])
	n := int(b[3])
	if b[2] != 2 || n == 0 || n >= 0x80 || 4+n+dateLen > size {
		return nil, 0
	}
	serial, rest := x509der.TrimInteger(b[4:4+n]), b[4+n:size]
	if rest[0] != 0x17 || rest[1] != 13 || rest[14] != 'Z' {
		return nil, 0
	}
	for _, c := range rest[2:14] {
		if c < '0' || c > '9' {
			return nil, 0
		}
	}
	if rest = rest[dateLen:]; len(rest) == 0 {
		return serial, size
	}
	//	SEQUENCE { SEQUENCE { id-ce-cRLReasons, OCTET STRING { ENUMERATED } } }
	const reason = "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01"
	if len(rest) == reasonLen && string(rest[:reasonLen-1]) == reason {
		return serial, size
	}
	return nil, 0
}

// addIssuer notes an entry with certificateIssuer unless it repeats the last.
func (x *index) addIssuer(at uint32, list []byte) {
	if n := len(x.issuers); n > 0 {
		var last, this entry
		a, b := cryptobyte.String(list[x.issuers[n-1]:]), cryptobyte.String(list[at:])
		if readEntry(&a, &last) && readEntry(&b, &this) && bytes.Equal(last.issuer, this.issuer) {
			return
		}
	}
	x.issuers = append(x.issuers, at)
}

// readEntry reads
//
//	SEQUENCE {
//	    userCertificate     CertificateSerialNumber,
//	    revocationDate      Time,
//	    crlEntryExtensions  Extensions OPTIONAL }
func readEntry(s *cryptobyte.String, e *entry) bool {
	var body, serial cryptobyte.String
	*e = entry{}
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1(&serial, asn1.INTEGER) || len(serial) == 0 ||
		!x509der.ReadTime(&body, &e.Date) {
		return false
	}
	e.serial = x509der.TrimInteger(serial)
	if body.Empty() {
		return true
	}
	var exts cryptobyte.String
	if !body.ReadASN1(&exts, asn1.SEQUENCE) || !body.Empty() || exts.Empty() {
		return false
	}
	return e.readExtensions(exts)
}

// readExtensions reads the extensions of RFC 5280 section 5.3 without making
// a list of them.
func (e *entry) readExtensions(exts cryptobyte.String) bool {
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
			var reason uint8
			reason, ok = x509der.ReadCRLReason(&value)
			e.Reason = Reason(reason)
			ok = ok && value.Empty()
		case oid.ExtInvalidityDate:
			bit = 2
			ok = x509der.ReadGeneralizedTime(&value, &e.Invalidity) && value.Empty()
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
