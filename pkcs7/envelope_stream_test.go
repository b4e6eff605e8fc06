package pkcs7

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/spool"
)

// TestChangedSource holds that nothing of a source that changed after it was
// authenticated is returned.
func TestChangedSource(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	content := noise(5 << 20)
	for _, c := range []Cipher{AES256GCM, ChaCha20Poly1305} {
		for _, at := range []int{3 << 20, 5<<20 - 1} {
			msg := encryptTo(t, content, &EncryptOptions{Cipher: c}, ToKey(nil, kek))
			r, err := NewDecryptReader(context.Background(), bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil)
			if err != nil {
				t.Fatal(err)
			}
			first := make([]byte, 1)
			if _, err := io.ReadFull(r, first); err != nil {
				t.Fatal(err)
			}
			msg[at] ^= 1
			rest, err := io.ReadAll(r)
			if !errors.Is(err, spool.ErrChanged) && err != nil || err == nil && !bytes.Equal(rest, content[1:]) {
				t.Errorf("%v: %v", c, err)
			}
			if !bytes.HasPrefix(content[1:], rest) {
				t.Errorf("%v: other content before %v", c, err)
			}
			r.Close()
		}
	}
}

// TestOriginatorInfo holds that what the sender included is handed out as it came.
func TestOriginatorInfo(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	recipients, algorithm, ciphertext, mac := dissect(t, encryptTo(t, noise(40), &EncryptOptions{Size: 40}, ToKey(nil, kek)))
	cert, crl := testCertificate(rawSPKI(oid.X25519, noise(32)), 0).Raw, ber.Append(nil, ber.Sequence, true, []byte{5, 0})
	info := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), algorithm.DER(), ber.Append(nil, ber.Context(0), false, ciphertext))
	for _, n := range []int{1, 2, 101} {
		var certs []byte
		for i := range n - 1 {
			certs = append(certs, testCertificate(rawSPKI(oid.X25519, noise(32)), byte(i)).Raw...)
		}
		originator := ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Context(0), true, certs), ber.Append(nil, ber.Context(1), true, crl))
		body := ber.Append(nil, ber.Sequence, true, encodeVersion(0), originator, recipients, info, encodeOctets(mac))
		msg := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.AuthEnvelopedData)), ber.Append(nil, ber.Context(0), true, body))
		r, err := NewDecryptReader(context.Background(), unseekable(msg), fixed(KeyFromKEK(nil, kek)), nil)
		if n > 100 {
			if !errors.Is(err, ErrLimit) {
				t.Errorf("%d elements: %v", n, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, noise(40)) {
			t.Error(err)
		}
		if got := r.UnverifiedElements(); len(got) != n || !bytes.Equal(got[n-1], crl) || n > 1 && !bytes.Equal(got[0], cert) {
			t.Errorf("%d elements", len(got))
		}
	}
}

func TestEncryptSize(t *testing.T) {
	t.Parallel()
	for _, c := range []Cipher{AES256CBC, AES256GCM, AES128CCM} {
		for _, size := range []int{9, 11} {
			w, err := NewEncryptWriter(context.Background(), io.Discard, []Recipient{ToKey(nil, noise(32))}, &EncryptOptions{Cipher: c, Size: 10})
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Write(noise(size))
			if closed := w.Close(); closed == nil || (err != nil) != (size > 10) {
				t.Errorf("%v: %d octets of 10: %v, then %v", c, size, err, closed)
			}
			if _, err := w.Write(nil); err == nil {
				t.Errorf("%v: write after Close", c)
			}
		}
	}
	w, err := NewEncryptWriter(context.Background(), io.Discard, []Recipient{ToKey(nil, noise(32))}, &EncryptOptions{Cipher: AES256CCM})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(make([]byte, maxCCMHeld+1)); !errors.Is(err, ErrLimit) {
		t.Errorf("AES-CCM of unknown size: %v", err)
	}
	if err := w.Close(); !errors.Is(err, ErrLimit) {
		t.Errorf("AES-CCM of unknown size: %v", err)
	}
}

// TestSourceError holds that an error of the source is none of the message.
func TestSourceError(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	failed := errors.New("connection lost")
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		msg := encryptTo(t, noise(3<<20), &EncryptOptions{Cipher: c}, ToKey(nil, kek))
		for _, n := range []int{0, 100, 1 << 20, len(msg) - 1} {
			for _, cause := range []error{failed, io.ErrUnexpectedEOF} {
				src := io.MultiReader(bytes.NewReader(msg[:n]), &failing{cause})
				_, err := decryptAll(src, fixed(KeyFromKEK(nil, kek)), nil)
				if !errors.Is(err, cause) && !(cause == io.ErrUnexpectedEOF && errors.Is(err, ErrSyntax)) {
					t.Errorf("%v cut at %d: %v", c, n, err)
				}
			}
		}
	}
}

type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }

// TestClosed holds that a closed reader gives nothing and reads nothing, also
// where a goroutine had read ahead.
func TestClosed(t *testing.T) {
	t.Parallel()
	needDisk(t)
	kek := noise(32)
	for _, c := range []Cipher{AES256CBC, AES256GCM} {
		msg := encryptTo(t, noise(8<<20), &EncryptOptions{Cipher: c}, ToKey(nil, kek))
		for _, seekable := range []bool{false, true} {
			src := unseekable(msg)
			if seekable {
				src = bytes.NewReader(msg)
			}
			r, err := NewDecryptReader(context.Background(), src, fixed(KeyFromKEK(nil, kek)), &DecryptOptions{Limits: Limits{Dir: t.TempDir()}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, r, 4<<20); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				if err := r.Close(); err != nil {
					t.Error(err)
				}
			}
			clear(msg[:1<<20]) // nobody reads it any more
			if n, err := r.Read(make([]byte, 10)); n > 0 || err == nil || err == io.EOF {
				t.Errorf("%v: %d octets, %v", c, n, err)
			}
			if r.Cipher() != c || len(r.Recipients()) != 1 {
				t.Errorf("%v: facts are gone", c)
			}
			msg = encryptTo(t, noise(8<<20), &EncryptOptions{Cipher: c}, ToKey(nil, kek))
		}
	}
}
