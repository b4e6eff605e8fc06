package pkcs7

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/subtle"
	"fmt"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A ktri is a content key encrypted with RSA (RFC 5652 section 6.2.1, RFC 3370
// section 4.2, RFC 3560).
//
//	KeyTransRecipientInfo ::= SEQUENCE {
//	    version CMSVersion,  -- always set to 0 or 2
//	    rid RecipientIdentifier,
//	    keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
//	    encryptedKey EncryptedKey }
type ktri struct {
	id           CertID
	algorithm    alg.Identifier
	encryptedKey []byte
}

func parseKTRI(s cryptobyte.String) (*ktri, bool) {
	k := new(ktri)
	ok := skipVersion(&s) &&
		readRecipientID(&s, &k.id) &&
		alg.ReadIdentifier(&s, &k.algorithm) &&
		s.ReadASN1((*cryptobyte.String)(&k.encryptedKey), asn1.OCTET_STRING) &&
		s.Empty()
	return k, ok
}

func (k *ktri) ids() []CertID { return []CertID{k.id} }

// weak tells the size of the modulus from that of the ciphertext.
func (k *ktri) weak() bool { return len(k.encryptedKey) < minRSABits/8 }

// minRSABits is the floor for RSA keys.
const minRSABits = 2048

func (k *ktri) prepare(key *matchKey, _ int) (*opening, error) {
	decrypter, ok := key.key.(crypto.Decrypter)
	if !ok || key.public == nil {
		return nil, fmt.Errorf("%w: key of type %T for an RSA recipient", ErrUnsupported, key.key)
	}
	switch kind := key.public.Kind; k.algorithm.OID {
	case oid.RSAEncryption:
		// RFC 4055 section 1.2: a key for OAEP is used for nothing else, lest
		// the weaker padding opens what the stronger one protects.
		if kind != alg.RSA {
			return nil, fmt.Errorf("%w: RSA PKCS #1 v1.5 for a key that is not for it", ErrUnsupported)
		}
		return &opening{open: func(ctx context.Context, n int) ([]byte, error) {
			return decryptPKCS1v15(ctx, decrypter, k.encryptedKey, n)
		}}, nil
	case oid.RSAESOAEP:
		if kind != alg.RSA && kind != alg.RSAOAEP {
			return nil, fmt.Errorf("%w: RSA-OAEP for a key that is not for it", ErrUnsupported)
		}
		params, err := alg.OAEPOf(k.algorithm)
		if err != nil {
			return nil, badParameters(err, k.algorithm)
		}
		opts := &rsa.OAEPOptions{Hash: params.Hash, MGFHash: params.MGF, Label: params.Label}
		return &opening{selfChecking: true, open: func(ctx context.Context, _ int) ([]byte, error) {
			bound, ok := alg.WithContext(ctx, decrypter).(crypto.Decrypter)
			if !ok {
				return nil, ErrKeyUnavailable
			}
			return bound.Decrypt(rand.Reader, k.encryptedKey, opts)
		}}, nil
	}
	return nil, badParameters(alg.ErrUnsupported, k.algorithm)
}

// decryptPKCS1v15 returns a key of n octets whatever the ciphertext is: where
// there is none inside, a random one that was chosen before (RFC 3218 section
// 2.3.2). A key in hardware may return an error or a wrong length where the
// standard library would not, so both are replaced.
func decryptPKCS1v15(ctx context.Context, key crypto.Decrypter, ciphertext []byte, n int) ([]byte, error) {
	random := make([]byte, n)
	if _, err := rand.Read(random); err != nil {
		return nil, err
	}
	bound, ok := alg.WithContext(ctx, key).(crypto.Decrypter)
	if !ok {
		return nil, ErrKeyUnavailable
	}
	//lint:ignore SA1019 most mail has this padding; the random key is the protection
	cek, err := bound.Decrypt(rand.Reader, ciphertext, &rsa.PKCS1v15DecryptOptions{SessionKeyLen: n})
	if err != nil && unavailable(ctx, err) {
		return nil, err
	}
	good := subtle.ConstantTimeEq(int32(len(cek)), int32(n))
	if err != nil {
		good = 0
	}
	padded := make([]byte, n)
	copy(padded, cek)
	subtle.ConstantTimeCopy(good, random, padded)
	return random, nil
}

// makeKTRI encrypts cek to an RSA key. A nil oaep means PKCS #1 v1.5. algorithm
// is the identifier of the one or the other.
func makeKTRI(id CertID, pub *rsa.PublicKey, oaep *alg.OAEP, algorithm, cek []byte) (encodedRecipient, error) {
	var encrypted []byte
	var err error
	if oaep == nil {
		//lint:ignore SA1019 installed programs know nothing else
		encrypted, err = rsa.EncryptPKCS1v15(rand.Reader, pub, cek)
	} else {
		opts := &rsa.OAEPOptions{Hash: oaep.Hash, MGFHash: oaep.MGF, Label: oaep.Label}
		encrypted, err = rsa.EncryptOAEPWithOptions(rand.Reader, pub, cek, opts)
	}
	if err != nil {
		return encodedRecipient{}, err
	}
	version := byte(0)
	if id.Serial == nil {
		version = 2
	}
	der := ber.Append(nil, ber.Sequence, true, encodeVersion(version), id.encode(), algorithm, encodeOctets(encrypted))
	return encodedRecipient{der: der, version: version}, nil
}
