package sst

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func der(tag ber.Tag, parts ...[]byte) []byte { return ber.Append(nil, tag, true, parts...) }

func prim(tag ber.Tag, value string) []byte { return ber.Append(nil, tag, false, []byte(value)) }

// A listParts is the DER of each element of a CTL; nil: absent.
type listParts struct{ version, usage, id, number, this, next, alg, subjects, extensions []byte }

func (p listParts) body() []byte {
	return bytes.Join([][]byte{p.version, p.usage, p.id, p.number, p.this, p.next, p.alg, p.subjects, p.extensions}, nil)
}

func subject(id string, attributes ...[]byte) []byte {
	return der(ber.Sequence, prim(ber.OctetString, id), der(ber.Set, attributes...))
}

func attribute(id oid.OID, values ...[]byte) []byte {
	return der(ber.Sequence, prim(ber.OID, string(id)), der(ber.Set, values...))
}

func smallList() listParts {
	return listParts{
		usage: der(ber.Sequence, prim(ber.OID, "\x2b\x06\x01\x04\x01\x82\x37\x0a\x03\x09")),
		id:    prim(ber.OctetString, "list"), number: prim(ber.Integer, "\x05"),
		this: prim(ber.UTCTime, "250616175611Z"), next: prim(ber.GeneralizedTime, "20300616175611Z"),
		alg: der(ber.Sequence, prim(ber.OID, "\x2b\x0e\x03\x02\x1a"), prim(ber.Null, "")),
		subjects: der(ber.Sequence,
			subject("one", attribute(propertyArc+"\x0b", prim(ber.OctetString, "a\x00\x00\x00")), attribute(propertyArc+"\x68", prim(ber.OctetString, ""))),
			der(ber.Sequence, prim(ber.OctetString, "two")),
			subject("three", attribute("\x2a\x03", prim(ber.Null, ""), der(ber.Sequence)))),
		extensions: der(ber.Context(0), der(ber.Sequence, der(ber.Sequence, prim(ber.OID, "\x2a\x03"), prim(ber.OctetString, "x")))),
	}
}

// unsigned returns an .stl file that nobody signed.
func unsigned(list []byte) []byte {
	content := der(ber.Sequence, prim(ber.OID, string(oid.MicrosoftCTL)), der(ber.Context(0), list))
	signed := der(ber.Sequence, prim(ber.Integer, "\x01"), der(ber.Set), content, der(ber.Set))
	return der(ber.Sequence, prim(ber.OID, string(oid.SignedData)), der(ber.Context(0), signed))
}

func TestParseTrustList(t *testing.T) {
	l, err := ParseTrustList(unsigned(der(ber.Sequence, smallList().body())))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Usage) != 1 || string(l.ListIdentifier) != "list" || l.SequenceNumber.Cmp(big.NewInt(5)) != 0 || len(l.Extensions) != 1 ||
		!l.ThisUpdate.Equal(time.Date(2025, 6, 16, 17, 56, 11, 0, time.UTC)) || l.NextUpdate.Year() != 2030 || len(l.Subjects) != 3 {
		t.Errorf("%+v", l)
	}
	// A catalogue has one extension for each of its names.
	repeated, name := smallList(), der(ber.Sequence, prim(ber.OID, "\x2a\x03"), prim(ber.OctetString, "x"))
	repeated.extensions = der(ber.Context(0), der(ber.Sequence, name, name))
	if l, err := ParseTrustList(unsigned(der(ber.Sequence, repeated.body()))); err != nil || len(l.Extensions) != 2 {
		t.Errorf("an extension twice: %v", err)
	}
	one := l.Subjects[0]
	if s, err := one.Properties[0].Text(); string(one.Identifier) != "one" || len(one.Properties) != 2 || s != "a" || err != nil || len(one.Attributes) != 0 {
		t.Errorf("%+v", one)
	}
	if one.Properties[1].ID != PropDisallowedTime || len(l.Subjects[1].Properties) != 0 || len(l.Subjects[2].Attributes) != 1 {
		t.Errorf("%+v", l.Subjects)
	}
	few := listParts{version: prim(ber.Integer, "\x00"), usage: smallList().usage, this: smallList().this, alg: smallList().alg}
	l, err = ParseTrustList(unsigned(der(ber.Sequence, few.body())))
	if err != nil || l.SequenceNumber != nil || !l.NextUpdate.IsZero() || len(l.Subjects) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
}

func TestTrustListFaults(t *testing.T) {
	change := func(f func(*listParts)) []byte {
		p := smallList()
		f(&p)
		return unsigned(der(ber.Sequence, p.body()))
	}
	sub := func(attributes ...[]byte) []byte {
		return change(func(p *listParts) { p.subjects = der(ber.Sequence, subject("x", attributes...)) })
	}
	octets := prim(ber.OctetString, "")
	good := unsigned(der(ber.Sequence, smallList().body()))
	data := bytes.Replace(good, []byte(oid.MicrosoftCTL), []byte("\x2b\x06\x01\x04\x01\x82\x37\x0a\x02"), 1)
	for name, b := range map[string][]byte{
		"empty": nil, "no SignedData": der(ber.Sequence, prim(ber.OID, string(oid.Data))), "another content": data,
		"data after it":        append(bytes.Clone(good), good...),
		"no usage":             change(func(p *listParts) { p.usage = nil }),
		"bad usage":            change(func(p *listParts) { p.usage = der(ber.Sequence, prim(ber.Null, "")) }),
		"no time":              change(func(p *listParts) { p.this, p.next = nil, nil }),
		"bad time":             change(func(p *listParts) { p.this = prim(ber.UTCTime, "250616") }),
		"bad next time":        change(func(p *listParts) { p.next = prim(ber.UTCTime, "250616") }),
		"no algorithm":         change(func(p *listParts) { p.alg, p.subjects = nil, nil }),
		"padded number":        change(func(p *listParts) { p.number = prim(ber.Integer, "\x00\x05") }),
		"an element too many":  change(func(p *listParts) { p.extensions = prim(ber.Null, "") }),
		"empty extensions":     change(func(p *listParts) { p.extensions = der(ber.Context(0), der(ber.Sequence)) }),
		"list in octets":       unsigned(prim(ber.OctetString, string(der(ber.Sequence, smallList().body())))),
		"attribute no SET":     sub(der(ber.Sequence, prim(ber.OID, "\x2a\x03"))),
		"two values":           sub(attribute(propertyArc+"\x0b", octets, octets)),
		"no value":             sub(attribute(propertyArc + "\x0b")),
		"value not octets":     sub(attribute(propertyArc+"\x0b", prim(ber.Null, ""))),
		"property 0":           sub(attribute(propertyArc+"\x00", octets)),
		"property 32":          sub(attribute(propertyArc+"\x20", octets)),
		"property above 65535": sub(attribute(propertyArc+"\x84\x80\x00", octets)),
		"property with a tail": sub(attribute(propertyArc+"\x0b\x01", octets)),
		"subject with a tail":  change(func(p *listParts) { p.subjects = der(ber.Sequence, der(ber.Sequence, octets, prim(ber.Null, ""))) }),
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ParseTrustList(b)
			if e, ok := errors.AsType[*Error](err); !ok || !errors.Is(err, ErrTrustList) || l != nil || e.Offset > int64(len(b)) {
				t.Errorf("%v", err)
			}
		})
	}
	for i := range good {
		if _, err := ParseTrustList(good[:i]); !errors.Is(err, ErrTrustList) {
			t.Errorf("cut at %d: %v", i, err)
		}
	}
	// The offset is that of the fault.
	bad := sub(attribute(propertyArc+"\x0b", octets, octets))
	_, err := ParseTrustList(bad)
	if e, ok := errors.AsType[*Error](err); !ok || !bytes.HasPrefix(bad[e.Offset:], attribute(propertyArc+"\x0b", octets, octets)) {
		t.Errorf("%v", err)
	}
}

// signedList returns an .stl file signed as Microsoft does it: over the contents octets
// of the SEQUENCE that lies in the content without an OCTET STRING.
func signedList(t testing.TB, body []byte) ([]byte, *x509.Certificate) {
	t.Helper()
	cert, key := fake(t, "publisher")
	var detached bytes.Buffer
	err := pkcs7.SignDetached(context.Background(), &detached, bytes.NewReader(body),
		[]pkcs7.SigningKey{{Certificate: cert, Key: key}}, &pkcs7.SignOptions{ContentType: oid.MicrosoftCTL.X509(), SigningTime: date(2025)})
	if err != nil {
		t.Fatal(err)
	}
	s := cryptobyte.String(detached.Bytes())
	var info, explicit, signed, version, digests, content cryptobyte.String
	var id oid.OID
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !oid.Read(&info, &id) || !info.ReadASN1(&explicit, cbasn1.Tag(0).Constructed().ContextSpecific()) ||
		!explicit.ReadASN1(&signed, cbasn1.SEQUENCE) || !signed.ReadASN1Element(&version, cbasn1.INTEGER) ||
		!signed.ReadASN1Element(&digests, cbasn1.SET) || !signed.ReadASN1(&content, cbasn1.SEQUENCE) {
		t.Fatal("unexpected SignedData")
	}
	content = der(ber.Sequence, content, der(ber.Context(0), der(ber.Sequence, body)))
	return der(ber.Sequence, prim(ber.OID, string(id)), der(ber.Context(0), der(ber.Sequence, version, digests, content, signed))), cert
}

func TestVerifyTrustList(t *testing.T) {
	file, cert := signedList(t, smallList().body())
	trust := func(_ context.Context, c *x509.Certificate, _ time.Time, _ [][]byte) error {
		if !c.Equal(cert) {
			return errors.New("another signer")
		}
		return nil
	}
	l, certs, err := VerifyTrustList(t.Context(), bytes.NewReader(file), trust, nil)
	if err != nil || len(certs) != 1 || !certs[0].Equal(cert) || len(l.Subjects) != 3 {
		t.Errorf("%+v, %v", l, err)
	}
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 0x20
		if l, _, err := VerifyTrustList(t.Context(), bytes.NewReader(changed), trust, nil); err == nil {
			// What no signature covers may change: nothing of it is returned.
			if again, err := ParseTrustList(file); err != nil || !again.ThisUpdate.Equal(l.ThisUpdate) || len(again.Subjects) != len(l.Subjects) {
				t.Errorf("octet %d changed the list", i)
			}
		} else if l != nil {
			t.Errorf("octet %d: a list and %v", i, err)
		}
	}
	nobody := unsigned(der(ber.Sequence, smallList().body()))
	if l, _, err := VerifyTrustList(t.Context(), bytes.NewReader(nobody), trust, nil); !errors.Is(err, pkcs7.ErrNoSigner) || l != nil {
		t.Errorf("nobody signed: %v", err)
	}
	if l, _, err := VerifyTrustList(t.Context(), bytes.NewReader(file), nil, nil); err == nil || l != nil {
		t.Error("nobody judged the signer")
	}
	// The same octets, signed as something else.
	other := bytes.ReplaceAll(file, []byte(oid.MicrosoftCTL), []byte("\x2b\x06\x01\x04\x01\x82\x37\x0a\x02"))
	if l, _, err := VerifyTrustList(t.Context(), bytes.NewReader(other), trust, nil); !errors.Is(err, ErrTrustList) || l != nil {
		t.Errorf("signed as another type: %v", err)
	}
}

func FuzzParseTrustList(f *testing.F) {
	f.Add(unsigned(der(ber.Sequence, smallList().body())))
	f.Add(unsigned(der(ber.Sequence)))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseTrustList(b)
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || l != nil || e.Offset < 0 || e.Offset > int64(len(b)) {
				t.Fatal(err)
			}
			return
		}
		total := 0
		for _, s := range l.Subjects {
			total += len(s.Identifier) + 2
			for _, p := range s.Properties {
				if p.ID == 0 || isContext(uint32(p.ID)) || p.ID > 0xffff {
					t.Fatal(p.ID)
				}
				total += len(p.Value) + 12
			}
		}
		if total > len(b) {
			t.Fatalf("%d octets of subjects in %d", total, len(b))
		}
		// All properties of a list can be in a store.
		for _, s := range l.Subjects {
			e := Element{Kind: Certificate, DER: []byte{0x30, 0}, Properties: s.Properties}
			if _, err := e.MarshalBinary(); err != nil {
				t.Fatal(err)
			}
		}
		for _, u := range l.Usage {
			if _, err := asn1.Marshal(u); err != nil {
				t.Fatal(err)
			}
		}
	})
}
