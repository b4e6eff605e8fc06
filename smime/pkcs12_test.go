package smime_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestGoldenPKCS12 holds every file of the corpus to its expectation.
func TestGoldenPKCS12(t *testing.T) {
	rows := suites.Goldens(t, func(g *suites.Golden) bool { return g.Kind == "pfx" })
	root := suites.Corpus(t, "goldens", "open")
	for _, g := range rows {
		t.Run(filepath.Base(g.File), func(t *testing.T) {
			pfx, err := os.ReadFile(filepath.Join(root, g.File))
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			ids, err := smime.ParsePKCS12(pfx, g.Password)
			if took := time.Since(start); g.Late(took) && runtime.GOOS != "js" && !testing.Short() {
				t.Errorf("took %v", took)
			}
			if g.Expected != "ok" {
				wrong := errors.Is(err, smime.ErrPassword) || errors.Is(err, smime.ErrMalformed) || errors.Is(err, smime.ErrLimit) || errors.Is(err, smime.ErrUnsupported)
				if !wrong || ids != nil {
					t.Fatalf("%d identities, error %v", len(ids), err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, raw := range g.Contains {
				var name string
				if err := json.Unmarshal(raw, &name); err != nil {
					t.Fatal(err)
				}
				want, err := os.ReadFile(filepath.Join(root, "pki", "der", name+".der"))
				if err != nil {
					t.Fatal(err)
				}
				if !holds(ids, want) {
					t.Errorf("no identity for %s", name)
				}
			}
			if filepath.Base(g.File) == "rsa2048-two-keys.bc.p12" && len(ids) != 2 {
				t.Errorf("%d identities of two", len(ids))
			}
		})
	}
	if len(rows) < 60 {
		t.Errorf("only %d files", len(rows))
	}
}

func holds(ids []*smime.Identity, cert []byte) bool {
	for _, id := range ids {
		if bytes.Equal(id.Certificate().Raw, cert) {
			return true
		}
	}
	return false
}

// newPair returns a key and a self-signed certificate.
func newPair(t testing.TB, serial int64) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "somebody"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		EmailAddresses: []string{"somebody@example.com"},
		KeyUsage:       x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return key, cert
}

func newIdentity(t testing.TB, serial int64) *smime.Identity {
	t.Helper()
	key, cert := newPair(t, serial)
	id, err := smime.NewIdentity(key, cert)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestPKCS12RoundTrip(t *testing.T) {
	t.Parallel()
	ids := []*smime.Identity{newIdentity(t, 1), newIdentity(t, 2), newIdentity(t, 3)}
	for _, tt := range []struct {
		name     string
		n        int
		password string
		legacy   bool
		names    []string
	}{
		{"one", 1, "orchard", false, nil},
		{"three", 3, "", false, nil},
		{"letters", 1, "Äpfel-и-груши", false, nil},
		{"names", 2, "orchard", false, []string{"Größe", "former"}},
		{"legacy, one", 1, "orchard", true, nil},
		{"legacy, three", 3, "", true, nil},
		{"legacy, letters", 3, "Äpfel-и-груши", true, nil},
		{"legacy, one name of two", 2, "orchard", true, []string{"", "former"}},
		{"legacy, named", 1, "orchard", true, []string{"Größe"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pfx, err := smime.MarshalPKCS12(ids[:tt.n], tt.password, &smime.PKCS12Options{InsecureLegacy: tt.legacy, FriendlyNames: tt.names})
			if err != nil {
				t.Fatal(err)
			}
			got, err := smime.ParsePKCS12(pfx, tt.password)
			if err != nil || len(got) != tt.n {
				t.Fatalf("%d identities of %d: %v", len(got), tt.n, err)
			}
			for i := range got {
				if !bytes.Equal(got[i].Certificate().Raw, ids[i].Certificate().Raw) {
					t.Errorf("identity %d is another", i)
				}
				if tt.names != nil && got[i].FriendlyName() != tt.names[i] {
					t.Errorf("identity %d is named %q", i, got[i].FriendlyName())
				}
			}
			if tt.names == nil {
				return
			}
			// A name that was read is written again.
			if pfx, err = smime.MarshalPKCS12(got, tt.password, &smime.PKCS12Options{InsecureLegacy: true}); err != nil {
				t.Fatal(err)
			}
			if got, err = smime.ParsePKCS12(pfx, tt.password); err != nil || got[len(got)-1].FriendlyName() != tt.names[len(got)-1] {
				t.Errorf("the name was lost: %v", err)
			}
		})
	}
	pfx, err := smime.MarshalPKCS12(ids[:1], "right", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := smime.ParsePKCS12(pfx, "wrong"); !errors.Is(err, smime.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	for _, tt := range []struct {
		name string
		ids  []*smime.Identity
		opts *smime.PKCS12Options
	}{
		{"nothing to write", nil, nil},
		{"nil", []*smime.Identity{nil}, nil},
		{"more names than identities", ids[:1], &smime.PKCS12Options{FriendlyNames: []string{"a", "b"}}},
		{"name outside of the BMP", ids[:1], &smime.PKCS12Options{FriendlyNames: []string{"\U0001F511"}}},
		{"long name", ids[:1], &smime.PKCS12Options{FriendlyNames: []string{strings.Repeat("a", 256)}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := smime.MarshalPKCS12(tt.ids, "", tt.opts); !errors.Is(err, smime.ErrMalformed) {
				t.Error(err)
			}
		})
	}
}

// TestPKCS12Peers has other programs write and read the files.
func TestPKCS12Peers(t *testing.T) {
	ids := []*smime.Identity{newIdentity(t, 1), newIdentity(t, 2)}
	for _, legacy := range []bool{false, true} {
		t.Run(fmt.Sprintf("legacy %v", legacy), func(t *testing.T) {
			pfx, err := smime.MarshalPKCS12(ids[:1], "orchard", &smime.PKCS12Options{InsecureLegacy: legacy})
			if err != nil {
				t.Fatal(err)
			}
			if _, cert, _, err := pkcs12.DecodeChain(pfx, "orchard"); err != nil || !bytes.Equal(cert.Raw, ids[0].Certificate().Raw) {
				t.Errorf("go-pkcs12: %v", err)
			}
			openssl := suites.Tool(t, "openssl")
			for n := 1; n <= 2; n++ {
				if n == 2 {
					if pfx, err = smime.MarshalPKCS12(ids, "orchard", &smime.PKCS12Options{InsecureLegacy: legacy}); err != nil {
						t.Fatal(err)
					}
				}
				file := filepath.Join(t.TempDir(), "id.p12")
				if err := os.WriteFile(file, pfx, 0o600); err != nil {
					t.Fatal(err)
				}
				out, err := suites.Command(t, openssl, "pkcs12", "-in", file, "-passin", "pass:orchard", "-nodes", "-legacy").CombinedOutput()
				if err != nil {
					t.Fatalf("openssl: %v\n%s", err, out)
				}
				if got := bytes.Count(out, []byte("BEGIN PRIVATE KEY")); got != n {
					t.Errorf("openssl found %d keys of %d", got, n)
				}
			}
		})
	}
}

// TestPKCS12CertificateOrder: the key decides whose certificate is whose,
// wherever it stands.
func TestPKCS12CertificateOrder(t *testing.T) {
	t.Parallel()
	key, cert := newPair(t, 1)
	_, other := newPair(t, 2)
	pfx, err := pkcs12.LegacyDES.Encode(key, other, []*x509.Certificate{cert}, "x")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := smime.ParsePKCS12(pfx, "x")
	if err != nil || len(ids) != 1 || !bytes.Equal(ids[0].Certificate().Raw, cert.Raw) {
		t.Fatalf("%d identities, error %v", len(ids), err)
	}
	pfx, err = pkcs12.LegacyDES.Encode(key, other, nil, "x")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := smime.ParsePKCS12(pfx, "x"); !errors.Is(err, smime.ErrNoCertificate) {
		t.Fatalf("a key with somebody's certificate: %v", err)
	}
}

func FuzzParsePKCS12(f *testing.F) {
	id := newIdentity(f, 1)
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{id}, "x", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(pfx)
	plain, err := pkcs12.Passwordless.Encode(must(x509.ParsePKCS8PrivateKey(unhex(f, p256PKCS8))), id.Certificate(), nil, "")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(plain)
	f.Add([]byte{0x30, 0x80, 0x02, 0x01, 0x03, 0, 0})
	f.Fuzz(func(t *testing.T, pfx []byte) {
		ids, err := smime.ParsePKCS12(pfx, "x")
		if (err == nil) != (len(ids) > 0) {
			t.Fatalf("%d identities with error %v", len(ids), err)
		}
		if err != nil {
			known := false
			for _, p := range []error{smime.ErrMalformed, smime.ErrPassword, smime.ErrNoCertificate, smime.ErrLimit, smime.ErrUnsupported, smime.ErrWeak, smime.ErrKeyMismatch} {
				known = known || errors.Is(err, p)
			}
			if !known {
				t.Fatalf("undocumented error %v", err)
			}
		}
	})
}

// p256PKCS8 is a key for tests.
const p256PKCS8 = "308187020100301306072a8648ce3d020106082a8648ce3d030107046d306b0201010420" +
	"0101010101010101010101010101010101010101010101010101010101010101" +
	"a144034200046ff03b949241ce1dadd43519e6960e0a85b41a69a05c328103aa2bce1594ca163c4f753a55bf01dc53f6c0b0c7eee78b40c6ff7d25a96e2282b989cef71c144a"

func unhex(t testing.TB, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// TestPKCS12LongHistory: what was written of a whole history can be read again,
// here and by others.
func TestPKCS12LongHistory(t *testing.T) {
	const n = 30
	ca := smimetest.NewCA(t)
	var history []*smime.Identity
	for range n {
		history = append(history, ca.Identity("alice@example.com"))
	}
	pfx, err := smime.MarshalPKCS12(history, "orchard", nil)
	if err != nil {
		t.Fatal(err)
	}
	ids, err := smime.ParsePKCS12(pfx, "orchard")
	if err != nil || len(ids) != n {
		t.Fatalf("%d identities: %v", len(ids), err)
	}
	for i, id := range ids {
		key, err := id.SigningKey()
		if err != nil || !id.Certificate().Equal(history[i].Certificate()) || len(key.Chain) != 1 || !key.Chain[0].Equal(ca.Issuing()) {
			t.Errorf("identity %d: %d issuers, %v", i, len(key.Chain), err)
		}
	}
	if bytes.Count(pfx, history[0].Certificate().RawSubject) > 0 {
		t.Error("certificates are not encrypted")
	}
	if _, err := smime.ParsePKCS12(pfx, "pear"); !errors.Is(err, smime.ErrPassword) {
		t.Errorf("wrong password: %v", err)
	}
	for _, legacy := range []bool{false, true} {
		t.Run(fmt.Sprintf("legacy %v", legacy), func(t *testing.T) {
			if _, err := smime.MarshalPKCS12(history[:2], "\U0001F511", &smime.PKCS12Options{InsecureLegacy: legacy}); !errors.Is(err, smime.ErrMalformed) {
				t.Errorf("password that can't be written: %v", err)
			}
		})
	}
	// Others derive the key anew for each of them.
	if pfx, err = smime.MarshalPKCS12(history[:3], "orchard", nil); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "id.p12")
	if err := os.WriteFile(file, pfx, 0o600); err != nil {
		t.Fatal(err)
	}
	out := run(t, suites.Tool(t, "openssl"), "pkcs12", "-in", file, "-passin", "pass:orchard", "-nodes")
	if keys, certs := bytes.Count(out, []byte("BEGIN PRIVATE KEY")), bytes.Count(out, []byte("BEGIN CERTIFICATE")); keys != 3 || certs != 4 || bytes.Count(out, []byte("localKeyID")) != 6 {
		t.Errorf("openssl found %d keys and %d certificates", keys, certs)
	}
	out = run(t, suites.Tool(t, "keytool"), "-list", "-keystore", file, "-storetype", "PKCS12", "-storepass", "orchard")
	if got := bytes.Count(out, []byte("PrivateKeyEntry")); got != 3 {
		t.Errorf("keytool found %d keys", got)
	}
}
