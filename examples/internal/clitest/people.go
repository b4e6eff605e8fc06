package clitest

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// Password is that of every PFX that [Person] writes.
const Password = "correct horse"

// A Person has an identity in files.
type Person struct {
	*smime.Identity
	PFX, Cert string
}

// NewPerson makes an identity and writes it as PFX and PEM. The variable
// SMIME_PASSWORD then has the password.
func NewPerson(t *testing.T, ca *smimetest.CA, mailbox string, flaws ...smimetest.Flaw) *Person {
	t.Helper()
	t.Setenv("SMIME_PASSWORD", Password)
	p := &Person{Identity: ca.Identity(mailbox, flaws...)}
	dir := t.TempDir()
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{p.Identity}, Password, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.PFX, p.Cert = filepath.Join(dir, "id.p12"), filepath.Join(dir, "cert.pem")
	for file, b := range map[string][]byte{p.PFX: pfx, p.Cert: PEM(p.Certificate().Raw)} {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

// PEM encodes a certificate.
func PEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// Roots returns the flags for a CA.
func Roots(t *testing.T, ca *smimetest.CA) []string {
	t.Helper()
	dir := t.TempDir()
	roots, issuing, crls := filepath.Join(dir, "roots.pem"), filepath.Join(dir, "issuing.der"), filepath.Join(dir, "crls")
	if err := os.Mkdir(crls, 0o700); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{roots: PEM(ca.Root().Raw), issuing: bytes.Clone(ca.Issuing().Raw)}
	for i, crl := range ca.CRLs() {
		files[filepath.Join(crls, string(rune('a'+i))+".crl")] = crl
	}
	for file, b := range files {
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return []string{"-roots", roots, "-intermediates", issuing, "-crls", crls}
}
