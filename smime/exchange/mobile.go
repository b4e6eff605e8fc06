package exchange

import (
	"crypto"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// A MobilePolicy has the S/MIME settings of a mobile device mailbox policy
// with the values of MS-ASPROV. The zero MobilePolicy requires nothing, blocks
// negotiation and allows no software certificates; [DefaultMobilePolicy] has
// the defaults of the cmdlets. [ParseMobilePolicies] reads what the cmdlets
// print, [ParseProvisionDoc] what a device is sent.
type MobilePolicy struct {
	Name      string // of the policy; empty where it is not known
	IsDefault bool   // it holds for everybody who has no policy of their own

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

// A MobileMessage is what a device has sent or is about to send.
type MobileMessage struct {
	Signed, Encrypted bool
	// Digest of the signature; required where Signed.
	Digest      crypto.Hash
	SoftwareKey bool // the signature was made by a key in software
	// Cipher of the content; required where Encrypted. RC2 counts as RC2 of 40
	// bits, since its length is not part of a Cipher.
	Cipher pkcs7.Cipher
}

// Check says why a message breaks the policy, or nil. The error wraps
// [ErrPolicy]; it is a [*SettingError] if the policy has a value that is
// unknown, or if the message does not say which algorithms it has.
//
// The values of the algorithm settings end with Triple DES and SHA-1, so a
// required algorithm is a floor: AES and SHA-2 meet it. A policy that blocks
// negotiation insists on the cipher itself, and no message that this module
// writes can meet that; one that allows strong ciphers alone wants AES or
// better, or Triple DES where that is required.
func (p MobilePolicy) Check(m MobileMessage) error {
	if err := p.valid(); err != nil {
		return err
	}
	switch {
	case m.Signed && m.Digest == 0:
		return &SettingError{Name: "MobileMessage.Digest", Reason: "is not set, though the message is signed"}
	case m.Encrypted && m.Cipher == 0:
		return &SettingError{Name: "MobileMessage.Cipher", Reason: "is not set, though the message is encrypted"}
	case p.RequireSignedSMIMEMessages && !m.Signed:
		return fmt.Errorf("%w: messages must be signed", ErrPolicy)
	case p.RequireEncryptedSMIMEMessages && !m.Encrypted:
		return fmt.Errorf("%w: messages must be encrypted", ErrPolicy)
	case !p.AllowSMIMESoftCerts && m.Signed && m.SoftwareKey:
		return fmt.Errorf("%w: keys in software are not allowed", ErrPolicy)
	}
	if m.Signed && digestRank(m.Digest) < p.RequireSignedSMIMEAlgorithm.rank() {
		return fmt.Errorf("%w: the digest %v is below the required one", ErrPolicy, m.Digest)
	}
	if m.Encrypted {
		return p.checkCipher(m.Cipher)
	}
	return nil
}

func (p MobilePolicy) checkCipher(c pkcs7.Cipher) error {
	rank, required := cipherRank(c), p.RequireEncryptionSMIMEAlgorithm.rank()
	switch {
	case rank < required:
		return fmt.Errorf("%w: the cipher %v is below the required one", ErrPolicy, c)
	case p.AllowSMIMEEncryptionAlgorithmNegotiation == NegotiateNothing && rank != required:
		return fmt.Errorf("%w: the cipher %v is not the required one, and negotiation is blocked", ErrPolicy, c)
	case p.AllowSMIMEEncryptionAlgorithmNegotiation == NegotiateStrong && rank != required && rank < rankAES:
		return fmt.Errorf("%w: the cipher %v is not strong", ErrPolicy, c)
	}
	return nil
}

// The ranks order ciphers by how long they withstand; equal ranks are one
// algorithm, or all of those that meet every floor.
const (
	_ = iota
	rankRC2Bits40
	rankDES
	rankRC2Bits64
	rankRC2Bits128
	rankTripleDES
	rankAES
)

func (e EncryptionAlgorithm) rank() int {
	switch e {
	case EncryptionDES:
		return rankDES
	case EncryptionRC2Bits128:
		return rankRC2Bits128
	case EncryptionRC2Bits64:
		return rankRC2Bits64
	case EncryptionRC2Bits40:
		return rankRC2Bits40
	}
	return rankTripleDES
}

func cipherRank(c pkcs7.Cipher) int {
	switch c {
	case pkcs7.DES:
		return rankDES
	case pkcs7.RC2:
		return rankRC2Bits40
	case pkcs7.TripleDES:
		return rankTripleDES
	}
	return rankAES
}

func (s SignedAlgorithm) rank() int {
	if s == SignedMD5 {
		return 1
	}
	return 2
}

func digestRank(h crypto.Hash) int {
	switch h {
	case crypto.MD4, crypto.RIPEMD160, crypto.MD5SHA1:
		return 0
	case crypto.MD5:
		return 1
	case crypto.SHA1:
		return 2
	}
	return 3
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

// SealOptions returns options under which smime.Seal makes a message of the
// signer for the recipients that meets the policy, whether or not it requires
// both. Where the policy allows no software certificates, a signer whose key is
// in the memory of the process is refused. The error wraps [ErrPolicy],
// [ErrNoSigner] for a nil signer, or smime.ErrUnverifiedRecipient for a nil
// recipient or if there is none.
func (p MobilePolicy) SealOptions(signer *smime.Identity, to ...*smime.Recipient) (*smime.SealOptions, error) {
	if signer == nil {
		return nil, ErrNoSigner
	}
	if len(to) == 0 {
		return nil, fmt.Errorf("%w: no recipient", smime.ErrUnverifiedRecipient)
	}
	caps := make([]smime.Capabilities, len(to))
	for i, r := range to {
		if r == nil {
			return nil, fmt.Errorf("%w: recipient %d", smime.ErrUnverifiedRecipient, i)
		}
		caps[i] = r.Capabilities()
	}
	c, err := p.Cipher(caps...)
	if err != nil {
		return nil, err
	}
	if err := p.checkKey(signer); err != nil {
		return nil, err
	}
	return &smime.SealOptions{Cipher: c}, nil
}

// checkKey returns why the key of id may not sign, or nil.
func (p MobilePolicy) checkKey(id *smime.Identity) error {
	key, err := id.SigningKey()
	if err != nil {
		return err
	}
	if !p.AllowSMIMESoftCerts && alg.Software(key.Key) {
		return fmt.Errorf("%w: keys in software are not allowed", ErrPolicy)
	}
	return nil
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
