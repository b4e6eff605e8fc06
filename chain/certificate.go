package chain

import (
	"crypto/x509"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A certificate is a parsed certificate with its extensions decoded. It is
// immutable; equal encodings need not be the same pointer.
type certificate struct {
	*x509der.Certificate
}

// x509 returns the certificate in the form that callers get; one that
// crypto/x509 can't read has only Raw and what else this package knows.
func (c *certificate) x509() *x509.Certificate { panic("sketch") }

// key returns the public key.
func (c *certificate) key() (*alg.PublicKey, error) { panic("sketch") }

// keyUsage returns the bits of the extension; present is false where there is none.
func (c *certificate) keyUsage() (bits x509.KeyUsage, present bool) { panic("sketch") }

// isCA reports whether basicConstraints has cA.
func (c *certificate) isCA() bool { panic("sketch") }

// selfIssued reports whether subject and issuer are the same name.
func (c *certificate) selfIssued() bool { panic("sketch") }

// cert returns the parsed certificate of a KindCertificate entry.
func (e *Entry) cert() (*certificate, error) { panic("sketch") }
