package chain

import (
	"crypto/x509"
	"time"
)

// A Path is a validated path. Only [Collection.Verify] makes one: to hold a
// Path is to know that it passed.
type Path struct{ certs []*x509.Certificate }

// Certificates returns the path, leaf first and anchor last.
func (p *Path) Certificates() []*x509.Certificate { panic("sketch") }

// Leaf returns the certificate that was verified.
func (p *Path) Leaf() *x509.Certificate { panic("sketch") }

// Anchor returns the trust anchor.
func (p *Path) Anchor() *x509.Certificate { panic("sketch") }

// At returns the time by which the path was judged.
func (p *Path) At() time.Time { panic("sketch") }

// Revocation returns what is known about the i-th certificate.
func (p *Path) Revocation(i int) RevocationStatus { panic("sketch") }

// A RevocationStatus is what is known about one certificate and from where.
type RevocationStatus struct {
	Status                 Status
	Evidence               Kind // CRL or OCSPResponse; zero: none
	ThisUpdate, NextUpdate time.Time
	RevokedAt              time.Time // after Path.At: revoked since
}

// Policies returns the user-constrained policy set of the path, RFC 5280
// section 6.1.6 by the method of RFC 9618.
func (p *Path) Policies() []x509.OID { panic("sketch") }

// Status is what is known about the revocation of one certificate.
type Status uint8

const (
	StatusUnknown Status = iota // no current CRL or OCSP response was found
	StatusGood                  // a current one does not list it
)
