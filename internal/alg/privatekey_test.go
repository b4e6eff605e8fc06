package alg

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

func readPEM(t testing.TB, file string) *pem.Block {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(b)
	if block == nil {
		t.Fatal("no PEM in", file)
	}
	return block
}

// works signs, agrees or decapsulates with key and reports whether pub sees the result.
func works(t testing.TB, key crypto.PrivateKey, pub *PublicKey) {
	t.Helper()
	if !pub.Matches(key) {
		t.Error("does not match its certificate")
	}
	switch pub.Kind {
	case X25519Key, X448Key:
		z, originator, err := Ephemeral(pub)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := Agree(key, originator); err != nil || !bytes.Equal(got, z) {
			t.Error("other secret", err)
		}
	case MLKEM:
		ct, secret, err := Encapsulate(pub)
		if err != nil {
			t.Fatal(err)
		}
		k := &KEM{ID: pub.Algorithm}
		if got, err := k.Decapsulate(key, ct); err != nil || !bytes.Equal(got, secret) {
			t.Error("other secret", err)
		}
		if _, err := k.Decapsulate(key, ct[1:]); !errors.Is(err, ErrMalformed) {
			t.Error("short ciphertext:", err)
		}
	default:
		scheme, err := SchemeFor(pub)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Sign(t.Context(), key.(crypto.Signer), pub, scheme, []byte("message")); err != nil {
			t.Error(err)
		}
	}
}

// TestCorpusKeys reads all private keys of the corpus, with and without
// password, and uses each with its certificate.
func TestCorpusKeys(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "goldens", "open", "pki")
	n, unsupported := 0, 0
	seen := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(dir, "keys", "*.pem"))
	for _, f := range files {
		name, _, _ := strings.Cut(filepath.Base(f), ".")
		block := readPEM(t, f)
		der := block.Bytes
		switch block.Type {
		case "ENCRYPTED PRIVATE KEY":
			var err error
			if der, err = DecryptPKCS8(der, corpusPassword(t, dir, f), 1_000_000); err != nil {
				t.Errorf("%s: %v", f, err)
				continue
			}
		case "PRIVATE KEY":
			if kind := name[:3]; strings.HasPrefix(name, "rcpt") || kind != "rsa" && seen[kind] && !strings.Contains(f, "only") {
				continue
			}
			seen[name[:3]] = true
		default:
			continue
		}
		key, err := ParsePrivateKey(der)
		if name == "bp256" || name == "k256" {
			if !errors.Is(err, ErrUnsupported) {
				t.Errorf("%s: %v", f, err)
			}
			unsupported++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", f, err)
			continue
		}
		c, err := x509.ParseCertificate(readPEM(t, filepath.Join(dir, "certs", name+".pem")).Bytes)
		if err != nil {
			t.Fatal(err)
		}
		works(t, key, mustKey(t, c.RawSubjectPublicKeyInfo))
		n++
	}
	if n < 30 || unsupported != 2 {
		t.Errorf("%d keys, %d unsupported", n, unsupported)
	}
}

func corpusPassword(t testing.TB, dir, file string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "..", "manifest.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if !strings.Contains(line, `"file": "pki/keys/`+filepath.Base(file)+`"`) {
			continue
		}
		if _, rest, ok := strings.Cut(line, `"password": "`); ok {
			password, _, _ := strings.Cut(rest, `"`)
			return []byte(password)
		}
	}
	t.Fatal("no password for", file)
	return nil
}

// TestStandardKeys reads the examples of RFC 9881, 9909 and 9935, the bad ones too.
func TestStandardKeys(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "pqc")
	good, bad := 0, 0
	files, _ := filepath.Glob(filepath.Join(dir, "rfc99*", "*.priv"))
	more, _ := filepath.Glob(filepath.Join(dir, "rfc9881*", "*.priv"))
	for _, f := range append(files, more...) {
		base := strings.TrimSuffix(filepath.Base(f), ".priv")
		if base == "mldsa65RootCA" {
			continue
		}
		key, err := ParsePrivateKey(readPEM(t, f).Bytes)
		if strings.HasPrefix(base, "bad-") {
			if !errors.Is(err, ErrMismatch) && !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", base, err)
			}
			bad++
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", base, err)
			continue
		}
		for _, suffix := range []string{"-both", "-seed", "-expanded"} {
			base = strings.TrimSuffix(base, suffix)
		}
		good++
		if strings.HasPrefix(base, "id-slh") && testing.Short() {
			continue
		}
		works(t, key, mustKey(t, readPEM(t, filepath.Join(filepath.Dir(f), base+".pub")).Bytes))
	}
	if good != 9+9+3+1 || bad != 7 {
		t.Errorf("%d good, %d bad", good, bad)
	}
}

// TestBareSeed: Bouncy Castle wrote the seed without the CHOICE around it.
func TestBareSeed(t *testing.T) {
	t.Parallel()
	dir := suites.Corpus(t, "samples")
	n := 0
	for _, name := range []string{"ML-KEM-512", "ML-KEM-768", "ML-KEM-1024"} {
		t.Run(name, func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join(dir, "kem-"+name+".key"))
			if err != nil {
				t.Fatal(err)
			}
			if block, _ := pem.Decode(der); block != nil {
				der = block.Bytes
			}
			key, err := ParsePrivateKey(der)
			if err != nil {
				t.Fatal(err)
			}
			crt, err := os.ReadFile(filepath.Join(dir, "kem-"+name+".crt"))
			if err != nil {
				t.Fatal(err)
			}
			if block, _ := pem.Decode(crt); block != nil {
				crt = block.Bytes
			}
			c, err := x509.ParseCertificate(crt)
			if err != nil {
				t.Fatal(err)
			}
			works(t, key, mustKey(t, c.RawSubjectPublicKeyInfo))
			n++
		})
	}
	if n != 3 {
		t.Error(n)
	}
}

func TestPrivateKeyRefused(t *testing.T) {
	t.Parallel()
	for name, der := range map[string][]byte{
		"empty": nil, "short": {0x30, 1}, "huge": make([]byte, 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ParsePrivateKey(der); !errors.Is(err, ErrMalformed) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if _, err := ParsePublicKey(spki(Identifier{OID: oid.DSA}, []byte{2, 1, 1})); err != nil {
		t.Error("DSA is recognised:", err)
	}
}

func FuzzParsePrivateKey(f *testing.F) {
	for _, key := range []any{mustX25519(f)} {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		key, err := ParsePrivateKey(der)
		if (key == nil) != (err != nil) {
			t.Error("both or neither")
		}
	})
}

func mustX25519(t testing.TB) *ecdh.PrivateKey {
	k, err := ecdh.X25519().NewPrivateKey(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return k
}
