package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// identities reads the PFX, of which NeoMutt writes the password to standard
// input.
func (c *call) identities() (smime.Identities, error) {
	pfx, err := os.ReadFile(c.key)
	if err != nil {
		return nil, err
	}
	password, err := bufio.NewReader(c.In).ReadString('\n')
	if err != nil && err != io.EOF {
		return nil, err
	}
	return smime.ParsePKCS12(pfx, strings.TrimRight(password, "\r\n"))
}

// content reads an entity as it is signed and encrypted: with CR LF (RFC 8551
// section 3.1.1). NeoMutt writes it with LF.
func (c *call) content() ([]byte, error) {
	if len(c.args) == 0 {
		return nil, &cli.UsageError{Reason: "the content is missing"}
	}
	b, err := os.ReadFile(c.args[0])
	if err != nil {
		return nil, err
	}
	b = bytes.ReplaceAll(b, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(b, []byte("\n"), []byte("\r\n")), nil
}

// sign writes a detached signature.
func sign(ctx context.Context, c *call) error {
	ids, err := c.identities()
	if err != nil {
		return err
	}
	content, err := c.content()
	if err != nil {
		return err
	}
	key, err := ids[0].SigningKey()
	if err != nil {
		return err
	}
	return pkcs7.SignDetached(ctx, c.Out, bytes.NewReader(content), []pkcs7.SigningKey{key}, nil)
}

// encrypt writes an envelope for the owners of the certificate files. Nobody is
// left out: if one certificate does not hold there is no envelope.
func encrypt(ctx context.Context, c *call) error {
	content, err := c.content()
	if err != nil {
		return err
	}
	cipher, err := cipherOf(c.cipher)
	if err != nil {
		return err
	}
	trust, err := c.trust.Collection()
	if err != nil {
		return err
	}
	var to []pkcs7.Recipient
	for _, name := range c.args[1:] {
		certs, err := cli.ReadCertificates(name)
		if err != nil {
			return err
		}
		// NeoMutt chose the certificate by its address, which is in the file's
		// index; here it is judged for mail to any of its own.
		_, err = trust.With(chain.Untrusted(chain.Certs(certs[1:]...))).Verify(ctx, certs[0],
			chain.Policy{Purpose: chain.EmailEncryption, InsecureAnyMailbox: true, Options: c.trust.Options()})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		to = append(to, pkcs7.ToCertificate(certs[0], &pkcs7.RecipientOptions{PKCS1v15: true}))
	}
	w, err := pkcs7.NewEncryptWriter(ctx, c.Out, to, &pkcs7.EncryptOptions{Cipher: cipher, Size: int64(len(content))})
	if err != nil {
		return err
	}
	if _, err := w.Write(content); err != nil {
		return err
	}
	return w.Close()
}

// cipherOf reads smime_encrypt_with. NeoMutt labels what it sends as
// enveloped-data, so the ciphers are those of that type.
func cipherOf(name string) (pkcs7.Cipher, error) {
	switch name {
	case "aes128":
		return pkcs7.AES128CBC, nil
	case "aes192":
		return pkcs7.AES192CBC, nil
	case "aes256":
		return pkcs7.AES256CBC, nil
	}
	return 0, fmt.Errorf("%w: cipher %q", pkcs7.ErrUnsupported, name)
}
