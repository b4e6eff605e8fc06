package sst_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/sst"
)

func Example() {
	file, err := os.Open("testdata/roots.sst")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	roots, err := sst.Read(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	// The file does not say what it is for. Here it is said.
	trust := chain.NewCollection(chain.Anchors(roots.Source()))
	for e, err := range trust.Find(context.Background(), chain.Query{Kind: chain.KindCertificate}) {
		if err != nil {
			log.Fatal(err)
		}
		cert, err := e.Certificate()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(cert.Subject.CommonName)
	}
	// Output:
	// Example Root
	// Old Root
}

// Listing a store with its properties. What a hash says is compared, never
// believed.
func ExampleRead() {
	b, err := os.ReadFile("testdata/roots.sst")
	if err != nil {
		log.Fatal(err)
	}
	store, err := sst.Read(bytes.NewReader(b), &sst.ReadOptions{Lenient: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, w := range store.Warnings {
		fmt.Println("warning:", w)
	}
	for _, e := range store.Elements {
		fmt.Println(e.Kind)
		for _, p := range e.Properties {
			fmt.Printf("  %v: %v\n", p.ID, p)
		}
	}
	// Output:
	// warning: sst: offset 458, element 1, property SHA1_HASH: is not that of the certificate
	// certificate
	//   FRIENDLY_NAME: "Example root"
	//   ENHKEY_USAGE: 1.3.6.1.5.5.7.3.4 1.3.6.1.5.5.7.3.1
	//   SHA1_HASH: 1ef36db352927eb895dc9600144399cba376a658
	// certificate
	//   DISALLOWED_FILETIME: 2022-01-01T00:00:00Z
	//   SHA1_HASH: 1ef36db352927eb895dc9600144399cba376a658
	// CRL
}

func ExampleStore_Mismatches() {
	file, err := os.Open("testdata/roots.sst")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	store, err := sst.Read(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, m := range store.Mismatches() {
		fmt.Println(m)
	}
	// Output: sst: offset 458, element 1, property SHA1_HASH: is not that of the certificate
}

func ExampleRead_faults() {
	_, err := sst.Read(bytes.NewReader([]byte("\x00\x00\x00\x00CERT\x20\x00\x00\x00\x01\x00\x00\x00\xff\xff\xff\xff")), nil)
	var e *sst.Error
	if errors.As(err, &e) {
		fmt.Println(e.Offset, errors.Is(err, sst.ErrTruncated))
	}
	// Output: 8 true
}

func ExampleReadAny() {
	// A store, an element, PKCS #7, PEM or DER: all the same.
	for _, name := range []string{"testdata/roots.sst", "testdata/element.bin", "testdata/publisher.cer"} {
		file, err := os.Open(name)
		if err != nil {
			log.Fatal(err)
		}
		store, err := sst.ReadAny(file, nil)
		file.Close()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(store.Elements))
	}
	// Output:
	// 3
	// 1
	// 1
}

func ExampleReadElement() {
	// The Blob of a certificate below HKLM\SOFTWARE\Microsoft\SystemCertificates.
	blob, err := os.ReadFile("testdata/element.bin")
	if err != nil {
		log.Fatal(err)
	}
	e, err := sst.ReadElement(blob)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Kind, e.FriendlyName())
	// Output: certificate Example root
}

func ExampleOf() {
	cert := certificate("testdata/publisher.cer")
	var file bytes.Buffer
	if err := sst.Write(&file, sst.Of(cert)); err != nil {
		log.Fatal(err)
	}
	fmt.Println(file.Len() - len(cert.Raw))
	// Output: 32
}

// A root that is trusted for mail alone, and until a day.
func ExampleNewElement() {
	root, err := sst.NewElement(sst.Certificate, certificate("testdata/publisher.cer").Raw)
	if err != nil {
		log.Fatal(err)
	}
	root.Properties = []sst.Property{
		sst.TextProperty(sst.PropFriendlyName, "Partner's root"),
		sst.OIDProperty(sst.PropEnhKeyUsage, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4}),
		sst.TimeProperty(sst.PropDisallowedTime, time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC)),
	}
	var file bytes.Buffer
	if err := sst.Write(&file, &sst.Store{Elements: []sst.Element{root}}); err != nil {
		log.Fatal(err)
	}
	for _, p := range root.Properties {
		fmt.Println(p.ID, p)
	}
	// Output:
	// FRIENDLY_NAME "Partner's root"
	// ENHKEY_USAGE 1.3.6.1.5.5.7.3.4
	// DISALLOWED_FILETIME 2030-01-01T00:00:00Z
}

func ExampleWrite() {
	in, err := os.ReadFile("testdata/roots.sst")
	if err != nil {
		log.Fatal(err)
	}
	store, err := sst.Read(bytes.NewReader(in), nil)
	if err != nil {
		log.Fatal(err)
	}
	var out bytes.Buffer
	if err := sst.Write(&out, store); err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Equal(in, out.Bytes()))
	// Output: true
}

func ExampleParseTrustList() {
	b, err := os.ReadFile("testdata/roots.stl")
	if err != nil {
		log.Fatal(err)
	}
	list, err := sst.ParseTrustList(b) // its signature is not checked
	if err != nil {
		log.Fatal(err)
	}
	for _, s := range list.Subjects {
		fmt.Printf("%x\n", s.Identifier)
		for _, p := range s.Properties {
			fmt.Printf("  %v: %v\n", p.ID, p)
		}
	}
	// Output:
	// 1ef36db352927eb895dc9600144399cba376a658
	//   FRIENDLY_NAME: "Example root"
}

// The caller says who may sign a list.
func ExampleVerifyTrustList() {
	publisher := certificate("testdata/publisher.cer")
	file, err := os.Open("testdata/roots.stl")
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	trust := func(_ context.Context, cert *x509.Certificate, _ time.Time, _ [][]byte) error {
		if !cert.Equal(publisher) {
			return errors.New("signed by somebody else")
		}
		return nil
	}
	list, signers, err := sst.VerifyTrustList(context.Background(), file, trust, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(list.Subjects), "subjects, signed by", signers[0].Subject.CommonName)
	// Output: 1 subjects, signed by publisher
}

func certificate(name string) *x509.Certificate {
	b, err := os.ReadFile(name)
	if err != nil {
		log.Fatal(err)
	}
	cert, err := x509.ParseCertificate(b)
	if err != nil {
		log.Fatal(err)
	}
	return cert
}
