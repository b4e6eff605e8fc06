package pkcs7

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A kari is a content key wrapped under a key agreed on (RFC 5652 section
// 6.2.2, RFC 5753, RFC 8418).
//
//	KeyAgreeRecipientInfo ::= SEQUENCE {
//	    version CMSVersion,  -- always set to 3
//	    originator [0] EXPLICIT OriginatorIdentifierOrKey,
//	    ukm [1] EXPLICIT UserKeyingMaterial OPTIONAL,
//	    keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
//	    recipientEncryptedKeys RecipientEncryptedKeys }
//
//	OriginatorIdentifierOrKey ::= CHOICE {
//	    issuerAndSerialNumber IssuerAndSerialNumber,
//	    subjectKeyIdentifier [0] SubjectKeyIdentifier,
//	    originatorKey [1] OriginatorPublicKey }
//
//	RecipientEncryptedKeys ::= SEQUENCE OF RecipientEncryptedKey
//
//	RecipientEncryptedKey ::= SEQUENCE {
//	    rid KeyAgreeRecipientIdentifier,
//	    encryptedKey EncryptedKey }
type kari struct {
	originatorKey []byte // OriginatorPublicKey, a SEQUENCE; nil: a static key
	ukm           []byte
	algorithm     alg.Identifier
	recipients    []CertID
	encryptedKeys [][]byte
}

const (
	contextTag0 = asn1.Tag(0 | 0x80 | 0x20)
	contextTag1 = asn1.Tag(1 | 0x80 | 0x20)
)

func parseKARI(s cryptobyte.String) (*kari, bool) {
	k := new(kari)
	var originator, ukm, keys cryptobyte.String
	var hasUKM bool
	if !skipVersion(&s) ||
		!s.ReadASN1(&originator, contextTag0) ||
		!k.readOriginator(originator) ||
		!s.ReadOptionalASN1(&ukm, &hasUKM, contextTag1) ||
		hasUKM && (!ukm.ReadASN1((*cryptobyte.String)(&k.ukm), asn1.OCTET_STRING) || !ukm.Empty()) ||
		!alg.ReadIdentifier(&s, &k.algorithm) ||
		!s.ReadASN1(&keys, asn1.SEQUENCE) || !s.Empty() {
		return nil, false
	}
	for !keys.Empty() {
		var key, wrapped cryptobyte.String
		var id CertID
		if !keys.ReadASN1(&key, asn1.SEQUENCE) || !readKeyAgreeRecipient(&key, &id) ||
			!key.ReadASN1(&wrapped, asn1.OCTET_STRING) || !key.Empty() {
			return nil, false
		}
		k.recipients = append(k.recipients, id)
		k.encryptedKeys = append(k.encryptedKeys, wrapped)
	}
	return k, true
}

func (k *kari) readOriginator(s cryptobyte.String) bool {
	var element, contents cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1Element(&element, &tag) || !s.Empty() {
		return false
	}
	switch tag {
	case asn1.SEQUENCE, asn1.Tag(0 | 0x80):
		return true
	case contextTag1:
		if !element.ReadASN1(&contents, tag) {
			return false
		}
		k.originatorKey = ber.Append(nil, ber.Sequence, true, contents)
		return true
	}
	return false
}

// readKeyAgreeRecipient reads a KeyAgreeRecipientIdentifier.
//
//	KeyAgreeRecipientIdentifier ::= CHOICE {
//	    issuerAndSerialNumber IssuerAndSerialNumber,
//	    rKeyId [0] IMPLICIT RecipientKeyIdentifier }
//
//	RecipientKeyIdentifier ::= SEQUENCE {
//	    subjectKeyIdentifier SubjectKeyIdentifier,
//	    date GeneralizedTime OPTIONAL,
//	    other OtherKeyAttribute OPTIONAL }
func readKeyAgreeRecipient(s *cryptobyte.String, id *CertID) bool {
	if !s.PeekASN1Tag(contextTag0) {
		return readRecipientID(s, id)
	}
	var body cryptobyte.String
	return s.ReadASN1(&body, contextTag0) &&
		body.ReadASN1((*cryptobyte.String)(&id.KeyID), asn1.OCTET_STRING) &&
		len(id.KeyID) > 0
}

func (k *kari) ids() []CertID { return k.recipients }

func (k *kari) weak() bool { return weakWrap(k.algorithm.Params) }

func (k *kari) prepare(key *matchKey, index int) (*opening, error) {
	if k.originatorKey == nil {
		// RFC 8551 section 2.3 and RFC 8418 know only ephemeral keys.
		return nil, fmt.Errorf("%w: key agreement with a static key of the sender", ErrUnsupported)
	}
	if key.public == nil || key.public.Kind.Transport() != alg.KeyAgreement || !alg.Agrees(key.key) {
		return nil, fmt.Errorf("%w: key of type %T for a recipient by key agreement", ErrUnsupported, key.key)
	}
	agreement, err := alg.AgreementOf(k.algorithm)
	if err != nil {
		return nil, badParameters(err, k.algorithm)
	}
	wrapped := k.encryptedKeys[index]
	o := &opening{selfChecking: true}
	o.open = func(ctx context.Context, _ int) ([]byte, error) {
		bound := alg.WithContext(ctx, key.key)
		if exchanger, ok := alg.ECDHKey(bound); ok {
			bound = exchanger
		}
		z, err := alg.Agree(bound, k.originatorKey)
		if err != nil {
			return nil, err
		}
		keks, err := agreement.KEKs(z, k.ukm)
		if err != nil {
			return nil, err
		}
		for i, kek := range keks {
			if cek, err := agreement.Wrap.Unwrap(kek, wrapped); err == nil {
				o.derived = i > 0
				return cek, nil
			}
		}
		return nil, ErrDecrypt
	}
	return o, nil
}

// makeKARI wraps cek under a key agreed on between a fresh key and pub.
//
// DEVIATION: RFC 5753 section 3.1.1 says that a ukm should be sent. Its purpose
// is to make the derived keys differ, which the fresh key already does; gpgsm
// does not read it, and of RFC 8418 section 2.2 implementations disagree on
// what it means.
func makeKARI(id CertID, pub *alg.PublicKey, cek []byte) (encodedRecipient, error) {
	agreement, err := alg.AgreementFor(pub, len(cek))
	if err != nil {
		return encodedRecipient{}, err
	}
	z, originatorKey, err := alg.Ephemeral(pub)
	if err != nil {
		return encodedRecipient{}, err
	}
	keks, err := agreement.KEKs(z, nil)
	if err != nil {
		return encodedRecipient{}, err
	}
	wrapped, err := agreement.Wrap.Wrap(keks[0], cek)
	if err != nil {
		return encodedRecipient{}, err
	}
	var contents cryptobyte.String
	if s := cryptobyte.String(originatorKey); !s.ReadASN1(&contents, asn1.SEQUENCE) {
		return encodedRecipient{}, alg.ErrMalformed
	}
	originator := ber.Append(nil, ber.Context(1), true, contents)
	rid := id.encode()
	if id.Serial == nil {
		rid = ber.Append(nil, ber.Context(0), true, encodeOctets(id.KeyID))
	}
	recipient := ber.Append(nil, ber.Sequence, true, rid, encodeOctets(wrapped))
	der := ber.Append(nil, ber.Context(1), true,
		encodeVersion(3),
		ber.Append(nil, ber.Context(0), true, originator),
		agreement.ID.DER(),
		ber.Append(nil, ber.Sequence, true, recipient))
	return encodedRecipient{der: der, version: 3}, nil
}
