package pkcs7

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
)

// ParsePrivateKey reads a DER private key: PKCS #8 with any key that this
// package can use, or the older PKCS #1 and SEC 1 forms. The key can be given
// to [KeyOf], and to [SigningKey] if it is a crypto.Signer.
func ParsePrivateKey(der []byte) (crypto.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	if key, err := x509.ParsePKCS1PrivateKey(der); err == nil {
		return key, nil
	}
	if key, err := x509.ParseECPrivateKey(der); err == nil {
		return key, nil
	}
	return nil, fmt.Errorf("%w: private key", errors.Join(ErrUnsupported, err))
}
