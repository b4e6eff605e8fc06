// Encrypt encrypts the message on standard input to the owners of certificates
// and writes it to standard output. Every certificate is verified first; if one
// fails, nothing is written and all failures are listed.
//
//	go run ./examples/encrypt -to alice.pem,bob.pem -roots roots.sst <message.eml >encrypted.eml
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("encrypt", "-to cert.pem,cert2.pem -roots FILE [-cipher NAME] <message >encrypted", std)
	var trust cli.Trust
	trust.Register(fs)
	var to cli.List
	fs.Var(&to, "to", "certificate `FILES` of the recipients, separated by commas; may be repeated")
	name := fs.String("cipher", "", "`NAME` of the cipher, such as aes-256-gcm or aes-128-cbc; default: what every recipient reads")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	cipher, err := cipherByName(*name)
	if err != nil {
		return err
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	recipients, err := readRecipients(ctx, to, collection, &smime.RecipientOptions{Chain: trust.Options()})
	if failed, ok := errors.AsType[smime.RecipientErrors](err); ok {
		for _, e := range failed {
			fmt.Fprintln(std.Err, e)
			cli.Explain(std.Err, e)
		}
	}
	if err != nil {
		return err
	}
	if err := smime.Encrypt(ctx, std.Out, std.In, recipients, &smime.EncryptOptions{Cipher: cipher}); err != nil {
		return err
	}
	for _, r := range recipients {
		fmt.Fprintln(std.Err, "encrypted to", r.Mailbox())
	}
	return nil
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

func cipherByName(name string) (pkcs7.Cipher, error) {
	switch strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(name)) {
	case "":
		return 0, nil
	case "aes128gcm":
		return pkcs7.AES128GCM, nil
	case "aes192gcm":
		return pkcs7.AES192GCM, nil
	case "aes256gcm":
		return pkcs7.AES256GCM, nil
	case "aes128ccm":
		return pkcs7.AES128CCM, nil
	case "aes256ccm":
		return pkcs7.AES256CCM, nil
	case "chacha20poly1305":
		return pkcs7.ChaCha20Poly1305, nil
	case "aes128cbc":
		return pkcs7.AES128CBC, nil
	case "aes192cbc":
		return pkcs7.AES192CBC, nil
	case "aes256cbc":
		return pkcs7.AES256CBC, nil
	}
	return 0, &cli.UsageError{Reason: "unknown cipher " + name}
}
