package smime_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

const lunch = "From: alice@example.com\r\nTo: bob@example.com\r\nSubject: Lunch\r\n" +
	"Content-Type: text/plain; charset=utf-8\r\n\r\nAt noon?\r\n"

func ExampleSign() {
	alice := smimetest.NewCA(exampleTB{}).Identity("alice@example.com")
	var signed bytes.Buffer
	if err := smime.Sign(context.Background(), &signed, strings.NewReader(lunch), alice, nil); err != nil {
		fmt.Println(err)
		return
	}
	head, _, _ := strings.Cut(signed.String(), "; protocol")
	fmt.Println(head[strings.LastIndex(head, "\n")+1:])

	// Nobody signs in another's name.
	other := strings.Replace(lunch, "alice@", "carol@", 1)
	err := smime.Sign(context.Background(), &signed, strings.NewReader(other), alice, nil)
	fmt.Println(errors.Is(err, smime.ErrSender))
	// Output:
	// Content-Type: multipart/signed
	// true
}

func ExampleEncrypt() {
	ca := smimetest.NewCA(exampleTB{})
	bob := ca.Identity("bob@example.com")
	to, err := smime.FindRecipients(context.Background(), []string{"bob@example.com"}, ca.Directory(bob), nil)
	if err != nil {
		fmt.Println(err) // nothing is sent to anybody
		return
	}
	var encrypted, content bytes.Buffer
	if err := smime.Encrypt(context.Background(), &encrypted, strings.NewReader(lunch), to, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(encrypted.String(), "Subject: [...]"))

	if _, err := smime.Decrypt(context.Background(), &content, &encrypted, smime.Identities{bob}, nil); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.Contains(content.String(), "Subject: Lunch"))
	// Output:
	// true
	// true
}

func ExampleSeal() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	var sealed, content bytes.Buffer
	err := smime.Seal(context.Background(), &sealed, strings.NewReader(lunch), alice, []*smime.Recipient{ca.Recipient(bob)},
		&smime.SealOptions{ToSelf: ca.Recipient(alice)})
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, encryption, err := smime.Unseal(context.Background(), &content, &sealed, smime.Identities{bob}, ca.Trust(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(signer.Mailbox(), len(encryption.Recipients))
	// Output: alice@example.com 2
}

func ExampleFindRecipients() {
	ca := smimetest.NewCA(exampleTB{})
	trust := ca.Directory(ca.Identity("bob@example.com"), ca.Identity("carol@example.com", smimetest.Expired()))
	_, err := smime.FindRecipients(context.Background(), []string{"bob@example.com", "carol@example.com", "dave@example.com"}, trust, nil)
	var failed smime.RecipientErrors
	if errors.As(err, &failed) {
		for _, f := range failed { // all of them, each with its reason
			fmt.Println(f.Mailbox, errors.Is(f, chain.ErrExpired), errors.Is(f, smime.ErrNoCertificate))
		}
	}
	// Output:
	// carol@example.com true false
	// dave@example.com false true
}

func ExampleNewRecipient() {
	ca, stranger := smimetest.NewCA(exampleTB{}), smimetest.NewCA(exampleTB{})
	for _, cert := range []*x509.Certificate{
		ca.Identity("bob@example.com").Certificate(),
		stranger.Identity("bob@example.com").Certificate(),
	} {
		r, err := smime.NewRecipient(context.Background(), "bob@example.com", cert, ca.Trust(), nil)
		fmt.Println(r != nil, errors.Is(err, chain.ErrUnknownIssuer))
	}
	// Output:
	// true false
	// false true
}

func ExampleParsePKCS12() {
	ca := smimetest.NewCA(exampleTB{})
	former, current := ca.Identity("alice@example.com"), ca.Identity("alice@example.com", smimetest.Renewed())
	// The compatible form is for devices; its encryption is weak.
	pfx, err := smime.MarshalPKCS12([]*smime.Identity{current, former}, "correct horse", &smime.PKCS12Options{InsecureLegacy: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	ids, err := smime.ParsePKCS12(pfx, "correct horse")
	if err != nil {
		fmt.Println(err)
		return
	}
	var keys smime.Keyring = smime.Identities(ids) // opens mail to either key
	_, wrong := smime.ParsePKCS12(pfx, "battery staple")
	fmt.Printf("%d keys of %v in a %T\n", len(ids), ids[0].Mailboxes(), keys)
	fmt.Println(errors.Is(wrong, smime.ErrPassword))
	// Output:
	// 2 keys of [alice@example.com] in a smime.Identities
	// true
}

func ExampleOwnCapabilities() {
	alice := smimetest.NewCA(exampleTB{}).Identity("alice@example.com")
	der, err := smime.OwnCapabilities(alice.Certificate()).MarshalBinary()
	if err != nil {
		fmt.Println(err)
		return
	}
	caps, err := smime.ParseCapabilities(der)
	fmt.Println(len(caps) > 0, err)
	// Output: true <nil>
}

// A message that was signed to be encrypted later records what will be hidden.
func ExampleSignOptions_forEncryption() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	var signed, sealed bytes.Buffer
	err := smime.Sign(context.Background(), &signed, strings.NewReader(lunch), alice, &smime.SignOptions{ForEncryption: true})
	if err == nil {
		err = smime.Encrypt(context.Background(), &sealed, &signed, []*smime.Recipient{ca.Recipient(bob)}, nil)
	}
	fmt.Println(strings.Contains(sealed.String(), "Subject: [...]"), err)
	// Output: true <nil>
}
