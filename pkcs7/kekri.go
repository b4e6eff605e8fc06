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

// A kekri is a content key wrapped under a symmetric key that both sides have
// (RFC 5652 section 6.2.3).
//
//	KEKRecipientInfo ::= SEQUENCE {
//	    version CMSVersion,  -- always set to 4
//	    kekid KEKIdentifier,
//	    keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
//	    encryptedKey EncryptedKey }
//
//	KEKIdentifier ::= SEQUENCE {
//	    keyIdentifier OCTET STRING,
//	    date GeneralizedTime OPTIONAL,
//	    other OtherKeyAttribute OPTIONAL }
type kekri struct {
	id           []byte
	algorithm    alg.Identifier
	encryptedKey []byte
}

func parseKEKRI(s cryptobyte.String) (*kekri, bool) {
	k := new(kekri)
	var id cryptobyte.String
	ok := skipVersion(&s) &&
		s.ReadASN1(&id, asn1.SEQUENCE) &&
		id.ReadASN1((*cryptobyte.String)(&k.id), asn1.OCTET_STRING) &&
		alg.ReadIdentifier(&s, &k.algorithm) &&
		s.ReadASN1((*cryptobyte.String)(&k.encryptedKey), asn1.OCTET_STRING) &&
		s.Empty()
	return k, ok
}

func (k *kekri) ids() []CertID { return []CertID{{KeyID: k.id, Kind: ByKEK}} }

func (k *kekri) weak() bool {
	return k.algorithm.OID == oid.TripleDESWrap || k.algorithm.OID == oid.RC2Wrap
}

func (k *kekri) prepare(key *matchKey, _ int) (*opening, error) {
	wrap, err := alg.WrapOf(k.algorithm)
	if err != nil {
		return nil, badParameters(err, k.algorithm)
	}
	return &opening{selfChecking: true, open: func(context.Context, int) ([]byte, error) {
		if len(key.secret) != wrap.KEKLen {
			return nil, ErrDecrypt
		}
		return wrap.Unwrap(key.secret, k.encryptedKey)
	}}, nil
}

// makeKEKRI wraps cek under a key of 16, 24 or 32 octets.
func makeKEKRI(id, kek, cek []byte) (encodedRecipient, error) {
	wrap := alg.WrapFor(len(kek))
	if wrap == nil || wrap.KEKLen != len(kek) {
		return encodedRecipient{}, fmt.Errorf("%w: key encryption key of %d octets", ErrUnsupported, len(kek))
	}
	// RFC 5652 section 14: the wrapping key is no weaker than what it wraps.
	if len(kek) < len(cek) {
		return encodedRecipient{}, fmt.Errorf("%w: key encryption key shorter than the content key", ErrWeak)
	}
	wrapped, err := wrap.Wrap(kek, cek)
	if err != nil {
		return encodedRecipient{}, err
	}
	kekID := ber.Append(nil, ber.Sequence, true, encodeOctets(id))
	der := ber.Append(nil, ber.Context(2), true, encodeVersion(4), kekID, wrap.ID.DER(), encodeOctets(wrapped))
	return encodedRecipient{der: der, version: 4}, nil
}

// weakWrap reports whether a DER KeyWrapAlgorithm is below the floor.
func weakWrap(wrap []byte) bool {
	var id alg.Identifier
	s := cryptobyte.String(wrap)
	return alg.ReadIdentifier(&s, &id) && (id.OID == oid.TripleDESWrap || id.OID == oid.RC2Wrap)
}
