package ber

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

func addSeeds(f *testing.F) {
	for _, s := range []string{
		"", "0500", "30800000", "3003020105", "3080 020105 0000", "30 09 a080 3180 0000 0000 0500",
		"2480 040101 2480 04020203 0000 0000", "04830000020102", "1f8100 00", "0488ffffffffffffffff", "3004 3080 0500",
		"3106 020102 020101", "2308 03020001 030204ff", "0203ffff80", "308030803080", "9f83ffffff7f01 00",
	} {
		f.Add(unhex(f, s))
	}
}

// What cryptobyte reads as DER this package reads alike, and in whatever this
// package takes for DER cryptobyte agrees.
func FuzzAgree(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s := cryptobyte.String(b)
		var all cryptobyte.String
		var tag asn1.Tag
		theirs := s.ReadAnyASN1Element(&all, &tag) && s.Empty()
		r := NewReader(bytes.NewReader(b), Limits{})
		raw, err := r.Raw(len(b))
		if err == nil {
			_, err = r.in.peek(1)
		}
		ours := err == io.EOF
		if theirs && !ours && tag&^0x20 != 0 {
			t.Fatalf("%x: only cryptobyte reads it: %v", b, err)
		}
		if ours && !bytes.Equal(raw, b) {
			t.Fatalf("%x: Raw gives %x", b, raw)
		}
		if CheckDER(b, false) == nil && b[0]&0x1f != 0x1f && len(b) < 1<<16 && !theirs {
			t.Fatalf("%x: DER that cryptobyte does not read", b)
		}
	})
}

// The errors are documented ones, the limits hold, and the result does not
// depend on how the input arrives.
func FuzzReader(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		lim := Limits{Depth: 8, Elements: 50, Bytes: 1 << 16}
		r := NewReader(bytes.NewReader(b), lim)
		got, err := dump(r)
		if r.Depth() > lim.Depth || r.Offset() > int64(len(b)) || r.Offset() > lim.Bytes {
			t.Fatalf("depth %d, offset %d", r.Depth(), r.Offset())
		}
		_, syntax := errors.AsType[*SyntaxError](err)
		_, limit := errors.AsType[*LimitError](err)
		if err != nil && !syntax && !limit {
			t.Fatal(err)
		}
		slow := NewReader(&sizes{r: io.LimitReader(byOne{bytes.NewReader(b)}, int64(len(b)))}, lim)
		again, err2 := dump(slow)
		if again != got || (err == nil) != (err2 == nil) || err != nil && err.Error() != err2.Error() {
			t.Fatalf("%q, %v; octet by octet: %q, %v", got, err, again, err2)
		}
	})
}

type byOne struct{ r io.Reader }

func (o byOne) Read(p []byte) (int, error) { return o.r.Read(p[:min(len(p), 1)]) }

// ToDER gives DER, and the same again for that; the Reader reads the result.
func FuzzToDER(f *testing.F) {
	addSeeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, sorted := range []bool{false, true} {
			der, err := ToDER(b, sorted, 1<<16)
			if err != nil {
				if der != nil {
					t.Fatalf("%x and %v", der, err)
				}
				continue
			}
			if err := CheckDER(der, sorted); err != nil {
				t.Fatalf("%x: %x: %v", b, der, err)
			}
			if again, err := ToDER(der, sorted, 1<<16); err != nil || !bytes.Equal(again, der) {
				t.Fatalf("%x: %x, then %x, %v", b, der, again, err)
			}
			if raw, err := NewReader(bytes.NewReader(der), Limits{}).Raw(len(der)); err != nil || !bytes.Equal(raw, der) {
				t.Fatalf("%x: %x: %v", b, der, err)
			}
			if len(der) > 2*len(b)+8 {
				t.Fatalf("%d octets became %d", len(b), len(der))
			}
		}
	})
}

// What the Writer writes, in pieces of any size, the Reader reads.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("abc"), 1, false, uint32(4))
	f.Add(bytes.Repeat([]byte("abc"), 50_000), 70_000, false, uint32(1))
	f.Add([]byte{}, 7, true, uint32(1<<30-1))
	f.Fuzz(func(t *testing.T, data []byte, piece int, known bool, number uint32) {
		if piece <= 0 {
			piece = 1
		}
		tag := Context(number)
		var out bytes.Buffer
		w := NewWriter(&out)
		w.Begin(Sequence, -1)
		size := int64(-1)
		if known {
			size = int64(len(data))
		}
		s := w.OctetString(tag, size)
		for p := data; len(p) > 0; p = p[min(piece, len(p)):] {
			if _, err := s.Write(p[:min(piece, len(p))]); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		w.End()
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r := NewReader(&out, Limits{})
		if err := r.Enter(Sequence); err != nil {
			t.Fatal(err)
		}
		got, err := r.Octets(tag, len(data))
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("%x, %v", got, err)
		}
		if err := errors.Join(r.Leave(), r.End()); err != nil {
			t.Fatal(err)
		}
	})
}
