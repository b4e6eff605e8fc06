package pkcs7_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// checked returns the first signer of a detached signature by key.
func checked(signature []byte, key pkcs7.SigningKey) (*pkcs7.SignerInfo, error) {
	r, err := pkcs7.NewSignedReader(bytes.NewReader(signature), strings.NewReader("The content."), nil)
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, err
	}
	signers, err := r.Signers()
	if err != nil {
		return nil, err
	}
	return signers[0], signers[0].CheckSignature(key.Certificate)
}

// The request is sent to a time stamping authority, and its answer given to
// Timestamp; AddUnsigned puts the token into the message.
func ExampleSignerInfo_TimestampRequest() {
	alice := newKey()
	var signature bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := checked(signature.Bytes(), alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	request := s.TimestampRequest() // POST as application/timestamp-query
	token, err := s.Timestamp(request, []byte("not an answer"))
	fmt.Println(len(token.Values), errors.Is(err, pkcs7.ErrSyntax))
	// Output: 0 true
}

// A signature without a token proves no time, whatever it claims.
func ExampleSignerInfo_VerifyTimestamps() {
	alice := newKey()
	var signature bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := checked(signature.Bytes(), alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	// Programs use a chain.Collection with the purpose chain.TimeStamping.
	nobody := func(context.Context, *x509.Certificate, time.Time, [][]byte) error { return errors.New("not trusted") }
	proved, err := s.VerifyTimestamps(context.Background(), nobody)
	_, claimed := s.ClaimedTime()
	fmt.Println(claimed, proved.IsZero(), errors.Is(err, pkcs7.ErrNoTimestamp))
	// Output: true true true
}

// Whoever passes a message on can add unsigned attributes to it: they prove
// nothing, and the signature still holds.
func ExampleAddUnsigned() {
	alice := newKey()
	var signature, annotated bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &signature, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	archived, err := x509.ParseOID("1.3.6.1.4.1.32473.3")
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := pkcs7.AddUnsigned(&annotated, &signature, 0, pkcs7.Attribute{Type: archived, Values: [][]byte{{0x05, 0x00}}}); err != nil {
		fmt.Println(err)
		return
	}
	s, err := checked(annotated.Bytes(), alice)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range s.Unsigned() {
		fmt.Println(a.Type, s.Strength(alice.Certificate))
	}
	// Output: 1.3.6.1.4.1.32473.3 <nil>
}

// What does not authenticate must not be shown as if nobody changed it.
func ExampleCipher_Authenticated() {
	for _, c := range []pkcs7.Cipher{pkcs7.AES256GCM, pkcs7.AES256CBC} {
		fmt.Println(c, c.Authenticated())
	}
	// Output:
	// AES-256-GCM true
	// AES-256-CBC false
}

// What was found whole can be read again without asking the key again.
func ExampleDecryptReader_Seek() {
	alice := newKey()
	var message bytes.Buffer
	if err := encryptTo(&message, nil, pkcs7.ToCertificate(alice.Certificate, nil)); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyOf(alice.Certificate, alice.Key)}, nil
	}
	r, err := pkcs7.NewDecryptReader(context.Background(), bytes.NewReader(message.Bytes()), keys, &pkcs7.DecryptOptions{Withhold: true})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer r.Close()
	size, err := r.WriteTo(io.Discard)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := r.Seek(4, io.SeekStart); err != nil {
		fmt.Println(err)
		return
	}
	rest, err := io.ReadAll(r)
	fmt.Printf("%d %s %v %v\n", size, rest, err, r.Strength())
	// Output: 12 content. <nil> <nil>
}
