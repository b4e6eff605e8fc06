package archtest

import (
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// TestReadmeCompiles builds the examples of the README and of the pages beside
// it, and holds that the links lead somewhere.
func TestReadmeCompiles(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no go command on this system")
	}
	blocks := 0
	for _, page := range []string{"README.md", ".github/MIGRATION.md", ".github/ADMINISTRATORS.md", ".github/SYSTEM.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range regexp.MustCompile(`\]\(([^)#]+)\)`).FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(link[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join("..", "..", filepath.Dir(page), link[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
		for _, m := range regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(text), -1) {
			blocks++
			build(t, page, m[1])
		}
	}
	if blocks < 4 {
		t.Errorf("%d examples", blocks)
	}
}

// build compiles functions with the imports that they need.
func build(t *testing.T, page, code string) {
	t.Helper()
	imports := map[string]string{
		"bytes": "bytes", "context": "context", "errors": "errors", "fmt": "fmt", "io": "io", "log": "log", "os": "os", "x509": "crypto/x509",
		"chain": module + "/chain", "pkcs7": module + "/pkcs7", "smime": module + "/smime", "sst": module + "/sst",
		"exchange": module + "/smime/exchange", "fetch": module + "/chain/fetch",
	}
	var b strings.Builder
	b.WriteString("package readme\n\nimport (\n")
	for name, path := range imports {
		if regexp.MustCompile(`\b` + name + `\.[A-Z]`).MatchString(code) {
			b.WriteString("\t\"" + path + "\"\n")
		}
	}
	b.WriteString(")\n\n" + code)
	file := filepath.Join(t.TempDir(), "readme.go")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := suites.Go(t, "vet", file)
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", page, err, out)
	}
}

// TestReadmeLimits holds that the README has the default that the comment of
// each field of the Limits names.
func TestReadmeLimits(t *testing.T) {
	readme, err := os.ReadFile(filepath.Join("..", "..", "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Limits\n")
	section, _, _ = strings.Cut(section, "\n## ")
	defaults := 0
	for _, file := range []string{"smime/limits.go", "pkcs7/limits.go", "chain/policy.go"} {
		text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(file)))
		if err != nil {
			t.Fatal(err)
		}
		_, fields, _ := strings.Cut(string(text), "type Limits struct {")
		fields, _, _ = strings.Cut(fields, "\n}")
		for line := range strings.Lines(fields) {
			m := regexp.MustCompile(`^\t(\w+) +int.*default ([0-9]+(?: 000)*(?: [GM]iB)?)`).FindStringSubmatch(line)
			if m == nil {
				continue
			}
			defaults++
			if !regexp.MustCompile(`[ |]` + m[2] + `[ ,]`).MatchString(section) {
				t.Errorf("%s: %s has the default %s, which the README has not", file, m[1], m[2])
			}
		}
	}
	if defaults != 20 {
		t.Errorf("%d defaults", defaults)
	}
}

// TestPagesNameWhatExists holds that every name of a package that the pages
// mention is exported by it.
func TestPagesNameWhatExists(t *testing.T) {
	files := map[string]string{"smime": "smime", "pkcs7": "pkcs7", "chain": "chain", "sst": "sst", "exchange": "smime_exchange", "fetch": "chain_fetch", "devices": "smime_devices"}
	names := 0
	for _, page := range []string{"README.md", ".github/MIGRATION.md", ".github/ADMINISTRATORS.md", ".github/SYSTEM.md", ".github/SECURITY.md"} {
		text, err := os.ReadFile(filepath.Join("..", "..", page))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b(smime|pkcs7|chain|sst|exchange|fetch|devices)\.([A-Z]\w*)(?:\.([A-Z]\w*))?`).FindAllStringSubmatch(string(text), -1) {
			api, err := os.ReadFile(filepath.Join("testdata", "api", files[m[1]]+".txt"))
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range m[2:] {
				if name == "" {
					continue
				}
				names++
				if !regexp.MustCompile(`\b` + name + `\b`).Match(api) {
					t.Errorf("%s: %s has no %s", page, m[1], name)
				}
			}
		}
	}
	if names < 60 {
		t.Errorf("%d names", names)
	}
}
