package chain_test

import (
	"bytes"
	"context"
	"crypto/x509"
	"path/filepath"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/sst"
)

// TestRealRoots admits the roots of real stores as Exchange would and judges
// each root by itself, on a day when it was valid.
func TestRealRoots(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "sst", "real-sst"), "*roots.sst"))
	if err != nil || len(files) < 3 {
		t.Fatalf("%d stores: %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			store, err := sst.Read(bytes.NewReader(readFile(t, file)), nil)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			trust := chain.NewCollection(chain.RootsAndIntermediates(store.Source()))
			count := map[string]int{}
			for e, err := range trust.Find(t.Context(), chain.Query{Kind: chain.KindCertificate}) {
				if err != nil {
					t.Error(err)
					continue
				}
				cert, err := e.Certificate()
				if err != nil {
					count["unread"]++
					continue
				}
				p := chain.Policy{Purpose: chain.EmailSigning, InsecureAnyMailbox: true, Options: chain.Options{
					At: cert.NotBefore.AddDate(0, 0, 1), InsecureSHA1: true, InsecureShortKeys: true}}
				_, err = trust.Verify(t.Context(), cert, p)
				switch e := err.(type) {
				case nil:
					count["good"]++
				case *chain.Error:
					count[e.Reason.Error()]++
					checkError(t, err)
				}
			}
			t.Log(filepath.Base(file), count)
			if count["unread"] > 1 || count[chain.ErrSource.Error()]+count[chain.ErrLimit.Error()] > 0 {
				t.Errorf("%v", count)
			}
		})
	}
}

// BenchmarkRealRoots verifies under one of 514 real roots and 2 000
// intermediates.
func BenchmarkRealRoots(b *testing.B) {
	store, err := sst.Read(bytes.NewReader(readFile(b, suites.Corpus(b, "sst", "real-sst", "owentechnicalgroup-AzureAIChatbotDemo-roots.sst"))), nil)
	if err != nil {
		b.Fatal(err)
	}
	root := newRoot(b, "Root")
	var cas []*x509.Certificate
	var last *party
	for range 2000 {
		last = root.newCA(b, "CA "+asBig(serials.Add(1)).String())
		cas = append(cas, last.Certificate)
	}
	trust := chain.NewCollection(chain.RootsAndIntermediates(store.Source()), chain.Anchors(certs(root)), chain.Untrusted(chain.Certs(cas...)))
	leaf := last.newLeaf(b, alice)
	p := signing()
	for b.Loop() {
		p.At = p.At.Add(1)
		if _, err := trust.Verify(context.Background(), leaf.Certificate, p); err != nil {
			b.Fatal(err)
		}
	}
}
