package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

// openMessage shows the message on standard input whatever its state: the plain
// answers about its signature and encryption, its parts, and its layers with
// every verdict. It succeeds if the author signed all of the message and somebody
// trusted vouches for the certificate.
func openMessage(ctx context.Context, args []string, std cli.Std) (err error) {
	fs := cli.NewFlags("open", "[-roots FILE] [-pfx id.p12] [-json] <message", std)
	var trust cli.Trust
	var keys cli.Keys
	trust.Register(fs)
	keys.RegisterOpening(fs)
	asJSON := fs.Bool("json", false, "write JSON for programs")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	ids, err := keys.Identities()
	if err != nil {
		return err
	}
	var collection *chain.Collection // nil trusts nobody
	if len(trust.Roots) > 0 {
		if collection, err = trust.Collection(); err != nil {
			return err
		}
	}
	msg, err := smime.Open(ctx, cli.Message(std.In), &smime.OpenOptions{Trust: collection, Keys: ids, Chain: trust.Options()})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	if *asJSON {
		err = writeJSON(std.Out, msg)
	} else {
		writeText(std.Out, msg)
	}
	return errors.Join(err, openVerdict(msg, trust.Historic, std))
}

// writeText writes for people.
func writeText(w io.Writer, msg *smime.Message) {
	signature, encryption := msg.Assess()
	fmt.Fprintf(w, "[%v] %v\n[%v] %v\n\n", signature.Severity, signature, encryption.Severity, encryption)
	for part := range msg.Parts() {
		about, _ := part.Assess()
		fmt.Fprintf(w, "part %v %q %q: %v\n", part.Path, part.Type, part.FileName, about)
	}
	fmt.Fprintf(w, "\n%v", msg)
}

// openVerdict returns nil if everything about the message is good. If historic is
// set, what is only weak passes.
func openVerdict(msg *smime.Message, historic bool, std cli.Std) error {
	signer, err := msg.Signer()
	switch {
	case historic && errors.Is(err, pkcs7.ErrWeak) && onlyWeak(msg):
		fmt.Fprintln(std.Err, "signed with an algorithm that is forgeable today")
		return nil
	case err != nil:
		return err
	}
	if !historic {
		if err := weakest(msg); err != nil {
			return err
		}
	}
	fmt.Fprintln(std.Err, "signed by", signer.Mailbox())
	return nil
}

// onlyWeak reports whether somebody signed all of the message and is its author,
// and nothing but the strength of the algorithms is wrong.
func onlyWeak(msg *smime.Message) bool {
	for layer := range msg.All() {
		l, ok := layer.(*smime.SignedLayer)
		if !ok || l.Errant() {
			continue
		}
		for _, s := range l.Signers {
			if errors.Join(s.Integrity.Err(), s.Coverage.Err(), s.Trust.Err(), s.Sender.Err()) == nil {
				return true
			}
		}
	}
	return false
}

// weakest returns the first weak algorithm on the way to the content: Open
// reads historic ones and says so.
func weakest(msg *smime.Message) error {
	for layer := range msg.All() {
		if enc, ok := layer.(*smime.EncryptedLayer); ok && !enc.Errant() && enc.Opened.Err() == nil {
			if err := enc.Strength.Err(); err != nil {
				return err
			}
		}
	}
	return nil
}
