package ber

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"testing/iotest"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// dump walks everything that r holds and writes it in one line: strings are
// read as streams, other primitives as contents.
func dump(r *Reader) (string, error) {
	var out strings.Builder
	for {
		e, err := r.Next()
		switch {
		case err == io.EOF && r.Depth() == 0:
			return out.String(), r.End()
		case err == io.EOF:
			err = r.Leave()
			out.WriteString(")")
		case err != nil:
		case e.Tag == OctetString:
			var s io.Reader
			if s, err = r.String(OctetString); err == nil {
				var b []byte
				b, err = io.ReadAll(s)
				fmt.Fprintf(&out, "<%x>", b)
			}
		case e.Constructed:
			err = r.Enter(e.Tag)
			fmt.Fprintf(&out, "%v(", e.Tag)
		default:
			var b []byte
			b, err = r.Contents(e.Tag, 1<<20)
			fmt.Fprintf(&out, "%v=%x ", e.Tag, b)
		}
		if err != nil {
			return out.String(), err
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"0500", "NULL= "},
		{"30 00", "SEQUENCE()"},
		{"30 80 0000", "SEQUENCE()"},
		{"30 03 020105", "SEQUENCE(INTEGER=05 )"},
		{"30 8103 020105", "SEQUENCE(INTEGER=05 )"},
		{"30 8900000000 0000000003 020105", "SEQUENCE(INTEGER=05 )"},
		{"30 80 020105 0000", "SEQUENCE(INTEGER=05 )"},
		{"30 08 a0 80 31 80 0000 0000 0500", "SEQUENCE([0](SET()))NULL= "},
		{"04 03 010203", "<010203>"},
		{"04 00", "<>"},
		{"24 80 0000", "<>"},
		{"24 00", "<>"},
		{"24 80 040101 04020203 0000", "<010203>"},
		{"24 0a 040101 24 80 040102 0000 0500", "<0102>NULL= "},
		{"24 80 24 80 24 03 040101 0000 0400 040102 0000 0500", "<0102>NULL= "},
		{"1f1f 00 5f 8100 00 df ffffff7f 0101", "[UNIVERSAL 31]= [APPLICATION 128]= [PRIVATE 268435455]=01 "},
		{"bf 83ffffff7f 00", "[1073741823]()"},
		{"df1f 0101", "[PRIVATE 31]=01 "},
	} {
		in := unhex(t, c.in)
		for name, src := range map[string]io.Reader{
			"whole": bytes.NewReader(in), "bytewise": iotest.OneByteReader(bytes.NewReader(in)),
			"data with EOF": iotest.DataErrReader(bytes.NewReader(in)),
		} {
			got, err := dump(NewReader(src, Limits{}))
			if got != c.want || err != nil {
				t.Errorf("%s: %s: %q, %v, want %q", c.in, name, got, err, c.want)
			}
		}
	}
}

func TestReaderFaults(t *testing.T) {
	t.Parallel()
	nested := func(b string, n int) string { return strings.Repeat(b, n) }
	for _, c := range []struct {
		name, in string
		offset   int64
		limit    string // empty: a SyntaxError
		cut      bool   // wraps io.ErrUnexpectedEOF
	}{
		{"truncated tag", "30", 1, "", true},
		{"truncated long tag", "1fff", 2, "", true},
		{"truncated length", "3082 01", 3, "", true},
		{"truncated value", "0403 0102", 4, "", true},
		{"truncated sequence", "3005 0500", 4, "", true},
		{"missing end-of-contents", "3080 0500", 4, "", true},
		{"half end-of-contents", "3080 00", 3, "", true},
		{"end-of-contents cut off by the container", "3004 3080 0500", 6, "", false},
		{"end-of-contents of indefinite inside definite missing", "3002 3080 0000", 4, "", false},
		{"end-of-contents in definite", "3002 0000", 2, "", false},
		{"end-of-contents at the top", "0500 0000", 2, "", false},
		{"end-of-contents with a long length", "3080 008100", 2, "", false},
		{"end-of-contents with contents", "3080 000100 0000", 2, "", false},
		{"constructed end-of-contents", "3080 2000 0000", 2, "", false},
		{"outruns its container", "3003 040201 02", 2, "", false},
		{"header outruns its container", "3002 0482 0001 00", 2, "", false},
		{"container outruns its container", "3004 300305000000", 2, "", false},
		{"outruns the outer of two containers", "3006 3080 0403 0102030000", 4, "", false},
		{"primitive of indefinite length", "0480 0000", 0, "", false},
		{"reserved length", "04ff 00", 0, "", false},
		{"tag with leading zeros", "1f801f 00", 0, "", false},
		{"small tag in long form", "1f1e 00", 0, "", false},
		{"tag of 2^30", "1f8480808000 00", 0, "", false},
		{"tag without end", "1fffffffffffffffff", 0, "", false},
		{"segment of another type", "2480 0c0101 0000", 2, "", false},
		{"segment with its own tag", "2480 800101 0000", 2, "", false},
		{"constructed segment of another type", "2480 3000 0000", 2, "", false},
		{"segment outruns its string", "2404 0403010203", 2, "", false},
		{"length of 2^63", "0488 8000000000000000", 10, "", true},
		{"length of 2^64-1", "0488 ffffffffffffffff", 10, "", true},
		{"length of 126 octets", "04fe" + nested("ff", 126), 128, "", true},
		{"length of 2^63 inside", "300c 0488 8000000000000000 0102", 2, "", false},
		{"length of 2^63 in indefinite", "3080 0488 8000000000000000", 12, "", true},
		{"nested", nested("3080", 100_000), 64, "depth", false},
		{"nested, definite", nested("308400ffffff", 100_000), 6, "", false},
		{"nested segments", nested("2480", 100_000), 64, "depth", false},
		{"nested segments in containers", nested("3080", 20) + nested("2480", 20), 64, "depth", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := dump(NewReader(bytes.NewReader(unhex(t, c.in)), Limits{}))
			off := int64(-1)
			limit := ""
			if e, ok := errors.AsType[*SyntaxError](err); ok {
				off = e.Offset
			} else if e, ok := errors.AsType[*LimitError](err); ok {
				off, limit = e.Offset, e.Limit
			}
			if off != c.offset || limit != c.limit || errors.Is(err, io.ErrUnexpectedEOF) != c.cut {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

// A declared length above a limit is a matter of limits only where the input
// is as long: else it outruns the input, and is malformed.
func TestDeclaredLengths(t *testing.T) {
	t.Parallel()
	long := "0483 020000" + strings.Repeat("00", 1<<17)
	for _, c := range []struct {
		name, in string
		max      int
		limit    bool
	}{
		{"above max, there", long, 100, true},
		{"above max, in indefinite, there", "3080" + long + "0000", 100, true},
		{"above max, cut off", "0483 020000 0000", 100, false},
		{"above max, in indefinite, cut off", "3080 0483 020000 0000", 100, false},
		{"above max, in a definite one that is cut off", "3083 030000 0483 020000 0000", 100, false},
		{"above all", "0488 7fffffffffffffff 00", math.MaxInt, false},
		{"above the limit of input, there", long, math.MaxInt, true},
	} {
		for name, read := range map[string]func(*Reader) error{
			"Raw":      func(r *Reader) error { _, err := r.Raw(c.max); return err },
			"Contents": func(r *Reader) error { _, err := r.Contents(OctetString, c.max); return err },
			"Octets":   func(r *Reader) error { _, err := r.Octets(OctetString, c.max); return err },
		} {
			t.Run(c.name+"/"+name, func(t *testing.T) {
				r := NewReader(bytes.NewReader(unhex(t, c.in)), Limits{Bytes: 1 << 16})
				err := error(nil)
				if c.in[0] == '3' {
					err = r.Enter(Sequence)
				}
				if err == nil {
					err = read(r)
				}
				_, limit := errors.AsType[*LimitError](err)
				_, syntax := errors.AsType[*SyntaxError](err)
				if limit != c.limit || syntax == c.limit {
					t.Errorf("%v", err)
				}
			})
		}
	}
}

// endless yields a pattern again and again.
type endless struct {
	pattern []byte
	at      int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.pattern[e.at%len(e.pattern)]
		e.at++
	}
	return len(p), nil
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		pattern string
		lim     Limits
		limit   string
	}{
		{"nesting", "3080", Limits{}, "depth"},
		{"nesting of 5", "3080", Limits{Depth: 5}, "depth"},
		{"elements", "0500", Limits{Elements: 1000}, "elements"},
		{"empty segments", "0400", Limits{Elements: 1000}, "elements"},
		{"bytes", "0500", Limits{Bytes: 1001}, "bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var src io.Reader = &endless{pattern: unhex(t, c.pattern)}
			if c.name == "empty segments" {
				src = io.MultiReader(bytes.NewReader([]byte{0x24, 0x80}), src)
			}
			r := NewReader(src, c.lim)
			_, err := dump(r)
			if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != c.limit {
				t.Errorf("%s: %v", c.name, err)
			}
			if c.lim.Depth > 0 && r.Depth() != c.lim.Depth {
				t.Errorf("%s: depth %d", c.name, r.Depth())
			}
			if _, again := r.Next(); again != err {
				t.Errorf("%s: then %v", c.name, again)
			}
		})
	}
	in := unhex(t, "3080 0403010203 0000")
	if _, err := dump(NewReader(bytes.NewReader(in), Limits{Bytes: int64(len(in)), Depth: 1, Elements: 2})); err != nil {
		t.Errorf("exactly at the limits: %v", err)
	}
	if _, err := dump(NewReader(bytes.NewReader(in), Limits{Bytes: int64(len(in)) - 1})); err == nil {
		t.Error("one octet above the limit was read")
	}
	r := NewReader(&endless{pattern: unhex(t, "3080")}, Limits{Depth: math.MaxInt32, Elements: 100_000})
	if err := r.Skip(); err == nil {
		t.Error("endless nesting was skipped")
	}
}

// deep returns n SEQUENCEs, each of them all that the one before holds.
func deep(n int) []byte {
	lengths := make([]int64, n)
	var length int64
	for i := n - 1; i >= 0; i-- {
		lengths[i] = length
		length += int64(HeaderLen(Sequence, length))
	}
	var b []byte
	for _, l := range lengths {
		b = AppendHeader(b, Sequence, true, l)
	}
	return b
}

// However deep the nesting, it costs as much as the limit of depth.
func TestDeepNesting(t *testing.T) {
	shallow, in := deep(1000), deep(100_000)
	count := func(b []byte) float64 {
		return testing.AllocsPerRun(5, func() {
			_, err := dump(NewReader(bytes.NewReader(b), Limits{}))
			if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != "depth" {
				t.Error(err)
			}
			if e, ok := errors.AsType[*LimitError](CheckDER(b, true)); !ok || e.Limit != "depth" {
				t.Error(e)
			}
			if _, err := ToDER(b, true, len(b)); err == nil {
				t.Error("converted")
			}
		})
	}
	if few, many := count(shallow), count(in); many > few+10 {
		t.Errorf("%v allocations for 1000 levels, %v for 100000", few, many)
	}
	r := NewReader(bytes.NewReader(in), Limits{})
	if raw, err := r.Raw(len(in)); err != nil || !bytes.Equal(raw, in) {
		t.Errorf("Raw of what is not looked into: %v", err)
	}
}

func TestSkipAndRaw(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, first string }{
		{"0500 0101ff", "0500"},
		{"3080 3003020101 3180 0000 0403010203 0000 0101ff", "3080 3003020101 3180 0000 0403010203 0000"},
		{"30 820003 020105 0101ff", "30 820003 020105"},
		{"2480 2480 040101 0000 0000 0101ff", "2480 2480 040101 0000 0000"},
		{"0400 0101ff", "0400"},
	} {
		in, first := unhex(t, c.in), unhex(t, c.first)
		r := NewReader(iotest.OneByteReader(bytes.NewReader(in)), Limits{})
		got, err := r.Raw(len(first))
		if err != nil || !bytes.Equal(got, first) {
			t.Errorf("%s: Raw: %x, %v", c.in, got, err)
		}
		if r.Offset() != int64(len(first)) || r.Depth() != 0 {
			t.Errorf("%s: offset %d, depth %d", c.in, r.Offset(), r.Depth())
		}
		if b, err := r.Contents(Boolean, 1); err != nil || len(b) != 1 || r.End() != nil {
			t.Errorf("%s: after Raw: %x, %v", c.in, b, err)
		}
		r = NewReader(bytes.NewReader(in), Limits{})
		if err := r.Skip(); err != nil || r.Offset() != int64(len(first)) {
			t.Errorf("%s: Skip: %v, offset %d", c.in, err, r.Offset())
		}
		if b, err := r.Contents(Boolean, 1); err != nil || len(b) != 1 {
			t.Errorf("%s: after Skip: %x, %v", c.in, b, err)
		}
		_, err = NewReader(bytes.NewReader(in), Limits{}).Raw(len(first) - 1)
		if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != "bytes" {
			t.Errorf("%s: Raw of one octet less: %v", c.in, err)
		}
	}
}

// The memory for a declared length is taken only as octets arrive.
func TestRawDoesNotBelieveLengths(t *testing.T) {
	in := append(unhex(t, "0485 0040000000"), make([]byte, 100)...)
	allocated := testing.AllocsPerRun(10, func() {
		if _, err := NewReader(bytes.NewReader(in), Limits{}).Raw(math.MaxInt); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error(err)
		}
	})
	if allocated > 8 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestEnd(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tail string
		ok   bool
	}{
		{"", true}, {"\n", true}, {"\r\n\r\n", true}, {"\x00\x00", true},
		{strings.Repeat("\x00", maxTrailing), true}, {strings.Repeat("\x00", maxTrailing+1), false},
		{" \t\n", true}, {"\n0", false}, {"\v", false}, {"\x05\x00", false},
	} {
		r := NewReader(strings.NewReader("\x05\x00"+c.tail), Limits{})
		if err := r.End(); err == nil {
			t.Errorf("%q: an element is padding", c.tail)
		}
		r = NewReader(strings.NewReader("\x05\x00"+c.tail), Limits{})
		if err := r.Skip(); err != nil {
			t.Fatal(err)
		}
		err := r.End()
		if _, syntax := errors.AsType[*SyntaxError](err); (err == nil) != c.ok || syntax == c.ok {
			t.Errorf("%q: %v", c.tail, err)
		}
	}
}

func TestSourceErrors(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	in := unhex(t, "3080 0403010203 0000")
	for n := range in {
		_, err := dump(NewReader(io.MultiReader(bytes.NewReader(in[:n]), iotest.ErrReader(broken)), Limits{}))
		if !errors.Is(err, broken) {
			t.Errorf("after %d octets: %v", n, err)
		}
		_, err = dump(NewReader(bytes.NewReader(in[:n]), Limits{}))
		if n > 0 && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("cut after %d octets: %v", n, err)
		}
	}
	if _, err := NewReader(stuck{}, Limits{}).Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that never reads: %v", err)
	}
}

type stuck struct{}

func (stuck) Read([]byte) (int, error) { return 0, nil }

func TestMisuse(t *testing.T) {
	t.Parallel()
	r := NewReader(bytes.NewReader(unhex(t, "3007 040101 040102 00")), Limits{})
	if err := r.Leave(); err == nil {
		t.Error("the input was left")
	}
	if err := r.Enter(Sequence); err != nil {
		t.Fatal(err)
	}
	s, err := r.String(OctetString)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Next(); err == nil || err == io.EOF {
		t.Errorf("Next inside a string: %v", err)
	}
	if err := r.End(); err == nil {
		t.Error("End inside a string")
	}
	if b, err := io.ReadAll(s); err != nil || string(b) != "\x01" {
		t.Errorf("%x, %v", b, err)
	}
	if err := r.End(); err == nil {
		t.Error("End inside an element")
	}
	if err := r.Leave(); err == nil {
		t.Error("an element was left unread")
	}
}

func TestWrongElement(t *testing.T) {
	t.Parallel()
	for name, read := range map[string]func(*Reader) error{
		"other tag":           func(r *Reader) error { return r.Enter(Set) },
		"contents of another": func(r *Reader) error { _, err := r.Contents(Integer, 9); return err },
		"constructed":         func(r *Reader) error { _, err := r.Contents(Sequence, 9); return err },
		"string of another":   func(r *Reader) error { _, err := r.String(OctetString); return err },
		"primitive": func(r *Reader) error {
			if err := r.Enter(Sequence); err != nil {
				return nil
			}
			return r.Enter(OctetString)
		},
		"end": func(r *Reader) error {
			if err := errors.Join(r.Enter(Sequence), r.Skip()); err != nil {
				return nil
			}
			return r.Skip()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := NewReader(bytes.NewReader(unhex(t, "3003 040101")), Limits{})
			err := read(r)
			if _, ok := errors.AsType[*SyntaxError](err); !ok {
				t.Errorf("%s: %v", name, err)
			}
			if err2 := r.Skip(); err2 != err {
				t.Errorf("%s: then %v", name, err2)
			}
		})
	}
	r := NewReader(bytes.NewReader(unhex(t, "0403010203")), Limits{})
	_, err := r.Contents(OctetString, 2)
	if e, ok := errors.AsType[*LimitError](err); !ok || e.Limit != "bytes" {
		t.Error(err)
	}
}

func TestOctets(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		max  int
		want string
		ok   bool
	}{
		{"0403010203", 3, "010203", true},
		{"0403010203", 2, "", false},
		{"2480 040101 04020203 0000", 3, "010203", true},
		{"2480 040101 04020203 0000", 2, "", false},
		{"2480 040101 04020203 0000", math.MaxInt, "010203", true},
		{"2400", 0, "", true},
	} {
		r := NewReader(bytes.NewReader(unhex(t, c.in)), Limits{})
		b, err := r.Octets(OctetString, c.max)
		if (err == nil) != c.ok || hex.EncodeToString(b) != c.want {
			t.Errorf("%s: %x, %v", c.in, b, err)
		}
		if _, limit := errors.AsType[*LimitError](err); limit == c.ok {
			t.Errorf("%s: %v", c.in, err)
		}
		if err == nil && r.End() != nil {
			t.Errorf("%s: not at the end", c.in)
		}
	}
}

// A Read of a long string goes from the source into the caller's buffer.
func TestLargeReads(t *testing.T) {
	t.Parallel()
	in := Append(nil, OctetString, false, make([]byte, 1<<20))
	src := &sizes{r: bytes.NewReader(in)}
	s, err := NewReader(src, Limits{}).String(OctetString)
	if err != nil {
		t.Fatal(err)
	}
	n, err := s.Read(make([]byte, 256<<10))
	if n != 256<<10 || err != nil || src.largest < 250<<10 || src.reads > 3 {
		t.Errorf("%d, %v: %d reads, the largest of %d", n, err, src.reads, src.largest)
	}
}

type sizes struct {
	r              io.Reader
	reads, largest int
}

func (s *sizes) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.reads++
	s.largest = max(s.largest, n)
	return n, err
}
