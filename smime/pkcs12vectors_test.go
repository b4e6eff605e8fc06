package smime_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// TestPKCS12Vectors reads the files that other implementations test themselves
// with: PBMAC1 good and bad (OpenSSL), names, no password, certificates or keys
// alone (pyca), a current and a former certificate (RFC 9216).
func TestPKCS12Vectors(t *testing.T) {
	type want struct {
		password string
		ids      int
		err      error
	}
	good, bad, alone := want{"1234", 1, nil}, want{"1234", 0, smime.ErrMalformed}, want{"", 0, smime.ErrNoCertificate}
	named, open := want{"password", 1, nil}, want{"", 1, nil}
	total := 0
	for dir, files := range map[string]map[string]want{
		"openssl/80-test_pkcs12_data": {
			"pbmac1_256_256.good.p12": good, "pbmac1_512_256.good.p12": good, "pbmac1_512_512.good.p12": good,
			"pbmac1_256_256.good-shorter-key-len.p12": good, "pbmac1_sha1_hmac_and_prf.p12": good,
			"pbmac1_256_256.bad-iter.p12": {"1234", 0, smime.ErrPassword}, "pbmac1_256_256.bad-salt.p12": {"1234", 0, smime.ErrPassword},
			"pbmac1_256_256.bad-key-len.p12": bad, "pbmac1_256_256.bad-len.p12": bad, "pbmac1_256_256.bad-salt-type.p12": bad,
			"pbmac1_256_256.negative-len.p12": bad, "pbmac1_256_256.no-len.p12": bad, "pbmac1_256_256.no-salt.p12": bad,
			"pbmac1_256_256.very-big-len.p12": bad, "pbmac1_256_256.zero-len.p12": bad,
			"bad1.p12": {"", 0, smime.ErrMalformed}, "bad2.p12": {"", 0, smime.ErrMalformed}, "bad3.p12": {"", 0, smime.ErrMalformed}, "nomac_parse.p12": {"1234", 0, smime.ErrUnsupported},
		},
		"pyca/pkcs12": {
			"cert-key-aes256cbc.p12": {"cryptography", 1, nil}, "cert-rc2-key-3des.p12": {"cryptography", 1, nil}, "cert-none-key-none.p12": {"cryptography", 1, nil},
			"cert-aes256cbc-no-key.p12": {"cryptography", 0, smime.ErrNoCertificate}, "no-cert-key-aes256cbc.p12": {"cryptography", 0, smime.ErrNoCertificate},
			"no-password.p12": open, "java-truststore.p12": alone,
			"name-1-pwd.p12": named, "name-2-pwd.p12": named, "name-3-pwd.p12": named, "name-2-3-pwd.p12": named, "name-all-pwd.p12": named, "name-unicode-pwd.p12": named, "no-name-pwd.p12": named,
			"name-1-no-pwd.p12": open, "name-2-no-pwd.p12": open, "name-3-no-pwd.p12": open, "name-2-3-no-pwd.p12": open, "name-all-no-pwd.p12": open, "name-unicode-no-pwd.p12": open, "no-name-no-pwd.p12": open,
			"no-cert-name-2-no-pwd.p12": alone, "no-cert-name-3-no-pwd.p12": alone, "no-cert-name-all-no-pwd.p12": alone, "no-cert-name-unicode-no-pwd.p12": alone, "no-cert-no-name-no-pwd.p12": alone,
		},
		"rfc9216": {
			"4.5_PKCS-12-Object-for-Alice.p12": {"alice", 2, nil}, "5.5_PKCS-12-Object-for-Bob.p12": {"bob", 2, nil},
			"7.5_PKCS-12-Object-for-Carlos.p12": {"carlos", 2, nil}, "8.5_PKCS-12-Object-for-Dana.p12": {"dana", 2, nil},
		},
	} {
		for name, w := range files {
			total++
			t.Run(name, func(t *testing.T) {
				pfx, err := os.ReadFile(filepath.Join(suites.Corpus(t, filepath.FromSlash(dir)), name))
				if err != nil {
					t.Fatal(err)
				}
				ids, err := smime.ParsePKCS12(pfx, w.password)
				if len(ids) != w.ids || !errors.Is(err, w.err) {
					t.Errorf("%d identities, want %d; error %v, want %v", len(ids), w.ids, err, w.err)
				}
				if w.ids == 0 || w.password == "" || name == "cert-none-key-none.p12" {
					return
				}
				if ids, err := smime.ParsePKCS12(pfx, w.password+"x"); !errors.Is(err, smime.ErrPassword) || ids != nil {
					t.Errorf("with another password: %v", err)
				}
			})
		}
	}
	if total != 49 {
		t.Errorf("%d files", total)
	}
}

// TestPKCS12History moves a key history as it is deployed to a device: an
// expired certificate, and one key with two certificates, each of which old
// mail may name.
func TestPKCS12History(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	first, _ := newPair(t, 1)
	second, _ := newPair(t, 2)
	const box = "alice@example.com"
	history := []*smime.Identity{ca.Certify(first, box, smimetest.Expired()), ca.Certify(second, box), ca.Certify(second, box, smimetest.Renewed())}
	var mails [][]byte
	for i, id := range history {
		if i == 0 {
			continue // nobody encrypts to what has expired
		}
		mails = append(mails, smimetest.Encrypted(t, id, "to be read for years", id))
	}
	for _, legacy := range []bool{false, true} {
		t.Run(fmt.Sprintf("legacy %v", legacy), func(t *testing.T) {
			pfx, err := smime.MarshalPKCS12(history, "orchard", &smime.PKCS12Options{InsecureLegacy: legacy})
			if err != nil {
				t.Fatal(err)
			}
			ids, err := smime.ParsePKCS12(pfx, "orchard")
			if err != nil || len(ids) != len(history) {
				t.Fatalf("%d identities of %d: %v", len(ids), len(history), err)
			}
			for _, id := range history {
				if !holds(ids, id.Certificate().Raw) {
					t.Errorf("%v is missing", id.Certificate().SerialNumber)
				}
			}
			for i, mail := range mails {
				var content bytes.Buffer
				if _, err := smime.Decrypt(t.Context(), &content, bytes.NewReader(mail), smime.Identities(ids), nil); err != nil || !bytes.Contains(content.Bytes(), []byte("for years")) {
					t.Errorf("mail %d: %v", i, err)
				}
			}
		})
	}
	// Windows writes one key with all certificates of its store beside it.
	one, err := pkcs12.LegacyRC2.Encode(second, history[1].Certificate(), []*x509.Certificate{history[2].Certificate(), ca.Issuing(), ca.Root()}, "orchard")
	if err != nil {
		t.Fatal(err)
	}
	ids, err := smime.ParsePKCS12(one, "orchard")
	if err != nil || len(ids) != 2 {
		t.Fatalf("%d identities: %v", len(ids), err)
	}
	for _, id := range ids {
		key, err := id.SigningKey()
		if err != nil || len(key.Chain) != 2 || !key.Key.(*ecdsa.PrivateKey).Equal(second) {
			t.Errorf("%d issuers: %v", len(key.Chain), err)
		}
	}
}
