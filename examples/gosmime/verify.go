package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// verifyMessage writes what was signed in the message on standard input, but only
// if the signature, its certificate and the sender are all good.
func verifyMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("verify", "-roots FILE [-intermediates FILE] [-crls DIR] [-at TIME] <signed >content", std)
	var trust cli.Trust
	trust.Register(fs)
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	signer, err := smime.Verify(ctx, std.Out, cli.Message(std.In), collection, &smime.VerifyOptions{
		Chain:            trust.Options(),
		InsecureHistoric: trust.Historic,
	})
	if err != nil {
		cli.Explain(std.Err, err)
		return err
	}
	fmt.Fprintln(std.Err, "signed by", signer.Mailbox())
	cli.PrintPath(std.Err, signer.Path())
	return nil
}
