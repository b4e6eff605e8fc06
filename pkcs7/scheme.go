package pkcs7

import (
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

// Scheme is a signature algorithm with its digest. The zero Scheme means the
// best one for the key; it is never written to a message.
type Scheme uint16

const (
	_ Scheme = iota
	RSAPKCS1SHA256
	RSAPKCS1SHA384
	RSAPKCS1SHA512
	RSAPSSSHA256
	RSAPSSSHA384
	RSAPSSSHA512
	ECDSASHA256
	ECDSASHA384
	ECDSASHA512
	Ed25519
	Ed448
	MLDSA44
	MLDSA65
	MLDSA87
	SLHDSASHA2128s
	SLHDSASHA2128f
	SLHDSASHA2192s
	SLHDSASHA2192f
	SLHDSASHA2256s
	SLHDSASHA2256f
	SLHDSASHAKE128s
	SLHDSASHAKE128f
	SLHDSASHAKE192s
	SLHDSASHAKE192f
	SLHDSASHAKE256s
	SLHDSASHAKE256f
	schemes
)

// String returns the name, such as RSASSA-PSS with SHA-256.
func (s Scheme) String() string {
	names := [schemes]string{0: "unknown",
		RSAPKCS1SHA256: "RSA PKCS #1 v1.5 with SHA-256", RSAPKCS1SHA384: "RSA PKCS #1 v1.5 with SHA-384", RSAPKCS1SHA512: "RSA PKCS #1 v1.5 with SHA-512",
		RSAPSSSHA256: "RSASSA-PSS with SHA-256", RSAPSSSHA384: "RSASSA-PSS with SHA-384", RSAPSSSHA512: "RSASSA-PSS with SHA-512",
		ECDSASHA256: "ECDSA with SHA-256", ECDSASHA384: "ECDSA with SHA-384", ECDSASHA512: "ECDSA with SHA-512",
		Ed25519: "Ed25519", Ed448: "Ed448", MLDSA44: "ML-DSA-44", MLDSA65: "ML-DSA-65", MLDSA87: "ML-DSA-87",
		SLHDSASHA2128s: "SLH-DSA-SHA2-128s", SLHDSASHA2128f: "SLH-DSA-SHA2-128f", SLHDSASHA2192s: "SLH-DSA-SHA2-192s",
		SLHDSASHA2192f: "SLH-DSA-SHA2-192f", SLHDSASHA2256s: "SLH-DSA-SHA2-256s", SLHDSASHA2256f: "SLH-DSA-SHA2-256f",
		SLHDSASHAKE128s: "SLH-DSA-SHAKE-128s", SLHDSASHAKE128f: "SLH-DSA-SHAKE-128f", SLHDSASHAKE192s: "SLH-DSA-SHAKE-192s",
		SLHDSASHAKE192f: "SLH-DSA-SHAKE-192f", SLHDSASHAKE256s: "SLH-DSA-SHAKE-256s", SLHDSASHAKE256f: "SLH-DSA-SHAKE-256f"}
	if s >= schemes {
		return fmt.Sprintf("Scheme(%d)", uint16(s))
	}
	return names[s]
}

// schemeOf returns the Scheme of a signature algorithm that was read.
func schemeOf(id oid.OID, hash alg.Hash) Scheme {
	n := digestNumber(hash)
	switch id {
	case oid.RSAEncryption, oid.SHA256WithRSA, oid.SHA384WithRSA, oid.SHA512WithRSA:
		return offset(RSAPKCS1SHA256, n)
	case oid.RSASSAPSS:
		return offset(RSAPSSSHA256, n)
	case oid.ECDSAWithSHA256, oid.ECDSAWithSHA384, oid.ECDSAWithSHA512:
		return offset(ECDSASHA256, n)
	case oid.Ed25519:
		return Ed25519
	case oid.Ed448:
		return Ed448
	case oid.MLDSA44:
		return MLDSA44
	case oid.MLDSA65:
		return MLDSA65
	case oid.MLDSA87:
		return MLDSA87
	}
	// The identifiers of SLH-DSA are consecutive, in the order of the constants.
	if len(id) == len(oid.SLHDSA_SHA2_128s) && oid.SLHDSA_SHA2_128s <= id && id <= oid.SLHDSA_SHAKE_256f {
		return SLHDSASHA2128s + Scheme(id[len(id)-1]-oid.SLHDSA_SHA2_128s[len(id)-1])
	}
	return 0
}

// digestNumber numbers the three digests that Schemes of RSA and ECDSA have; −1: none.
func digestNumber(h alg.Hash) int {
	switch h {
	case alg.SHA256:
		return 0
	case alg.SHA384:
		return 1
	case alg.SHA512:
		return 2
	}
	return -1
}

func offset(s Scheme, n int) Scheme {
	if n < 0 {
		return 0
	}
	return s + Scheme(n)
}
