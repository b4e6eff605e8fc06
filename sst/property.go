package sst

import "fmt"

// PropertyID names a property.
type PropertyID uint32

// The properties whose value this package decodes, or compares in
// [Store.Mismatches]. Others are kept as they are.
const (
	PropKeyProvider         PropertyID = 2 // see Property.KeyProvider
	PropSHA1                PropertyID = 3 // of the certificate, CRL or CTL
	PropMD5                 PropertyID = 4
	PropKeySpec             PropertyID = 6 // see Property.Number
	PropEnhKeyUsage         PropertyID = 9 // see Property.OIDs; the usage of a CTL, too
	PropNextUpdateLocation  PropertyID = 10
	PropFriendlyName        PropertyID = 11 // see Property.Text
	PropKeyFile             PropertyID = 12
	PropDescription         PropertyID = 13 // see Property.Text
	PropSignatureHash       PropertyID = 15 // of the TBSCertificate
	PropArchived            PropertyID = 19 // no value
	PropKeyIdentifier       PropertyID = 20
	PropAutoEnroll          PropertyID = 21
	PropCrossCertPoints     PropertyID = 23
	PropIssuerKeyMD5        PropertyID = 24
	PropSubjectKeyMD5       PropertyID = 25
	PropEnrollment          PropertyID = 26 // see Property.Enrollment
	PropDateStamp           PropertyID = 27 // see Property.Time
	PropIssuerSerialMD5     PropertyID = 28
	PropSubjectNameMD5      PropertyID = 29
	PropExtendedErrorInfo   PropertyID = 30
	PropRenewal             PropertyID = 64
	PropAuthorityInfoAccess PropertyID = 68
	PropOCSPResponse        PropertyID = 70
	PropRequestOriginator   PropertyID = 71
	PropSubjectInfoAccess   PropertyID = 80
	PropRootPolicies        PropertyID = 83 // see Property.RootPolicies
	PropRootNameConstraints PropertyID = 84 // DER NameConstraints
	PropSignHashAlgorithm   PropertyID = 89
	PropKeyBits             PropertyID = 92
	PropKeyAlgorithm        PropertyID = 93
	PropAuthRootSHA256      PropertyID = 98
	PropKeyRepairAttempted  PropertyID = 103
	PropDisallowedTime      PropertyID = 104 // see Property.Time; the zero time: since ever
	PropChainPolicies       PropertyID = 105 // see Property.OIDs
	PropSHA256              PropertyID = 107
	PropDisallowedUsage     PropertyID = 122 // see Property.OIDs
	PropKeyPin              PropertyID = 124
	PropNotBeforeTime       PropertyID = 126 // see Property.Time; the zero time: since ever
	PropNotBeforeKeyUsage   PropertyID = 127 // see Property.OIDs
)

// A Property is kept byte for byte, so that a store that was read is written
// back as it was. Its methods decode the value; their errors are [*Error].
type Property struct {
	ID       PropertyID
	Encoding uint32 // 1, also where it is 0
	Value    []byte
}

// String returns the name of the property as Windows has it.
func (id PropertyID) String() string {
	names := [...]string{
		1: "KEY_PROV_HANDLE", 2: "KEY_PROV_INFO", 3: "SHA1_HASH", 4: "MD5_HASH", 5: "KEY_CONTEXT", 6: "KEY_SPEC",
		9: "ENHKEY_USAGE", 10: "NEXT_UPDATE_LOCATION", 11: "FRIENDLY_NAME", 12: "PVK_FILE", 13: "DESCRIPTION",
		14: "ACCESS_STATE", 15: "SIGNATURE_HASH", 19: "ARCHIVED", 20: "KEY_IDENTIFIER", 21: "AUTO_ENROLL",
		22: "PUBKEY_ALG_PARA", 23: "CROSS_CERT_DIST_POINTS", 24: "ISSUER_PUBLIC_KEY_MD5_HASH",
		25: "SUBJECT_PUBLIC_KEY_MD5_HASH", 26: "ENROLLMENT", 27: "DATE_STAMP", 28: "ISSUER_SERIAL_NUMBER_MD5_HASH",
		29: "SUBJECT_NAME_MD5_HASH", 30: "EXTENDED_ERROR_INFO", 64: "RENEWAL", 65: "ARCHIVED_KEY_HASH",
		66: "AUTO_ENROLL_RETRY", 67: "AIA_URL_RETRIEVED", 68: "AUTHORITY_INFO_ACCESS", 69: "BACKED_UP",
		70: "OCSP_RESPONSE", 71: "REQUEST_ORIGINATOR", 72: "SOURCE_LOCATION", 73: "SOURCE_URL", 74: "NEW_KEY",
		75: "OCSP_CACHE_PREFIX", 76: "SMART_CARD_ROOT_INFO", 77: "NO_AUTO_EXPIRE_CHECK", 78: "NCRYPT_KEY_HANDLE",
		79: "HCRYPTPROV_OR_NCRYPT_KEY_HANDLE", 80: "SUBJECT_INFO_ACCESS", 81: "CA_OCSP_AUTHORITY_INFO_ACCESS",
		82: "CA_DISABLE_CRL", 83: "ROOT_PROGRAM_CERT_POLICIES", 84: "ROOT_PROGRAM_NAME_CONSTRAINTS",
		85: "SUBJECT_OCSP_AUTHORITY_INFO_ACCESS", 86: "SUBJECT_DISABLE_CRL", 87: "CEP", 89: "SIGN_HASH_CNG_ALG",
		90: "SCARD_PIN_ID", 91: "SCARD_PIN_INFO", 92: "SUBJECT_PUB_KEY_BIT_LENGTH", 93: "PUB_KEY_CNG_ALG_BIT_LENGTH",
		94: "ISSUER_PUB_KEY_BIT_LENGTH", 95: "ISSUER_CHAIN_SIGN_HASH_CNG_ALG",
		96: "ISSUER_CHAIN_PUB_KEY_CNG_ALG_BIT_LENGTH", 97: "NO_EXPIRE_NOTIFICATION", 98: "AUTH_ROOT_SHA256_HASH",
		99: "NCRYPT_KEY_HANDLE_TRANSFER", 100: "HCRYPTPROV_TRANSFER", 101: "SMART_CARD_READER",
		102: "SEND_AS_TRUSTED_ISSUER", 103: "KEY_REPAIR_ATTEMPTED", 104: "DISALLOWED_FILETIME",
		105: "ROOT_PROGRAM_CHAIN_POLICIES", 106: "SMART_CARD_READER_NON_REMOVABLE", 107: "SHA256_HASH",
		119: "SERIAL_CHAIN", 121: "OCSP_MUST_STAPLE", 122: "DISALLOWED_ENHKEY_USAGE", 123: "NONCOMPLIANT_ROOT_URL",
		124: "PIN_SHA256_HASH", 125: "CLR_DELETE_KEY", 126: "NOT_BEFORE_FILETIME", 127: "NOT_BEFORE_ENHKEY_USAGE",
	}
	if int64(id) < int64(len(names)) && names[id] != "" {
		return names[id]
	}
	return fmt.Sprintf("property %d", uint32(id))
}

// form is the encoding of a property's value.
type form uint8

const (
	opaque form = iota
	hash
	text
	fileTime
	oidList
	number
	keyProvider
	enrollment
	rootPolicies
	mark
)

func (id PropertyID) form() form {
	switch id {
	case PropSHA1, PropMD5, PropSignatureHash, PropKeyIdentifier, PropIssuerKeyMD5, PropSubjectKeyMD5, PropIssuerSerialMD5,
		PropSubjectNameMD5, PropRenewal, 65, PropAuthRootSHA256, PropSHA256, PropKeyPin:
		return hash
	case PropFriendlyName, PropKeyFile, PropDescription, PropAutoEnroll, PropExtendedErrorInfo, PropRequestOriginator,
		PropSignHashAlgorithm, PropKeyAlgorithm, 95, 96, 101, 123:
		return text
	case PropDateStamp, PropKeyRepairAttempted, PropDisallowedTime, PropNotBeforeTime:
		return fileTime
	case PropEnhKeyUsage, PropChainPolicies, PropDisallowedUsage, PropNotBeforeKeyUsage:
		return oidList
	case PropKeySpec, 14, PropKeyBits, 94:
		return number
	case PropKeyProvider:
		return keyProvider
	case PropEnrollment:
		return enrollment
	case PropRootPolicies:
		return rootPolicies
	case PropArchived, 82, 97, 102:
		return mark
	}
	return opaque
}
