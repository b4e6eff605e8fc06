package pkcs7

import (
	"crypto/x509"
	"math/big"
)

// A CertID names a certificate the way a message does.
type CertID struct {
	Issuer []byte   // DER Name, with Serial
	Serial *big.Int // or nil
	KeyID  []byte   // or nil; the KEK identifier where Kind is a KEK
	Kind   IDKind
}

// IDKind says what kind of recipient a [CertID] names.
type IDKind uint8

const (
	ByCertificate IDKind = iota
	ByKEK
	ByPassword
)

// Matches reports whether id names cert.
func (id CertID) Matches(cert *x509.Certificate) bool { panic("sketch") }
