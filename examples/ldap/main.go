// Ldap encrypts a message to people whose certificates are in an LDAP
// directory. The addresses are arguments, the roots a PEM file.
//
//	go run . -url ldaps://directory.example.com -base dc=example,dc=com -roots roots.pem bob@example.com <message.eml >encrypted.eml
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

func main() {
	d := &Directory{}
	flag.StringVar(&d.URL, "url", "", "`URL` of the directory")
	flag.StringVar(&d.Base, "base", "", "`DN` to search below")
	roots := flag.String("roots", "", "PEM `FILE` with trusted roots")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, d, *roots, flag.Args(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, d *Directory, roots string, mailboxes []string, in io.Reader, out io.Writer) error {
	if len(mailboxes) == 0 {
		return errors.New("usage: ldap -url URL -base DN -roots FILE ADDRESS …")
	}
	text, err := os.ReadFile(roots)
	if err != nil {
		return err
	}
	anchors, err := chain.PEM(text)
	if err != nil {
		return err
	}
	trust := chain.NewCollection(chain.Anchors(anchors), chain.Untrusted(d))
	to, err := smime.FindRecipients(ctx, mailboxes, trust, nil)
	if err != nil {
		return err
	}
	return smime.Encrypt(ctx, out, in, to, nil)
}
