package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mlkem"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
)

const (
	variants    = 16 // messages of each class
	contentSize = 1000
	keySize     = 32 // of the content key
)

// A maker makes messages of one group; each spoils one thing.
type maker struct {
	name   string
	to     pkcs7.Recipient
	key    pkcs7.DecryptionKey
	cipher pkcs7.Cipher
	// header begins the encrypted key in the message, of which size octets follow.
	header []byte
	size   int
	// seal encrypts a key of the message maker's choice; nil: nothing but spoiling
	// what is there is possible.
	seal func(cek []byte) ([]byte, error)
}

func groups() ([]*group, error) {
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	rsaCert, err := certificate(private)
	if err != nil {
		return nil, err
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	ecCert, err := certificate(ec)
	if err != nil {
		return nil, err
	}
	kem, err := mlkem.GenerateKey768()
	if err != nil {
		return nil, err
	}
	kemCert := bare(oid.MLKEM768, kem.EncapsulationKey().Bytes())
	kek := random(keySize)
	v15 := func(cek []byte) ([]byte, error) {
		//lint:ignore SA1019 it is what is measured
		return rsa.EncryptPKCS1v15(rand.Reader, &private.PublicKey, cek)
	}
	oaep := func(cek []byte) ([]byte, error) {
		return rsa.EncryptOAEP(sha256.New(), rand.Reader, &private.PublicKey, cek, nil)
	}
	wrap := func(cek []byte) ([]byte, error) { return alg.WrapFor(keySize).Wrap(kek, cek) }
	rsaHeader, wrapHeader := []byte{4, 0x82, 1, 0}, []byte{4, keySize + 8}
	var list []*group
	for _, c := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
		for _, m := range []*maker{
			{name: "RSA v1.5", to: pkcs7.ToCertificate(rsaCert, &pkcs7.RecipientOptions{PKCS1v15: true}), key: pkcs7.KeyOf(rsaCert, private), header: rsaHeader, size: 256, seal: v15},
			{name: "OAEP", to: pkcs7.ToCertificate(rsaCert, nil), key: pkcs7.KeyOf(rsaCert, private), header: rsaHeader, size: 256, seal: oaep},
			{name: "ECDH", to: pkcs7.ToCertificate(ecCert, nil), key: pkcs7.KeyOf(ecCert, ec), header: wrapHeader, size: keySize + 8},
			{name: "ML-KEM", to: pkcs7.ToCertificate(kemCert, nil), key: pkcs7.KeyOf(kemCert, kem), header: wrapHeader, size: keySize + 8},
			{name: "KEK", to: pkcs7.ToKey([]byte("kek"), kek), key: pkcs7.KeyFromKEK([]byte("kek"), kek), header: wrapHeader, size: keySize + 8, seal: wrap},
		} {
			m.cipher = c
			g, err := m.group()
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.name, err)
			}
			list = append(list, g)
		}
	}
	verbs, err := verbGroups(private, rsaCert)
	return append(list, verbs...), err
}

func (m *maker) group() (*group, error) {
	g := &group{name: m.name + ", " + m.cipher.String(), open: func(msg []byte) error { return open(msg, m.key) }}
	add := func(name string, spoil func(msg, key []byte) error) error {
		c := &class{name: name}
		for len(c.messages) < variants {
			msg, err := m.message()
			if err != nil {
				return err
			}
			at := bytes.Index(msg, m.header)
			if at < 0 {
				return errors.New("no encrypted key in the message")
			}
			if err := spoil(msg, msg[at+len(m.header):][:m.size]); err != nil {
				return err
			}
			// A wrong key has the right padding once in 256 times.
			if err := open(msg, m.key); err != nil {
				c.messages = append(c.messages, msg)
			}
		}
		g.classes = append(g.classes, c)
		return nil
	}
	sealed := func(size int) func(msg, key []byte) error {
		return func(_, key []byte) error {
			b, err := m.seal(random(size))
			copy(key, b)
			return err
		}
	}
	last := "padding of the content"
	if m.cipher.Authenticated() {
		last = "tag"
	}
	err := add(last, func(msg, _ []byte) error {
		if m.cipher.Authenticated() {
			msg[len(msg)-1] ^= 1
			return nil
		}
		msg[len(msg)-17] ^= 0x40 // of the block before, so that the padding changes
		return nil
	})
	if err == nil {
		err = add("encrypted key changed", func(_, key []byte) error { key[len(key)/2] ^= 1; return nil })
	}
	if err == nil && m.seal != nil {
		err = add("other key", sealed(keySize))
	}
	if err == nil && m.seal != nil && m.size == 256 {
		err = errors.Join(add("key of 16 octets", sealed(16)), add("key of 48 octets", sealed(48)))
	}
	return g, err
}

func (m *maker) message() ([]byte, error) { return m.encrypt(random(contentSize)) }

func (m *maker) encrypt(content []byte) ([]byte, error) {
	var out bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(context.Background(), &out, []pkcs7.Recipient{m.to}, &pkcs7.EncryptOptions{Cipher: m.cipher, Size: int64(len(content))})
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(content); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}

func certificate(key crypto.Signer) (*x509.Certificate, error) {
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "reader"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	return x509.ParseCertificate(der)
}

// bare returns a certificate that nobody signed, for a key that crypto/x509 does
// not know.
func bare(id oid.OID, key []byte) *x509.Certificate {
	seq := func(parts ...[]byte) []byte { return ber.Append(nil, ber.Sequence, true, parts...) }
	algorithm := seq(ber.Append(nil, ber.OID, false, []byte(oid.ECDSAWithSHA256)))
	name := seq(ber.Append(nil, ber.Set, true, seq(ber.Append(nil, ber.OID, false, []byte(oid.CommonName)), ber.Append(nil, ber.UTF8String, false, []byte("reader")))))
	day := ber.Append(nil, ber.UTCTime, false, []byte("400101000000Z"))
	spki := seq(seq(ber.Append(nil, ber.OID, false, []byte(id))), ber.Append(nil, ber.BitString, false, []byte{0}, key))
	tbs := seq(ber.Append(nil, ber.Context(0), true, []byte{2, 1, 2}), []byte{2, 1, 2}, algorithm, name, seq(day, day), name, spki)
	return &x509.Certificate{Raw: seq(tbs, algorithm, ber.Append(nil, ber.BitString, false, []byte{0}))}
}
