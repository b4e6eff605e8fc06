package pkcs7

import (
	"context"
	"crypto"
	"crypto/x509"
	"io"
	"time"
)

// A SigningKey makes one signature. A key that can be cancelled implements,
// beside the crypto interface, WithContext(context.Context) crypto.PrivateKey.
type SigningKey struct {
	Certificate *x509.Certificate
	Key         crypto.Signer       // matches Certificate; crypto.MessageSigner is used where present
	Chain       []*x509.Certificate // sent along, without the anchor
	Scheme      Scheme              // zero: the best for the key
	Attributes  []Attribute         // signed, in addition to the standard ones
}

// NewSignWriter returns a writer that signs what is written to it and writes a
// SignedData with that content to dst. Close makes the signatures; its error
// must be checked.
func NewSignWriter(ctx context.Context, dst io.Writer, signers []SigningKey, opts *SignOptions) (io.WriteCloser, error) {
	panic("sketch")
}

// SignDetached reads content to its end and writes a SignedData without
// content to dst.
func SignDetached(ctx context.Context, dst io.Writer, content io.Reader, signers []SigningKey, opts *SignOptions) error {
	panic("sketch")
}

// SignOptions are the options of signing; nil means the defaults.
type SignOptions struct {
	SigningTime time.Time // to claim; zero: now
	ContentType x509.OID  // zero: id-data
	ByKeyID     bool      // name signers by subject key identifier
	Size        int64     // of the content if known: the output is DER, else BER
}

// AddSigner copies a SignedData and adds a signature. The SignerInfos that it
// has stay byte for byte.
func AddSigner(ctx context.Context, dst io.Writer, src io.Reader, signer SigningKey, opts *SignOptions) error {
	panic("sketch")
}

// AddUnsigned copies a SignedData and adds unsigned attributes, such as
// timestamps and countersignatures, to the SignerInfo with that index.
func AddUnsigned(dst io.Writer, src io.Reader, index int, attrs ...Attribute) error {
	panic("sketch")
}
