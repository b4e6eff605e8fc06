package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"

	digitorus "github.com/digitorus/pkcs7"
	smallstep "github.com/smallstep/pkcs7"

	"github.com/gosmime/gosmime/internal/bench/libcrypto"
	"github.com/gosmime/gosmime/pkcs7"
)

func newRows(people []*person, size int) ([]row, error) {
	content := make([]byte, size)
	if _, err := rand.Read(content); err != nil {
		return nil, err
	}
	var rows []row
	for _, p := range people {
		if p.signer() != nil {
			sign, err := signRows(p, content)
			if err != nil {
				return nil, err
			}
			rows = append(rows, sign...)
		}
		for _, c := range []struct {
			cipher pkcs7.Cipher
			name   string
		}{{pkcs7.AES256CBC, "AES-256-CBC"}, {pkcs7.AES256GCM, "AES-256-GCM"}} {
			encrypt, err := encryptRows(p, c.cipher, c.name, content)
			if err != nil {
				return nil, err
			}
			rows = append(rows, encrypt...)
		}
	}
	return rows, nil
}

func signRows(p *person, content []byte) ([]row, error) {
	ctx := context.Background()
	keys := []pkcs7.SigningKey{{Certificate: p.cert, Key: p.signer()}}
	sign := func(w io.Writer) error {
		s, err := pkcs7.NewSignWriter(ctx, w, keys, &pkcs7.SignOptions{Size: int64(len(content))})
		if err != nil {
			return err
		}
		if _, err := s.Write(content); err != nil {
			return err
		}
		return s.Close()
	}
	var signed bytes.Buffer
	if err := sign(&signed); err != nil {
		return nil, err
	}
	raw := signed.Bytes()
	attrs := make([]byte, 200)
	sum := sha256.Sum256(attrs)
	sig, err := p.signer().Sign(rand.Reader, sum[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return []row{{"sign, " + p.name, [5]func() error{
		func() error { return sign(io.Discard) },
		func() error { _, err := p.c.Sign(content); return err },
		func() error { _, err := digitorusSign(p, content); return err },
		func() error { _, err := smallstepSign(p, content); return err },
		func() error {
			sha256.Sum256(content)
			_, err := p.signer().Sign(rand.Reader, sum[:], crypto.SHA256)
			return err
		},
	}}, {"verify, " + p.name, [5]func() error{
		func() error { return verify(raw, p) },
		func() error { _, err := libcrypto.Verify(raw); return err },
		func() error {
			m, err := digitorus.Parse(raw)
			if err != nil {
				return err
			}
			return m.Verify()
		},
		func() error {
			m, err := smallstep.Parse(raw)
			if err != nil {
				return err
			}
			return m.Verify()
		},
		func() error {
			sha256.Sum256(content)
			return bare(p, sum[:], sig)
		},
	}}}, nil
}

func verify(raw []byte, p *person) error {
	r, err := pkcs7.NewSignedReader(bytes.NewReader(raw), nil, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return err
	}
	signers, err := r.Signers()
	if err != nil {
		return err
	}
	return signers[0].CheckSignature(p.cert)
}

func bare(p *person, sum, sig []byte) error {
	switch pub := p.signer().Public().(type) {
	case *rsa.PublicKey:
		return rsa.VerifyPKCS1v15(pub, crypto.SHA256, sum, sig)
	case *ecdsa.PublicKey:
		if !ecdsa.VerifyASN1(pub, sum, sig) {
			return fmt.Errorf("signature")
		}
	}
	return nil
}

func digitorusSign(p *person, content []byte) ([]byte, error) {
	s, err := digitorus.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	s.SetDigestAlgorithm(digitorus.OIDDigestAlgorithmSHA256)
	if err := s.AddSigner(p.cert, p.signer(), digitorus.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	return s.Finish()
}

func smallstepSign(p *person, content []byte) ([]byte, error) {
	s, err := smallstep.NewSignedData(content)
	if err != nil {
		return nil, err
	}
	s.SetDigestAlgorithm(smallstep.OIDDigestAlgorithmSHA256)
	if err := s.AddSigner(p.cert, p.signer(), smallstep.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	return s.Finish()
}

func encryptRows(p *person, c pkcs7.Cipher, name string, content []byte) ([]row, error) {
	ctx := context.Background()
	opts := &pkcs7.RecipientOptions{PKCS1v15: true}
	encrypt := func(w io.Writer) error {
		e, err := pkcs7.NewEncryptWriter(ctx, w, []pkcs7.Recipient{pkcs7.ToCertificate(p.cert, opts)}, &pkcs7.EncryptOptions{Cipher: c, Size: int64(len(content))})
		if err != nil {
			return err
		}
		if _, err := e.Write(content); err != nil {
			return err
		}
		return e.Close()
	}
	var sealed bytes.Buffer
	if err := encrypt(&sealed); err != nil {
		return nil, err
	}
	raw := sealed.Bytes()
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(p.cert, p.key)}, nil
	}
	rows := []row{{"encrypt, " + p.name + ", " + name, [5]func() error{
		func() error { return encrypt(io.Discard) },
		func() error { _, err := p.c.Encrypt(name, content); return err },
		nil, nil,
		func() error { return primitive(p, c, content, true) },
	}}, {"decrypt, " + p.name + ", " + name, [5]func() error{
		func() error {
			d, err := pkcs7.NewDecryptReader(ctx, bytes.NewReader(raw), keys, nil)
			if err != nil {
				return err
			}
			if _, err := io.Copy(io.Discard, d); err != nil {
				return err
			}
			return d.Close()
		},
		func() error { _, err := p.c.Decrypt(raw); return err },
		nil, nil,
		func() error { return primitive(p, c, content, false) },
	}}}
	if p.c == nil {
		rows[0].runs[1], rows[1].runs[1] = nil, nil
	}
	if key, ok := p.key.(*rsa.PrivateKey); ok && c == pkcs7.AES256CBC {
		rows[1].runs[2] = func() error {
			m, err := digitorus.Parse(raw)
			if err != nil {
				return err
			}
			_, err = m.Decrypt(p.cert, key)
			return err
		}
		rows[1].runs[3] = func() error {
			m, err := smallstep.Parse(raw)
			if err != nil {
				return err
			}
			_, err = m.Decrypt(p.cert, key)
			return err
		}
	}
	return rows, nil
}

// primitive does what no implementation can leave out: the operation with the
// recipient's key, and the cipher in 64 KiB pieces.
func primitive(p *person, c pkcs7.Cipher, content []byte, encrypting bool) error {
	if err := keyOperation(p, encrypting); err != nil {
		return err
	}
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		return err
	}
	buf := make([]byte, 64<<10+16)
	if c == pkcs7.AES256GCM {
		gcm, err := cipher.NewGCM(block)
		if err != nil {
			return err
		}
		nonce := make([]byte, 12)
		for rest := content; len(rest) > 0; {
			n := min(len(rest), 64<<10)
			gcm.Seal(buf[:0], nonce, rest[:n], nil)
			rest = rest[n:]
		}
		return nil
	}
	mode := cipher.NewCBCDecrypter(block, make([]byte, 16))
	if encrypting {
		mode = cipher.NewCBCEncrypter(block, make([]byte, 16))
	}
	for rest := content; len(rest) >= 16; {
		n := min(len(rest), 64<<10) &^ 15
		mode.CryptBlocks(buf[:n], rest[:n])
		rest = rest[n:]
	}
	return nil
}

func keyOperation(p *person, encrypting bool) error {
	switch key := p.key.(type) {
	case *rsa.PrivateKey:
		if encrypting {
			_, err := rsa.EncryptPKCS1v15(rand.Reader, &key.PublicKey, make([]byte, 32))
			return err
		}
		_, err := key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256) // the same private operation
		return err
	case *ecdsa.PrivateKey:
		k, err := key.ECDH()
		if err != nil {
			return err
		}
		return agree(k, encrypting)
	case *ecdh.PrivateKey:
		return agree(key, encrypting)
	}
	return nil
}

func agree(key *ecdh.PrivateKey, encrypting bool) (err error) {
	pub := key.PublicKey()
	if encrypting {
		if key, err = key.Curve().GenerateKey(rand.Reader); err != nil {
			return err
		}
	}
	_, err = key.ECDH(pub)
	return err
}
