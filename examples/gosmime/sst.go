package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/sst"
)

// storeCommand looks into serialized certificate stores (.sst), single elements and
// certificate trust lists (.stl), and makes stores from other files.
//
//	gosmime sst list roots.sst
//	gosmime sst extract -dir roots roots.sst
//	gosmime sst build -out roots.sst ca1.pem ca2.cer partners.p7b identity.pfx
//	gosmime sst verify roots.sst
//	gosmime sst verify -roots microsoft.pem authroot.stl
//	gosmime sst convert -to pem roots.sst >roots.pem
func storeCommand(ctx context.Context, args []string, std cli.Std) error {
	if len(args) == 0 || args[0] == "-h" || args[0] == "-help" || args[0] == "--help" {
		return &cli.UsageError{Reason: "sst list|extract|build|verify|convert ...; each explains its flags with -h"}
	}
	switch verb, args := args[0], args[1:]; verb {
	case "list":
		return listStore(args, std)
	case "extract":
		return extractStore(args, std)
	case "build":
		return buildStore(args, std)
	case "verify":
		return verifyStore(ctx, args, std)
	case "convert":
		return convertStore(args, std)
	default:
		return &cli.UsageError{Reason: fmt.Sprintf("%q is none of list, extract, build, verify, convert", verb)}
	}
}

// readInput reads the named file; "" and "-" are standard input.
func readInput(name string, std cli.Std) ([]byte, error) {
	if name == "" || name == "-" {
		return io.ReadAll(std.In)
	}
	return os.ReadFile(name)
}

// readStore reads what holds certificates, and reports what was tolerated.
func readStore(name string, lenient bool, std cli.Std) (*sst.Store, error) {
	b, err := readInput(name, std)
	if err != nil {
		return nil, err
	}
	s, err := sst.ReadAny(bytes.NewReader(b), &sst.ReadOptions{Lenient: lenient})
	if err != nil {
		if name == "" || name == "-" {
			name = "standard input"
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	for _, w := range s.Warnings {
		if w.Problem != sst.ErrMismatch { // list and verify name those
			fmt.Fprintln(std.Err, "tolerated:", w)
		}
	}
	return s, nil
}

// writeOutput writes to the named file, or to standard output.
func writeOutput(name string, std cli.Std, write func(io.Writer) error) error {
	return writeFile(name, 0o644, std, write)
}

func writeFile(name string, mode os.FileMode, std cli.Std, write func(io.Writer) error) error {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return err
	}
	if name == "" || name == "-" {
		_, err := std.Out.Write(b.Bytes())
		return err
	}
	return os.WriteFile(name, b.Bytes(), mode)
}
