package pkcs7

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"sync"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
)

// A Recipient can decrypt. The constructors below make the kinds of RFC 5652,
// RFC 9629 and RFC 9936; the kind for a certificate follows from its key.
type Recipient interface {
	recipient(cek []byte) (encodedRecipient, error)
}

// ToCertificate encrypts to the key of cert: RSA (OAEP with SHA-256, see
// [RecipientOptions]), ECDH (P-256, P-384, P-521, X25519, X448) or ML-KEM. A
// key that can only sign and an RSA key below 2048 bits are refused. Whether
// the certificate is valid and meant for encryption is not asked. NSS, and with
// it Thunderbird, does not read a message that has an ML-KEM recipient, not even
// for the others.
func ToCertificate(cert *x509.Certificate, opts *RecipientOptions) Recipient {
	if opts == nil {
		opts = &RecipientOptions{}
	}
	return &certificateRecipient{cert: cert, opts: *opts}
}

// RecipientOptions are the options of [ToCertificate]; nil means the defaults.
type RecipientOptions struct {
	// ByKeyID names the recipient by subject key identifier; one whose
	// certificate has no such extension, by issuer and serial number. The stock
	// commands of NeoMutt and gpgsm do not read key identifiers.
	ByKeyID bool
	// PKCS1v15 uses RSAES-PKCS1-v1_5 where OAEP is the default: some installed
	// programs know nothing else. A key that is for OAEP alone still gets OAEP.
	PKCS1v15 bool
	// OAEPHash and MGFHash are the hashes of OAEP; zero: SHA-256, and for
	// MGFHash the same as OAEPHash.
	OAEPHash, MGFHash crypto.Hash
}

// ToPassword encrypts to a password (PBKDF2-HMAC-SHA-256 and PWRI-KEK). It
// keeps password itself, which the caller may clear when all is encrypted. NSS,
// and with it Thunderbird, does not read a message that has such a recipient,
// not even for the others.
func ToPassword(password []byte) Recipient { return passwordRecipient(password) }

// ToKey encrypts to a symmetric key-encryption key of 16, 24 or 32 octets (AES
// key wrap). It must not be shorter than the content key. Both are kept as
// they are.
func ToKey(id, kek []byte) Recipient { return &kekRecipient{id: id, kek: kek} }

// An encodedRecipient is a RecipientInfo to write.
type encodedRecipient struct {
	der     []byte
	version byte
	complex bool // pwri or ori, which makes the EnvelopedData version 3
}

type passwordRecipient []byte

func (p passwordRecipient) recipient(cek []byte) (encodedRecipient, error) {
	if len(p) == 0 {
		return encodedRecipient{}, fmt.Errorf("%w: empty password", ErrWeak)
	}
	return makePWRI(p, cek)
}

type kekRecipient struct{ id, kek []byte }

func (k *kekRecipient) recipient(cek []byte) (encodedRecipient, error) {
	return makeKEKRI(k.id, k.kek, cek)
}

// A certificateRecipient parses its certificate once, however many messages
// are encrypted to it.
type certificateRecipient struct {
	cert *x509.Certificate
	opts RecipientOptions

	once sync.Once
	wrap func(cek []byte) (encodedRecipient, error)
	err  error
}

func (c *certificateRecipient) recipient(cek []byte) (encodedRecipient, error) {
	c.once.Do(func() { c.wrap, c.err = c.prepare() })
	if c.err != nil {
		return encodedRecipient{}, c.err
	}
	return c.wrap(cek)
}

// prepare chooses how the content key is wrapped, which the key decides.
func (c *certificateRecipient) prepare() (func(cek []byte) (encodedRecipient, error), error) {
	if c.cert == nil {
		return nil, fmt.Errorf("%w: no certificate", ErrUnsupported)
	}
	cert, err := x509der.Parse(c.cert.Raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSyntax, err)
	}
	pub, err := alg.ParsePublicKey(cert.SPKI)
	if err != nil {
		return nil, fmt.Errorf("%w: public key: %w", ErrUnsupported, err)
	}
	id := issuerAndSerial(cert)
	if c.opts.ByKeyID {
		id = keyID(cert)
	}
	_, encapsulator := pub.Key.(crypto.Encapsulator)
	switch transport := pub.Kind.Transport(); {
	case pub.Key == nil: // a curve that is only recognised
	case transport == alg.KeyTransport:
		return c.toRSA(id, pub)
	case transport == alg.KeyAgreement:
		return func(cek []byte) (encodedRecipient, error) { return makeKARI(id, pub, cek) }, nil
	case transport == alg.KeyEncapsulation && encapsulator: // RSA-KEM is read only
		return func(cek []byte) (encodedRecipient, error) { return makeKEMRI(id, pub, cek) }, nil
	}
	return nil, fmt.Errorf("%w: the key of the certificate cannot encrypt", ErrUnsupported)
}

func (c *certificateRecipient) toRSA(id CertID, pub *alg.PublicKey) (func(cek []byte) (encodedRecipient, error), error) {
	key, ok := pub.Key.(*rsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("%w: RSA key", ErrUnsupported)
	}
	if pub.Bits < minRSABits {
		return nil, fmt.Errorf("%w: RSA key of %d bits", ErrWeak, pub.Bits)
	}
	oaep, err := c.oaep(pub)
	if err != nil {
		return nil, err
	}
	// RFC 3370 section 4.2.1: the parameters are NULL.
	algorithm := alg.Identifier{OID: oid.RSAEncryption, Params: []byte{5, 0}}
	if oaep != nil {
		algorithm = oaep.Identifier()
	}
	der := algorithm.DER()
	return func(cek []byte) (encodedRecipient, error) { return makeKTRI(id, key, oaep, der, cek) }, nil
}

// oaep returns the parameters of OAEP, nil for PKCS #1 v1.5.
func (c *certificateRecipient) oaep(pub *alg.PublicKey) (*alg.OAEP, error) {
	if pub.Kind == alg.RSAOAEP && len(pub.Algorithm.Params) > 0 {
		// RFC 4055 section 4.1: parameters in the certificate bind the sender.
		oaep, err := alg.OAEPOf(pub.Algorithm)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnsupported, err)
		}
		return oaep, nil
	}
	if c.opts.PKCS1v15 && pub.Kind == alg.RSA {
		return nil, nil
	}
	oaep := &alg.OAEP{Hash: c.opts.OAEPHash, MGF: c.opts.MGFHash}
	if oaep.Hash == 0 {
		oaep.Hash = crypto.SHA256
	}
	if oaep.MGF == 0 {
		oaep.MGF = oaep.Hash
	}
	if !oaep.Hash.Available() || !oaep.MGF.Available() {
		return nil, fmt.Errorf("%w: hash of OAEP", ErrUnsupported)
	}
	return oaep, nil
}
