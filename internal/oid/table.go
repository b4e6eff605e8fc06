package oid

// The names follow the standards that define them; the dotted form is beside
// each value and a test holds the two together.
const (

	// Content types.

	Data              OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"         // 1.2.840.113549.1.7.1
	SignedData        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"         // 1.2.840.113549.1.7.2
	EnvelopedData     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"         // 1.2.840.113549.1.7.3
	DigestedData      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x05"         // 1.2.840.113549.1.7.5
	EncryptedData     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"         // 1.2.840.113549.1.7.6
	AuthenticatedData OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x02" // 1.2.840.113549.1.9.16.1.2
	CompressedData    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x09" // 1.2.840.113549.1.9.16.1.9
	AuthEnvelopedData OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x17" // 1.2.840.113549.1.9.16.1.23
	TSTInfo           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04" // 1.2.840.113549.1.9.16.1.4
	ContentReceipt    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x01" // 1.2.840.113549.1.9.16.1.1
	TimestampedData   OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x1f" // 1.2.840.113549.1.9.16.1.31
	MicrosoftCTL      OID = "\x2b\x06\x01\x04\x01\x82\x37\x0a\x01"         // 1.3.6.1.4.1.311.10.1

	// Attributes.

	AttrContentType             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"         // 1.2.840.113549.1.9.3
	AttrMessageDigest           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"         // 1.2.840.113549.1.9.4
	AttrSigningTime             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x05"         // 1.2.840.113549.1.9.5
	AttrCountersignature        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x06"         // 1.2.840.113549.1.9.6
	AttrSMIMECapabilities       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x0f"         // 1.2.840.113549.1.9.15
	AttrCMSAlgorithmProtection  OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x34"         // 1.2.840.113549.1.9.52
	AttrReceiptRequest          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x01" // 1.2.840.113549.1.9.16.2.1
	AttrSecurityLabel           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x02" // 1.2.840.113549.1.9.16.2.2
	AttrMLExpansionHistory      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x03" // 1.2.840.113549.1.9.16.2.3
	AttrContentHints            OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x04" // 1.2.840.113549.1.9.16.2.4
	AttrMsgSigDigest            OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x05" // 1.2.840.113549.1.9.16.2.5
	AttrContentIdentifier       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x07" // 1.2.840.113549.1.9.16.2.7
	AttrEquivalentLabels        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x09" // 1.2.840.113549.1.9.16.2.9
	AttrContentReference        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0a" // 1.2.840.113549.1.9.16.2.10
	AttrEncryptionKeyPreference OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0b" // 1.2.840.113549.1.9.16.2.11
	AttrMicrosoftKeyPreference  OID = "\x2b\x06\x01\x04\x01\x82\x37\x10\x04"         // 1.3.6.1.4.1.311.16.4
	AttrSigningCertificate      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0c" // 1.2.840.113549.1.9.16.2.12
	AttrSigningCertificateV2    OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f" // 1.2.840.113549.1.9.16.2.47
	AttrTimestampToken          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0e" // 1.2.840.113549.1.9.16.2.14
	AttrSigPolicyID             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x0f" // 1.2.840.113549.1.9.16.2.15
	AttrCommitmentType          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x10" // 1.2.840.113549.1.9.16.2.16
	AttrSignerLocation          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x11" // 1.2.840.113549.1.9.16.2.17
	AttrSignerAttributes        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x12" // 1.2.840.113549.1.9.16.2.18
	AttrContentTimestamp        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x14" // 1.2.840.113549.1.9.16.2.20
	AttrCertValues              OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x17" // 1.2.840.113549.1.9.16.2.23
	AttrRevocationValues        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x18" // 1.2.840.113549.1.9.16.2.24
	AttrArchiveTimestampV3      OID = "\x04\x00\x8d\x45\x02\x04"                     // 0.4.0.1733.2.4
	AttrSecureHeaderFields      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x37" // 1.2.840.113549.1.9.16.2.55

	// PKCS #9 and #12.

	FriendlyName     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x14" // 1.2.840.113549.1.9.20
	LocalKeyID       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x15" // 1.2.840.113549.1.9.21
	EmailAddress     OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01" // 1.2.840.113549.1.9.1
	UnstructuredName OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x02" // 1.2.840.113549.1.9.2

	// Other CMS choices.

	OCSPResponseInfo OID = "\x2b\x06\x01\x05\x05\x07\x10\x02"             // 1.3.6.1.5.5.7.16.2
	OCSPBasic        OID = "\x2b\x06\x01\x05\x05\x07\x30\x01\x01"         // 1.3.6.1.5.5.7.48.1.1
	OCSPNonce        OID = "\x2b\x06\x01\x05\x05\x07\x30\x01\x02"         // 1.3.6.1.5.5.7.48.1.2
	OCSPNoCheck      OID = "\x2b\x06\x01\x05\x05\x07\x30\x01\x05"         // 1.3.6.1.5.5.7.48.1.5
	ORIKEM           OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x0d\x03" // 1.2.840.113549.1.9.16.13.3

	// Digests.

	MD5         OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x05"     // 1.2.840.113549.2.5
	SHA1        OID = "\x2b\x0e\x03\x02\x1a"                 // 1.3.14.3.2.26
	SHA224      OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x04" // 2.16.840.1.101.3.4.2.4
	SHA256      OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x01" // 2.16.840.1.101.3.4.2.1
	SHA384      OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x02" // 2.16.840.1.101.3.4.2.2
	SHA512      OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x03" // 2.16.840.1.101.3.4.2.3
	SHA512_224  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x05" // 2.16.840.1.101.3.4.2.5
	SHA512_256  OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x06" // 2.16.840.1.101.3.4.2.6
	SHA3_224    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x07" // 2.16.840.1.101.3.4.2.7
	SHA3_256    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x08" // 2.16.840.1.101.3.4.2.8
	SHA3_384    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x09" // 2.16.840.1.101.3.4.2.9
	SHA3_512    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x0a" // 2.16.840.1.101.3.4.2.10
	SHAKE128    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x0b" // 2.16.840.1.101.3.4.2.11
	SHAKE256    OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x0c" // 2.16.840.1.101.3.4.2.12
	SHAKE256Len OID = "\x60\x86\x48\x01\x65\x03\x04\x02\x12" // 2.16.840.1.101.3.4.2.18

	// Keys and signatures.

	RSAEncryption      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"         // 1.2.840.113549.1.1.1
	MD5WithRSA         OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04"         // 1.2.840.113549.1.1.4
	SHA1WithRSA        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05"         // 1.2.840.113549.1.1.5
	SHA1WithRSAOIW     OID = "\x2b\x0e\x03\x02\x1d"                         // 1.3.14.3.2.29
	RSAESOAEP          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x07"         // 1.2.840.113549.1.1.7
	MGF1               OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08"         // 1.2.840.113549.1.1.8
	PSpecified         OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x09"         // 1.2.840.113549.1.1.9
	RSASSAPSS          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"         // 1.2.840.113549.1.1.10
	SHA256WithRSA      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"         // 1.2.840.113549.1.1.11
	SHA384WithRSA      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"         // 1.2.840.113549.1.1.12
	SHA512WithRSA      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"         // 1.2.840.113549.1.1.13
	SHA224WithRSA      OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e"         // 1.2.840.113549.1.1.14
	SHA512_224WithRSA  OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0f"         // 1.2.840.113549.1.1.15
	SHA512_256WithRSA  OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x10"         // 1.2.840.113549.1.1.16
	SHA3_224WithRSA    OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0d"         // 2.16.840.1.101.3.4.3.13
	SHA3_256WithRSA    OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0e"         // 2.16.840.1.101.3.4.3.14
	SHA3_384WithRSA    OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0f"         // 2.16.840.1.101.3.4.3.15
	SHA3_512WithRSA    OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x10"         // 2.16.840.1.101.3.4.3.16
	RSAPSSSHAKE128     OID = "\x2b\x06\x01\x05\x05\x07\x06\x1e"             // 1.3.6.1.5.5.7.6.30
	RSAPSSSHAKE256     OID = "\x2b\x06\x01\x05\x05\x07\x06\x1f"             // 1.3.6.1.5.5.7.6.31
	ECDSAWithSHAKE128  OID = "\x2b\x06\x01\x05\x05\x07\x06\x20"             // 1.3.6.1.5.5.7.6.32
	ECDSAWithSHAKE256  OID = "\x2b\x06\x01\x05\x05\x07\x06\x21"             // 1.3.6.1.5.5.7.6.33
	ECPublicKey        OID = "\x2a\x86\x48\xce\x3d\x02\x01"                 // 1.2.840.10045.2.1
	ECDH               OID = "\x2b\x81\x04\x01\x0c"                         // 1.3.132.1.12
	ECDSAWithSHA1      OID = "\x2a\x86\x48\xce\x3d\x04\x01"                 // 1.2.840.10045.4.1
	ECDSAWithSpecified OID = "\x2a\x86\x48\xce\x3d\x04\x03"                 // 1.2.840.10045.4.3
	ECDSAWithSHA224    OID = "\x2a\x86\x48\xce\x3d\x04\x03\x01"             // 1.2.840.10045.4.3.1
	ECDSAWithSHA256    OID = "\x2a\x86\x48\xce\x3d\x04\x03\x02"             // 1.2.840.10045.4.3.2
	ECDSAWithSHA384    OID = "\x2a\x86\x48\xce\x3d\x04\x03\x03"             // 1.2.840.10045.4.3.3
	ECDSAWithSHA512    OID = "\x2a\x86\x48\xce\x3d\x04\x03\x04"             // 1.2.840.10045.4.3.4
	ECDSAWithSHA3_224  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x09"         // 2.16.840.1.101.3.4.3.9
	ECDSAWithSHA3_256  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0a"         // 2.16.840.1.101.3.4.3.10
	ECDSAWithSHA3_384  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0b"         // 2.16.840.1.101.3.4.3.11
	ECDSAWithSHA3_512  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x0c"         // 2.16.840.1.101.3.4.3.12
	P224               OID = "\x2b\x81\x04\x00\x21"                         // 1.3.132.0.33
	P256               OID = "\x2a\x86\x48\xce\x3d\x03\x01\x07"             // 1.2.840.10045.3.1.7
	P384               OID = "\x2b\x81\x04\x00\x22"                         // 1.3.132.0.34
	P521               OID = "\x2b\x81\x04\x00\x23"                         // 1.3.132.0.35
	BrainpoolP256r1    OID = "\x2b\x24\x03\x03\x02\x08\x01\x01\x07"         // 1.3.36.3.3.2.8.1.1.7
	BrainpoolP384r1    OID = "\x2b\x24\x03\x03\x02\x08\x01\x01\x0b"         // 1.3.36.3.3.2.8.1.1.11
	BrainpoolP512r1    OID = "\x2b\x24\x03\x03\x02\x08\x01\x01\x0d"         // 1.3.36.3.3.2.8.1.1.13
	X25519             OID = "\x2b\x65\x6e"                                 // 1.3.101.110
	X448               OID = "\x2b\x65\x6f"                                 // 1.3.101.111
	Ed25519            OID = "\x2b\x65\x70"                                 // 1.3.101.112
	Ed448              OID = "\x2b\x65\x71"                                 // 1.3.101.113
	DSA                OID = "\x2a\x86\x48\xce\x38\x04\x01"                 // 1.2.840.10040.4.1
	DSAWithSHA1        OID = "\x2a\x86\x48\xce\x38\x04\x03"                 // 1.2.840.10040.4.3
	DSAWithSHA224      OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x01"         // 2.16.840.1.101.3.4.3.1
	DSAWithSHA256      OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x02"         // 2.16.840.1.101.3.4.3.2
	MLDSA44            OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x11"         // 2.16.840.1.101.3.4.3.17
	MLDSA65            OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x12"         // 2.16.840.1.101.3.4.3.18
	MLDSA87            OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x13"         // 2.16.840.1.101.3.4.3.19
	SLHDSA_SHA2_128s   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x14"         // 2.16.840.1.101.3.4.3.20
	SLHDSA_SHA2_128f   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x15"         // 2.16.840.1.101.3.4.3.21
	SLHDSA_SHA2_192s   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x16"         // 2.16.840.1.101.3.4.3.22
	SLHDSA_SHA2_192f   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x17"         // 2.16.840.1.101.3.4.3.23
	SLHDSA_SHA2_256s   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x18"         // 2.16.840.1.101.3.4.3.24
	SLHDSA_SHA2_256f   OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x19"         // 2.16.840.1.101.3.4.3.25
	SLHDSA_SHAKE_128s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1a"         // 2.16.840.1.101.3.4.3.26
	SLHDSA_SHAKE_128f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1b"         // 2.16.840.1.101.3.4.3.27
	SLHDSA_SHAKE_192s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1c"         // 2.16.840.1.101.3.4.3.28
	SLHDSA_SHAKE_192f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1d"         // 2.16.840.1.101.3.4.3.29
	SLHDSA_SHAKE_256s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1e"         // 2.16.840.1.101.3.4.3.30
	SLHDSA_SHAKE_256f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x1f"         // 2.16.840.1.101.3.4.3.31
	Unsigned           OID = "\x2b\x06\x01\x05\x05\x07\x06\x24"             // 1.3.6.1.5.5.7.6.36
	MLKEM512           OID = "\x60\x86\x48\x01\x65\x03\x04\x04\x01"         // 2.16.840.1.101.3.4.4.1
	MLKEM768           OID = "\x60\x86\x48\x01\x65\x03\x04\x04\x02"         // 2.16.840.1.101.3.4.4.2
	MLKEM1024          OID = "\x60\x86\x48\x01\x65\x03\x04\x04\x03"         // 2.16.840.1.101.3.4.4.3
	RSAKEM             OID = "\x28\x81\x8c\x71\x02\x02\x04"                 // 1.0.18033.2.2.4
	RSAKEMSPKI         OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x0e" // 1.2.840.113549.1.9.16.3.14
	KDF2               OID = "\x2b\x81\x05\x10\x86\x48\x09\x2c\x01\x01"     // 1.3.133.16.840.9.44.1.1
	KDF3               OID = "\x2b\x81\x05\x10\x86\x48\x09\x2c\x01\x02"     // 1.3.133.16.840.9.44.1.2

	// Signatures and keys with HashSLH-DSA, in certificates only.

	HashSLHDSA_SHA2_128s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x23" // 2.16.840.1.101.3.4.3.35
	HashSLHDSA_SHA2_128f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x24" // 2.16.840.1.101.3.4.3.36
	HashSLHDSA_SHA2_192s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x25" // 2.16.840.1.101.3.4.3.37
	HashSLHDSA_SHA2_192f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x26" // 2.16.840.1.101.3.4.3.38
	HashSLHDSA_SHA2_256s  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x27" // 2.16.840.1.101.3.4.3.39
	HashSLHDSA_SHA2_256f  OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x28" // 2.16.840.1.101.3.4.3.40
	HashSLHDSA_SHAKE_128s OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x29" // 2.16.840.1.101.3.4.3.41
	HashSLHDSA_SHAKE_128f OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x2a" // 2.16.840.1.101.3.4.3.42
	HashSLHDSA_SHAKE_192s OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x2b" // 2.16.840.1.101.3.4.3.43
	HashSLHDSA_SHAKE_192f OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x2c" // 2.16.840.1.101.3.4.3.44
	HashSLHDSA_SHAKE_256s OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x2d" // 2.16.840.1.101.3.4.3.45
	HashSLHDSA_SHAKE_256f OID = "\x60\x86\x48\x01\x65\x03\x04\x03\x2e" // 2.16.840.1.101.3.4.3.46

	// Key agreement, derivation and wrap.

	DHStdSHA1KDF        OID = "\x2b\x81\x05\x10\x86\x48\x3f\x00\x02"         // 1.3.133.16.840.63.0.2
	DHStdSHA224KDF      OID = "\x2b\x81\x04\x01\x0b\x00"                     // 1.3.132.1.11.0
	DHStdSHA256KDF      OID = "\x2b\x81\x04\x01\x0b\x01"                     // 1.3.132.1.11.1
	DHStdSHA384KDF      OID = "\x2b\x81\x04\x01\x0b\x02"                     // 1.3.132.1.11.2
	DHStdSHA512KDF      OID = "\x2b\x81\x04\x01\x0b\x03"                     // 1.3.132.1.11.3
	DHCofactorSHA1KDF   OID = "\x2b\x81\x05\x10\x86\x48\x3f\x00\x03"         // 1.3.133.16.840.63.0.3
	DHCofactorSHA224KDF OID = "\x2b\x81\x04\x01\x0e\x00"                     // 1.3.132.1.14.0
	DHCofactorSHA256KDF OID = "\x2b\x81\x04\x01\x0e\x01"                     // 1.3.132.1.14.1
	DHCofactorSHA384KDF OID = "\x2b\x81\x04\x01\x0e\x02"                     // 1.3.132.1.14.2
	DHCofactorSHA512KDF OID = "\x2b\x81\x04\x01\x0e\x03"                     // 1.3.132.1.14.3
	DHHKDFSHA256        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x13" // 1.2.840.113549.1.9.16.3.19
	DHHKDFSHA384        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x14" // 1.2.840.113549.1.9.16.3.20
	DHHKDFSHA512        OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x15" // 1.2.840.113549.1.9.16.3.21
	HKDFSHA256          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x1c" // 1.2.840.113549.1.9.16.3.28
	HKDFSHA384          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x1d" // 1.2.840.113549.1.9.16.3.29
	HKDFSHA512          OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x1e" // 1.2.840.113549.1.9.16.3.30
	CEKHKDFSHA256       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x1f" // 1.2.840.113549.1.9.16.3.31
	PBKDF2              OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"         // 1.2.840.113549.1.5.12
	PBES2               OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"         // 1.2.840.113549.1.5.13
	PBMAC1              OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0e"         // 1.2.840.113549.1.5.14
	PWRIKEK             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x09" // 1.2.840.113549.1.9.16.3.9
	HMACSHA1            OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x07"             // 1.2.840.113549.2.7
	HMACSHA224          OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x08"             // 1.2.840.113549.2.8
	HMACSHA256          OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x09"             // 1.2.840.113549.2.9
	HMACSHA384          OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x0a"             // 1.2.840.113549.2.10
	HMACSHA512          OID = "\x2a\x86\x48\x86\xf7\x0d\x02\x0b"             // 1.2.840.113549.2.11
	HMACSHA1IANA        OID = "\x2b\x06\x01\x05\x05\x08\x01\x02"             // 1.3.6.1.5.5.8.1.2
	AES128Wrap          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x05"         // 2.16.840.1.101.3.4.1.5
	AES192Wrap          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x19"         // 2.16.840.1.101.3.4.1.25
	AES256Wrap          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x2d"         // 2.16.840.1.101.3.4.1.45
	AES128WrapPad       OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x08"         // 2.16.840.1.101.3.4.1.8
	AES192WrapPad       OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x1c"         // 2.16.840.1.101.3.4.1.28
	AES256WrapPad       OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x30"         // 2.16.840.1.101.3.4.1.48
	TripleDESWrap       OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x06" // 1.2.840.113549.1.9.16.3.6
	RC2Wrap             OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x07" // 1.2.840.113549.1.9.16.3.7

	// Content encryption and compression.

	AES128CBC          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x02"         // 2.16.840.1.101.3.4.1.2
	AES192CBC          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x16"         // 2.16.840.1.101.3.4.1.22
	AES256CBC          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x2a"         // 2.16.840.1.101.3.4.1.42
	AES128GCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x06"         // 2.16.840.1.101.3.4.1.6
	AES192GCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x1a"         // 2.16.840.1.101.3.4.1.26
	AES256GCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x2e"         // 2.16.840.1.101.3.4.1.46
	AES128CCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x07"         // 2.16.840.1.101.3.4.1.7
	AES192CCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x1b"         // 2.16.840.1.101.3.4.1.27
	AES256CCM          OID = "\x60\x86\x48\x01\x65\x03\x04\x01\x2f"         // 2.16.840.1.101.3.4.1.47
	ChaCha20Poly1305   OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x12" // 1.2.840.113549.1.9.16.3.18
	TripleDESCBC       OID = "\x2a\x86\x48\x86\xf7\x0d\x03\x07"             // 1.2.840.113549.3.7
	RC2CBC             OID = "\x2a\x86\x48\x86\xf7\x0d\x03\x02"             // 1.2.840.113549.3.2
	DESCBC             OID = "\x2b\x0e\x03\x02\x07"                         // 1.3.14.3.2.7
	Zlib               OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x03\x08" // 1.2.840.113549.1.9.16.3.8
	PreferBinaryInside OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x0b\x01" // 1.2.840.113549.1.9.16.11.1

	// Names.

	CommonName             OID = "\x55\x04\x03"                             // 2.5.4.3
	OrganizationName       OID = "\x55\x04\x0a"                             // 2.5.4.10
	OrganizationIdentifier OID = "\x55\x04\x61"                             // 2.5.4.97
	CountryName            OID = "\x55\x04\x06"                             // 2.5.4.6
	GivenName              OID = "\x55\x04\x2a"                             // 2.5.4.42
	Surname                OID = "\x55\x04\x04"                             // 2.5.4.4
	Pseudonym              OID = "\x55\x04\x41"                             // 2.5.4.65
	SmtpUTF8Mailbox        OID = "\x2b\x06\x01\x05\x05\x07\x08\x09"         // 1.3.6.1.5.5.7.8.9
	UserPrincipalName      OID = "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03" // 1.3.6.1.4.1.311.20.2.3

	// Certificate extensions.

	ExtSubjectKeyID             OID = "\x55\x1d\x0e"                         // 2.5.29.14
	ExtKeyUsage                 OID = "\x55\x1d\x0f"                         // 2.5.29.15
	ExtSubjectAltName           OID = "\x55\x1d\x11"                         // 2.5.29.17
	ExtIssuerAltName            OID = "\x55\x1d\x12"                         // 2.5.29.18
	ExtBasicConstraints         OID = "\x55\x1d\x13"                         // 2.5.29.19
	ExtCRLNumber                OID = "\x55\x1d\x14"                         // 2.5.29.20
	ExtReasonCode               OID = "\x55\x1d\x15"                         // 2.5.29.21
	ExtInvalidityDate           OID = "\x55\x1d\x18"                         // 2.5.29.24
	ExtDeltaCRLIndicator        OID = "\x55\x1d\x1b"                         // 2.5.29.27
	ExtIssuingDistributionPoint OID = "\x55\x1d\x1c"                         // 2.5.29.28
	ExtCertificateIssuer        OID = "\x55\x1d\x1d"                         // 2.5.29.29
	ExtNameConstraints          OID = "\x55\x1d\x1e"                         // 2.5.29.30
	ExtCRLDistributionPoints    OID = "\x55\x1d\x1f"                         // 2.5.29.31
	ExtCertificatePolicies      OID = "\x55\x1d\x20"                         // 2.5.29.32
	AnyPolicy                   OID = "\x55\x1d\x20\x00"                     // 2.5.29.32.0
	ExtPolicyMappings           OID = "\x55\x1d\x21"                         // 2.5.29.33
	ExtAuthorityKeyID           OID = "\x55\x1d\x23"                         // 2.5.29.35
	ExtPolicyConstraints        OID = "\x55\x1d\x24"                         // 2.5.29.36
	ExtExtendedKeyUsage         OID = "\x55\x1d\x25"                         // 2.5.29.37
	AnyExtendedKeyUsage         OID = "\x55\x1d\x25\x00"                     // 2.5.29.37.0
	ExtFreshestCRL              OID = "\x55\x1d\x2e"                         // 2.5.29.46
	ExtInhibitAnyPolicy         OID = "\x55\x1d\x36"                         // 2.5.29.54
	ExtCAVersion                OID = "\x2b\x06\x01\x04\x01\x82\x37\x15\x01" // 1.3.6.1.4.1.311.21.1
	ExtNoRevAvail               OID = "\x55\x1d\x38"                         // 2.5.29.56
	ExtAuthorityInfoAccess      OID = "\x2b\x06\x01\x05\x05\x07\x01\x01"     // 1.3.6.1.5.5.7.1.1
	ExtSubjectInfoAccess        OID = "\x2b\x06\x01\x05\x05\x07\x01\x0b"     // 1.3.6.1.5.5.7.1.11
	AccessOCSP                  OID = "\x2b\x06\x01\x05\x05\x07\x30\x01"     // 1.3.6.1.5.5.7.48.1
	AccessCAIssuers             OID = "\x2b\x06\x01\x05\x05\x07\x30\x02"     // 1.3.6.1.5.5.7.48.2
	EKUServerAuth               OID = "\x2b\x06\x01\x05\x05\x07\x03\x01"     // 1.3.6.1.5.5.7.3.1
	EKUClientAuth               OID = "\x2b\x06\x01\x05\x05\x07\x03\x02"     // 1.3.6.1.5.5.7.3.2
	EKUEmailProtection          OID = "\x2b\x06\x01\x05\x05\x07\x03\x04"     // 1.3.6.1.5.5.7.3.4
	EKUTimeStamping             OID = "\x2b\x06\x01\x05\x05\x07\x03\x08"     // 1.3.6.1.5.5.7.3.8
	EKUOCSPSigning              OID = "\x2b\x06\x01\x05\x05\x07\x03\x09"     // 1.3.6.1.5.5.7.3.9
	EKUDocumentSigning          OID = "\x2b\x06\x01\x05\x05\x07\x03\x24"     // 1.3.6.1.5.5.7.3.36
)
