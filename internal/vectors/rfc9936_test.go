package vectors

import (
	"bytes"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
)

// TestRFC9936 takes every step of the printed example, with each form of the
// private key.
func TestRFC9936(t *testing.T) {
	dir := suites.Corpus(t, "pqc", "rfc9936-ml-kem")
	value := func(name string) []byte {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		out, err := hex.DecodeString(strings.Join(strings.Fields(string(b)), ""))
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	kem := &alg.KEM{ID: named(oid.MLKEM512), KDF: named(oid.HKDFSHA256), Wrap: alg.WrapFor(16)}
	for _, form := range []string{"seed", "expanded", "both"} {
		t.Run(form, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(dir, "ML-KEM-512-"+form+".priv"))
			if err != nil {
				t.Fatal(err)
			}
			block, _ := pem.Decode(b)
			key, err := alg.ParsePrivateKey(block.Bytes)
			if err != nil {
				t.Fatal(err)
			}
			secret, err := kem.Decapsulate(key, value("ciphertext.txt"))
			if err != nil || !bytes.Equal(secret, value("shared_secret.txt")) {
				t.Fatalf("%x, %v", secret, err)
			}
			kek, err := kem.KEK(secret, value("ori_info.txt"), 16)
			if err != nil || !bytes.Equal(kek, value("kek.txt")) {
				t.Fatalf("%x, %v", kek, err)
			}
			cek, err := kem.Wrap.Unwrap(kek, value("encrypted_cek.txt"))
			if err != nil || !bytes.Equal(cek, value("cek.txt")) {
				t.Fatalf("%x, %v", cek, err)
			}
		})
	}
}
