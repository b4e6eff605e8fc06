// Package x509der reads certificates from DER as RFC 5280 has them, including
// those that crypto/x509 refuses. What it returns points into the input.
package x509der

import (
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
)

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
	AuthorityKeyID        []byte
}

// An Extension is one extension, unparsed.
type Extension struct {
	ID       oid.OID
	Critical bool
	Value    []byte
}

// An Error says what is wrong where.
type Error struct {
	Field  string
	Reason string
}

func (e *Error) Error() string { return "certificate: " + e.Field + ": " + e.Reason }

// Parse reads one certificate, which must be all of der. Bytes are checked to
// be DER in structure; names, keys and extensions are left to who needs them.
func Parse(der []byte) (*Certificate, error) { panic("sketch") }

// Extension returns the extension with that identifier, or nil. Duplicates are an error of Parse.
func (c *Certificate) Extension(id oid.OID) *Extension { panic("sketch") }

// KeyIDs returns the identifiers by which a message may name the key: the
// extension's, then SHA-1 of the key bits and the 60-bit form (RFC 5280 section 4.2.1.2), then
// SHA-256 truncated to 160 bits (RFC 7093).
func (c *Certificate) KeyIDs() [][]byte { panic("sketch") }

// Mailboxes returns the addresses that the certificate names, in the order of
// the SAN: rfc822Name and SmtpUTF8Mailbox, or, if the SAN has neither, the
// emailAddress attributes of the subject.
func (c *Certificate) Mailboxes() ([]Mailbox, error) { panic("sketch") }

// A Mailbox is an address with where it was found.
type Mailbox struct {
	Address string
	UTF8    bool // SmtpUTF8Mailbox (RFC 9598)
	Subject bool // emailAddress of the subject
}

// EqualNames compares two DER Names as RFC 5280 section 7.1 says: case, space and string types fold.
func EqualNames(a, b []byte) bool { panic("sketch") }

// NormalName returns a key that is equal for names that EqualNames calls equal.
func NormalName(name []byte) string { panic("sketch") }
