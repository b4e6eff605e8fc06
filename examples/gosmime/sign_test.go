package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/examples/internal/clitest"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestSign(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := clitest.NewPerson(t, ca, "alice@example.com")
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(clitest.Password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"clear":         {"-pfx", alice.PFX},
		"opaque":        {"-pfx", alice.PFX, "-opaque"},
		"password file": {"-pfx", alice.PFX, "-password-file", password},
	} {
		o := clitest.Run(t, signMessage, mail, args...)
		if o.Code != 0 {
			t.Fatalf("%s: exit %d: %s", name, o.Code, o.Err.String())
		}
		var content bytes.Buffer
		if _, err := smime.Verify(t.Context(), &content, bytes.NewReader(o.Out.Bytes()), ca.Trust(), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if clear := bytes.Contains(o.Out.Bytes(), []byte("hello")); clear == (name == "opaque") {
			t.Errorf("%s: readable by other programs: %v", name, clear)
		}
	}
}

func TestSignRefusals(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, expired := clitest.NewPerson(t, ca, "alice@example.com"), clitest.NewPerson(t, ca, "alice@example.com", smimetest.Expired())
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	for name, tt := range map[string]struct {
		mail []byte
		args []string
	}{
		"no key":          {mail, nil},
		"no file":         {mail, []string{"-pfx", "no-such-file"}},
		"expired":         {mail, []string{"-pfx", expired.PFX}},
		"another author":  {smimetest.Mail("bob@example.com", "alice@example.com", "hello"), []string{"-pfx", alice.PFX}},
		"PSS without RSA": {mail, []string{"-pfx", alice.PFX, "-pss"}},
	} {
		if o := clitest.Run(t, signMessage, tt.mail, tt.args...); o.Code == 0 || o.Out.Len() > 0 {
			t.Errorf("%s: exit %d, %d bytes", name, o.Code, o.Out.Len())
		}
	}
	t.Setenv("SMIME_PASSWORD", "wrong")
	if o := clitest.Run(t, signMessage, mail, "-pfx", alice.PFX); o.Code == 0 {
		t.Error("a wrong password opens the PFX")
	}
	if errors.Is(pkcs7.ErrDecrypt, smime.ErrPassword) {
		t.Error("two failures are one")
	}
}
