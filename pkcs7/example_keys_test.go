package pkcs7_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"

	"github.com/gosmime/gosmime/pkcs7"
)

// encryptTo writes a message with the given options.
func encryptTo(dst io.Writer, opts *pkcs7.EncryptOptions, to ...pkcs7.Recipient) error {
	w, err := pkcs7.NewEncryptWriter(context.Background(), dst, to, opts)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, "The content."); err != nil {
		return err
	}
	return w.Close()
}

func ExampleKeyOf() {
	alice := newKey()
	var message bytes.Buffer
	if err := encryptTo(&message, nil, pkcs7.ToCertificate(alice.Certificate, nil)); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(ctx context.Context, to []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(alice.Certificate, alice.Key)}, nil
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), &message, keys, &pkcs7.DecryptOptions{RequireAuthenticated: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%s opened by %v\n", content, r.Certificate().Subject)
	// Output: The content. opened by CN=Alice
}

func ExampleKeyFromPassword() {
	var message bytes.Buffer
	if err := encryptTo(&message, nil, pkcs7.ToPassword([]byte("correct horse"))); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyFromPassword([]byte("correct horse"))}, nil
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), &message, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	content, err := io.ReadAll(r)
	if err != nil { // ErrDecrypt, if the password is wrong
		fmt.Println(err)
		return
	}
	fmt.Printf("%s\n", content)
	// Output: The content.
}

// A KeyFunc looks up what the message names, and asks nobody else.
func ExampleKeyFunc() {
	bob := newKey()
	store := []pkcs7.SigningKey{bob} // and the keys of others
	var keys pkcs7.KeyFunc = func(ctx context.Context, to []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		var found []pkcs7.DecryptionKey
		for _, k := range store {
			for _, id := range to {
				if id.Kind == pkcs7.ByCertificate && id.Matches(k.Certificate) {
					found = append(found, pkcs7.KeyOf(k.Certificate, k.Key))
				}
			}
		}
		return found, nil
	}
	var message bytes.Buffer
	if err := encryptTo(&message, nil, pkcs7.ToCertificate(bob.Certificate, nil)); err != nil {
		fmt.Println(err)
		return
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), &message, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Certificate().Equal(bob.Certificate))
	// Output: true
}

func ExampleIDKind() {
	alice := newKey()
	var message bytes.Buffer
	err := encryptTo(&message, nil,
		pkcs7.ToCertificate(alice.Certificate, nil),
		pkcs7.ToKey([]byte("archive"), bytes.Repeat([]byte{1}, 32)))
	if err != nil {
		fmt.Println(err)
		return
	}
	none := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) { return nil, nil }
	_, err = pkcs7.NewDecryptReader(context.Background(), &message, none, nil)
	if no, ok := errors.AsType[*pkcs7.NoKeyError](err); ok {
		for _, id := range no.Recipients {
			switch id.Kind {
			case pkcs7.ByCertificate:
				fmt.Println("a certificate:", id.Matches(alice.Certificate))
			case pkcs7.ByKEK:
				fmt.Printf("a secret: %q\n", id.KeyID)
			case pkcs7.ByPassword:
				fmt.Println("a password")
			}
		}
	}
	// Output:
	// a certificate: true
	// a secret: "archive"
}

// A message can name recipients by key identifier, which tells less about them
// than the name of their issuer and a serial number.
func ExampleRecipientOptions() {
	alice := newKey()
	template := &x509.Certificate{SerialNumber: big.NewInt(1), SubjectKeyId: []byte("alice's key")}
	der, err := x509.CreateCertificate(rand.Reader, template, template, alice.Key.Public(), alice.Key)
	if err != nil {
		fmt.Println(err)
		return
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		fmt.Println(err)
		return
	}
	var message bytes.Buffer
	if err := encryptTo(&message, nil, pkcs7.ToCertificate(cert, &pkcs7.RecipientOptions{ByKeyID: true})); err != nil {
		fmt.Println(err)
		return
	}
	none := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) { return nil, nil }
	_, err = pkcs7.NewDecryptReader(context.Background(), &message, none, nil)
	if no, ok := errors.AsType[*pkcs7.NoKeyError](err); ok {
		id := no.Recipients[0]
		fmt.Printf("%s, by serial number: %v\n", id.KeyID, id.Serial != nil)
	}
	// Output: alice's key, by serial number: false
}

// All recipients that fail are told, and nothing is written for the others.
func ExampleRecipientError() {
	alice := newKey()
	signOnly, err := x509.ParseCertificate(signOnlyDER())
	if err != nil {
		fmt.Println(err)
		return
	}
	var message bytes.Buffer
	err = encryptTo(&message, nil, pkcs7.ToCertificate(alice.Certificate, nil), pkcs7.ToCertificate(signOnly, nil))
	if e, ok := errors.AsType[*pkcs7.RecipientError](err); ok {
		fmt.Println("recipient", e.Index, message.Len())
	}
	// Output: recipient 1 0
}

// Who knows the size gets DER, and the tag covers readable attributes.
func ExampleEncryptOptions() {
	alice := newKey()
	hint, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	var message bytes.Buffer
	opts := &pkcs7.EncryptOptions{
		Cipher:         pkcs7.AES128GCM,
		Size:           int64(len("The content.")),
		AuthAttributes: []pkcs7.Attribute{{Type: hint, Values: [][]byte{{0x05, 0x00}}}},
	}
	if err := encryptTo(&message, opts, pkcs7.ToCertificate(alice.Certificate, nil)); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(alice.Certificate, alice.Key)}, nil
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), &message, keys, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	if _, err := io.Copy(io.Discard, r); err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range r.AuthenticatedAttributes() {
		if a.Type.Equal(hint) {
			fmt.Println(r.Cipher(), a.Type)
		}
	}
	// Output: AES-128-GCM 1.3.6.1.4.1.32473.1
}

// Limits bound what a message may cost; shared ones count for several layers.
func ExampleLimits() {
	var message bytes.Buffer
	if err := pkcs7.Compress(&message, strings.NewReader(strings.Repeat("0", 1<<20))); err != nil {
		fmt.Println(err)
		return
	}
	err := pkcs7.Decompress(io.Discard, &message, &pkcs7.ReadOptions{Limits: pkcs7.Limits{Expanded: 64 << 10}.Shared()})
	fmt.Println(errors.Is(err, pkcs7.ErrLimit))
	// Output: true
}
