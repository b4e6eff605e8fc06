package chain

import (
	"crypto/x509"
	"strings"

	"github.com/gosmime/gosmime/internal/oid"
)

// keyUsageText names the bits of a keyUsage for people.
func keyUsageText(ku x509.KeyUsage) string {
	var list []string
	for i, name := range [...]string{"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment",
		"keyAgreement", "keyCertSign", "cRLSign", "encipherOnly", "decipherOnly"} {
		if ku>>i&1 != 0 {
			list = append(list, name)
		}
	}
	if list == nil {
		return "empty"
	}
	return strings.Join(list, ", ")
}

// ekuText names the extended key usages for people.
func (d *details) ekuText() string {
	const show = 6
	var list []string
	for i, id := range d.eku {
		if i == show {
			list = append(list, "…")
			break
		}
		list = append(list, ekuName(id))
	}
	if list == nil {
		return "absent"
	}
	return strings.Join(list, ", ")
}

func ekuName(id oid.OID) string {
	switch id {
	case oid.AnyExtendedKeyUsage:
		return "anyExtendedKeyUsage"
	case oid.EKUEmailProtection:
		return "emailProtection"
	case oid.EKUTimeStamping:
		return "timeStamping"
	case oid.EKUOCSPSigning:
		return "OCSPSigning"
	case oid.EKUServerAuth:
		return "serverAuth"
	case oid.EKUClientAuth:
		return "clientAuth"
	case ekuCodeSigning:
		return "codeSigning"
	}
	return id.String()
}
