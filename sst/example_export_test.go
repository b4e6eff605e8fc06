package sst_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"log"
	"os"

	"github.com/gosmime/gosmime/sst"
)

func openStore(name string) *sst.Store {
	file, err := os.Open(name)
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	store, err := sst.Read(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	return store
}

// PEM has no properties: who reads it does not know what the store forbids.
func ExampleStore_WritePEM() {
	store := openStore("testdata/roots.sst")
	var text bytes.Buffer
	if err := store.WritePEM(&text); err != nil {
		log.Fatal(err)
	}
	for block, rest := pem.Decode(text.Bytes()); block != nil; block, rest = pem.Decode(rest) {
		fmt.Println(block.Type)
	}
	// Output:
	// CERTIFICATE
	// CERTIFICATE
	// X509 CRL
}

func ExampleStore_WritePKCS7() {
	var file bytes.Buffer
	if err := openStore("testdata/roots.sst").WritePKCS7(&file); err != nil {
		log.Fatal(err)
	}
	again, err := sst.ReadAny(&file, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(again.Elements))
	// Output: 3
}

// To list certificates; to trust them there is Source.
func ExampleStore_Certificates() {
	for cert, err := range openStore("testdata/roots.sst").Certificates() {
		if err != nil {
			fmt.Println(err) // and the next one
			continue
		}
		fmt.Println(cert.Subject)
	}
	// Output:
	// CN=Example Root
	// CN=Old Root
}

// Each kind of property has a method that decodes it.
func ExampleElement_Lookup() {
	e := openStore("testdata/roots.sst").Elements[0]
	if p, ok := e.Lookup(sst.PropFriendlyName); ok {
		fmt.Println(p.Text())
	}
	if p, ok := e.Lookup(sst.PropEnhKeyUsage); ok {
		fmt.Println(p.OIDs())
	}
	if p, ok := e.Lookup(sst.PropKeyBits); ok {
		fmt.Println(p.Number())
	}
	fmt.Println(e.Archived())
	// Output:
	// Example root <nil>
	// [1.3.6.1.5.5.7.3.4 1.3.6.1.5.5.7.3.1] <nil>
	// false
}
