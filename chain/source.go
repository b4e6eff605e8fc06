package chain

import (
	"context"
	"crypto/x509"
	"iter"
	"math/big"
)

// A Query selects entries. Every set field must match.
type Query struct {
	Kind    Kind     // required
	Subject []byte   // DER Name
	Issuer  []byte   // DER Name
	Serial  *big.Int // with Issuer
	KeyID   []byte   // subject key identifier, or issuer key identifier of a CRL
	Mailbox string   // an rfc822Name or SmtpUTF8Mailbox of the certificate
}

// A Source supplies entries. It may return more than was asked for, in any
// order: a Collection re-checks every entry against the query and treats all
// of it as untrusted input. It must be safe for concurrent use.
type Source interface {
	Find(ctx context.Context, q Query) iter.Seq2[*Entry, error]
}

// Certs is a [Source] that holds the given certificates in memory. Of an
// *x509.Certificate only Raw is read; one without Raw is ErrMalformed.
func Certs(certs ...*x509.Certificate) Source { panic("sketch") }

// DER is a [Source] that holds DER certificates, CRLs and OCSP responses in
// memory, unparsed.
func DER(elements ...[]byte) Source { panic("sketch") }

// PEM is a [Source] that holds every CERTIFICATE and X509 CRL block of text.
// Unlike [x509.CertPool.AppendCertsFromPEM] it fails on a block it can't read.
func PEM(text []byte) (Source, error) { panic("sketch") }

// Constrain returns src with c added to the constraints of each of its entries.
func Constrain(src Source, c Constraints) Source { panic("sketch") }
