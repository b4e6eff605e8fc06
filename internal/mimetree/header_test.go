package mimetree_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// TestParseHeader holds which lines are fields, the last one being those that
// programs differ about.
func TestParseHeader(t *testing.T) {
	for _, tt := range []struct {
		section, names string
		malformed      int
	}{
		{"A: b\r\nC : d\r\n\r\n", "A C", 0},
		{"A: b\n c\n\nD: e\n", "A", 0},
		{"\r\nA: b\r\n", "", 0},
		{"\r\n A: b\r\n", "", 0},
		{"From x\r\nA: b\r\n", "A", 1},
		{" A: b\r\nC: d\r\n", "C", 1},
		{"A: b\r\n\r\r\nC: d\r\n", "A C", 2},
		{"A: b\rC: d\r\n", "A C", 2},
		{"A: b\r C: d\r\n", "A", 1},
		{"A:\rC: d\rE\rF:\r\r\n", "A C F", 3},
		{"x\rC: d\r\n", "C", 3},
		{"A: b\r\r\n", "A", 1},
		{"\ufeffA: b\r\nC: d\r\n", "A C", 1},
		{"A: b\r\n\ufeffC: d\r\n", "A C", 1},
		{"A: b\r\n\vC\x00: d\r\n", "A C", 1},
		{"A: b\r\n\ufeff: d\r\n", "A", 1},
		{"A: b\r\nC\u00a0: d\r\n", "A", 1},
		{"A: b\r\nC d: e\r\n", "A", 1},
		{" From: b\r\nC: d\r\n", "From C", 1},
		{"A: b\r\nFrom\xa0: b\r\n", "A From", 1},
		{"A: b\r\nFr\x00om: b\r\n", "A From", 1},
		{"A: b\r\n\u200bfrom : b\r\n", "A from", 1},
		{"A: b\r\nFr om: b\r\n", "A", 1},
		{"A: b\vFrom: d\r\n", "A From", 1},
		{"A: b\u0085From: d\r\n", "A From", 1},
		{"A: b\u2028From: d\r\n", "A From", 1},
		{"A: b\vC: d\r\n", "A", 0},
		{"A: b\x00\r\n", "A", 1},
		{"A: b\r\n From: d\r\n", "A", 0},
	} {
		t.Run(tt.section, func(t *testing.T) {
			t.Parallel()
			h, malformed, err := mimetree.ParseHeader([]byte(tt.section), 7)
			var names []string
			for _, f := range h {
				names = append(names, f.Name)
				if at := f.Offset - 7; string(f.Raw) != tt.section[at:at+int64(len(f.Raw))] {
					t.Errorf("Raw of %s is %q at %d", f.Name, f.Raw, at)
				}
			}
			if got := strings.Join(names, " "); got != tt.names || malformed != tt.malformed || err != nil {
				t.Errorf("%q, %d malformed, %v", got, malformed, err)
			}
		})
	}
	if _, _, err := mimetree.ParseHeader([]byte("A: b"+strings.Repeat("\r", 1<<20)), 0); err != nil {
		t.Error(err)
	}
	var limit *mimetree.LimitError
	if _, _, err := mimetree.ParseHeader([]byte(strings.Repeat("A:\r", 20_000)), 0); !errors.As(err, &limit) {
		t.Error(err)
	}
}
