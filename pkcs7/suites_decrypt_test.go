package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
)

// derOf reads a file that is DER or PEM; of PEM the block of that type.
func derOf(t *testing.T, path, kind string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for rest := b; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return b
		}
		if strings.Contains(block.Type, kind) {
			return block.Bytes
		}
	}
}

func suiteKey(t *testing.T, cert, key string) DecryptionKey {
	t.Helper()
	private, err := parsePrivateKey(derOf(t, key, "PRIVATE KEY"))
	if err != nil {
		t.Fatalf("%s: %v", key, err)
	}
	return KeyOf(&x509.Certificate{Raw: derOf(t, cert, "CERTIFICATE")}, private)
}

// TestSuitesDecrypt opens messages that other projects and the RFCs have. Where
// want is empty the message must fail.
func TestSuitesDecrypt(t *testing.T) {
	t.Parallel()
	root := suites.Corpus(t)
	at := func(elem ...string) string { return filepath.Join(append([]string{root}, elem...)...) }
	kemBob := func(t *testing.T) DecryptionKey {
		private, err := parsePrivateKey(derOf(t, at("rfc9690-rsa-kem/bob.key.der"), "PRIVATE KEY"))
		if err != nil {
			t.Fatal(err)
		}
		return KeyOf(testCertificate(derOf(t, at("rfc9690-rsa-kem/bob.pub.pem"), "PUBLIC KEY"), 1), private)
	}
	pair := func(dir, cert, key string) func(*testing.T) DecryptionKey {
		return func(t *testing.T) DecryptionKey { return suiteKey(t, at(dir, cert), at(dir, key)) }
	}
	sample := func(name string) func(*testing.T) DecryptionKey { return pair("samples", name+".crt", name+".key") }
	chacha := func(t *testing.T) DecryptionKey {
		return KeyFromKEK([]byte("id"), derOf(t, at("samples/chacha-kek.key"), ""))
	}
	bob := pair("rfc4134", "BobRSASignByCarl.cer", "BobPrivRSAEncrypt.pri")
	rfc4134 := "This is some sample content."
	tests := []struct {
		file string
		key  func(*testing.T) DecryptionKey
		want string
	}{
		{"rfc4134/5.1.bin", bob, rfc4134},
		{"rfc4134/5.2.bin", bob, rfc4134},
		{"rfc9690-rsa-kem/enveloped-rsa-kem.cms", kemBob, "Hello, world!"},
		{"pqc/rfc9936-ml-kem/ML-KEM-512.cms", pair("pqc/rfc9936-ml-kem", "ML-KEM-512.pem", "ML-KEM-512-seed.priv"), "Hello, world!"},
		{"pqc/rfc9936-ml-kem/ML-KEM-512.cms", pair("pqc/rfc9936-ml-kem", "ML-KEM-512.pem", "ML-KEM-512-both.priv"), "Hello, world!"},
		{"samples/auth-ccm128.der", sample("auth-ccm128"), "*"},
		{"samples/auth-gcm128.der", sample("auth-gcm128"), "*"},
		{"samples/chacha-kek.der", chacha, "*"},
		{"samples/enc-p256.der", sample("enc-p256"), "*"},
		{"samples/g-ec-cbc-sha1.der", sample("gec"), "hello"},
		{"samples/g-ec-cbc-sha256.der", sample("gec"), "hello"},
		{"samples/g-rsa-cbc.der", sample("grsa"), "hello"},
		{"samples/g-rsa-gcm.der", sample("grsa"), "hello"},
		{"samples/g-rsa-oaep.der", sample("grsa"), "hello"},
		{"samples/kem-ML-KEM-512.der", sample("kem-ML-KEM-512"), "*"},
		{"samples/kem-ML-KEM-768.der", sample("kem-ML-KEM-768"), "*"},
		{"samples/kem-ML-KEM-1024.der", sample("kem-ML-KEM-1024"), "*"},
		{"go-pkcs7/smallstep/decrypt_test.003_RSAPKCS1v15EncryptedTestFixture_PKCS7.der", pair("go-pkcs7/smallstep", "decrypt_test.004_pem_CERTIFICATE.der", "decrypt_test.005_pem_RSA-PRIVATE-KEY.der"), "*"},
		{"go-pkcs7/smallstep/decrypt_test.006_RSAOAEPSHA1EncryptedTestFixture_PKCS7.der", pair("go-pkcs7/smallstep", "decrypt_test.007_pem_CERTIFICATE.der", "decrypt_test.008_pem_RSA-PRIVATE-KEY.der"), "*"},
		// Its parameters say MGF1 with SHA-1, which was not used.
		{"go-pkcs7/smallstep/decrypt_test.009_RSAOAEPSHA256EncryptedTestFixture_PKCS7.der", pair("go-pkcs7/smallstep", "decrypt_test.010_pem_CERTIFICATE.der", "decrypt_test.011_pem_RSA-PRIVATE-KEY.der"), ""},
		{"openssl/80-test_cms_data/ciphertext_from_1_1_1.cms", pair("openssl/smime-certs", "smec3.pem", "smec3.pem"), "*"},
		{"openssl/80-test_cms_data/rsa-malformed.der", pair("openssl/smime-certs", "smrsa1.pem", "smrsa1.pem"), ""},
		{"openssl/80-test_cms_data/ecdh-malformed.der", pair("openssl/80-test_cms_data", "ecdh-cert.pem", "ecdh-key.pem"), ""},
		{"openssl/cms-msg/missing-kdf.der", chacha, ""},
		{"openssl/cms-msg/enveloped-content-type-for-aes-gcm.pem", chacha, ""},
		{"openssl/80-test_cmsapi_data/cms_pwri_kek_oob.der", chacha, ""},
		{"openssl/80-test_cmsapi_data/encDataWithTooLongIV.pem", chacha, ""},
		{"pyca/pkcs7/enveloped-rsa-oaep.pem", pair("pyca/pkcs7", "rsa_ca.pem", "rsa_key.pem"), "*"},
		{"pyca/pkcs7/enveloped-triple-des.pem", pair("pyca/pkcs7", "rsa_ca.pem", "rsa_key.pem"), "*"},
		{"pyca/pkcs7/enveloped-no-content.der", pair("pyca/pkcs7", "rsa_ca.pem", "rsa_key.pem"), ""},
	}
	for _, tt := range tests {
		msg := envelopeOf(t, derOf(t, at(tt.file), ""))
		for way := range 4 {
			got, err := openGolden(msg, []DecryptionKey{tt.key(t)}, &DecryptOptions{InsecureHistoric: true}, way)
			switch {
			case tt.want == "" && (err == nil || !documentedDecrypt(err)):
				t.Errorf("%s: %v", tt.file, err)
			case tt.want == "":
			case err != nil || len(got) == 0 || tt.want != "*" && string(bytes.TrimRight(got, "\r\n")) != tt.want:
				t.Errorf("%s: %q, %v", tt.file, got, err)
			}
		}
	}
	if len(tests) != 30 {
		t.Errorf("%d messages", len(tests))
	}
}

func TestRFC4134Extract(t *testing.T) {
	t.Parallel()
	root := suites.Corpus(t, "rfc4134")
	key := unhex(t, "737c791f25ead0e04629254352f7dc6291e5cb26917ada32")
	for _, file := range []string{"6.0.bin", "7.1.bin", "7.2.bin"} {
		t.Run(file, func(t *testing.T) {
			msg := derOf(t, filepath.Join(root, file), "")
			var out bytes.Buffer
			keys := fixed(KeyFromKEK(nil, key))
			x, err := Extract(context.Background(), &out, bytes.NewReader(msg), keys, &DecryptOptions{InsecureHistoric: true})
			if err != nil || out.String() != "This is some sample content." || x.Weak == nil {
				t.Errorf("%s: %q, %v", file, out.String(), err)
			}
			for n := range msg {
				out.Reset()
				if _, err := Extract(context.Background(), &out, bytes.NewReader(msg[:n]), keys, &DecryptOptions{InsecureHistoric: true}); err == nil || out.Len() > 0 {
					t.Errorf("%s cut at %d: %d octets, %v", file, n, out.Len(), err)
				}
			}
			for bit := range 8 * len(msg) {
				bad := bytes.Clone(msg)
				bad[bit/8] ^= 1 << (bit % 8)
				out.Reset()
				_, err := Extract(context.Background(), &out, bytes.NewReader(bad), keys, &DecryptOptions{InsecureHistoric: true})
				if err != nil && out.Len() > 0 || err == nil && file == "6.0.bin" && out.String() != "This is some sample content." {
					t.Errorf("%s, bit %d: %q, %v", file, bit, out.String(), err)
				}
			}
		})
	}
}

// TestHackathonMLKEM opens what Bouncy Castle and others made for the IETF
// hackathon. What names other mechanisms is refused.
func TestHackathonMLKEM(t *testing.T) {
	t.Parallel()
	root := suites.Corpus(t, "pqc", "hackathon-cms-v3")
	certs, err := filepath.Glob(filepath.Join(root, "*", "*_ee.der"))
	if err != nil {
		t.Fatal(err)
	}
	opened, refused := 0, 0
	for _, cert := range certs {
		stem := strings.TrimSuffix(cert, "_ee.der")
		private, err := parsePrivateKey(derOf(t, stem+"_priv.der", ""))
		pure := strings.HasPrefix(filepath.Base(stem), "ml-kem-")
		if pure && err != nil {
			t.Errorf("%s: %v", stem, err)
			continue
		}
		msgs, err := filepath.Glob(stem + "_kemri*.der")
		if err != nil {
			t.Fatal(err)
		}
		want := derOf(t, filepath.Join(filepath.Dir(cert), "expected_plaintext.txt"), "")
		for _, file := range msgs {
			msg := derOf(t, file, "")
			key := KeyOf(&x509.Certificate{Raw: derOf(t, cert, "")}, private)
			got, err := decryptAll(bytes.NewReader(msg), fixed(key), nil)
			switch {
			case pure && (err != nil || !bytes.Equal(got, want)):
				t.Errorf("%s: %q, %v", file, got, err)
			case pure:
				opened++
			case !errors.Is(err, ErrUnsupported):
				t.Errorf("%s: %v", file, err)
			default:
				refused++
			}
		}
	}
	if opened < 12 || refused < 40 {
		t.Errorf("%d opened, %d refused", opened, refused)
	}
	t.Logf("%d opened, %d refused", opened, refused)
}
