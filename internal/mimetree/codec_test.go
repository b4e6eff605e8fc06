package mimetree

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"maps"
	"mime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
)

func TestParseMediaType(t *testing.T) {
	for _, tt := range []struct {
		in, kind string
		params   map[string]string
		dup      []string
	}{
		{"text/plain", "text/plain", nil, nil},
		{" Multipart/Signed (a (nested) comment) ; boundary = \"a b\" ; micalg=sha-256;", "multipart/signed", map[string]string{"boundary": "a b", "micalg": "sha-256"}, nil},
		{"(a) Multipart (b) / (c;boundary=d) Signed (e); boundary=f", "multipart/signed", map[string]string{"boundary": "f"}, nil},
		{"multipart/ signed;boundary=f", "multipart/signed", map[string]string{"boundary": "f"}, nil},
		{`a/b; x="q\"uo\\te"`, "a/b", map[string]string{"x": `q"uo\te`}, nil},
		{`a/b; x="open`, "a/b", map[string]string{"x": "open"}, nil},
		{`a/b; name=two words.txt; y=1`, "a/b", map[string]string{"name": "two words.txt", "y": "1"}, nil},
		{`a/b; name*=utf-8'en'%e2%82%ac%20rates`, "a/b", map[string]string{"name": "€ rates"}, nil},
		{`a/b; name*=iso-8859-1''%A3`, "a/b", map[string]string{"name": "£"}, nil},
		{`a/b; boundary*0="one"; boundary*1=two`, "a/b", map[string]string{"boundary": "onetwo"}, nil},
		{`a/b; n*1=b; n*0*=us-ascii'en'%61; n*2*=%63`, "a/b", map[string]string{"n": "abc"}, nil},
		{`a/b; x=1; X=2`, "a/b", map[string]string{"x": "1"}, []string{"x"}},
		{`a/b; x=1; x*=utf-8''2`, "a/b", nil, []string{"x"}},
		{`a/b; smime-type=signed-data; junk; =x; y=`, "a/b", map[string]string{"smime-type": "signed-data", "y": ""}, nil},
		{`attachment; filename="smime.p7m"`, "attachment", map[string]string{"filename": "smime.p7m"}, nil},
		{"a/b;\r\n\tx=1", "a/b", map[string]string{"x": "1"}, nil},
	} {
		m, err := ParseMediaType(tt.in)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if m.Type != tt.kind || tt.params != nil && !maps.Equal(m.Params, tt.params) || !slices.Equal(m.Duplicate, tt.dup) {
			t.Errorf("%q: %+v", tt.in, m)
		}
	}
	for _, bad := range []string{"", ";", "/b", "a/", "a/b/c", "a / b/c", "/ b", "a / ;b", "(comment", `"a/b"`} {
		if m, err := ParseMediaType(bad); err == nil {
			t.Errorf("%q is %+v", bad, m)
		}
	}
	var le *LimitError
	var many strings.Builder
	for i := range 5000 {
		many.WriteString("; p" + strings.Repeat("x", i%70) + string(rune('a'+i/70%26)) + string(rune('a'+i/1820)) + "=1")
	}
	if _, err := ParseMediaType("a/b" + many.String()); !errors.As(err, &le) {
		t.Errorf("5000 parameters: %v", err)
	}
}

// FuzzMediaType holds that what the standard library formats is read as it was.
func FuzzMediaType(f *testing.F) {
	f.Add("multipart/signed", "boundary", "a b\"c\\", "x; y*0*=utf-8''%zz (")
	f.Fuzz(func(t *testing.T, kind, name, value, junk string) {
		_, _ = ParseMediaType(junk)
		_ = Token(junk)
		s := mime.FormatMediaType(kind, map[string]string{name: value})
		if s == "" || !strings.Contains(kind, "/") || strings.ContainsAny(name, "*'%") || strings.ContainsAny(value, "\r\n") {
			return
		}
		m, err := ParseMediaType(s)
		if err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		if m.Type != strings.ToLower(kind) || m.Params[strings.ToLower(name)] != value {
			t.Fatalf("%q: %+v", s, m)
		}
	})
}

// canonicalForm is the plain statement of what CRLFWriter does.
func canonicalForm(p []byte) []byte {
	p = bytes.ReplaceAll(p, []byte("\r\n"), []byte("\n"))
	p = bytes.ReplaceAll(p, []byte("\r"), []byte("\n"))
	return bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))
}

func FuzzCanonical(f *testing.F) {
	for _, s := range []string{"", "a", "a\n", "a\r\n", "\r", "\n\r", "a\r\r\nb\rc\n", "\r\n\r\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		want := canonicalForm(p)
		for _, r := range []io.Reader{bytes.NewReader(p), iotest.OneByteReader(bytes.NewReader(p))} {
			got, err := io.ReadAll(Canonical(r))
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q: %q, want %q", p, got, want)
			}
		}
		for _, step := range []int{1, 3, len(p) + 1} {
			var l LineEnds
			ok := true
			for at := 0; at < len(p) && ok; at += step {
				end := min(at+step, len(p))
				n := l.Next(p[at:end])
				if n == end-at {
					continue
				}
				ok = false
				// The rest goes on from here, as the caller of Next does it.
				got := canonicalForm(p[:at+n])
				if l.AfterCR() {
					got = append(bytes.Clone(p[:at+n]), '\n')
				} else if !bytes.Equal(got, p[:at+n]) {
					t.Fatalf("%q: not canonical up to %d", p, at+n)
				}
				if got = append(got, canonicalForm(p[at+n:])...); !bytes.Equal(got, want) {
					t.Fatalf("%q from %d: %q, want %q", p, at+n, got, want)
				}
			}
			if ok != (bytes.Equal(p, want) || l.AfterCR() && bytes.Equal(append(bytes.Clone(p), '\n'), want)) {
				t.Fatalf("%q in steps of %d: canonical %v", p, step, ok)
			}
		}
	})
}

func TestBase64Reader(t *testing.T) {
	long := bytes.Repeat([]byte("the quick brown fox "), 5000)
	enc := base64.StdEncoding.EncodeToString(long)
	var wrapped strings.Builder
	for i := 0; i < len(enc); i += 76 {
		wrapped.WriteString(enc[i:min(i+76, len(enc))] + "\r\n")
	}
	for _, tt := range []struct {
		name, in string
		want     string
		tol      Base64Tolerance
		bad      bool
	}{
		{"empty", "", "", 0, false},
		{"white space only", " \r\n\t", "", BlanksInBase64, false},
		{"plain", "aGVsbG8gd29ybGQ=", "hello world", 0, false},
		{"lines", "aGVs\r\nbG8g\nd29y\r\nbGQ=\r\n\r\n", "hello world", 0, false},
		{"blanks", "aGVs bG8g\td29ybGQ=", "hello world", BlanksInBase64, false},
		{"split group", "aG\r\nVsb\r\nG8=", "hello", 0, false},
		{"split padding", "aGVsbA=\r\n=\r\n", "hell", 0, false},
		{"long", wrapped.String(), string(long), 0, false},
		{"one line", enc, string(long), LongBase64Lines, false},
		{"no padding", "aGVsbG8gd29ybGQ", "hello world", MissingPadding, false},
		{"junk", "aGVs!bG8=", "hel", 0, true},
		{"NUL", "aGVs\x00bG8=", "hel", 0, true},
		{"URL alphabet", "aGV-_G8=", "he", 0, true},
		{"text after", "aGVsbG8=\r\nfooter", "hello", 0, true},
		{"padding in the middle", "aGVsbA==bG8=", "hell", 0, true},
		{"only padding", "====", "", 0, true},
		{"cut", "aGVsb", "hel", 0, true},
		{"tail bits", "aGVsbG9=", "", 0, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.DataErrReader} {
				r := NewBase64Reader(wrap(strings.NewReader(tt.in)))
				got, err := io.ReadAll(r)
				var be *Base64Error
				if tt.bad {
					if !errors.As(err, &be) {
						t.Errorf("error %v", err)
					}
					continue
				}
				if err != nil || string(got) != tt.want || r.Tolerance()&^LongBase64Lines != tt.tol&^LongBase64Lines {
					t.Errorf("%d octets, tolerance %b, error %v", len(got), r.Tolerance(), err)
				}
				var all bytes.Buffer
				if _, err := NewBase64Reader(wrap(strings.NewReader(tt.in))).WriteTo(&all); err != nil || all.String() != tt.want {
					t.Errorf("WriteTo gives %d octets, error %v", all.Len(), err)
				}
			}
		})
	}
}

// FuzzBase64 holds that what is read is what the strict decoder of the standard
// library reads once white space is out.
func FuzzBase64(f *testing.F) {
	f.Add([]byte("aGVs\r\nbG8="), uint8(3))
	f.Add(bytes.Repeat([]byte("QUJD"), 40), uint8(200))
	f.Add([]byte("aGVsbG8= ="), uint8(1))
	f.Fuzz(func(t *testing.T, p []byte, step uint8) {
		got, err := io.ReadAll(NewBase64Reader(&stepReader{p, int(step)%97 + 1}))
		again, err2 := io.ReadAll(NewBase64Reader(bytes.NewReader(p)))
		if (err == nil) != (err2 == nil) || err == nil && !bytes.Equal(got, again) {
			t.Fatalf("%q: %v, %v", p, err, err2)
		}
		plain := bytes.Map(func(r rune) rune {
			if strings.ContainsRune("\r\n\t ", r) {
				return -1
			}
			return r
		}, p)
		want, stdErr := base64.StdEncoding.Strict().DecodeString(string(plain))
		if stdErr == nil && (err != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%q: %v", p, err)
		}
		if err == nil && stdErr != nil {
			raw := bytes.TrimRight(plain, "=")
			if want, stdErr = base64.RawStdEncoding.Strict().DecodeString(string(raw)); stdErr != nil || !bytes.Equal(got, want) {
				t.Fatalf("%q passes", p)
			}
		}
	})
}

type stepReader struct {
	p    []byte
	step int
}

func (s *stepReader) Read(b []byte) (int, error) {
	if len(s.p) == 0 {
		return 0, io.EOF
	}
	n := copy(b[:min(len(b), s.step)], s.p)
	s.p = s.p[n:]
	return n, nil
}

func BenchmarkBase64(b *testing.B) {
	line := strings.Repeat("QUJD", 19) + "\r\n"
	in := []byte(strings.Repeat(line, 100_000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		if _, err := NewBase64Reader(bytes.NewReader(in)).WriteTo(io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkLineEnds(b *testing.B) {
	in := []byte(strings.Repeat(strings.Repeat("A", 76)+"\r\n", 3000))
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		var l LineEnds
		if l.Next(in) != len(in) {
			b.Fatal("not canonical")
		}
	}
}

func BenchmarkCRLFWriter(b *testing.B) {
	in := []byte(strings.Repeat(strings.Repeat("A", 76)+"\n", 3000))
	w := NewCRLFWriter(io.Discard)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		w.Write(in)
	}
}
