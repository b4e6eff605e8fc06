package chain

import (
	"sync"

	"github.com/gosmime/gosmime/internal/crl"
	"github.com/gosmime/gosmime/internal/oid"
)

// A lazyCRL is a CRL that is parsed and indexed on first use.
type lazyCRL struct {
	once sync.Once
	list *crl.List
	err  error
}

func (l *lazyCRL) get(der []byte) (*crl.List, error) {
	l.once.Do(func() { l.list, l.err = crl.Parse(der) })
	return l.list, l.err
}

// usable says why the CRL can't be used for any certificate.
func (l *lazyCRL) usable(der []byte) error {
	c, err := l.get(der)
	if err != nil {
		return err
	}
	return c.Check()
}

// crlKeys returns what a source is asked by: the issuer and the authority key
// identifier (nil if none) of a CRL.
func (e *Entry) crlKeys() (issuer, keyID []byte, err error) {
	c, err := e.crl.get(e.DER())
	if err != nil {
		return nil, nil, err
	}
	return c.Issuer, c.AuthorityKey, nil
}

// scope returns what the scope of a CRL is compared with.
func (c *certificate) scope() crl.Subject {
	return crl.Subject{IssuerKey: c.issuer(), CA: c.isCA(), Version: c.Version}
}

// distributionPoints returns the points of a certificate, and last the one that
// RFC 5280 section 6.3.3 assumes: any CRL of the certificate's issuer. ok is
// false where the extension can't be read; that last one remains.
func (c *certificate) distributionPoints() (list []crl.DistributionPoint, ok bool) {
	issuerKey := c.issuer()
	ok = true
	if e := c.Extension(oid.ExtCRLDistributionPoints); e != nil {
		list, ok = crl.ParseDistributionPoints(e.Value, issuerKey)
	}
	return append(list, crl.AnyOf(issuerKey)), ok
}
