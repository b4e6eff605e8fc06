package devices

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" // thumbprints are SHA-1 by definition
	_ "crypto/sha256"
	_ "crypto/sha512"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gosmime/gosmime/smime"
)

// A UserPFXCertificate is the Graph resource userPFXCertificate: one key of one
// user, as Intune imports it. Its JSON is the body to post to
// /deviceManagement/userPfxCertificates, one resource at a time.
type UserPFXCertificate struct {
	Thumbprint           string // SHA-1 of the certificate, in lower-case hexadecimal
	IntendedPurpose      Purpose
	UserPrincipalName    string
	StartDateTime        time.Time // notBefore of the certificate
	ExpirationDateTime   time.Time // its notAfter
	CreatedDateTime      time.Time
	LastModifiedDateTime time.Time
	ProviderName         string
	KeyName              string
	PaddingScheme        Padding
	EncryptedPFXBlob     []byte // a PKCS #12 file, protected by its password alone
	EncryptedPFXPassword []byte // that password, encrypted to the connector
}

// Purpose is the intendedPurpose of a userPFXCertificate
// (userPfxIntendedPurpose).
type Purpose uint8

const (
	PurposeUnassigned      Purpose = 0
	PurposeSMIMEEncryption Purpose = 1
	PurposeSMIMESigning    Purpose = 2
	PurposeVPN             Purpose = 4
	PurposeWiFi            Purpose = 8
)

// PFXOptions change how [UserPFXCertificates] works. Nil means the defaults.
type PFXOptions struct {
	// InsecureLegacy writes Triple DES and SHA-1, which iOS, Android, macOS and
	// Windows all read. Without it the PFX has AES-256 and SHA-256, which older
	// versions don't read: see [smime.PKCS12Options]. The passwords are random,
	// so that their strength does not depend on the iterations.
	InsecureLegacy bool
	// Purpose says what a certificate is for; nil: smimeEncryption if the
	// certificate may be encrypted to, since old mail needs it on every device,
	// else smimeSigning.
	Purpose func(*x509.Certificate) Purpose
	Now     time.Time // CreatedDateTime and LastModifiedDateTime; zero: now
}

// UserPFXCertificates makes one resource of each identity: the whole history of
// a user, expired certificates included. Each PFX has one key with its
// certificate and issuers, and a random password of its own of at least 128
// bits, which is encrypted to the connector.
//
// The error wraps [ErrNoIdentity], [ErrNotForMail] or [ErrNotExportable] for an
// identity, or [ErrMalformed] or [ErrWeakKey] for the user or connector. Nothing
// is returned then.
func UserPFXCertificates(c *Connector, userPrincipalName string, identities []*smime.Identity, opts *PFXOptions) ([]*UserPFXCertificate, error) {
	if opts == nil {
		opts = new(PFXOptions)
	}
	switch {
	case c == nil:
		return nil, fmt.Errorf("%w: no connector", ErrMalformed)
	case c.ProviderName == "" || c.KeyName == "":
		return nil, fmt.Errorf("%w: the connector has no provider or key name", ErrMalformed)
	case c.Padding.name() == "":
		return nil, fmt.Errorf("%w: padding scheme %d", ErrMalformed, c.Padding)
	case !validUser(userPrincipalName):
		return nil, fmt.Errorf("%w: user principal name", ErrMalformed)
	case len(identities) == 0:
		return nil, ErrNoIdentity
	}
	if err := checkKey(c.Key); err != nil {
		return nil, err
	}
	var list []*UserPFXCertificate
	seen := make(map[string]bool)
	for i, id := range identities {
		if id == nil {
			return nil, fmt.Errorf("identity %d: %w", i, ErrNoIdentity)
		}
		u, err := c.resource(userPrincipalName, id, opts)
		if err != nil {
			return nil, fmt.Errorf("identity %d, certificate %s: %w", i, thumbprint(id.Certificate()), err)
		}
		if !seen[u.Thumbprint] {
			seen[u.Thumbprint] = true
			list = append(list, u)
		}
	}
	return list, nil
}

func (c *Connector) resource(user string, id *smime.Identity, opts *PFXOptions) (*UserPFXCertificate, error) {
	cert := id.Certificate()
	purpose := purposeOf(cert)
	if opts.Purpose != nil {
		purpose = opts.Purpose(cert)
	} else if purpose == PurposeUnassigned {
		return nil, ErrNotForMail
	}
	if purpose.name() == "" {
		return nil, fmt.Errorf("%w: purpose %d", ErrMalformed, purpose)
	}
	pfx, password, err := exportPFX(id, opts.InsecureLegacy)
	if err != nil {
		return nil, err
	}
	sealed, err := c.seal([]byte(password))
	if err != nil {
		return nil, err
	}
	now := opts.Now
	if now.IsZero() {
		now = time.Now()
	}
	now = now.UTC().Truncate(time.Second)
	return &UserPFXCertificate{
		Thumbprint: thumbprint(cert), IntendedPurpose: purpose, UserPrincipalName: user,
		StartDateTime: cert.NotBefore.UTC(), ExpirationDateTime: cert.NotAfter.UTC(), CreatedDateTime: now, LastModifiedDateTime: now,
		ProviderName: c.ProviderName, KeyName: c.KeyName, PaddingScheme: c.Padding,
		EncryptedPFXBlob: pfx, EncryptedPFXPassword: sealed,
	}, nil
}

// seal encrypts to the connector: RSA-OAEP with an empty label, and one hash for
// OAEP and MGF1.
func (c *Connector) seal(password []byte) ([]byte, error) {
	sealed, err := rsa.EncryptOAEP(c.Padding.hash().New(), rand.Reader, c.Key, password, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: nothing can be encrypted to the connector key", ErrMalformed)
	}
	return sealed, nil
}

// exportPFX returns a PKCS #12 file of one identity with its password: ASCII,
// because the connector takes each octet for a character.
func exportPFX(id *smime.Identity, legacy bool) (pfx []byte, password string, err error) {
	password = rand.Text() // 26 letters and digits, more than 128 bits
	pfx, err = smime.MarshalPKCS12([]*smime.Identity{id}, password, &smime.PKCS12Options{InsecureLegacy: legacy})
	if err != nil {
		return nil, "", fmt.Errorf("%w: %w", ErrNotExportable, err)
	}
	return pfx, password, nil
}

func thumbprint(c *x509.Certificate) string {
	sum := sha1.Sum(c.Raw)
	return hex.EncodeToString(sum[:])
}

func (p Padding) hash() crypto.Hash {
	switch p {
	case OAEPSHA384:
		return crypto.SHA384
	case OAEPSHA256:
		return crypto.SHA256
	}
	return crypto.SHA512
}

func (p Padding) name() string {
	switch p {
	case OAEPSHA512:
		return "oaepSha512"
	case OAEPSHA384:
		return "oaepSha384"
	case OAEPSHA256:
		return "oaepSha256"
	}
	return ""
}

// MarshalText returns the name in Graph.
func (p Padding) MarshalText() ([]byte, error) {
	if p.name() == "" {
		return nil, fmt.Errorf("%w: padding scheme %d", ErrMalformed, uint8(p))
	}
	return []byte(p.name()), nil
}

// UnmarshalText reads the name in Graph; "none" is the default. The schemes that
// the service no longer supports are refused.
func (p *Padding) UnmarshalText(text []byte) error {
	if string(text) == "none" {
		*p = OAEPSHA512
		return nil
	}
	for _, known := range []Padding{OAEPSHA512, OAEPSHA384, OAEPSHA256} {
		if string(text) == known.name() {
			*p = known
			return nil
		}
	}
	return fmt.Errorf("%w: padding scheme", ErrMalformed)
}

func (p Purpose) name() string {
	switch p {
	case PurposeUnassigned:
		return "unassigned"
	case PurposeSMIMEEncryption:
		return "smimeEncryption"
	case PurposeSMIMESigning:
		return "smimeSigning"
	case PurposeVPN:
		return "vpn"
	case PurposeWiFi:
		return "wifi"
	}
	return ""
}

// MarshalText returns the name in Graph.
func (p Purpose) MarshalText() ([]byte, error) {
	if p.name() == "" {
		return nil, fmt.Errorf("%w: purpose %d", ErrMalformed, uint8(p))
	}
	return []byte(p.name()), nil
}

// UnmarshalText reads the name in Graph.
func (p *Purpose) UnmarshalText(text []byte) error {
	for _, known := range []Purpose{PurposeUnassigned, PurposeSMIMEEncryption, PurposeSMIMESigning, PurposeVPN, PurposeWiFi} {
		if string(text) == known.name() {
			*p = known
			return nil
		}
	}
	return fmt.Errorf("%w: purpose", ErrMalformed)
}

// resource is a UserPFXCertificate with the names of Graph.
type resource struct {
	Thumbprint           string    `json:"thumbprint"`
	IntendedPurpose      Purpose   `json:"intendedPurpose"`
	UserPrincipalName    string    `json:"userPrincipalName"`
	StartDateTime        time.Time `json:"startDateTime"`
	ExpirationDateTime   time.Time `json:"expirationDateTime"`
	CreatedDateTime      time.Time `json:"createdDateTime"`
	LastModifiedDateTime time.Time `json:"lastModifiedDateTime"`
	ProviderName         string    `json:"providerName"`
	KeyName              string    `json:"keyName"`
	PaddingScheme        Padding   `json:"paddingScheme"`
	EncryptedPFXBlob     []byte    `json:"encryptedPfxBlob"`
	EncryptedPFXPassword []byte    `json:"encryptedPfxPassword"`
}

// MarshalJSON returns the resource with the member names of Graph.
func (u UserPFXCertificate) MarshalJSON() ([]byte, error) {
	return json.Marshal(resource(u))
}

// UnmarshalJSON reads a resource, as Graph lists it. Members that this type does
// not have are ignored.
func (u *UserPFXCertificate) UnmarshalJSON(text []byte) error {
	return json.Unmarshal(text, (*resource)(u))
}
