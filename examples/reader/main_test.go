package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestReader(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := clitest.NewPerson(t, ca, "alice@example.com"), clitest.NewPerson(t, ca, "bob@example.com")
	carol := ca.Identity("carol@example.com")
	dir := t.TempDir()
	mails := []struct {
		name    string
		message []byte
		want    []string
	}{
		{"1.eml", smimetest.Sealed(t, alice.Identity, "Lunch at noon?", bob.Identity), []string{"✔ Signed by alice@example.com.", "✔ Encrypted.", "Lunch at noon?"}},
		{"2.eml", smimetest.Tamper(t, smimetest.Signed(t, alice.Identity, "pay 5")), []string{"✘ This message was changed"}},
		{"3.eml", smimetest.Sealed(t, alice.Identity, "for Carol", carol), []string{"none of your keys opens it", `attachment "smime.p7m"`}},
		{"4.eml", smimetest.Mail("alice@example.com", "bob@example.com", "plain \x1b[2J text"), []string{"plain [2J text"}},
	}
	for _, m := range mails {
		if err := os.WriteFile(filepath.Join(dir, m.name), m.message, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := clitest.Run(t, run, nil, append(clitest.Roots(t, ca), "-pfx", bob.PFX, dir)...)
	if o.Code != 0 {
		t.Fatalf("exit %d: %s", o.Code, o.Err.String())
	}
	shown := strings.Split(o.Out.String(), "== ")[1:]
	if len(shown) != len(mails) {
		t.Fatalf("%d messages:\n%s", len(shown), o.Out.String())
	}
	for i, m := range mails {
		t.Run(m.name, func(t *testing.T) {
			for _, want := range m.want {
				if !strings.Contains(shown[i], want) {
					t.Errorf("%q is missing in\n%s", want, shown[i])
				}
			}
			if strings.Contains(shown[i], "\x1b") {
				t.Error("an escape sequence reaches the terminal")
			}
		})
	}
	if o := clitest.Run(t, run, nil); o.Code != 2 {
		t.Errorf("no folder: exit %d", o.Code)
	}
}
