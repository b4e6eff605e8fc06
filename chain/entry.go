package chain

import (
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"github.com/gosmime/gosmime/internal/ocsp"
)

// Kind says what an [Entry] holds.
type Kind uint8

const (
	_ Kind = iota // the zero Kind matches nothing
	KindCertificate
	KindCRL
	KindOCSPResponse // an RFC 6960 OCSPResponse, stapled or stored
)

// An Entry is one element offered by a [Source]. It is immutable and parsed on
// first use, so that one certificate this package can't read never hides the
// others.
type Entry struct {
	*element
	label       string
	constraints []Constraints // all must be met
}

// An element is what entries with different constraints share.
type element struct {
	kind Kind
	der  []byte

	certOnce sync.Once
	parsed   *certificate
	certErr  error

	crl  lazyCRL
	ocsp lazyOCSP
}

// NewEntry returns an Entry. c may be nil: no constraints beyond the
// certificate's own. label is for humans and never decides anything.
func NewEntry(kind Kind, der []byte, label string, c *Constraints) *Entry {
	e := &Entry{element: &element{kind: kind, der: der}, label: label}
	if c != nil {
		e.constraints = []Constraints{c.clone()}
	}
	return e
}

// Kind says what the entry holds.
func (e *Entry) Kind() Kind {
	if e.element == nil {
		return 0
	}
	return e.kind
}

// DER returns the encoding. It must not be changed.
func (e *Entry) DER() []byte {
	if e.element == nil {
		return nil
	}
	return e.der
}

// Certificate returns the parsed certificate. It must not be changed. One that
// crypto/x509 can't read but this package can has only its raw fields, names,
// serial number, validity, signature, extensions, and of what they and the key
// say as much as mail needs. The error is an [*Error] for [ErrMalformed].
func (e *Entry) Certificate() (*x509.Certificate, error) {
	c, err := e.element.cert()
	if err != nil {
		return nil, &Error{Reason: ErrMalformed, Err: err}
	}
	return c.x509(), nil
}

// Err returns nil if this package can use the entry, and else an [*Error] for
// [ErrMalformed]: a certificate that can't be read, or a CRL or OCSP response
// that can't, or has a critical extension that is not known. [Collection.Verify]
// passes over such an entry, as it must where a stranger wrote it. Whoever reads
// CRLs or bans that an administrator gave should refuse them instead: an element
// that is passed over can't say that a certificate is revoked.
func (e *Entry) Err() error {
	var err error
	switch e.Kind() {
	case KindCertificate:
		_, err = e.cert()
	case KindCRL:
		err = e.crl.usable(e.DER())
	case KindOCSPResponse:
		var r *ocsp.Response
		if r, err = e.ocsp.get(e.DER()); err == nil && r.UnknownExtension != "" {
			err = ocsp.ErrUnknown
		}
	default:
		err = errNotCertificate{}
	}
	if err != nil {
		return &Error{Reason: ErrMalformed, Err: err}
	}
	return nil
}

// cert returns the parsed certificate of a KindCertificate entry.
func (e *element) cert() (*certificate, error) {
	if e == nil || e.kind != KindCertificate {
		return nil, errNotCertificate{}
	}
	e.certOnce.Do(func() { e.parsed, e.certErr = parseCertificate(e.der) })
	return e.parsed, e.certErr
}

// adopt spares the parsing of a certificate that the cache knows.
func (e *element) adopt(from *cache) {
	if e.kind != KindCertificate {
		return
	}
	if known := from.known(e.der); known != nil {
		e.certOnce.Do(func() { e.parsed = known })
	}
}

// with returns the entry with c as a further constraint.
func (e *Entry) with(c *Constraints) *Entry {
	n := *e
	n.constraints = append(slices.Clip(n.constraints), *c)
	return &n
}

type errNotCertificate struct{}

func (errNotCertificate) Error() string { return "not a certificate" }

// Constraints narrow what an anchor is trusted for. They can only narrow.
type Constraints struct {
	Purposes   []Purpose // the only ones it is trusted for; none if empty, unless AnyPurpose
	AnyPurpose bool
	// Mailboxes are the only addresses it may vouch for, in the forms of an
	// RFC 5280 rfc822Name constraint: "user@host", "host", ".domain".
	Mailboxes    []string // none if empty, unless AnyMailbox
	AnyMailbox   bool
	TrustedUntil time.Time // zero: no limit
	// IssuedBefore refuses leaves whose notBefore is not earlier; zero: no
	// limit. It applies to the purposes in IssuedBeforeFor; nil: to any.
	IssuedBefore    time.Time
	IssuedBeforeFor []Purpose
}

func (c *Constraints) clone() Constraints {
	d := *c
	d.Purposes = slices.Clone(c.Purposes)
	d.Mailboxes = slices.Clone(c.Mailboxes)
	d.IssuedBeforeFor = slices.Clone(c.IssuedBeforeFor)
	return d
}
