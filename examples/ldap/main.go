// Ldap encrypts a message to people whose certificates are in an LDAP
// directory. The addresses, primary or proxy addresses, are arguments, the roots
// a PEM file.
//
//	go run . -url ldaps://directory.example.com -base dc=example,dc=com -roots roots.pem bob@example.com <message.eml >encrypted.eml
//
// With -publish it prints the change of the entry with that name by which a
// certificate is published, in LDIF, for ldapmodify or ldifde:
//
//	SMIME_PASSWORD=secret go run . -publish uid=bob,dc=example,dc=com -pfx bob.p12 | ldapmodify -H ldaps://directory.example.com
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
	"github.com/gosmime/gosmime/smime/exchange"
)

func main() {
	d := &Directory{}
	flag.StringVar(&d.URL, "url", "", "`URL` of the directory")
	flag.StringVar(&d.Base, "base", "", "`DN` to search below")
	roots := flag.String("roots", "", "PEM `FILE` with trusted roots")
	dn := flag.String("publish", "", "print how the entry with that `DN` publishes the certificate of -pfx")
	pfx := flag.String("pfx", "", "PKCS #12 `FILE` with the key; its password is in the variable SMIME_PASSWORD")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *dn != "" {
		err = publish(ctx, *dn, *pfx, os.Getenv("SMIME_PASSWORD"), os.Stdout, os.Stderr)
	} else {
		err = run(ctx, d, *roots, flag.Args(), os.Stdin, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run encrypts in to everybody, or to nobody.
func run(ctx context.Context, d *Directory, roots string, mailboxes []string, in io.Reader, out, notes io.Writer) error {
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
	directory, err := d.People(ctx, mailboxes)
	if errors.Is(err, ErrMore) {
		fmt.Fprintln(notes, "note:", err)
	} else if err != nil {
		return err
	}
	people := make([]exchange.Person, len(mailboxes))
	for i, m := range mailboxes {
		people[i] = directory.Person(m)
	}
	trust := chain.NewCollection(chain.Anchors(anchors), chain.Untrusted(directory.Source()))
	to, err := exchange.FindRecipients(ctx, people, trust, &smime.RecipientOptions{
		Capabilities: directory.Capabilities(ctx, trust, chain.Options{}),
	})
	if err != nil {
		return err
	}
	return smime.Encrypt(ctx, out, in, to, nil)
}

// publish prints the change by which the newest certificate in a PKCS #12 file
// that can sign is published, with the newest to encrypt to.
func publish(ctx context.Context, dn, file, password string, out, notes io.Writer) error {
	pfx, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	ids, err := smime.ParsePKCS12(pfx, password)
	if err != nil {
		return err
	}
	p, err := exchange.PublishNewest(ctx, ids)
	if err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintln(notes, "note:", n)
	}
	_, err = out.Write(p.LDIF(dn))
	return err
}
