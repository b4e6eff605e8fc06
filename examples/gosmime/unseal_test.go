package main

import (
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestUnseal(t *testing.T) {
	ca, other := smimetest.NewCA(t), smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), clitest.NewPerson(t, ca, "bob@example.com")
	carol := clitest.NewPerson(t, ca, "carol@example.com")
	sealed := smimetest.Sealed(t, alice, "the secret", bob.Identity)
	args := append(clitest.Roots(t, ca), "-pfx", bob.PFX)

	o := clitest.Run(t, unsealMessage, sealed, args...)
	if o.Code != 0 || !strings.Contains(o.Out.String(), "the secret") {
		t.Fatalf("exit %d: %s", o.Code, o.Err.String())
	}
	for name, tt := range map[string]struct {
		mail []byte
		args []string
	}{
		"tampered":     {smimetest.Tamper(t, sealed), args},
		"not signed":   {smimetest.Encrypted(t, alice, "the secret", bob.Identity), args},
		"not sealed":   {smimetest.Signed(t, alice, "the secret"), args},
		"for others":   {sealed, append(clitest.Roots(t, ca), "-pfx", carol.PFX)},
		"no trust":     {sealed, append(clitest.Roots(t, other), "-pfx", bob.PFX)},
		"no roots":     {sealed, []string{"-pfx", bob.PFX}},
		"no key":       {sealed, clitest.Roots(t, ca)},
		"another time": {sealed, append(args, "-at", "2045-01-01T00:00:00Z")},
	} {
		if o := clitest.Run(t, unsealMessage, tt.mail, tt.args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes", name, o.Code, o.Out.Len())
		}
	}
}
