package smime

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// An Identity is a private key with its certificate. It is immutable and safe
// for concurrent use if its key is.
type Identity struct {
	key     crypto.PrivateKey
	cert    *x509.Certificate
	der     *x509der.Certificate
	pub     *alg.PublicKey
	issuers []*x509.Certificate
	name    string              // of a PKCS #12 file
	opens   pkcs7.DecryptionKey // made once: it keeps what it computes of the key
	opened  *x509.Certificate   // what opens reports: cert, or empty if there is none
	any     bool                // tried for every recipient
}

// NewIdentity returns an Identity, or an error if the key is not that of the
// certificate or can neither sign nor decrypt (ErrKeyMismatch), or if the
// certificate can't be read (ErrMalformed). Key is a crypto.Signer, a
// crypto.Decrypter, an ecdh.KeyExchanger, a crypto.Decapsulator or several of
// these, in software or in hardware. The issuers go along with signatures.
//
// An expired certificate is fine: old mail is still to be read. [Sign] refuses
// it.
func NewIdentity(key crypto.PrivateKey, cert *x509.Certificate, issuers ...*x509.Certificate) (*Identity, error) {
	if cert == nil {
		return nil, fmt.Errorf("smime: no certificate: %w", ErrMalformed)
	}
	der, err := x509der.Parse(cert.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	pub, err := alg.ParsePublicKey(der.SPKI)
	if err != nil {
		return nil, fmt.Errorf("%w: public key: %w", ErrMalformed, err)
	}
	if !usable(key) {
		return nil, fmt.Errorf("%w: a %T can neither sign nor decrypt", ErrKeyMismatch, key)
	}
	if !pub.Matches(key) {
		return nil, fmt.Errorf("%w: it is not the key of the certificate", ErrKeyMismatch)
	}
	id := &Identity{key: key, cert: reparse(der), der: der, pub: pub}
	id.opens, id.opened = pkcs7.KeyOf(id.cert, key), id.cert
	for _, c := range issuers {
		if c == nil || len(c.Raw) == 0 {
			return nil, fmt.Errorf("%w: issuer without encoding", ErrMalformed)
		}
		d, err := x509der.Parse(c.Raw)
		if err != nil {
			return nil, fmt.Errorf("%w: issuer: %w", ErrMalformed, err)
		}
		id.issuers = append(id.issuers, reparse(d))
	}
	return id, nil
}

// ParseIdentity is [NewIdentity] for certificates in DER, that of the key first
// and then its issuers, as a tls.Certificate has them:
//
//	pair, err := tls.LoadX509KeyPair("alice.pem", "alice.key")
//	...
//	id, err := smime.ParseIdentity(pair.PrivateKey, pair.Certificate...)
func ParseIdentity(key crypto.PrivateKey, der ...[]byte) (*Identity, error) {
	if len(der) == 0 {
		return nil, fmt.Errorf("smime: no certificate: %w", ErrMalformed)
	}
	certs := make([]*x509.Certificate, len(der))
	for i, b := range der {
		certs[i] = &x509.Certificate{Raw: bytes.Clone(b)}
	}
	return NewIdentity(key, certs[0], certs[1:]...)
}

// CanSign returns nil if [Sign] takes the identity at the given time, as far as
// the identity alone decides: the certificate is valid then and for signing mail,
// and the key has a scheme for it. It asks neither the key nor whether others
// trust the certificate. The error wraps ErrKeyMismatch or a chain.Reason, such
// as chain.ErrExpired.
func (id *Identity) CanSign(at time.Time) error {
	if id == nil || id.cert == nil {
		return fmt.Errorf("%w: no identity", ErrKeyMismatch)
	}
	if _, err := id.SigningKey(); err != nil {
		return err
	}
	if _, err := alg.SchemeFor(id.pub); err != nil {
		return fmt.Errorf("%w: %w", ErrKeyMismatch, err)
	}
	return checkSignerAt(id.cert, at)
}

// AnyRecipient returns a copy of the identity that is also tried for recipients
// whom its certificate does not name: for mail to a former certificate of the
// same key. Each recipient that is tried counts for Limits.PrivateKeys; those whom
// a certificate names come first.
//
// With RSA PKCS #1 v1.5 and a cipher without authentication, such as AES-CBC, an
// attempt on a recipient who is somebody else passes the check of the padding once
// in 256 times. The content is then random octets; [pkcs7.KeyForAnyRecipient] says
// more.
func (id *Identity) AnyRecipient() *Identity {
	c := *id
	c.any, c.opens = true, pkcs7.KeyForAnyRecipient(id.opened, id.key)
	return &c
}

// AnyRecipient returns an Identity of a key whose certificate is lost. It
// decrypts, is tried for every recipient as [Identity.AnyRecipient] says, and has
// no certificate: it can't sign or be written as PKCS #12. It fails with
// ErrKeyMismatch if the key can't decrypt.
func AnyRecipient(key crypto.PrivateKey) (*Identity, error) {
	if !usable(key) {
		return nil, fmt.Errorf("%w: a %T can't decrypt", ErrKeyMismatch, key)
	}
	pub, _, err := alg.PublicOf(key)
	if err != nil || pub.Kind.Transport() == 0 {
		return nil, fmt.Errorf("%w: a %T can't decrypt", ErrKeyMismatch, key)
	}
	id := &Identity{key: key, pub: pub, opened: new(x509.Certificate)}
	return id.AnyRecipient(), nil
}

// Certificate returns the certificate, or nil if [AnyRecipient] made the identity
// without one.
func (id *Identity) Certificate() *x509.Certificate { return id.cert }

// Mailboxes returns the addresses that the certificate names, or nil if it
// names none or can't be read that far.
func (id *Identity) Mailboxes() []string { return mailboxesOf(id.der) }

// FriendlyName returns the name that the PKCS #12 file gave the identity, or "".
// It may be anything and proves nothing.
func (id *Identity) FriendlyName() string { return id.name }

// usable reports whether key has an operation that S/MIME can use.
func usable(key crypto.PrivateKey) bool {
	switch key.(type) {
	case nil:
		return false
	case crypto.Signer, crypto.Decrypter, ecdh.KeyExchanger, crypto.Decapsulator, *alg.X448PrivateKey:
		return true
	}
	_, ok := alg.ECDHKey(key)
	return ok
}

// reparse returns the certificate as crypto/x509 reads it. Of one that it
// refuses, such as one with a curve it does not know, the fields are set that
// package chain reads.
func reparse(der *x509der.Certificate) *x509.Certificate {
	raw := bytes.Clone(der.Raw)
	if c, err := chain.NewEntry(chain.KindCertificate, raw, "", nil).Certificate(); err == nil {
		return c
	}
	return &x509.Certificate{Raw: raw}
}

func mailboxesOf(der *x509der.Certificate) []string {
	if der == nil {
		return nil
	}
	boxes, err := der.Mailboxes()
	if err != nil {
		return nil
	}
	var list []string
	for _, b := range boxes {
		list = append(list, b.Address)
	}
	return list
}

// SigningKey returns the identity for package pkcs7, which checks neither
// whether the certificate is valid nor whom it names. It fails with
// ErrKeyMismatch if the key can't sign.
func (id *Identity) SigningKey() (pkcs7.SigningKey, error) {
	signer, ok := id.key.(crypto.Signer)
	if !ok || id.cert == nil {
		return pkcs7.SigningKey{}, fmt.Errorf("%w: a %T can't sign", ErrKeyMismatch, id.key)
	}
	return pkcs7.SigningKey{Certificate: id.cert, Key: signer, Chain: id.issuers}, nil
}

// DecryptionKey returns the identity for package pkcs7.
func (id *Identity) DecryptionKey() pkcs7.DecryptionKey { return id.opens }

// A Keyring finds the identities of the recipients named by a message. What it
// is asked comes from an unverified message.
type Keyring interface {
	Find(ctx context.Context, to []pkcs7.CertID) ([]*Identity, error)
}

// Identities is a [Keyring] held in memory, such as one person's current and
// former keys.
type Identities []*Identity

// Find returns the identities that to names, in the order of ids, each once, and
// those of [AnyRecipient]. Nil elements are passed over.
func (ids Identities) Find(ctx context.Context, to []pkcs7.CertID) ([]*Identity, error) {
	var found []*Identity
	for _, id := range ids {
		if id == nil || id.cert == nil && !id.any {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if id.any {
			found = append(found, id)
			continue
		}
		for _, name := range to {
			if name.Kind == pkcs7.ByCertificate && name.Matches(id.cert) {
				found = append(found, id)
				break
			}
		}
	}
	return found, nil
}

var _ Keyring = Identities(nil)
