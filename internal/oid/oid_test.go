package oid

import (
	"crypto/x509"
	"encoding/asn1"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// The dotted form beside each constant is what its value encodes.
func TestTable(t *testing.T) {
	t.Parallel()
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "table.go", nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	comments := map[int]string{}
	for _, g := range file.Comments {
		for _, c := range g.List {
			comments[fset.Position(c.Pos()).Line] = strings.TrimSpace(strings.TrimPrefix(c.Text, "//"))
		}
	}
	count := 0
	seen := map[OID]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		for i, v := range spec.Values {
			lit, ok := v.(*ast.BasicLit)
			if !ok {
				t.Errorf("%s is not a literal", spec.Names[i].Name)
				continue
			}
			s, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			name, o := spec.Names[i].Name, OID(s)
			count++
			if want := comments[fset.Position(lit.Pos()).Line]; o.String() != want {
				t.Errorf("%s is %s, the comment says %q", name, o, want)
			}
			if other := seen[o]; other != "" {
				t.Errorf("%s and %s are the same", name, other)
			}
			seen[o] = name
		}
		return true
	})
	if count < 150 {
		t.Errorf("only %d constants", count)
	}
}

func TestReadAndAdd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		want OID
		ok   bool
	}{
		{"\x06\x03\x55\x04\x03", CommonName, true},
		{"\x06\x00", "", false},
		{"\x06\x02\x80\x01", "", false},
		{"\x06\x02\x2a\x80", "", false},
		{"\x05\x00", "", false},
		{"\x06\x03\x55\x04", "", false},
		{"", "", false},
	} {
		s := cryptobyte.String(c.in)
		var got OID
		if ok := Read(&s, &got); ok != c.ok || got != c.want {
			t.Errorf("%x: %v, %v", c.in, got, ok)
		}
		if !c.ok {
			continue
		}
		var b cryptobyte.Builder
		got.Add(&b)
		if out, err := b.Bytes(); string(out) != c.in || err != nil {
			t.Errorf("%x became %x, %v", c.in, out, err)
		}
	}
}

func TestX509(t *testing.T) {
	t.Parallel()
	if got := FromX509(x509.OID{}); got != "" {
		t.Errorf("the zero OID is %x", string(got))
	}
	if !SignedData.X509().EqualASN1OID(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2}) || FromX509(SignedData.X509()) != SignedData {
		t.Errorf("SignedData is %v", SignedData.X509())
	}
	for _, bad := range []OID{"", "\x80\x01", "\x2a\x80"} {
		if bad.String() != "invalid OID" || FromX509(bad.X509()) != "" {
			t.Errorf("%x: %s, %v", string(bad), bad, bad.X509())
		}
	}
	if !AnyPolicy.Child(ExtCertificatePolicies) || ExtCertificatePolicies.Child(ExtCertificatePolicies) || CommonName.Child(ExtCertificatePolicies) {
		t.Error("Child")
	}
}

// FuzzOID compares the text with that of encoding/asn1, as far as long ones are
// not cut.
func FuzzOID(f *testing.F) {
	f.Add("\x55\x04\x03")
	f.Add("\x88\x37")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		o := OID(s)
		var asn asn1.ObjectIdentifier
		rest, err := asn1.Unmarshal(append([]byte{6, byte(len(s))}, s...), &asn)
		if len(s) <= 64 && err == nil && len(rest) == 0 && asn.String() != o.String() {
			t.Errorf("%x: %s, encoding/asn1 has %s", s, o, asn)
		}
		if x := o.X509(); o.String() != "invalid OID" && FromX509(x) != o {
			t.Errorf("%x became %x", s, string(FromX509(x)))
		}
	})
}

func TestKnown(t *testing.T) {
	t.Parallel()
	for _, o := range []OID{Data, AttrSigningTime, SHA256, AES256GCM, ExtKeyUsage, EmailAddress} {
		if Known([]byte(o)) != o {
			t.Errorf("%v", o)
		}
	}
	if o := Known([]byte(MD5)); o != "" {
		t.Errorf("MD5 is %v", o)
	}
}

// The text of an identifier from input is short, however long that is.
func TestStringIsShort(t *testing.T) {
	t.Parallel()
	long := OID(strings.Repeat("\x81", 1000) + "\x01")
	if s := long.String(); len(s) > 200 {
		t.Errorf("%d octets", len(s))
	}
}
