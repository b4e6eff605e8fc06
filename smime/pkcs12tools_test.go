package smime_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestPKCS12OfTools reads what other programs write today.
func TestPKCS12OfTools(t *testing.T) {
	const password = "orchard"
	ca := smimetest.NewCA(t)
	p := newPeers(t, ca, "alice@example.com")[1]
	key, cert := filepath.Join(p.dir, "key.pem"), filepath.Join(p.dir, "cert.pem")
	openssl := func(t *testing.T, args ...string) string {
		out := filepath.Join(t.TempDir(), "id.p12")
		run(t, suites.Tool(t, "openssl"), append([]string{"pkcs12", "-export", "-in", cert, "-inkey", key, "-certfile", filepath.Join(p.dir, "ca.pem"), "-out", out, "-passout", "pass:" + password}, args...)...)
		return out
	}
	for _, tt := range []struct {
		name    string
		make    func(t *testing.T) string
		issuers int
	}{
		{"openssl", func(t *testing.T) string { return openssl(t) }, 2},
		{"openssl -legacy", func(t *testing.T) string { return openssl(t, "-legacy") }, 2},
		{"openssl -descert", func(t *testing.T) string {
			return openssl(t, "-legacy", "-descert", "-keypbe", "PBE-SHA1-RC2-128", "-nomaciter")
		}, 2},
		{"openssl -nomac", func(t *testing.T) string { return openssl(t, "-nomac") }, 2},
		{"openssl -keyex", func(t *testing.T) string { return openssl(t, "-keyex", "-name", "Größe", "-caname", "x") }, 2},
		{"keytool", func(t *testing.T) string {
			out := filepath.Join(t.TempDir(), "id.p12")
			run(t, suites.Tool(t, "keytool"), "-importkeystore", "-srckeystore", openssl(t, "-name", "alice"), "-srcstoretype", "PKCS12", "-srcstorepass", password,
				"-destkeystore", out, "-deststoretype", "PKCS12", "-deststorepass", password, "-noprompt")
			return out
		}, 2},
		{"certtool", func(t *testing.T) string {
			out := filepath.Join(t.TempDir(), "id.p12")
			run(t, suites.Tool(t, "certtool"), "--to-p12", "--load-privkey", key, "--load-certificate", cert, "--p12-name", "alice", "--password", password, "--outder", "--outfile", out)
			return out
		}, 0},
		{"pk12util", func(t *testing.T) string {
			db, out := t.TempDir(), filepath.Join(t.TempDir(), "id.p12")
			write(t, db, "pw", nil)
			run(t, suites.Tool(t, "certutil"), "-N", "-d", "sql:"+db, "--empty-password")
			run(t, suites.Tool(t, "pk12util"), "-i", openssl(t, "-name", "alice"), "-d", "sql:"+db, "-W", password, "-k", filepath.Join(db, "pw"))
			run(t, suites.Tool(t, "pk12util"), "-o", out, "-n", "alice", "-d", "sql:"+db, "-W", password, "-k", filepath.Join(db, "pw"))
			return out
		}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pfx, err := os.ReadFile(tt.make(t))
			if err != nil {
				t.Fatal(err)
			}
			ids, err := smime.ParsePKCS12(pfx, password)
			if err != nil || len(ids) != 1 || !bytes.Equal(ids[0].Certificate().Raw, p.id.Certificate().Raw) {
				t.Fatalf("%d identities, error %v", len(ids), err)
			}
			signing, err := ids[0].SigningKey()
			if err != nil || len(signing.Chain) != tt.issuers {
				t.Errorf("%d issuers, error %v", len(signing.Chain), err)
			}
			if _, err := smime.ParsePKCS12(pfx, "orchards"); err == nil {
				t.Error("opened with another password")
			}
			for _, cut := range []int{1, len(pfx) / 2, len(pfx) - 1} {
				if _, err := smime.ParsePKCS12(pfx[:cut], password); err == nil {
					t.Errorf("opened although cut at %d", cut)
				}
			}
		})
	}
}
