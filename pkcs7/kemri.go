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

// A kemri is a content key wrapped under an encapsulated key (RFC 9629
// section 3).
//
//	KEMRecipientInfo ::= SEQUENCE {
//	    version CMSVersion,  -- always set to 0
//	    rid RecipientIdentifier,
//	    kem KEMAlgorithmIdentifier,
//	    kemct OCTET STRING,
//	    kdf KeyDerivationAlgorithmIdentifier,
//	    kekLength INTEGER (1..65535),
//	    ukm [0] EXPLICIT UserKeyingMaterial OPTIONAL,
//	    wrap KeyEncryptionAlgorithmIdentifier,
//	    encryptedKey EncryptedKey }
type kemri struct {
	id           CertID
	kem, kdf     alg.Identifier
	kemct        []byte
	kekLength    int
	ukm          []byte
	wrap         alg.Identifier
	encryptedKey []byte
}

func parseKEMRI(s cryptobyte.String) (*kemri, bool) {
	k := new(kemri)
	var ukm cryptobyte.String
	var hasUKM bool
	ok := skipVersion(&s) &&
		readRecipientID(&s, &k.id) &&
		alg.ReadIdentifier(&s, &k.kem) &&
		s.ReadASN1((*cryptobyte.String)(&k.kemct), asn1.OCTET_STRING) &&
		alg.ReadIdentifier(&s, &k.kdf) &&
		s.ReadASN1Integer(&k.kekLength) &&
		s.ReadOptionalASN1(&ukm, &hasUKM, contextTag0) &&
		(!hasUKM || ukm.ReadASN1((*cryptobyte.String)(&k.ukm), asn1.OCTET_STRING) && ukm.Empty()) &&
		alg.ReadIdentifier(&s, &k.wrap) &&
		s.ReadASN1((*cryptobyte.String)(&k.encryptedKey), asn1.OCTET_STRING) &&
		s.Empty()
	if hasUKM && k.ukm == nil {
		k.ukm = []byte{}
	}
	return k, ok
}

func (k *kemri) ids() []CertID { return []CertID{k.id} }

func (k *kemri) weak() bool { return k.wrap.OID == oid.TripleDESWrap }

func (k *kemri) prepare(key *matchKey, _ int) (*opening, error) {
	kem := &alg.KEM{ID: k.kem, KDF: k.kdf}
	if key.public == nil || !kem.Fits(key.public) {
		return nil, fmt.Errorf("%w: key of type %T for the key encapsulation %s", ErrUnsupported, key.key, k.kem.OID)
	}
	wrap, err := alg.WrapOf(k.wrap)
	if err != nil {
		return nil, badParameters(err, k.wrap)
	}
	// RFC 9629 section 3: the length must be that of the wrapping key.
	if k.kekLength != wrap.KEKLen {
		return nil, badParameters(alg.ErrMismatch, k.wrap)
	}
	kem.Wrap = wrap
	if !kem.Decapsulates(key.key) {
		return nil, fmt.Errorf("%w: key of type %T for the key encapsulation %s", ErrUnsupported, key.key, k.kem.OID)
	}
	info := kemInfo(k.wrap, k.kekLength, k.ukm)
	// A derivation that can't be done can't be done with any secret.
	if _, err := kem.KEK(make([]byte, 32), info, k.kekLength); err != nil {
		return nil, badParameters(err, k.kdf)
	}
	return &opening{selfChecking: true, open: func(ctx context.Context, _ int) ([]byte, error) {
		secret, err := kem.Decapsulate(alg.WithContext(ctx, key.key), k.kemct)
		if err != nil {
			return nil, err
		}
		kek, err := kem.KEK(secret, info, k.kekLength)
		if err != nil {
			return nil, err
		}
		return wrap.Unwrap(kek, k.encryptedKey)
	}}, nil
}

// kemInfo returns the input of the KDF that is not secret (RFC 9629 section 5).
//
//	CMSORIforKEMOtherInfo ::= SEQUENCE {
//	    wrap KeyEncryptionAlgorithmIdentifier,
//	    kekLength INTEGER (1..65535),
//	    ukm [0] EXPLICIT UserKeyingMaterial OPTIONAL }
func kemInfo(wrap alg.Identifier, kekLength int, ukm []byte) []byte {
	list := [][]byte{wrap.DER(), encodeInteger(kekLength)}
	if ukm != nil {
		list = append(list, ber.Append(nil, ber.Context(0), true, encodeOctets(ukm)))
	}
	return ber.Append(nil, ber.Sequence, true, list...)
}

// makeKEMRI wraps cek under a key encapsulated for pub (RFC 9629 section 4).
func makeKEMRI(id CertID, pub *alg.PublicKey, cek []byte) (encodedRecipient, error) {
	kem, err := alg.EncapsulationFor(pub, len(cek))
	if err != nil {
		return encodedRecipient{}, err
	}
	wrap := kem.Wrap
	kemct, secret, err := alg.Encapsulate(pub)
	if err != nil {
		return encodedRecipient{}, err
	}
	kek, err := kem.KEK(secret, kemInfo(wrap.ID, wrap.KEKLen, nil), wrap.KEKLen)
	if err != nil {
		return encodedRecipient{}, err
	}
	wrapped, err := wrap.Wrap(kek, cek)
	if err != nil {
		return encodedRecipient{}, err
	}
	value := ber.Append(nil, ber.Sequence, true,
		encodeVersion(0), id.encode(),
		kem.ID.DER(), encodeOctets(kemct),
		kem.KDF.DER(), encodeInteger(wrap.KEKLen),
		wrap.ID.DER(), encodeOctets(wrapped))
	oriType := ber.Append(nil, ber.OID, false, []byte(oid.ORIKEM))
	return encodedRecipient{der: ber.Append(nil, ber.Context(4), true, oriType, value), complex: true}, nil
}

func encodeInteger(n int) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(int64(n))
	return b.BytesOrPanic()
}
