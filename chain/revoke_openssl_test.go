package chain_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// An oracle asks openssl verify the same questions.
type oracle struct {
	tool, dir string
	n         int
}

// newOracle returns nil, which compares nothing, where tests run no programs.
func newOracle(t *testing.T) *oracle {
	t.Helper()
	if !suites.Peers() {
		return nil
	}
	return &oracle{tool: suites.Tool(t, "openssl"), dir: t.TempDir()}
}

func (o *oracle) file(t *testing.T, kind string, list ...[]byte) string {
	t.Helper()
	o.n++
	path := filepath.Join(o.dir, strconv.Itoa(o.n)+".pem")
	var text []byte
	for _, der := range list {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})...)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// good reports whether openssl finds the leaf good by those CRLs.
func (o *oracle) good(t *testing.T, root, leaf *party, others []*party, crls [][]byte) bool {
	t.Helper()
	args := []string{"verify", "-crl_check", "-extended_crl", "-use_deltas", "-attime", strconv.FormatInt(judged.Unix(), 10),
		"-CAfile", o.file(t, "CERTIFICATE", root.Raw)}
	for _, p := range others {
		args = append(args, "-untrusted", o.file(t, "CERTIFICATE", p.Raw))
	}
	if len(crls) > 0 {
		args = append(args, "-CRLfile", o.file(t, "X509 CRL", crls...))
	}
	args = append(args, o.file(t, "CERTIFICATE", leaf.Raw))
	return suites.Command(t, o.tool, args...).Run() == nil
}

// differs says why openssl comes to another end in a case of the tables of
// revocation; empty: it does not.
func differs(test, name string) string {
	switch test + ": " + name {
	case "TestCRLRules: no nextUpdate, not listed":
		return "it takes a CRL without nextUpdate as current for ever"
	case "TestCRLRules: thisUpdate ahead by less than the skew":
		return "it allows for no skew of clocks"
	case "TestCRLRules: newer one not listing, older one listing":
		return "it asks one CRL; here every genuine one may condemn"
	case "TestCRLRules: revoked later, key compromised", "TestCRLRules: revoked later, CA compromised",
		"TestCRLRules: revoked later, invalid before":
		return "it passes over CRLs of later, whatever their reasons"
	case "TestDeltas: revoked in the base, removed in the delta":
		return "it takes any revocation back, not only a hold"
	case "TestDeltas: forged delta":
		return "a forged delta CRL makes it fail"
	case "TestScope: the same point in other case":
		return "it compares URLs octet by octet"
	case "TestScope: empty scope":
		return "it accepts an empty IssuingDistributionPoint"
	case "TestCRLIssuers: another key of the same name, linked by the issuer":
		return "it does not take a self-issued certificate as that of a CRL issuer"
	case "TestCRLIssuers: another key of the same name", "TestCRLIssuers: another key of the same name, not named as indirect":
		return "it asks only for the same name and anchor"
	case "TestCRLIssuers: without cRLSign", "TestCRLIssuers: without key usage", "TestCRLIssuers: expired, not listed":
		return "3.0 does not check the certificate of a CRL issuer"
	}
	return ""
}

// compare compares our outcome with openssl's.
func (o *oracle) compare(t *testing.T, name, ours string, root, leaf *party, others []*party, crls [][]byte) {
	t.Helper()
	if o == nil {
		return
	}
	theirs := o.good(t, root, leaf, others, crls)
	test, _, _ := strings.Cut(t.Name(), "/")
	why := differs(test, name)
	switch same := theirs == (ours == "good"); {
	case !same && why == "":
		t.Errorf("%s: %s, but openssl says good: %v", name, ours, theirs)
	case same && why != "":
		t.Errorf("%s: stale difference: %s", name, why)
	}
}
