package vectors

import (
	"bytes"
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// TestAgreementByOpenSSL derives the key-encryption key of RFC 8418 section 2
// and RFC 5753 section 7.2 a second time: the exchange and the KDF by the
// openssl command, the SharedInfo by hand. No mail program does X25519 with HKDF as
// the RFC has it.
func TestAgreementByOpenSSL(t *testing.T) {
	tool := suites.Tool(t, "openssl")
	x448, err := alg.ParsePrivateKey(pkcs8(oid.X448, der(asn1.OCTET_STRING, bytes.Repeat([]byte{5}, 56))))
	if err != nil {
		t.Fatal(err)
	}
	x25519, _ := ecdh.X25519().GenerateKey(rand.Reader)
	p256, _ := ecdh.P256().GenerateKey(rand.Reader)
	wrap256 := "300b060960864801650304012d"
	ukm := []byte("sixteen octets..")
	withUKM := "3029" + wrap256 + "a0120410" + hex.EncodeToString(ukm) + "a206040400000100"
	without := "3015" + wrap256 + "a206040400000100"
	n := 0
	for _, tt := range []struct {
		name string
		key  crypto.PrivateKey
		oid  oid.OID
		ukm  []byte
		kdf  []string
	}{
		{"x25519", x25519, oid.DHHKDFSHA256, nil, []string{"-kdfopt", "digest:SHA256", "-kdfopt", "hexinfo:" + without, "HKDF"}},
		{"x25519 ukm", x25519, oid.DHHKDFSHA256, ukm, []string{"-kdfopt", "digest:SHA256", "-kdfopt", "hexsalt:" + hex.EncodeToString(ukm), "-kdfopt", "hexinfo:" + withUKM, "HKDF"}},
		{"x25519 x9.63", x25519, oid.DHStdSHA256KDF, ukm, []string{"-kdfopt", "digest:SHA256", "-kdfopt", "hexinfo:" + withUKM, "X963KDF"}},
		{"x448", x448, oid.DHHKDFSHA512, ukm, []string{"-kdfopt", "digest:SHA512", "-kdfopt", "hexsalt:" + hex.EncodeToString(ukm), "-kdfopt", "hexinfo:" + withUKM, "HKDF"}},
		{"x448 x9.63", x448, oid.DHStdSHA384KDF, nil, []string{"-kdfopt", "digest:SHA384", "-kdfopt", "hexinfo:" + without, "X963KDF"}},
		{"p-256", p256, oid.DHStdSHA1KDF, nil, []string{"-kdfopt", "digest:SHA1", "-kdfopt", "hexinfo:" + without, "X963KDF"}},
		{"p-256 cofactor", p256, oid.DHCofactorSHA512KDF, ukm, []string{"-kdfopt", "digest:SHA512", "-kdfopt", "hexinfo:" + withUKM, "X963KDF"}},
		{"p-256 hkdf", p256, oid.DHHKDFSHA384, nil, []string{"-kdfopt", "digest:SHA384", "-kdfopt", "hexinfo:" + without, "HKDF"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			pub, err := alg.ParsePublicKey(spki(t, tt.key))
			if err != nil {
				t.Fatal(err)
			}
			z, originator, err := alg.Ephemeral(pub)
			if err != nil {
				t.Fatal(err)
			}
			own, err := alg.Agree(tt.key, originator)
			if err != nil || !bytes.Equal(own, z) {
				t.Fatal("secrets differ", err)
			}
			peer := originator
			if tt.key == crypto.PrivateKey(p256) { // the command wants the name of the curve
				peer = bytes.Replace(originator, der(asn1.SEQUENCE, der(asn1.OBJECT_IDENTIFIER, []byte(oid.ECPublicKey))),
					der(asn1.SEQUENCE, der(asn1.OBJECT_IDENTIFIER, []byte(oid.ECPublicKey)), der(asn1.OBJECT_IDENTIFIER, []byte(oid.P256))), 1)
				peer[1] += 10
			}
			if got := derive(t, tool, private(t, tt.key), peer); !bytes.Equal(got, z) {
				t.Fatal("the command has another secret")
			}
			a, err := alg.AgreementOf(named(tt.oid, alg.WrapFor(32).ID.DER()))
			if err != nil {
				t.Fatal(err)
			}
			keks, err := a.KEKs(z, tt.ukm)
			if err != nil {
				t.Fatal(err)
			}
			args := append([]string{"kdf", "-binary", "-keylen", "32", "-kdfopt", secretOption(tt.kdf) + hex.EncodeToString(z)}, tt.kdf...)
			want, err := suites.Command(t, tool, args...).Output()
			if err != nil || !bytes.Equal(keks[0], want) {
				t.Errorf("%x, the command has %x, %v", keks[0], want, err)
			}
			n++
		})
	}
	if n != 8 {
		t.Errorf("%d of 8", n)
	}
}

func secretOption(kdf []string) string {
	if kdf[len(kdf)-1] == "HKDF" {
		return "hexkey:"
	}
	return "hexsecret:"
}

// derive asks the openssl command for a shared secret.
func derive(t *testing.T, tool string, key, peer []byte) []byte {
	t.Helper()
	dir := t.TempDir()
	for name, block := range map[string]*pem.Block{
		"key.pem": {Type: "PRIVATE KEY", Bytes: key}, "peer.pem": {Type: "PUBLIC KEY", Bytes: peer},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := suites.Command(t, tool, "pkeyutl", "-derive", "-inkey", "key.pem", "-peerkey", "peer.pem")
	cmd.Dir = dir
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err, stderr.String())
	}
	return out
}

func private(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	if _, ok := key.(*alg.X448PrivateKey); ok {
		return pkcs8(oid.X448, der(asn1.OCTET_STRING, bytes.Repeat([]byte{5}, 56)))
	}
	b, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spki(t *testing.T, key crypto.PrivateKey) []byte {
	t.Helper()
	if k, ok := key.(*alg.X448PrivateKey); ok {
		pub, ok := k.Public().(*alg.X448PublicKey)
		if !ok {
			t.Fatal("no public key")
		}
		return der(asn1.SEQUENCE, named(oid.X448).DER(), der(asn1.BIT_STRING, []byte{0}, pub.Bytes()))
	}
	b, err := x509.MarshalPKIXPublicKey(key.(interface{ Public() crypto.PublicKey }).Public())
	if err != nil {
		t.Fatal(err)
	}
	return b
}
