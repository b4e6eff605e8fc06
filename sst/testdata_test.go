package sst

import (
	"bytes"
	"crypto/sha1"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/gosmime/gosmime/internal/ber"
)

// The files of the examples are what this test makes of them; -update writes them.
func TestTestdata(t *testing.T) {
	root, key := fake(t, "Example Root")
	old, _ := fake(t, "Old Root")
	sum := sha1.Sum(root.Raw)
	store := &Store{Elements: []Element{
		{Kind: Certificate, DER: root.Raw, Properties: []Property{TextProperty(PropFriendlyName, "Example root"),
			ekus(PropEnhKeyUsage, "email", "server"), {PropSHA1, 1, sum[:]}}},
		{Kind: Certificate, DER: old.Raw, Properties: []Property{TimeProperty(PropDisallowedTime, date(2022)), {PropSHA1, 1, sum[:]}}},
		{Kind: CRL, DER: fakeCRL(t, root, key)},
	}}
	element, err := store.Elements[0].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	list := smallList()
	list.id, list.next = nil, nil
	list.subjects = der(ber.Sequence, subject(string(sum[:]), attribute(propertyArc+"\x0b", prim(ber.OctetString, string(TextProperty(0, "Example root").Value)))))
	stl, _ := signedList(t, list.body())
	want := map[string][]byte{"roots.sst": encode(t, store), "element.bin": element, "roots.stl": stl, "publisher.cer": nil}
	publisher, _ := fake(t, "publisher")
	want["publisher.cer"] = publisher.Raw
	update := slices.Contains(flag.Args(), "update")
	for name, b := range want {
		file := filepath.Join("testdata", name)
		if update {
			if err := os.WriteFile(file, b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, b) {
			t.Errorf("%s is not what it should be: run with -args update (%v)", name, err)
		}
	}
}
