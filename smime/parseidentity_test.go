package smime_test

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// pemFiles writes the certificates and the key of id as two PEM files.
func pemFiles(t testing.TB, dir string, id *smime.Identity) (certFile, keyFile string) {
	t.Helper()
	key, err := id.SigningKey()
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key.Key)
	if err != nil {
		t.Fatal(err)
	}
	var text []byte
	for _, c := range append([]*x509.Certificate{id.Certificate()}, key.Chain...) {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	certFile, keyFile = filepath.Join(dir, "alice.pem"), filepath.Join(dir, "alice.key")
	err = errors.Join(os.WriteFile(certFile, text, 0o600), os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	return certFile, keyFile
}

func ExampleParseIdentity() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	certFile, keyFile := pemFiles(exampleTB{}, dir, smimetest.NewCA(exampleTB{}).Identity("alice@example.com"))
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		panic(err)
	}
	id, err := smime.ParseIdentity(pair.PrivateKey, pair.Certificate...)
	if err != nil {
		panic(err)
	}
	fmt.Println(id.Mailboxes(), id.CanSign(time.Now()))
	// Output: [alice@example.com] <nil>
}

func TestCanSign(t *testing.T) {
	ca := smimetest.NewCA(t)
	good := ca.Identity("alice@example.com")
	c := good.Certificate()
	exchange, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	lost, err := smime.AnyRecipient(exchange)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name string
		id   *smime.Identity
		at   time.Time
		want error
	}{
		{"now", good, time.Now(), nil},
		{"last second", good, c.NotAfter, nil},
		{"too late", good, c.NotAfter.Add(time.Second), chain.ErrExpired},
		{"too early", good, c.NotBefore.Add(-time.Second), chain.ErrNotYetValid},
		{"expired", ca.Identity("alice@example.com", smimetest.Expired()), time.Now(), chain.ErrExpired},
		{"for encryption", ca.Identity("alice@example.com", smimetest.EncryptionOnly()), time.Now(), chain.ErrWrongPurpose},
		{"not for mail", ca.Identity("alice@example.com", smimetest.NotForMail()), time.Now(), chain.ErrWrongPurpose},
		{"no certificate", lost, time.Now(), smime.ErrKeyMismatch},
		{"nil", nil, time.Now(), smime.ErrKeyMismatch},
		{"zero", new(smime.Identity), time.Now(), smime.ErrKeyMismatch},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.id.CanSign(tt.at); !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := smime.ParseIdentity(exchange); !errors.Is(err, smime.ErrMalformed) {
		t.Errorf("no certificate: %v", err)
	}
}
