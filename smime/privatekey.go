package smime

import (
	"crypto"
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

// parsePrivateKey reads a PKCS #8 private key of any kind that is known here.
func parsePrivateKey(der []byte) (crypto.PrivateKey, error) {
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err == nil {
		return key, nil
	}
	in := cryptobyte.String(der)
	var info, inner cryptobyte.String
	var version int64
	var id alg.Identifier
	if in.ReadASN1(&info, cbasn1.SEQUENCE) && info.ReadASN1Integer(&version) && alg.ReadIdentifier(&info, &id) &&
		id.OID == oid.RSASSAPSS && info.ReadASN1(&inner, cbasn1.OCTET_STRING) {
		return x509.ParsePKCS1PrivateKey(inner)
	}
	return nil, err
}
