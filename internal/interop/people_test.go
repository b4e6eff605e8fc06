package interop

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"testing"
	"time"
)

// A person has a key in memory and in files for the peer.
type person struct {
	key               crypto.Signer
	cert              *x509.Certificate
	keyFile, certFile string
}

func newPerson(t *testing.T, p *peer, name string, key crypto.Signer) *person {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		SubjectKeyId: []byte(name),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return &person{key: key, cert: cert, keyFile: p.write(name+".key", pkcs8), certFile: p.write(name+".crt", der)}
}

// people returns one person for each kind of key that the peer knows.
func people(t *testing.T, p *peer) map[string]*person {
	t.Helper()
	keys := map[string]func() (crypto.Signer, error){
		"rsa":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		"p256":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"p384":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P384(), rand.Reader) },
		"p521":    func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P521(), rand.Reader) },
		"ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
	}
	out := map[string]*person{}
	for name, generate := range keys {
		key, err := generate()
		if err != nil {
			t.Fatal(err)
		}
		out[name] = newPerson(t, p, name, key)
	}
	return out
}
