package smime_test

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func ExampleIdentity_AnyRecipient() {
	ca := smimetest.NewCA(exampleTB{})
	former := ca.Identity("bob@example.com")
	key, err := former.SigningKey()
	if err != nil {
		panic(err)
	}
	current := ca.Certify(key.Key, "bob@example.com", smimetest.Renewed())
	message := smimetest.Encrypted(exampleTB{}, ca.Identity("alice@example.com"), "Lunch at noon?", former)
	for _, keys := range []smime.Identities{{current}, {current.AnyRecipient()}} {
		var entity bytes.Buffer
		_, err := smime.Decrypt(context.Background(), &entity, bytes.NewReader(message), keys, nil)
		fmt.Println(entity.Len() > 0, errors.Is(err, smime.ErrNoKey))
	}
	// Output:
	// false true
	// true false
}

func TestAnyRecipient(t *testing.T) {
	t.Parallel()
	ca := smimetest.NewCA(t)
	key, _ := newPair(t, 1)
	bob := ca.Certify(key, "bob@example.com")
	message := smimetest.Encrypted(t, ca.Identity("alice@example.com"), "Lunch at noon?", bob)
	lost, err := smime.AnyRecipient(key)
	if err != nil {
		t.Fatal(err)
	}
	var entity bytes.Buffer
	enc, err := smime.Decrypt(t.Context(), &entity, bytes.NewReader(message), smime.Identities{lost}, nil)
	if err != nil || enc.Key != lost || entity.Len() == 0 {
		t.Fatalf("%v", err)
	}
	msg, err := smime.Open(t.Context(), bytes.NewReader(message), &smime.OpenOptions{Keys: smime.Identities{nil, lost}})
	if err != nil {
		t.Fatal(err)
	}
	defer msg.Close()
	if l, ok := msg.Root().(*smime.EncryptedLayer); !ok || l.Opened.Err() != nil {
		t.Errorf("Open: %v", msg)
	}
	t.Run("what an identity without a certificate can't do", func(t *testing.T) {
		if lost.Certificate() != nil || lost.Mailboxes() != nil {
			t.Error("it has a certificate")
		}
		if _, err := lost.SigningKey(); !errors.Is(err, smime.ErrKeyMismatch) {
			t.Errorf("signing key: %v", err)
		}
		if err := smime.Sign(t.Context(), new(bytes.Buffer), bytes.NewReader([]byte("From: bob@example.com\r\n\r\nx")), lost, nil); err == nil {
			t.Error("it signs")
		}
		if _, err := smime.MarshalPKCS12([]*smime.Identity{lost}, "x", nil); !errors.Is(err, smime.ErrMalformed) {
			t.Errorf("PKCS #12: %v", err)
		}
	})
	for name, key := range map[string]any{"none": nil, "a key that only signs": ed25519.NewKeyFromSeed(make([]byte, 32)), "no key": 7} {
		t.Run(name, func(t *testing.T) {
			if _, err := smime.AnyRecipient(key); !errors.Is(err, smime.ErrKeyMismatch) {
				t.Error(err)
			}
		})
	}
	t.Run("somebody else", func(t *testing.T) {
		other, _ := newPair(t, 2)
		id, err := smime.AnyRecipient(other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := smime.Decrypt(t.Context(), new(bytes.Buffer), bytes.NewReader(message), smime.Identities{id}, nil); !errors.Is(err, pkcs7.ErrDecrypt) {
			t.Error(err)
		}
	})
}
