package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func save(t *testing.T, content []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestExtract takes the certificates out of a message as NeoMutt does: message,
// SignedData, certificates, addresses.
func TestExtract(t *testing.T) {
	ca := smimetest.NewCA(t)
	bob := ca.Identity("bob@example.com")
	for name, mail := range map[string][]byte{"clear": smimetest.Signed(t, bob, "hello"), "opaque": opaque(t, bob)} {
		for _, verb := range []string{"pk7out", "certificates", "addresses"} {
			o := clitest.Run(t, run, nil, verb, save(t, mail))
			if o.Code != 0 {
				t.Fatalf("%s: %s: %s", name, verb, o.Err.String())
			}
			mail = o.Out.Bytes()
		}
		if string(mail) != "bob@example.com\n" {
			t.Errorf("%s: addresses %q", name, mail)
		}
	}
	if o := clitest.Run(t, run, nil, "addresses", save(t, []byte("no certificate"))); o.Out.String() != notTheAuthor+"\n" {
		t.Errorf("of no certificate: %q", o.Out.String())
	}
}

func TestRefused(t *testing.T) {
	ca := smimetest.NewCA(t)
	roots := save(t, append(clitest.PEM(ca.Root().Raw), clitest.PEM(ca.Issuing().Raw)...))
	certificate := func(id *smime.Identity) string { return save(t, clitest.PEM(id.Certificate().Raw)) }
	bob := certificate(ca.Identity("bob@example.com"))
	expired := certificate(ca.Identity("bob@example.com", smimetest.Expired()))
	stranger := certificate(smimetest.NewCA(t).Identity("bob@example.com"))
	signing := certificate(ca.Identity("bob@example.com", smimetest.SigningOnly()))
	text := save(t, []byte("Content-Type: text/plain\n\nhello\n"))
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{ca.Identity("alice@example.com")}, "right", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	key := save(t, pfx)
	for _, tt := range []struct {
		name string
		args []string
		want error
	}{
		{"a broken cipher", []string{"encrypt", "-CAfile", roots, "-cipher", "des3", text, bob}, pkcs7.ErrUnsupported},
		{"one of two expired", []string{"encrypt", "-CAfile", roots, text, bob, expired}, chain.ErrExpired},
		{"one of two unknown", []string{"encrypt", "-CAfile", roots, text, bob, stranger}, chain.ErrUnknownIssuer},
		{"one of two for signing", []string{"encrypt", "-CAfile", roots, text, bob, signing}, chain.ErrWrongPurpose},
		{"wrong password, signing", []string{"sign", "-key", key, text}, smime.ErrPassword},
		{"wrong password, decrypting", []string{"decrypt", "-key", key, text}, smime.ErrPassword},
		{"no signature", []string{"verify", "-CAfile", roots, "-signature", text, text}, pkcs7.ErrSyntax},
		{"import of a stranger", []string{"add-certificate", "-dir", t.TempDir(), "-CAfile", roots, stranger}, chain.ErrUnknownIssuer},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, log bytes.Buffer
			err := run(t.Context(), tt.args, cli.Std{In: strings.NewReader("wrong\n"), Out: &out, Err: &log})
			if !errors.Is(err, tt.want) || out.Len() > 0 || strings.Contains(log.String(), success) {
				t.Errorf("%v, %d bytes, %q", err, out.Len(), log.String())
			}
		})
	}
	for _, args := range [][]string{nil, {"nonsense"}, {"sign", "-nonsense"}, {"signer", "-CAfile", roots}} {
		if err := run(t.Context(), args, cli.Std{In: strings.NewReader(""), Out: &bytes.Buffer{}, Err: &bytes.Buffer{}}); err == nil {
			t.Errorf("%q passes", args)
		}
	}
}

// TestFilesAreNotShared holds that nobody finds a certificate whose file would
// take the place of another one's.
func TestFilesAreNotShared(t *testing.T) {
	ca := smimetest.NewCA(t)
	a, b := id(ca.Identity("a@example.com").Certificate()), id(ca.Identity("b@example.com").Certificate())
	if digits := strings.TrimSuffix(a, ".0"); a == b || len(digits) < 32 || digits == a {
		t.Errorf("%s and %s", a, b)
	}
}
