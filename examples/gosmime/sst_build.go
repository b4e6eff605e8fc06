package main

import (
	"bytes"
	"crypto/sha1"
	"fmt"
	"io"
	"slices"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/sst"
)

// build makes a store of everything that the files hold, each certificate once
// unless two files say different things of it: what one of them forbids stays
// forbidden, since of a certificate that is there twice all properties apply.
func buildStore(args []string, std cli.Std) error {
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
