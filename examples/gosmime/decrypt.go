package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// decryptMessage writes what was inside the message on standard input, after all of
// it was decrypted. It does not look at signatures: see unseal.
func decryptMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("decrypt", "-pfx id.p12 | -key key.pem -cert cert.pem <encrypted >content", std)
	var keys cli.Keys
	keys.RegisterOpening(fs)
	historic := fs.Bool("insecure-historic", false, "read Triple DES and RC2, as old mail has them")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	enc, err := smime.Decrypt(ctx, std.Out, cli.Message(std.In), ids, &smime.DecryptOptions{InsecureHistoric: *historic})
	if err != nil {
		cli.Explain(std.Err, err)
		return err
	}
	cli.PrintEncryption(std.Err, enc)
	fmt.Fprintln(std.Err, "nothing is known about who wrote this")
	return nil
}
