package pkcs7_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/gosmime/gosmime/pkcs7"
)

func ExampleNewEncryptWriter() {
	ctx := context.Background()
	kek := bytes.Repeat([]byte{1}, 32)

	var message bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(ctx, &message, []pkcs7.Recipient{
		pkcs7.ToKey([]byte("archive"), kek), // and ToCertificate for each person
	}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := io.Copy(w, strings.NewReader("nobody else can read this")); err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	keys := func(ctx context.Context, to []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) {
		return []pkcs7.DecryptionKey{pkcs7.KeyFromKEK([]byte("archive"), kek)}, nil
	}
	r, err := pkcs7.NewDecryptReader(ctx, &message, keys, &pkcs7.DecryptOptions{RequireAuthenticated: true})
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
	fmt.Printf("%v: %s\n", r.Cipher(), content)
	// Output: AES-256-GCM: nobody else can read this
}

func ExampleNewDecryptReader_noKey() {
	ctx := context.Background()
	var message bytes.Buffer
	w, err := pkcs7.NewEncryptWriter(ctx, &message, []pkcs7.Recipient{pkcs7.ToPassword([]byte("correct horse"))}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	keys := func(context.Context, []pkcs7.CertID) ([]pkcs7.DecryptionKey, error) { return nil, nil }
	_, err = pkcs7.NewDecryptReader(ctx, &message, keys, nil)
	var missing *pkcs7.NoKeyError
	if errors.As(err, &missing) {
		fmt.Println("by password:", missing.Recipients[0].Kind == pkcs7.ByPassword)
	}
	// Output: by password: true
}
