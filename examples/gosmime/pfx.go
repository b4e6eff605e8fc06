package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
)

// pfxCommand looks into PKCS #12 files and makes them, for example out of a key
// and a certificate in PEM, or out of a history of several files.
//
//	gosmime pfx list alice.p12
//	gosmime pfx build -out alice.p12 -new-password-file new.txt -key alice.key -cert alice.pem
//	gosmime pfx build -out all.p12 -new-password-file new.txt -pfx 2024.p12 -pfx 2026.p12
func pfxCommand(_ context.Context, args []string, std cli.Std) error {
	if len(args) > 0 {
		switch args[0] {
		case "list":
			return listPFX(args[1:], std)
		case "build":
			return buildPFX(args[1:], std)
		}
	}
	return &cli.UsageError{Reason: "pfx list|build ...; each explains its flags with -h"}
}

// listPFX prints the identities of a file, without their keys.
func listPFX(args []string, std cli.Std) error {
	fs := cli.NewFlags("pfx list", "[-password-file FILE] FILE", std)
	keys := cli.Keys{Warn: std.Err}
	fs.StringVar(&keys.PasswordFile, "password-file", "", "`FILE` with the password; else the variable SMIME_PASSWORD has it")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		return &cli.UsageError{Reason: "one file is needed"}
	}
	keys.PFX = cli.List{fs.Arg(0)}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	for _, id := range ids {
		c := id.Certificate()
		fmt.Fprintf(std.Out, "%q, until %s, serial number %x, for %q\n", chain.FormatName(c.RawSubject), c.NotAfter.Format("2006-01-02"), c.SerialNumber, strings.Join(id.Mailboxes(), ", "))
	}
	return nil
}

// buildPFX writes all identities that the flags name into one file.
func buildPFX(args []string, std cli.Std) error {
	fs := cli.NewFlags("pfx build", "-out FILE -new-password-file FILE -pfx FILE | -key FILE -cert FILE", std)
	var keys cli.Keys
	keys.Register(fs)
	out := fs.String("out", "", "`FILE` to write; else standard output")
	var fresh cli.Keys
	fs.StringVar(&fresh.PasswordFile, "new-password-file", "", "`FILE` with the password of the file to write")
	if err := cli.Parse(fs, args, 0); err != nil {
		return err
	}
	if fresh.PasswordFile == "" {
		return &cli.UsageError{Reason: "-new-password-file is missing"}
	}
	ids, err := keys.Required()
	if err != nil {
		return err
	}
	password, err := fresh.Password()
	if err != nil {
		return err
	}
	if password == "" {
		return errors.New("the new password is empty")
	}
	pfx, err := smime.MarshalPKCS12(ids, password, nil)
	if err != nil {
		return err
	}
	if err := writePrivate(*out, std, pfx); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "%d identities\n", len(ids))
	return nil
}

// writePrivate writes what only the owner may read.
func writePrivate(name string, std cli.Std, b []byte) error {
	return writeFile(name, 0o600, std, func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	})
}
