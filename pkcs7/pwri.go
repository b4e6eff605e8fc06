package pkcs7

import (
	"context"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A pwri is a content key wrapped under a key derived from a password (RFC
// 5652 section 6.2.4, RFC 3211).
//
//	PasswordRecipientInfo ::= SEQUENCE {
//	    version CMSVersion,  -- always set to 0
//	    keyDerivationAlgorithm [0] KeyDerivationAlgorithmIdentifier OPTIONAL,
//	    keyEncryptionAlgorithm KeyEncryptionAlgorithmIdentifier,
//	    encryptedKey EncryptedKey }
type pwri struct {
	derivation   alg.Identifier // zero: the key is known by other means
	algorithm    alg.Identifier
	encryptedKey []byte
}

func parsePWRI(s cryptobyte.String) (*pwri, bool) {
	p := new(pwri)
	var derivation cryptobyte.String
	var derived bool
	if !skipVersion(&s) || !s.ReadOptionalASN1(&derivation, &derived, contextTag0) {
		return nil, false
	}
	if derived {
		// The implicit tag stands for that of a SEQUENCE.
		der := cryptobyte.String(ber.Append(nil, ber.Sequence, true, derivation))
		if !alg.ReadIdentifier(&der, &p.derivation) {
			return nil, false
		}
	}
	ok := alg.ReadIdentifier(&s, &p.algorithm) &&
		s.ReadASN1((*cryptobyte.String)(&p.encryptedKey), asn1.OCTET_STRING) &&
		s.Empty()
	return p, ok
}

func (p *pwri) ids() []CertID { return []CertID{{Kind: ByPassword}} }

// minIterations is what RFC 8018 section 4.2 asks for at least.
const minIterations = 1000

func (p *pwri) weak() bool {
	kdf, err := alg.PBKDF2Of(p.derivation)
	return err == nil && kdf.Iterations < minIterations
}

func (p *pwri) prepare(key *matchKey, _ int) (*opening, error) {
	if p.derivation.OID == "" {
		return nil, badParameters(alg.ErrUnsupported, p.algorithm)
	}
	kdf, err := alg.PBKDF2Of(p.derivation)
	if err != nil {
		return nil, badParameters(err, p.derivation)
	}
	n, err := alg.PWRIKeyLen(p.algorithm)
	if err != nil {
		return nil, badParameters(err, p.algorithm)
	}
	if kdf.KeyLen != 0 && kdf.KeyLen != n {
		return nil, badParameters(alg.ErrMismatch, p.derivation)
	}
	open := func(ctx context.Context, _ int) ([]byte, error) {
		kek, err := kdf.KeyContext(ctx, key.secret, n)
		if err != nil {
			return nil, err
		}
		return alg.PWRIUnwrap(p.algorithm, kek, p.encryptedKey)
	}
	return &opening{selfChecking: true, iterations: int64(kdf.Iterations), open: open}, nil
}

// makePWRI wraps cek under a key derived from a password.
func makePWRI(password, cek []byte) (encodedRecipient, error) {
	// PWRIWrap chooses the cipher; the key that it takes has 32 octets.
	const kekLen = 32
	kdf := alg.NewPBKDF2()
	kek, err := kdf.Key(password, kekLen)
	if err != nil {
		return encodedRecipient{}, err
	}
	algorithm, wrapped, err := alg.PWRIWrap(kek, cek)
	if err != nil {
		return encodedRecipient{}, err
	}
	var derivation cryptobyte.String
	if s := cryptobyte.String(kdf.ID.DER()); !s.ReadASN1(&derivation, asn1.SEQUENCE) {
		return encodedRecipient{}, alg.ErrMalformed
	}
	der := ber.Append(nil, ber.Context(3), true,
		encodeVersion(0),
		ber.Append(nil, ber.Context(0), true, derivation),
		algorithm.DER(),
		encodeOctets(wrapped))
	return encodedRecipient{der: der, version: 0, complex: true}, nil
}
