package smime

import (
	"context"
	"crypto/x509"
	"github.com/gosmime/gosmime/pkcs7"
	"io"
	"time"
)

// Sign reads a message from r and writes it to w as multipart/signed. The
// certificate of id must name the author of the message and be valid now.
// Content that mail transport might change is re-encoded first.
func Sign(ctx context.Context, w io.Writer, r io.Reader, id *Identity, opts *SignOptions) error {
	panic("sketch")
}

// SignOptions are the options of [Sign].
type SignOptions struct {
	Opaque      bool         // write application/pkcs7-mime, unreadable to other programs
	SigningTime time.Time    // to claim; zero: now
	Scheme      pkcs7.Scheme // zero: the best for the key
	// Certificates says which certificates go along; zero: the chain without
	// its root.
	Certificates Inclusion
	ByKeyID      bool // name the signer by subject key identifier
	// Capabilities is what to announce; nil: what this package can read.
	Capabilities Capabilities
	// EncryptTo, if set, is announced as the certificate to encrypt replies to.
	EncryptTo *x509.Certificate
	// RequestReceipt asks the listed mailboxes for a signed receipt (RFC 2634).
	RequestReceipt []string
	// CoSigners sign the same content in the same SignedData.
	CoSigners []*Identity
	// Header says how header fields are protected (RFC 9788). If ForEncryption
	// is set, the result is to be given to [Encrypt] and the fields it hides
	// are recorded under the signature; else nothing is hidden.
	Header        HeaderPolicy
	ForEncryption bool
	Limits        Limits
	// AsIs fails with ErrNotTransportSafe where Sign would re-encode.
	AsIs bool
	// InsecureAnySender signs a message whose author id does not name.
	InsecureAnySender bool
}

// Inclusion says which certificates a signed message carries.
type Inclusion uint8

const (
	ChainWithoutRoot Inclusion = iota
	ChainWithRoot
	SignerOnly
	NoCertificates
)
