package chain_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"iter"
	"log"
	"testing"

	"github.com/gosmime/gosmime/chain"
)

// A Source over rows of a table, where each root has its own limits.
func ExampleEntries() {
	root, ca, leaf := exampleCerts()
	src := chain.Entries(
		chain.NewEntry(chain.KindCertificate, root.Raw, "row 17", &chain.Constraints{
			Purposes: []chain.Purpose{chain.EmailSigning}, Mailboxes: []string{"example.com"},
		}),
		chain.NewEntry(chain.KindCertificate, []byte("not a certificate"), "row 18", nil), // hides nothing
	)
	trust := chain.NewCollection(chain.Anchors(src), chain.Untrusted(chain.Certs(ca)))
	for _, purpose := range []chain.Purpose{chain.EmailSigning, chain.EmailEncryption} {
		_, err := trust.Verify(context.Background(), leaf, chain.Policy{
			Purpose: purpose, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
		})
		fmt.Println(purpose, err == nil, errors.Is(err, chain.ErrAnchorConstraint))
	}
	// Output:
	// e-mail signing true false
	// e-mail encryption false true
}

// A phonebook finds certificates by mailbox, as a directory server does. What
// it answers is unverified, whoever runs the server.
type phonebook map[string][]byte

func (b phonebook) Find(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
	return func(yield func(*chain.Entry, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(nil, err)
			return
		}
		if der, ok := b[q.Mailbox]; ok && q.Kind == chain.KindCertificate {
			yield(chain.NewEntry(chain.KindCertificate, der, "phonebook", nil), nil)
		}
	}
}

func ExampleSource() {
	root, ca, leaf := exampleCerts()
	var src chain.Source = phonebook{"alice@example.com": leaf.Raw}
	members := []chain.Member{
		chain.Anchors(chain.Certs(root)),
		chain.Untrusted(chain.Certs(ca)),
		chain.Untrusted(src),
	}
	trust := chain.NewCollection(members...)
	for e, err := range trust.Find(context.Background(), chain.Query{Kind: chain.KindCertificate, Mailbox: "alice@example.com"}) {
		if err != nil {
			log.Fatal(err)
		}
		cert, err := e.Certificate()
		if err != nil {
			continue // the next one may be readable
		}
		_, err = trust.Verify(context.Background(), cert, chain.Policy{
			Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
		})
		fmt.Println(cert.Subject, err)
	}
	// Output: CN=Leaf <nil>
}

// A mirror is a Fetcher that answers from files that were fetched at night, so
// that nobody learns when a mail is opened.
type mirror map[string][]byte

func (m mirror) Fetch(_ context.Context, _ chain.Kind, url string, _ []byte) ([][]byte, error) {
	der, ok := m[url]
	if !ok {
		return nil, errors.New("not mirrored")
	}
	return [][]byte{der}, nil
}

func ExampleFetcher() {
	t := new(testing.B)
	root := newRoot(t, "Example Root")
	ca := root.newCA(t, "Example CA")
	leaf := ca.newLeaf(t, "alice@example.com", issuedBy("http://pki.example/ca.cer"))
	trust := chain.NewCollection(chain.Anchors(certs(root)))
	for _, fetcher := range []chain.Fetcher{nil, mirror{"http://pki.example/ca.cer": ca.Raw}} {
		_, err := trust.Verify(context.Background(), leaf.Certificate, chain.Policy{
			Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
			Options: chain.Options{At: judged, Fetcher: fetcher},
		})
		fmt.Println(err == nil, errors.Is(err, chain.ErrUnknownIssuer))
	}
	// Output:
	// false true
	// true false
}

// The work of one validation has bounds, and the answer is then no.
func ExampleLimits() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(chain.Certs(ca)))
	_, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
		Options: chain.Options{At: judged, Limits: chain.Limits{Signatures: 1}},
	})
	fmt.Println(errors.Is(err, chain.ErrLimit))
	// Output: true
}

// What could not be found out is unknown, and a program can say so.
func ExampleRevocationStatus() {
	root, ca, leaf := exampleCerts()
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(chain.Certs(ca)))
	path, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
	})
	if err != nil {
		log.Fatal(err)
	}
	known := path.Revocation(0)
	fmt.Println(known.Status == chain.StatusGood, known.Evidence == 0)

	_, err = trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
		Options: chain.Options{At: judged, Revocation: chain.RevocationRequireLeaf},
	})
	fmt.Println(errors.Is(err, chain.ErrRevocationUnknown))
	// Output:
	// false true
	// true
}

// The policies that a path is valid for, in the terms of its anchor's domain.
func ExamplePath_Policies() {
	policy, err := x509.ParseOID("2.23.140.1.5.1.2") // mailbox-validated, multipurpose
	if err != nil {
		log.Fatal(err)
	}
	t := new(testing.B)
	root := newRoot(t, "Example Root")
	leaf := root.newLeaf(t, "alice@example.com", func(c *x509.Certificate) { c.Policies = []x509.OID{policy} })
	path, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(context.Background(), leaf.Certificate, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com",
		Options: chain.Options{At: judged, Policies: []x509.OID{policy}, RequireExplicitPolicy: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(path.Leaf().Subject, path.Policies())
	// Output: CN=Leaf [2.23.140.1.5.1.2]
}

func ExampleSourceFunc() {
	root, ca, leaf := exampleCerts()
	bySubject := map[string][]byte{string(ca.RawSubject): ca.Raw}
	database := chain.SourceFunc(func(ctx context.Context, q chain.Query) iter.Seq2[*chain.Entry, error] {
		return func(yield func(*chain.Entry, error) bool) {
			if der := bySubject[string(q.Subject)]; der != nil && q.Kind == chain.KindCertificate {
				yield(chain.NewEntry(q.Kind, der, "database", nil), nil)
			}
		}
	})
	trust := chain.NewCollection(chain.Anchors(chain.Certs(root)), chain.Untrusted(database))
	_, err := trust.Verify(context.Background(), leaf, chain.Policy{
		Purpose: chain.EmailSigning, Mailbox: "alice@example.com", Options: chain.Options{At: judged},
	})
	fmt.Println(err)
	// Output: <nil>
}
