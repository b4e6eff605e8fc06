package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/examples/internal/cli"
	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestSystemRoots trusts the bundle that this machine is said to have.
func TestSystemRoots(t *testing.T) {
	ca := smimetest.NewCA(t)
	bundle := filepath.Join(t.TempDir(), "bundle.pem")
	if err := os.WriteFile(bundle, clitest.PEM(ca.Root().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", bundle)
	trust := &cli.Trust{Roots: cli.List{"system"}}
	collection, err := trust.Collection()
	if err != nil {
		t.Fatal(err)
	}
	collection = collection.With(chain.Untrusted(chain.Certs(ca.Issuing())))
	cert := ca.Identity("alice@example.com").Certificate()
	if _, err := collection.Verify(t.Context(), cert, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}); err != nil {
		t.Error(err)
	}
	other := smimetest.NewCA(t).Identity("alice@example.com").Certificate()
	if _, err := collection.Verify(t.Context(), other, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}); err == nil {
		t.Error("a stranger's CA is trusted")
	}
}
