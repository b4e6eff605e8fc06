package main

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

func put(t *testing.T, dir, name string, parts ...[]byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, bytes.Join(parts, []byte("\n")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func text(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// TestFiles gives the command files of every kind in every place.
func TestFiles(t *testing.T) {
	ca := smimetest.NewCA(t)
	const alice, second = "alice@example.com", "a.smith@example.com"
	leaf, revoked := ca.Identity(alice).Certificate().Raw, ca.Identity(alice)
	ca.Revoke(revoked)
	root, issuing := ca.Root().Raw, ca.Issuing().Raw
	dir := t.TempDir()
	certsOnly := func(list ...[]byte) []byte {
		var b bytes.Buffer
		if err := pkcs7.WriteCertificates(&b, list, nil); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	var store bytes.Buffer
	if err := sst.Write(&store, &sst.Store{Elements: []sst.Element{{Kind: sst.Certificate, DER: root}}}); err != nil {
		t.Fatal(err)
	}
	crls := filepath.Join(dir, "crls")
	bad := filepath.Join(dir, "bad")
	for _, d := range []string{crls, bad} {
		if err := os.Mkdir(d, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for i, der := range ca.CRLs() {
		name := string(rune('a' + i))
		if i%2 == 0 {
			put(t, crls, name+".crl", der)
		} else {
			put(t, crls, name+".pem", []byte("a list:"), text("X509 CRL", der))
		}
	}
	whole := text("X509 CRL", ca.CRLs()[0])
	put(t, bad, "cut.pem", whole[:len(whole)-40])
	roots := []string{
		put(t, dir, "root.pem", text("CERTIFICATE", root)), put(t, dir, "root.cer", root), put(t, dir, "root.sst", store.Bytes()),
		put(t, dir, "root.p7b", certsOnly(root)), put(t, dir, "root.p7b.pem", text("PKCS7", certsOnly(root))),
	}
	leaves := []string{
		put(t, dir, "leaf.pem", []byte("subject=x"), text("CERTIFICATE", leaf)), put(t, dir, "leaf.cer", leaf), put(t, dir, "leaf.p7b", certsOnly(root, issuing, leaf)),
		put(t, dir, "bundle.pem", text("CERTIFICATE", root), text("CERTIFICATE", leaf)),
	}
	between := put(t, dir, "issuing.p7b", certsOnly(issuing))
	check := func(want int, args ...string) {
		t.Helper()
		o := clitest.Run(t, verifyChain, nil, append([]string{"-intermediates", between}, args...)...)
		if o.Code != want || want == 0 && strings.Count(o.Out.String(), "\n") < 2 || want != 0 && o.Out.Len() > 0 {
			t.Errorf("%v: %d, want %d: %s%s", args, o.Code, want, &o.Out, &o.Err)
		}
	}
	for _, r := range roots {
		for _, l := range leaves {
			check(0, "-roots", r, "-crls", crls, "-mailbox", alice, l)
		}
	}
	gone := put(t, dir, "gone.pem", text("CERTIFICATE", revoked.Certificate().Raw))
	check(1, "-roots", roots[0], "-crls", crls, "-mailbox", alice, gone)
	check(1, "-roots", roots[0], "-crls", crls, "-mailbox", alice, "-mailbox", second, leaves[0])
	check(1, "-roots", roots[0], "-crls", crls, "-mailbox", second, "-mailbox", alice, leaves[0])
	check(1, "-roots", roots[0], "-crls", bad, "-mailbox", alice, leaves[0])
	check(1, "-roots", roots[0], "-mailbox", alice, roots[0])
	check(1, "-roots", roots[0], "-mailbox", alice, put(t, dir, "text.txt", []byte("text")))
	check(2, "-roots", roots[0], leaves[0])
	check(2, "-roots", roots[0], "-mailbox", alice)
}
