package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func TestTwoTokens(t *testing.T) {
	module, store := softHSM(t)
	ca := smimetest.NewCA(t)
	initialise(t, "alice")
	initialise(t, "bob")
	alice := ca.Certify(newRSA(t, module, "alice"), "alice@example.com")
	bob := ca.Certify(newEC(t, module, "bob"), "bob@example.com")
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, label := range []string{"alice", "bob"} {
		// Others are on the token before it: a CA, one that can't be read, and some
		// of other keys under the same identifier.
		putDER(t, module, label, []byte{9}, ca.Issuing().RawSubject, ca.Issuing().Raw)
		putDER(t, module, label, []byte{keyID}, []byte{0x30, 0}, []byte{0x30, 3, 2, 1, 1})
		put(t, module, label, ca.Identity("other@example.com").Certificate())
		put(t, module, label, ca.Certify(rsaKey, "other@example.com").Certificate())
	}
	put(t, module, "alice", alice.Certificate())
	put(t, module, "bob", bob.Certificate())

	for _, id := range []*smime.Identity{alice, bob} {
		token, _, _ := strings.Cut(id.Mailboxes()[0], "@")
		t.Run(token, func(t *testing.T) { uses(t, module, token, ca, id) })
	}
	t.Run("wrong PIN", func(t *testing.T) {
		err := run(t.Context(), module, "alice", "0000", "sign", bytes.NewReader(nil), &bytes.Buffer{})
		if !errors.Is(err, pkcs7.ErrKeyUnavailable) {
			t.Error(err)
		}
	})
	t.Run("no token", func(t *testing.T) {
		err := run(t.Context(), module, "carol", pin, "sign", bytes.NewReader(nil), &bytes.Buffer{})
		if !errors.Is(err, pkcs7.ErrKeyUnavailable) {
			t.Error(err)
		}
	})
	t.Run("token removed", func(t *testing.T) { removed(t, module, store, ca, alice, bob) })
}

// uses signs and decrypts with the key on one token.
func uses(t *testing.T, module, token string, ca *smimetest.CA, id *smime.Identity) {
	mail := smimetest.Mail(id.Mailboxes()[0], "carol@example.com", "from a token")
	var signed, content bytes.Buffer
	if err := run(t.Context(), module, token, pin, "sign", bytes.NewReader(mail), &signed); err != nil {
		t.Fatal(err)
	}
	signer, err := smime.Verify(t.Context(), &content, &signed, ca.Trust(), &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	if signer.Mailbox() != id.Mailboxes()[0] {
		t.Errorf("signed by %s", signer.Mailbox())
	}

	for _, cipher := range []pkcs7.Cipher{pkcs7.AES256GCM, pkcs7.AES256CBC} {
		sealed := encrypted(t, ca, cipher, id)
		content.Reset()
		if err := run(t.Context(), module, token, pin, "decrypt", bytes.NewReader(sealed), &content); err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(content.Bytes(), []byte("for a token")) {
			t.Errorf("%v: another content", cipher)
		}
	}
	content.Reset()
	err = run(t.Context(), module, token, pin, "decrypt", bytes.NewReader(smimetest.Tamper(t, encrypted(t, ca, pkcs7.AES256GCM, id))), &content)
	if !errors.Is(err, pkcs7.ErrDecrypt) || errors.Is(err, pkcs7.ErrKeyUnavailable) || content.Len() > 0 {
		t.Errorf("tampered: %v", err)
	}
}

func encrypted(t *testing.T, ca *smimetest.CA, cipher pkcs7.Cipher, id *smime.Identity) []byte {
	t.Helper()
	mail := smimetest.Mail("carol@example.com", id.Mailboxes()[0], "for a token")
	var b bytes.Buffer
	opts := &smime.EncryptOptions{Cipher: cipher}
	if err := smime.Encrypt(t.Context(), &b, bytes.NewReader(mail), []*smime.Recipient{ca.Recipient(id)}, opts); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// removed takes the tokens away between the finding of the keys and their use.
func removed(t *testing.T, module, store string, ca *smimetest.CA, people ...*smime.Identity) {
	for _, how := range []string{"session closed", "token gone"} {
		for _, id := range people {
			label, _, _ := strings.Cut(id.Mailboxes()[0], "@")
			tok, err := openToken(module, label, pin)
			if err != nil {
				t.Fatal(err)
			}
			ids, err := tok.identities()
			if err != nil || len(ids) != 1 {
				t.Fatalf("%d identities, %v", len(ids), err)
			}
			if how == "token gone" {
				removeToken(t, tok, store)
			} else if err := tok.close(); err != nil {
				t.Fatal(err)
			}
			var content bytes.Buffer
			_, err = smime.Decrypt(t.Context(), &content, bytes.NewReader(encrypted(t, ca, pkcs7.AES256GCM, id)), ids, nil)
			if !errors.Is(err, pkcs7.ErrKeyUnavailable) || errors.Is(err, pkcs7.ErrDecrypt) || content.Len() > 0 {
				t.Errorf("%s: %s: decrypt: %v", how, label, err)
			}
			mail := smimetest.Mail(id.Mailboxes()[0], "carol@example.com", "from a token")
			if err := smime.Sign(t.Context(), &content, bytes.NewReader(mail), ids[0], nil); !errors.Is(err, pkcs7.ErrKeyUnavailable) || content.Len() > 0 {
				t.Errorf("%s: %s: sign: %v", how, label, err)
			}
		}
	}
}
