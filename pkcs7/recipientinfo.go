package pkcs7

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A recipientInfo is a parsed RecipientInfo.
//
//	RecipientInfo ::= CHOICE {
//	    ktri KeyTransRecipientInfo,
//	    kari [1] KeyAgreeRecipientInfo,
//	    kekri [2] KEKRecipientInfo,
//	    pwri [3] PasswordRecipientInfo,
//	    ori [4] OtherRecipientInfo }
type recipientInfo interface {
	// ids names the recipients. A kari has one for each encrypted key.
	ids() []CertID
	// weak reports whether the way to the content key is below the floor, as
	// far as that shows without a key.
	weak() bool
	// prepare says how key opens the content key of the recipient with that
	// index in ids. It asks no private key. An error means that it can't be
	// tried at all, which anyone can see from the message.
	prepare(key *matchKey, index int) (*opening, error)
}

// An opening is one way to the content key. It is one private-key operation.
type opening struct {
	// selfChecking says that a wrong key is noticed (OAEP, key wrap), as it is
	// not with PKCS #1 v1.5.
	selfChecking bool
	iterations   int64 // of a password's KDF
	// open returns the content key, which for n > 0 has n octets. Its error
	// says no more than that it failed, or that the key is unavailable.
	open    func(ctx context.Context, n int) ([]byte, error)
	derived bool // set by open: not as the standard says
}

// The kinds that are read. All else is skipped (RFC 5652 section 6.2).
const (
	tagKTRI  = asn1.SEQUENCE
	tagKARI  = asn1.Tag(1 | 0x80 | 0x20)
	tagKEKRI = asn1.Tag(2 | 0x80 | 0x20)
	tagPWRI  = asn1.Tag(3 | 0x80 | 0x20)
	tagORI   = asn1.Tag(4 | 0x80 | 0x20)
)

// parseRecipientInfo reads one RecipientInfo as it came. It returns nil for a
// kind, version or type that this package does not know, which is skipped.
func parseRecipientInfo(raw []byte, offset int64) (recipientInfo, error) {
	const field = "RecipientInfo"
	info, known := recipientInfoOf(raw)
	if info != nil || !known {
		return info, nil
	}
	// Almost all messages have DER here; only if that fails the element is
	// converted.
	der, err := toDER(raw, offset, field)
	if err != nil {
		return nil, err
	}
	if info, known = recipientInfoOf(der); info == nil && known {
		return nil, &SyntaxError{Offset: offset, Field: field, Reason: "not a RecipientInfo of the kind that its tag says"}
	}
	return info, nil
}

// recipientInfoOf reads DER. known says that the kind and its version are such
// that it should have been understood.
func recipientInfoOf(der []byte) (info recipientInfo, known bool) {
	var s cryptobyte.String
	var tag asn1.Tag
	whole := cryptobyte.String(der)
	if !whole.ReadAnyASN1(&s, &tag) || !whole.Empty() {
		return nil, true
	}
	version := s
	switch tag {
	case tagKTRI:
		if k, ok := parseKTRI(s); ok {
			return k, true
		}
		return nil, hasVersion(version, 0, 2)
	case tagKARI:
		if k, ok := parseKARI(s); ok {
			return k, true
		}
		return nil, hasVersion(version, 3)
	case tagKEKRI:
		if k, ok := parseKEKRI(s); ok {
			return k, true
		}
		return nil, hasVersion(version, 4)
	case tagPWRI:
		if p, ok := parsePWRI(s); ok {
			return p, true
		}
		return nil, hasVersion(version, 0)
	case tagORI:
		return parseORI(s)
	}
	return nil, false
}

// parseORI reads the one OtherRecipientInfo that is known.
//
//	OtherRecipientInfo ::= SEQUENCE {
//	    oriType OBJECT IDENTIFIER,
//	    oriValue ANY DEFINED BY oriType }
func parseORI(s cryptobyte.String) (info recipientInfo, known bool) {
	var id oid.OID
	if !oid.Read(&s, &id) {
		return nil, true
	}
	if id != oid.ORIKEM {
		return nil, false
	}
	var value cryptobyte.String
	if !s.ReadASN1(&value, asn1.SEQUENCE) || !s.Empty() {
		return nil, true
	}
	version := value
	if k, ok := parseKEMRI(value); ok {
		return k, true
	}
	return nil, hasVersion(version, 0)
}

// hasVersion reports whether s begins with one of the versions. What has
// another one is not a broken form of what is known. Something that does not
// even begin with a version counts as broken.
func hasVersion(s cryptobyte.String, versions ...int64) bool {
	var v int64
	if !s.ReadASN1Integer(&v) {
		return true
	}
	for _, known := range versions {
		if v == known {
			return true
		}
	}
	return false
}

// skipVersion reads a CMSVersion, whose value decides nothing (RFC 5652
// section 1.3).
func skipVersion(s *cryptobyte.String) bool { return s.SkipASN1(asn1.INTEGER) }

// readRecipientID reads a RecipientIdentifier (RFC 5652 section 6.2.1).
func readRecipientID(s *cryptobyte.String, id *CertID) bool {
	var der cryptobyte.String
	var tag asn1.Tag
	var ok bool
	if !s.ReadAnyASN1Element(&der, &tag) {
		return false
	}
	*id, ok = parseCertID(der)
	return ok
}

// badParameters makes err, about an algorithm of a RecipientInfo, one of this
// package's.
func badParameters(err error, id alg.Identifier) error {
	return fmt.Errorf("%w: key encryption algorithm %s: %w", ErrUnsupported, id.OID, err)
}

// encodeVersion returns a CMSVersion.
func encodeVersion(v byte) []byte { return ber.Append(nil, ber.Integer, false, []byte{v}) }

func encodeOctets(b []byte) []byte { return ber.Append(nil, ber.OctetString, false, b) }
