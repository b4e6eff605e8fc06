package exchange

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/sst"
)

// A CollectionInfo is what Get-SmimeConfig shows of the collection, and what an
// administrator should know before it stops working.
type CollectionInfo struct {
	ExpiryDate        time.Time // SMIMECertificatesExpiryDate: the earliest notAfter
	ExpiredThumbprint string    // SMIMEExpiredCertificateThumbprint: of that certificate
	Certificates      int       // each counted once
	// Unreadable are the certificates that could not be read, each with its
	// reason. They are in the store but vouch for nobody.
	Unreadable []error

	certs []*x509.Certificate
}

// ExpiringBefore returns the certificates that expire before t: those to renew.
// Of time.Now() it returns those that have expired.
func (i CollectionInfo) ExpiringBefore(t time.Time) []*x509.Certificate {
	var list []*x509.Certificate
	for _, c := range i.certs {
		if c.NotAfter.Before(t) {
			list = append(list, c)
		}
	}
	return list
}

// CheckCollection checks an SST that is about to be taken into use, as
// Set-SmimeConfig -SMIMECertificateIssuingCA does: it fails with an
// [*ExpiredError] that lists every certificate that has expired at the given
// time; zero means now. Any other error is an [*sst.Error], or wraps
// [ErrNoCollection] if there is no certificate that can be read. A store that
// is in use is loaded by [NewCollection].
func CheckCollection(store []byte, at time.Time) (CollectionInfo, error) {
	_, info, err := NewCollection(store)
	if err != nil {
		return CollectionInfo{}, err
	}
	if at.IsZero() {
		at = time.Now()
	}
	if expired := info.ExpiringBefore(at); len(expired) > 0 {
		return CollectionInfo{}, &ExpiredError{Certificates: expired}
	}
	return info, nil
}

// NewCollection loads the virtual certificate collection of an SST: its
// self-signed certificates are anchors, the others help to build paths. It
// never fails because a certificate has expired, since a collection in use must
// not stop working as a whole when one member expires: paths through that
// member fail, and [CollectionInfo.ExpiringBefore] reports it. The error is an
// [*sst.Error], that of [chain.Entry.Err] for a CRL of the store that can't be
// used, or wraps [ErrNoCollection] if there is no certificate that can be read.
func NewCollection(store []byte) (*chain.Collection, CollectionInfo, error) {
	return NewTrust(CollectionOnly, store, nil)
}

// Mode says which certificates vouch for a signer.
type Mode uint8

const (
	CollectionOnly       Mode = iota // Exchange Online
	CollectionThenSystem             // Exchange Server: what the collection does not know, the system's roots may
	SystemOnly
)

// NewTrust loads the collection that mode asks for, as [NewCollection] does.
// system are the roots of the machine, which only the caller can know; nil where
// the mode does not need them. Without a store, CollectionOnly is
// [ErrNoCollection]: nothing validates then, and the reason is not the signer's.
func NewTrust(mode Mode, store []byte, system chain.Source) (*chain.Collection, CollectionInfo, error) {
	if mode > SystemOnly {
		return nil, CollectionInfo{}, &SettingError{Name: "mode", Reason: "is unknown"}
	}
	var members []chain.Member
	var info CollectionInfo
	if mode != SystemOnly && len(store) > 0 {
		s, err := sst.Read(bytes.NewReader(store), nil)
		if err != nil {
			return nil, CollectionInfo{}, err
		}
		info = inspect(s)
		// A CRL that is passed over can't say that a certificate is revoked.
		for i, e := range s.Elements {
			if e.Kind == sst.CRL {
				if err := chain.NewEntry(chain.KindCRL, e.DER, "", nil).Err(); err != nil {
					return nil, CollectionInfo{}, fmt.Errorf("exchange: element %d of the collection: %w", i, err)
				}
			}
		}
		if info.Certificates > 0 {
			members = append(members, chain.RootsAndIntermediates(s.Source()))
		}
	}
	if mode == CollectionOnly && len(members) == 0 {
		return nil, CollectionInfo{}, errors.Join(append([]error{ErrNoCollection}, info.Unreadable...)...)
	}
	if mode != CollectionOnly {
		if system == nil {
			return nil, CollectionInfo{}, fmt.Errorf("%w: the mode needs the system's roots", ErrNoCollection)
		}
		members = append(members, chain.Anchors(system))
	}
	return chain.NewCollection(members...), info, nil
}

// inspect collects what Get-SmimeConfig shows.
func inspect(s *sst.Store) CollectionInfo {
	var info CollectionInfo
	seen := make(map[string]bool)
	for c, err := range s.Certificates() {
		if err != nil {
			info.Unreadable = append(info.Unreadable, err)
			continue
		}
		if seen[string(c.Raw)] {
			continue
		}
		seen[string(c.Raw)] = true
		info.Certificates++
		info.certs = append(info.certs, c)
		if info.ExpiryDate.IsZero() || c.NotAfter.Before(info.ExpiryDate) {
			info.ExpiryDate, info.ExpiredThumbprint = c.NotAfter, thumbprint(c)
		}
	}
	return info
}
