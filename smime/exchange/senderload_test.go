package exchange_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// attached is a message with an attachment of zeros that is made while it is
// read, so that it takes no memory, and counts what is read.
type attached struct {
	head, line, tail string
	lines            int64
	at               int64
	read             int64
}

func newAttached(to []string, size int64) *attached {
	return &attached{
		head: "From: " + alice + "\r\nTo: " + strings.Join(to, ",\r\n ") + "\r\nSubject: large\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n" +
			"--x\r\nContent-Type: text/plain\r\n\r\nthe text\r\n--x\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		line: base64.StdEncoding.EncodeToString(make([]byte, 57)) + "\r\n", lines: (size + 56) / 57,
		tail: "--x--\r\n",
	}
}

func (a *attached) size() int64 {
	return int64(len(a.head)) + a.lines*int64(len(a.line)) + int64(len(a.tail))
}

func (a *attached) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) && a.at < a.size() {
		var from string
		body := a.at - int64(len(a.head))
		switch end := a.lines * int64(len(a.line)); {
		case body < 0:
			from = a.head[a.at:]
		case body < end:
			from = a.line[body%int64(len(a.line)):]
		default:
			from = a.tail[body-end:]
		}
		c := copy(p[n:], from)
		n, a.at, a.read = n+c, a.at+int64(c), a.read+int64(c)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (a *attached) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += a.at
	case io.SeekEnd:
		offset += a.size()
	}
	if offset < 0 {
		return 0, errors.New("before the start")
	}
	a.at = offset
	return offset, nil
}

// A crowd is 200 recipients and 50 blind copies.
type crowd struct {
	to, bcc []string
	sender  exchange.Sender
	key     *card
	ca      *smimetest.CA
	first   *smime.Identity
}

func newCrowd(t testing.TB) *crowd {
	t.Helper()
	c := &crowd{ca: smimetest.NewCA(t), key: &card{Signer: newKey(t)}}
	var people []*smime.Identity
	for i := range 250 {
		box := fmt.Sprintf("p%d@example.com", i)
		people = append(people, c.ca.Identity(box))
		if i < 200 {
			c.to = append(c.to, box)
		} else {
			c.bcc = append(c.bcc, box)
		}
	}
	c.first = people[0]
	signer := c.ca.Certify(c.key, alice)
	c.sender = exchange.Sender{Identities: []*smime.Identity{signer}, Trust: c.ca.Directory(people...)}
	return c
}

// A heap watches how much memory is in use.
type heap struct{ floor, peak uint64 }

func newHeap() *heap {
	runtime.GC()
	debug.FreeOSMemory()
	h := &heap{}
	h.look()
	h.floor, h.peak = h.peak, 0
	return h
}

// look counts everything that the heap has of the system and what is reserved
// for it: garbage too.
func (h *heap) look() {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	h.peak = max(h.peak, m.HeapInuse+m.StackInuse)
}

func (h *heap) used() float64 { return float64(int64(h.peak)-int64(h.floor)) / (1 << 20) }

// read reads a message in pieces and looks at the heap every 2 MiB.
func (h *heap) read(r io.Reader) (int64, error) {
	buf, total, next := make([]byte, 32<<10), int64(0), int64(0)
	for {
		n, err := r.Read(buf)
		if total += int64(n); total >= next {
			h.look()
			next = total + 2<<20
		}
		if err == io.EOF {
			return total, nil
		}
		if err != nil {
			return total, err
		}
	}
}

// TestLargeMailToMany sends a 25 MB attachment to 200 recipients and 50 blind
// copies: signed once, encrypted once for each of 51 deliveries, within 32 MiB.
func TestLargeMailToMany(t *testing.T) {
	size, limit := int64(25_000_000), 32.0
	if testing.Short() || !suites.Peers() { // the gate sends the large one
		size = 2_000_000
	}
	c := newCrowd(t)
	message := newAttached(c.to, size)
	h := newHeap()
	deliveries, least := 0, message.size()*4/3
	err := c.sender.Send(t.Context(), exchange.Outgoing{Message: message, To: persons(c.to...), BCC: persons(c.bcc...), Sign: true, Encrypt: true},
		func(_ context.Context, to []string, r io.Reader) error {
			deliveries++
			want := 1
			if deliveries == 1 {
				want = 200
			}
			n, err := h.read(r)
			// One copy of the content in base64, and 200 recipients at most.
			if len(to) != want || n < least || n > least+least/20+200_000 {
				t.Errorf("delivery %d: %d octets to %d", deliveries, n, len(to))
			}
			return err
		})
	if err != nil {
		t.Fatal(err)
	}
	if deliveries != 51 {
		t.Errorf("%d deliveries", deliveries)
	}
	if c.key.signed != 1 {
		t.Errorf("signed %d times", c.key.signed)
	}
	// Where the author is, what the structure is, and the signature.
	if message.read > 4*message.size() {
		t.Errorf("the message was read %.1f times", float64(message.read)/float64(message.size()))
	}
	t.Logf("%.1f MiB above the floor, message read %.1f times", h.used(), float64(message.read)/float64(message.size()))
	if h.used() > limit {
		t.Errorf("%.1f MiB above the floor, more than %.0f", h.used(), limit)
	}
}

// TestManyCanRead opens what such a crowd gets.
func TestManyCanRead(t *testing.T) {
	c := newCrowd(t)
	var list []sent
	message := newAttached(c.to, 1000)
	err := c.sender.Send(t.Context(), exchange.Outgoing{Message: message, To: persons(c.to...), BCC: persons(c.bcc...), Sign: true, Encrypt: true}, collect(&list))
	if err != nil || len(list) != 51 || c.key.signed != 1 {
		t.Fatalf("%d messages, signed %d times: %v", len(list), c.key.signed, err)
	}
	var content bytes.Buffer
	_, enc, err := smime.Unseal(t.Context(), &content, bytes.NewReader(list[0].mail), smime.Identities{c.first}, c.ca.Trust(), nil)
	if err != nil || len(enc.Recipients) != 200 || !strings.Contains(content.String(), "the text") {
		t.Errorf("%v", err)
	}
	seen := map[string]bool{}
	for _, s := range list {
		for _, to := range s.to {
			seen[to] = true
		}
	}
	if len(seen) != 250 {
		t.Errorf("%d people got it", len(seen))
	}
}

func BenchmarkSendToMany(b *testing.B) {
	c := newCrowd(b)
	message := newAttached(c.to, 2_000_000)
	b.SetBytes(51 * message.size())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := message.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		err := c.sender.Send(b.Context(), exchange.Outgoing{Message: message, To: persons(c.to...), BCC: persons(c.bcc...), Sign: true, Encrypt: true},
			func(_ context.Context, _ []string, r io.Reader) error { _, err := io.Copy(io.Discard, r); return err })
		if err != nil {
			b.Fatal(err)
		}
	}
}
