// Smimea encrypts a message to people whose domains publish their certificates
// in signed DNS zones (RFC 8162). The domain vouches for its own people.
//
//	go run . -resolver 127.0.0.1:53 bob@example.com <message.eml >encrypted.eml
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
)

func main() {
	r := &Resolver{}
	flag.StringVar(&r.Server, "resolver", "127.0.0.1:53", "`ADDRESS` of a resolver that validates DNSSEC, reached by a path that nobody can change")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, r, flag.Args(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, r *Resolver, mailboxes []string, in io.Reader, out io.Writer) error {
	if len(mailboxes) == 0 {
		return errors.New("usage: smimea -resolver ADDRESS MAILBOX …")
	}
	var to []*smime.Recipient
	for _, mailbox := range mailboxes {
		found, err := find(ctx, r, mailbox)
		if err != nil {
			return fmt.Errorf("%s: nothing was found: %w", mailbox, err)
		}
		to = append(to, found...)
	}
	return smime.Encrypt(ctx, out, in, to, nil)
}

// find returns the recipient that the records of a mailbox name, or why they
// name none.
func find(ctx context.Context, r *Resolver, mailbox string) ([]*smime.Recipient, error) {
	records, err := r.Lookup(ctx, mailbox)
	if err != nil {
		return nil, err
	}
	anchors, err := Anchors(mailbox, records)
	if err != nil {
		return nil, err
	}
	trust := chain.NewCollection(chain.Anchors(anchors), chain.Untrusted(r))
	found, err := smime.FindRecipients(ctx, []string{mailbox}, trust, nil)
	switch {
	case err == nil:
		return found, nil
	case len(records) == 0:
		return nil, fmt.Errorf("%w: %w", ErrNoRecords, err)
	case !slices.ContainsFunc(records, vouches):
		return nil, fmt.Errorf("%w: %w", ErrNotInFull, err)
	}
	return nil, err
}
