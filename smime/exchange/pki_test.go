package exchange_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

func year(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// An authority issues certificates whose every field a test may change, which
// those of smimetest don't offer.
type authority struct {
	t    testing.TB
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	next int64
}

// newAuthority returns a root whose certificate ends at notAfter.
func newAuthority(t testing.TB, name string, notAfter time.Time) *authority {
	t.Helper()
	a := &authority{t: t, key: newKey(t), next: 1}
	tpl := a.template(name, notAfter)
	tpl.IsCA, tpl.BasicConstraintsValid = true, true
	tpl.KeyUsage, tpl.ExtKeyUsage = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, nil
	a.cert = a.create(tpl, tpl, a.key.Public())
	return a
}

func (a *authority) template(name string, notAfter time.Time) *x509.Certificate {
	a.next++
	return &x509.Certificate{
		SerialNumber: big.NewInt(a.next), Subject: pkix.Name{CommonName: name},
		NotBefore: year(2020), NotAfter: notAfter,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
}

func (a *authority) create(tpl, parent *x509.Certificate, pub crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, tpl, parent, pub, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// identity returns a person; change, if not nil, may change the certificate.
func (a *authority) identity(mailbox string, change func(*x509.Certificate)) *smime.Identity {
	a.t.Helper()
	return a.certify(newKey(a.t), mailbox, change)
}

func (a *authority) certify(key crypto.Signer, mailbox string, change func(*x509.Certificate)) *smime.Identity {
	a.t.Helper()
	tpl := a.template(mailbox, year(2040))
	tpl.EmailAddresses = []string{mailbox}
	tpl.SubjectKeyId = big.NewInt(a.next).Bytes()
	if change != nil {
		change(tpl)
	}
	id, err := smime.NewIdentity(key, a.create(tpl, a.cert, key.Public()), a.cert)
	if err != nil {
		a.t.Fatal(err)
	}
	return id
}

// crl returns a list of the revoked.
func (a *authority) crl(revoked ...*smime.Identity) []byte {
	a.t.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: year(2022), NextUpdate: year(2039)}
	for _, id := range revoked {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{SerialNumber: id.Certificate().SerialNumber, RevocationTime: year(2021)})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.cert, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	return der
}

// directory trusts the authority and knows people. It has no CRL.
func (a *authority) directory(people ...*smime.Identity) *chain.Collection {
	certs := make([]*x509.Certificate, len(people))
	for i, id := range people {
		certs[i] = id.Certificate()
	}
	return chain.NewCollection(chain.Anchors(chain.Certs(a.cert)), chain.Untrusted(chain.Certs(certs...)))
}
