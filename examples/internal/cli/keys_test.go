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
		files := []string{g.Path(g.File), write(t, append([]byte("\ufeff"), text...)), write(t, append(bytes.Clone(text), "\n\x00"...))}
		block, _ := pem.Decode(text)
		if block.Type == "ENCRYPTED PRIVATE KEY" {
			files = append(files, write(t, block.Bytes), write(t, append(bytes.Clone(block.Bytes), "\r\n"...)))
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
	for _, tt := range []struct {
		name, file string
		good       bool
	}{
		{"directory", dir, true},
		{"DER", file, true},
		{"PEM", write(t, text), true},
		{"PEM with a byte order mark", write(t, append([]byte("\ufeff"), text...)), true},
		{"DER with a NUL after", write(t, append(bytes.Clone(crl), 0)), true},
		{"DER with an octet after", write(t, append(bytes.Clone(crl), 1)), false},
		{"empty directory", t.TempDir(), false},
		{"no file", filepath.Join(dir, "none"), false},
		{"text", write(t, []byte("text")), false},
		{"cut DER", write(t, crl[:len(crl)-1]), false},
		{"cut PEM", write(t, append(bytes.Clone(text), text[:len(text)/2]...)), false},
		{"certificate", write(t, ca.Root().Raw), false},
		{"certificate in PEM", write(t, clitest.PEM(ca.Root().Raw)), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := cli.ReadCRLs(tt.file); (err == nil) != tt.good {
				t.Errorf("error %v, want good %v", err, tt.good)
			}
		})
	}
}

// TestStores reads what people have their roots in, with what editors add.
func TestStores(t *testing.T) {
	root := smimetest.NewCA(t).Root().Raw
	text := clitest.PEM(root)
	for _, tt := range []struct {
		name string
		in   []byte
		good bool
	}{
		{"PEM", text, true},
		{"PEM with a byte order mark", append([]byte("\ufeff"), text...), true},
		{"PEM with NUL after", append(bytes.Clone(text), 0, 0), true},
		{"DER with a line break after", append(bytes.Clone(root), "\r\n"...), true},
		{"DER with text after", append(bytes.Clone(root), "end"...), false},
		{"PEM of no certificate", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{0x30, 0}}), false},
		{"key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte{0x30, 0}}), false},
		{"nothing", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := cli.ReadStore(write(t, tt.in)); (err == nil) != tt.good {
				t.Errorf("error %v, want good %v", err, tt.good)
			}
		})
	}
}
