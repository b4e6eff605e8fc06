package sst_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log"
	"os"
	"unicode/utf16"

	"github.com/gosmime/gosmime/sst"
)

// windows returns text as Windows has it in properties: UTF-16, then a NUL.
func windows(text string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(text + "\x00")) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

// The name of a private key says on which machine a certificate was in use. A
// store that goes elsewhere is written without it.
func ExampleProperty_KeyProvider() {
	value := []byte{
		28, 0, 0, 0, // where the container is
		38, 0, 0, 0, // where the provider is
		1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0,
	}
	value = append(value, windows("mail")...)
	value = append(value, windows("Example Provider")...)
	p := sst.Property{ID: sst.PropKeyProvider, Encoding: 1, Value: value}

	key, err := p.KeyProvider()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.Container, "in", key.Provider)
	// Output: mail in Example Provider
}

func ExampleProperty_Enrollment() {
	counted := func(text string) []byte {
		return append([]byte{byte(len(text) + 1), 0, 0, 0}, windows(text)...)
	}
	value := bytes.Join([][]byte{{17, 0, 0, 0}, counted("ca.example"), counted("Example CA"), counted("Example")}, nil)
	p := sst.Property{ID: sst.PropEnrollment, Encoding: 1, Value: value}

	request, err := p.Enrollment()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(request.RequestID, request.CAHost, request.CA)
	// Output: 17 ca.example Example CA
}

// A root program says which policies of a root stand for more.
func ExampleRootPolicy() {
	value, err := hex.DecodeString("301a" + "301806026701" + "3012" + "3010060a2b0601040182373c0101030200c0")
	if err != nil {
		log.Fatal(err)
	}
	p := sst.Property{ID: sst.PropRootPolicies, Encoding: 1, Value: value}
	list, err := p.RootPolicies()
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range list {
		fmt.Printf("%v %#x\n", r.Policy, r.Flags)
	}
	// Output: 2.23.1 0xc0
}

// A property that this package does not know is kept and shown as it is.
func ExamplePropertyID() {
	const ours sst.PropertyID = 0x8001
	e, err := sst.NewElement(sst.Certificate, certificate("testdata/publisher.cer").Raw)
	if err != nil {
		log.Fatal(err)
	}
	e.Properties = append(e.Properties, sst.Property{ID: ours, Encoding: 1, Value: []byte{0xca, 0xfe}})
	if value, ok := e.Property(ours); ok {
		fmt.Printf("%x\n", value)
	}
	_, ok := e.Lookup(sst.PropFriendlyName)
	fmt.Println(ok, sst.PropFriendlyName)
	// Output:
	// cafe
	// false FRIENDLY_NAME
}

// The subjects of a list are the digests of certificates.
func ExampleTrustListSubject() {
	b, err := os.ReadFile("testdata/roots.stl")
	if err != nil {
		log.Fatal(err)
	}
	list, err := sst.ParseTrustList(b) // its signature is not checked
	if err != nil {
		log.Fatal(err)
	}
	store, err := os.ReadFile("testdata/roots.sst")
	if err != nil {
		log.Fatal(err)
	}
	roots, err := sst.Read(bytes.NewReader(store), nil)
	if err != nil {
		log.Fatal(err)
	}
	sum, _ := roots.Elements[0].Property(sst.PropSHA1)
	for _, s := range list.Subjects {
		fmt.Println(bytes.Equal(s.Identifier, sum), len(s.Properties))
	}
	// Output: true 1
}

// A Problem is a constant to switch on.
func ExampleProblem() {
	_, err := sst.Read(bytes.NewReader([]byte("-----BEGIN CERTIFICATE-----")), nil)
	var e *sst.Error
	if errors.As(err, &e) {
		switch e.Problem {
		case sst.ErrNotStore, sst.ErrVersion:
			fmt.Println("another format: see ReadAny")
		case sst.ErrTruncated:
			fmt.Println("incomplete")
		}
	}
	// Output: another format: see ReadAny
}
