package x509der_test

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"

	"github.com/gosmime/gosmime/internal/x509der"
)

func TestFormatName(t *testing.T) {
	attribute := func(value any, arcs ...int) pkix.AttributeTypeAndValue {
		return pkix.AttributeTypeAndValue{Type: arcs, Value: value}
	}
	for _, tt := range []struct {
		name string
		rdns pkix.RDNSequence
		want string
	}{
		{"nothing", nil, ""},
		{"a person", pkix.RDNSequence{
			{attribute("DE", 2, 5, 4, 6)}, {attribute("Example, Inc.", 2, 5, 4, 10)}, {attribute("NTRDE-HRB 1", 2, 5, 4, 97)},
			{attribute("Alice", 2, 5, 4, 42)}, {attribute("Example", 2, 5, 4, 4)}, {attribute("Alice Example", 2, 5, 4, 3)},
			{attribute("alice@example.com", 1, 2, 840, 113549, 1, 9, 1)},
		}, `emailAddress=alice@example.com,CN=Alice Example,surname=Example,givenName=Alice,organizationIdentifier=NTRDE-HRB 1,O=Example\, Inc.,C=DE`},
		{"two in one", pkix.RDNSequence{{attribute("a", 2, 5, 4, 3), attribute("b", 0, 9, 2342, 19200300, 100, 1, 1)}}, "CN=a+UID=b"},
		{"unknown", pkix.RDNSequence{{attribute("a", 1, 2, 3)}, {attribute("b", 2, 5, 4, 1)}, {attribute("c", 2, 5, 4, 120)}}, "2.5.4.120=c,2.5.4.1=b,1.2.3=a"},
		{"what must be escaped", pkix.RDNSequence{{attribute(` a"+;<>\ `, 2, 5, 4, 3)}, {attribute("#b", 2, 5, 4, 3)}, {attribute("c\x00", 2, 5, 4, 3)}},
			`CN=c\00,CN=\#b,CN=\ a\"\+\;\<\>\\\ `},
		{"no string", pkix.RDNSequence{{attribute([]byte{1, 2}, 2, 5, 4, 3)}}, "CN=#0102"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			der, err := asn1.Marshal(tt.rdns)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := x509der.FormatName(der); !ok || got != tt.want {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
	if _, ok := x509der.FormatName([]byte{0x30}); ok {
		t.Error("what is no name has a text")
	}
}
