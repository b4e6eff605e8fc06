package smime

import (
	"crypto/x509"
	"slices"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/alg"
)

// checkTime returns a [*chain.Error] unless cert is valid at that time.
func checkTime(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return &chain.Error{Reason: chain.ErrNotYetValid, Cert: cert, Detail: "notBefore is " + cert.NotBefore.UTC().Format(time.RFC3339)}
	case now.After(cert.NotAfter):
		return &chain.Error{Reason: chain.ErrExpired, Cert: cert, Detail: "notAfter is " + cert.NotAfter.UTC().Format(time.RFC3339)}
	}
	return nil
}

// checkSigner returns why no mail should be signed with cert now, since nobody
// would accept it.
func checkSigner(cert *x509.Certificate) error { return checkSignerAt(cert, time.Now()) }

func checkSignerAt(cert *x509.Certificate, at time.Time) error {
	if err := checkTime(cert, at); err != nil {
		return err
	}
	const usages = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if cert.KeyUsage != 0 && cert.KeyUsage&usages == 0 {
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: cert, Detail: "the key usage is not for signing"}
	}
	if !forMail(cert) {
		return &chain.Error{Reason: chain.ErrWrongPurpose, Cert: cert, Detail: "the extended key usage is not for e-mail"}
	}
	return nil
}

// forMail reports whether the extended key usage allows mail (RFC 8550 section 4.4.4).
func forMail(cert *x509.Certificate) bool {
	restricted := len(cert.ExtKeyUsage)+len(cert.UnknownExtKeyUsage) > 0
	return !restricted || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageEmailProtection) || slices.Contains(cert.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// mayEncrypt reports whether the key usage of a certificate allows to encrypt
// to its key (RFC 5652 section 6.2, RFC 9629 section 3).
func mayEncrypt(pub *alg.PublicKey, cert *x509.Certificate) bool {
	return cert.KeyUsage == 0 || cert.KeyUsage&pub.Kind.EncryptionUsage() != 0
}

// canEncrypt reports whether a key of this kind can be a recipient's.
func canEncrypt(pub *alg.PublicKey) bool {
	return pub.Key != nil && pub.Kind.Transport() != alg.NoTransport
}
