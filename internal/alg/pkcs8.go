package alg

import (
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// DecryptPKCS8 opens an EncryptedPrivateKeyInfo that PBES2 with PBKDF2 made (RFC
// 8018 section 6.2) and returns the PrivateKeyInfo for ParsePrivateKey. More
// than maxIterations fail with ErrUnsupported. A wrong password is ErrDecrypt,
// as is a changed key.
//
//	EncryptedPrivateKeyInfo ::= SEQUENCE {
//	    encryptionAlgorithm  AlgorithmIdentifier,
//	    encryptedData        OCTET STRING }
//
//	PBES2-params ::= SEQUENCE {
//	    keyDerivationFunc  AlgorithmIdentifier,
//	    encryptionScheme   AlgorithmIdentifier }
func DecryptPKCS8(der, password []byte, maxIterations int) ([]byte, error) {
	s := cryptobyte.String(der)
	var body, params cryptobyte.String
	var id, kdf, scheme Identifier
	var sealed []byte
	if len(der) > 2*maxPrivateKey || !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() || !ReadIdentifier(&body, &id) ||
		!body.ReadASN1Bytes(&sealed, asn1.OCTET_STRING) || !body.Empty() {
		return nil, fail(ErrMalformed, "EncryptedPrivateKeyInfo")
	}
	if id.OID != oid.PBES2 {
		return nil, fail(ErrUnsupported, "password encryption %v", id.OID)
	}
	p := cryptobyte.String(id.Params)
	if !p.ReadASN1(&params, asn1.SEQUENCE) || !p.Empty() || !ReadIdentifier(&params, &kdf) ||
		!ReadIdentifier(&params, &scheme) || !params.Empty() {
		return nil, fail(ErrMalformed, "parameters of PBES2")
	}
	k, err := PBKDF2Of(kdf)
	if err != nil {
		return nil, err
	}
	c, err := ContentOf(scheme)
	if err != nil {
		return nil, err
	}
	if k.Iterations > maxIterations || c.Authenticated() || c.HKDF {
		return nil, fail(ErrUnsupported, "password encryption by %v, %d iterations", scheme.OID, k.Iterations)
	}
	key, err := k.Key(password, c.KeyLen())
	if err != nil {
		return nil, err
	}
	d, err := c.Decrypter(key)
	if err != nil {
		return nil, err
	}
	out, ok := d.Final(d.Update(nil, sealed))
	if !ok {
		return nil, ErrDecrypt
	}
	return out, nil
}
