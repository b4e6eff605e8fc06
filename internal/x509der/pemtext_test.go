package x509der

import (
	"encoding/pem"
	"strings"
	"testing"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"no mark", "-----", "-----"},
		{"UTF-8", "\xef\xbb\xbf-----", "-----"},
		{"UTF-16LE", "\xff\xfe-\x00B\x00\n\x00", "-B\n"},
		{"UTF-16BE", "\xfe\xff\x00-\x00B\x00\n", "-B\n"},
		{"UTF-16LE with half a character", "\xff\xfe-\x00B", "-"},
		{"no text", "\xff\xfe\x00\x00", "\xff\xfe\x00\x00"},
		{"a mark alone", "\xef\xbb\xbf", ""},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := string(Text([]byte(tt.in))); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

func TestBlocks(t *testing.T) {
	good := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: []byte{1, 2, 3}}))
	for _, tt := range []struct {
		name, text    string
		blocks, begun int
	}{
		{"none", "text", 0, 0},
		{"two", good + good, 2, 2},
		{"text around", "Alice\n" + good + "Bob\n", 1, 1},
		{"byte order mark", "\ufeff" + good, 1, 1},
		{"blank and NUL octets after", good + " \n\x00\x00", 1, 1},
		{"commented out", "# " + good, 0, 0},
		{"no end", good + good[:40], 1, 2},
		{"bad base64", strings.Replace(good, "AQID", "A!ID", 1) + good, 1, 2},
		{"behind octets that nobody sees", "\x00" + good, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			blocks := 0
			for range Blocks([]byte(tt.text)) {
				blocks++
			}
			if begun := BlocksBegun([]byte(tt.text)); blocks != tt.blocks || begun != tt.begun {
				t.Errorf("%d blocks of %d", blocks, begun)
			}
		})
	}
}
