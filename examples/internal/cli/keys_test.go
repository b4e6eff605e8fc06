package cli_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func write(t *testing.T, b []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// TestKeys reads the encrypted keys of the corpus, as PEM and as DER.
func TestKeys(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "key" && g.Password != "" && !g.Optional })
	if len(rows) < 5 {
		t.Errorf("%d cases", len(rows))
	}
	for _, g := range rows {
		text := g.Read(t, g.File)
		role, _, _ := strings.Cut(filepath.Base(g.File), ".")
		cert := g.Path("pki/certs/" + role + ".pem")
		files := []string{g.Path(g.File), write(t, append([]byte("\ufeff"), text...))}
		block, _ := pem.Decode(text)
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			files = append(files, write(t, block.Bytes))
		}
		for _, name := range files {
			for password, want := range map[string]bool{g.Password: true, g.Password + "x": false} {
				t.Setenv("SMIME_PASSWORD", password)
				keys := cli.Keys{Key: cli.List{name}, Cert: cli.List{cert}}
				ids, err := keys.Required()
				if (err == nil) != want || want && len(ids) != 1 {
					t.Errorf("%s: %d identities, %v", g.File, len(ids), err)
				}
			}
		}
	}
}

// TestArmouredPFX reads a PFX in PEM, as GnuTLS writes it.
func TestArmouredPFX(t *testing.T) {
	p := clitest.NewPerson(t, smimetest.NewCA(t), "alice@example.com")
	pfx, err := os.ReadFile(p.PFX)
	if err != nil {
		t.Fatal(err)
	}
	keys := cli.Keys{PFX: cli.List{write(t, pem.EncodeToMemory(&pem.Block{Type: "PKCS12", Bytes: pfx}))}}
	ids, err := keys.Required()
	if err != nil || len(ids) != 1 || !bytes.Equal(ids[0].Certificate().Raw, p.Certificate().Raw) {
		t.Errorf("%d identities, %v", len(ids), err)
	}
}

// TestCRLs reads a directory and a file, in DER and PEM, and refuses where there
// is no list or one that was cut.
func TestCRLs(t *testing.T) {
	ca := smimetest.NewCA(t)
	crl := ca.CRLs()[0]
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: crl})
	dir := t.TempDir()
	file := filepath.Join(dir, "a.crl")
	if err := os.WriteFile(file, crl, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{
		dir: true, file: true, write(t, text): true, write(t, append([]byte("\ufeff"), text...)): true,
		t.TempDir(): false, filepath.Join(dir, "none"): false, write(t, []byte("text")): false,
		write(t, crl[:len(crl)-1]): false, write(t, append(bytes.Clone(crl), 0)): false, write(t, ca.Root().Raw): false,
		write(t, append(text, text[:len(text)/2]...)): false, write(t, clitest.PEM(ca.Root().Raw)): false,
	} {
		if _, err := cli.ReadCRLs(name); (err == nil) != want {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}
