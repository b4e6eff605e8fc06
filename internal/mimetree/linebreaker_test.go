package mimetree

import (
	"bytes"
	"errors"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"testing/iotest"
)

func TestLongQuotedPrintableLines(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"short", "a=3Db\r\nc", "a=b\r\nc"},
		{"as long as the buffer", strings.Repeat("a", longestLine), strings.Repeat("a", longestLine)},
		{"one more", strings.Repeat("a", longestLine+1) + "\r\n", strings.Repeat("a", longestLine+1) + "\r\n"},
		{"very long", strings.Repeat("a", 100_000) + "=\r\nb", strings.Repeat("a", 100_000) + "b"},
		{"escapes", strings.Repeat("=41", 50_000), strings.Repeat("A", 50_000)},
		{"escapes one off", "a" + strings.Repeat("=41", 50_000), "a" + strings.Repeat("A", 50_000)},
		{"escapes two off", "aa" + strings.Repeat("=41", 50_000), "aa" + strings.Repeat("A", 50_000)},
		{"blanks between", strings.Repeat("a b ", 5000) + "c\r\n", strings.Repeat("a b ", 5000) + "c\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, in := range []io.Reader{strings.NewReader(tt.in), iotest.OneByteReader(strings.NewReader(tt.in))} {
				r, err := Decode(&Part{Encoding: "quoted-printable"}, in)
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(r)
				if err != nil || string(got) != tt.want {
					t.Errorf("%d octets, %v", len(got), err)
				}
			}
		})
	}
	t.Run("an error of the input", func(t *testing.T) {
		boom := errors.New("boom")
		r, err := Decode(&Part{Encoding: "quoted-printable"}, io.MultiReader(strings.NewReader("abc"), iotest.ErrReader(boom)))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); !errors.Is(err, boom) {
			t.Error(err)
		}
	})
}

// A lineBreaker changes nothing of what quoted-printable text stands for.
func FuzzLineBreaker(f *testing.F) {
	f.Add([]byte("a=3Db \r\n=\r\n"))
	f.Add(bytes.Repeat([]byte("=41 a"), 1000))
	f.Add(bytes.Repeat([]byte{'='}, 5000))
	f.Fuzz(func(t *testing.T, in []byte) {
		if i := bytes.IndexByte(in, '\n'); len(in) > 4000 && (i < 0 || i > 4000) {
			return // more than the other reader takes
		}
		want, wantErr := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(in)))
		got, err := io.ReadAll(quotedprintable.NewReader(newLineBreaker(bytes.NewReader(in))))
		if longest(in) < longestLine && (!bytes.Equal(got, want) || (err == nil) != (wantErr == nil)) {
			t.Errorf("%q, %v; without breaks %q, %v", got, err, want, wantErr)
		}
	})
}

// longest returns the length of the longest line.
func longest(b []byte) (n int) {
	for line := range bytes.Lines(b) {
		n = max(n, len(line))
	}
	return n
}
