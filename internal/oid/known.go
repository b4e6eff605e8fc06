package oid

// Known returns the identifier with those content octets if it is one of those
// that occur in most messages, without a copy of them; "" if it is not.
func Known(b []byte) OID {
	if o := knownType(b); o != "" {
		return o
	}
	if o := knownAlgorithm(b); o != "" {
		return o
	}
	return knownExtension(b)
}

func knownType(b []byte) OID {
	switch OID(b) {
	case Data:
		return Data
	case SignedData:
		return SignedData
	case EnvelopedData:
		return EnvelopedData
	case AuthEnvelopedData:
		return AuthEnvelopedData
	case AttrContentType:
		return AttrContentType
	case AttrMessageDigest:
		return AttrMessageDigest
	case AttrSigningTime:
		return AttrSigningTime
	case AttrSMIMECapabilities:
		return AttrSMIMECapabilities
	case AttrCMSAlgorithmProtection:
		return AttrCMSAlgorithmProtection
	case AttrEncryptionKeyPreference:
		return AttrEncryptionKeyPreference
	case AttrMicrosoftKeyPreference:
		return AttrMicrosoftKeyPreference
	case AttrSigningCertificate:
		return AttrSigningCertificate
	case AttrSigningCertificateV2:
		return AttrSigningCertificateV2
	case AttrTimestampToken:
		return AttrTimestampToken
	}
	return ""
}

func knownAlgorithm(b []byte) OID {
	switch OID(b) {
	case SHA1:
		return SHA1
	case SHA256:
		return SHA256
	case SHA384:
		return SHA384
	case SHA512:
		return SHA512
	case RSAEncryption:
		return RSAEncryption
	case RSAESOAEP:
		return RSAESOAEP
	case MGF1:
		return MGF1
	case RSASSAPSS:
		return RSASSAPSS
	case SHA256WithRSA:
		return SHA256WithRSA
	case ECPublicKey:
		return ECPublicKey
	case ECDSAWithSHA256:
		return ECDSAWithSHA256
	case ECDSAWithSHA384:
		return ECDSAWithSHA384
	case P256:
		return P256
	case P384:
		return P384
	case Ed25519:
		return Ed25519
	case X25519:
		return X25519
	case DHStdSHA256KDF:
		return DHStdSHA256KDF
	case AES128Wrap:
		return AES128Wrap
	case AES256Wrap:
		return AES256Wrap
	case AES128CBC:
		return AES128CBC
	case AES256CBC:
		return AES256CBC
	case AES128GCM:
		return AES128GCM
	case AES256GCM:
		return AES256GCM
	}
	return ""
}

// knownExtension has those of certificates and names, too.
func knownExtension(b []byte) OID {
	switch OID(b) {
	case ExtSubjectKeyID:
		return ExtSubjectKeyID
	case ExtKeyUsage:
		return ExtKeyUsage
	case ExtSubjectAltName:
		return ExtSubjectAltName
	case ExtBasicConstraints:
		return ExtBasicConstraints
	case ExtNameConstraints:
		return ExtNameConstraints
	case ExtCRLDistributionPoints:
		return ExtCRLDistributionPoints
	case ExtCertificatePolicies:
		return ExtCertificatePolicies
	case ExtAuthorityKeyID:
		return ExtAuthorityKeyID
	case ExtPolicyConstraints:
		return ExtPolicyConstraints
	case ExtExtendedKeyUsage:
		return ExtExtendedKeyUsage
	case ExtAuthorityInfoAccess:
		return ExtAuthorityInfoAccess
	case ExtCRLNumber:
		return ExtCRLNumber
	case ExtReasonCode:
		return ExtReasonCode
	case ExtInvalidityDate:
		return ExtInvalidityDate
	case ExtCertificateIssuer:
		return ExtCertificateIssuer
	case ExtIssuingDistributionPoint:
		return ExtIssuingDistributionPoint
	case EmailAddress:
		return EmailAddress
	case CommonName:
		return CommonName
	case SmtpUTF8Mailbox:
		return SmtpUTF8Mailbox
	}
	return ""
}
