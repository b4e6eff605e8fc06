package pkcs7

import (
	"fmt"
)

// A Problem says what is wrong with a message. Like chain.Reason it is an
// error and a constant.
type Problem uint8

const (
	_              Problem = iota
	ErrSyntax              // not CMS, or truncated; see SyntaxError for where
	ErrUnsupported         // valid CMS that this package does not implement
	ErrNoSigner            // a SignedData with no signature
	ErrDigest              // the content is not what was signed
	ErrSignature           // the signature does not match the key
	ErrNotRead             // asked before the end of the content
	ErrNoKey               // no key for any recipient; see NoKeyError
	// ErrDecrypt is every failure after a key was found: a wrong key, bad
	// padding and a bad tag look alike, lest they make an oracle.
	ErrDecrypt
	ErrUnauthenticated // the cipher does not authenticate, and it was required to
	ErrLimit           // a limit was reached
	// ErrKeyUnavailable is what a key in hardware or a service wraps when it
	// can't answer whatever the ciphertext: no card, no PIN, no connection.
	ErrKeyUnavailable
	ErrWeak          // an algorithm or key size below the floor, see InsecureHistoric
	ErrNoCertificate // no certificate at hand that a signer names
	ErrNoTimestamp   // no timestamp that holds
)

var problemText = [...]string{ErrSyntax: "syntax error", ErrUnsupported: "unsupported", ErrNoSigner: "no signer",
	ErrDigest: "content is not what was signed", ErrSignature: "signature does not match", ErrNotRead: "content not read to its end",
	ErrNoKey: "no key for any recipient", ErrDecrypt: "decryption failed", ErrUnauthenticated: "cipher does not authenticate", ErrLimit: "limit reached", ErrKeyUnavailable: "key unavailable",
	ErrWeak: "weak algorithm", ErrNoCertificate: "no certificate of the signer",
	ErrNoTimestamp: "no timestamp"}

func (p Problem) Error() string {
	if int(p) < len(problemText) && problemText[p] != "" {
		return "pkcs7: " + problemText[p]
	}
	return fmt.Sprintf("pkcs7: problem %d", uint8(p))
}

// A SyntaxError says where the encoding is wrong.
type SyntaxError struct {
	Offset int64
	Field  string // such as "SignedData.signerInfos[0].sid"
	Reason string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("pkcs7: offset %d: %s: %s", e.Offset, e.Field, e.Reason)
}
func (e *SyntaxError) Unwrap() error { return ErrSyntax }

// A NoKeyError lists the recipients of a message that no key was found for.
type NoKeyError struct{ Recipients []CertID }

func (e *NoKeyError) Error() string {
	return fmt.Sprintf("pkcs7: no key for any of %d recipients", len(e.Recipients))
}
func (e *NoKeyError) Unwrap() error { return ErrNoKey }

// A RecipientError says that a message can't be encrypted to one recipient.
type RecipientError struct {
	Index int // in the list of recipients
	Err   error
}

func (e *RecipientError) Error() string {
	return fmt.Sprintf("pkcs7: recipient %d: %v", e.Index, e.Err)
}
func (e *RecipientError) Unwrap() error { return e.Err }
