package ess_test

import (
	"crypto/x509"
	"fmt"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
)

// A label is signed as an attribute of the signing key.
func ExampleSecurityLabel() {
	policy, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	label := &ess.SecurityLabel{Policy: policy, Classification: ess.Confidential, PrivacyMark: "for the board"}
	der, err := label.Encode()
	if err != nil {
		fmt.Println(err)
		return
	}
	typ, err := x509.ParseOID("1.2.840.113549.1.9.16.2.2")
	if err != nil {
		fmt.Println(err)
		return
	}
	attr := pkcs7.Attribute{Type: typ, Values: [][]byte{der}}

	read, err := ess.ParseSecurityLabel(attr.Values[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(read.Policy, read.Classification, read.PrivacyMark)
	// Output: 1.3.6.1.4.1.32473.1 3 for the board
}
