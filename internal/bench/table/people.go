package main

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/bench/libcrypto"
)

// A person has a key for us, for Go's peers and for libcrypto, which knows no
// X25519 in CMS.
type person struct {
	name string
	key  crypto.PrivateKey
	cert *x509.Certificate
	c    *libcrypto.Identity // nil: libcrypto can't
}

// signer returns the key as one that signs; nil: it doesn't.
func (p *person) signer() crypto.Signer {
	s, _ := p.key.(crypto.Signer)
	return s
}

func newPeople() ([]*person, error) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	xKey, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	var people []*person
	for _, p := range []*person{{name: "RSA-2048", key: rsaKey}, {name: "P-256", key: ecKey}, {name: "X25519", key: xKey}} {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(1),
			Subject:      pkix.Name{CommonName: p.name},
			NotBefore:    time.Now().Add(-time.Hour),
			NotAfter:     time.Now().Add(time.Hour),
			SubjectKeyId: []byte(p.name),
		}
		// crypto/x509 writes no X25519 keys: an Ed25519 key stands in and is
		// replaced. Nobody looks at the signature of the certificate here.
		var public crypto.PublicKey = ed25519.PublicKey(xKey.PublicKey().Bytes())
		issuer := crypto.Signer(ecKey)
		if s := p.signer(); s != nil {
			public, issuer = s.Public(), s
		}
		parent := *template
		parent.PublicKey = issuer.Public()
		der, err := x509.CreateCertificate(rand.Reader, template, &parent, public, issuer)
		if err != nil {
			return nil, err
		}
		if p.signer() == nil {
			der = bytes.Replace(der, []byte("\x06\x03\x2b\x65\x70\x03\x21\x00"), []byte("\x06\x03\x2b\x65\x6e\x03\x21\x00"), 1)
		}
		if p.cert, err = x509.ParseCertificate(der); err != nil {
			return nil, err
		}
		if p.signer() == nil {
			people = append(people, p)
			continue
		}
		pkcs8, err := x509.MarshalPKCS8PrivateKey(p.key)
		if err != nil {
			return nil, err
		}
		if p.c, err = libcrypto.New(der, pkcs8); err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}
