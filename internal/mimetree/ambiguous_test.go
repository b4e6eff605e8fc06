package mimetree

import (
	"bytes"
	"strings"
	"testing"
	"testing/iotest"
)

// TestAmbiguous finds what programs read differently in the outermost entity.
func TestAmbiguous(t *testing.T) {
	const part, end = "--b\r\n\r\nx\r\n", "--b--\r\n"
	for _, tt := range []struct {
		name, header, body string
		want               Defect
	}{
		{"clean", `boundary="b"`, part + end, 0},
		{"token", "boundary=b", part + end, 0},
		{"protocol without quotes", "protocol=application/pkcs7-signature; boundary=b", part + end, OddParameter},
		{"folded", "\r\n\tmicalg=sha-256;\r\n boundary=\"b\";", part + end, 0},
		{"text after the quotes", `boundary="b" x`, "--b x\r\n\r\nx\r\n--b x--\r\n", OddParameter | SloppyBoundary},
		{"text after the quotes, and text before", `boundary="b" x`, "--b\r\n\r\nevil\r\n--b x\r\n\r\nx\r\n--b x--\r\n", OddParameter | SloppyBoundary | PreambleText | AmbiguousBoundary | AmbiguousDelimiter},
		{"cut at a special", "boundary==_b", "--=_b\r\n\r\nx\r\n--=_b--\r\n", OddParameter | SloppyBoundary},
		{"cut at a special, and text after", "boundary==_b", "--=_b\r\n\r\nx\r\n--=_b--\r\nfooter\r\n", OddParameter | SloppyBoundary | EpilogueText | AmbiguousBoundary},
		{"continued", "boundary*0=b; boundary*1=c", "--bc\r\n\r\nx\r\n--bc--\r\n", SloppyBoundary},
		{"continued, and the first piece", "boundary*0=b; boundary*1=c", "--bc\r\n\r\nx\r\n--b\r\n--bc--\r\n", SloppyBoundary | AmbiguousDelimiter},
		{"in another parameter", `x="boundary=c"; boundary=b`, part + "--c\r\n" + end, SloppyBoundary | AmbiguousDelimiter},
		{"tabs", "\tboundary=b", part + end, 0},
		{"tabs, and a line of hyphens", "\tboundary=b", part + "-- \r\n" + end, AmbiguousDelimiter},
		{"encoded word", `boundary="=?us-ascii?q?b?="`, "--=?us-ascii?q?b?=\r\n\r\nx\r\n--=?us-ascii?q?b?=--\r\n", SloppyBoundary | AmbiguousBoundary},
		{"second type", `text/plain; boundary="b"`, part + end, OddParameter | AmbiguousType},
		{"prefix in the part", "boundary=b", part + "--bx\r\n" + end, AmbiguousDelimiter},
		{"prefix before", "boundary=b", "--bx\r\n" + part + end, PreambleText | AmbiguousDelimiter},
		{"after CR", "boundary=b", part + "y\r--b\r\n" + end, AmbiguousDelimiter},
		{"after VT", "boundary=b", part + "y\v--b\r\n" + end, AmbiguousDelimiter},
		{"after NEL", "boundary=b", part + "y\u0085--b\r\n" + end, AmbiguousDelimiter},
		{"after U+2028", "boundary=b", part + "y\u2028--b\r\n" + end, AmbiguousDelimiter},
		{"within a line", "boundary=b", part + "y --b\r\n" + end, 0},
		{"before CR CR LF", "boundary=b", "--b\r\r\n\r\nevil\r\n" + part + end, PreambleText | AmbiguousDelimiter},
		{"after the end", "boundary=b", part + end + part, EpilogueText | AmbiguousDelimiter},
		{"delimiter of a part inside", "boundary=b", "--b\r\nContent-Type: multipart/mixed; boundary=bc\r\n\r\n--bc\r\n\r\nx\r\n--bc--\r\n" + end, 0},
		{"encoded, with a sentence", "boundary=b\r\nContent-Transfer-Encoding: base64", "This is signed\r\n" + part + end, PreambleText | EncodedMultiple},
		{"encoded, with a delimiter", "boundary=b\r\nContent-Transfer-Encoding: base64", "DQotLWINCg0KZXZpbA0K\r\n" + part + end, PreambleText | EncodedMultiple | AmbiguousEncoding},
		{"quoted-printable, with a delimiter", "boundary=b\r\nContent-Transfer-Encoding: quoted-printable", "=2D-b\r\n\r\nevil\r\n" + part + end, PreambleText | EncodedMultiple | AmbiguousEncoding},
		{"line that is no field", "boundary=b\r\nnow pay: 5", part + end, MalformedHeader | AmbiguousHeader},
		{"blank before the colon", "boundary=b\r\nX : y", part + end, AmbiguousHeader},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			msg := "Content-Type: multipart/signed; " + tt.header + "\r\n\r\n" + tt.body
			whole, err := Scan(strings.NewReader(msg), &Options{Watch: true})
			if err != nil {
				t.Fatal(err)
			}
			if whole.Defects != tt.want {
				t.Errorf("defects %b, want %b", whole.Defects, tt.want)
			}
			octets, err := Scan(iotest.OneByteReader(bytes.NewReader([]byte(msg))), &Options{Watch: true})
			if err != nil || octets.Defects != whole.Defects {
				t.Errorf("octet by octet: %b, %v", octets.Defects, err)
			}
		})
	}
}

// TestManyBoundaries bounds the work for a field that is full of boundaries.
func TestManyBoundaries(t *testing.T) {
	for _, value := range []string{strings.Repeat("boundary=a;", 50_000), strings.Repeat("boundary*1=a;", 50_000), strings.Repeat("boundary", 90_000) + "=a"} {
		if n := testing.AllocsPerRun(1, func() { otherBoundaries(value, "a") }); n > 100_000 {
			t.Errorf("%.20q: %v allocations", value, n)
		}
	}
}
