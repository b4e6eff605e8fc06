package smime

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/pkcs12"
	"github.com/gosmime/gosmime/internal/x509der"
)

// ParsePKCS12 returns the identities in a PKCS #12 (.pfx, .p12) file, each with
// the issuers that the file has for it. More than one means a key history. It
// is [ReadPKCS12] for callers who need a key: what was passed over is an error
// only where no identity is left.
func ParsePKCS12(pfx []byte, password string) ([]*Identity, error) {
	p, err := ReadPKCS12(pfx, password)
	switch {
	case err != nil:
		return nil, err
	case p.Identities != nil:
		return p.Identities, nil
	case p.Skipped != nil:
		return nil, firstOfEach(p.Skipped)
	}
	return nil, fmt.Errorf("smime: PKCS #12: no key: %w", ErrNoCertificate)
}

// A PKCS12 is what a PKCS #12 file holds.
type PKCS12 struct {
	// Identities are the keys that have a certificate in the file.
	Identities []*Identity
	// Certificates are all certificates, those of Identities included. Of those
	// that crypto/x509 can't read only Raw is set.
	Certificates []*x509.Certificate
	// Skipped has an error for everything that was passed over: a key under
	// another password (ErrPassword), of an unsupported kind or cipher
	// (ErrUnsupported), below the floor (ErrWeak) or without its certificate
	// (ErrNoCertificate); a certificate or key that can't be read
	// (ErrMalformed).
	Skipped []error
}

// ReadPKCS12 reads a PKCS #12 file (RFC 7292) in DER or BER, with everything
// from RC2 to PBMAC1 that programs wrote. At most 16 octets of NUL, blank, tab,
// CR and LF may follow it.
//
// Every key is matched to its certificates by the public key, whatever the
// file says. A password that is not ASCII is also tried in the form in which
// OpenSSL before 1.1.0 encodes it. An identity gets at most 32 issuers, the
// nearest first.
//
// The error wraps ErrPassword if the password is wrong or the file was changed,
// ErrMalformed if it is no PKCS #12 file, ErrUnsupported if its MAC or all of
// its ciphers are unsupported, and ErrLimit if it asks for more than 10 000 000
// iterations of a key derivation or has more than 4096 keys and certificates.
func ReadPKCS12(pfx []byte, password string) (*PKCS12, error) {
	contents, err := pkcs12.Decode(pfx, password)
	if err != nil {
		return nil, pfxError(err)
	}
	p := assemble(contents)
	if p.Identities == nil && p.Certificates == nil && p.Skipped != nil {
		return nil, firstOfEach(p.Skipped)
	}
	return p, nil
}

// firstOfEach returns one error for the first of each kind in list.
func firstOfEach(list []error) error {
	all := list[0]
	for _, problem := range []error{ErrPassword, ErrUnsupported, ErrWeak, ErrMalformed, ErrNoCertificate} {
		if i := slices.IndexFunc(list, func(err error) bool { return errors.Is(err, problem) }); i > 0 && !errors.Is(all, problem) {
			all = fmt.Errorf("%w; %w", all, list[i])
		}
	}
	return all
}

// pfxError returns err, of a lower package, with the constant that the same fact
// has in this package.
func pfxError(err error) error {
	p := error(ErrMalformed)
	switch {
	case errors.Is(err, pkcs12.ErrPassword):
		p = ErrPassword
	case errors.Is(err, pkcs12.ErrLimit):
		p = ErrLimit
	case errors.Is(err, pkcs12.ErrUnsupported), errors.Is(err, alg.ErrUnsupported):
		p = ErrUnsupported
	case errors.Is(err, pkcs12.ErrWeak), errors.Is(err, alg.ErrWeak):
		p = ErrWeak
	}
	return &wrappedProblem{p, err}
}

// A wrappedProblem is an error of a lower package with the constant of this
// one. Its text is that of the error.
type wrappedProblem struct{ problem, err error }

func (e *wrappedProblem) Error() string   { return "smime: PKCS #12: " + e.err.Error() }
func (e *wrappedProblem) Unwrap() []error { return []error{e.problem, e.err} }

// assemble joins keys, certificates and issuers.
func assemble(contents *pkcs12.Contents) *PKCS12 {
	p := new(PKCS12)
	for _, err := range contents.Skipped {
		p.Skipped = append(p.Skipped, pfxError(err))
	}
	certs := p.readCertificates(contents.Certificates)
	bySubject := make(map[string][]*pfxCert)
	for _, c := range certs {
		bySubject[c.subject] = append(bySubject[c.subject], c)
	}
	taken := make(map[*pfxCert]bool)
	for i, item := range contents.Keys {
		key, err := alg.ParsePrivateKey(item.DER)
		if err != nil {
			p.Skipped = append(p.Skipped, pfxError(fmt.Errorf("key %d: %w", i, err)))
			continue
		}
		matched := false
		for _, c := range certs {
			if c.pub == nil || !c.pub.Matches(key) {
				continue
			}
			matched = true
			if taken[c] {
				continue
			}
			id, err := NewIdentity(key, c.cert, issuersOf(c, bySubject)...)
			if err != nil {
				p.Skipped = append(p.Skipped, err)
				continue
			}
			if id.name = item.FriendlyName; id.name == "" {
				id.name = c.name
			}
			taken[c] = true
			p.Identities = append(p.Identities, id)
		}
		if !matched {
			p.Skipped = append(p.Skipped, fmt.Errorf("smime: PKCS #12: key %d of %d: %w", i, len(contents.Keys), ErrNoCertificate))
		}
	}
	return p
}

type pfxCert struct {
	der  *x509der.Certificate
	cert *x509.Certificate
	pub  *alg.PublicKey // nil if unknown
	name string

	subject, issuer string // equal where the names are
}

// readCertificates reads what can be read, each certificate once.
func (p *PKCS12) readCertificates(items []pkcs12.Item) []*pfxCert {
	var list []*pfxCert
	seen := make(map[string]bool)
	for i, item := range items {
		if seen[string(item.DER)] {
			continue
		}
		seen[string(item.DER)] = true
		der, err := x509der.Parse(item.DER)
		if err != nil {
			p.Skipped = append(p.Skipped, fmt.Errorf("smime: PKCS #12: certificate %d: %w: %w", i, ErrMalformed, err))
			continue
		}
		c := &pfxCert{der: der, cert: reparse(der), name: item.FriendlyName,
			subject: x509der.NormalName(der.Subject), issuer: x509der.NormalName(der.Issuer)}
		if pub, err := alg.ParsePublicKey(der.SPKI); err == nil {
			c.pub = pub
		}
		list = append(list, c)
		p.Certificates = append(p.Certificates, c.cert)
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

// PKCS12Options change how [MarshalPKCS12] writes. A nil *PKCS12Options means
// the defaults.
type PKCS12Options struct {
	// InsecureLegacy writes Triple DES and SHA-1 with 2048 iterations, which a
	// password that a person can remember does not protect: for devices that
	// read nothing else (Windows before 10, macOS before 15, Java 8).
	InsecureLegacy bool

	// FriendlyNames are what other programs show instead of the certificate's
	// subject, one for each identity, at most 255 characters. Where there is
	// none, or an empty one, an identity that came from a PKCS #12 file keeps
	// its name.
	FriendlyNames []string
}

// MarshalPKCS12 returns identities as a PKCS #12 file: AES-256 and
// PBKDF2-HMAC-SHA-256 with 600 000 iterations unless opts say otherwise.
// Several identities are encrypted under one derived key, so that a long
// history takes no longer to open than one of them.
//
// The error wraps ErrKeyMismatch if a key is in hardware or of a kind that
// crypto/x509 can't encode, and ErrMalformed if there is no identity, if the
// password or a name has characters outside the Basic Multilingual Plane, or if
// there are more names than identities.
func MarshalPKCS12(identities []*Identity, password string, opts *PKCS12Options) ([]byte, error) {
	if opts == nil {
		opts = new(PKCS12Options)
	}
	if len(identities) == 0 {
		return nil, fmt.Errorf("%w: no identity to write", ErrMalformed)
	}
	if len(opts.FriendlyNames) > len(identities) {
		return nil, fmt.Errorf("%w: %d names for %d identities", ErrMalformed, len(opts.FriendlyNames), len(identities))
	}
	entries := make([]pkcs12.Entry, len(identities))
	for i, id := range identities {
		if id == nil || id.cert == nil {
			return nil, fmt.Errorf("%w: identity %d is empty", ErrMalformed, i)
		}
		if _, err := x509.MarshalPKCS8PrivateKey(id.key); err != nil {
			return nil, fmt.Errorf("%w: identity %d: a %T can't be written", ErrKeyMismatch, i, id.key)
		}
		entries[i] = pkcs12.Entry{Key: id.key, Certificate: id.cert, Issuers: id.issuers, FriendlyName: id.name}
		if i < len(opts.FriendlyNames) && opts.FriendlyNames[i] != "" {
			entries[i].FriendlyName = opts.FriendlyNames[i]
		}
	}
	pfx, err := pkcs12.Encode(entries, password, opts.InsecureLegacy)
	if err != nil {
		return nil, pfxError(err)
	}
	return pfx, nil
}
