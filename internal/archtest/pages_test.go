package archtest

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
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
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{alice}, "secret", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SMIME_PASSWORD", "secret")
	cfg := exchange.DefaultConfig()
	cfg.CertificateIssuingCA = store.Bytes()
	settings, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mailboxes, err := json.Marshal(map[string]any{"PrimarySmtpAddress": "alice@contoso.com", "UserCertificate": [][]byte{alice.Certificate().Raw}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"contoso.sst": store.Bytes(), "roots.sst": store.Bytes(), "mail.eml": smimetest.Signed(t, alice, "hello"), "alice.cer": alice.Certificate().Raw,
		"alice.p12": pfx, "root.cer": ca.Root().Raw, "intermediate.cer": ca.Issuing().Raw, "connector.pem": connectorPEM(t),
		"smimeconfig.json": settings, "mailboxes.json": mailboxes, "policies.json": []byte(`{"RequireSignedSMIMEMessages": true, "Name": "Default"}`),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		})
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
			out, err := cmd.CombinedOutput()
			if _, file, redirected := strings.Cut(line, " > "); redirected && err == nil {
				out, err = os.ReadFile(filepath.Join(dir, strings.TrimSpace(file)))
			}
			if err != nil || len(out) == 0 && !quiet(line) {
				t.Errorf("%s%v\n%s", line, err, out)
			}
		}
	}
	if commands != 13 {
		t.Errorf("%d commands", commands)
	}
}

// quiet reports whether a command says nothing if all went well.
func quiet(line string) bool { return strings.Contains(line, " sst build -out ") }

// connectorPEM returns the public key of a certificate connector.
func connectorPEM(t *testing.T) []byte {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}
