package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// Messages of programs that are not mail, and what a verifying program gets.
func TestCMSCases(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		opts *ReadOptions
		want error
	}{
		{"good.der", nil, nil},
		{"late-signing-time.der", nil, nil}, // a claimed time decides nothing
		{"rsa1024-default.der", nil, ErrWeak},
		{"rsa1024-default.der", &ReadOptions{InsecureHistoric: true}, nil},
		{"trailing-17-zeros.der", nil, ErrSyntax},
		{"trailing-17-zeros.der", &ReadOptions{TrailingZeros: true}, nil},
		{"no-content-type.der", nil, ErrSyntax},
		{"two-digests.der", nil, ErrSyntax},
		{"wrong-content-type.der", nil, ErrSignature},
		{"attrs-as-content.der", nil, ErrSignature},
		{"digitorus-0.p7m.der", nil, ErrUnsupported}, // an EnvelopedData
	} {
		name := c.file
		if c.opts != nil {
			name += ", with an option"
		}
		t.Run(name, func(t *testing.T) {
			der, err := os.ReadFile(filepath.Join("testdata", "cms", c.file))
			if err != nil {
				t.Fatal(err)
			}
			var content bytes.Buffer
			signers, err := Verify(context.Background(), &content, bytes.NewReader(der), nil, InsecureAnySigner, c.opts)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Fatalf("%v, not %v", err, c.want)
			}
			if (err == nil) != (len(signers) == 1 && content.Len() > 0) {
				t.Errorf("%d signers, %d octets", len(signers), content.Len())
			}
		})
	}
}

// Any number of NUL octets may follow where the caller says so, and nothing else.
func TestTrailingZeros(t *testing.T) {
	t.Parallel()
	msg := signDetached(t, text, nil, newSigner(t, "p256"))
	for _, c := range []struct {
		name  string
		after []byte
		plain error
		zeros error
	}{
		{"none", nil, nil, nil},
		{"16", make([]byte, 16), nil, nil},
		{"8192", make([]byte, 8192), ErrSyntax, nil},
		{"8192 and an octet", append(make([]byte, 8192), 1), ErrSyntax, ErrSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			padded := append(bytes.Clone(msg), c.after...)
			for _, zeros := range []bool{false, true} {
				want := c.plain
				if zeros {
					want = c.zeros
				}
				_, _, err := verify(padded, bytes.NewReader([]byte(text)), &ReadOptions{TrailingZeros: zeros})
				if !errors.Is(err, want) || (err == nil) != (want == nil) {
					t.Errorf("TrailingZeros %v: %v", zeros, err)
				}
			}
		})
	}
}

// A detached signature may have an eContent of length zero, in any encoding; one
// with content is refused, and what is inside is never taken for the content.
func TestEmptyContentInDetached(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	detached := signDetached(t, text, nil, key)
	encap := []byte("\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")
	for _, c := range []struct {
		name, content string
		want          error
	}{
		{"primitive", "\xa0\x02\x04\x00", nil},
		{"indefinite", "\xa0\x80\x24\x80\x00\x00\x00\x00", nil},
		{"empty segments", "\xa0\x80\x24\x80\x04\x00\x04\x00\x00\x00\x00\x00", nil},
		{"one octet", "\xa0\x03\x04\x01a", ErrSyntax},
		{"the content", "\xa0\x80\x24\x80\x04\x0c" + text[:12] + "\x00\x00\x00\x00", ErrSyntax},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := append([]byte{0x30, byte(11 + len(c.content))}, encap[2:]...)
			msg := replaceIn(t, detached, encap, append(changed, c.content...))
			for name, read := range map[string]func() (*SignedReader, error){
				"content": func() (*SignedReader, error) {
					return NewSignedReader(bytes.NewReader(msg), bytes.NewReader([]byte(text)), nil)
				},
				"digester": func() (*SignedReader, error) {
					d := NewDigester()
					d.Write([]byte(text))
					return NewDetachedReader(bytes.NewReader(msg), d, nil)
				},
			} {
				r, err := read()
				if err == nil {
					_, err = io.Copy(io.Discard, r)
				}
				if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
					t.Errorf("%s: %v", name, err)
				}
				if err != nil {
					continue
				}
				s := r.signers[0]
				if err := s.CheckSignature(key.Certificate); err != nil || len(s.Deviations()) != 1 || s.Deviations()[0] != EmptyContent {
					t.Errorf("%s: %v, %v", name, err, s.Deviations())
				}
			}
			// Without the content beside it the signature is over something else.
			if _, _, err := verify(msg, nil, nil); err == nil {
				t.Error("verified without the content")
			}
		})
	}
}

// replaceIn replaces an element of a ContentInfo in DER, whose lengths it mends.
func replaceIn(t testing.TB, msg, old, with []byte) []byte {
	t.Helper()
	i := bytes.Index(msg, old)
	if i < 0 {
		t.Fatal("no such element")
	}
	// ContentInfo, [0] and SignedData become indefinite.
	out := []byte("\x30\x80\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02\xa0\x80\x30\x80")
	version := bytes.Index(msg, []byte("\x02\x01"))
	out = append(append(append(out, msg[version:i]...), with...), msg[i+len(old):]...)
	return append(out, 0, 0, 0, 0, 0, 0)
}
