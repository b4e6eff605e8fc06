package cli_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/cli"
)

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left") }

// TestRun holds the exit status, also of a command that never asks whether its
// lines could be written.
func TestRun(t *testing.T) {
	prints := func(_ context.Context, _ []string, std cli.Std) error {
		fmt.Fprintln(std.Out, "good")
		return nil
	}
	fails := func(err error) cli.Command {
		return func(context.Context, []string, cli.Std) error { return err }
	}
	for _, tt := range []struct {
		c    cli.Command
		out  io.Writer
		code int
	}{
		{prints, io.Discard, 0},
		{prints, full{}, 1},
		{fails(nil), full{}, 0},
		{fails(errors.New("bad")), io.Discard, 1},
		{fails(fmt.Errorf("wrapped: %w", &cli.UsageError{Reason: "no"})), io.Discard, 2},
		{fails(flag.ErrHelp), io.Discard, 2},
	} {
		if code := cli.Run(t.Context(), tt.c, nil, cli.Std{In: strings.NewReader(""), Out: tt.out, Err: io.Discard}); code != tt.code {
			t.Errorf("exit %d, want %d", code, tt.code)
		}
	}
}
