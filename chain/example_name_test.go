package chain_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"github.com/gosmime/gosmime/chain"
)

func ExampleFormatName() {
	subject, err := asn1.Marshal(pkix.RDNSequence{
		{{Type: []int{2, 5, 4, 10}, Value: "Example, Inc."}},
		{{Type: []int{2, 5, 4, 42}, Value: "Alice"}},
		{{Type: []int{1, 2, 840, 113549, 1, 9, 1}, Value: "alice@example.com"}},
	})
	if err != nil {
		panic(err)
	}
	fmt.Println(chain.FormatName(subject)) // of a certificate: cert.RawSubject
	// Output: emailAddress=alice@example.com,givenName=Alice,O=Example\, Inc.
}
