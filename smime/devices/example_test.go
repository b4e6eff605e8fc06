package devices_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"math/big"
	"time"

	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/devices"
)

// examplePeople returns a CA and the keys of alice, an expired one first.
func examplePeople() (*x509.Certificate, []*smime.Identity) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	year := func(y int) time.Time { return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC) }
	tpl := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example CA"}, NotBefore: year(2020), NotAfter: year(2050),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	ca := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key))))
	var ids []*smime.Identity
	for i, until := range []int{2022, 2050} {
		own := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
		leaf := &x509.Certificate{SerialNumber: big.NewInt(int64(i) + 2), Subject: pkix.Name{CommonName: "Alice"}, EmailAddresses: []string{"alice@example.com"},
			NotBefore: year(until - 2), NotAfter: year(until), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyAgreement,
			ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}}
		if i == 1 {
			leaf.NotBefore = year(2022)
		}
		cert := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, leaf, ca, own.Public(), key))))
		ids = append(ids, must(smime.NewIdentity(own, cert, ca)))
	}
	return ca, ids
}

func exampleConnectorFile() []byte {
	key := must(rsa.GenerateKey(rand.Reader, 2048))
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: must(x509.MarshalPKIXPublicKey(key.Public()))})
}

func ExampleParseConnectorKey() {
	key, err := devices.ParseConnectorKey(exampleConnectorFile())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(key.N.BitLen(), "bits")
	// Output: 2048 bits
}

// Every key of a user is posted to Graph, one resource at a time.
func ExampleUserPFXCertificates() {
	_, ids := examplePeople()
	key, err := devices.ParseConnectorKey(exampleConnectorFile())
	if err != nil {
		log.Fatal(err)
	}
	connector := &devices.Connector{Key: key, ProviderName: "Microsoft Software Key Storage Provider", KeyName: "PFXEncryptionKey"}
	list, err := devices.UserPFXCertificates(connector, "alice@example.com", ids, nil)
	if err != nil {
		log.Fatal(err)
	}
	for _, u := range list {
		body, err := json.Marshal(u) // POST /deviceManagement/userPfxCertificates
		if err != nil {
			log.Fatal(err)
		}
		purpose, err := u.IntendedPurpose.MarshalText()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(purpose), "until", u.ExpirationDateTime.Year(), json.Valid(body))
	}
	// Output:
	// smimeEncryption until 2022 true
	// smimeEncryption until 2050 true
}

// A profile with all keys, whose account signs and encrypts with the present
// one. The passwords go another way than the profile.
func ExampleProfile() {
	ca, ids := examplePeople()
	p := &devices.Profile{
		Identifier:  "com.example.mail.alice",
		DisplayName: "Mail of Alice",
		Identities:  ids,
		CAs:         []*x509.Certificate{ca},
		Account: &devices.ExchangeAccount{Mailbox: "alice@example.com", Host: "outlook.office365.com", OAuth: true,
			SMIME: devices.SMIME{Sign: true, UserChooses: true}},
	}
	profile, passwords, err := p.Marshal()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bytes.Count(profile, []byte("com.apple.security.pkcs12<")), "keys,", len(passwords), "passwords")
	// Output: 2 keys, 2 passwords
}

func ExampleSignProfile() {
	ca, ids := examplePeople()
	profile, _, err := (&devices.Profile{Identifier: "com.example.roots", CAs: []*x509.Certificate{ca}}).Marshal()
	if err != nil {
		log.Fatal(err)
	}
	var signed bytes.Buffer // contents of a file .mobileconfig
	if err := devices.SignProfile(context.Background(), &signed, profile, ids[1]); err != nil {
		log.Fatal(err)
	}
	fmt.Println(signed.Len() > len(profile))
	// Output: true
}

// A Problem is a constant that errors.Is finds.
func ExampleProblem() {
	_, err := devices.ParseConnectorKey([]byte("RSA2 and a private key"))
	fmt.Println(err)
	// Output: devices: malformed: connector key: the blob is too short
}
