package pkcs7

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// berForm returns a SignedData with indefinite lengths throughout.
func berForm(t testing.TB, key SigningKey) []byte {
	t.Helper()
	var out bytes.Buffer
	s, err := newSigning(context.Background(), []SigningKey{key}, &SignOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s.out = s.writer(&out, unknownSize)
	if err := s.out.stream(); err != nil {
		t.Fatal(err)
	}
	io.WriteString(s, text)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// smallSigned returns one message of each kind, with the function that reads
// it and returns what it would show.
func smallSigned(t testing.TB) map[string]struct {
	msg  []byte
	read func(msg []byte) (string, error)
} {
	type message = struct {
		msg  []byte
		read func(msg []byte) (string, error)
	}
	key := newSigner(t, "ed25519")
	signed := func(detached bool) func([]byte) (string, error) {
		return func(msg []byte) (string, error) {
			var content io.Reader
			if detached {
				content = strings.NewReader(text)
			}
			var out bytes.Buffer
			// The trusted certificate is the one that signed: a message can't
			// bring another.
			_, err := Verify(context.Background(), &out, bytes.NewReader(msg), content, trustOnly(key.Certificate), nil)
			if err != nil && out.Len() > 0 {
				t.Errorf("%d octets written although %v", out.Len(), err)
			}
			return out.String(), err
		}
	}
	var compressed, certs bytes.Buffer
	if err := Compress(&compressed, strings.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	if err := WriteCertificates(&certs, [][]byte{key.Certificate.Raw}, nil); err != nil {
		t.Fatal(err)
	}
	return map[string]message{
		"opaque":   {sign(t, text, nil, key), signed(false)},
		"BER":      {berForm(t, key), signed(false)},
		"detached": {signDetached(t, text, nil, key), signed(true)},
		"compressed": {compressed.Bytes(), func(msg []byte) (string, error) {
			var out bytes.Buffer
			err := Decompress(&out, bytes.NewReader(msg), nil)
			return out.String(), err
		}},
		"certificates": {certs.Bytes(), func(msg []byte) (string, error) {
			list, _, err := ReadCertificates(bytes.NewReader(msg), nil)
			return string(bytes.Join(list, nil)), err
		}},
	}
}

var errUntrusted = errors.New("not trusted")

func trustOnly(cert *x509.Certificate) TrustFunc {
	return func(_ context.Context, c *x509.Certificate, _ time.Time, _ [][]byte) error {
		if bytes.Equal(c.Raw, cert.Raw) {
			return nil
		}
		return errUntrusted
	}
}

func TestTruncated(t *testing.T) {
	t.Parallel()
	for name, m := range smallSigned(t) {
		if _, err := m.read(m.msg); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for n := range m.msg {
			_, err := m.read(m.msg[:n])
			if err == nil {
				t.Errorf("%s cut at %d of %d is good", name, n, len(m.msg))
			} else if !documented(err) {
				t.Errorf("%s cut at %d: undocumented error %v", name, n, err)
			}
		}
	}
}

func TestEveryBitFlipped(t *testing.T) {
	t.Parallel()
	for name, m := range smallSigned(t) {
		want, err := m.read(m.msg)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		unseen := 0
		for bit := range len(m.msg) * 8 {
			msg := bytes.Clone(m.msg)
			msg[bit/8] ^= 1 << (bit % 8)
			got, err := m.read(msg)
			switch {
			case err == nil && got != want && name != "certificates":
				t.Errorf("%s with bit %d flipped: %q", name, bit, got)
			case err == nil:
				unseen++
			case !documented(err) && !errors.Is(err, errUntrusted):
				t.Errorf("%s with bit %d flipped: undocumented error %v", name, bit, err)
			}
		}
		t.Logf("%s: %d of %d flips are not seen", name, unseen, len(m.msg)*8)
	}
}

func TestTrailingData(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	msg := sign(t, text, nil, key)
	for tail, good := range map[string]bool{"\r\n": true, "\x00\x00": true, "x": false, "\x30\x00": false, string(msg): false} {
		t.Run(tail, func(t *testing.T) {
			if _, _, err := verify(append(bytes.Clone(msg), tail...), nil, nil); (err == nil) != good {
				t.Errorf("%q: %v", tail[:min(len(tail), 8)], err)
			}
		})
	}
}

// TestLimits shows what each limit stops.
func TestLimits(t *testing.T) {
	t.Parallel()
	a, b := newSigner(t, "ed25519"), newSigner(t, "p256")
	msg := sign(t, strings.Repeat(text, 100), nil, a, b)
	for name, lim := range map[string]Limits{
		"Bytes": {Bytes: 100}, "Depth": {Depth: 3}, "Signers": {Signers: 1}, "Certificates": {Certificates: 1}, "Signatures": {Signatures: 1}, "Memory": {Memory: 500},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := verify(msg, nil, &ReadOptions{Limits: lim}); !errors.Is(err, ErrLimit) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	if _, _, err := verify(msg, nil, nil); err != nil {
		t.Error(err)
	}
	shared := Limits{Bytes: int64(len(msg)) * 3 / 2}.Shared()
	if _, _, err := verify(msg, nil, &ReadOptions{Limits: shared}); err == nil {
		_, _, err = verify(msg, nil, &ReadOptions{Limits: shared})
		if !errors.Is(err, ErrLimit) {
			t.Errorf("shared limits, second message: %v", err)
		}
	}
	var bomb bytes.Buffer
	if err := Compress(&bomb, io.LimitReader(zeros{}, 20<<20)); err != nil {
		t.Fatal(err)
	}
	if err := Decompress(io.Discard, bytes.NewReader(bomb.Bytes()), nil); !errors.Is(err, ErrLimit) {
		t.Errorf("bomb: %v", err)
	}
	if err := Decompress(io.Discard, bytes.NewReader(bomb.Bytes()), &ReadOptions{Limits: Limits{Ratio: 2000}}); err != nil {
		t.Errorf("bomb that is allowed: %v", err)
	}
	if err := Decompress(io.Discard, bytes.NewReader(bomb.Bytes()), &ReadOptions{Limits: Limits{Ratio: 2000, Expanded: 1 << 20}}); !errors.Is(err, ErrLimit) {
		t.Errorf("bomb, Expanded: %v", err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// TestForgedAttributes takes the signedAttrs of a signature as the content of a
// message without: the same signature would match.
func TestForgedAttributes(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	s := signersOf(t, sign(t, text, nil, key), nil)[0]
	fields, err := members(s.raw)
	if err != nil {
		t.Fatal(err)
	}
	bare := ber.Append(nil, ber.Sequence, true, append(fields[:3:3], fields[4:]...)...)
	var out bytes.Buffer
	w := &encapWriter{dst: &out, outer: oid.SignedData, front: encodeFront(1, [][]byte{s.digestID.DER()}), type_: oid.Data, size: unknownSize, tail: -1}
	w.Write(s.signedDER)
	if err := w.finish(encodeTail(false, [][]byte{key.Certificate.Raw}, nil, [][]byte{bare})); err != nil {
		t.Fatal(err)
	}
	if _, _, err := verify(out.Bytes(), nil, nil); !errors.Is(err, ErrSignature) {
		t.Errorf("forged: %v", err)
	}
	w2, err := NewSignWriter(context.Background(), io.Discard, []SigningKey{key}, nil)
	if err != nil {
		t.Fatal(err)
	}
	w2.Write(s.signedDER)
	if err := w2.Close(); !errors.Is(err, ErrSyntax) {
		t.Errorf("signing such a content: %v", err)
	}
}

// TestVerifyWithholds shows what Verify needs of memory and disk to withhold a
// content that comes but once.
func TestVerifyWithholds(t *testing.T) {
	t.Parallel()
	needDisk(t)
	key := newSigner(t, "ed25519")
	content := strings.Repeat(text, 100_000) // 5 MB
	msg := sign(t, content, nil, key)
	detachedSig := signDetached(t, content, nil, key)
	for name, c := range map[string]struct {
		lim  Limits
		want error
	}{
		"defaults":           {Limits{}, nil},
		"no disk":            {Limits{Disk: -1}, ErrLimit},
		"no disk, memory":    {Limits{Disk: -1, Memory: 32 << 20}, nil},
		"little of the disk": {Limits{Disk: 1 << 20, Memory: 1 << 20}, ErrLimit},
	} {
		t.Run(name, func(t *testing.T) {
			opts := &ReadOptions{Limits: c.lim}
			var out bytes.Buffer
			_, err := Verify(context.Background(), &out, onlyReader{bytes.NewReader(msg)}, nil, trustAll, opts)
			if !errors.Is(err, c.want) || (err == nil) != (out.String() == content) {
				t.Errorf("%s: %d octets, %v", name, out.Len(), err)
			}
			out.Reset()
			_, err = Verify(context.Background(), &out, bytes.NewReader(detachedSig), onlyReader{strings.NewReader(content)}, trustAll, opts)
			if !errors.Is(err, c.want) || (err == nil) != (out.String() == content) {
				t.Errorf("%s, detached: %d octets, %v", name, out.Len(), err)
			}
		})
	}
}

// A changingFile has other octets when it is read again.
type changingFile struct {
	now   *bytes.Reader
	again []byte
}

func (f *changingFile) Read(p []byte) (int, error) { return f.now.Read(p) }

func (f *changingFile) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		f.now.Reset(f.again)
	}
	return f.now.Seek(offset, whence)
}

func TestContentChangedBetween(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	content := strings.Repeat(text, 100_000) // more than is held in memory
	sig := signDetached(t, content, nil, key)
	file := &changingFile{bytes.NewReader([]byte(content)), []byte(strings.ToUpper(content))}
	var out bytes.Buffer
	_, err := Verify(context.Background(), &out, bytes.NewReader(sig), file, trustAll, nil)
	if err == nil || out.Len() > 0 {
		t.Errorf("%d octets, %v", out.Len(), err)
	}
}

func TestConcurrentChecks(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	signers := signersOf(t, sign(t, text, nil, key), nil)
	results := make(chan error)
	const n = 8
	for range n {
		go func() {
			_, err := signers[0].Countersigners()
			results <- errors.Join(err, signers[0].CheckSignature(key.Certificate))
		}()
	}
	for range n {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
}

// TestContentChangedForPureAlgorithm changes a file before it is read again for
// a signature over the content itself.
func TestContentChangedForPureAlgorithm(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	content := strings.Repeat("x", 100_000)
	msg := signBare(t, key, content)
	var certsOnly bytes.Buffer
	if err := WriteCertificates(&certsOnly, nil, nil); err != nil {
		t.Fatal(err)
	}
	for name, again := range map[string][]byte{
		"other content": signBare(t, key, strings.ToUpper(content)), "no content": certsOnly.Bytes(), "nothing": nil, "cut off": msg[:50_000],
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewSignedReader(&changingFile{bytes.NewReader(msg), again}, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); !errors.Is(err, ErrSyntax) {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}
