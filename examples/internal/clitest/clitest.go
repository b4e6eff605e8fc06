// Package clitest runs the example commands on the golden messages.
package clitest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/internal/suites"
)

// An Outcome is what a command did.
type Outcome struct {
	Code     int
	Out, Err bytes.Buffer
}

// Run runs a command with the file's contents as standard input.
func Run(t *testing.T, c cli.Command, input []byte, args ...string) *Outcome {
	t.Helper()
	o := &Outcome{}
	o.Code = cli.Run(t.Context(), c, args, cli.Std{In: bytes.NewReader(input), Out: &o.Out, Err: &o.Err})
	return o
}

// Expect corrects what the manifest expects where the sender is ambiguous: the
// bodies "hp" have a protected From that is always the same person's, whoever
// signs, and the quoted string of "from-escaped" never ends.
func Expect(g *suites.Golden) {
	const protected = "carla.quince@"
	if g.Body == "hp" && !strings.Contains(g.From, protected) || g.Case == "from-escaped" {
		g.Expected, g.Accept = "fail", []string{"fail"}
	}
}

// Trust returns the flags for what a golden case trusts.
func Trust(t *testing.T, g *suites.Golden) []string {
	t.Helper()
	var args []string
	for _, f := range g.Trust {
		args = append(args, "-roots", g.Path(f))
	}
	for _, f := range append(append([]string{}, g.Intermediates...), g.Certs...) {
		args = append(args, "-intermediates", g.Path(f))
	}
	if len(g.CRLs) > 0 {
		dir := t.TempDir()
		for _, f := range g.CRLs {
			if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), g.Read(t, f), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		args = append(args, "-crls", dir)
	}
	args = append(args, "-at", g.VerifyTime.Format(time.RFC3339))
	return append(args, Historic(g)...)
}

// Historic returns the flag that weak algorithms need.
func Historic(g *suites.Golden) []string {
	if g.Legacy {
		return []string{"-insecure-historic"}
	}
	return nil
}

// Keys returns the flags for the first keys of a golden case.
func Keys(g *suites.Golden) []string {
	var args []string
	for _, k := range g.Keys {
		args = append(args, "-key", g.Path(k.Key), "-cert", g.Path(k.Cert))
	}
	return args
}

// Check holds an outcome to what a golden case expects: it may not be refused
// where only acceptance is right, nor accepted where only refusal is; what is
// written is the content or nothing.
func Check(t *testing.T, g *suites.Golden, o *Outcome) {
	t.Helper()
	good := g.Accepts("ok") || g.Accepts("ok-with-warning")
	bad := g.Accepts("fail") || g.Optional
	switch {
	case o.Code == 0 && !good:
		t.Errorf("%s: accepted, want refusal: %s", g.File, g.Reason)
	case o.Code != 0 && !bad:
		t.Errorf("%s: refused, want acceptance (%s): %s", g.File, g.Notes, o.Err.String())
	}
	if o.Code != 0 {
		if o.Out.Len() > 0 {
			t.Errorf("%s: refused, but wrote %d bytes", g.File, o.Out.Len())
		}
		return
	}
	sum := sha256.Sum256(o.Out.Bytes())
	if g.PlaintextSHA256 != "" && hex.EncodeToString(sum[:]) != g.PlaintextSHA256 {
		t.Errorf("%s: wrote another content of %d bytes, want %d", g.File, o.Out.Len(), g.PlaintextLen)
	}
}
