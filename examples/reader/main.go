// Reader shows a folder of mail on a terminal: of each message what is known of
// it, who wrote it, what to know, its text, and its attachments with what is
// known of each.
//
//	SMIME_PASSWORD=secret go run ./examples/reader -roots roots.sst -pfx bob.p12 Mail/
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"os"
	"path/filepath"
	"strings"
	"unicode"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

func main() { cli.Main(run) }

// run shows every message of the folder.
func run(ctx context.Context, args []string, std cli.Std) error {
	fs := cli.NewFlags("reader", "[-roots FILE] [-pfx id.p12] FOLDER", std)
	var trust cli.Trust
	var keys cli.Keys
	trust.Register(fs)
	keys.Register(fs)
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return &cli.UsageError{Reason: "one folder is needed"}
	}
	ids, err := keys.Identities()
	if err != nil {
		return err
	}
	opts := &smime.OpenOptions{Keys: ids, Chain: trust.Options()}
	if len(trust.Roots) > 0 {
		if opts.Trust, err = trust.Collection(); err != nil {
			return err
		}
	}
	files, err := filepath.Glob(filepath.Join(fs.Arg(0), "*"))
	if err != nil {
		return err
	}
	var unread []error
	for _, name := range files {
		// One message that cannot be read does not hide the others.
		if err := show(ctx, std.Out, name, opts); err != nil {
			unread = append(unread, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(unread...)
}

// show prints one message.
func show(ctx context.Context, w io.Writer, name string, opts *smime.OpenOptions) (err error) {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	msg, err := smime.Open(ctx, f, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, msg.Close()) }()
	fmt.Fprintf(w, "== %s\n", printable(filepath.Base(name)))
	signature, encryption := msg.Assess()
	badge(w, signature)
	badge(w, encryption)
	for _, f := range msg.Header() {
		switch f.Name {
		case "From", "To", "Subject", "Date":
			fmt.Fprintf(w, "%s: %s\n", f.Name, decoded(f.Value))
		}
	}
	for layer := range msg.All() {
		for _, n := range layer.Notes() {
			fmt.Fprintf(w, "to know: %v %s\n", n.Code, n.Detail)
		}
	}
	for part := range msg.Parts() {
		if err := showPart(w, part, signature, encryption); err != nil {
			return err
		}
	}
	return nil
}

// badge prints what an answer says, if there is anything to say.
func badge(w io.Writer, a smime.Assessment) {
	marks := map[smime.Severity]string{smime.SeverityGood: "✔", smime.SeverityCaution: "?", smime.SeverityBad: "✘"}
	if mark := marks[a.Severity]; mark != "" || a.Code == smime.AssessLocked {
		fmt.Fprintln(w, mark, a)
	}
}

// showPart prints the text of a part, or names it as an attachment. What is known
// of a part is said again only where it differs from the message.
func showPart(w io.Writer, p *smime.Part, signature, encryption smime.Assessment) error {
	inline := p.Type == "text/plain" && p.Disposition != "attachment" && p.Message == nil
	if !inline {
		fmt.Fprintf(w, "attachment %q, %s, %d octets\n", p.FileName, printable(p.Type), p.Size())
	}
	if s, e := p.Assess(); s != signature || e != encryption {
		badge(w, s)
		badge(w, e)
	}
	if !inline {
		return nil
	}
	r, err := p.Content()
	if err != nil {
		return err
	}
	text, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", printable(string(text)))
	return nil
}

// decoded returns a field's value with its encoded words decoded (RFC 2047).
func decoded(value string) string {
	if text, err := new(mime.WordDecoder).DecodeHeader(value); err == nil {
		value = text
	}
	return printable(value)
}

// printable keeps the sender from writing to the terminal anything but text.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r != '\n' && r != '\t' && !unicode.IsGraphic(r) {
			return -1
		}
		return r
	}, s)
}
