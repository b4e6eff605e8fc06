package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// unsealMessage decrypts and verifies the message on standard input and writes the
// innermost content, but only if all of it is good.
func unsealMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("unseal", "-pfx id.p12 -roots FILE [-intermediates FILE] [-crls DIR] [-at TIME] <sealed >content", std)
	var trust cli.Trust
	var keys cli.Keys
	trust.Register(fs)
	keys.RegisterOpening(fs)
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	signer, enc, err := smime.Unseal(ctx, std.Out, cli.Message(std.In), ids, collection, &smime.UnsealOptions{
		Verify: smime.VerifyOptions{Chain: trust.Options(), InsecureHistoric: trust.Historic},
	})
	if err != nil {
		cli.Explain(std.Err, err)
		return err
	}
	cli.PrintEncryption(std.Err, enc)
	fmt.Fprintln(std.Err, "signed by", signer.Mailbox())
	cli.PrintPath(std.Err, signer.Path())
	return nil
}
