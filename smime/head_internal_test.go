package smime

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// TestHeadKeepsTheHeader writes in pieces of each size.
func TestHeadKeepsTheHeader(t *testing.T) {
	t.Parallel()
	body := strings.Repeat("x\r\n\r\n", 10_000)
	for _, header := range []string{"A: b\r\n\r\n", "A: b\nC: d\n\n", "\r\n", "\n", "A: b\r\n c\r\n\n", strings.Repeat("A: b\r\n", 5000) + "\r\n"} {
		t.Run(fmt.Sprintf("%.20q", header), func(t *testing.T) {
			for _, step := range []int{1, 2, 3, 7, 100, 1 << 20} {
				h := head{max: maxHead}
				all := []byte(header + body)
				for at := 0; at < len(all); at += step {
					h.Write(all[at:min(at+step, len(all))])
				}
				if len(h.buf) != len(header)+headBody || !bytes.HasPrefix(all, h.buf) {
					t.Errorf("%.20q in steps of %d: %d octets", header, step, len(h.buf))
				}
				if _, section := h.part(); string(section) != header {
					t.Errorf("%.20q in steps of %d: header of %d octets", header, step, len(section))
				}
			}
		})
	}
	h := head{max: maxHead}
	h.Write(bytes.Repeat([]byte("A: b\r\n"), 1<<20))
	if len(h.buf) != maxHead {
		t.Errorf("%d octets of an endless header", len(h.buf))
	}
}
