package smime

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/pkcs7"
)

const (
	// maxPrivateKey bounds what is parsed, in octets: the longest key is RSA with
	// 16384 bits, and to check a longer one takes minutes.
	maxPrivateKey = 16 << 10
	// maxKeyIterations bounds the key derivation of an encrypted private key.
	maxKeyIterations = 10_000_000
)

// ParsePrivateKey reads a private key in DER for [NewIdentity] or package pkcs7:
// PKCS #8 (RFC 5958) with any key that this module can use, those that
// crypto/x509 does not know included, or the older forms of PKCS #1 and SEC 1. At
// most 16 octets of NUL, blank, tab, CR and LF may follow it.
// The error wraps [ErrMalformed] or [ErrUnsupported]. An encrypted key is
// ErrMalformed too: [DecryptPrivateKey] reads it.
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
	if err != nil {
		return nil, keyError(err)
	}
	return key, nil
}

// DecryptPrivateKey decrypts an EncryptedPrivateKeyInfo (RFC 5958 section 3) in
// DER and reads the key inside as [ParsePrivateKey] does. A wrong password is
// [ErrPassword], as is a key that was changed; a key derivation of more than
// 10 000 000 iterations is [ErrUnsupported].
func DecryptPrivateKey(der, password []byte) (crypto.PrivateKey, error) {
	plain, err := alg.DecryptPKCS8(ber.TrimEnd(der), password, maxKeyIterations)
	if err != nil {
		return nil, keyError(err)
	}
	return ParsePrivateKey(plain)
}

// keyError makes an error of package alg about a private key one of this package.
func keyError(err error) error {
	problem := error(ErrMalformed)
	switch {
	case errors.Is(err, alg.ErrDecrypt):
		return ErrPassword
	case errors.Is(err, alg.ErrUnsupported):
		problem = pkcs7.ErrUnsupported
	case errors.Is(err, alg.ErrWeak):
		problem = pkcs7.ErrWeak
	}
	return fmt.Errorf("%w: private key: %w", problem, err)
}
