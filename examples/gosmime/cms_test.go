package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
)

func TestCMS(t *testing.T) {
	for _, c := range []struct {
		file string
		args []string
		good bool
		want []string
	}{
		{"good.der", nil, true, []string{"content type: signedData", "signer 0: serial number 5", "signed: contentType: data", `by the key of "CN=Example"`}},
		{"trailing-17-zeros.der", nil, true, []string{`by the key of "CN=Example"`}},
		{"late-signing-time.der", nil, true, []string{"signingTime: 2028-12-01T01:42:18Z"}},
		{"two-digests.der", nil, false, []string{"signed: messageDigest: 2cf24dba", "signed: messageDigest: d9298a10"}},
		{"no-content-type.der", nil, false, []string{"signed: messageDigest"}},
		{"wrong-content-type.der", nil, false, []string{"signed: contentType: TSTInfo"}},
		{"attrs-as-content.der", nil, false, []string{"octets: 107"}},
		{"rsa1024-default.der", nil, false, []string{"digest: SHA-1"}},
		{"rsa1024-default.der", []string{"-historic"}, true, []string{"digest: SHA-1", `by the key of "CN=Example"`}},
		{"digitorus-0.p7m.der", nil, true, []string{"content type: envelopedData", "recipient 0: serial number 5"}},
	} {
		t.Run(strings.Join(append([]string{c.file}, c.args...), " "), func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join("..", "..", "pkcs7", "testdata", "cms", c.file))
			if err != nil {
				t.Fatal(err)
			}
			o := clitest.Run(t, cmsCommand, der, c.args...)
			if (o.Code == 0) != c.good {
				t.Errorf("exit %d: %s", o.Code, o.Err.String())
			}
			for _, want := range c.want {
				if !strings.Contains(o.Out.String(), want) {
					t.Errorf("no %q in\n%s", want, o.Out.String())
				}
			}
		})
	}
}

// Whatever the CMS objects of other programs are, the command says it.
func TestCMSOfGoldens(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool {
		ext := filepath.Ext(g.File)
		return g.Expected != "fail" && (ext == ".p7m" || ext == ".p7s" || ext == ".p7c" || ext == ".p7b")
	})
	if len(rows) < 20 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		t.Run(g.File, func(t *testing.T) {
			o := clitest.Run(t, cmsCommand, g.Read(t, g.File))
			if !strings.Contains(o.Out.String(), "content type: ") {
				t.Errorf("exit %d: %s", o.Code, o.Err.String())
			}
		})
	}
}
