package chain

import (
	"crypto/x509"
	"slices"
	"time"
)

// A Path is a validated path. Only [Collection.Verify] makes one: to hold a
// Path is to know that it passed. The methods of a zero Path panic.
type Path struct {
	certs      []*certificate
	at         time.Time
	revocation []RevocationStatus // of each but the anchor
	settled    int                // certificates known to be good by more than what came with a message
	policies   []x509.OID
	until      time.Time // when a fact that the path rests on ends
	now        time.Time // of the clock, when it was made
}

// Certificates returns the path, leaf first and anchor last. They must not be
// changed.
func (p *Path) Certificates() []*x509.Certificate {
	p.check()
	list := make([]*x509.Certificate, len(p.certs))
	for i, c := range p.certs {
		list[i] = c.x509()
	}
	return list
}

// Leaf returns the certificate that was verified.
func (p *Path) Leaf() *x509.Certificate { p.check(); return p.certs[0].x509() }

// Anchor returns the trust anchor. It is the leaf if that is an anchor itself.
func (p *Path) Anchor() *x509.Certificate { p.check(); return p.certs[len(p.certs)-1].x509() }

// At returns the time by which the path was judged.
func (p *Path) At() time.Time { p.check(); return p.at }

// Mailboxes returns the addresses that the leaf names, as written there. That
// the path passed says that its anchor may vouch for the one in the Policy, or,
// if that was any, for all of them.
func (p *Path) Mailboxes() []string {
	p.check()
	list, err := p.certs[0].mailboxes()
	if err != nil {
		return nil
	}
	return addresses(list)
}

// Revocation returns what is known about the i-th certificate. Of the anchor,
// and with InsecureSkipRevocation, that is nothing. It panics if i is out of
// range.
func (p *Path) Revocation(i int) RevocationStatus {
	p.check()
	if i < len(p.certs) && i >= len(p.revocation) {
		return RevocationStatus{}
	}
	return p.revocation[i]
}

// A RevocationStatus is what is known about one certificate and from where.
type RevocationStatus struct {
	Status                 Status
	Evidence               Kind      // CRL or OCSPResponse; zero: none
	ThisUpdate, NextUpdate time.Time // of the evidence; zero: it has none
	RevokedAt              time.Time // after Path.At: revoked since
}

// Policies returns the user-constrained policy set of the path, RFC 5280
// section 6.1.6 by the method of RFC 9618, in terms of the anchor's domain and
// in the order of their encodings. It has anyPolicy (2.5.29.32.0) if any policy
// is valid.
func (p *Path) Policies() []x509.OID { p.check(); return slices.Clone(p.policies) }

// check makes the methods of a zero Path panic: it proves nothing.
func (p *Path) check() {
	if len(p.certs) == 0 {
		panic("chain: use of a Path that Collection.Verify did not make")
	}
}

// Status is what is known about the revocation of one certificate.
type Status uint8

const (
	StatusUnknown Status = iota // no current CRL or OCSP response was found
	StatusGood                  // a current one does not list it
)
