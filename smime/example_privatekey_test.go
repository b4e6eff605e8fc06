package smime_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"github.com/gosmime/gosmime/smime"
)

// A private key in any of the usual forms.
func ExampleParsePrivateKey() {
	made, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		fmt.Println(err)
		return
	}
	der, err := x509.MarshalPKCS8PrivateKey(made)
	if err != nil {
		fmt.Println(err)
		return
	}
	key, err := smime.ParsePrivateKey(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, ok := key.(crypto.Signer) // an X25519 or ML-KEM key can only decrypt
	fmt.Println(ok, made.PublicKey.Equal(signer.Public()))

	_, err = smime.ParsePrivateKey([]byte("text"))
	fmt.Println(errors.Is(err, smime.ErrMalformed))
	// Output:
	// true true
	// true
}

// lockedKey protects nothing: its password is in the example.
const lockedKey = `
-----BEGIN ENCRYPTED PRIVATE KEY-----
MIGbMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhT9vYEP6Dj/QICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEELDLl2wSyyQRNFChgRd3a/IEQOPf
TEVKkil2jgUiuxEirmXbqlOBB7TDim/yhi3ObYLOx4iVDTjJmvTOmGOlRSgnQPGJ
+6Jdj7ryFiiFcZ97Xxc=
-----END ENCRYPTED PRIVATE KEY-----
`

func ExampleDecryptPrivateKey() {
	block, _ := pem.Decode([]byte(lockedKey))
	if block == nil {
		fmt.Println("no PEM")
		return
	}
	for _, password := range []string{"correct horse", "battery staple"} {
		key, err := smime.DecryptPrivateKey(block.Bytes, []byte(password))
		fmt.Printf("%T %v\n", key, errors.Is(err, smime.ErrPassword))
	}
	// Output:
	// ed25519.PrivateKey false
	// <nil> true
}
