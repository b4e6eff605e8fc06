package smime_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
)

func readPEM(t testing.TB, file string) [][]byte {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var ders [][]byte
	for {
		var block *pem.Block
		if block, text = pem.Decode(text); block == nil {
			return ders
		}
		ders = append(ders, block.Bytes)
	}
}

// TestEveryKindOfKey signs and encrypts with each kind of key of the golden
// PKI, with what is chosen where nothing is asked for.
func TestEveryKindOfKey(t *testing.T) {
	t.Parallel()
	pki := suites.Corpus(t, "goldens", "open", "pki")
	trust := chain.NewCollection(
		chain.Anchors(chain.DER(readPEM(t, pki+"/roots.pem")...)),
		chain.Untrusted(chain.DER(readPEM(t, pki+"/intermediates.pem")...)))
	for _, tt := range []struct {
		name            string
		signs, encrypts bool
	}{
		{"rsa2048", true, true}, {"rsa3072", true, true}, {"rsa4096", true, true}, {"rsapss", true, false}, {"rsapss-restricted", true, false},
		{"p256", true, true}, {"p384", true, true}, {"p521", true, true}, {"ed25519", true, false}, {"ed448", true, false},
		{"mldsa44", true, false}, {"mldsa65", true, false}, {"mldsa87", true, false},
		{"x25519", false, true}, {"x448", false, true}, {"mlkem512", false, true}, {"mlkem768", false, true}, {"mlkem1024", false, true},
		{"split-sign", true, false}, {"split-enc", false, true}, {"split-ec-sign", true, false}, {"split-ec-enc", false, true},
		{"no-ku", true, true}, {"noski", true, true}, {"multi-san", true, true}, {"smtputf8", true, true},
		{"expired", false, false}, {"notyet", false, false}, {"wrong-eku", false, false}, {"rsa1024", false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			key, err := smime.ParsePrivateKey(readPEM(t, pki+"/keys/"+tt.name+".key.pem")[0])
			if err != nil {
				t.Fatal(err)
			}
			der := readPEM(t, pki+"/certs/"+tt.name+".pem")[0]
			cert, err := chain.NewEntry(chain.KindCertificate, der, "", nil).Certificate()
			if err != nil {
				t.Fatal(err)
			}
			id, err := smime.NewIdentity(key, cert)
			if err != nil {
				t.Fatal(err)
			}
			box := id.Mailboxes()[0]
			in := "From: " + box + "\r\nTo: " + box + "\r\nSubject: x\r\n\r\nhello\r\n"
			var signed, sealed, out bytes.Buffer
			err = smime.Sign(t.Context(), &signed, strings.NewReader(in), id, nil)
			if err == nil {
				_, err = smime.Verify(t.Context(), &out, &signed, trust, nil)
			}
			if (err == nil) != tt.signs {
				t.Errorf("sign: %v", err)
			}
			if err != nil && !isAny(err, []error{chain.ErrExpired, chain.ErrNotYetValid, chain.ErrWrongPurpose, smime.ErrKeyMismatch, pkcs7.ErrWeak, chain.ErrWeakAlgorithm}) {
				t.Errorf("sign: undocumented %v", err)
			}
			_, err = smime.NewRecipient(t.Context(), box, cert, trust, nil)
			for _, caps := range []smime.Capabilities{nil, smime.OwnCapabilities(cert)} {
				if err != nil {
					break
				}
				to := smime.InsecureRecipient(box, cert, caps)
				sealed.Reset()
				out.Reset()
				if err = smime.Encrypt(t.Context(), &sealed, strings.NewReader(in), []*smime.Recipient{to}, nil); err != nil {
					break
				}
				var enc *smime.Encryption
				enc, err = smime.Decrypt(t.Context(), &out, &sealed, smime.Identities{id}, nil)
				if err == nil && enc.Cipher.Authenticated() != (caps != nil) {
					t.Errorf("cipher %v", enc.Cipher)
				}
			}
			if (err == nil) != tt.encrypts {
				t.Errorf("encrypt: %v", err)
			}
			var one *smime.RecipientError
			var all smime.RecipientErrors
			if err != nil && !errors.As(err, &one) && !errors.As(err, &all) {
				t.Errorf("encrypt: undocumented %v", err)
			}
		})
	}
}
