package pkcs7

import (
	"fmt"
)

// A Deviation is a departure from the standards that was tolerated, since other
// programs make and read such messages. It changes no verdict.
type Deviation uint8

const (
	_ Deviation = iota
	// DigestNotAnnounced: digestAlgorithms lacks that of the signer (RFC 5652
	// section 5.1).
	DigestNotAnnounced
	// AttributesNotDER: the signed attributes were not sent in DER (RFC 5652
	// section 5.3).
	AttributesNotDER
	// TagLength: the tag has 16 octets, the parameters leave out aes-ICVlen, which
	// means 12 (RFC 5084 section 3.2). The sample of RFC 8551 section 3.4 has that.
	TagLength
	// KeyDerivation: the key for the recipient was derived with other inputs than
	// RFC 5753 section 7.2 or RFC 8418 section 2.2 says.
	KeyDerivation
	// SignatureNamesKey: signatureAlgorithm is id-ecPublicKey or
	// ecdsa-with-Specified, not ECDSA with a digest (RFC 5753 section 2.1.1).
	// Windows writes the first.
	SignatureNamesKey
	// DigestNamesSignature: digestAlgorithm is a signature algorithm, whose digest
	// is used (RFC 5754 section 2).
	DigestNamesSignature
	// EmptyContent: a signature of content that is elsewhere has an eContent of
	// length zero (RFC 5652 section 5.2).
	EmptyContent
	deviations
)

// String returns a short text.
func (d Deviation) String() string {
	names := [deviations]string{DigestNotAnnounced: "digest algorithm not announced", AttributesNotDER: "signed attributes not in DER",
		TagLength: "tag longer than announced", KeyDerivation: "key derived otherwise",
		SignatureNamesKey: "signature algorithm names a key", DigestNamesSignature: "digest algorithm names a signature algorithm",
		EmptyContent: "empty content in a detached signature"}
	if d == 0 || d >= deviations {
		return fmt.Sprintf("deviation %d", uint8(d))
	}
	return names[d]
}
