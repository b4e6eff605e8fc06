package chain

import (
	"slices"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// oidApplicationPolicies is the extension (szOID_APPLICATION_CERT_POLICIES).
const oidApplicationPolicies oid.OID = "\x2b\x06\x01\x04\x01\x82\x37\x15\x0a" // 1.3.6.1.4.1.311.21.10

// oidAnyApplication is the application policy that stands for all
// (szOID_ANY_APPLICATION_POLICY).
const oidAnyApplication oid.OID = "\x2b\x06\x01\x04\x01\x82\x37\x0a\x0c\x01" // 1.3.6.1.4.1.311.10.12.1

// decodeApplications reads the application policies of Microsoft (MS-WCCE
// section 2.2.2.7.7.3), which have the syntax of certificate policies and the
// object identifiers of extended key usages.
func (d *details) decodeApplications(s cryptobyte.String) bool {
	var seq cryptobyte.String
	if !s.ReadASN1(&seq, der.SEQUENCE) || !s.Empty() || seq.Empty() {
		return false
	}
	for !seq.Empty() {
		var info cryptobyte.String
		var id oid.OID
		if !seq.ReadASN1(&info, der.SEQUENCE) || !oid.Read(&info, &id) || len(d.applications) == maxPolicies {
			return false
		}
		d.applications = append(d.applications, id)
	}
	return true
}

// restrictUsages makes the application policies extended key usages, as Windows
// reads them. Where a certificate has both, it is for what both name: Windows
// looks at the application policies alone, everybody else at the usages.
func (d *details) restrictUsages() {
	if !d.hasApplications {
		return
	}
	applications := slices.Clone(d.applications)
	for i, id := range applications {
		if id == oidAnyApplication {
			applications[i] = oid.AnyExtendedKeyUsage
		}
	}
	switch {
	case !d.hasEKU || slices.Contains(d.eku, oid.AnyExtendedKeyUsage):
		d.eku = applications
	case !slices.Contains(applications, oid.AnyExtendedKeyUsage):
		d.eku = slices.DeleteFunc(slices.Clone(d.eku), func(id oid.OID) bool { return !slices.Contains(applications, id) })
	}
	d.hasEKU = true
}
