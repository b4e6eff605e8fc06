package smime

import (
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/pkcs12"
	"github.com/gosmime/gosmime/internal/x509der"
)

// ParsePKCS12 returns the identities in a PKCS #12 (.pfx, .p12) file, each with
// the issuers that the file has for it. More than one means a key history. It
// reads DER and BER, and everything from RC2 to PBMAC1 that programs wrote.
//
// Every key is matched to its certificates by the public key, whatever the
// file says; a key that has no certificate, and a certificate or key that
// can't be read, are passed over. The error wraps ErrPassword if the password
// is wrong or the file was changed, ErrMalformed if it is no PKCS #12 file,
// ErrNoCertificate if no key in it has a certificate, and ErrLimit if it asks
// for more than 10 000 000 iterations of a key derivation or has more than 4096
// keys and certificates. An identity gets at most 32 issuers, the nearest first.
func ParsePKCS12(pfx []byte, password string) ([]*Identity, error) {
	contents, err := pkcs12.Decode(pfx, password)
	if err != nil {
		return nil, pfxError(err)
	}
	return assemble(contents)
}

// pfxError returns err, of package internal/pkcs12, with the constant that the
// same fact has in this package.
func pfxError(err error) error {
	p := error(ErrMalformed)
	switch {
	case errors.Is(err, pkcs12.ErrPassword):
		p = ErrPassword
	case errors.Is(err, pkcs12.ErrLimit):
		p = ErrLimit
	}
	return &wrappedProblem{p, err}
}

// A wrappedProblem is an error of a lower package with the constant of this
// one. Its text is that of the error.
type wrappedProblem struct{ problem, err error }

func (e *wrappedProblem) Error() string   { return "smime: PKCS #12: " + e.err.Error() }
func (e *wrappedProblem) Unwrap() []error { return []error{e.problem, e.err} }

// assemble joins keys, certificates and issuers.
func assemble(contents *pkcs12.Contents) ([]*Identity, error) {
	certs := readCertificates(contents.Certificates)
	bySubject := make(map[string][]*pfxCert)
	for _, c := range certs {
		bySubject[c.subject] = append(bySubject[c.subject], c)
	}
	taken := make(map[*pfxCert]bool)
	var ids []*Identity
	reason := error(nil)
	for _, der := range contents.Keys {
		key, err := alg.ParsePrivateKey(der)
		if err != nil {
			reason = errors.Join(reason, err)
			continue
		}
		for _, c := range certs {
			if c.pub == nil || taken[c] || !c.pub.Matches(key) {
				continue
			}
			id, err := NewIdentity(key, c.cert, issuersOf(c, bySubject)...)
			if err != nil {
				reason = errors.Join(reason, err)
				continue
			}
			taken[c] = true
			ids = append(ids, id)
		}
	}
	switch {
	case ids != nil:
		return ids, nil
	case reason != nil:
		return nil, fmt.Errorf("smime: PKCS #12: no usable key: %w: %w", ErrMalformed, reason)
	}
	return nil, fmt.Errorf("smime: PKCS #12: %d keys, %d certificates, none together: %w", len(contents.Keys), len(contents.Certificates), ErrNoCertificate)
}

type pfxCert struct {
	der  *x509der.Certificate
	cert *x509.Certificate
	pub  *alg.PublicKey // nil if unknown

	subject, issuer string // equal where the names are
}

// readCertificates reads what can be read, each certificate once.
func readCertificates(ders [][]byte) []*pfxCert {
	var list []*pfxCert
	seen := make(map[string]bool)
	for _, raw := range ders {
		der, err := x509der.Parse(raw)
		if err != nil || seen[string(raw)] {
			continue
		}
		seen[string(raw)] = true
		c := &pfxCert{der: der, cert: reparse(der), subject: x509der.NormalName(der.Subject), issuer: x509der.NormalName(der.Issuer)}
		if pub, err := alg.ParsePublicKey(der.SPKI); err == nil {
			c.pub = pub
		}
		list = append(list, c)
	}
	return list
}

// maxPFXIssuers bounds the issuers of one identity. Chains have three or four.
const maxPFXIssuers = 32

// issuersOf returns the certificates from which leaf may descend, nearest
// first. Names decide: package chain checks everything else.
func issuersOf(leaf *pfxCert, bySubject map[string][]*pfxCert) []*x509.Certificate {
	var issuers []*x509.Certificate
	taken := map[*pfxCert]bool{leaf: true}
	for queue := []*pfxCert{leaf}; len(queue) > 0; queue = queue[1:] {
		for _, c := range bySubject[queue[0].issuer] {
			if taken[c] {
				continue
			}
			if len(issuers) == maxPFXIssuers {
				return issuers
			}
			taken[c] = true
			issuers = append(issuers, c.cert)
			queue = append(queue, c)
		}
	}
	return issuers
}

// WritePKCS12 writes identities as PKCS #12: AES-256 and PBKDF2-HMAC-SHA-256, or
// what older devices read (Triple DES and SHA-1) if compatible. A key in
// hardware, or of a kind that crypto/x509 can't encode, is ErrKeyMismatch. The
// password can't have characters outside the Basic Multilingual Plane. Unless
// compatible, several identities are encrypted under one derived key, so that a
// long history takes no longer to open than one of them.
func WritePKCS12(identities []*Identity, password string, compatible bool) ([]byte, error) {
	if len(identities) == 0 {
		return nil, fmt.Errorf("%w: no identity to write", ErrMalformed)
	}
	entries := make([]pkcs12.Entry, len(identities))
	for i, id := range identities {
		if id == nil || id.cert == nil {
			return nil, fmt.Errorf("%w: identity %d is empty", ErrMalformed, i)
		}
		if _, err := x509.MarshalPKCS8PrivateKey(id.key); err != nil {
			return nil, fmt.Errorf("%w: identity %d: a %T can't be written", ErrKeyMismatch, i, id.key)
		}
		entries[i] = pkcs12.Entry{Key: id.key, Certificate: id.cert, Issuers: id.issuers}
	}
	pfx, err := pkcs12.Encode(entries, password, compatible)
	if err != nil {
		return nil, pfxError(err)
	}
	return pfx, nil
}
