package prepare

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"testing"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// FuzzTransferEncodings: what is written decodes to what it was with decoders
// of others, and is fit for transport.
func FuzzTransferEncodings(f *testing.F) {
	f.Add([]byte("From x\r\n.\r\n--b \r\n\x80= \t\r\n"), uint8(3))
	f.Add(bytes.Repeat([]byte("abc "), 100), uint8(56))
	f.Add([]byte("a\rb\n"), uint8(1))
	f.Fuzz(func(t *testing.T, in []byte, size uint8) {
		var canonical bytes.Buffer
		c := mimetree.NewCRLFWriter(&canonical)
		c.Write(in)
		c.Close()
		text := canonical.Bytes()

		var out bytes.Buffer
		pieces(NewQuotedWriter(&out), text, int(size)+1)
		check := func(out []byte) {
			s := &transportScanner{}
			s.Write(out)
			if found := s.finish(); found != 0 {
				t.Fatalf("hazards %b in %q", found, out)
			}
			for line := range bytes.Lines(out) {
				if len(line) > base64Line+2 || bytes.HasPrefix(line, []byte("--")) {
					t.Fatalf("line %q", line)
				}
			}
		}
		check(out.Bytes())
		got, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(out.Bytes())))
		if err != nil || !bytes.Equal(got, text) {
			t.Fatalf("%q came back as %q, error %v", text, got, err)
		}

		out.Reset()
		pieces(NewBase64Writer(&out), in, int(size)+1)
		check(out.Bytes())
		b, err := base64.StdEncoding.DecodeString(out.String())
		if err != nil || !bytes.Equal(b, in) {
			t.Fatalf("%q came back as %q, error %v", in, b, err)
		}
	})
}

func pieces(w io.WriteCloser, b []byte, size int) {
	for len(b) > 0 {
		n := min(size, len(b))
		w.Write(b[:n])
		b = b[n:]
	}
	w.Close()
	w.Close() // closing twice writes nothing more
}

func BenchmarkBase64Writer(b *testing.B) {
	p := make([]byte, 256<<10)
	w := NewBase64Writer(io.Discard)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		w.Write(p)
	}
}

func BenchmarkQuotedWriter(b *testing.B) {
	p := bytes.Repeat([]byte("Gr\xc3\xbc\xc3\x9fe und mehr Text, eine Zeile lang.\r\n"), 1000)
	w := NewQuotedWriter(io.Discard)
	b.SetBytes(int64(len(p)))
	for b.Loop() {
		w.Write(p)
	}
}
