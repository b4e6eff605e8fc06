package exchange

import (
	"crypto/sha1" // thumbprints are SHA-1 by definition
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/internal/quoted"
)

// A Problem says why a setting can't be followed. It is an error and a
// constant.
type Problem uint8

const (
	_                  Problem = iota
	ErrNoCollection            // there is no virtual certificate collection, and nothing else may vouch
	ErrSetting                 // a setting is malformed, unknown, contradictory or obsolete; see SettingError
	ErrNoSigner                // no identity may sign for the author
	ErrPolicy                  // a mobile device mailbox policy can't be met
	ErrMalformed               // a directory value can't be read
	ErrNoKeyIdentifier         // a certificate has no subject key identifier, which Exchange demands
)

var problemText = [...]string{ErrNoCollection: "no virtual certificate collection", ErrSetting: "unusable setting",
	ErrNoSigner: "no identity may sign for the author", ErrPolicy: "the mobile device policy can't be met",
	ErrMalformed: "malformed directory value", ErrNoKeyIdentifier: "the certificate has no subject key identifier"}

func (p Problem) Error() string {
	if int(p) < len(problemText) && problemText[p] != "" {
		return "exchange: " + problemText[p]
	}
	return fmt.Sprintf("exchange: problem %d", uint8(p))
}

// A SettingError says which setting is wrong and why.
type SettingError struct {
	Name   string // of the parameter, such as OWAEncryptionAlgorithms
	Value  string // the part of it that is wrong
	Reason string
}

func (e *SettingError) Error() string {
	s := "exchange: "
	if e.Name != "" {
		s += e.Name + ": "
	}
	if e.Value != "" {
		s += quote(e.Value) + ": "
	}
	return s + e.Reason
}

// Unwrap returns [ErrSetting].
func (e *SettingError) Unwrap() error { return ErrSetting }

// quote quotes text from input and cuts it.
func quote(s string) string { return quoted.Text(s) }

// An ExpiredError lists the expired certificates of a collection.
type ExpiredError struct{ Certificates []*x509.Certificate }

func (e *ExpiredError) Error() string {
	var list []string
	for i, c := range e.Certificates {
		if i == 5 {
			list = append(list, "…")
			break
		}
		list = append(list, thumbprint(c)+" expired "+c.NotAfter.UTC().Format("2006-01-02"))
	}
	return fmt.Sprintf("exchange: %d certificates of the collection have expired: %s", len(e.Certificates), strings.Join(list, ", "))
}

// thumbprint returns the SHA-1 of the certificate as Windows prints it.
func thumbprint(c *x509.Certificate) string { return fmt.Sprintf("%X", sha1.Sum(c.Raw)) }
