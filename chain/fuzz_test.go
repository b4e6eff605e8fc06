package chain_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/chain"
)

// FuzzVerify verifies a certificate with one more at hand. Whatever they are,
// there is a path that ends at the anchor or a typed error; the answer is the
// same again, and the same if the material is offered twice.
func FuzzVerify(f *testing.F) {
	root := newRoot(f, "Root")
	ca := root.newCA(f, "CA", permitted("example.com"))
	leaf := ca.newLeaf(f, alice)
	odd := ca.newLeaf(f, "", mailSAN(f, "ålice@example.com", true), mailSubject(alice))
	f.Add(leaf.Raw, ca.Raw)
	f.Add(odd.Raw, ca.Raw)
	f.Add(root.Raw, leaf.Raw)
	f.Add([]byte{0x30, 0x80}, []byte(nil))
	base := chain.NewCollection(chain.Anchors(certs(root)))
	f.Fuzz(func(t *testing.T, cert, other []byte) {
		p := signing()
		p.Mailbox, p.InsecureAnyMailbox = "", true
		trust := base.With(chain.Untrusted(chain.DER(other)))
		path, err := trust.Verify(context.Background(), &x509.Certificate{Raw: cert}, p)
		if (path == nil) == (err == nil) {
			t.Fatal("a path and an error, or neither")
		}
		if err != nil {
			if e, ok := errors.AsType[*chain.Error](err); !ok || e.Reason == 0 || e.Error() == "" {
				t.Fatalf("not a reason: %v", err)
			}
		} else {
			list := path.Certificates()
			if !bytes.Equal(list[0].Raw, cert) || !bytes.Equal(list[len(list)-1].Raw, root.Raw) {
				t.Fatal("a path of other certificates")
			}
		}
		_, again := trust.With(chain.Untrusted(chain.DER(other, cert))).Verify(context.Background(), &x509.Certificate{Raw: cert}, p)
		if (again == nil) != (err == nil) {
			t.Fatalf("%v, then %v", err, again)
		}
	})
}

// FuzzMailConstraint wants whatever is permitted to be so by the words of the
// standard.
func FuzzMailConstraint(f *testing.F) {
	f.Add("example.com", "alice@example.com", false)
	f.Add(".example.com", "alice@a.example.com", true)
	f.Add("alice@example.com", "alice@EXAMPLE.com", false)
	root := newRoot(f, "Root")
	f.Fuzz(func(t *testing.T, form, address string, deny bool) {
		for _, s := range []string{form, address} {
			if len(s) == 0 || len(s) > 60 {
				t.Skip()
			}
			for _, c := range []byte(s) {
				if c <= ' ' || c >= 0x7f {
					t.Skip()
				}
			}
		}
		edit := permitted(form)
		if deny {
			edit = excluded(form)
		}
		ca := root.newCA(t, "CA", edit)
		leaf := ca.newLeaf(t, "", mailSAN(t, address, false))
		p := signing()
		p.Mailbox, p.InsecureAnyMailbox = "", true
		path, err := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(certs(ca))).Verify(context.Background(), leaf.Certificate, p)
		if err != nil {
			return
		}
		if deny || len(path.Mailboxes()) == 0 {
			return
		}
		// What is permitted names exactly the host, lies below it, or is equal.
		if !mailWithin(form, address, false, false) && form != address {
			t.Fatalf("%q permits %q", form, address)
		}
	})
}
