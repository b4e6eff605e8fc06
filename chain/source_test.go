package chain_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
)

// TestPEM fails on what it can't read, wherever it stands.
func TestPEM(t *testing.T) {
	root := newRoot(t, "Root")
	crl, err := x509.CreateRevocationList(nil, &x509.RevocationList{Number: asBig(1), ThisUpdate: judged, NextUpdate: judged.Add(time.Hour)}, root.Certificate, root.key)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	good := block("CERTIFICATE", root.Raw)
	crlText := block("X509 CRL", crl)
	for _, tt := range []struct {
		name, text string
		want       int // entries; -1: an error
	}{
		{"empty", "", -1},
		{"no block", "no certificates here\n", -1},
		{"a CRL in DER", string(crl), -1},
		{"a certificate in DER", string(root.Raw), -1},
		{"no usable block", block("PRIVATE KEY", []byte{1}), -1},
		{"a list under its short name", block("CRL", crl), 1},
		{"PKCS #7 beside", good + block("PKCS7", []byte{0x30, 0}), -1},
		{"a list that decides about nobody", block("X509 CRL", list{by: root, number: 1, unknown: true}.der(t)), -1},
		{"a list with an entry that nobody knows", block("X509 CRL", list{by: root, number: 1, entries: []listed{{cert: root, unknown: true}}}.der(t)), -1},
		{"one", good, 1},
		{"text around", "Root\n" + good + "subject=x\n" + crlText + "end", 2},
		{"CRLF", string(bytes.ReplaceAll([]byte(good), []byte("\n"), []byte("\r\n"))), 1},
		{"key beside", good + block("PRIVATE KEY", []byte{1}), 1},
		{"byte order mark", "\ufeff" + good + crlText, 2},
		{"indented", "  " + good, -1},
		{"indented last", good + "\t" + crlText, -1},
		{"mark within", good + "\ufeff" + crlText, -1},
		{"CR alone", string(bytes.ReplaceAll([]byte(good+crlText), []byte("\n"), []byte("\r"))), -1},
		{"unseen before", good + "\u200b" + crlText + "\xff" + crlText, -1},
		{"commented out", "# " + strings.ReplaceAll(crlText, "\n", "\n# ") + "\n" + good, 1},
		{"named in text", "see -----BEGIN CERTIFICATE----- below\n" + good, 1},
		{"broken base64 first", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n" + good, -1},
		{"broken base64 last", good + "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n", -1},
		{"no end", good + "-----BEGIN CERTIFICATE-----\nAAAA\n", -1},
		{"no certificate", block("CERTIFICATE", []byte("x")), -1},
		{"no list", block("X509 CRL", root.Raw), -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			src, err := chain.PEM([]byte(tt.text))
			if tt.want < 0 {
				t.Log(tt.name)
				wantReason(t, err, chain.ErrMalformed)
				return
			}
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			n := 0
			for _, kind := range []chain.Kind{chain.KindCertificate, chain.KindCRL} {
				for _, err := range src.Find(t.Context(), chain.Query{Kind: kind}) {
					if err != nil {
						t.Error(err)
					}
					n++
				}
			}
			if n != tt.want {
				t.Errorf("%d entries, want %d", n, tt.want)
			}
		})
	}
}

// TestFind asks by each field, in small and large sources of either kind.
func TestFind(t *testing.T) {
	root := newRoot(t, "Root")
	var crowd []*party
	for range 30 {
		crowd = append(crowd, root.newLeaf(t, "crowd@example.com"))
	}
	leaf := root.newLeaf(t, "Alice@Example.com", func(c *x509.Certificate) { c.Subject.CommonName = "The  Leaf" })
	same := root.newLeaf(t, alice, func(c *x509.Certificate) { c.Subject.CommonName = "the leaf" })
	crl, err := x509.CreateRevocationList(nil, &x509.RevocationList{Number: asBig(1), ThisUpdate: judged, NextUpdate: judged.Add(time.Hour)}, root.Certificate, root.key)
	if err != nil {
		t.Fatal(err)
	}
	all := [][]byte{crl, []byte("junk"), leaf.Raw, same.Raw, root.Raw}
	small := chain.DER(all...)
	for _, p := range crowd {
		all = append(all, p.Raw)
	}
	large := chain.DER(all...)
	const cert = chain.KindCertificate
	for _, tt := range []struct {
		name string
		q    chain.Query
		want int
	}{
		{"nothing", chain.Query{}, 0},
		{"no such kind", chain.Query{Kind: 99}, 0},
		{"subject", chain.Query{Kind: cert, Subject: leaf.RawSubject}, 2}, // case and space fold
		{"subject and serial", chain.Query{Kind: cert, Subject: leaf.RawSubject, Issuer: root.RawSubject, Serial: leaf.SerialNumber}, 1},
		{"issuer and serial", chain.Query{Kind: cert, Issuer: root.RawSubject, Serial: same.SerialNumber}, 1},
		{"other issuer", chain.Query{Kind: cert, Issuer: leaf.RawSubject, Serial: same.SerialNumber}, 0},
		{"key", chain.Query{Kind: cert, KeyID: root.SubjectKeyId}, 1},
		{"mailbox", chain.Query{Kind: cert, Mailbox: "alice@EXAMPLE.COM"}, 2},
		{"no mailbox", chain.Query{Kind: cert, Mailbox: "example.com"}, 0},
		{"list", chain.Query{Kind: chain.KindCRL}, 1},
		{"list of issuer", chain.Query{Kind: chain.KindCRL, Issuer: root.RawSubject}, 1},
		{"list of another", chain.Query{Kind: chain.KindCRL, Issuer: leaf.RawSubject}, 0},
		{"list by key", chain.Query{Kind: chain.KindCRL, KeyID: root.SubjectKeyId}, 1},
		{"response", chain.Query{Kind: chain.KindOCSPResponse}, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for name, src := range map[string]chain.Source{"small": small, "large": large, "foreign": foreign{large}} {
				n := 0
				for e, err := range chain.NewCollection(chain.Untrusted(src)).Find(t.Context(), tt.q) {
					if err != nil || e.Kind() != tt.q.Kind {
						t.Errorf("%s: %v", name, err)
					}
					n++
				}
				if n != tt.want {
					t.Errorf("%s: %d entries, want %d", name, n, tt.want)
				}
			}
		})
	}
	for range chain.NewCollection(chain.Disallowed(large)).Find(t.Context(), chain.Query{Kind: cert}) {
		t.Fatal("a banned certificate was found")
	}
}

// TestZeroEntry holds what was not made by NewEntry harmless.
func TestZeroEntry(t *testing.T) {
	e := new(chain.Entry)
	if e.Kind() != 0 || e.DER() != nil {
		t.Error("a zero Entry has something")
	}
	_, err := e.Certificate()
	wantReason(t, err, chain.ErrMalformed)
	root := newRoot(t, "Root")
	leaf := root.newLeaf(t, alice)
	trust := chain.NewCollection(chain.Anchors(certs(root)), chain.Untrusted(chain.Entries(nil, e))).With(chain.Untrusted(chain.Entries(e, nil)))
	_, err = trust.Verify(t.Context(), leaf.Certificate, signing())
	wantReason(t, err, 0)
}
