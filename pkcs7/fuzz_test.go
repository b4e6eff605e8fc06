package pkcs7

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// FuzzSigned asserts that a message that a known key signed shows the content
// that was signed, or none, and that errors are documented.
func FuzzSigned(f *testing.F) {
	// The same key in each process of a fuzzing run.
	private := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	key := SigningKey{Key: private, Certificate: newCert(f, private, "fuzz", func(c *x509.Certificate) { c.SerialNumber.SetInt64(1) })}
	f.Add(sign(f, text, nil, key))
	f.Add(berForm(f, key))
	f.Add(signDetached(f, text, &SignOptions{ByKeyID: true}, key))
	f.Add([]byte("0\x80\x06\x09*\x86H\x86\xf7\r\x01\x07\x02\xa0\x80"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		r, err := NewSignedReader(bytes.NewReader(msg), nil, &ReadOptions{Limits: Limits{Bytes: 1 << 20}})
		if err != nil {
			if !documented(err) {
				t.Fatal(err)
			}
			return
		}
		content, err := io.ReadAll(r)
		if err != nil {
			if !documented(err) {
				t.Fatal(err)
			}
			if _, err := r.Signers(); err == nil {
				t.Fatal("signers of a message that can't be read")
			}
			return
		}
		signers, err := r.Signers()
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range signers {
			if s.CheckSignature(key.Certificate) == nil && string(content) != text {
				t.Fatalf("signature over %q", content)
			}
			s.ClaimedTime()
			s.Countersigners()
		}
		r.UnverifiedElements()
		// What can be read can be written again, and reads the same.
		if len(signers) > 0 {
			var out bytes.Buffer
			extra := Attribute{Type: oid.AttrTimestampToken.X509(), Values: [][]byte{{5, 0}}}
			if err := AddUnsigned(&out, bytes.NewReader(msg), 0, extra); err != nil {
				return
			}
			again, err := NewSignedReader(&out, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			copied, err := io.ReadAll(again)
			if err != nil || !bytes.Equal(copied, content) {
				t.Fatalf("copy: %q, %v", copied, err)
			}
		}
	})
}

// FuzzAttributes asserts that attributes that are read are written as the same DER.
func FuzzAttributes(f *testing.F) {
	f.Add([]byte("\x31\x0f\x30\x0d\x06\x09*\x86H\x86\xf7\r\x01\x09\x05\x31\x00"))
	f.Add([]byte("\x31\x09\x30\x07\x06\x01\x2a\x31\x02\x05\x00"))
	f.Fuzz(func(t *testing.T, der []byte) {
		list, err := parseAttributes(der, 0, "")
		if err != nil || len(der) == 0 || der[0] != 0x31 || ber.CheckDER(der, false) != nil || !isSorted(der) {
			return
		}
		for _, a := range list {
			if len(a.values) == 0 {
				return
			}
		}
		again, err := list.encode()
		if err != nil || !bytes.Equal(again, der) {
			t.Fatalf("%x, %v", again, err)
		}
	})
}

// FuzzDecompress asserts that what expands stays within the limit.
func FuzzDecompress(f *testing.F) {
	var msg bytes.Buffer
	if err := Compress(&msg, io.LimitReader(zeros{}, 5000)); err != nil {
		f.Fatal(err)
	}
	f.Add(msg.Bytes())
	f.Fuzz(func(t *testing.T, msg []byte) {
		var out bytes.Buffer
		err := Decompress(&out, bytes.NewReader(msg), &ReadOptions{Limits: Limits{Expanded: 10_000}})
		if err != nil && !documented(err) || out.Len() > 10_000 {
			t.Fatalf("%d octets, %v", out.Len(), err)
		}
	})
}

// FuzzTSTInfo asserts that a parsed time is in UTC.
func FuzzTSTInfo(f *testing.F) {
	f.Add([]byte("0\x00"))
	f.Fuzz(func(t *testing.T, der []byte) {
		if info, ok := parseTSTInfo(der); ok && info.time.Location().String() != "UTC" {
			t.Fatal(info.time)
		}
	})
}
