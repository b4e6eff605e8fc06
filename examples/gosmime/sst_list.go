package main

import (
	"crypto/sha1"
	"crypto/x509"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/sst"
)

// list prints every element with its properties.
func listStore(args []string, std cli.Std) error {
	fs := cli.NewFlags("sst list", "[-lenient] [FILE]", std)
	lenient := fs.Bool("lenient", false, "tolerate what Windows tolerates")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	s, err := readStore(fs.Arg(0), *lenient, std)
	if err != nil {
		return err
	}
	for i, e := range s.Elements {
		fmt.Fprintf(std.Out, "%d %v %s\n", i, e.Kind, describe(&e))
		printProperties(std.Out, "  ", e.Properties)
		if e.Kind == sst.CTL {
			printTrustList(std.Out, e.DER)
		}
	}
	mismatches := s.Mismatches()
	for _, m := range mismatches {
		fmt.Fprintln(std.Err, "warning:", m)
	}
	fmt.Fprintf(std.Err, "%d elements, %d wrong hashes\n", len(s.Elements), len(mismatches))
	return nil
}

// describe says in one line what an element is.
func describe(e *sst.Element) string {
	sum := sha1.Sum(e.DER)
	switch e.Kind {
	case sst.Certificate:
		c, err := parse(e.DER)
		if err != nil {
			return fmt.Sprintf("%x unreadable: %v", sum, err)
		}
		return fmt.Sprintf("%x %s, until %s", sum, strconv.QuoteToASCII(chain.FormatName(c.RawSubject)), c.NotAfter.Format(time.DateOnly))
	case sst.CRL:
		l, err := x509.ParseRevocationList(e.DER)
		if err != nil {
			return fmt.Sprintf("%x unreadable: %v", sum, err)
		}
		return fmt.Sprintf("%x of %s, %d revoked, until %s", sum, strconv.QuoteToASCII(chain.FormatName(l.RawIssuer)), len(l.RevokedCertificateEntries), l.NextUpdate.Format(time.DateOnly))
	}
	return fmt.Sprintf("%x", sum)
}

// parse also reads certificates that crypto/x509 refuses and this library takes.
func parse(der []byte) (*x509.Certificate, error) {
	return chain.NewEntry(chain.KindCertificate, der, "", nil).Certificate()
}

func printProperties(w io.Writer, indent string, list []sst.Property) {
	for _, p := range list {
		fmt.Fprintf(w, "%s%v: %v\n", indent, p.ID, p)
	}
}

func printTrustList(w io.Writer, der []byte) {
	l, err := sst.ParseTrustList(der)
	if err != nil {
		fmt.Fprintln(w, "  unreadable:", err)
		return
	}
	fmt.Fprintf(w, "  usage %v, %d subjects by %v, of %s\n", l.Usage, len(l.Subjects), l.SubjectAlgorithm, l.ThisUpdate.Format(time.RFC3339))
	if !l.NextUpdate.IsZero() {
		fmt.Fprintf(w, "  next update %s\n", l.NextUpdate.Format(time.RFC3339))
	}
	if l.SequenceNumber != nil {
		fmt.Fprintf(w, "  sequence number %x\n", l.SequenceNumber)
	}
	for _, s := range l.Subjects {
		fmt.Fprintf(w, "  subject %x\n", s.Identifier)
		printProperties(w, "    ", s.Properties)
	}
}

// extract writes every element into a file of its own.
func extractStore(args []string, std cli.Std) error {
	fs := cli.NewFlags("sst extract", "[-dir DIR] [-lenient] [FILE]", std)
	dir := fs.String("dir", ".", "`DIR` to write to; made if it is not there")
	lenient := fs.Bool("lenient", false, "tolerate what Windows tolerates")
	if err := cli.Parse(fs, args, 1); err != nil {
		return err
	}
	s, err := readStore(fs.Arg(0), *lenient, std)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(*dir, 0o755); err != nil {
		return err
	}
	for _, e := range s.Elements {
		ext := map[sst.Kind]string{sst.Certificate: ".cer", sst.CRL: ".crl", sst.CTL: ".stl"}[e.Kind]
		// Windows names them by their SHA-1, too. Text of the store is no file name.
		name := filepath.Join(*dir, fmt.Sprintf("%x%s", sha1.Sum(e.DER), ext))
		if err := os.WriteFile(name, e.DER, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(std.Out, name)
	}
	warnOfLimits(s, std)
	return nil
}
