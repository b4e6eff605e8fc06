// Chain says whether a certificate may be relied on for a mailbox: it prints
// the path to a trusted root, or every attempt with the reason why it failed.
//
//	go run ./examples/chain -roots roots.sst -mailbox alice@example.com alice.pem
package main

import (
	"context"
	"fmt"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
)

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("chain", "-roots FILE [-intermediates FILE] [-crls DIR] [-at TIME] -mailbox ADDRESS [-purpose sign|encrypt] cert.pem", std)
	var trust cli.Trust
	trust.Register(fs)
	mailbox := fs.String("mailbox", "", "`ADDRESS` that the certificate must name")
	purpose := fs.String("purpose", "sign", "sign or encrypt")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 || *mailbox == "" {
		return &cli.UsageError{Reason: "one certificate file and -mailbox are needed"}
	}
	policy := chain.Policy{Mailbox: *mailbox, Options: trust.Options()}
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
	path, err := collection.Verify(ctx, certs[0], policy)
	if err != nil {
		cli.Explain(std.Err, err)
		return err
	}
	fmt.Fprintf(std.Out, "%s is good to %s for %s\n", fs.Arg(0), *purpose, *mailbox)
	cli.PrintPath(std.Out, path)
	return nil
}
