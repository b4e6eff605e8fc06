package ber

import (
	"bytes"
	"strings"
	"testing"
)

func TestTrimEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, element, after string
		trimmed              bool
	}{
		{"nothing", "\x04\x01a", "", true},
		{"line break", "\x04\x01a", "\r\n", true},
		{"blanks and NULs", "\x04\x01a", " \t\x00", true},
		{"element that ends with NUL", "\x04\x02a\x00", "\n", true},
		{"element of line breaks", "\x04\x02\n\n", "\n\n", true},
		{"indefinite length", "\x30\x80\x04\x01a\x00\x00", "\x00\x00\n", true},
		{"indefinite length without end", "\x30\x80\x04\x01a", "\x00\n", false},
		{"most", "\x04\x01a", strings.Repeat("\x00", maxTrailing), true},
		{"too many", "\x04\x01a", strings.Repeat("\x00", maxTrailing+1), false},
		{"other octets", "\x04\x01a", "\n-", false},
		{"other octets before the filler", "\x04\x01a", "-\n", false},
		{"no element", "\x04\x05a", "\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := []byte(tt.element + tt.after)
			want := in
			if tt.trimmed {
				want = []byte(tt.element)
			}
			if got := TrimEnd(in); !bytes.Equal(got, want) {
				t.Errorf("%x, want %x", got, want)
			}
		})
	}
}

// FuzzTrimEnd: nothing but filler is taken off, and what is one element stays.
func FuzzTrimEnd(f *testing.F) {
	f.Add([]byte("\x04\x01a\r\n"))
	f.Add([]byte("\x30\x80\x04\x01a\x00\x00\x00\x00\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got := TrimEnd(b)
		rest, ok := bytes.CutPrefix(b, got)
		if !ok || len(rest) > maxTrailing || bytes.ContainsFunc(rest, func(r rune) bool { return r > 0x7f || !isFiller(byte(r)) }) {
			t.Fatalf("%x of %x", got, b)
		}
		if CheckDER(b, false) == nil && len(rest) > 0 {
			t.Fatalf("DER was cut: %x", b)
		}
	})
}
