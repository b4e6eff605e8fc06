package ber

import (
	"bytes"
	"testing"
)

func TestCountElements(t *testing.T) {
	t.Parallel()
	seq := func(parts ...[]byte) []byte { return Append(nil, Sequence, true, parts...) }
	octets := func(parts ...[]byte) []byte { return Append(nil, OctetString, false, parts...) }
	null := []byte{5, 0}
	for _, tt := range []struct {
		name string
		in   []byte
		want int
	}{
		{"nothing", nil, 0},
		{"one", null, 1},
		{"nested", seq(null, seq(null, null)), 5},
		{"inside of octets", seq(octets(seq(null, null)), null), 6},
		{"octets twice", octets(seq(octets(seq(null)))), 5},
		{"octets that hold no element", seq(octets([]byte{0x30, 5, 0}), null), 3},
		{"octets that look like an element", seq(octets([]byte{0x30, 2, 0x1f, 0x80}), null), 4},
		{"octets that end early", seq(octets([]byte{0x30, 2, 5, 9}), null), 4},
		{"cut off", seq(null, null)[:5], 0},
		{"many", seq(bytes.Repeat(null, 1000)), 1001},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := CountElements(tt.in); got != tt.want {
				t.Errorf("%d of %x, want %d", got, tt.in[:min(len(tt.in), 40)], tt.want)
			}
		})
	}
}

// FuzzCountElements holds that it counts what a Reader finds, and more in octets.
func FuzzCountElements(f *testing.F) {
	f.Add([]byte{0x30, 4, 5, 0, 5, 0})
	f.Add([]byte{0x30, 0x80, 4, 3, 0x30, 1, 5, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		n := CountElements(b)
		if n < 0 || n > len(b)/2+1 {
			t.Errorf("%d elements in %d octets", n, len(b))
		}
		if CheckDER(b, false) == nil && n == 0 {
			t.Error("an element was not counted")
		}
	})
}
