package prepare

import (
	"bytes"
	"strings"
	"testing"
)

func TestInspector(t *testing.T) {
	long := strings.Repeat("x", 999)
	for _, tt := range []struct {
		in   string
		want hazards
	}{
		{"", 0},
		{"a\r\nb\r\n", 0},
		{"a\nb", loneLF},
		{"a\rb\r\n", loneCR},
		{"a\r\r\nb", loneCR},
		{"a\r", loneCR},
		{"\r\n\r\n", 0},
		{"\n\n", loneLF},
		{"\n\r\n", loneLF},
		{"a \r\nb", blankEnd},
		{"a\t\n", blankEnd | loneLF},
		{"\r\n b\r\n", 0},
		{" \r\n", blankEnd},
		{"a \r\n \r\n", blankEnd},
		{"a ", blankEnd},
		{"From a\r\n", fromLine},
		{"x\r\nFrom ", fromLine | blankEnd},
		{">From a\r\nFromage\r\nFrom\r\n", 0},
		{"a\x00b", nul},
		{"\xc3\xa4\r\n", eightBit},
		{"\xc3\r\n", eightBit | notUTF8},
		{"a\xc3", eightBit | notUTF8},
		{"\xe2\x82\xac\xf0\x9f\x8d\x90", eightBit},
		{long + "\r\n", longLine},
		{long[1:] + "\r\n" + long[1:], 0},
		{long, longLine},
		{"a\r\n.\r\nb", dotLine},
		{"a\r\n--=_b\r\n", dashLine},
		{"a--=_\r\nb", 0},
	} {
		// Whatever the pieces, the hazards are the same.
		for _, size := range []int{1, 2, 3, 5, 7, 997, 998, 1000, 4096} {
			s := &transportScanner{boundary: []byte("--=_b"), utf8: true}
			for b := []byte(tt.in); len(b) > 0; {
				n := min(size, len(b))
				s.Write(b[:n])
				b = b[n:]
			}
			if got := s.finish(); got != tt.want {
				t.Errorf("%.30q in pieces of %d: hazards %b, want %b", tt.in, size, got, tt.want)
				break
			}
		}
	}
}

// slowInspect is the plain reading of the rules.
func slowInspect(b []byte) hazards {
	var h hazards
	for i, c := range b {
		switch {
		case c == 0:
			h |= nul
		case c > 127:
			h |= eightBit
		case c == '\n' && (i == 0 || b[i-1] != '\r'):
			h |= loneLF
		case c == '\r' && (i+1 == len(b) || b[i+1] != '\n'):
			h |= loneCR
		}
	}
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		if len(line) > maxLine {
			h |= longLine
		}
		if bytes.HasPrefix(line, []byte("From ")) {
			h |= fromLine
		}
		if len(line) > 0 && (line[len(line)-1] == ' ' || line[len(line)-1] == '\t') {
			h |= blankEnd
		}
		if string(line) == "." {
			h |= dotLine
		}
	}
	return h
}

func FuzzInspector(f *testing.F) {
	f.Add([]byte("a \r\nFrom x\n\r.\r\n\x80"), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		s := &transportScanner{}
		for rest := b; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			s.Write(rest[:n])
			rest = rest[n:]
		}
		if got, want := s.finish(), slowInspect(b); got != want {
			t.Fatalf("hazards %b, want %b", got, want)
		}
	})
}

func BenchmarkInspector(b *testing.B) {
	p := bytes.Repeat([]byte(strings.Repeat("x", 74)+"\r\n"), 3000)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		s := &transportScanner{boundary: []byte("--=_0123456789abcdef")}
		s.Write(p)
	}
}
