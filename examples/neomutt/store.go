package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"mime/multipart"
	"net/mail"
	"os"
	"path/filepath"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func encodePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// pk7out writes the SignedData of a signed message, unverified.
func pk7out(_ context.Context, c *call) error {
	f, err := c.file(0)
	if err != nil {
		return err
	}
	m, err := mail.ReadMessage(f)
	if err != nil {
		return errTail(err, f)
	}
	typ, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return errTail(err, f)
	}
	body, encoding := m.Body, m.Header.Get("Content-Transfer-Encoding")
	if typ == "multipart/signed" {
		parts := multipart.NewReader(body, params["boundary"])
		if _, err := parts.NextRawPart(); err != nil {
			return errTail(err, f)
		}
		signature, err := parts.NextRawPart()
		if err != nil {
			return errTail(err, f)
		}
		body, encoding = signature, signature.Header.Get("Content-Transfer-Encoding")
	}
	if strings.EqualFold(encoding, "base64") {
		body = base64.NewDecoder(base64.StdEncoding, body)
	}
	_, err = io.Copy(c.Out, body)
	return errTail(err, f)
}

// certificates writes the certificates of a SignedData as PEM, unverified.
func certificates(_ context.Context, c *call) error {
	f, err := c.file(0)
	if err != nil {
		return err
	}
	certs, _, err := pkcs7.ReadCertificates(f, nil)
	for _, der := range certs {
		if _, err := c.Out.Write(encodePEM(der)); err != nil {
			return errTail(err, f)
		}
	}
	return errTail(err, f)
}

// addresses writes the addresses that a certificate names, one a line.
func addresses(_ context.Context, c *call) error {
	if len(c.args) == 0 {
		return &cli.UsageError{Reason: "the certificate is missing"}
	}
	certs, err := cli.ReadCertificates(c.args[0])
	if _, unread := errors.AsType[*fs.PathError](err); unread {
		return err
	}
	var list []string
	if err == nil {
		list, err = chain.Mailboxes(certs[0])
	}
	if err != nil || len(list) == 0 {
		fmt.Fprintln(c.Out, notTheAuthor)
		return nil
	}
	fmt.Fprintln(c.Out, strings.Join(list, "\n"))
	return nil
}

// addCertificate keeps those certificates of a file that mail can be encrypted
// to. NeoMutt writes a label to standard input.
func addCertificate(ctx context.Context, c *call) error {
	if len(c.args) == 0 {
		return &cli.UsageError{Reason: "the file of certificates is missing"}
	}
	certs, err := cli.ReadCertificates(c.args[0])
	if err != nil {
		return err
	}
	label, err := bufio.NewReader(c.In).ReadString('\n')
	if err != nil && err != io.EOF {
		return err
	}
	trust, err := c.trust.Collection()
	if err != nil {
		return err
	}
	trust = trust.With(chain.Untrusted(chain.Certs(certs...)))
	policy := chain.Policy{Purpose: chain.EmailEncryption, InsecureAnyMailbox: true, Options: c.trust.Options()}
	var failed []error
	kept := 0
	for _, cert := range certs {
		path, err := trust.Verify(ctx, cert, policy)
		if err != nil {
			failed = append(failed, err) // such as those of the issuers
			continue
		}
		issuers := path.Certificates()[1:]
		if err := c.keep("certificates", cert, label, bundle(cert, issuers)); err != nil {
			return err
		}
		kept++
	}
	if kept == 0 {
		return errors.Join(failed...)
	}
	return nil
}

// addPFX keeps a PFX as a key and its certificate to encrypt to oneself. The
// key stays encrypted under the password, which NeoMutt will ask for.
func addPFX(_ context.Context, c *call) error {
	if len(c.args) != 2 {
		return &cli.UsageError{Reason: "add-p12 id.p12 label"}
	}
	c.key = c.args[0]
	ids, err := c.identities()
	if err != nil {
		return err
	}
	pfx, err := os.ReadFile(c.key)
	if err != nil {
		return err
	}
	cert := ids[0].Certificate()
	if err := c.keep("keys", cert, c.args[1], pfx); err != nil {
		return err
	}
	if err := c.keep("certificates", cert, c.args[1], bundle(cert, issuersOf(ids[0]))); err != nil {
		return err
	}
	fmt.Fprintf(c.Out, "set smime_default_key=%q\n", id(cert))
	return nil
}

// issuersOf returns the issuers that the PFX has for an identity.
func issuersOf(id *smime.Identity) []*x509.Certificate {
	key, err := id.SigningKey()
	if err != nil {
		return nil // for decryption only
	}
	return key.Chain
}

func bundle(cert *x509.Certificate, issuers []*x509.Certificate) []byte {
	text := encodePEM(cert.Raw)
	for _, i := range issuers {
		text = append(text, encodePEM(i.Raw)...)
	}
	return text
}

// id is the name of a key's file in the folders of NeoMutt.
func id(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:16]) + ".0" // nobody else's can have it
}

// keep writes a file into one of NeoMutt's folders, and a line for each address
// into its index: address, file, label, issuer, trust and use.
func (c *call) keep(folder string, cert *x509.Certificate, label string, text []byte) error {
	list, err := chain.Mailboxes(cert)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.dir, folder)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, id(cert)), text, 0o600); err != nil {
		return err
	}
	name := filepath.Join(dir, ".index")
	index, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	label = strings.Join(strings.Fields(label), "-")
	if label == "" {
		label = "-"
	}
	for _, mailbox := range list {
		line := fmt.Sprintf("%s %s %s ? t es\n", mailbox, id(cert), label)
		// A quoted local part may have blanks, which the index can't.
		if len(strings.Fields(line)) == 6 && !bytes.Contains(index, []byte(line)) {
			index = append(index, line...)
		}
	}
	return os.WriteFile(name, index, 0o600)
}
