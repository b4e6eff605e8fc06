package ess_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log"
	"math/big"
	"strings"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
)

// Of a checked signer: who is to get a receipt.
func ExampleParseReceiptRequest() {
	request := &ess.ReceiptRequest{
		ContentID: []byte("20260601-1@example.com"),
		From:      []string{"bob@example.com"},
		To:        []string{"alice@example.com"},
	}
	der, err := request.Encode()
	if err != nil {
		log.Fatal(err)
	}
	read, err := ess.ParseReceiptRequest(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(read.From, read.To)
	// Output: [bob@example.com] [alice@example.com]
}

// A receipt quotes the signature that it acknowledges.
func ExampleParseReceipt() {
	data, err := x509.ParseOID("1.2.840.113549.1.7.1")
	if err != nil {
		log.Fatal(err)
	}
	sent := []byte("the signature as it was sent")
	receipt := &ess.Receipt{ContentType: data, ContentID: []byte("20260601-1@example.com"), Signature: sent}
	der, err := receipt.Encode()
	if err != nil {
		log.Fatal(err)
	}
	read, err := ess.ParseReceipt(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s %v\n", read.ContentID, bytes.Equal(read.Signature, sent))
	// Output: 20260601-1@example.com true
}

func ExampleParseContentHints() {
	data, err := x509.ParseOID("1.2.840.113549.1.7.1")
	if err != nil {
		log.Fatal(err)
	}
	der, err := (&ess.ContentHints{Description: "minutes of the board", ContentType: data}).Encode()
	if err != nil {
		log.Fatal(err)
	}
	hints, err := ess.ParseContentHints(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q\n", hints.Description)
	// Output: "minutes of the board"
}

func ExampleParseContentReference() {
	data, err := x509.ParseOID("1.2.840.113549.1.7.1")
	if err != nil {
		log.Fatal(err)
	}
	first := &ess.ContentReference{ContentType: data, ContentID: []byte("part 1"), Signature: []byte{1, 2, 3}}
	der, err := first.Encode()
	if err != nil {
		log.Fatal(err)
	}
	reference, err := ess.ParseContentReference(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("continues %q\n", reference.ContentID)
	// Output: continues "part 1"
}

// A mailing list puts itself into the history and stops what went through it.
func ExampleLoops() {
	list := pkcs7.CertID{KeyID: []byte("key of the list")}
	history := []ess.Expansion{{
		List: pkcs7.CertID{KeyID: []byte("key of another list")},
		Time: time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC),
	}}
	fmt.Println(ess.Loops(history, list))

	history = append(history, ess.Expansion{
		List:     list,
		Time:     time.Date(2026, 6, 1, 12, 1, 0, 0, time.UTC),
		Receipts: ess.ReceiptsInsteadTo, // the ReceiptPolicy
		Names:    []string{"owner@example.com"},
	})
	der, err := ess.EncodeExpansionHistory(history)
	if err != nil {
		log.Fatal(err)
	}
	read, err := ess.ParseExpansionHistory(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(ess.Loops(read, list), read[1].Names)
	// Output:
	// false
	// true [owner@example.com]
}

// The same label in the terms of several policies, one of which is known here.
func ExampleParseEquivalentLabels() {
	ours, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		log.Fatal(err)
	}
	theirs, err := x509.ParseOID("1.3.6.1.4.1.32473.2")
	if err != nil {
		log.Fatal(err)
	}
	der, err := equivalent(
		&ess.SecurityLabel{Policy: ours, Classification: ess.Confidential},
		&ess.SecurityLabel{Policy: theirs, Classification: 64},
	)
	if err != nil {
		log.Fatal(err)
	}
	labels, err := ess.ParseEquivalentLabels(der)
	if err != nil {
		log.Fatal(err)
	}
	for _, l := range labels {
		if l.Policy.Equal(ours) {
			fmt.Println(l.Classification == ess.Confidential)
		}
	}
	// Output: true
}

// equivalent returns the SEQUENCE OF labels.
func equivalent(labels ...*ess.SecurityLabel) ([]byte, error) {
	var list []asn1.RawValue
	for _, l := range labels {
		der, err := l.Encode()
		if err != nil {
			return nil, err
		}
		list = append(list, asn1.RawValue{FullBytes: der})
	}
	return asn1.Marshal(list)
}

// Labels are compared whole, categories included.
func ExampleSecurityLabel_Equal() {
	policy, err := x509.ParseOID("1.3.6.1.4.1.32473.1")
	if err != nil {
		log.Fatal(err)
	}
	plain := &ess.SecurityLabel{Policy: policy, Classification: ess.Restricted}
	project := &ess.SecurityLabel{Policy: policy, Classification: ess.Restricted,
		Categories: []ess.SecurityCategory{{Type: policy, Value: []byte{0x02, 0x01, 0x2a}}}}
	fmt.Println(plain.Equal(project), project.Equal(project))
	// Output: false true
}

// The certificate that a checked signer wants answers to be encrypted to.
func ExampleParseKeyPreference() {
	der, err := hex.DecodeString("a10804060102030405ff") // recipientKeyId
	if err != nil {
		log.Fatal(err)
	}
	id, err := ess.ParseKeyPreference(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%x %v\n", id.KeyID, id.Serial == nil)
	// Output: 0102030405ff true
}

func ExampleParseOctets() {
	digest, err := ess.ParseOctets([]byte{0x04, 0x02, 0xca, 0xfe})
	fmt.Printf("%x %v\n", digest, err)
	_, err = ess.ParseOctets([]byte{0x04, 0x03, 0xca, 0xfe})
	fmt.Println(errors.Is(err, pkcs7.ErrSyntax))
	// Output:
	// cafe <nil>
	// true
}

// Commitments, policies and places are what a signer claims.
func ExampleParseCommitment() {
	der, err := hex.DecodeString("300d" + "060b2a864886f70d0109100601")
	if err != nil {
		log.Fatal(err)
	}
	commitment, err := ess.ParseCommitment(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(commitment) // proof of origin
	// Output: 1.2.840.113549.1.9.16.6.1
}

func ExampleParseLocation() {
	der, err := hex.DecodeString("300f" + "a0040c024445" + "a1070c05" + hex.EncodeToString([]byte("Mainz")))
	if err != nil {
		log.Fatal(err)
	}
	place, err := ess.ParseLocation(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%q, %q\n", place.Locality, place.Country)
	// Output: "Mainz", "DE"
}

func ExampleParseSignaturePolicy() {
	der, err := hex.DecodeString("0500") // implied by something else
	if err != nil {
		log.Fatal(err)
	}
	policy, err := ess.ParseSignaturePolicy(der)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(policy.Hash == nil)
	// Output: true
}

// signedBy returns the signer of a message, checked.
func signedBy(key pkcs7.SigningKey) (*pkcs7.SignerInfo, [][]byte, error) {
	var message bytes.Buffer
	content := "The content."
	if err := pkcs7.SignDetached(context.Background(), &message, strings.NewReader(content), []pkcs7.SigningKey{key}, nil); err != nil {
		return nil, nil, err
	}
	r, err := pkcs7.NewSignedReader(&message, strings.NewReader(content), nil)
	if err != nil {
		return nil, nil, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, nil, err
	}
	signers, err := r.Signers()
	if err != nil {
		return nil, nil, err
	}
	elements, err := r.UnverifiedElements()
	if err != nil {
		return nil, nil, err
	}
	return signers[0], elements, signers[0].CheckSignature(key.Certificate)
}

// exampleKey makes a key with a certificate that nobody vouches for.
func exampleKey() (pkcs7.SigningKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return pkcs7.SigningKey{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Alice"}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return pkcs7.SigningKey{}, err
	}
	cert, err := x509.ParseCertificate(der)
	return pkcs7.SigningKey{Certificate: cert, Key: key}, err
}

// Every signature that package pkcs7 makes names its certificate.
func ExampleParseSigningCertificate() {
	key, err := exampleKey()
	if err != nil {
		log.Fatal(err)
	}
	signer, _, err := signedBy(key)
	if err != nil {
		log.Fatal(err)
	}
	for _, attr := range signer.Signed() {
		if attr.Type.String() != "1.2.840.113549.1.9.16.2.47" || len(attr.Values) != 1 {
			continue
		}
		named, err := ess.ParseSigningCertificate(attr.Values[0], false)
		if err != nil {
			log.Fatal(err)
		}
		certHash := named.Certs[0]
		digest := sha256.Sum256(key.Certificate.Raw)
		fmt.Println(bytes.Equal(certHash.Digest, digest[:]), certHash.Serial)
	}
	// Output: true 7
}

// A level is what is there; whether it holds is asked elsewhere.
func ExampleLevelOf() {
	key, err := exampleKey()
	if err != nil {
		log.Fatal(err)
	}
	signer, elements, err := signedBy(key)
	if err != nil {
		log.Fatal(err)
	}
	level := ess.LevelOf(signer, elements)
	fmt.Println(level == ess.BB, level >= ess.BT)
	// Output: true false
}
