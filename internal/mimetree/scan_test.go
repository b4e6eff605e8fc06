package mimetree

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/gosmime/gosmime/internal/budget"
)

const nested = "From: a@example.org\r\n" +
	"Content-Type: multipart/mixed; boundary=outer\r\n" +
	"\r\n" +
	"preamble\r\n" +
	"--outer\r\n" +
	"Content-Type: multipart/alternative; boundary=\"outer-inner\"\r\n" +
	"\r\n" +
	"--outer-inner\r\n" +
	"\r\n" +
	"one\r\n" +
	"--outer-inner  \t\r\n" +
	"Content-Type: text/html\r\n" +
	"\r\n" +
	"two\n" +
	"--outer-inner--\r\n" +
	"--outer\r\n" +
	"Content-Type: message/rfc822\r\n" +
	"\r\n" +
	"Subject: x\r\n" +
	"\r\n" +
	"--outerx\r\n" +
	"three\r\n" +
	"\r\n" +
	"--outer--\r\n" +
	"epilogue\r\n"

func text(msg string, r Range) string { return msg[r.Start:r.End] }

func TestScanNested(t *testing.T) {
	p, err := Scan(strings.NewReader(nested), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Children) != 2 || p.Defects != PreambleText|EpilogueText {
		t.Fatalf("%d children, defects %b", len(p.Children), p.Defects)
	}
	if got := text(nested, p.Preamble); got != "preamble" {
		t.Errorf("preamble %q", got)
	}
	if got := text(nested, p.Epilogue); got != "epilogue\r\n" {
		t.Errorf("epilogue %q", got)
	}
	alt, msg := p.Children[0], p.Children[1]
	if len(alt.Children) != 2 || alt.Defects != 0 {
		t.Fatalf("alternative: %d children, defects %b", len(alt.Children), alt.Defects)
	}
	if !strings.HasPrefix(text(nested, alt.Range), "Content-Type: multipart/alternative") || !strings.HasSuffix(text(nested, alt.Range), "--outer-inner--") {
		t.Errorf("alternative is %q", text(nested, alt.Range))
	}
	for _, tt := range []struct {
		p    *Part
		body string
		all  string
		kind string
	}{
		{alt.Children[0], "one", "\r\none", "text/plain"},
		{alt.Children[1], "two", "Content-Type: text/html\r\n\r\ntwo", "text/html"},
		{msg.Children[0], "--outerx\r\nthree\r\n", "Subject: x\r\n\r\n--outerx\r\nthree\r\n", "text/plain"},
	} {
		if got := text(nested, tt.p.BodyRange()); got != tt.body {
			t.Errorf("body %q, want %q", got, tt.body)
		}
		if got := text(nested, tt.p.Range); got != tt.all {
			t.Errorf("part %q, want %q", got, tt.all)
		}
		if tt.p.Type.Type != tt.kind {
			t.Errorf("type %q, want %q", tt.p.Type.Type, tt.kind)
		}
	}
}

func TestScanEdges(t *testing.T) {
	const head = "Content-Type: multipart/mixed; boundary=b\r\n\r\n"
	for _, tt := range []struct {
		name, body string
		parts      []string
		defects    Defect
	}{
		{"delimiter on the first line", "--b\r\n\r\nx\r\n--b--", []string{"\r\nx"}, 0},
		{"no close", "--b\r\n\r\nx\r\n", []string{"\r\nx\r\n"}, Unclosed},
		{"none", "nothing\r\n", nil, NoParts | Unclosed | PreambleText},
		{"empty part", "--b\r\n--b\r\n\r\n--b--\r\n", []string{"", ""}, 0},
		{"header only", "--b\r\nA: b\r\n--b--\r\n", []string{"A: b"}, 0},
		{"header and blank line", "--b\r\nA: b\r\n\r\n--b--\r\n", []string{"A: b\r\n"}, 0},
		{"prefix is no delimiter", "--b\r\n\r\n--bb\r\n--b-\r\n--b--x\r\n--b--\r\n", []string{"\r\n--bb\r\n--b-\r\n--b--x"}, 0},
		{"padding", "--b \t \r\n\r\nx\r\n--b-- \t\r\n", []string{"\r\nx"}, 0},
		{"LF", "--b\n\nx\n--b\n\ny\n--b--\n", []string{"\nx", "\ny"}, 0},
		{"trailing blank lines stay", "--b\r\n\r\nx\r\n\r\n\r\n--b--\r\n", []string{"\r\nx\r\n\r\n"}, 0},
		{"CR before CR LF stays", "--b\r\n\r\nx\r\r\n--b--\r\n", []string{"\r\nx\r"}, 0},
		{"part after close is text", "--b\r\n\r\nx\r\n--b--\r\n--b\r\n\r\ny\r\n--b--\r\n", []string{"\r\nx"}, EpilogueText},
		{"closed before any part", "--b--\r\n", nil, 0},
		{"bare CR is no line end", "--b\r\n\r\nx\r--b--\r\ny\r\n--b--", []string{"\r\nx\r--b--\r\ny"}, 0},
	} {
		for reader, wrap := range map[string]func(io.Reader) io.Reader{"whole": func(r io.Reader) io.Reader { return r }, "octets": iotest.OneByteReader} {
			t.Run(tt.name+"/"+reader, func(t *testing.T) {
				t.Parallel()
				p, err := Scan(wrap(strings.NewReader(head+tt.body)), nil)
				if err != nil {
					t.Fatal(err)
				}
				var parts []string
				for _, c := range p.Children {
					parts = append(parts, text(head+tt.body, c.Range))
				}
				if !reflect.DeepEqual(parts, tt.parts) {
					t.Errorf("parts %q, want %q", parts, tt.parts)
				}
				if p.Defects != tt.defects {
					t.Errorf("defects %b, want %b", p.Defects, tt.defects)
				}
			})
		}
	}
}

func TestTapGetsThePart(t *testing.T) {
	for _, wrap := range []func(io.Reader) io.Reader{func(r io.Reader) io.Reader { return r }, iotest.OneByteReader, iotest.HalfReader} {
		var got [2]bytes.Buffer
		p, err := Scan(wrap(strings.NewReader(nested)), &Options{
			Tap: func(parent *Part, i int) io.Writer { return &got[i] },
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range p.Children {
			if got[i].String() != text(nested, c.Range) {
				t.Errorf("part %d: tapped %q, want %q", i, got[i].String(), text(nested, c.Range))
			}
		}
	}
}

func TestScanClassifies(t *testing.T) {
	for _, tt := range []struct {
		header  string
		kind    string
		defects Defect
	}{
		{"Content-Type: text/plain\r\nContent-Type: multipart/signed; boundary=b\r\n", "", DuplicateField},
		{"Content-Transfer-Encoding: 7bit\r\ncontent-transfer-encoding: base64\r\n", "", DuplicateField},
		{"Mime-Version: 1.0\r\nMIME-Version: 1.0 (x)\r\n", "text/plain", RepeatedVersion},
		{"Mime-Version: 1.0\r\nMIME-Version: 2.0\r\n", "", DuplicateField},
		{"Content-Type: multipart/mixed\r\n", "multipart/mixed", BadBoundary},
		{"Content-Type: multipart/mixed; boundary=\"\"\r\n", "multipart/mixed", BadBoundary},
		{"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n", "multipart/mixed", BadBoundary},
		{"Content-Type: multipart/mixed; boundary=a; boundary*0=b\r\n", "multipart/mixed", BadBoundary},
		{"Content-Type: multipart/mixed; boundary=a\r\nContent-Transfer-Encoding: base64\r\n", "multipart/mixed", EncodedMultiple},
		{"Content-Type: nonsense\r\n", "", BadContentType},
		{"Content-Type:\r\n", "", BadContentType},
		{"no field\r\nSubject: x\r\n", "text/plain", MalformedHeader | AmbiguousHeader},
		{"From a@example.org Thu Jan  1 00:00:00 1970\r\nSubject: x\r\n", "text/plain", MalformedHeader},
	} {
		t.Run(tt.header, func(t *testing.T) {
			t.Parallel()
			p, err := Scan(strings.NewReader(tt.header+"\r\n--b\r\n\r\nx\r\n--b--\r\n"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if p.Type.Type != tt.kind || p.Defects != tt.defects || len(p.Children) > 0 {
				t.Errorf("type %q, defects %b, %d children", p.Type.Type, p.Defects, len(p.Children))
			}
		})
	}
}

func TestScanLimits(t *testing.T) {
	deep := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		}
		return b.String()
	}
	if _, err := Scan(strings.NewReader(deep(31)), nil); err != nil {
		t.Errorf("31 levels: %v", err)
	}
	var le *LimitError
	if _, err := Scan(strings.NewReader(deep(1000)), nil); !errors.As(err, &le) {
		t.Errorf("1000 levels: %v", err)
	}
	if _, err := Scan(strings.NewReader(strings.Repeat("A: b\r\n", 20_000)), nil); !errors.As(err, &le) {
		t.Errorf("20000 fields: %v", err)
	}
	if _, err := Scan(io.MultiReader(strings.NewReader("A: "), endless{}), nil); !errors.As(err, &le) {
		t.Errorf("endless field: %v", err)
	}
	many := "Content-Type: multipart/mixed; boundary=b\r\n\r\n" + strings.Repeat("--b\r\n\r\n", 100)
	var ex *budget.Exceeded
	if _, err := Scan(strings.NewReader(many), &Options{Budget: budget.New(budget.Limits{budget.Parts: 50, budget.Memory: 1 << 20})}); !errors.As(err, &ex) {
		t.Errorf("100 parts: %v", err)
	}
	boom := errors.New("boom")
	if _, err := Scan(io.MultiReader(strings.NewReader(many), iotest.ErrReader(boom)), nil); !errors.Is(err, boom) {
		t.Errorf("error of the input: %v", err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestReadHeader(t *testing.T) {
	p, section, body, err := ReadHeader(strings.NewReader("Subject: a\r\n b\r\nTo: c\r\n\r\nbody"))
	if err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(body)
	if string(section) != "Subject: a\r\n b\r\nTo: c\r\n\r\n" || string(rest) != "body" || p.Header.Get("subject")[0] != "a b" {
		t.Errorf("%q %q %v", section, rest, p.Header)
	}
}

// FuzzScan holds that the size of reads changes nothing, that ranges nest, and that the tap gets the range.
func FuzzScan(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\n\n--b--\n"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/mixed; boundary=c\n\n--c\n--b--\n"))
	f.Add([]byte("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n--c--\r\n--b\r\n--b--\n"))
	f.Add([]byte("Content-Type: multipart/digest; boundary=b\r\n\r\n--b\r\n\r\nA: b\r\n\r\n\r\n--b--x\r\n--b\r"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		a, err := Scan(bytes.NewReader(msg), nil)
		var first bytes.Buffer
		b, err2 := Scan(iotest.OneByteReader(bytes.NewReader(msg)), &Options{Tap: func(_ *Part, i int) io.Writer {
			if i > 0 || first.Len() > 0 {
				return nil
			}
			return &first
		}})
		if (err == nil) != (err2 == nil) {
			t.Fatalf("%v, %v", err, err2)
		}
		if err != nil {
			return
		}
		if !reflect.DeepEqual(a, b) {
			ja, _ := json.Marshal(a)
			jb, _ := json.Marshal(b)
			t.Fatalf("%s\n%s", ja, jb)
		}
		if len(a.Children) > 0 && strings.HasPrefix(a.Type.Type, "multipart/") && first.Len() > 0 && first.String() != string(msg[a.Children[0].Start:a.Children[0].End]) {
			t.Fatal("tap differs")
		}
		checkRanges(t, a, int64(len(msg)))
		// A part is the same octets whether what is in it is looked at or not.
		flat, err := Scan(bytes.NewReader(msg), &Options{Enter: func(parent, _ *Part) bool { return parent == nil }})
		if err != nil || flat.Range != a.Range || len(flat.Children) != len(a.Children) {
			t.Fatalf("without entering parts: %v, %v", flat, err)
		}
		for i, c := range flat.Children {
			if c.Range != a.Children[i].Range || c.Body != a.Children[i].Body {
				t.Fatalf("part %d is %v entered, %v not", i, a.Children[i].Range, c.Range)
			}
		}
	})
}

func checkRanges(t *testing.T, p *Part, size int64) {
	if p.Start < 0 || p.End < p.Start || p.End > size {
		t.Fatalf("range %v of %d", p.Range, size)
	}
	if r := p.BodyRange(); r.Start < p.Start || r.End < r.Start {
		t.Fatalf("body %v of %v", r, p.Range)
	}
	at := p.Start
	for _, c := range p.Children {
		if c.Start < at || c.End > p.End {
			t.Fatalf("child %v of %v", c.Range, p.Range)
		}
		at = c.End
		checkRanges(t, c, size)
	}
}

// FuzzAgainstStandard composes a well-formed multipart and compares with mime/multipart.
func FuzzAgainstStandard(f *testing.F) {
	f.Add([]byte("one\r\n"), []byte("--b\r\ntwo"), "b", true)
	f.Add([]byte("\r\n\r\n"), []byte("--"), "simple-boundary", false)
	f.Add([]byte("--b--"), []byte("\n--b \n"), "b b", false)
	f.Fuzz(func(t *testing.T, one, two []byte, boundary string, lf bool) {
		var msg bytes.Buffer
		w := multipart.NewWriter(&msg)
		if w.SetBoundary(boundary) != nil || bytes.Contains(one, []byte("--"+boundary)) || bytes.Contains(two, []byte("--"+boundary)) {
			return
		}
		for _, body := range [][]byte{one, two} {
			pw, err := w.CreatePart(textproto.MIMEHeader{"X": {"y"}})
			if err != nil {
				t.Fatal(err)
			}
			pw.Write(body)
		}
		w.Close()
		head := "Content-Type: " + mime.FormatMediaType("multipart/mixed", map[string]string{"boundary": boundary}) + "\r\n\r\n"
		all := append([]byte(head), msg.Bytes()...)
		p, err := Scan(bytes.NewReader(all), nil)
		if err != nil {
			t.Fatal(err)
		}
		r := multipart.NewReader(&msg, boundary)
		n := 0
		for ; ; n++ {
			part, err := r.NextRawPart()
			if err != nil {
				break
			}
			want, err := io.ReadAll(part)
			if err != nil {
				t.Fatal(err)
			}
			if n >= len(p.Children) {
				t.Fatalf("%d parts", len(p.Children))
			}
			got := all[p.Children[n].BodyRange().Start:p.Children[n].BodyRange().End]
			if !bytes.Equal(got, want) {
				t.Fatalf("part %d: %q, want %q", n, got, want)
			}
		}
		if n != len(p.Children) || n != 2 {
			t.Fatalf("%d parts, mime/multipart has %d", len(p.Children), n)
		}
	})
}

func largeMessage(parts, size int) []byte {
	var b bytes.Buffer
	b.WriteString("Content-Type: multipart/mixed; boundary=boundary-of-this\r\n\r\n")
	line := strings.Repeat("A", 76) + "\r\n"
	for range parts {
		b.WriteString("--boundary-of-this\r\nContent-Type: text/plain\r\n\r\n")
		for n := 0; n < size; n += len(line) {
			b.WriteString(line)
		}
	}
	b.WriteString("--boundary-of-this--\r\n")
	return b.Bytes()
}

func BenchmarkScan(b *testing.B) {
	for _, tt := range []struct{ parts, size int }{{10, 1 << 20}, {1000, 10 << 10}, {1, 1 << 10}} {
		b.Run(fmt.Sprintf("%dx%d", tt.parts, tt.size), func(b *testing.B) {
			msg := largeMessage(tt.parts, tt.size)
			b.SetBytes(int64(len(msg)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Scan(bytes.NewReader(msg), nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// FuzzHeaderOf holds that a header in memory is read as one from a stream.
func FuzzHeaderOf(f *testing.F) {
	f.Add([]byte(nested))
	f.Add([]byte("A: b\r\n\r"))
	f.Add([]byte("\n"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		p, section, err := HeaderOf(msg)
		q, want, _, err2 := ReadHeader(bytes.NewReader(msg))
		if (err == nil) != (err2 == nil) {
			t.Fatal(err, err2)
		}
		if err != nil {
			return
		}
		q.Defects &^= NoHeaderEnd
		if !bytes.Equal(section, want) || !reflect.DeepEqual(p, q) {
			t.Fatalf("%q: %+v, want %+v", msg, p, q)
		}
	})
}
