package x509der

import "testing"

func TestText(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"no mark", "-----", "-----"},
		{"UTF-8", "\xef\xbb\xbf-----", "-----"},
		{"UTF-16LE", "\xff\xfe-\x00B\x00\n\x00", "-B\n"},
		{"UTF-16BE", "\xfe\xff\x00-\x00B\x00\n", "-B\n"},
		{"UTF-16LE with half a character", "\xff\xfe-\x00B", "-"},
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
