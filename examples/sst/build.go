package main

import (
	"bytes"
	"crypto/sha1"
	"encoding/asn1"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/sst"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"
)

// build makes a store of everything that the files hold, each certificate once
// unless two files say different things of it: what one of them forbids stays
// forbidden, since of a certificate that is there twice all properties apply.
func build(args []string, std cli.Std) error {
	fs := cli.NewFlags("sst build", "[-out FILE] [-name NAME] [-hashes] [-password-file FILE] FILE...", std)
	out := fs.String("out", "", "`FILE` to write; else standard output")
	name := fs.String("name", "", "friendly `NAME` for elements that have none")
	hashes := fs.Bool("hashes", false, "add the SHA-1 property that Windows shows")
	passwordFile := fs.String("password-file", "", "`FILE` with the password of a PFX; else the variable SMIME_PASSWORD has it")
	if err := cli.Parse(fs, args, len(args)); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		return &cli.UsageError{Reason: "files to put into the store are needed"}
	}
	store := new(sst.Store)
	at := make(map[string]int) // of each element in the store
	for _, file := range fs.Args() {
		s, err := readAny(file, *passwordFile, std)
		if err != nil {
			return err
		}
		for _, e := range s.Elements {
			e := prepare(e, "", *hashes)
			key := string(e.DER)
			switch i, again := at[key]; {
			case again && saysNoMore(e, store.Elements[i]):
			case again && saysNoMore(store.Elements[i], e):
				store.Elements[i] = e
			default:
				at[key] = len(store.Elements)
				store.Elements = append(store.Elements, e)
			}
		}
	}
	if len(store.Elements) == 0 {
		return fmt.Errorf("nothing to put into the store")
	}
	for i, e := range store.Elements {
		store.Elements[i] = prepare(e, *name, *hashes)
	}
	if err := writeOutput(*out, std, func(w io.Writer) error { return sst.Write(w, store) }); err != nil {
		return err
	}
	fmt.Fprintf(std.Err, "%d elements\n", len(store.Elements))
	return nil
}

// saysNoMore reports whether b has all properties of a.
func saysNoMore(a, b sst.Element) bool {
	return !slices.ContainsFunc(a.Properties, func(p sst.Property) bool {
		return !slices.ContainsFunc(b.Properties, func(q sst.Property) bool { return p.ID == q.ID && bytes.Equal(p.Value, q.Value) })
	})
}

// prepare adds what was asked for and takes out the name of a private key,
// which is of use on its own machine only.
func prepare(e sst.Element, name string, hashes bool) sst.Element {
	var list []sst.Property
	for _, p := range e.Properties {
		if p.ID != sst.PropKeyProvider && (p.ID != sst.PropSHA1 || !hashes) {
			list = append(list, p)
		}
	}
	if name != "" && e.FriendlyName() == "" {
		list = append(list, sst.TextProperty(sst.PropFriendlyName, name))
	}
	if hashes {
		sum := sha1.Sum(e.DER)
		list = append(list, sst.Property{ID: sst.PropSHA1, Value: sum[:]})
	}
	e.Properties = list
	return e
}

// readAny reads a file with certificates, a PFX too.
func readAny(name, passwordFile string, std cli.Std) (*sst.Store, error) {
	b, err := readInput(name, std)
	if err != nil {
		return nil, err
	}
	if !isPFX(b) {
		s, err := sst.ReadAny(bytes.NewReader(b), nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		return s, nil
	}
	password := os.Getenv("SMIME_PASSWORD")
	if passwordFile != "" {
		p, err := os.ReadFile(passwordFile)
		if err != nil {
			return nil, err
		}
		password = strings.TrimRight(string(p), "\r\n")
	}
	s, err := readPFX(b, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

// isPFX reports whether b begins as PFX ::= SEQUENCE { version INTEGER (3), ... } does.
func isPFX(b []byte) bool {
	s := cryptobyte.String(b)
	var version int
	return s.ReadASN1(&s, cbasn1.SEQUENCE) && s.ReadASN1Integer(&version) && version == 3
}

// readPFX takes the certificates of a PFX and leaves its keys.
func readPFX(b []byte, password string) (*sst.Store, error) {
	if _, cert, cas, err := pkcs12.DecodeChain(b, password); err == nil {
		return sst.Of(append(cas, cert)...), nil
	}
	if certs, err := pkcs12.DecodeTrustStore(b, password); err == nil {
		return sst.Of(certs...), nil
	}
	ids, err := smime.ParsePKCS12(b, password)
	if err != nil {
		return nil, err
	}
	s := new(sst.Store)
	for _, id := range ids {
		s.Elements = append(s.Elements, sst.Of(id.Certificate()).Elements...)
		if key, err := id.SigningKey(); err == nil {
			s.Elements = append(s.Elements, sst.Of(key.Chain...).Elements...)
		}
	}
	return s, nil
}

// convert writes the certificates of a store in another format.
func convert(args []string, std cli.Std) error {
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
