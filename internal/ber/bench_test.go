package ber

import (
	"bytes"
	"io"
	"testing"
)

func benchString(b *testing.B, in []byte, size int) {
	p := make([]byte, 256<<10)
	b.SetBytes(int64(size))
	b.ReportAllocs()
	for b.Loop() {
		s, err := NewReader(bytes.NewReader(in), Limits{}).String(OctetString)
		if err != nil {
			b.Fatal(err)
		}
		total := 0
		for {
			n, err := s.Read(p)
			total += n
			if err == io.EOF {
				break
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		if total != size {
			b.Fatal(total)
		}
	}
}

func BenchmarkPrimitive64MiB(b *testing.B) {
	const size = 64 << 20
	benchString(b, Append(nil, OctetString, false, make([]byte, size)), size)
}

func BenchmarkSegments64MiB(b *testing.B) {
	for _, c := range []struct {
		name    string
		segment int
	}{{"1000", 1000}, {"4096", 4096}, {"65536", 65536}} {
		b.Run(c.name, func(b *testing.B) {
			const size = 64 << 20
			in := append(make([]byte, 0, size+size/64), 0x24, 0x80)
			piece := make([]byte, c.segment)
			for n := 0; n < size; n += c.segment {
				in = Append(in, OctetString, false, piece[:min(c.segment, size-n)])
			}
			benchString(b, append(in, 0, 0), size)
		})
	}
}

func BenchmarkSmallElements(b *testing.B) {
	var body []byte
	for range 10_000 {
		body = Append(body, OID, false, []byte{42, 134, 72, 134, 247, 13, 1, 7, 2})
	}
	in := Append(nil, Sequence, true, body)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewReader(bytes.NewReader(in), Limits{})
		if err := r.Enter(Sequence); err != nil {
			b.Fatal(err)
		}
		for n := 0; ; n++ {
			if _, err := r.Next(); err == io.EOF {
				if n != 10_000 {
					b.Fatal(n)
				}
				break
			}
			if _, err := r.Contents(OID, 64); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkWriteSegments64MiB(b *testing.B) {
	p := make([]byte, 256<<10)
	b.SetBytes(64 << 20)
	b.ReportAllocs()
	for b.Loop() {
		s := NewWriter(io.Discard).OctetString(OctetString, -1)
		for range 64 << 20 / len(p) {
			if _, err := s.Write(p); err != nil {
				b.Fatal(err)
			}
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheckDER(b *testing.B) {
	var body []byte
	for range 100 {
		body = Append(body, Sequence, true, Append(nil, OID, false, []byte{42, 134, 72}), []byte{5, 0})
	}
	in := Append(nil, Sequence, true, body)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if err := CheckDER(in, true); err != nil {
			b.Fatal(err)
		}
	}
}
