package smime_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// Everything that was found out about each signature, good or bad.
func ExampleSignerReport() {
	ca := smimetest.NewCA(exampleTB{})
	message := smimetest.Signed(exampleTB{}, ca.Identity("alice@example.com", smimetest.Expired()), "Lunch at noon?")
	m, err := smime.Open(context.Background(), bytes.NewReader(message), &smime.OpenOptions{
		Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	layer, ok := m.Root().(*smime.SignedLayer)
	if !ok {
		fmt.Println("not signed")
		return
	}
	for _, s := range layer.Signers {
		fmt.Println("integrity:", s.Integrity)
		fmt.Println("strength: ", s.Strength)
		fmt.Println("coverage: ", s.Coverage)
		fmt.Println("expired:  ", errors.Is(s.Trust.Err(), chain.ErrExpired))
		fmt.Println("sender:   ", s.Sender)
		fmt.Println("all of it:", s.Err() == nil)
	}
	// Output:
	// integrity: passed
	// strength:  passed
	// coverage:  passed
	// expired:   true
	// sender:    passed
	// all of it: false
}

// What nobody checked has not passed.
func ExampleVerdict() {
	var v smime.Verdict
	fmt.Println(v.Err() == nil, errors.Is(v.Err(), smime.ErrUnchecked))
	// Output: false true
}

// A Problem is a constant that errors.Is finds however deep it is.
func ExampleProblem() {
	ca := smimetest.NewCA(exampleTB{})
	mallory := ca.Identity("mallory@example.com")
	message := smimetest.Spoofed(exampleTB{}, mallory, "alice@example.com", "Pay 5 to Mallory.")
	_, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(message), ca.Trust(), nil)
	switch {
	case errors.Is(err, smime.ErrNotSigned):
		fmt.Println("not signed")
	case errors.Is(err, smime.ErrSender):
		fmt.Println("signed by somebody else")
	}
	// Output: signed by somebody else
}

// Notes tell what a mail program may want to mention; they decide nothing.
func ExampleNote() {
	ca := smimetest.NewCA(exampleTB{})
	message := smimetest.Signed(exampleTB{}, ca.Identity("alice@example.com"), "Lunch at noon?")
	message = append(message, "\r\nScanned by a gateway.\r\n"...)
	m, err := smime.Open(context.Background(), bytes.NewReader(message), &smime.OpenOptions{
		Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	for layer := range m.All() {
		for _, note := range layer.Notes() {
			fmt.Println(note.Code == smime.NoteEpilogue)
		}
	}
	_, err = m.Signer()
	fmt.Println(err)
	// Output:
	// true
	// <nil>
}

func ExampleNoteCode() {
	fmt.Println(smime.NoteEpilogue)
	// Output: unsigned text after the last part
}

// Limits hold for the message as a whole, all layers together.
func ExampleLimits() {
	message, _, trust, _ := received()
	limits := smime.Limits{CMS: pkcs7.Limits{Bytes: 64}, Parts: 10}
	_, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(message), trust, &smime.VerifyOptions{Limits: limits})
	fmt.Println(errors.Is(err, smime.ErrLimit))
	// Output: true
}

// Who acts on what an encrypted mail says wants to know that nobody changed it.
func ExampleDecryptOptions() {
	ca := smimetest.NewCA(exampleTB{})
	bob := ca.Identity("bob@example.com")
	for _, cipher := range []pkcs7.Cipher{pkcs7.AES256CBC, pkcs7.AES256GCM} {
		var encrypted, entity bytes.Buffer
		err := smime.Encrypt(context.Background(), &encrypted, strings.NewReader(lunch), []*smime.Recipient{ca.Recipient(bob)},
			&smime.EncryptOptions{Cipher: cipher})
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = smime.Decrypt(context.Background(), &entity, &encrypted, smime.Identities{bob}, &smime.DecryptOptions{RequireAuthenticated: true})
		fmt.Println(cipher, errors.Is(err, smime.ErrNotAuthenticated), entity.Len() > 0)
	}
	// Output:
	// AES-256-CBC true false
	// AES-256-GCM false true
}

// message wraps a CMS message in a mail, as other programs send it.
func message(smimeType string, cms []byte) io.Reader {
	return strings.NewReader("From: alice@example.com\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: application/pkcs7-mime; smime-type=" + smimeType + "\r\n" +
		"Content-Transfer-Encoding: base64\r\n\r\n" + base64.StdEncoding.EncodeToString(cms) + "\r\n")
}

// A mail of certificates alone is a suggestion, to be verified when used.
func ExampleCertificatesLayer() {
	ca := smimetest.NewCA(exampleTB{})
	bob, ctx := ca.Identity("bob@example.com"), context.Background()
	var p7c bytes.Buffer
	if err := pkcs7.WriteCertificates(&p7c, [][]byte{bob.Certificate().Raw}, nil); err != nil {
		fmt.Println(err)
		return
	}
	m, err := smime.Open(ctx, message("certs-only", p7c.Bytes()), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	layer, ok := m.Root().(*smime.CertificatesLayer)
	if !ok {
		fmt.Println("something else")
		return
	}
	book := ca.Trust().With(chain.Untrusted(chain.DER(layer.Certificates...)))
	to, err := smime.FindRecipients(ctx, []string{"bob@example.com"}, book, nil)
	fmt.Println(len(to), err)
	// Output: 1 <nil>
}

// Compression hides nothing and proves nothing: the layer is only opened.
func ExampleCompressedLayer() {
	var cms bytes.Buffer
	if err := pkcs7.Compress(&cms, strings.NewReader("Content-Type: text/plain\r\n\r\nLunch at noon?\r\n")); err != nil {
		fmt.Println(err)
		return
	}
	m, err := smime.Open(context.Background(), message("compressed-data", cms.Bytes()), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	layer, ok := m.Root().(*smime.CompressedLayer)
	fmt.Println(ok, errors.Is(layer.Err(), smime.ErrNotSigned), layer.Content().Size())
	// Output: true true 44
}

// A receipt is recognized when it is opened; VerifyReceipt says what it is for.
func ExampleReceiptLayer() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob, ctx := ca.Identity("alice@example.com"), ca.Identity("bob@example.com"), context.Background()
	var sent, receipt bytes.Buffer
	err := smime.Sign(ctx, &sent, strings.NewReader(lunch), alice, &smime.SignOptions{RequestReceipt: []string{"bob@example.com"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	signer, err := smime.Verify(ctx, io.Discard, bytes.NewReader(sent.Bytes()), ca.Trust(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := smime.WriteReceipt(ctx, &receipt, signer, bob); err != nil {
		fmt.Println(err)
		return
	}
	m, err := smime.Open(ctx, bytes.NewReader(receipt.Bytes()), &smime.OpenOptions{Trust: ca.Trust()})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	if _, ok := m.Root().(*smime.ReceiptLayer); !ok {
		fmt.Println("no receipt")
		return
	}
	by, err := smime.VerifyReceipt(ctx, &receipt, bytes.NewReader(sent.Bytes()), ca.Trust(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("read by", by.Mailbox())
	// Output: read by bob@example.com
}

// The parts of a message, each with who signed exactly it.
func ExampleMessage_Parts() {
	ca := smimetest.NewCA(exampleTB{})
	signed := smimetest.Signed(exampleTB{}, ca.Identity("alice@example.com"), "Lunch at noon?")
	header, body, _ := strings.Cut(string(signed), "\r\n\r\n")
	outer, content, _ := strings.Cut(header, "Content-Type:")
	// A mailing list adds its footer beside the signed part.
	message := outer + "Content-Type: multipart/mixed; boundary=list\r\n\r\n" +
		"--list\r\nContent-Type:" + content + "\r\n\r\n" + body + "\r\n" +
		"--list\r\nContent-Type: text/plain\r\n\r\nUnsubscribe at example.org.\r\n--list--\r\n"
	m, err := smime.Open(context.Background(), strings.NewReader(message), &smime.OpenOptions{
		Trust: ca.Trust(), Chain: chain.Options{At: smimetest.Now()},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer m.Close()
	for part := range m.Parts() {
		content, err := part.Content()
		if err != nil {
			fmt.Println(err)
			return
		}
		text, err := io.ReadAll(content)
		if err != nil {
			fmt.Println(err)
			return
		}
		signature, _ := part.Assess()
		fmt.Printf("%v %s: %s %s\n", part.Path, part.Type, strings.TrimSpace(string(text)), signature)
	}
	// Output:
	// [0 0] text/plain: Lunch at noon? Signed by alice@example.com. It was not changed.
	// [1] text/plain: Unsubscribe at example.org. This message is not signed.
}

// The two answers that a program shows to a person.
func ExampleMessage_Assess() {
	ca := smimetest.NewCA(exampleTB{})
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	opts := &smime.OpenOptions{Trust: ca.Trust(), Keys: smime.Identities{bob}, Chain: chain.Options{At: smimetest.Now()}}
	for _, message := range [][]byte{
		smimetest.Sealed(exampleTB{}, alice, "Lunch at noon?", bob),
		smimetest.Tamper(exampleTB{}, smimetest.Signed(exampleTB{}, alice, "Lunch at noon?")),
		smimetest.Spoofed(exampleTB{}, bob, "alice@example.com", "Lunch at noon?"),
		smimetest.Mail("alice@example.com", "bob@example.com", "Lunch at noon?"),
	} {
		m, err := smime.Open(context.Background(), bytes.NewReader(message), opts)
		if err != nil {
			fmt.Println(err)
			return
		}
		signature, encryption := m.Assess()
		fmt.Printf("[%v] %v\n[%v] %v\n", signature.Severity, signature, encryption.Severity, encryption)
		m.Close()
	}
	// Output:
	// [good] Signed by alice@example.com. It was not changed.
	// [good] Encrypted. Nobody on the way could read or change it.
	// [bad] This message was changed after it was signed.
	// [none] This message is not encrypted.
	// [bad] Signed by bob@example.com, but sent in the name of alice@example.com.
	// [none] This message is not encrypted.
	// [none] This message is not signed.
	// [none] This message is not encrypted.
}

// The answers for what a verb returned.
func ExampleAssess() {
	ca := smimetest.NewCA(exampleTB{})
	message := smimetest.Signed(exampleTB{}, ca.Identity("alice@example.com"), "Lunch at noon?")
	signer, err := smime.Verify(context.Background(), io.Discard, bytes.NewReader(message), nil, nil)
	signature, _ := smime.Assess(signer, nil, err)
	fmt.Println(signature.Code, "-", signature)
	// Output: no-trust - Signed. Choose whom you trust to find out by whom.
}
