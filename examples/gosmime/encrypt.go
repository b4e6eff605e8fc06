package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// encryptMessage encrypts the message on standard input to the owners of
// certificates. Every certificate is verified first; if one fails, nothing is
// written and all failures are listed.
func encryptMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("encrypt", "-to cert.pem,cert2.pem -roots FILE [-cipher NAME] <message >encrypted", std)
	var to recipientFlags
	to.register(fs)
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	recipients, opts, err := to.read(ctx, std)
	if err != nil {
		return err
	}
	if err := smime.Encrypt(ctx, std.Out, std.In, recipients, opts); err != nil {
		return err
	}
	for _, r := range recipients {
		fmt.Fprintln(std.Err, "encrypted to", r.Mailbox())
	}
	return nil
}

// The recipientFlags say to whom and how to encrypt.
type recipientFlags struct {
	trust  cli.Trust
	to     cli.List
	cipher string
}

func (f *recipientFlags) register(fs *flag.FlagSet) {
	f.trust.Register(fs)
	fs.Var(&f.to, "to", "certificate `FILES` of the recipients, separated by commas; may be repeated")
	fs.StringVar(&f.cipher, "cipher", "", "`NAME` of the cipher, such as aes-256-gcm or aes-128-cbc; default: what every recipient reads")
}

// read verifies the recipients and prints why it refuses any.
func (f *recipientFlags) read(ctx context.Context, std cli.Std) ([]*smime.Recipient, *smime.EncryptOptions, error) {
	cipher, err := cipherByName(f.cipher)
	if err != nil {
		return nil, nil, err
	}
	collection, err := f.trust.Collection()
	if err != nil {
		return nil, nil, err
	}
	recipients, err := readRecipients(ctx, f.to, collection, &smime.RecipientOptions{Chain: f.trust.Options()})
	if failed, ok := errors.AsType[smime.RecipientErrors](err); ok {
		for _, e := range failed {
			fmt.Fprintln(std.Err, e)
			cli.Explain(std.Err, e)
		}
	}
	return recipients, &smime.EncryptOptions{Cipher: cipher}, err
}

// readRecipients verifies the first certificate of each file for the mailbox
// that it names first.
func readRecipients(ctx context.Context, files cli.List, trust *chain.Collection, opts *smime.RecipientOptions) ([]*smime.Recipient, error) {
	if len(files) == 0 {
		return nil, &cli.UsageError{Reason: "-to is missing"}
	}
	var recipients []*smime.Recipient
	var failed smime.RecipientErrors
	for _, file := range strings.Split(files.String(), ",") {
		certs, err := cli.ReadCertificates(file)
		if err != nil {
			return nil, err
		}
		mailboxes, err := chain.Mailboxes(certs[0])
		if err != nil || len(mailboxes) == 0 {
			return nil, fmt.Errorf("%s: the certificate names no mailbox", file)
		}
		r, err := smime.NewRecipient(ctx, mailboxes[0], certs[0], trust, opts)
		if err != nil {
			failure, ok := errors.AsType[*smime.RecipientError](err)
			if !ok {
				return nil, err
			}
			failed = append(failed, failure)
			continue
		}
		recipients = append(recipients, r)
	}
	if len(failed) > 0 {
		return nil, failed
	}
	return recipients, nil
}

// cipherByName finds a cipher by its name without regard to case and hyphens.
func cipherByName(name string) (pkcs7.Cipher, error) {
	if name == "" {
		return 0, nil
	}
	plain := strings.NewReplacer("-", "", "_", "")
	for _, c := range []pkcs7.Cipher{
		pkcs7.AES128GCM, pkcs7.AES192GCM, pkcs7.AES256GCM, pkcs7.AES128CCM, pkcs7.AES256CCM, pkcs7.ChaCha20Poly1305,
		pkcs7.AES128CBC, pkcs7.AES192CBC, pkcs7.AES256CBC,
	} {
		if strings.EqualFold(plain.Replace(c.String()), plain.Replace(name)) {
			return c, nil
		}
	}
	return 0, &cli.UsageError{Reason: "unknown cipher " + name}
}
