package chain_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"testing"

	"github.com/gosmime/gosmime/chain"
)

// exampleCerts makes what the examples work with.
func exampleCerts() (root, ca, leaf *x509.Certificate) {
	t := new(testing.B)
	r := newRoot(t, "Example Root")
	c := r.newCA(t, "Example CA")
	return r.Certificate, c.Certificate, c.newLeaf(t, "Alice@example.com").Certificate
}

// Trust is the role that a source of certificates is admitted in.
func Example() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(
		chain.Anchors(chain.Certs(root)),
		chain.Untrusted(chain.Certs(ca)),
	)
	path, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning,
		Mailbox: "alice@example.com",
		Options: chain.Options{At: judged}, // now, if not set
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range path.Certificates() {
		fmt.Println(c.Subject)
	}
	fmt.Println(path.Mailboxes())
	// Output:
	// CN=Leaf
	// CN=Example CA
	// CN=Example Root
	// [Alice@example.com]
}

// What came with a message helps to judge that message and nothing else.
func ExampleCollection_With() {
	root, ca, leaf := exampleCerts()
	policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged}}
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)))
	_, err := trust.With(chain.Untrusted(chain.DER(ca.Raw))).Verify(context.Background(), leaf, policy)
	fmt.Println(err)
	_, err = chain.NewCollection(chain.Anchors(chain.Certs(root))).Verify(context.Background(), leaf, policy)
	fmt.Println(errors.Is(err, chain.ErrUnknownIssuer))
	// Output:
	// <nil>
	// true
}

// An Error has the reason, the certificate at fault and every attempt.
func ExampleCollection_Verify() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(chain.RootsAndIntermediates(chain.Certs(root, ca)))
	_, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "mallory@example.com", Options: chain.Options{At: judged},
	})
	if e, ok := errors.AsType[*chain.Error](err); ok {
		fmt.Println(e.Reason)
		fmt.Println(e.Detail)
		fmt.Println(e.Cert.Subject)
		fmt.Println(len(e.Tried))
	}
	// Output:
	// chain: wrong mailbox
	// certificate "CN=Leaf" names "Alice@example.com", not "mallory@example.com"
	// CN=Leaf
	// 1
}

// A partner's root is admitted for the partner's addresses.
func ExampleConstrain() {
	root, ca, leaf := exampleCerts()
	partner := chain.Constrain(chain.Certs(root), chain.Constraints{
		Purposes:  []chain.Purpose{chain.EmailSigning, chain.EmailEncryption},
		Mailboxes: []string{"partner.example"},
	})
	trust := chain.NewCollection(chain.Anchors(partner), chain.Untrusted(chain.Certs(ca)))
	_, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
	})
	fmt.Println(err)
	// Output: chain: anchor not trusted for this: anchor "CN=Example Root" is not trusted for mailbox "alice@example.com"
}

// A ban holds whatever else the collection has.
func ExampleDisallowed() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(
		chain.Anchors(chain.Certs(root, ca)),
		chain.Disallowed(chain.Certs(ca)),
	)
	_, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
	})
	fmt.Println(errors.Is(err, chain.ErrDisallowed))
	// Output: true
}

// What Find yields is unverified.
func ExampleCollection_Find() {
	_, ca, leaf := exampleCerts()
	book := chain.NewCollection(chain.Untrusted(chain.Certs(ca, leaf)))
	for e, err := range book.Find(context.Background(), chain.Query{Kind: chain.KindCertificate, Mailbox: "alice@EXAMPLE.com"}) {
		if err != nil {
			log.Fatal(err)
		}
		c, err := e.Certificate()
		fmt.Println(c.Subject, err)
	}
	// Output: CN=Leaf <nil>
}

func ExampleCollection_TrustFunc() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root))).TrustFunc(chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
	})
	// Package pkcs7 calls it with the certificates of the message.
	fmt.Println(trust(context.Background(), leaf, judged, [][]byte{ca.Raw}))
	// Output: <nil>
}

func ExampleMatchMailbox() {
	_, _, leaf := exampleCerts()
	fmt.Println(chain.MatchMailbox(leaf, "ALICE@example.com"))
	fmt.Println(chain.MatchMailbox(leaf, "alice@example.org"))
	// Output:
	// <nil>
	// chain: wrong mailbox: certificate "CN=Leaf" names "Alice@example.com", not "alice@example.org"
}

func ExampleMailboxes() {
	_, _, leaf := exampleCerts()
	fmt.Println(chain.Mailboxes(leaf))
	// Output: [Alice@example.com] <nil>
}

func ExamplePEM() {
	_, err := chain.PEM([]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"))
	fmt.Println(errors.Is(err, chain.ErrMalformed))
	// Output: true
}

func ExampleRootsAndIntermediates() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(chain.RootsAndIntermediates(chain.DER(root.Raw, ca.Raw)))
	path, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(path.Anchor().Subject, path.Revocation(0).Status == chain.StatusUnknown)
	// Output: CN=Example Root true
}

func ExampleNewEntry() {
	root, _, _ := exampleCerts()
	e := chain.NewEntry(chain.KindCertificate, root.Raw, "row 17 of the directory", nil)
	c, err := e.Certificate()
	fmt.Println(e.Kind() == chain.KindCertificate, c.Subject, err)
	// Output: true CN=Example Root <nil>
}
