package pkcs7

import (
	"crypto/x509"
)

// An Attribute is a signed or unsigned attribute.
type Attribute struct {
	Type   x509.OID
	Values [][]byte // DER
}
