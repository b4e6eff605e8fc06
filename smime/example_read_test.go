package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// exampleTB lets examples use the fake world of smimetest.
type exampleTB struct{ testing.TB }

func (exampleTB) Helper()                         {}
func (exampleTB) Cleanup(func())                  {}
func (exampleTB) Context() context.Context        { return context.Background() }
func (exampleTB) Fatal(args ...any)               { panic(fmt.Sprint(args...)) }
func (exampleTB) Fatalf(f string, args ...any)    { panic(fmt.Sprintf(f, args...)) }
func (exampleTB) Errorf(f string, args ...any)    { panic(fmt.Sprintf(f, args...)) }
func (exampleTB) Logf(format string, args ...any) {}

// received returns a signed message, and one that is sealed for bob as well,
// with what bob needs to read them.
func received() (signed, sealed []byte, trust *chain.Collection, bob smime.Identities) {
	ca := smimetest.NewCA(exampleTB{})
	alice, id := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	return smimetest.Signed(exampleTB{}, alice, "Lunch at noon?"), smimetest.Sealed(exampleTB{}, alice, "Lunch at noon?", id),
		ca.Trust(), smime.Identities{id}
}

func ExampleVerify() {
	message, _, trust, _ := received()
	var content bytes.Buffer
	signer, err := smime.Verify(context.Background(), &content, bytes.NewReader(message), trust,
		&smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println("not shown:", err) // and content is empty
		return
	}
	fmt.Println("signed by", signer.Mailbox())

	forged := bytes.Replace(message, []byte("noon"), []byte("nine"), 1)
	content.Reset()
	_, err = smime.Verify(context.Background(), &content, bytes.NewReader(forged), trust, nil)
	fmt.Println(errors.Is(err, pkcs7.ErrDigest), content.Len())
	// Output:
	// signed by alice@example.com
	// true 0
}

func ExampleDecrypt() {
	_, message, _, keys := received()
	var content bytes.Buffer
	encryption, err := smime.Decrypt(context.Background(), &content, bytes.NewReader(message), keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	// What is inside is signed: Unseal would have looked at that too.
	fmt.Println(encryption.Key.Mailboxes()[0], len(encryption.Recipients), smime.IsSMIME(content.Bytes()))
	// Output: bob@example.com 1 true
}

func ExampleUnseal() {
	_, message, trust, keys := received()
	var content bytes.Buffer
	signer, _, err := smime.Unseal(context.Background(), &content, bytes.NewReader(message), keys, trust,
		&smime.UnsealOptions{Verify: smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, text, _ := strings.Cut(content.String(), "\r\n\r\n")
	fmt.Println(signer.Mailbox(), "wrote:", strings.TrimSpace(text))
	// Output: alice@example.com wrote: Lunch at noon?
}

// A program that shows mail opens whatever comes and says what it found.
func ExampleOpen() {
	_, message, trust, keys := received()
	m, err := smime.Open(context.Background(), bytes.NewReader(message), &smime.OpenOptions{
		Trust: trust, Keys: keys, Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println("not mail, or too much of it:", err)
		return
	}
	defer m.Close()
	signer, err := m.Signer()
	switch {
	case err == nil:
		fmt.Println("signed by", signer.Mailbox())
	case errors.Is(err, smime.ErrNotSigned):
		fmt.Println("not signed")
	case errors.Is(err, smime.ErrNotCovered):
		fmt.Println("part of this is not signed")
	default:
		fmt.Println("signature invalid:", err)
	}
	fmt.Println("confidential:", m.Confidential() == nil)
	// The cipher of this message does not authenticate; the signature inside does.
	for layer := range m.All() {
		fmt.Printf("%T %v\n", layer, layer.Err() == nil)
	}
	// Output:
	// signed by alice@example.com
	// confidential: true
	// *smime.EncryptedLayer false
	// *smime.SignedLayer true
	// *smime.PlainLayer false
}

func ExampleMessage_Header() {
	signed, _, trust, _ := received()
	m, err := smime.Open(context.Background(), bytes.NewReader(signed), &smime.OpenOptions{Trust: trust, Chain: chain.Options{At: smimetest.Now()}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	for _, f := range m.Header() {
		if f.Name == "Subject" {
			fmt.Println(f.Value, f.Signed) // this sender protects no header fields
		}
	}
	// Output: Test false
}

func ExampleMessage_WriteDisplay() {
	signed, _, trust, _ := received()
	m, err := smime.Open(context.Background(), bytes.NewReader(signed), &smime.OpenOptions{
		Trust: trust, Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	signer, err := m.Signer()
	if err != nil {
		fmt.Println("do not believe what this says:", err)
		return
	}
	fmt.Println("From", signer.Mailbox())
	var shown bytes.Buffer
	if err := m.WriteDisplay(&shown); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(strings.ReplaceAll(shown.String(), "\r\n", "\n"))
	// Output:
	// From alice@example.com
	// Content-Type: text/plain; charset=utf-8
	//
	// Lunch at noon?
}

// What must not be seen of a reply follows from how a mail program makes one.
func ExampleMessage_ReplyHidden() {
	_, sealed, trust, keys := received()
	m, err := smime.Open(context.Background(), bytes.NewReader(sealed), &smime.OpenOptions{
		Trust: trust, Keys: keys, Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	for _, f := range m.ReplyHidden(func(fields []smime.HeaderField) []smime.HeaderField {
		var reply []smime.HeaderField
		for _, f := range fields {
			if f.Name == "Subject" {
				reply = append(reply, smime.HeaderField{Name: "Subject", Value: "Re: " + f.Value})
			}
		}
		return reply
	}) {
		fmt.Printf("outside %s is %q\n", f.Name, f.Outer)
	}
	fmt.Println("the reply must be encrypted:", m.Confidential() == nil)
	// Output: the reply must be encrypted: true
}

func ExampleIsSMIME() {
	fmt.Println(smime.IsSMIME([]byte("Subject: Lunch\r\nContent-Type: text/plain\r\n\r\n")))
	fmt.Println(smime.IsSMIME([]byte("Content-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\n")))
	// Output:
	// false
	// true
}

// A receipt counts for the one message that it is for.
func ExampleVerifyReceipt() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	at := &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}
	ctx := context.Background()
	send := func(text string) []byte {
		var sent bytes.Buffer
		mail := smimetest.Mail("alice@example.com", "bob@example.com", text)
		if err := smime.Sign(ctx, &sent, bytes.NewReader(mail), alice, &smime.SignOptions{RequestReceipt: []string{"bob@example.com"}}); err != nil {
			panic(err)
		}
		return sent.Bytes()
	}
	first, second := send("The first."), send("The second.")
	signer, err := smime.Verify(ctx, io.Discard, bytes.NewReader(first), ca.Trust(), at)
	if err != nil {
		fmt.Println(err)
		return
	}
	var receipt bytes.Buffer
	if err := smime.WriteReceipt(ctx, &receipt, signer, bob); err != nil {
		fmt.Println(err)
		return
	}
	for _, sent := range [][]byte{first, second} {
		_, err := smime.VerifyReceipt(ctx, bytes.NewReader(receipt.Bytes()), bytes.NewReader(sent), ca.Trust(), &smime.ReceiptOptions{Chain: at.Chain})
		fmt.Println(err == nil, errors.Is(err, smime.ErrNoReceipt))
	}
	// Output:
	// true false
	// false true
}

// A receipt is made only when the application wants to send one.
func ExampleWriteReceipt() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	at := &smime.VerifyOptions{Chain: chain.Options{At: smimetest.Now()}}
	ctx := context.Background()

	mail := smimetest.Mail("alice@example.com", "bob@example.com", "Please confirm.")
	var sent, content, receipt bytes.Buffer
	if err := smime.Sign(ctx, &sent, bytes.NewReader(mail), alice, &smime.SignOptions{RequestReceipt: []string{"bob@example.com"}}); err != nil {
		fmt.Println(err)
		return
	}
	// Bob reads it.
	signer, err := smime.Verify(ctx, &content, bytes.NewReader(sent.Bytes()), ca.Trust(), at)
	if err != nil {
		fmt.Println(err)
		return
	}
	if to, ok := signer.ReceiptRequest(); ok {
		fmt.Println("asked:", to)
		if err := smime.WriteReceipt(ctx, &receipt, signer, bob); err != nil {
			fmt.Println(err)
			return
		}
	}
	// Alice kept what she sent.
	by, err := smime.VerifyReceipt(ctx, &receipt, bytes.NewReader(sent.Bytes()), ca.Trust(), &smime.ReceiptOptions{Chain: at.Chain})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("read by", by.Mailbox())
	// Output:
	// asked: [bob@example.com]
	// read by bob@example.com
}
