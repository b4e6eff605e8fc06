package ber

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
)

func TestToDER(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
		sorted   bool
	}{
		{in: "0500", want: "0500"},
		{in: "30800000", want: "3000"},
		{in: "3081020500", want: "30020500"},
		{in: "048400000002 0102", want: "04020102"},
		{in: "3080 a080 020105 0000 0000", want: "3005 a003 020105"},
		{in: "2480 040101 2480 04020203 0000 0000", want: "0403010203"},
		{in: "2c80 040141 040142 0000", want: "0c024142"},
		{in: "2c80 0c0141 0c0142 0000", want: "0c024142"},
		{in: "2307 03020001 03010000", want: ""},
		{in: "2308 03020001 030204ff", want: "0303 0401f0"},
		{in: "2300", want: "030100"},
		{in: "030204ff", want: "030204f0"},
		{in: "010101", want: "0101ff"},
		{in: "010100", want: "010100"},
		{in: "02020005", want: "020105"},
		{in: "0203ffff80", want: "020180"},
		{in: "0202ff7f", want: "0202ff7f"},
		{in: "0a020005", want: "0a0105"},
		{in: "3106 020102 020101", want: "3106 020102 020101"},
		{in: "3106 020102 020101", want: "3106 020101 020102", sorted: true},
		{in: "3180 020102 02020001 0000", want: "3106 020101 020102", sorted: true},
		{in: "a080 040101 040102 0000", want: "a006 040101 040102"}, // implicit strings can't be told
		{in: "3180 3180 020102 020101 0000 3100 0000", want: "310a 3100 3106 020101 020102", sorted: true},
	} {
		in := unhex(t, c.in)
		got, err := ToDER(in, c.sorted, 1000)
		if c.want == "" {
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Errorf("%s: %x, %v, want a SyntaxError", c.in, got, err)
			}
			continue
		}
		if want := unhex(t, c.want); !bytes.Equal(got, want) || err != nil {
			t.Errorf("%s: %x, %v, want %s", c.in, got, err, c.want)
		}
		if err := CheckDER(got, c.sorted); err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
	}
	der := unhex(t, "30020500")
	if got, err := ToDER(der, true, 4); err != nil || &got[0] != &der[0] {
		t.Errorf("DER was copied: %x, %v", got, err)
	}
}

func TestToDERFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, in, limit string }{
		{"empty", "", ""},
		{"two elements", "05000500", ""},
		{"truncated", "3003 0500", ""},
		{"not ended", "3080 0500", ""},
		{"end-of-contents alone", "0000", ""},
		{"end-of-contents in definite", "30020000", ""},
		{"empty INTEGER", "3080 0200 0000", ""},
		{"empty BOOLEAN", "3080 0100 0000", ""},
		{"long BOOLEAN", "3080 01020101 0000", ""},
		{"NULL with contents", "3080 050100 0000", ""},
		{"constructed INTEGER", "2203 020101", ""},
		{"primitive SEQUENCE", "1000", ""},
		{"constructed NULL", "2500", ""},
		{"empty OID", "3080 0600 0000", ""},
		{"padded OID", "3080 06022a80 0000", ""},
		{"unfinished OID", "3080 0602802a 0000", ""},
		{"BIT STRING without count", "3080 0300 0000", ""},
		{"BIT STRING of 9 unused", "3080 03020900 0000", ""},
		{"BIT STRING of unused alone", "3080 030101 0000", ""},
		{"BIT STRING with unused bits inside", "2308 030204f0 03020001", ""},
		{"other type in a string", "2480 0c0141 0000", ""},
		{"too deep", strings.Repeat("3080", 33) + strings.Repeat("0000", 33), "depth"},
		{"far too deep", strings.Repeat("3080", 5000) + strings.Repeat("0000", 5000), "depth"},
		{"segments too deep", strings.Repeat("2480", 33) + strings.Repeat("0000", 33), "depth"},
		{"too long", "04" + "830186a0" + strings.Repeat("00", 100_000), "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ToDER(unhex(t, c.in), true, 65536)
			limit := ""
			if e, ok := errors.AsType[*LimitError](err); ok {
				limit = e.Limit
			} else if _, ok := errors.AsType[*SyntaxError](err); !ok {
				limit = "not a documented error"
			}
			if limit != c.limit || got != nil {
				t.Errorf("%s: %x, %v", c.name, got, err)
			}
		})
	}
}

func TestCheckDER(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in     string
		ok     bool // as DER
		sorted bool // also with its sets
	}{
		{"0500", true, true},
		{"3000", true, true},
		{"3106 020101 020102", true, true},
		{"3106 020102 020101", true, false},
		{"3006 020102 020101", true, true},
		{"310a 3106 020102 020101 3100", true, false},
		{"3107 02020101 020101", true, false}, // the shorter one comes first
		{"3107 020101 02020101", true, true},
		{"020100", true, true},
		{"0200", false, false},
		{"02020001", false, false},
		{"0202ffff", false, false},
		{"01017f", false, false},
		{"0101ff", true, true},
		{"8101 7f", true, true},
		{"30800000", false, false},
		{"308100", false, false},
		{"04820001 00", false, false},
		{"2403 040100", false, false},
		{"7303 170100", true, true},
		{"3703 170100", false, false},
		{"0303 0180ff", false, false},
		{"0303 0180fe", true, true},
		{"0302 0800", false, false},
		{"9f1f 00", true, true},
		{"9f1e 00", false, false},
		{"0601 88", false, false},
		{"0602 8801", true, true},
		{"0500 00", false, false},
		{"3002 05", false, false},
		{"", false, false},
		{nestedDER(32), true, true},
		{nestedDER(33), false, false},
	} {
		in := unhex(t, c.in)
		if err := CheckDER(in, false); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.in, err)
		}
		if err := CheckDER(in, true); (err == nil) != c.sorted {
			t.Errorf("%s: with sets: %v", c.in, err)
		}
	}
}

// nestedDER returns n SEQUENCEs, each but the innermost with the next inside.
func nestedDER(n int) string {
	var b []byte
	for range n {
		b = Append(nil, Sequence, true, b)
	}
	return hex.EncodeToString(b)
}
