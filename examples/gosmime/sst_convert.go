package main

import (
	"encoding/asn1"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/sst"
)

// convert writes the certificates of a store in another format.
func convertStore(args []string, std cli.Std) error {
	fs := cli.NewFlags("sst convert", "[-to pem|p7b|sst] [-out FILE] [-lenient] [FILE]", std)
	to := fs.String("to", "", "pem, p7b or sst; else by the name of -out, or pem")
	out := fs.String("out", "", "`FILE` to write; else standard output")
	lenient := fs.Bool("lenient", false, "tolerate what Windows tolerates")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	if *to == "" {
		*to = strings.TrimPrefix(strings.ToLower(filepath.Ext(*out)), ".")
	}
	s, err := readStore(fs.Arg(0), *lenient, std)
	if err != nil {
		return err
	}
	switch *to {
	case "", "pem", "crt":
		warnOfLimits(s, std)
		return writeOutput(*out, std, s.WritePEM)
	case "p7b", "p7c":
		warnOfLimits(s, std)
		return writeOutput(*out, std, s.WritePKCS7)
	case "sst":
		return writeOutput(*out, std, func(w io.Writer) error { return sst.Write(w, s) })
	}
	return &cli.UsageError{Reason: "-to is pem, p7b or sst"}
}

// warnOfLimits names the certificates whose properties forbid a use, which only
// a store can say.
func warnOfLimits(s *sst.Store, std cli.Std) {
	for _, e := range s.Elements {
		var limits []sst.Property
		for _, p := range e.Properties {
			switch p.ID {
			case sst.PropDisallowedTime, sst.PropDisallowedUsage, sst.PropNotBeforeTime, sst.PropNotBeforeKeyUsage, sst.PropArchived, sst.PropRootNameConstraints:
				limits = append(limits, p)
			case sst.PropEnhKeyUsage:
				if !forMail(p) {
					limits = append(limits, p)
				}
			}
		}
		if len(limits) > 0 {
			fmt.Fprintf(std.Err, "warning: what forbids uses of %s is lost:\n", describe(&e))
			printProperties(std.Err, "  ", limits)
		}
	}
}

// forMail reports whether a list of usages has that of mail.
func forMail(p sst.Property) bool {
	list, err := p.OIDs()
	return err == nil && slices.ContainsFunc(list, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}.Equal)
}

// expired counts the certificates that are out of date.
func expired(s *sst.Store, at time.Time) (n int) {
	for _, e := range s.Elements {
		if e.Kind != sst.Certificate {
			continue
		}
		if c, err := parse(e.DER); err == nil && (at.After(c.NotAfter) || at.Before(c.NotBefore)) {
			n++
		}
	}
	return n
}
