package chain

import (
	"crypto/x509"
	"time"
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
type Entry struct{}

// NewEntry returns an Entry. c may be nil: no constraints beyond the
// certificate's own. label is for humans and never decides anything.
func NewEntry(kind Kind, der []byte, label string, c *Constraints) *Entry { panic("sketch") }

// Kind says what the entry holds.
func (e *Entry) Kind() Kind { panic("sketch") }

// DER returns the encoding. It must not be changed.
func (e *Entry) DER() []byte { panic("sketch") }

// Certificate returns the parsed certificate.
func (e *Entry) Certificate() (*x509.Certificate, error) { panic("sketch") }

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
