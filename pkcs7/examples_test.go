package pkcs7_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
)

// newKey makes a key with a certificate that nobody vouches for.
func newKey() pkcs7.SigningKey {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Alice"},
		NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		panic(err)
	}
	return pkcs7.SigningKey{Certificate: cert, Key: key}
}

// only trusts one certificate. Programs use the TrustFunc of a chain.Collection.
func only(trusted *x509.Certificate) pkcs7.TrustFunc {
	return func(_ context.Context, cert *x509.Certificate, _ time.Time, _ [][]byte) error {
		if !cert.Equal(trusted) {
			return errors.New("unknown certificate")
		}
		return nil
	}
}

func ExampleNewSignWriter() {
	key := newKey()
	var msg bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &msg, []pkcs7.SigningKey{key}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(w, "The content.")
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	var content strings.Builder
	signers, err := pkcs7.Verify(context.Background(), &content, &msg, nil, only(key.Certificate), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(signers[0].Certificate().Subject, "signed:", content.String())
	// Output: CN=Alice signed: The content.
}

func ExampleVerify() {
	alice, mallory := newKey(), newKey()
	var msg bytes.Buffer
	if err := pkcs7.SignDetached(context.Background(), &msg, strings.NewReader("The content."), []pkcs7.SigningKey{alice}, nil); err != nil {
		fmt.Println(err)
		return
	}
	for _, trusted := range []pkcs7.SigningKey{alice, mallory} {
		for _, content := range []string{"The content.", "Another one."} {
			var out strings.Builder
			_, err := pkcs7.Verify(context.Background(), &out, bytes.NewReader(msg.Bytes()), strings.NewReader(content), only(trusted.Certificate), nil)
			fmt.Printf("%q %v\n", out.String(), errors.Is(err, pkcs7.ErrDigest))
		}
	}
	// Output:
	// "The content." false
	// "" true
	// "" false
	// "" true
}

func ExampleNewSignedReader() {
	key := newKey()
	var msg bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &msg, []pkcs7.SigningKey{key}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(w, "The content.")
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}

	r, err := pkcs7.NewSignedReader(&msg, nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	content, err := io.ReadAll(r) // nobody vouches for it yet
	if err != nil {
		fmt.Println(err)
		return
	}
	signers, err := r.Signers()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range signers {
		fmt.Println(s.Scheme(), s.ID().Matches(key.Certificate), s.CheckSignature(key.Certificate))
	}
	fmt.Printf("%s\n", content)
	// Output:
	// ECDSA with SHA-256 true <nil>
	// The content.
}

func ExampleSignerInfo_Countersign() {
	author, notary := newKey(), newKey()
	var msg bytes.Buffer
	if err := pkcs7.SignDetached(context.Background(), &msg, strings.NewReader("The content."), []pkcs7.SigningKey{author}, nil); err != nil {
		fmt.Println(err)
		return
	}
	first := func(msg []byte) *pkcs7.SignerInfo {
		r, err := pkcs7.NewSignedReader(bytes.NewReader(msg), strings.NewReader("The content."), nil)
		if err != nil {
			panic(err)
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			panic(err)
		}
		signers, err := r.Signers()
		if err != nil {
			panic(err)
		}
		return signers[0]
	}
	s := first(msg.Bytes())
	if err := s.CheckSignature(author.Certificate); err != nil {
		fmt.Println(err)
		return
	}
	attr, err := s.Countersign(context.Background(), notary, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var out bytes.Buffer
	if err := pkcs7.AddUnsigned(&out, &msg, 0, attr); err != nil {
		fmt.Println(err)
		return
	}
	counters, err := first(out.Bytes()).Countersigners()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(counters), counters[0].CheckSignature(notary.Certificate))
	// Output: 1 <nil>
}

func ExampleAddSigner() {
	alice, bob := newKey(), newKey()
	var one, two bytes.Buffer
	w, err := pkcs7.NewSignWriter(context.Background(), &one, []pkcs7.SigningKey{alice}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	io.WriteString(w, "The content.")
	if err := w.Close(); err != nil {
		fmt.Println(err)
		return
	}
	if err := pkcs7.AddSigner(context.Background(), &two, &one, bob, nil); err != nil {
		fmt.Println(err)
		return
	}
	signers, err := pkcs7.Verify(context.Background(), io.Discard, &two, nil, pkcs7.InsecureAnySigner, nil)
	fmt.Println(len(signers), err)
	// Output: 2 <nil>
}

func ExampleCompress() {
	var msg bytes.Buffer
	if err := pkcs7.Compress(&msg, strings.NewReader(strings.Repeat("The content. ", 100))); err != nil {
		fmt.Println(err)
		return
	}
	size := msg.Len()
	var out strings.Builder
	err := pkcs7.Decompress(&out, &msg, nil)
	fmt.Println(size < 200, out.Len(), err)
	// Output: true 1300 <nil>
}

func ExampleReadCertificates() {
	var file bytes.Buffer
	if err := pkcs7.WriteCertificates(&file, [][]byte{newKey().Certificate.Raw}, nil); err != nil {
		fmt.Println(err)
		return
	}
	certs, crls, err := pkcs7.ReadCertificates(&file, nil)
	fmt.Println(len(certs), len(crls), err)
	// Output: 1 0 <nil>
}
