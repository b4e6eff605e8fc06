package quoted

import (
	"strconv"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for name, s := range map[string]string{
		"empty": "", "short": "alice", "quote": `a"b\c`, "control": "a\x1b[2J\r\nb\x00", "UTF-8": "größe \u202e", "no UTF-8": "\xff\xfe",
		"almost too long": strings.Repeat("a", Most-2), "too long": strings.Repeat("a", Most-1), "very long": strings.Repeat("a", 1<<20),
		"long escapes": strings.Repeat("\U0010ffff", 100), "long after escaping": strings.Repeat("\x00", 60), "backslashes": strings.Repeat(`\`, 150),
	} {
		t.Run(name, func(t *testing.T) {
			q := Text(s)
			if len(q) > Most {
				t.Errorf("%d octets", len(q))
			}
			for _, c := range []byte(q) {
				if c < ' ' || c > '~' {
					t.Errorf("%q", q)
				}
			}
			head, short := strings.CutSuffix(q, "...")
			got, err := strconv.Unquote(head)
			if err != nil || !strings.HasPrefix(s, got) || !short && got != s || short && len(head) < Most-20 {
				t.Errorf("%s, %v", q, err)
			}
		})
	}
}
