package archtest

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

// TestAdministratorsCommands runs the commands of the page for administrators
// on a store, a mail and a certificate with the names that it gives them.
func TestAdministratorsCommands(t *testing.T) {
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no go command on this system")
	}
	sh, dir := suites.Tool(t, "sh"), t.TempDir()
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@contoso.com")
	var store bytes.Buffer
	if err := sst.Write(&store, sst.Of(ca.Root(), ca.Issuing())); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"contoso.sst": store.Bytes(), "mail.eml": smimetest.Signed(t, alice, "hello"), "alice.cer": alice.Certificate().Raw,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	page, err := os.ReadFile(filepath.Join("..", "..", ".github", "ADMINISTRATORS.md"))
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(page), -1) {
		for line := range strings.Lines(block[1]) {
			commands++
			rest, ok := strings.CutPrefix(line, "go run ./examples/")
			if !ok {
				t.Fatalf("not a command of the examples: %s", line)
			}
			name, _, _ := strings.Cut(rest, " ")
			build := suites.Go(t, "build", "-o", filepath.Join(dir, "examples", name), "./examples/"+name)
			build.Dir = filepath.Join("..", "..")
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			cmd := suites.Command(t, sh, "-c", "./examples/"+rest)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil || len(out) == 0 {
				t.Errorf("%s%v\n%s", line, err, out)
			}
		}
	}
	if commands != 4 {
		t.Errorf("%d commands", commands)
	}
}
