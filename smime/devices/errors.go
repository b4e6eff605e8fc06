package devices

import "fmt"

// A Problem says why something can't be made for a device. It is an error and
// a constant.
type Problem uint8

const (
	_                Problem = iota
	ErrMalformed             // a key, a resource or a field of a profile can't be used as it is
	ErrPrivateKey            // a private key stands where a public one is expected
	ErrWeakKey               // the connector's key is shorter than 2048 bits
	ErrNoIdentity            // there is no identity
	ErrNotForMail            // a certificate is neither for signing nor for encrypting mail
	ErrNotExportable         // a key is in hardware, or can't be written to a PKCS #12 file
	ErrNoSigner              // no identity may sign for the account now
	ErrNoReader              // no identity may be encrypted to for the account now
)

var problemText = [...]string{ErrMalformed: "malformed", ErrPrivateKey: "a private key in place of a public one",
	ErrWeakKey: "the key is shorter than 2048 bits", ErrNoIdentity: "no identity",
	ErrNotForMail: "the certificate is not for mail", ErrNotExportable: "the key can't be exported",
	ErrNoSigner: "no identity may sign for the account", ErrNoReader: "no identity may be encrypted to for the account"}

// Error returns the text of the problem.
func (p Problem) Error() string {
	if int(p) < len(problemText) && problemText[p] != "" {
		return "devices: " + problemText[p]
	}
	return fmt.Sprintf("devices: problem %d", uint8(p))
}
