package smime_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestPKCS12PassedOver reads files of which some part can't be used.
func TestPKCS12PassedOver(t *testing.T) {
	for _, tt := range []struct {
		file, password string
		identities     int
		err            error // of the file
		skipped        []error
	}{
		{"newline-after.p12", "pw", 1, nil, nil},
		{"openssl-1.0-nonascii-password.p12", "1234é567", 1, nil, nil},
		{"openssl-1.0-nonascii-password.p12", "1234e567", 0, smime.ErrPassword, nil},
		{"keytool-two-passwords.p12", "orchard", 1, nil, []error{smime.ErrPassword}},
		{"blake2-mac.p12", "x", 0, smime.ErrUnsupported, nil},
	} {
		t.Run(tt.file+" with "+tt.password, func(t *testing.T) {
			pfx, err := os.ReadFile(filepath.Join("testdata", "pkcs12", tt.file))
			if err != nil {
				t.Fatal(err)
			}
			checkPFX(t, pfx, tt.password, tt.identities, tt.err, tt.skipped)
		})
	}
}

// checkPFX compares what ReadPKCS12 and ParsePKCS12 say of a file.
func checkPFX(t *testing.T, pfx []byte, password string, identities int, want error, skipped []error) {
	t.Helper()
	p, err := smime.ReadPKCS12(pfx, password)
	if !errors.Is(err, want) || (err == nil) != (want == nil) {
		t.Fatalf("error %v, want %v", err, want)
	}
	if err != nil {
		return
	}
	if len(p.Identities) != identities || len(p.Skipped) != len(skipped) {
		t.Fatalf("%d identities, passed over %v", len(p.Identities), p.Skipped)
	}
	for i, want := range skipped {
		if !errors.Is(p.Skipped[i], want) {
			t.Errorf("passed over: %v, want %v", p.Skipped[i], want)
		}
	}
	ids, err := smime.ParsePKCS12(pfx, password)
	if len(ids) != identities || (err == nil) != (identities > 0) {
		t.Errorf("%d identities, error %v", len(ids), err)
	}
	for _, want := range skipped {
		if identities == 0 && !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}

// TestPKCS12Keys has a key with and without its certificate, and octets after
// the file.
func TestPKCS12Keys(t *testing.T) {
	t.Parallel()
	key, cert := newPair(t, 1)
	other, _ := newPair(t, 2)
	for _, tt := range []struct {
		name       string
		key        any
		cert       *x509.Certificate
		identities int
		skipped    []error
	}{
		{"its certificate", key, cert, 1, nil},
		{"no certificate", other, cert, 0, []error{smime.ErrNoCertificate}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pfx, err := pkcs12.LegacyDES.Encode(tt.key, tt.cert, nil, "x")
			if err != nil {
				t.Fatal(err)
			}
			checkPFX(t, pfx, "x", tt.identities, nil, tt.skipped)
			checkPFX(t, append(pfx, "\r\n\x00 "...), "x", tt.identities, nil, tt.skipped)
			checkPFX(t, append(pfx, "\nx"...), "x", 0, smime.ErrMalformed, nil)
			checkPFX(t, append(pfx, bytes.Repeat([]byte{0}, 17)...), "x", 0, smime.ErrMalformed, nil)
		})
	}
	pfx, err := pkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{cert}, "")
	if err != nil {
		t.Fatal(err)
	}
	p, err := smime.ReadPKCS12(pfx, "")
	if err != nil || len(p.Certificates) != 1 || p.Identities != nil {
		t.Errorf("certificates alone: %+v, %v", p, err)
	}
}

// TestPKCS12FriendlyNames has other programs read the names.
func TestPKCS12FriendlyNames(t *testing.T) {
	openssl, keytool := suites.Tool(t, "openssl"), suites.Tool(t, "keytool")
	ca := smimetest.NewCA(t)
	ids := []*smime.Identity{ca.Identity("alice@example.com"), ca.Identity("alice@example.com")}
	for _, tt := range []struct {
		name   string
		legacy bool
		args   []string
	}{
		{"default", false, nil}, {"legacy", true, []string{"-legacy"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pfx, err := smime.MarshalPKCS12(ids, "orchard", &smime.PKCS12Options{InsecureLegacy: tt.legacy, FriendlyNames: []string{"first", "second"}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "id.p12")
			if err := os.WriteFile(file, pfx, 0o600); err != nil {
				t.Fatal(err)
			}
			out := run(t, openssl, append([]string{"pkcs12", "-in", file, "-passin", "pass:orchard", "-nodes", "-nocerts"}, tt.args...)...)
			for _, name := range []string{"first", "second"} {
				if bytes.Count(out, []byte("friendlyName: "+name)) != 1 {
					t.Errorf("openssl does not show %s", name)
				}
			}
			out = run(t, keytool, "-list", "-keystore", file, "-storetype", "PKCS12", "-storepass", "orchard")
			for _, name := range []string{"first,", "second,"} {
				if !bytes.Contains(out, []byte(name)) {
					t.Errorf("keytool does not show %s\n%s", name, out)
				}
			}
		})
	}
}
