package sst_test

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"testing"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

func ExampleStore_Trusted() {
	file, err := os.Open("testdata/roots.sst") // or .p7b, .pem, .cer
	if err != nil {
		log.Fatal(err)
	}
	defer file.Close()
	roots, err := sst.ReadAny(file, nil)
	if err != nil {
		log.Fatal(err)
	}
	trust := chain.NewCollection(roots.Trusted())
	n := 0
	for range trust.Find(context.Background(), chain.Query{Kind: chain.KindCertificate}) {
		n++
	}
	fmt.Println(n, "certificates")
	// Output: 2 certificates
}

// TestTrusted has an intermediate that is trusted because somebody chose it and
// is not because it is in a bag.
func TestTrusted(t *testing.T) {
	ca := smimetest.NewCA(t)
	cert := ca.Identity("alice@example.com").Certificate()
	block := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	bag := func(s *sst.Store, write func(*sst.Store, *bytes.Buffer) error) []byte {
		var b bytes.Buffer
		if err := write(s, &b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	store := func(s *sst.Store, b *bytes.Buffer) error { return sst.Write(b, s) }
	p7b := func(s *sst.Store, b *bytes.Buffer) error { return s.WritePKCS7(b) }
	intermediate, both := sst.Of(ca.Issuing()), sst.Of(ca.Root(), ca.Issuing())
	for _, tt := range []struct {
		name string
		in   []byte
		good bool
	}{
		{"PEM intermediate", block("CERTIFICATE", ca.Issuing().Raw), true},
		{"DER intermediate", ca.Issuing().Raw, true},
		{"intermediate in a store", bag(intermediate, store), false},
		{"intermediate in PKCS #7", bag(intermediate, p7b), false},
		{"intermediate in PKCS #7 in PEM", block("PKCS7", bag(intermediate, p7b)), false},
		{"both in a store", bag(both, store), true},
		{"both in PKCS #7", bag(both, p7b), true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := sst.ReadAny(bytes.NewReader(tt.in), nil)
			if err != nil {
				t.Fatal(err)
			}
			_, err = chain.NewCollection(s.Trusted()).Verify(t.Context(), cert, chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"})
			if (err == nil) != tt.good {
				t.Errorf("error %v, want good %v", err, tt.good)
			}
		})
	}
}
