package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// To hold a Signer is to know that everything was checked, so what it offers
// may be kept for the answer.
func ExampleSigner() {
	ca := smimetest.NewCA(exampleTB{})
	alice, ctx := ca.Identity("alice@example.com"), context.Background()
	var signed bytes.Buffer
	err := smime.Sign(ctx, &signed, strings.NewReader(lunch), alice, &smime.SignOptions{
		SigningTime: smimetest.Now(), EncryptTo: alice.Certificate(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := smime.Verify(ctx, io.Discard, &signed, ca.Trust(), &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	claimed, ok := signer.ClaimedTime() // what the signer says, and no evidence
	fmt.Println(ok, claimed.Equal(smimetest.Now().Truncate(time.Second)))
	fmt.Println(signer.Path().Leaf().Equal(alice.Certificate()), len(signer.Path().Certificates()))
	if cert := signer.EncryptTo(); cert != nil {
		to, err := smime.NewRecipient(ctx, signer.Mailbox(), cert, ca.Trust(), nil)
		fmt.Println(to.Mailbox(), err)
	}
	// Output:
	// true true
	// true 3
	// alice@example.com <nil>
}

// A program that acts on text asks for the signer before it reads the body.
func ExampleMessage_Body() {
	message, _, trust, _ := received()
	m, err := smime.Open(context.Background(), bytes.NewReader(message), &smime.OpenOptions{Trust: trust, Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	if _, err := m.Signer(); err != nil {
		fmt.Println("not acted on:", err)
		return
	}
	body, err := io.ReadAll(m.Body())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(string(body), "Lunch at noon?"))
	// Output: true
}

// A list added its footer: who signed the part inside is told, and that it is a
// part.
func ExampleSignedLayer_ContentSigner() {
	signed, _, trust, _ := received()
	_, part, _ := strings.Cut(string(signed), "\r\nMIME-Version: 1.0\r\n")
	forwarded := "From: alice@example.com\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=list\r\n\r\n" +
		"--list\r\n" + part + "\r\n--list\r\nContent-Type: text/plain\r\n\r\nTo unsubscribe ...\r\n--list--\r\n"
	m, err := smime.Open(context.Background(), strings.NewReader(forwarded), &smime.OpenOptions{Trust: trust, Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	_, err = m.Signer()
	fmt.Println("part of this is not signed:", errors.Is(err, smime.ErrNotCovered))
	for layer := range m.All() {
		if s, ok := layer.(*smime.SignedLayer); ok {
			signer, err := s.ContentSigner()
			if err != nil {
				fmt.Println(err)
				continue
			}
			fmt.Println(signer.Mailbox(), "signed a part:", s.Errant())
		}
	}
	// Output:
	// part of this is not signed: true
	// alice@example.com signed a part: true
}

// With the keys of an identity package pkcs7 works on what is no mail.
func ExampleIdentity_SigningKey() {
	alice := smimetest.NewCA(exampleTB{}).Identity("alice@example.com")
	key, err := alice.SigningKey()
	if err != nil { // such as a key that can only decrypt
		fmt.Println(err)
		return
	}
	var signature bytes.Buffer
	err = pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("a file"), []pkcs7.SigningKey{key}, nil)
	fmt.Println(signature.Len() > 0, err)
	// Output: true <nil>
}

func ExampleIdentity_DecryptionKey() {
	alice, ctx := smimetest.NewCA(exampleTB{}).Identity("alice@example.com"), context.Background()
	var message bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(ctx, &message, []pkcs7.Recipient{pkcs7.ToCertificate(alice.Certificate(), nil)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.WriteString(w, "a file"); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{alice.DecryptionKey()}, nil
	}
	r, err := pkcs7.NewDecryptReader(ctx, &message, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	fmt.Printf("%s %v\n", content, err)
	// Output: a file <nil>
}
