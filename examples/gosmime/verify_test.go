package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestVerifyGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "verify" && g.Kind != "receipt" && filepath.Ext(g.File) == ".eml"
	})
	if len(rows) < 400 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		clitest.Expect(g)
		clitest.Check(t, g, clitest.Run(t, verifyMessage, g.Read(t, g.File), clitest.Trust(t, g)...))
	}
}

// TestBare refuses a signature without a message: nobody says that he wrote it,
// but in a protected header.
func TestBare(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		return g.Operation == "verify" && g.Expected == "ok" && g.Body != "hp" && (filepath.Ext(g.File) == ".p7m" || filepath.Ext(g.File) == ".pem")
	})
	if len(rows) < 30 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		if o := clitest.Run(t, verifyMessage, g.Read(t, g.File), clitest.Trust(t, g)...); o.Code != 1 || o.Out.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes", g.File, o.Code, o.Out.Len())
		}
	}
}

func TestVerifyUsage(t *testing.T) {
	dir := t.TempDir()
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "key.pem")
	if err := os.WriteFile(key, []byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, clitest.PEM(smimetest.NewCA(t).Root().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, 2},
		{[]string{"-at", "yesterday"}, 2},
		{[]string{"-unknown"}, 2},
		{[]string{"-roots", roots, "message.eml"}, 2},
		{[]string{"-roots", "no-such-file"}, 1},
		{[]string{"-roots", garbage}, 1},
		{[]string{"-roots", key}, 1},
		{[]string{"-roots", roots, "-crls", dir}, 1},
	} {
		if o := clitest.Run(t, verifyMessage, nil, c.args...); o.Code != c.code || o.Out.Len() > 0 {
			t.Errorf("%v: exit %d: %s", c.args, o.Code, &o.Err)
		}
	}
}
