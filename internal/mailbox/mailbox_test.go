package mailbox_test

import (
	"errors"
	"fmt"
	"net/mail"
	"runtime"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/internal/mailbox"
)

func TestParse(t *testing.T) {
	good := []struct{ in, local, domain string }{
		{"alice@example.com", "alice", "example.com"},
		{"Alice@EXAMPLE.Com", "Alice", "example.com"},
		{"a.b+c=d@example.com", "a.b+c=d", "example.com"},
		{"root@localhost", "root", "localhost"},
		{`"alice"@example.com`, "alice", "example.com"},
		{`"a b"@example.com`, "a b", "example.com"},
		{`"a@b"@example.com`, "a@b", "example.com"},
		{`"a\"b"@example.com`, `a"b`, "example.com"},
		{`"a".b@example.com`, "a.b", "example.com"},
		{"alice@bücher.example", "alice", "xn--bcher-kva.example"},
		{"alice@BÜCHER.example", "alice", "xn--bcher-kva.example"},
		{"alice@bu\u0308cher.example", "alice", "xn--bcher-kva.example"},
		{"alice@XN--BCHER-KVA.example", "alice", "xn--bcher-kva.example"},
		{"alice@straße.example", "alice", "xn--strae-oqa.example"},
		{"alice@例え。テスト", "alice", "xn--r8jz45g.xn--zckzah"},
		{"alice@ｅｘａｍｐｌｅ.com", "alice", "example.com"},
		{"老師@example.com", "老師", "example.com"},
		{"❤\ufe0f\u200d🔥@example.com", "❤\ufe0f\u200d🔥", "example.com"},
		{"می\u200cخواهم@example.com", "می\u200cخواهم", "example.com"},
		{"a@[192.0.2.1]", "a", "[192.0.2.1]"},
		{"a@[IPv6:2001:DB8::1]", "a", "[IPv6:2001:db8::1]"},
		{"a@[ipv6:2001:db8:0:0::1]", "a", "[IPv6:2001:db8::1]"},
		{"a@ex_ample.com", "a", "ex_ample.com"},
		{strings.Repeat("a", 64) + "@example.com", strings.Repeat("a", 64), "example.com"},
	}
	for _, c := range good {
		a, err := mailbox.Parse(c.in)
		if err != nil || a.Local != c.local || a.Domain != c.domain {
			t.Errorf("Parse(%q) = %+v, %v", c.in, a, err)
			continue
		}
		b, err := mailbox.Parse(a.String())
		if err != nil || b != a {
			t.Errorf("Parse(%q.String()) = %+v, %v", c.in, b, err)
		}
	}
	bad := []string{
		"(c (n(e)sted) \\) c) alice@example.com", "alice@example.com (a (b))", "(victim@b.com), a@b.com", "a@b.com, (victim@b.com)",
		"\"victim@b.com\r\n \" <a@b.com>", "\"c,\r\n d@e\" <a@b.com>",
		"", "@", "a", "a@", "@b", "a@b@c", "a@b c", "a b@c", " a@b", "a@b ", "a@b\n", "a@b\x00", "a\x00@b",
		"a@b.com\x00.evil.com", "a@b.", "a@.b", "a@b..c", ".a@b", "a.@b", "a..b@c", "<a@b>", "(c)a@b", "a@b(c)",
		`""@b`, `"a@b`, "\"a\nb\"@c", "\"a\tb\"@c", "a@-b.c", "a@b-.c", "a@b,c", "a@b;", "a,b@c", "@r:a@b", "a\u3002b",
		"a@b\u2024c", "a＠b", "a＠b@c", "a@b@[1.2.3.4]", "a@[1.2.3]", "a@[1.2.3.4", "a@[x:y]", "a@[fe80::1]", "a@[IPv6:fe80::1%en]",
		"a@xn--", "a@xn--a.com", "a@b\u200d.com", "\u202eecila@b.com", "\ufeffa@b", "a\u00a0b@c", "\xff@b",
		"a\u00adb@c", "a\u034fb@c", "a\u2064b@c", "a\u3164b@c", "a\U000e0041b@c", "a\U000e0fffb@c", "a\ufff9b@c", "a@\xff", "a@b%c", "a@b/c",
		"=?utf-8?q?a?=@b.com", `"=?utf-8?q?a?="@b.com`, strings.Repeat("a", 300) + "@b", "a@" + strings.Repeat("a", 64) + ".com",
		"a@" + strings.Repeat("a.", 127) + "aa", strings.Repeat("a", 5000), "a@b\u3002", "a@\u3002b", "a@b&c.com",
	}
	for _, s := range bad {
		a, err := mailbox.Parse(s)
		if err == nil {
			t.Errorf("Parse(%q) = %+v", s, a)
			continue
		}
		var e *mailbox.Error
		if !errors.As(err, &e) || a != (mailbox.Address{}) || len(err.Error()) > 300 {
			t.Errorf("Parse(%q) = %+v, %v", s, a, err)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		message, cert string
		utf8          bool
		equal, folded bool
	}{
		{"alice@example.com", "alice@example.com", false, true, false},
		{"alice@example.com", "alice@EXAMPLE.COM", false, true, false},
		{"Alice@example.com", "alice@example.com", false, true, true},
		{"alice@example.com", "alice@example.org", false, false, false},
		{"alice@example.com", "alicf@example.com", false, false, false},
		{"alice@bücher.example", "alice@xn--bcher-kva.example", false, true, false},
		{"alice@BÜCHER.example", "alice@xn--bcher-kva.example", false, true, false},
		{`"alice"@example.com`, "alice@example.com", false, true, false},
		{`"al ice"@example.com`, "alice@example.com", false, false, false},
		{"\u212aate@example.com", "kate@example.com", false, false, false},
		{"аlice@example.com", "alice@example.com", false, false, false}, // Cyrillic а
		{"alice@exаmple.com", "alice@example.com", false, false, false},
		{"alice@sub.example.com", "alice@example.com", false, false, false},
		{"alice@example.com", "alice@example.com.evil", false, false, false},
		{"老師@example.com", "老師@example.com", true, true, false},
		{"Ärzte@example.com", "ärzte@example.com", true, false, false},
		{"ARZTä@example.com", "arztä@example.com", true, false, false},
		{"a\u0308@example.com", "ä@example.com", true, false, false},
		{"alice@example.com", "alice@example.com", true, false, false},
		{"a@[192.0.2.1]", "a@[192.0.2.1]", false, true, false},
		{"alice@straße.example", "alice@strasse.example", false, false, false},
	} {
		m, err1 := mailbox.Parse(c.message)
		k, err2 := mailbox.Parse(c.cert)
		if err1 != nil || err2 != nil {
			t.Fatal(c, err1, err2)
		}
		if equal, folded := mailbox.Equal(m, k, c.utf8); equal != c.equal || folded != c.folded {
			t.Errorf("Equal(%q, %q, %v) = %v, %v", c.message, c.cert, c.utf8, equal, folded)
		}
	}
	if equal, _ := mailbox.Equal(mailbox.Address{}, mailbox.Address{}, false); equal {
		t.Error("two zero addresses are equal")
	}
}

// lookAlikes are not alice@example.com, however they look, to anyone who
// compares addresses with those of a certificate (ATK-53 of the checklist is
// refused or unequal, never equal).
func lookAlikes() []string {
	return []string{
		"alice@example.com.", "alice@example.com\x00.evil.com", "alice\x00@example.com", "alice@example.com ", " alice@example.com",
		"alice@@example.com", "alice@evil.com@example.com", "alice@example.com@evil.com", "alice@example.com>", "<alice@example.com>",
		"alice(x)@example.com", "alice@(x)example.com", "alice @example.com", "alice@ example.com", "alice.@example.com", ".alice@example.com",
		"al..ice@example.com", "alice@.example.com", "alice@example..com", "alice@-example.com", "alice@example-.com", "alice@example.com-",
		"alice+x@example.com", "alice%evil.com@example.com", "evil.com!alice@example.com", "@evil.com:alice@example.com", "alice;bob@example.com",
		"alice,bob@example.com", "alice\r\nBcc: bob@example.com", "alice\n@example.com", "al\tice@example.com", "\"alice \"@example.com", "\" alice\"@example.com",
		"\"alice\x00\"@example.com", "\"\"@example.com", "=?utf-8?q?alice?=@example.com", "alice@=?utf-8?q?example.com?=",
		"аlice@example.com", "alicе@example.com", "ａlice@example.com", "alice@exаmple.com", "alice@examplе.com", "alice@example.соm",
		"alice\u200b@example.com", "al\u00adice@example.com", "\u202ealice@example.com", "\ufeffalice@example.com", "alice\u0301@example.com",
		"alice@exa\u0301mple.com", "alıce@example.com", "alİce@example.com", "ALıCE@example.com", "alice＠example.com", "alice﹫example.com",
		"alice@example\u2024com", "alice@example\uff0ecom.evil.org", "alice@xn--example.com", "alice@xn--exmple-cua.com", "alice@[example.com]", "alice@[192.0.2.1]",
		"alice@sub.example.com", "alice@example.co", "alice@example.comm", "alice@xample.com", "lice@example.com", "aalice@example.com", "alice@example_com",
		"bob@example.com", "alice@localhost", "alice", "@example.com", "alice@", "",
	}
}

func TestLookAlikes(t *testing.T) {
	cert := mailbox.Address{Local: "alice", Domain: "example.com"}
	if n := len(lookAlikes()); n < 60 {
		t.Fatalf("%d look-alikes", n)
	}
	for _, s := range lookAlikes() {
		a, err := mailbox.Parse(s)
		if err != nil {
			continue
		}
		for _, utf8 := range []bool{false, true} {
			if equal, _ := mailbox.Equal(a, cert, utf8); equal {
				t.Errorf("%q equals %v", s, cert)
			}
		}
	}
	// What a mail shows as a name is not its address.
	for _, s := range []string{
		`"alice@example.com" <bob@evil.com>`, "=?utf-8?q?alice=40example.com?= <bob@evil.com>", "alice (alice@example.com) <bob@evil.com>",
		"bob@evil.com (alice@example.com)", "alice@example.com: bob@evil.com;", "alice@example.com <bob@evil.com>",
		"<alice@example.com> <bob@evil.com>", "bob@evil.com <alice@example.com", "\"<alice@example.com>\" bob@evil.com",
	} {
		list, err := mailbox.FromHeader(s)
		for _, a := range list {
			if equal, _ := mailbox.Equal(a, cert, false); equal || err != nil {
				t.Errorf("%q has %v, %v", s, a, err)
			}
		}
	}
}

func TestFromHeader(t *testing.T) {
	good := []struct{ in, want string }{
		{"alice@example.com", "alice@example.com"},
		{" alice@example.com \r\n", "alice@example.com"},
		{"Alice <alice@example.com>", "alice@example.com"},
		{"<alice@example.com>", "alice@example.com"},
		{`"Alice, of \"A\"" <alice@example.com>`, "alice@example.com"},
		{`"bob@evil.com" <alice@example.com>`, "alice@example.com"},
		{"=?utf-8?q?bob=40evil.com?= <alice@example.com>", "alice@example.com"},
		{"=?utf-8?q?=3Cbob=40evil.com=3E?= <alice@example.com>", "alice@example.com"},
		{"Alice A. Liddell (née X) <alice@example.com> (home)", "alice@example.com"},
		{"(c (n(e)sted) \\) c) <alice (x) @ (y) example.com> (z)", "alice@example.com"},
		{"\"Doe,\r\n Alice\" <alice@example.com>", "alice@example.com"},
		{"[EXTERNAL] Alice <alice@example.com>", "alice@example.com"},
		{"[EXT] A [x y] <a@b.com>", "a@b.com"},
		{"Alice [Sales]<alice@example.com>", "alice@example.com"},
		{"[]<alice@example.com>", "alice@example.com"},
		{"Alice\r\n <alice@example.com>", "alice@example.com"},
		{"Alice\n\t<\r\n alice@example.com\r\n >", "alice@example.com"},
		{"a@b.com, c@d.com", "a@b.com c@d.com"},
		{"a@b.com,,c@d.com,", "a@b.com c@d.com"},
		{"Team: a@b.com, C <c@d.com>;", "a@b.com c@d.com"},
		{"Team: a@b.com;, e@f.com", "a@b.com e@f.com"},
		{"undisclosed-recipients:;", ""},
		{"A: ;, B:;", ""},
		{"Jörg <jörg@bücher.example>", "jörg@xn--bcher-kva.example"},
		{"J\xf6rg <joerg@example.com>", "joerg@example.com"},
		{`"a b"@c.com`, `"a b"@c.com`},
		{`"folded` + "\r\n" + ` name" <a@b.com>`, "a@b.com"},
		{"A\"B\"C <a@b.com>", "a@b.com"},
		{"a@b.com <a@B.com>", "a@b.com"},
		{"a@b.com (x) <a@b.com>, c@d.com<c@d.com>", "a@b.com c@d.com"},
	}
	for _, c := range good {
		t.Run(c.in, func(t *testing.T) {
			t.Parallel()
			list, err := mailbox.FromHeader(c.in)
			var got []string
			for _, a := range list {
				got = append(got, a.String())
			}
			if err != nil || strings.Join(got, " ") != c.want {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
	bad := []string{
		"(c (n(e)sted) \\) c) alice@example.com", "alice@example.com (a (b))", "(victim@b.com), a@b.com", "a@b.com, (victim@b.com)",
		"\"victim@b.com\r\n \" <a@b.com>", "\"c,\r\n d@e\" <a@b.com>",
		"", " ", ",", "alice", "Alice alice@example.com", "alice@example.com <bob@example.com>", "alice@example.com bob@example.com",
		"<alice@example.com> <bob@example.com>", "<alice@example.com", "alice@example.com>", "<>", "<@route:alice@example.com>",
		"<alice@example.com>x", "A: b@c.com", "A: B: c@d.com;;", ";", "a@b.com;", "a@b.com; c@d.com", ": a@b.com;",
		"(open alice@example.com", "\"open <a@b.com>", "a@b.com\nBcc: c@d.com", "a@b.com\r c@d.com", "A\nB <a@b.com>", "A\r\n<a@b.com>",
		"A\x00 <a@b.com>", "<a@b.com\x00>", "a . b@c.com", "a. b@c.com", "a b@c.com", "\"a\" b@c.com", "a@b .com", "a@b. com", "[x@y] <a@b.com>", "[EXT] A [x] <a@b.com>, c@d.com", "[x <a@b.com>", "x] <a@b.com>", "[[x]] <a@b.com>", "[(x)] <a@b.com>", "[x] \"c@d.com\" <a@b.com>", "[x] =?utf-8?q?c=40d.com?= <a@b.com>", "[x]: <a@b.com>;", "g: [x] <a@b.com>;", "[x] a@b.com", "=?utf-8?q?a=40b.com?=[<c@d.com>", "[a]@b.com", "a [x] b@c.com",
		"a@b.com <A@b.com>", "a@b.com <a@b.com> <a@b.com>", "a@b.com <a@b.com", "a@b.com <>", "a@[x] <a@b.com>",
		"a@b(c)d.com", "(\x01) a@b.com", "\"\x01\" <a@b.com>", strings.Repeat("(", 100) + strings.Repeat(")", 100) + "a@b.com",
		"a@b.com, c", "Alice \\<a@b.com>", "=?utf-8?q?a?=@b.com", "<<a@b.com>>", "<a@b.com,c@d.com>", "<\"a\nb\"@c.com>",
		strings.Repeat("a", mailbox.MaxValue+1), strings.Repeat("a@b.c,", mailbox.MaxAddresses+1),
	}
	for _, s := range bad {
		t.Run(fmt.Sprintf("%.80q", s), func(t *testing.T) {
			t.Parallel()
			if list, err := mailbox.FromHeader(s); err == nil || list != nil {
				t.Errorf("%v, %v", list, err)
			}
		})
	}
	list, err := mailbox.List("(a) x: (b) \"N\" (c) <a@b.com> (d (e)), e@f.com(=?utf-8?q?a=40b?=), g@h.com; (z), =?x-other?q?a=40=FF?= <i@j.com>")
	if err != nil || len(list) != 4 || list[0].Comment != "a b c d (e)" || list[1].Comment != "a@b" || list[2].Comment != "z" ||
		list[0].Group != "x" || !list[2].InGroup || list[3].InGroup || list[3].Group != "" || list[3].Name != "a@\ufffd" {
		t.Errorf("List = %q, %v", list, err)
	}
	list, err = mailbox.List("=?utf-8?q?J=C3=B6rg?= \"X\" <a@b.com>, J\xf6 <c@d.com>, e@f.com")
	if err != nil || len(list) != 3 || list[0].Name != "Jörg X" || list[1].Name != "J\ufffd" || list[2].Name != "" {
		t.Errorf("List = %q, %v", list, err)
	}
}

// TestManyComments holds that the comments of many empty groups, which all stand
// beside one address, are put together once.
func TestManyComments(t *testing.T) {
	value := "a@b.com" + strings.Repeat(",g:;(x)", 20_000)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	list, err := mailbox.List(value)
	runtime.ReadMemStats(&after)
	if err != nil || len(list) != 1 || list[0].Comment != strings.TrimSpace(strings.Repeat("x ", 20_000)) {
		t.Errorf("%d addresses, %v", len(list), err)
	}
	if n := after.TotalAlloc - before.TotalAlloc; n > 16<<20 {
		t.Errorf("%d octets allocated for %d", n, len(value))
	}
}

// ordinary are fields as mail has them; net/mail and this package must read
// the same addresses from each.
func ordinary() []string {
	return []string{
		"alice@example.com", "Alice <alice@example.com>", "\"Alice B.\" <alice@example.com>, bob@example.com",
		"Alice B. <alice@example.com>", "alice@example.com (Alice)", "Group: a@b.com, \"c d\" <e@f.com>;",
		"=?utf-8?b?w6Q=?= <a@b.com>", "\"quoted local\"@example.com", "<a@b.com>, <c@d.com> , E <f@g.com>",
		"a@[192.0.2.1]", "Ä <ä@example.com>", "a.b.c@d.e.f", "A \"B\" C <d@e.com>", "a+b=c@d.com, x_y-z@d.com",
	}
}

func TestAgainstNetMail(t *testing.T) {
	for _, s := range ordinary() {
		want, err := mail.ParseAddressList(s)
		if err != nil {
			t.Fatalf("net/mail: %q: %v", s, err)
		}
		got, err := mailbox.List(s)
		if err != nil || len(got) != len(want) {
			t.Errorf("List(%q) = %v, %v", s, got, err)
			continue
		}
		for i := range got {
			if g, w := got[i].Local+"@"+got[i].Domain, want[i].Address; !strings.EqualFold(g, w) && g != strings.ReplaceAll(w, `"`, "") {
				t.Errorf("List(%q)[%d] = %q, net/mail has %q", s, i, g, w)
			}
		}
	}
}

// FuzzFromHeader holds that what is accepted is read the same by net/mail,
// where that accepts it, and survives being written and read again.
func FuzzFromHeader(f *testing.F) {
	for _, s := range ordinary() {
		f.Add(s)
	}
	f.Add("A\r\n <a@b.com> (c(d)), \"x\\\"y\"@z.com, g:;")
	f.Fuzz(func(t *testing.T, s string) {
		list, err := mailbox.List(s)
		if err != nil {
			if list != nil {
				t.Fatal("a list beside an error")
			}
			return
		}
		for _, n := range list {
			again, err := mailbox.Parse(n.Address.String())
			if err != nil || again != n.Address {
				t.Fatalf("%q: %q came back as %+v, %v", s, n.Address, again, err)
			}
			eq, folded := mailbox.Equal(n.Address, again, !isASCII(n.Local))
			if !eq || folded {
				t.Fatalf("%q is not equal to itself", n.Address)
			}
		}
		std, err := mail.ParseAddressList(s)
		if err != nil {
			return
		}
		if len(std) != len(list) {
			t.Fatalf("%q: %d addresses, net/mail has %d", s, len(list), len(std))
		}
		for i, a := range std {
			at := strings.LastIndexByte(a.Address, '@')
			if list[i].Local != a.Address[:at] {
				t.Fatalf("%q: local part %q, net/mail has %q", s, list[i].Local, a.Address[:at])
			}
			if d, err := mailbox.Domain(a.Address[at+1:]); err == nil && d != list[i].Domain {
				t.Fatalf("%q: domain %q, net/mail has %q", s, list[i].Domain, d)
			}
		}
	})
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
