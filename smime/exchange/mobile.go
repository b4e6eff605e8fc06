package exchange

import (
	"fmt"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A MobilePolicy has the S/MIME settings of a mobile device mailbox policy
// with the values of MS-ASPROV. The zero MobilePolicy requires nothing, blocks
// negotiation and allows no software certificates; [DefaultMobilePolicy] has
// the defaults of the cmdlets.
type MobilePolicy struct {
	RequireSignedSMIMEMessages               bool
	RequireEncryptedSMIMEMessages            bool
	RequireSignedSMIMEAlgorithm              SignedAlgorithm
	RequireEncryptionSMIMEAlgorithm          EncryptionAlgorithm
	AllowSMIMEEncryptionAlgorithmNegotiation Negotiation
	AllowSMIMESoftCerts                      bool
}

// SignedAlgorithm is RequireSignedSMIMEAlgorithm (MS-ASPROV 2.2.2.50).
type SignedAlgorithm uint8

const (
	SignedSHA1 SignedAlgorithm = iota
	SignedMD5
)

// EncryptionAlgorithm is RequireEncryptionSMIMEAlgorithm (MS-ASPROV 2.2.2.48).
type EncryptionAlgorithm uint8

const (
	EncryptionTripleDES EncryptionAlgorithm = iota
	EncryptionDES
	EncryptionRC2Bits128
	EncryptionRC2Bits64
	EncryptionRC2Bits40
)

// Negotiation is AllowSMIMEEncryptionAlgorithmNegotiation (MS-ASPROV 2.2.2.13).
type Negotiation uint8

const (
	NegotiateNothing Negotiation = iota
	NegotiateStrong
	NegotiateAny
)

// DefaultMobilePolicy returns the defaults of New-MobileDeviceMailboxPolicy.
func DefaultMobilePolicy() MobilePolicy {
	return MobilePolicy{AllowSMIMEEncryptionAlgorithmNegotiation: NegotiateAny, AllowSMIMESoftCerts: true}
}

// A MobileMessage is what a device is about to send.
type MobileMessage struct {
	Signed, Encrypted bool
	SoftwareKey       bool // the signature was made by a key in software
	// Capabilities of the recipients; nil: unknown.
	Capabilities []smime.Capabilities
}

// Check says why a message would break the policy, or nil. The error wraps
// [ErrPolicy].
//
// The values of the algorithm settings end with Triple DES and SHA-1, so a
// required algorithm is a floor: AES and SHA-2 meet it. Only a policy that
// blocks negotiation insists on the algorithm itself, and no message that this
// module writes can meet that.
func (p MobilePolicy) Check(m MobileMessage) error {
	if err := p.valid(); err != nil {
		return err
	}
	switch {
	case p.RequireSignedSMIMEMessages && !m.Signed:
		return fmt.Errorf("%w: messages must be signed", ErrPolicy)
	case p.RequireEncryptedSMIMEMessages && !m.Encrypted:
		return fmt.Errorf("%w: messages must be encrypted", ErrPolicy)
	case !p.AllowSMIMESoftCerts && m.Signed && m.SoftwareKey:
		return fmt.Errorf("%w: keys in software are not allowed", ErrPolicy)
	}
	if !m.Encrypted {
		return nil
	}
	_, err := p.Cipher(m.Capabilities...)
	return err
}

// Cipher returns the cipher that satisfies the policy for all recipients, each
// with its capabilities; nil ones are unknown and taken to read AES-256-CBC.
// The error wraps [ErrPolicy].
func (p MobilePolicy) Cipher(recipients ...smime.Capabilities) (pkcs7.Cipher, error) {
	if err := p.valid(); err != nil {
		return 0, err
	}
	if p.AllowSMIMEEncryptionAlgorithmNegotiation == NegotiateNothing {
		return 0, fmt.Errorf("%w: it asks for an obsolete cipher and blocks negotiation", ErrPolicy)
	}
	for _, c := range []pkcs7.Cipher{pkcs7.AES256GCM, pkcs7.AES256CBC, pkcs7.AES192CBC, pkcs7.AES128CBC} {
		if allRead(recipients, c) {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%w: the recipients have no strong cipher in common", ErrPolicy)
}

// SealOptions returns options under which smime.Seal makes a message for the
// recipients that meets the policy, whether or not it requires both. The error
// wraps [ErrPolicy].
func (p MobilePolicy) SealOptions(to ...*smime.Recipient) (*smime.SealOptions, error) {
	caps := make([]smime.Capabilities, len(to))
	for i, r := range to {
		caps[i] = r.Capabilities()
	}
	c, err := p.Cipher(caps...)
	if err != nil {
		return nil, err
	}
	return &smime.SealOptions{Cipher: c}, nil
}

func allRead(recipients []smime.Capabilities, c pkcs7.Cipher) bool {
	for _, caps := range recipients {
		if caps == nil && c != pkcs7.AES256CBC || caps != nil && !caps.Reads(c) {
			return false
		}
	}
	return len(recipients) > 0 || c == pkcs7.AES256CBC
}

func (p MobilePolicy) valid() error {
	switch {
	case p.RequireSignedSMIMEAlgorithm > SignedMD5:
		return &SettingError{Name: "RequireSignedSMIMEAlgorithm", Reason: "is 0 or 1"}
	case p.RequireEncryptionSMIMEAlgorithm > EncryptionRC2Bits40:
		return &SettingError{Name: "RequireEncryptionSMIMEAlgorithm", Reason: "is 0 to 4"}
	case p.AllowSMIMEEncryptionAlgorithmNegotiation > NegotiateAny:
		return &SettingError{Name: "AllowSMIMEEncryptionAlgorithmNegotiation", Reason: "is 0, 1 or 2"}
	}
	return nil
}
