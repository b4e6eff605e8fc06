package ber

import (
	"bytes"
	"errors"
	"io"
	"math"
	"testing"
)

func TestAppendHeader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tag         Tag
		constructed bool
		length      int64
		want        string
	}{
		{Null, false, 0, "0500"},
		{Sequence, true, 127, "307f"},
		{Sequence, true, 128, "308180"},
		{Context(0), true, 256, "a0820100"},
		{Context(30), false, 65536, "9e83010000"},
		{Context(31), false, 0, "9f1f00"},
		{Context(127), false, 0, "9f7f00"},
		{Context(128), true, 0, "bf810000"},
		{Context(1<<30 - 1), false, 1, "9f83ffffff7f01"},
		{OctetString, false, math.MaxInt64, "04887fffffffffffffff"},
	} {
		got := AppendHeader(nil, c.tag, c.constructed, c.length)
		if want := unhex(t, c.want); !bytes.Equal(got, want) || HeaderLen(c.tag, c.length) != len(want) {
			t.Errorf("%v of %d: %x, %d long, want %s", c.tag, c.length, got, HeaderLen(c.tag, c.length), c.want)
		}
		e, fault := parseHeader(got)
		if fault != "" || e.Tag != c.tag || e.Constructed != c.constructed || e.Length != c.length || e.HeaderLen != len(got) {
			t.Errorf("%x: read as %+v %s", got, e, fault)
		}
	}
}

func TestWriter(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := NewWriter(&b)
	w.Begin(Sequence, -1)
	w.Raw([]byte{2, 1, 5}, []byte{5, 0})
	w.Begin(Context(0), 5)
	s := w.OctetString(OctetString, 3)
	mustWrite(t, s, []byte{1, 2})
	mustWrite(t, s, []byte{3})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	w.End()
	s = w.OctetString(Context(1), -1)
	mustWrite(t, s, []byte{4})
	mustWrite(t, s, []byte{5})
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if err := w.OctetString(Context(2), -1).Close(); err != nil {
		t.Fatal(err)
	}
	w.End()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	want := unhex(t, "3080 020105 0500 a005 0403010203 a180 04020405 0000 a280 0000 0000")
	if !bytes.Equal(b.Bytes(), want) {
		t.Errorf("%x, want %x", b.Bytes(), want)
	}
}

func mustWrite(t *testing.T, w io.Writer, p []byte) {
	t.Helper()
	if n, err := w.Write(p); n != len(p) || err != nil {
		t.Fatal(n, err)
	}
}

func TestWriterSegments(t *testing.T) {
	t.Parallel()
	data := make([]byte, 5*segmentSize+17)
	for i := range data {
		data[i] = byte(i * 7)
	}
	for _, piece := range []int{1000, segmentSize, segmentSize - 1, 2*segmentSize + 1, len(data)} {
		var b bytes.Buffer
		w := NewWriter(&b)
		s := w.OctetString(OctetString, -1)
		for p := data; len(p) > 0; {
			n := min(piece, len(p))
			mustWrite(t, s, p[:n])
			p = p[n:]
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := NewReader(&b, Limits{Elements: 8}).Octets(OctetString, len(data))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("pieces of %d: %d octets, %v", piece, len(got), err)
		}
	}
}

func TestWriterMisuse(t *testing.T) {
	t.Parallel()
	for name, use := range map[string]func(*Writer) error{
		"too short":        func(w *Writer) error { w.Begin(Sequence, 3); w.Raw([]byte{5, 0}); w.End(); return nil },
		"too long":         func(w *Writer) error { w.Begin(Sequence, 1); w.Raw([]byte{5, 0}); w.End(); return nil },
		"not ended":        func(w *Writer) error { w.Begin(Sequence, -1); return nil },
		"ended twice":      func(w *Writer) error { w.Begin(Sequence, -1); w.End(); w.End(); return nil },
		"child too long":   func(w *Writer) error { w.Begin(Sequence, 4); w.Begin(Sequence, 3); return nil },
		"string too short": func(w *Writer) error { return w.OctetString(OctetString, 1).Close() },
		"string too long":  func(w *Writer) error { _, err := w.OctetString(OctetString, 1).Write([]byte{1, 2}); return err },
		"string open":      func(w *Writer) error { w.OctetString(OctetString, -1); w.Raw([]byte{5, 0}); return nil },
		"after Close": func(w *Writer) error {
			s := w.OctetString(OctetString, 0)
			if err := s.Close(); err != nil {
				return nil
			}
			_, err := s.Write([]byte{1})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := NewWriter(io.Discard)
			if err := errors.Join(use(w), w.Close()); err == nil {
				t.Errorf("%s: no error", name)
			}
		})
	}
	broken := errors.New("broken")
	w := NewWriter(failing{broken})
	w.Begin(Sequence, -1)
	s := w.OctetString(OctetString, -1)
	_, err := s.Write(make([]byte, 1<<20))
	if !errors.Is(err, broken) || !errors.Is(s.Close(), broken) || !errors.Is(w.Err(), broken) {
		t.Errorf("%v, %v", err, w.Err())
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
