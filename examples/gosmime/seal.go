package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// sealMessage signs the message on standard input with the first identity, and
// encrypts the result to the owners of certificates, all of which are verified
// first, and to the sender.
func sealMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("seal", "-pfx id.p12 -to cert.pem,cert2.pem -roots FILE [-cipher NAME] <message >sealed", std)
	var keys cli.Keys
	var to recipientFlags
	keys.Register(fs)
	to.register(fs)
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	recipients, encrypt, err := to.read(ctx, std)
	if err != nil {
		return err
	}
	opts := &smime.SealOptions{Cipher: encrypt.Cipher}
	if mailboxes := ids[0].Mailboxes(); len(mailboxes) > 0 {
		// The sender's own copy needs no trust: it is the sender's own certificate.
		opts.ToSelf = smime.InsecureRecipient(mailboxes[0], ids[0].Certificate(), nil)
	}
	if err := smime.Seal(ctx, std.Out, std.In, ids[0], recipients, opts); err != nil {
		return err
	}
	for _, r := range recipients {
		fmt.Fprintln(std.Err, "signed, and encrypted to", r.Mailbox())
	}
	return nil
}
