//go:build !js

package smime_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// A progress is a reader that tells how much of it was read.
type progress struct {
	io.Reader
	size, read, shown int64
}

func (p *progress) Read(b []byte) (int, error) {
	n, err := p.Reader.Read(b)
	p.read += int64(n)
	if tenths := 10 * p.read / p.size; tenths > p.shown {
		p.shown = tenths
		// On a terminal, begin with \r instead of ending with \n.
		fmt.Printf("[%-10s] %3d %%\n", strings.Repeat("#", int(tenths)), 10*tenths)
	}
	return n, err
}

// Progress is reported by the reader that the caller passes, here over 64 MiB;
// 1 GiB takes no more memory. An input that is not an io.Seeker is read once.
func Example_progress() {
	ca := smimetest.NewCA(exampleTB{})
	to := []*smime.Recipient{ca.Recipient(ca.Identity("bob@example.com"))}
	const size = 64 << 20
	head := "From: alice@example.com\r\nTo: bob@example.com\r\nContent-Type: text/plain\r\n\r\n"
	body := &repeated{line: "all of these lines are the same, and there are many of them\r\n"}
	message := io.MultiReader(strings.NewReader(head), io.LimitReader(body, size-int64(len(head))))

	err := smime.Encrypt(context.Background(), io.Discard, &progress{Reader: message, size: size}, to, nil)
	fmt.Println("failed:", err != nil)
	// Output:
	// [#         ]  10 %
	// [##        ]  20 %
	// [###       ]  30 %
	// [####      ]  40 %
	// [#####     ]  50 %
	// [######    ]  60 %
	// [#######   ]  70 %
	// [########  ]  80 %
	// [######### ]  90 %
	// [##########] 100 %
	// failed: false
}

// A repeated is an endless text of one line.
type repeated struct {
	line string
	at   int
}

func (r *repeated) Read(b []byte) (int, error) {
	n := 0
	for n < len(b) {
		m := copy(b[n:], r.line[r.at:])
		n, r.at = n+m, (r.at+m)%len(r.line)
	}
	return n, nil
}

// A trap calls cancel once that many bytes went through it.
type trap struct {
	left   int
	cancel func()
}

func (t *trap) pass(n int) {
	if t.left -= n; t.left < 0 && t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
}

type trapReader struct {
	trap
	r io.Reader
}

func (t *trapReader) Read(b []byte) (int, error) {
	n, err := t.r.Read(b)
	t.pass(n)
	return n, err
}

type trapWriter struct {
	trap
	written int
}

func (t *trapWriter) Write(b []byte) (int, error) {
	t.written += len(b)
	t.pass(len(b))
	return len(b), nil
}

// verb is one call of a verb on a message that is large.
type verb struct {
	name    string
	mail    []byte
	judging bool // writes nothing before all was read
	silent  bool // writes nothing at all
	do      doing
}

type doing = func(ctx context.Context, w io.Writer, r io.Reader, limits smime.Limits) error

// A couple is Alice, who writes, and Bob, who reads.
type couple struct {
	ca         *smimetest.CA
	alice, bob *smime.Identity
}

func (c *couple) to() []*smime.Recipient { return []*smime.Recipient{c.ca.Recipient(c.bob)} }

func (c *couple) sign(opaque bool) doing {
	return func(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
		return smime.Sign(ctx, w, r, c.alice, &smime.SignOptions{Limits: l, Opaque: opaque})
	}
}

func (c *couple) encrypt(cipher pkcs7.Cipher) doing {
	return func(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
		return smime.Encrypt(ctx, w, r, c.to(), &smime.EncryptOptions{Limits: l, Cipher: cipher})
	}
}

func (c *couple) seal(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
	return smime.Seal(ctx, w, r, c.alice, c.to(), &smime.SealOptions{Sign: smime.SignOptions{Limits: l}})
}

func (c *couple) verify(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
	_, err := smime.Verify(ctx, w, r, c.ca.Trust(), &smime.VerifyOptions{Limits: l})
	return err
}

func (c *couple) decrypt(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
	_, err := smime.Decrypt(ctx, w, r, smime.Identities{c.bob}, &smime.DecryptOptions{Limits: l})
	return err
}

func (c *couple) unseal(ctx context.Context, w io.Writer, r io.Reader, l smime.Limits) error {
	_, _, err := smime.Unseal(ctx, w, r, smime.Identities{c.bob}, c.ca.Trust(), &smime.UnsealOptions{Verify: smime.VerifyOptions{Limits: l}})
	return err
}

func (c *couple) open(ctx context.Context, _ io.Writer, r io.Reader, l smime.Limits) error {
	m, err := smime.Open(ctx, r, &smime.OpenOptions{Trust: c.ca.Trust(), Keys: smime.Identities{c.bob}, Limits: l})
	if err != nil {
		return err
	}
	return m.Close()
}

func verbsOf(t *testing.T) []verb {
	t.Helper()
	ca := smimetest.NewCA(t)
	c := &couple{ca, ca.Identity("alice@example.com"), ca.Identity("bob@example.com")}
	plain := []byte("From: alice@example.com\r\nTo: bob@example.com\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n" +
		strings.Repeat("all of these lines are the same, and there are many of them\r\n", 24<<20/61))
	by := func(do doing) []byte {
		var b bytes.Buffer
		if err := do(t.Context(), &b, bytes.NewReader(plain), smime.Limits{}); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	clear, sealed := by(c.sign(false)), by(c.seal)
	gcm, cbc := c.encrypt(pkcs7.AES256GCM), c.encrypt(pkcs7.AES256CBC)
	return []verb{
		{name: "Sign", mail: plain, do: c.sign(false)},
		{name: "Sign opaque", mail: plain, do: c.sign(true)},
		{name: "Encrypt GCM", mail: plain, do: gcm},
		{name: "Encrypt CBC", mail: plain, do: cbc},
		{name: "Seal", mail: plain, do: c.seal},
		{name: "Verify", mail: clear, judging: true, do: c.verify},
		{name: "Verify opaque", mail: by(c.sign(true)), judging: true, do: c.verify},
		{name: "Decrypt GCM", mail: by(gcm), judging: true, do: c.decrypt},
		{name: "Decrypt CBC", mail: by(cbc), judging: true, do: c.decrypt},
		{name: "Unseal", mail: sealed, judging: true, do: c.unseal},
		{name: "Open clear", mail: clear, judging: true, silent: true, do: c.open},
		{name: "Open sealed", mail: sealed, judging: true, silent: true, do: c.open},
	}
}

// soon is how long a verb may go on once its context is cancelled.
const soon = 100 * time.Millisecond

// TestCancelledSoon cancels every verb in the middle of reading and in the
// middle of writing.
func TestCancelledSoon(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	verbs := verbsOf(t)
	if len(verbs) != 12 {
		t.Fatalf("%d verbs", len(verbs))
	}
	for _, v := range verbs {
		t.Run(v.name, func(t *testing.T) {
			promptly(t, "reading", func(ctx context.Context, cancel func(), limits smime.Limits) error {
				w := &trapWriter{trap: trap{left: math.MaxInt}}
				err := v.do(ctx, w, &trapReader{trap{len(v.mail) / 2, cancel}, bytes.NewReader(v.mail)}, limits)
				if v.judging && w.written > 0 {
					t.Errorf("%d bytes were written", w.written)
				}
				return err
			})
			if v.silent {
				return
			}
			for _, r := range []func() io.Reader{
				func() io.Reader { return bytes.NewReader(v.mail) },
				func() io.Reader { return &trapReader{trap{left: math.MaxInt}, bytes.NewReader(v.mail)} }, // no io.Seeker
			} {
				promptly(t, "writing", func(ctx context.Context, cancel func(), limits smime.Limits) error {
					return v.do(ctx, &trapWriter{trap: trap{1 << 20, cancel}}, r(), limits)
				})
			}
		})
	}
}

// promptly fails if do goes on after it called cancel, or leaves a file. A
// machine that is busy with other things interrupts it, but not every time.
func promptly(t *testing.T, phase string, do func(ctx context.Context, cancel func(), limits smime.Limits) error) {
	t.Helper()
	var took time.Duration
	for range 20 {
		dir := t.TempDir()
		limits := smime.Limits{CMS: pkcs7.Limits{Memory: 1 << 20, Dir: dir}}
		ctx, stop := context.WithCancel(t.Context())
		var cancelled time.Time
		err := do(ctx, func() { cancelled = time.Now(); stop() }, limits)
		took = time.Since(cancelled)
		stop()
		if cancelled.IsZero() || !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v, cancelled at %v", phase, err, cancelled)
			return
		}
		leavesNothing(t, phase, dir)
		if took < soon {
			return
		}
	}
	t.Errorf("%s: went on for %v", phase, took)
}

// leavesNothing fails if a file is in dir, or was and is still open.
func leavesNothing(t *testing.T, phase, dir string) {
	t.Helper()
	if files, err := os.ReadDir(dir); err != nil || len(files) > 0 {
		t.Errorf("%s: %d files are left, %v", phase, len(files), err)
	}
	if runtime.GOOS != "linux" {
		return
	}
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil || len(links) == 0 {
		t.Fatalf("%d open files, %v", len(links), err)
	}
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, dir) {
			t.Errorf("%s: %s is still open", phase, to)
		}
	}
}
