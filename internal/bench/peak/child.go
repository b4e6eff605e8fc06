package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// stream hides that a file can be read twice.
type stream struct{ io.Reader }

// child runs one verb. What a verb reads that undoes another is written first,
// by that other verb, in an earlier process.
func child(ctx context.Context, verb, dir string, size int64, pipe bool) error {
	id, trust, err := identity(dir)
	if err != nil {
		return err
	}
	from := map[string]string{"verify": "sign", "verify-opaque": "sign-opaque", "decrypt": "encrypt", "decrypt-cbc": "encrypt-cbc"}[verb]
	if from == "" {
		from = "plain"
	}
	f, err := os.Open(filepath.Join(dir, name(from, size)))
	if err != nil {
		return err
	}
	defer f.Close()
	out, err := os.Create(filepath.Join(dir, name(verb, size)))
	if err != nil {
		return err
	}
	var in io.Reader = f
	if pipe {
		in = stream{f}
	}
	if err := do(ctx, verb, out, in, id, trust); err != nil {
		return err
	}
	if fi, err := out.Stat(); err != nil || fi.Size() < size {
		return errors.Join(fmt.Errorf("the output is too short"), err)
	}
	return out.Close()
}

func do(ctx context.Context, verb string, w io.Writer, r io.Reader, id *smime.Identity, trust *chain.Collection) error {
	switch verb {
	case "sign", "sign-opaque":
		return smime.Sign(ctx, w, r, id, &smime.SignOptions{Opaque: verb == "sign-opaque"})
	case "verify", "verify-opaque":
		_, err := smime.Verify(ctx, w, r, trust, nil)
		return err
	case "encrypt", "encrypt-cbc":
		opts := &smime.EncryptOptions{Cipher: pkcs7.AES256GCM}
		if strings.HasSuffix(verb, "cbc") {
			opts.Cipher = pkcs7.AES256CBC
		}
		to, err := smime.NewRecipient(ctx, "alice@example.com", id.Certificate(), trust, nil)
		if err != nil {
			return err
		}
		return smime.Encrypt(ctx, w, r, []*smime.Recipient{to}, opts)
	case "decrypt", "decrypt-cbc":
		_, err := smime.Decrypt(ctx, w, r, smime.Identities{id}, nil)
		return err
	}
	return fmt.Errorf("no verb %q", verb)
}

// identity makes a key on first use and reads it back later.
func identity(dir string) (*smime.Identity, *chain.Collection, error) {
	file := filepath.Join(dir, "identity.pem")
	text, err := os.ReadFile(file)
	if errors.Is(err, os.ErrNotExist) {
		if text, err = newIdentity(); err != nil {
			return nil, nil, err
		}
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return nil, nil, err
	}
	block, rest := pem.Decode(text)
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	block, _ = pem.Decode(rest)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, nil, err
	}
	id, err := smime.NewIdentity(key, cert)
	return id, chain.NewCollection(chain.Anchors(chain.Certs(cert))), err
}

func newIdentity() ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:   big.NewInt(1),
		Subject:        pkix.Name{CommonName: "Alice"},
		NotBefore:      time.Now().Add(-time.Hour),
		NotAfter:       time.Now().Add(24 * time.Hour),
		EmailAddresses: []string{"alice@example.com"},
		KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: cert}); err != nil {
		return nil, err
	}
	err = pem.Encode(&out, &pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8})
	return out.Bytes(), err
}
