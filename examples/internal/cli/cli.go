// Package cli is what the example commands share: flags for trust and keys,
// files in every usual format, and exit codes.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/system"
)

// A Command does the work of one program. A nil error means that what it was
// asked holds.
type Command func(ctx context.Context, args []string, std Std) error

// Std is where a command reads and writes.
type Std struct {
	In       io.Reader
	Out, Err io.Writer
}

// Main runs c as a program and never returns. Exit status 1 says that what was
// asked does not hold, 2 that the command line is wrong.
func Main(c Command) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	code := Run(ctx, c, os.Args[1:], Std{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}

// Run runs c and returns the exit status.
func Run(ctx context.Context, c Command, args []string, std Std) int {
	out := &output{w: std.Out}
	std.Out = out
	err := c(ctx, args, std)
	if err == nil {
		err = out.err // what nobody got was not done
	}
	var usage *UsageError
	switch {
	case err == nil:
		return 0
	case errors.Is(err, flag.ErrHelp):
		return 2
	case errors.As(err, &usage):
		fmt.Fprintln(std.Err, "usage:", usage.Reason)
		return 2
	}
	fmt.Fprintln(std.Err, "failed:", err)
	return 1
}

// output remembers that writing failed, which commands that print many lines
// do not ask after each.
type output struct {
	w   io.Writer
	err error
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.w.Write(p)
	if o.err == nil {
		o.err = err
	}
	return n, err
}

// A UsageError says what is wrong with the command line.
type UsageError struct{ Reason string }

func (e *UsageError) Error() string { return e.Reason }

// NewFlags returns the flag set of a command.
func NewFlags(name, synopsis string, std Std) *flag.FlagSet {
	fs := flag.NewFlagSet(name, flag.ContinueOnError)
	fs.SetOutput(std.Err)
	fs.Usage = func() {
		fmt.Fprintf(std.Err, "%s %s\n", name, synopsis)
		fs.PrintDefaults()
	}
	return fs
}

// Parse parses the arguments, of which at most operands may be no flags. What
// is wrong with them is a *UsageError.
func Parse(fs *flag.FlagSet, args []string, operands int) error {
	err := fs.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return err
	case err != nil:
		return &UsageError{err.Error()}
	case fs.NArg() > operands:
		return &UsageError{fmt.Sprintf("%q is one argument too many", fs.Arg(operands))}
	}
	return nil
}

// A List is a flag that may be repeated.
type List []string

func (l *List) String() string { return strings.Join(*l, ",") }

// Set adds one value.
func (l *List) Set(s string) error { *l = append(*l, s); return nil }

// Trust are the flags of every command that judges certificates.
type Trust struct {
	Roots, Intermediates, CRLs List
	At                         time.Time
	Historic                   bool
}

// Register adds the flags to fs.
func (t *Trust) Register(fs *flag.FlagSet) {
	fs.Var(&t.Roots, "roots", "`FILE` with trusted roots: .sst, .p7b, PEM or DER, or the word system for those of this machine; may be repeated")
	fs.Var(&t.Intermediates, "intermediates", "`FILE` with further certificates, not trusted as such; may be repeated")
	fs.Var(&t.CRLs, "crls", "`DIR` (or file) with certificate revocation lists; may be repeated")
	fs.Func("at", "judge by this `TIME` (RFC 3339) instead of now", func(s string) (err error) {
		t.At, err = time.Parse(time.RFC3339, s)
		return err
	})
	fs.BoolVar(&t.Historic, "insecure-historic", false, "accept algorithms that are forgeable today, as old mail has them")
}

// Options returns how to judge.
func (t *Trust) Options() chain.Options {
	return chain.Options{At: t.At, InsecureSHA1: t.Historic, InsecureShortKeys: t.Historic}
}

// Collection reads all files.
func (t *Trust) Collection() (*chain.Collection, error) {
	if len(t.Roots) == 0 {
		return nil, &UsageError{"-roots is missing: without it nobody is trusted"}
	}
	var members []chain.Member
	for _, name := range t.Roots {
		if name == "system" {
			src, err := system.Roots()
			if err != nil {
				return nil, err
			}
			members = append(members, chain.Anchors(src))
			continue
		}
		store, err := ReadStore(name)
		if err != nil {
			return nil, err
		}
		members = append(members, store.Trusted())
	}
	for _, name := range t.Intermediates {
		store, err := ReadStore(name)
		if err != nil {
			return nil, err
		}
		members = append(members, chain.Untrusted(store.Source()))
	}
	for _, dir := range t.CRLs {
		src, err := ReadCRLs(dir)
		if err != nil {
			return nil, err
		}
		members = append(members, chain.Untrusted(src))
	}
	return chain.NewCollection(members...), nil
}
