// Quickstart does the main job once, on a real message: it loads trust from a
// serialized certificate store, signs, encrypts to two people, opens and
// verifies, and shows that one changed byte is refused.
//
//	go run ./examples/quickstart
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/sst"
)

//go:embed message.eml
var message []byte

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	people, err := newPeople("alice@example.com", "bob@example.com", "carol@example.com")
	if err != nil {
		return err
	}
	alice, bob, carol := people.identities[0], people.identities[1], people.identities[2]

	fmt.Fprintln(out, "1. Trust comes from a serialized certificate store.")
	trust, err := loadTrust(out, people)
	if err != nil {
		return err
	}

	fmt.Fprintln(out, "\n2. Alice signs. Any mail program can still show the message.")
	var signed bytes.Buffer
	if err := smime.Sign(ctx, &signed, bytes.NewReader(message), alice, nil); err != nil {
		return err
	}
	printHead(out, signed.Bytes())

	fmt.Fprintln(out, "\n3. Alice signs and encrypts to Bob and Carol, whose certificates are found and verified by address.")
	to, err := smime.FindRecipients(ctx, []string{"bob@example.com", "carol@example.com"}, trust, nil)
	if err != nil {
		return err
	}
	var sealed bytes.Buffer
	if err := smime.Seal(ctx, &sealed, bytes.NewReader(message), alice, to, nil); err != nil {
		return err
	}
	printHead(out, sealed.Bytes())

	fmt.Fprintln(out, "\n4. Bob's mail program opens it and says of every layer what holds.")
	if err := show(ctx, out, sealed.Bytes(), trust, bob); err != nil {
		return err
	}

	fmt.Fprintln(out, "\n5. Carol's program wants good mail or none: Unseal writes only what was encrypted, signed, and by the author.")
	var content bytes.Buffer
	signer, enc, err := smime.Unseal(ctx, &content, bytes.NewReader(sealed.Bytes()), smime.Identities{carol}, trust, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "   %d bytes from %s, %v to %d recipients\n", content.Len(), signer.Mailbox(), enc.Cipher, len(enc.Recipients))

	fmt.Fprintln(out, "\n6. Somebody changes one byte.")
	if err := refuse(ctx, out, "   of the signed message: ", tamper(signed.Bytes()), trust); err != nil {
		return err
	}
	_, _, err = smime.Unseal(ctx, io.Discard, bytes.NewReader(tamper(sealed.Bytes())), smime.Identities{carol}, trust, nil)
	if err == nil {
		return errors.New("a changed ciphertext was accepted")
	}
	fmt.Fprintln(out, "   of the sealed message: refused,", err)
	return nil
}

// loadTrust writes the certificates to a store as an administrator would export
// them, and reads it back: the root becomes an anchor because of the role that
// it is given here, not because of anything in the file.
func loadTrust(out io.Writer, p *people) (*chain.Collection, error) {
	var file bytes.Buffer
	if err := sst.Write(&file, sst.Of(p.certificates...)); err != nil {
		return nil, err
	}
	size := file.Len()
	store, err := sst.Read(&file, nil)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "   %d bytes, %d certificates:\n", size, len(store.Elements))
	for cert, err := range store.Certificates() {
		if err != nil {
			return nil, err
		}
		fmt.Fprintln(out, "   -", chain.FormatName(cert.RawSubject))
	}
	return chain.NewCollection(chain.RootsAndIntermediates(store.Source())), nil
}

// show opens a message whatever its state and prints the tree of layers.
func show(ctx context.Context, out io.Writer, raw []byte, trust *chain.Collection, id *smime.Identity) (err error) {
	msg, err := smime.Open(ctx, bytes.NewReader(raw), &smime.OpenOptions{Trust: trust, Keys: smime.Identities{id}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	for line := range strings.Lines(msg.String()) {
		fmt.Fprint(out, "   ", line)
	}
	signer, err := msg.Signer()
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "   => from", signer.Mailbox())
	if err := msg.Confidential(); err != nil {
		return err
	}
	fmt.Fprintln(out, "   => confidential")
	return nil
}

func refuse(ctx context.Context, out io.Writer, what string, raw []byte, trust *chain.Collection) error {
	var content bytes.Buffer
	_, err := smime.Verify(ctx, &content, bytes.NewReader(raw), trust, nil)
	if err == nil || content.Len() > 0 {
		return errors.New("a changed message was accepted")
	}
	fmt.Fprintf(out, "%srefused, %v\n", what, err)
	return nil
}

// tamper changes one byte in the middle of a message.
func tamper(raw []byte) []byte {
	changed := bytes.Clone(raw)
	i := bytes.Index(changed, []byte("boots"))
	if i < 0 {
		i = len(changed) / 2
	}
	if changed[i] == 'A' {
		changed[i] = 'B'
	} else {
		changed[i] = 'A'
	}
	return changed
}

// printHead prints the header of a message and its size.
func printHead(out io.Writer, raw []byte) {
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	for line := range strings.Lines(string(head)) {
		fmt.Fprintln(out, "   |", strings.TrimRight(line, "\r\n"))
	}
	fmt.Fprintf(out, "   (%d bytes)\n", len(raw))
}
