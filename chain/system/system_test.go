//go:build unix && !android && !ios

package system_test

import (
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/chain/system"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// count returns how many certificates a Source has.
func count(t *testing.T, src chain.Source) int {
	t.Helper()
	n := 0
	for _, err := range src.Find(t.Context(), chain.Query{Kind: chain.KindCertificate}) {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func TestRoots(t *testing.T) {
	ca, other := smimetest.NewCA(t), smimetest.NewCA(t)
	text := func(der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}) }
	put := func(path string, b []byte) string {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	dir := t.TempDir()
	bundle := put(filepath.Join(dir, "bundle.pem"), append(text(ca.Root().Raw), text(other.Root().Raw)...))
	one := put(filepath.Join(dir, "one", "a.pem"), text(ca.Root().Raw))
	put(filepath.Join(dir, "one", "README"), []byte("no certificate"))
	if err := os.Symlink(one, filepath.Join(dir, "one", "0a1b2c3d.0")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(dir, "gone"), filepath.Join(dir, "one", "dangling.0")); err != nil {
		t.Fatal(err)
	}
	two := filepath.Dir(put(filepath.Join(dir, "two", "b.pem"), text(other.Root().Raw)))
	empty := filepath.Join(dir, "empty")
	if err := os.Mkdir(empty, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, file, dir string
		want            int
		err             error
	}{
		{"file", bundle, "", 2, nil},
		{"file before directory", bundle, filepath.Dir(one), 2, nil},
		{"directory", "", filepath.Dir(one), 1, nil},
		{"directories", "", filepath.Dir(one) + string(filepath.ListSeparator) + two, 2, nil},
		{"no such file", filepath.Join(dir, "none"), "", 0, fs.ErrNotExist},
		{"empty directory", "", empty, 0, fs.ErrNotExist},
		{"no such directory", "", filepath.Join(dir, "none"), 0, fs.ErrNotExist},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SSL_CERT_FILE", tt.file)
			t.Setenv("SSL_CERT_DIR", tt.dir)
			src, err := system.Roots()
			if !errors.Is(err, tt.err) {
				t.Fatal(err)
			}
			if err == nil && count(t, src) != tt.want {
				t.Errorf("%d roots, want %d", count(t, src), tt.want)
			}
		})
	}
	t.Run("a file without certificates", func(t *testing.T) {
		t.Setenv("SSL_CERT_FILE", put(filepath.Join(dir, "text"), []byte("text")))
		if _, err := system.Roots(); err == nil {
			t.Error("no error")
		}
	})
}

func TestDisallowed(t *testing.T) {
	src, err := system.Disallowed()
	if err != nil || count(t, src) != 0 {
		t.Error(err)
	}
}
