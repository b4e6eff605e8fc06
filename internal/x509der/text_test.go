package x509der_test

import (
	"testing"

	"github.com/gosmime/gosmime/internal/x509der"
)

// TestNameText reads values of every string type, and of none.
func TestNameText(t *testing.T) {
	for _, c := range []struct {
		tag         byte
		value, want string
	}{
		{19, "a@b", "a@b"}, {22, "a", "a"}, {26, "a", "a"}, {18, "1", "1"}, {20, "M\xfcller", "Müller"}, {12, "Müller", "Müller"},
		{12, "\xff", "\ufffd"}, {30, "\x00M\x00\xfc", "Mü"}, {30, "\xd8\x3d\xde\x00", "😀"}, {30, "\x00M\x00", "M"},
		{28, "\x00\x00\x00M\x00\x01\xf6\x00", "M😀"}, {28, "\xff\xff\xff\xff", "\ufffd"}, {4, "\x01\x02", "#0102"},
	} {
		rdns, ok := x509der.NameText(name(set(atv(cn, c.tag, c.value), atv(mail, 22, "x")), set(atv(cn, 12, "y"))))
		if !ok || len(rdns) != 2 || len(rdns[0]) != 2 || len(rdns[1]) != 1 || rdns[1][0].Value != "y" {
			t.Fatalf("%q: %+v", c.value, rdns)
		}
		if got := rdns[0]; got[0].Value != c.want && got[1].Value != c.want {
			t.Errorf("%q: %+v, want %q", c.value, got, c.want)
		}
	}
	if rdns, ok := x509der.NameText(name()); !ok || rdns != nil {
		t.Errorf("%+v", rdns)
	}
	for _, bad := range []string{"", "\x30", "\x30\x02\x31\x00", "\x30\x02\x05\x00", "\x30\x00\x00", "\x30\x04\x31\x02\x30\x00"} {
		if rdns, ok := x509der.NameText([]byte(bad)); ok || rdns != nil {
			t.Errorf("%x: %+v", bad, rdns)
		}
	}
}
