package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
)

// readFile reads the one operand, or standard input.
func readFile(name string, std cli.Std) ([]byte, error) {
	if name == "" || name == "-" {
		return io.ReadAll(std.In)
	}
	return os.ReadFile(name)
}

// settings reads the JSON of Get-SmimeConfig and says what of it works.
func settings(_ context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin settings", "[FILE]", std)
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	text, err := readFile(fs.Arg(0), std)
	if err != nil {
		return err
	}
	cfg, notes, err := exchange.ParseConfig(bytes.NewReader(text))
	if err != nil {
		return err
	}
	for _, n := range append(notes, cfg.Unenforced()...) {
		fmt.Fprintln(std.Out, "note:", n)
	}
	_, info, err := exchange.NewCollection(cfg.CertificateIssuingCA)
	if err != nil {
		return err
	}
	fmt.Fprintf(std.Out, "the collection has %d certificates; the first to expire is %s, on %s\n",
		info.Certificates, info.ExpiredThumbprint, info.ExpiryDate.UTC().Format(time.DateOnly))
	for _, bad := range info.Unreadable {
		fmt.Fprintln(std.Out, "unreadable:", bad)
	}
	now := time.Now()
	for _, c := range info.ExpiringBefore(now.AddDate(0, 2, 0)) {
		state := "expires"
		if c.NotAfter.Before(now) {
			state = "has expired"
		}
		fmt.Fprintf(std.Out, "%q %s (%s)\n", c.Subject.String(), state, c.NotAfter.UTC().Format(time.DateOnly))
	}
	return nil
}

var errNotReachable = errors.New("mail to some people can't be encrypted")

// mailboxes says of each mailbox which certificate mail to it is encrypted to.
func mailboxes(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin mailboxes", "-roots FILE [-intermediates FILE] [-crls DIR] [-at TIME] [FILE]", std)
	var trust cli.Trust
	trust.Register(fs)
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	collection, err := trust.Collection()
	if err != nil {
		return err
	}
	text, err := readFile(fs.Arg(0), std)
	if err != nil {
		return err
	}
	d, err := exchange.ParseDirectory(bytes.NewReader(text))
	if err != nil {
		return err
	}
	collection = collection.With(chain.Untrusted(d.Source()))
	var people []exchange.Person
	for _, e := range d.Entries() {
		people = append(people, e.Person)
		for _, bad := range e.Unreadable {
			fmt.Fprintf(std.Err, "%s: %v\n", e.Mailbox, bad)
		}
	}
	opts := &smime.RecipientOptions{Chain: trust.Options(), Capabilities: d.Capabilities(ctx, collection, trust.Options())}
	found, err := exchange.FindRecipients(ctx, people, collection, opts)
	failed, _ := errors.AsType[smime.RecipientErrors](err)
	for i, r := range found {
		if r == nil {
			fmt.Fprintf(std.Out, "%s: none: %v\n", people[i].Mailbox, failed[0].Err)
			failed = failed[1:]
			continue
		}
		c := r.Certificate()
		note := ""
		if len(c.SubjectKeyId) == 0 {
			note = ", without a subject key identifier"
		}
		fmt.Fprintf(std.Out, "%s: %q until %s%s\n", people[i].Mailbox, c.Subject.String(), c.NotAfter.UTC().Format(time.DateOnly), note)
	}
	if slices.Contains(found, nil) {
		return errNotReachable
	}
	return err
}

// publish prints the change of a directory entry by which a person publishes a
// certificate, in LDIF.
func publish(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin publish", "-pfx FILE -dn DN", std)
	var keys cli.Keys
	keys.Register(fs)
	dn := fs.String("dn", "", "distinguished `NAME` of the entry")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if *dn == "" {
		return &cli.UsageError{Reason: "-dn is needed"}
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	p, err := exchange.PublishNewest(ctx, ids)
	if err != nil {
		return err
	}
	for _, n := range p.Notes {
		fmt.Fprintln(std.Err, "note:", n)
	}
	_, err = std.Out.Write(p.LDIF(*dn))
	return err
}

// policies says what mobile device policies ask for and whether mail of this
// module meets them.
func policies(_ context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("admin policies", "[FILE]", std)
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	text, err := readFile(fs.Arg(0), std)
	if err != nil {
		return err
	}
	var list []exchange.MobilePolicy
	var notes []*exchange.SettingError
	if bytes.HasPrefix(bytes.TrimSpace(text), []byte("<")) {
		list = make([]exchange.MobilePolicy, 1)
		list[0], err = exchange.ParseProvisionDoc(bytes.NewReader(text))
	} else {
		list, notes, err = exchange.ParseMobilePolicies(bytes.NewReader(text))
	}
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(std.Out, "note:", n)
	}
	for _, p := range list {
		var asks []string
		for text, on := range map[string]bool{"signatures": p.RequireSignedSMIMEMessages, "encryption": p.RequireEncryptedSMIMEMessages, "keys on smart cards": !p.AllowSMIMESoftCerts} {
			if on {
				asks = append(asks, text)
			}
		}
		slices.Sort(asks)
		verdict := "mail can be encrypted"
		if _, err := p.Cipher(); err != nil {
			verdict = err.Error()
		}
		fmt.Fprintf(std.Out, "%q asks for %s; %s\n", p.Name, cmp.Or(strings.Join(asks, ", "), "nothing"), verdict)
	}
	return nil
}
