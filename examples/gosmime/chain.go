package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
)

// verifyChain says whether a certificate may be relied on for a mailbox: it prints
// the path to a trusted root, or every attempt with the reason why it failed.
func verifyChain(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("chain", "-roots FILE [-intermediates FILE] [-crls DIR] [-at TIME] -mailbox ADDRESS [-purpose sign|encrypt] FILE", std)
	var trust cli.Trust
	trust.Register(fs)
	var mailboxes cli.List
	fs.Var(&mailboxes, "mailbox", "`ADDRESS` that the certificate must name; may be repeated: it must name all")
	purpose := fs.String("purpose", "sign", "sign or encrypt")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 || len(mailboxes) == 0 {
		return &cli.UsageError{Reason: "one certificate file and -mailbox are needed"}
	}
	policy := chain.Policy{Options: trust.Options()}
	switch *purpose {
	case "sign":
		policy.Purpose = chain.EmailSigning
	case "encrypt":
		policy.Purpose = chain.EmailEncryption
	default:
		return &cli.UsageError{Reason: "-purpose is sign or encrypt"}
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	certs, err := cli.ReadCertificates(fs.Arg(0))
	if err != nil {
		return err
	}
	// The rest of the file may help to find a path and proves nothing.
	collection = collection.With(chain.Untrusted(chain.Certs(certs[1:]...)))
	var path *chain.Path
	for _, policy.Mailbox = range mailboxes {
		if path, err = collection.Verify(ctx, certs[0], policy); err != nil {
			cli.Explain(std.Err, err)
			return err
		}
	}
	fmt.Fprintf(std.Out, "%s is good to %s for %s\n", fs.Arg(0), *purpose, strings.Join(mailboxes, ", "))
	cli.PrintPath(std.Out, path)
	return nil
}
