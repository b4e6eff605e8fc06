package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// signMessage signs the message on standard input with the first identity.
func signMessage(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("sign", "-pfx id.p12 [-opaque] [-pss] <message >signed", std)
	var keys cli.Keys
	keys.Register(fs)
	opaque := fs.Bool("opaque", false, "hide the content in the signature: survives mail systems that change messages, but other programs can't show it")
	pss := fs.Bool("pss", false, "sign with RSA-PSS, where the key is RSA")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	opts := &smime.SignOptions{Opaque: *opaque}
	if *pss {
		opts.Scheme = pkcs7.RSAPSSSHA256
	}
	id := ids[0]
	if err := smime.Sign(ctx, std.Out, std.In, id, opts); err != nil {
		return err
	}
	fmt.Fprintln(std.Err, "signed as", strings.Join(id.Mailboxes(), ", "))
	return nil
}
