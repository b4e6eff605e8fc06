package pkcs7

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
)

// A DecryptionKey is a private key with the certificate by which messages
// refer to it. Key is a crypto.Decrypter (RSA), an ecdh.KeyExchanger (elliptic
// curves) or a crypto.Decapsulator (ML-KEM).
type DecryptionKey struct {
	certificate *x509.Certificate
	key         crypto.PrivateKey
	id, secret  []byte
}

// KeyOf returns a key pair; KeyFromPassword and KeyFromKEK the secrets that
// [ToPassword] and [ToKey] encrypt to.
func KeyOf(cert *x509.Certificate, key crypto.PrivateKey) DecryptionKey {
	return DecryptionKey{certificate: cert, key: key}
}
func KeyFromPassword(password []byte) DecryptionKey { return DecryptionKey{secret: password} }
func KeyFromKEK(id, kek []byte) DecryptionKey       { return DecryptionKey{id: id, secret: kek} }

// A KeyFunc returns the keys, if any, of the recipients named by a message.
type KeyFunc func(ctx context.Context, to []CertID) ([]DecryptionKey, error)

// NewDecryptReader reads an EnvelopedData or AuthEnvelopedData from src. For
// an authenticated cipher nothing is returned by Read before the whole content
// has been authenticated. For any other cipher Read streams what an attacker
// may have changed, unless opts.RequireAuthenticated is set.
func NewDecryptReader(ctx context.Context, src io.Reader, keys KeyFunc, opts *DecryptOptions) (*DecryptReader, error) {
	panic("sketch")
}

// A DecryptReader reads decrypted content. Read returns io.EOF only if the
// content is complete.
type DecryptReader struct{}

// Close frees what was spooled.
func (r *DecryptReader) Close() error { panic("sketch") }

func (r *DecryptReader) Read(p []byte) (int, error) { panic("sketch") }

// Cipher returns the cipher of the message.
func (r *DecryptReader) Cipher() Cipher { panic("sketch") }

// Recipients returns the recipients that the message names. Anyone may have changed the list.
func (r *DecryptReader) Recipients() []CertID { panic("sketch") }

// Certificate returns that of the key that opened the message, or nil if it was a secret.
func (r *DecryptReader) Certificate() *x509.Certificate { panic("sketch") }

// Strength returns nil, or an error that wraps [ErrWeak] if the cipher or the way
// to its key is below the floor.
func (r *DecryptReader) Strength() error { panic("sketch") }
