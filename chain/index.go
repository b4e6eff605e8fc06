package chain

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"math/big"
	"strings"
	"sync"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A memory is a Source in memory. Its indexes are built when first asked for.
type memory struct {
	entries []*Entry
	err     error // reported after the entries

	kindsOnce sync.Once
	kinds     [KindOCSPResponse + 1][]*Entry

	unusableOnce sync.Once
	unusable     *Error // what can't ban, of a list of banned certificates

	subjects, serials, keyIDs, addresses, keys index // certificates
	crlIssuers, crlKeyIDs                      index
}

// An index finds entries by a string.
type index struct {
	once    sync.Once
	entries map[string][]*Entry
}

func (x *index) get(from []*Entry, keys func(*Entry, func(string)), key string) []*Entry {
	x.once.Do(func() {
		x.entries = make(map[string][]*Entry, len(from))
		for _, e := range from {
			keys(e, func(k string) {
				// An entry with the same key twice is listed once.
				if l := x.entries[k]; len(l) == 0 || l[len(l)-1] != e {
					x.entries[k] = append(l, e)
				}
			})
		}
	})
	return x.entries[key]
}

// A lookup is a Query with its names and address in normal form.
type lookup struct {
	Query
	subject, issuer string
	address         *mailbox.Address
}

func newLookup(q Query) lookup {
	l := lookup{Query: q}
	if q.Subject != nil {
		l.subject = x509der.NormalName(q.Subject)
	}
	if q.Issuer != nil {
		l.issuer = x509der.NormalName(q.Issuer)
	}
	if q.Mailbox != "" {
		if a, err := mailbox.Parse(q.Mailbox); err == nil {
			l.address = &a
		}
	}
	return l
}

// Find implements Source.
func (m *memory) Find(_ context.Context, q Query) iter.Seq2[*Entry, error] {
	return func(yield func(*Entry, error) bool) {
		l := newLookup(q)
		for _, e := range m.lookup(&l) {
			if l.matches(e) && !yield(e, nil) {
				return
			}
		}
		if m.err != nil {
			yield(nil, m.err)
		}
	}
}

// few is the number of elements up to which a look at each is cheaper than an index.
const few = 8

// lookup returns a superset of the entries that match.
func (m *memory) lookup(l *lookup) []*Entry {
	if l.Kind == 0 || l.Kind > KindOCSPResponse {
		return nil
	}
	of := m.ofKind(l.Kind)
	if len(of) <= few {
		return of
	}
	switch {
	case l.Kind == KindCRL && l.Issuer != nil:
		return m.crlIssuers.get(of, crlIssuerKey, l.issuer)
	case l.Kind == KindCRL && l.KeyID != nil:
		return m.crlKeyIDs.get(of, crlKeyIDKey, string(l.KeyID))
	case l.Kind != KindCertificate:
		return of
	case l.Issuer != nil && l.Serial != nil:
		return m.serials.get(of, serialKeys, l.issuer+"\x00"+l.Serial.String())
	case l.Subject != nil:
		return m.subjects.get(of, subjectKeys, l.subject)
	case l.KeyID != nil:
		return m.keyIDs.get(of, keyIDKeys, string(l.KeyID))
	case l.address != nil:
		return m.addresses.get(of, addressKeys, addressKey(*l.address))
	case l.Mailbox != "":
		return nil
	}
	return of
}

// withKey returns the certificates that may have the key of c.
func (m *memory) withKey(c *certificate) []*Entry {
	of := m.ofKind(KindCertificate)
	if len(of) <= few {
		return of
	}
	return m.keys.get(of, publicKeyKeys, c.keyID())
}

// unusableBan returns an error if an element can't ban anything: it may be the
// one that matters.
func (m *memory) unusableBan() *Error {
	m.unusableOnce.Do(func() {
		for i, e := range m.entries {
			if _, err := e.cert(); err != nil {
				m.unusable = &Error{Reason: ErrMalformed, Detail: fmt.Sprintf("element %d of the banned certificates", i), Err: err}
				return
			}
		}
	})
	return m.unusable
}

func (m *memory) ofKind(k Kind) []*Entry {
	m.kindsOnce.Do(func() {
		for _, e := range m.entries {
			if e.kind <= KindOCSPResponse {
				m.kinds[e.kind] = append(m.kinds[e.kind], e)
			}
		}
	})
	return m.kinds[k]
}

func subjectKeys(e *Entry, add func(string)) {
	if c, err := e.cert(); err == nil {
		add(c.subject())
	}
}

func serialKeys(e *Entry, add func(string)) {
	if c, err := e.cert(); err == nil {
		add(c.issuer() + "\x00" + c.Serial.String())
	}
}

func publicKeyKeys(e *Entry, add func(string)) {
	if c, err := e.cert(); err == nil {
		add(c.keyID())
	}
}

func keyIDKeys(e *Entry, add func(string)) {
	if c, err := e.cert(); err == nil {
		for _, id := range c.KeyIDs() {
			add(string(id))
		}
	}
}

func addressKeys(e *Entry, add func(string)) {
	c, err := e.cert()
	if err != nil {
		return
	}
	list, err := c.mailboxes()
	if err != nil {
		return
	}
	for _, m := range list {
		if a, err := mailbox.Parse(m.Address); err == nil {
			add(addressKey(a))
		}
	}
}

// addressKey folds the case of the local part: what differs only there is
// told apart by matches.
func addressKey(a mailbox.Address) string { return strings.ToLower(a.Local) + "@" + a.Domain }

func crlIssuerKey(e *Entry, add func(string)) {
	if issuer, _, err := e.crlKeys(); err == nil {
		add(x509der.NormalName(issuer))
	}
}

func crlKeyIDKey(e *Entry, add func(string)) {
	if _, id, err := e.crlKeys(); err == nil && id != nil {
		add(string(id))
	}
}

// matches reports whether e is what l asks for, whatever Source it came from.
func (l *lookup) matches(e *Entry) bool {
	if e == nil || e.element == nil || e.kind != l.Kind {
		return false
	}
	switch e.kind {
	case KindCertificate:
		c, err := e.cert()
		return err == nil && l.matchesCertificate(c)
	case KindCRL:
		return l.matchesCRL(e)
	case KindOCSPResponse:
		return l.matchesOCSP(e)
	}
	return false
}

func (l *lookup) matchesCertificate(c *certificate) bool {
	if l.Subject != nil && !bytes.Equal(l.Subject, c.Subject) && l.subject != c.subject() {
		return false
	}
	if l.Issuer != nil && !bytes.Equal(l.Issuer, c.Issuer) && l.issuer != c.issuer() {
		return false
	}
	if l.Serial != nil && l.Serial.Cmp(c.Serial) != 0 {
		return false
	}
	if l.KeyID != nil && !hasKeyID(c, l.KeyID) {
		return false
	}
	if l.Mailbox != "" {
		if l.address == nil {
			return false
		}
		_, found := findMailbox(c, *l.address)
		return found
	}
	return true
}

func hasKeyID(c *certificate, id []byte) bool {
	for _, have := range c.KeyIDs() {
		if bytes.Equal(have, id) {
			return true
		}
	}
	return false
}

func (l *lookup) matchesCRL(e *Entry) bool {
	if l.Subject != nil || l.Serial != nil || l.Mailbox != "" {
		return false
	}
	if l.Issuer == nil && l.KeyID == nil {
		return true
	}
	issuer, id, err := e.crlKeys()
	if err != nil {
		return false
	}
	if l.Issuer != nil && !bytes.Equal(l.Issuer, issuer) && l.issuer != x509der.NormalName(issuer) {
		return false
	}
	return l.KeyID == nil || bytes.Equal(l.KeyID, id)
}

func (l *lookup) matchesOCSP(e *Entry) bool {
	if l.Subject != nil || l.Issuer != nil || l.KeyID != nil || l.Mailbox != "" {
		return false
	}
	if l.Serial == nil {
		return true
	}
	serials, err := e.ocspSerials()
	if err != nil {
		return false
	}
	for _, s := range serials {
		if signedInt(s).Cmp(l.Serial) == 0 {
			return true
		}
	}
	return false
}

// signedInt reads the content octets of an INTEGER.
func signedInt(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}

// kindOf tells certificates, CRLs and OCSP responses apart by their first few
// elements. What it can't place is a certificate, and malformed.
//
//	Certificate         ::= SEQUENCE { SEQUENCE { [0] or INTEGER, INTEGER or SEQUENCE ...
//	CertificateList     ::= SEQUENCE { SEQUENCE { INTEGER OPTIONAL, SEQUENCE, SEQUENCE, Time ...
//	OCSPResponse        ::= SEQUENCE { ENUMERATED, ...
func kindOf(der []byte) Kind {
	outer := cryptobyte.String(der)
	var body, tbs cryptobyte.String
	if !outer.ReadASN1(&body, asn1.SEQUENCE) {
		return KindCertificate
	}
	if body.PeekASN1Tag(asn1.ENUM) {
		return KindOCSPResponse
	}
	if !body.ReadASN1(&tbs, asn1.SEQUENCE) {
		return KindCertificate
	}
	tbs.SkipOptionalASN1(asn1.INTEGER) // the version of a CRL, the serial number of a v1 certificate
	for range 2 {
		if !tbs.SkipASN1(asn1.SEQUENCE) {
			return KindCertificate
		}
	}
	if tbs.PeekASN1Tag(asn1.UTCTime) || tbs.PeekASN1Tag(asn1.GeneralizedTime) {
		return KindCRL
	}
	return KindCertificate
}
