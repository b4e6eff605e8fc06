package products

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// Recipient returns the key and certificate that open the encrypted layers. They
// are the same in every process, but for the signature of the certificate.
func Recipient() (*ecdsa.PrivateKey, *x509.Certificate, error) { return identity(1) }

func identity(number byte) (*ecdsa.PrivateKey, *x509.Certificate, error) {
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), append(make([]byte, 31), number))
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(int64(number)),
		Subject:      pkix.Name{CommonName: "recipient"},
		NotBefore:    time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2049, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	cert, err := x509.ParseCertificate(der)
	return key, cert, err
}

// layers wraps an entity in compression and encryption.
func (m *maker) layers(entity []byte) ([]byte, error) {
	for range m.Compressed {
		var cms bytes.Buffer
		if err := pkcs7.Compress(&cms, bytes.NewReader(entity)); err != nil {
			return nil, err
		}
		entity = cmsEntity("compressed-data", cms.Bytes())
	}
	if m.Encrypted == 0 {
		return entity, nil
	}
	to, err := m.recipients()
	if err != nil {
		return nil, err
	}
	opts, kind := &pkcs7.EncryptOptions{Cipher: pkcs7.AES256GCM}, "authEnveloped-data"
	if m.CBC {
		opts.Cipher, kind = pkcs7.AES256CBC, "enveloped-data"
	}
	for range m.Encrypted {
		var cms bytes.Buffer
		w, err := pkcs7.NewEncryptWriter(context.Background(), &cms, to, opts)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(entity); err != nil {
			return nil, err
		}
		if err := w.Close(); err != nil {
			return nil, err
		}
		entity = cmsEntity(kind, cms.Bytes())
	}
	return entity, nil
}

// recipients returns strangers, and last the one who opens the message.
func (m *maker) recipients() ([]pkcs7.Recipient, error) {
	_, stranger, err := identity(2)
	if err != nil {
		return nil, err
	}
	_, reader, err := Recipient()
	if err != nil {
		return nil, err
	}
	var to []pkcs7.Recipient
	for range m.Recipients - 1 {
		to = append(to, pkcs7.ToCertificate(stranger, nil))
	}
	return append(to, pkcs7.ToCertificate(reader, nil)), nil
}

func cmsEntity(kind string, cms []byte) []byte {
	var b bytes.Buffer
	b.WriteString(cmsHeader(kind))
	writeBase64(&b, cms)
	return b.Bytes()
}
