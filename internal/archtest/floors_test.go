package archtest

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// floor returns the floor of a package and false for one that has none.
func floor(name string) (int, bool) {
	switch name {
	case "internal/ber", "internal/oid", "internal/budget", "internal/stream", "internal/quoted":
		return 0, true
	case "internal/alg", "internal/x509der", "internal/mimetree", "internal/mailbox", "internal/spool":
		return 1, true
	case "internal/pkcs12", "internal/crl", "internal/ocsp", "internal/prepare":
		return 2, true
	case "pkcs7", "chain", "internal/headerprotection":
		return 3, true
	case "sst", "chain/fetch", "chain/system", "chain/profile", "pkcs7/ess":
		return 4, true
	case "smime":
		return 5, true
	case "smime/smimetest", "smime/outgoing":
		return 6, true
	case "smime/exchange", "smime/devices":
		return 7, true
	}
	return 7, strings.HasPrefix(name, "examples/")
}

// testOnly are the packages that nothing but tests imports.
func testOnly(name string) bool {
	switch name {
	case "internal/archtest", "internal/vectors", "internal/suites", "internal/bench", "internal/interop", "examples/internal/clitest":
		return true
	}
	return strings.HasPrefix(name, "internal/suites/") || strings.HasPrefix(name, "internal/interop/") || strings.HasPrefix(name, "internal/bench/")
}

func TestImportsPointDown(t *testing.T) {
	edges := 0
	for _, p := range load(t) {
		if testOnly(p.name()) {
			continue
		}
		from, ok := floor(p.name())
		if !ok {
			t.Errorf("package %s is on no floor", p.name())
			continue
		}
		for _, imp := range p.Imports {
			name, inside := strings.CutPrefix(imp, module+"/")
			if !inside {
				continue
			}
			edges++
			if testOnly(name) {
				t.Errorf("%s imports %s, which is for tests", p.name(), name)
				continue
			}
			to, ok := floor(name)
			down := to < from
			if strings.HasPrefix(p.name(), "examples/") {
				down = !strings.HasPrefix(name, "examples/") || strings.HasPrefix(name, "examples/internal/")
			}
			if !ok || !down {
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.name(), from, name, to)
			}
		}
	}
	if edges < 20 {
		t.Errorf("only %d imports seen", edges)
	}
}

func TestOnlyFetchReachesTheNetwork(t *testing.T) {
	found := false
	for _, p := range load(t) {
		if testOnly(p.name()) || strings.HasPrefix(p.name(), "examples/") {
			continue
		}
		if slices.Contains(p.Deps, "net/http") {
			if p.name() != "chain/fetch" {
				t.Errorf("%s depends on net/http", p.name())
			}
			found = true
		}
	}
	if !found {
		t.Error("not even chain/fetch depends on net/http: is the test right?")
	}
}

// digitorus/pkcs7 is a peer to be measured against, nothing that users should
// inherit.
func TestPeersStayInTests(t *testing.T) {
	seen := false
	for _, p := range load(t) {
		if slices.Contains(p.Deps, "github.com/digitorus/pkcs7") {
			t.Errorf("%s depends on digitorus/pkcs7", p.name())
		}
		seen = seen || slices.Contains(p.TestImports, "github.com/digitorus/pkcs7")
	}
	if !seen {
		t.Log("no internal test imports digitorus/pkcs7; external ones may")
	}
}

// TestNamedDependencies keeps the libraries that this one stands on direct
// requirements of the root module, whose go.mod replaces nothing, so that
// examples/gosmime can be installed by its path.
func TestNamedDependencies(t *testing.T) {
	cmd := suites.Go(t, "mod", "edit", "-json")
	cmd.Dir = filepath.Join("..", "..")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
		Replace []any
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	if len(mod.Replace) > 0 {
		t.Errorf("go.mod replaces %v", mod.Replace)
	}
	direct := make(map[string]bool)
	for _, r := range mod.Require {
		direct[r.Path] = !r.Indirect
	}
	for _, path := range []string{
		"golang.org/x/crypto", "software.sslmate.com/src/go-pkcs12", "github.com/emersion/go-message", "github.com/digitorus/pkcs7",
	} {
		t.Run(path, func(t *testing.T) {
			if !direct[path] {
				t.Error("not a direct requirement")
			}
		})
	}
}
