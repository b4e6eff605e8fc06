package smime

import (
	"crypto/x509"
)

// Capabilities is an ordered list of algorithms that somebody can read
// (RFC 8551 section 2.5.2), most preferred first.
type Capabilities []Capability

// A Capability is one SMIMECapability.
type Capability struct {
	OID        x509.OID
	Parameters []byte // DER, or nil
}
