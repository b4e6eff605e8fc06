package sst

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha1"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"io"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"
)

// A fake is a self-signed CA, the same each time for the same name.
func fake(t testing.TB, name string) (*x509.Certificate, ed25519.PrivateKey) {
	t.Helper()
	seed := make([]byte, ed25519.SeedSize)
	copy(seed, name)
	key := ed25519.NewKeyFromSeed(seed)
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC),
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: []byte(name),
	}
	der, err := x509.CreateCertificate(nil, tmpl, tmpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

func fakeCRL(t testing.TB, ca *x509.Certificate, key ed25519.PrivateKey) []byte {
	t.Helper()
	der, err := x509.CreateRevocationList(nil, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: ca.NotBefore, NextUpdate: ca.NotAfter,
		RevokedCertificateEntries: []x509.RevocationListEntry{{SerialNumber: big.NewInt(99), RevocationTime: ca.NotBefore}},
	}, ca, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func encode(t testing.TB, s *Store) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// rec returns one record.
func rec(id, enc, length uint32, value ...byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, id)
	b = binary.LittleEndian.AppendUint32(b, enc)
	b = binary.LittleEndian.AppendUint32(b, length)
	return append(b, value...)
}

func TestReadFaults(t *testing.T) {
	ca, _ := fake(t, "ca")
	head := []byte("\x00\x00\x00\x00CERT")
	end := make([]byte, recordSize)
	n := uint32(len(ca.Raw))
	cert := rec(0x20, 1, n, ca.Raw...)
	name := rec(11, 1, 4, 'a', 0, 0, 0)
	join := func(parts ...[]byte) []byte { return slices.Concat(parts...) }
	at := int64(headerSize + len(cert))
	for _, c := range []struct {
		name    string
		in      []byte
		problem Problem
		offset  int64
		lenient bool
	}{
		{"good", join(head, name, cert, cert, end), 0, 0, true},
		{"seven octets", head[:7], ErrNotStore, 7, false},
		{"DER", ca.Raw, ErrNotStore, 0, false},
		{"other octets", bytes.Repeat([]byte("x"), 40), ErrNotStore, 4, false},
		{"version", join([]byte{1, 0, 0, 0}, head[4:], end), ErrVersion, 0, false},
		{"eleven octets", join(head, cert, end[:11]), ErrTruncated, at, false},
		{"no end", join(head, cert), ErrEndMarker, at, true},
		{"end with a length", join(head, cert, rec(0, 0, 9)), ErrEndMarker, at, true},
		{"end with an encoding", join(head, cert, rec(0, 1, 0)), ErrEndMarker, at, true},
		{"after the end", join(head, cert, end, cert), ErrTrailing, at + recordSize, true},
		{"dangling before the end", join(head, cert, name, end), ErrDangling, at, true},
		{"two dangling", join(head, cert, name, name, end), ErrDangling, at, true},
		{"encoding 0 of a certificate", join(head, rec(0x20, 0, n, ca.Raw...), end), ErrEncoding, 8, false},
		{"encoding 2 of a property", join(head, rec(11, 2, 0), cert, end), ErrEncoding, 8, false},
		{"long value", join(head, cert, rec(11, 1, 0xffffffff), end), ErrTruncated, at, false},
		{"value one octet too long", join(head, rec(0x20, 1, n+1, ca.Raw...)), ErrTruncated, 8, false},
		{"certificate too short", join(head, rec(0x20, 1, n-1, ca.Raw[:n-1]...), end), ErrNotDER, 8, false},
		{"certificate too long", join(head, rec(0x20, 1, n+1, append(slices.Clone(ca.Raw), 0)...), end), ErrNotDER, 8, false},
		{"empty CRL", join(head, rec(0x21, 1, 0), end), ErrNotDER, 8, false},
		{"empty CTL", join(head, rec(0x22, 1, 0), end), ErrNotDER, 8, false},
		{"large identifier", join(head, rec(0x10000, 1, 0), cert, end), ErrPropertyID, 8, true},
		{"zero-length property", join(head, rec(104, 1, 0), cert, end), 0, 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Read(bytes.NewReader(c.in), nil)
			e, ok := errors.AsType[*Error](err)
			if c.problem == 0 {
				if err != nil || !bytes.Equal(encode(t, s), c.in) {
					t.Errorf("%v", err)
				}
			} else if !ok || e.Problem != c.problem || e.Offset != c.offset || s != nil || !errors.Is(err, c.problem) {
				t.Errorf("%v", err)
			}
			s, err = Read(bytes.NewReader(c.in), &ReadOptions{Lenient: true})
			if (err == nil) != c.lenient {
				t.Errorf("leniently: %v", err)
			} else if err == nil && c.problem != 0 && (len(s.Warnings) != 1 || s.Warnings[0].Problem != c.problem || s.Warnings[0].Offset != c.offset) {
				t.Errorf("warnings %v", s.Warnings)
			}
			for i := range c.in {
				if s, err := Read(bytes.NewReader(c.in[:i]), nil); err == nil && len(encode(t, s)) != i {
					t.Errorf("cut at %d: no error", i)
				}
			}
		})
	}
}

func TestReadLimits(t *testing.T) {
	ca, _ := fake(t, "ca")
	s := Of(ca, ca, ca)
	s.Elements[1].Properties = []Property{{PropFriendlyName, 1, make([]byte, 1000)}}
	b := encode(t, s)
	for _, c := range []struct {
		name string
		opts ReadOptions
		ok   bool
	}{
		{"defaults", ReadOptions{}, true},
		{"exact", ReadOptions{MaxBytes: int64(len(b)), MaxElements: 3, MaxProperty: 1000}, true},
		{"none", ReadOptions{MaxBytes: math.MaxInt64, MaxElements: math.MaxInt, MaxProperty: math.MaxInt}, true},
		{"bytes", ReadOptions{MaxBytes: int64(len(b)) - 1}, false},
		{"elements", ReadOptions{MaxElements: 2}, false},
		{"property", ReadOptions{MaxProperty: 999}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := Read(iotest.HalfReader(bytes.NewReader(b)), &c.opts)
			if (err == nil) != c.ok || !c.ok && !errors.Is(err, ErrLimit) {
				t.Errorf("%v", err)
			}
		})
	}
	many := []byte("\x00\x00\x00\x00CERT")
	for range propertiesPerElement + 1 {
		many = append(many, rec(0x9000, 1, 0)...)
	}
	if _, err := Read(bytes.NewReader(many), &ReadOptions{MaxElements: 1}); !errors.Is(err, ErrLimit) {
		t.Errorf("many properties: %v", err)
	}
	broken := errors.New("broken")
	if _, err := Read(iotest.ErrReader(broken), nil); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestWriteFaults(t *testing.T) {
	ca, _ := fake(t, "ca")
	for name, e := range map[string]Element{
		"no kind":             {DER: ca.Raw},
		"kind of a property":  {Kind: 3, DER: ca.Raw},
		"no DER":              {Kind: Certificate},
		"two certificates":    {Kind: Certificate, DER: append(slices.Clone(ca.Raw), ca.Raw...)},
		"property 0":          {Kind: Certificate, DER: ca.Raw, Properties: []Property{{}}},
		"property 32":         {Kind: Certificate, DER: ca.Raw, Properties: []Property{{ID: 32}}},
		"property 0x10000":    {Kind: Certificate, DER: ca.Raw, Properties: []Property{{ID: 0x10000}}},
		"property encoding 2": {Kind: Certificate, DER: ca.Raw, Properties: []Property{{ID: 3, Encoding: 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			err := Write(&out, &Store{Elements: []Element{{Kind: Certificate, DER: ca.Raw}, e}})
			if x, ok := errors.AsType[*Error](err); !ok || x.Element != 1 || out.Len() != 0 {
				t.Errorf("%v, %d octets", err, out.Len())
			}
			if b, err := e.MarshalBinary(); err == nil || b != nil {
				t.Errorf("as an element: %v", err)
			}
			if strings.HasPrefix(name, "property") {
				return
			}
			if _, err := NewElement(e.Kind, e.DER); err == nil {
				t.Error("NewElement")
			}
		})
	}
	broken := errors.New("broken")
	if err := Write(failing{broken}, Of(ca)); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestElementForms(t *testing.T) {
	ca, key := fake(t, "ca")
	crl, err := NewElement(CRL, fakeCRL(t, ca, key))
	if err != nil {
		t.Fatal(err)
	}
	crl.Properties = []Property{TextProperty(PropFriendlyName, "Főtanúsítvány"), {ID: PropArchived}}
	b, err := crl.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	name := TextProperty(PropDescription, "later")
	for _, c := range []struct {
		what    string
		in      []byte
		problem Problem
		props   int
	}{
		{"as it was", b, 0, 2},
		{"zeros after it", append(slices.Clone(b), make([]byte, 5)...), 0, 2},
		{"property after it", append(slices.Clone(b), rec(13, 1, uint32(len(name.Value)), name.Value...)...), 0, 3},
		{"text after it", append(slices.Clone(b), "trailing, longer than a record"...), ErrEncoding, 0},
		{"little after it", append(slices.Clone(b), "x"...), ErrTruncated, 0},
		{"an end marker with a length", append(slices.Clone(b), rec(0, 0, 1)...), ErrTrailing, 0},
		{"twice", append(slices.Clone(b), b...), ErrTrailing, 0},
		{"empty", nil, ErrNoContext, 0},
		{"zeros", make([]byte, 24), ErrNoContext, 0},
		{"properties only", rec(19, 1, 0), ErrNoContext, 0},
	} {
		t.Run(c.what, func(t *testing.T) {
			e, err := ReadElement(c.in)
			if c.problem != 0 {
				if !errors.Is(err, c.problem) || e != nil {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil || e.Kind != CRL || len(e.Properties) != c.props || e.FriendlyName() != "Főtanúsítvány" || !e.Archived() {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
}

func TestMismatches(t *testing.T) {
	ca, _ := fake(t, "ca")
	sum := sha1.Sum(ca.Raw)
	e := Element{Kind: Certificate, DER: ca.Raw, Properties: []Property{{ID: PropSHA1, Value: sum[:]}, {ID: PropKeyIdentifier, Value: []byte("ca")}}}
	for _, id := range []PropertyID{PropIssuerKeyMD5, PropRenewal} { // not to be recomputed
		e.Properties = append(e.Properties, Property{ID: id, Value: []byte{1}})
	}
	good := len(e.Properties)
	wrong := []PropertyID{PropSHA1, PropMD5, PropSHA256, PropAuthRootSHA256, PropSignatureHash, PropKeyIdentifier,
		PropSubjectKeyMD5, PropIssuerSerialMD5, PropSubjectNameMD5, PropKeyPin}
	for i, id := range wrong {
		e.Properties = append(e.Properties, Property{ID: id, Value: make([]byte, 16+i%2)})
	}
	list := (&Store{Elements: []Element{{Kind: Certificate, DER: ca.Raw}, e}}).Mismatches()
	if len(list) != len(wrong) {
		t.Fatalf("%d mismatches: %v", len(list), list)
	}
	for i, m := range list {
		if m.Property != wrong[i] || m.Element != 1 || !errors.Is(m, ErrMismatch) {
			t.Errorf("%v", m)
		}
	}
	var b bytes.Buffer
	s := &Store{Elements: []Element{e}}
	if err := Write(&b, s); err != nil {
		t.Fatal(err)
	}
	lenient, err := Read(bytes.NewReader(b.Bytes()), &ReadOptions{Lenient: true})
	if err != nil || len(lenient.Warnings) != len(wrong) {
		t.Errorf("%v, %v", lenient, err)
	}
	if strict, err := Read(bytes.NewReader(b.Bytes()), nil); err != nil || len(strict.Warnings) != 0 {
		t.Errorf("strictly: %v, %v", strict, err)
	}
	// Each is right with what it is compared with.
	for _, p := range e.Properties[good:] {
		for _, v := range new(hashed).of(&e, p.ID, 32) {
			s := &Store{Elements: []Element{{Kind: Certificate, DER: ca.Raw, Properties: []Property{{ID: p.ID, Value: v}}}}}
			if m := s.Mismatches(); len(m) != 0 {
				t.Errorf("%v", m)
			}
		}
	}
}

// wide returns text in UTF-16 with a byte order mark.
func wide(text string, order binary.AppendByteOrder) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune("\ufeff" + text)) {
		b = order.AppendUint16(b, u)
	}
	return b
}

func TestReadAny(t *testing.T) {
	a, key := fake(t, "a")
	b, _ := fake(t, "b")
	crl := fakeCRL(t, a, key)
	store := Of(a, b)
	store.Elements = append(store.Elements, Element{Kind: CRL, DER: crl})
	file := encode(t, store)
	element, err := store.Elements[1].MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var p7b, text bytes.Buffer
	if err := errors.Join(store.WritePKCS7(&p7b), store.WritePEM(&text)); err != nil {
		t.Fatal(err)
	}
	key8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	keyPEM := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key8})
	broken := bytes.Replace(text.Bytes(), []byte("-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE"), []byte("-----END X-----\n-----BEGIN CERTIFICATE"), 1)
	for _, c := range []struct {
		what             string
		in               []byte
		certs, crls, bad int
	}{
		{"store", file, 2, 1, 0},
		{"store in base64", []byte(base64.StdEncoding.EncodeToString(file)), 2, 1, 0},
		{"store in base64 lines", wrap(file), 2, 1, 0},
		{"element", element, 1, 0, 0},
		{"PKCS #7", p7b.Bytes(), 2, 1, 0},
		{"PKCS #7 in PEM", pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7b.Bytes()}), 2, 1, 0},
		{"PEM", text.Bytes(), 2, 1, 0},
		{"PEM with a key", append(keyPEM, text.Bytes()...), 2, 1, 0},
		{"DER", a.Raw, 1, 0, 0},
		{"DER CRL", crl, 0, 1, 0},
		{"DER in base64", []byte(base64.StdEncoding.EncodeToString(a.Raw)), 1, 0, 0},
		{"a broken PEM block", broken, 0, 0, 1},
		{"PEM of nothing", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte("x")}), 0, 0, 1},
		{"key", key8, 0, 0, 1},
		{"text", []byte("certificate"), 0, 0, 1},
		{"nothing", nil, 0, 0, 1},
		{"DER and a line break", append(slices.Clone(a.Raw), "\r\n\x00"...), 1, 0, 0},
		{"CRL and a line break", append(slices.Clone(crl), "\n"...), 0, 1, 0},
		{"PKCS #7 and NUL", append(bytes.Clone(p7b.Bytes()), 0, 0), 2, 1, 0},
		{"DER and many NUL", append(slices.Clone(a.Raw), make([]byte, 17)...), 0, 0, 1},
		{"DER and more", append(slices.Clone(a.Raw), 1), 0, 0, 1},
		{"PEM with a byte order mark", append([]byte("\ufeff"), text.Bytes()...), 2, 1, 0},
		{"PEM in UTF-16LE", wide(text.String(), binary.LittleEndian), 2, 1, 0},
		{"PEM in UTF-16BE", wide(text.String(), binary.BigEndian), 2, 1, 0},
		{"base64 in UTF-16LE", wide(base64.StdEncoding.EncodeToString(a.Raw), binary.LittleEndian), 1, 0, 0},
		{"PEM and NUL", append(bytes.Clone(text.Bytes()), 0, 0), 2, 1, 0},
		{"PEM with a comment", append([]byte("# -----BEGIN CERTIFICATE-----\n"), text.Bytes()...), 2, 1, 0},
		{"key in PEM", keyPEM, 0, 0, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			s, err := ReadAny(bytes.NewReader(c.in), nil)
			if c.bad != 0 {
				if _, ok := errors.AsType[*Error](err); !ok || s != nil {
					t.Error(err)
				}
				return
			}
			if err != nil || len(s.of(Certificate)) != c.certs || len(s.of(CRL)) != c.crls || len(s.Elements) != c.certs+c.crls {
				t.Error(err)
			}
		})
	}
	if _, err := ReadAny(bytes.NewReader(text.Bytes()), &ReadOptions{MaxElements: 2}); !errors.Is(err, ErrLimit) {
		t.Errorf("too many in PEM: %v", err)
	}
}

func wrap(b []byte) []byte {
	s := base64.StdEncoding.EncodeToString(b)
	var out bytes.Buffer
	for len(s) > 64 {
		out.WriteString(s[:64] + "\r\n")
		s = s[64:]
	}
	out.WriteString(s + "\r\n")
	return out.Bytes()
}

func TestCertificates(t *testing.T) {
	a, key := fake(t, "a")
	b, _ := fake(t, "b")
	s := &Store{Elements: []Element{{Kind: Certificate, DER: a.Raw}, {Kind: CRL, DER: fakeCRL(t, a, key)},
		{Kind: Certificate, DER: []byte{0x30, 0}}, {Kind: Certificate, DER: b.Raw}}}
	var names []string
	for c, err := range s.Certificates() {
		if err != nil {
			e, ok := errors.AsType[*Error](err)
			if !ok || e.Element != 2 || c != nil {
				t.Errorf("%v", err)
			}
			names = append(names, "bad")
			continue
		}
		names = append(names, c.Subject.CommonName)
	}
	if !slices.Equal(names, []string{"a", "bad", "b"}) {
		t.Errorf("%v", names)
	}
	for range s.Certificates() {
		break
	}
}

func TestProblemTexts(t *testing.T) {
	seen := map[string]bool{}
	for p := ErrNotStore; p <= ErrLimit; p++ {
		text := p.Error()
		if seen[text] || strings.HasPrefix(text, "sst: problem") {
			t.Errorf("%d: %q", p, text)
		}
		seen[text] = true
	}
	if Problem(0).Error() != "sst: problem 0" || len(seen) != 15 {
		t.Errorf("%q, %d", Problem(0).Error(), len(seen))
	}
	var _ error = &Error{}
	if text := (&Error{Problem: ErrProperty, Offset: 5, Element: 3, Property: 104, Reason: "r", err: io.EOF}).Error(); !strings.Contains(text, "offset 5, element 3, property DISALLOWED_FILETIME: r: EOF") {
		t.Error(text)
	}
}

func FuzzRead(f *testing.F) {
	ca, key := fake(f, "ca")
	s := Of(ca, ca)
	s.Elements = append(s.Elements, Element{Kind: CRL, DER: fakeCRL(f, ca, key)})
	s.Elements[0].Properties = []Property{TextProperty(PropFriendlyName, "name"), TimeProperty(PropDisallowedTime, time.Time{}),
		OIDProperty(PropEnhKeyUsage, asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 4})}
	whole := encode(f, s)
	f.Add(whole)
	f.Add(whole[:len(whole)-recordSize])
	f.Add(append(slices.Clone(whole), 1, 2, 3))
	f.Add([]byte("\x00\x00\x00\x00CERT"))
	f.Fuzz(func(t *testing.T, b []byte) {
		opts := &ReadOptions{MaxElements: 100}
		s, err := Read(bytes.NewReader(b), opts)
		lenient, lenientErr := Read(bytes.NewReader(b), &ReadOptions{MaxElements: 100, Lenient: true})
		if err == nil {
			if out := encode(t, s); !bytes.Equal(out, b) {
				t.Fatalf("%x became %x", b, out)
			}
			if lenientErr != nil || len(lenient.Warnings) != len(s.Mismatches()) {
				t.Fatalf("leniently: %v, %v", lenientErr, lenient)
			}
			s.Source()
			for _, err := range s.Certificates() {
				_ = err
			}
			for _, e := range s.Elements {
				for _, p := range e.Properties {
					_ = p.String()
				}
			}
			return
		}
		if e, ok := errors.AsType[*Error](err); !ok || s != nil || e.Offset > int64(len(b)) || e.Offset < 0 {
			t.Fatal(err)
		}
		if lenientErr == nil && len(lenient.Warnings) == 0 {
			t.Fatalf("%v, and leniently no warning", err)
		}
	})
}

func FuzzReadElement(f *testing.F) {
	ca, _ := fake(f, "ca")
	e := Element{Kind: Certificate, DER: ca.Raw, Properties: []Property{TextProperty(PropFriendlyName, "name")}}
	b, err := e.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add(append(b, 0, 0, 0))
	f.Add(append(b, b...))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ReadElement(b)
		if err != nil {
			return
		}
		out, err := e.MarshalBinary()
		if err != nil {
			return // a property identifier that no store holds
		}
		again, err := ReadElement(out)
		if err != nil || !bytes.Equal(again.DER, e.DER) || len(again.Properties) != len(e.Properties) {
			t.Fatalf("%+v, then %+v, %v", e, again, err)
		}
	})
}

func FuzzReadAny(f *testing.F) {
	ca, _ := fake(f, "ca")
	f.Add(encode(f, Of(ca)))
	f.Add(ca.Raw)
	f.Add(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: ca.Raw}))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ReadAny(bytes.NewReader(b), &ReadOptions{MaxElements: 50})
		if err != nil {
			if _, ok := errors.AsType[*Error](err); !ok || s != nil {
				t.Fatal(err)
			}
			return
		}
		again, err := Read(bytes.NewReader(encode(t, s)), nil)
		if err != nil || len(again.Elements) != len(s.Elements) {
			t.Fatalf("written and read again: %v", err)
		}
	})
}

// A lossyWriter takes less than it is given and does not say so.
type lossyWriter struct{ room int }

func (l *lossyWriter) Write(p []byte) (int, error) {
	n := min(l.room, len(p))
	l.room -= n
	return n, nil
}

// TestWriteToLossyWriter: a store that was not taken whole is an error.
func TestWriteToLossyWriter(t *testing.T) {
	ca, _ := fake(t, "ca")
	s := &Store{Elements: slices.Repeat([]Element{{Kind: Certificate, DER: ca.Raw}}, 500)}
	var whole bytes.Buffer
	if err := Write(&whole, s); err != nil {
		t.Fatal(err)
	}
	for _, room := range []int{0, 1, 40 << 10, whole.Len() - 1} {
		if err := Write(&lossyWriter{room}, s); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("room for %d: %v", room, err)
		}
	}
}
