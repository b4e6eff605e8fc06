package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/smime"
)

// people are the identities that a certification authority issued for this
// run. Real ones come from smime.ParsePKCS12 or smime.NewIdentity.
type people struct {
	identities   []*smime.Identity
	certificates []*x509.Certificate // of the authority and of everybody
}

func newPeople(mailboxes ...string) (*people, error) {
	rootKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	root, err := issue(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "Quickstart Root"},
		IsCA:                  true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil, rootKey, rootKey)
	if err != nil {
		return nil, err
	}
	p := &people{certificates: []*x509.Certificate{root}}
	for _, mailbox := range mailboxes {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		cert, err := issue(&x509.Certificate{
			Subject:        pkix.Name{CommonName: mailbox},
			EmailAddresses: []string{mailbox},
			KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
			ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
		}, root, key, rootKey)
		if err != nil {
			return nil, err
		}
		id, err := smime.NewIdentity(key, cert)
		if err != nil {
			return nil, err
		}
		p.identities = append(p.identities, id)
		p.certificates = append(p.certificates, cert)
	}
	return p, nil
}

// issue makes a certificate that is valid for a day; parent nil: self-signed.
func issue(template, parent *x509.Certificate, key, signer *ecdsa.PrivateKey) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = time.Now().Add(24 * time.Hour)
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}
