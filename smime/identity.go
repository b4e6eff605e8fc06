package smime

import (
	"crypto"
	"crypto/x509"
)

// An Identity is a private key with its certificate. It is immutable and safe
// for concurrent use if its key is.
type Identity struct{}

// NewIdentity returns an Identity, or an error if the key is not that of the
// certificate or can neither sign nor decrypt. Key is a crypto.Signer, a
// crypto.Decrypter, an ecdh.KeyExchanger, a crypto.Decapsulator or several of
// these, in software or in hardware. The issuers go along with signatures.
//
// An expired certificate is fine: old mail is still to be read. [Sign] refuses
// it.
func NewIdentity(key crypto.PrivateKey, cert *x509.Certificate, issuers ...*x509.Certificate) (*Identity, error) {
	panic("sketch")
}

// Certificate returns the certificate.
func (id *Identity) Certificate() *x509.Certificate { panic("sketch") }

// Mailboxes returns the addresses that the certificate names.
func (id *Identity) Mailboxes() []string { panic("sketch") }
