// Verify reads a signed message from standard input and writes what was signed
// to standard output, but only if the signature, its certificate and the
// sender all hold.
//
//	go run ./examples/verify -roots roots.sst <signed.eml >content.eml
package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, std cli.Std) error {
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
