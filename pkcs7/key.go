package pkcs7

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
)

// maxPrivateKey bounds what is parsed: the longest is RSA with 16384 bits, and
// checking a longer one takes minutes.
const maxPrivateKey = 16 << 10

// ParsePrivateKey reads a DER private key: PKCS #8 (RFC 5958) with any key that
// this package can use, those that crypto/x509 does not know included, or the
// older PKCS #1 and SEC 1 forms; at most 16 octets of NUL, blank, tab, CR and LF
// may follow it. The key can be given to [KeyOf], and to
// [SigningKey] if it is a crypto.Signer. The error wraps [ErrUnsupported] or
// [ErrSyntax].
func ParsePrivateKey(der []byte) (crypto.PrivateKey, error) {
	if len(der) > maxPrivateKey {
		return nil, fmt.Errorf("%w: private key of %d octets", ErrUnsupported, len(der))
	}
	der = ber.TrimEnd(der)
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	key, err := alg.ParsePrivateKey(der)
	switch {
	case err == nil:
		return key, nil
	case errors.Is(err, alg.ErrUnsupported):
		return nil, fmt.Errorf("%w: private key: %w", ErrUnsupported, err)
	}
	return nil, fmt.Errorf("%w: private key: %w", ErrSyntax, err)
}

// maxKeyIterations is the cap on the key derivation of an encrypted private key.
const maxKeyIterations = 10_000_000

// DecryptPrivateKey decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3)
// and reads the key inside. A key derivation of more than 10 000 000 iterations
// is refused as [ErrUnsupported]; a wrong password is [ErrDecrypt].
func DecryptPrivateKey(der, password []byte) (crypto.PrivateKey, error) {
	plain, err := alg.DecryptPKCS8(ber.TrimEnd(der), password, maxKeyIterations)
	switch {
	case errors.Is(err, alg.ErrDecrypt):
		return nil, ErrDecrypt
	case errors.Is(err, alg.ErrUnsupported):
		return nil, fmt.Errorf("%w: private key: %w", ErrUnsupported, err)
	case err != nil:
		return nil, fmt.Errorf("%w: private key: %w", ErrSyntax, err)
	}
	return ParsePrivateKey(plain)
}
