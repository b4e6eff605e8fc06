package sst

import (
	"encoding/asn1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

func utf16le(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func wantProblem(t *testing.T, what string, err error) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, ErrProperty) || e.Property == 0 {
		t.Errorf("%s: %v", what, err)
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "a", "Főtanúsítványkiadó", "🔐 key", strings.Repeat("x", 1000)} {
		p := TextProperty(PropDescription, s)
		if got, err := p.Text(); got != s || err != nil {
			t.Errorf("%q became %q, %v", s, got, err)
		}
	}
	for _, v := range []string{"", "00", "000000", "6100", "610061", "000061000000"} {
		t.Run(v, func(t *testing.T) {
			p := Property{PropFriendlyName, 1, unhex(t, v)}
			_, err := p.Text()
			wantProblem(t, v, err)
			if e := (Element{Properties: []Property{p}}); e.FriendlyName() != "" {
				t.Errorf("named %q", e.FriendlyName())
			}
		})
	}
}

func TestTime(t *testing.T) {
	for _, c := range []struct{ hex, want string }{
		{"", "0001-01-01T00:00:00Z"},
		{"0000000000000000", "1601-01-01T00:00:00Z"},
		{"00803ed5deb19d01", "1970-01-01T00:00:00Z"},
		{"00405306918fda01", "2024-04-16T00:00:00Z"},
		{"ffffffffffffff7f", "30828-09-14T02:48:05Z"},
	} {
		t.Run(c.hex, func(t *testing.T) {
			p := Property{PropDisallowedTime, 1, unhex(t, c.hex)}
			got, err := p.Time()
			if err != nil || got.Truncate(time.Second).Format(time.RFC3339) != c.want {
				t.Errorf("%v, %v", got, err)
			}
			if again := TimeProperty(PropDisallowedTime, got); hex.EncodeToString(again.Value) != c.hex {
				t.Errorf("%v became %x", got, again.Value)
			}
		})
	}
	for _, v := range []string{"00", "00000000000000", "000000000000000000", "0000000000000080", "ffffffffffffffff"} {
		t.Run(v, func(t *testing.T) {
			_, err := Property{PropDisallowedTime, 1, unhex(t, v)}.Time()
			wantProblem(t, v, err)
		})
	}
	for _, far := range []time.Time{time.Date(1600, 12, 31, 0, 0, 0, 0, time.UTC), time.Date(40000, 1, 1, 0, 0, 0, 0, time.UTC)} {
		_, err := TimeProperty(PropDateStamp, far).Time()
		wantProblem(t, far.String(), err)
	}
}

func TestOIDs(t *testing.T) {
	list := []asn1.ObjectIdentifier{{1, 3, 6, 1, 5, 5, 7, 3, 4}, {2, 5, 29, 37, 0}, {1, 3, 6, 1, 4, 1, 311, 94, 1, 2}}
	p := OIDProperty(PropEnhKeyUsage, list...)
	got, err := p.OIDs()
	if err != nil || !slices.EqualFunc(got, list, asn1.ObjectIdentifier.Equal) {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := OIDProperty(PropEnhKeyUsage).OIDs(); err != nil || got == nil || len(got) != 0 {
		t.Errorf("the empty list: %v, %v", got, err)
	}
	for _, v := range []string{"", "30", "3001", "3000 00", "3002 0600", "3003 020101", "3004 0602 2a80", "3100", "06022a03"} {
		t.Run(v, func(t *testing.T) {
			_, err := Property{PropEnhKeyUsage, 1, unhex(t, v)}.OIDs()
			wantProblem(t, v, err)
		})
	}
}

func TestNumber(t *testing.T) {
	if n, err := (Property{PropKeyBits, 1, []byte{0, 8, 0, 0}}).Number(); n != 2048 || err != nil {
		t.Error(n, err)
	}
	_, err := Property{PropKeyBits, 1, []byte{0, 8}}.Number()
	wantProblem(t, "two octets", err)
}

func provider(container, name uint32, texts ...byte) []byte {
	var b []byte
	for _, n := range []uint32{container, name, 1, 0x20, 0, 0, 2} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	return append(b, texts...)
}

func TestKeyProviderFaults(t *testing.T) {
	texts := append(append(utf16le("box\x00"), utf16le("csp\x00")...), 0, 0)
	k, err := Property{PropKeyProvider, 1, provider(28, 36, texts...)}.KeyProvider()
	if err != nil || *k != (KeyProvider{"box", "csp", 1, 0x20, 2}) {
		t.Errorf("%+v, %v", k, err)
	}
	if k, err := (Property{PropKeyProvider, 1, provider(0, 28, texts...)}).KeyProvider(); err != nil || k.Container != "" || k.Provider != "box" {
		t.Errorf("%+v, %v", k, err)
	}
	for what, v := range map[string][]byte{
		"empty": nil, "short": provider(28, 36)[:27], "offset in the header": provider(8, 36, texts...),
		"offset past the end": provider(28, 1000, texts...), "offset at the end": provider(28, uint32(28+len(texts)), texts...),
		"huge offset": provider(0xffffffff, 28, texts...), "no NUL": provider(28, 28, utf16le("box")...),
		"odd end": provider(28, 28, 'a', 0, 0),
	} {
		t.Run(what, func(t *testing.T) {
			_, err := Property{PropKeyProvider, 1, v}.KeyProvider()
			wantProblem(t, what, err)
		})
	}
}

func TestEnrollment(t *testing.T) {
	u32 := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	v := slices.Concat(u32(17), u32(5), utf16le("host\x00"), u32(3), utf16le("ca\x00"), u32(0))
	e, err := Property{PropEnrollment, 1, v}.Enrollment()
	if err != nil || *e != (Enrollment{17, "host", "ca", ""}) {
		t.Errorf("%+v, %v", e, err)
	}
	for i := range v {
		_, err := Property{PropEnrollment, 1, v[:i]}.Enrollment()
		wantProblem(t, "truncated", err)
	}
	_, err = Property{PropEnrollment, 1, append(v, 0)}.Enrollment()
	wantProblem(t, "longer", err)
	_, err = Property{PropEnrollment, 1, slices.Concat(u32(1), u32(0xffffffff), v)}.Enrollment()
	wantProblem(t, "huge", err)
}

func TestRootPolicies(t *testing.T) {
	v := "302a 3018 0602 2a03 3012 3010 060a 2b0601040182373c0101 0302 00c0 3004 0602 2a04 3008 0602 2a05 3002 3000"
	_, err := Property{PropRootPolicies, 1, unhex(t, v)}.RootPolicies()
	wantProblem(t, "empty qualifier", err)
	good := "3020 3018 0602 2a03 3012 3010 060a 2b0601040182373c0101 0302 00c0 3004 0602 2a04"
	list, err := Property{PropRootPolicies, 1, unhex(t, good)}.RootPolicies()
	if err != nil || len(list) != 2 || list[0].Flags != 0xc0 || list[1].Flags != 0 || !list[1].Policy.Equal(asn1.ObjectIdentifier{1, 2, 4}) {
		t.Errorf("%+v, %v", list, err)
	}
	none := "3019 3017 0602 2a03 3011 300f 060a 2b0601040182373c0101 0301 00"
	if list, err := (Property{PropRootPolicies, 1, unhex(t, none)}).RootPolicies(); err != nil || len(list) != 1 || list[0].Flags != 0 {
		t.Errorf("no flag: %+v, %v", list, err)
	}
	for _, v := range []string{"", "3000 00", "3002 0500", "3002 3000", "301b 3019 0602 2a03 3013 3011 060a 2b0601040182373c0101 0303 00c0c0"} {
		t.Run(v, func(t *testing.T) {
			_, err := Property{PropRootPolicies, 1, unhex(t, v)}.RootPolicies()
			wantProblem(t, v, err)
		})
	}
}

func TestPropertyString(t *testing.T) {
	for _, c := range []struct {
		p    Property
		want string
	}{
		{TextProperty(PropFriendlyName, "a\x1b[31m"), `"a\x1b[31m"`},
		{TimeProperty(PropNotBeforeTime, time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)), "2020-02-03T04:05:06Z"},
		{Property{ID: PropDisallowedTime}, "since ever"},
		{OIDProperty(PropDisallowedUsage, asn1.ObjectIdentifier{1, 2, 3}, asn1.ObjectIdentifier{2, 5}), "1.2.3 2.5"},
		{Property{ID: PropKeySpec, Value: []byte{2, 0, 0, 0}}, "2"},
		{Property{ID: PropArchived}, "yes"},
		{Property{ID: PropSHA1, Value: []byte{0xab}}, "ab"},
		{Property{ID: PropKeySpec, Value: []byte{2}}, "02"},
		{Property{ID: 0x8000, Value: make([]byte, 65)}, strings.Repeat("00", 64) + "..."},
		{Property{PropKeyProvider, 1, provider(28, 0, utf16le("b\x00")...)}, `container "b", provider "", type 1, flags 0x20, key 2`},
	} {
		if got := c.p.String(); got != c.want {
			t.Errorf("%v: %s, want %s", c.p.ID, got, c.want)
		}
	}
	for _, id := range []PropertyID{0, 7, 128, 0x8000, 1 << 31} {
		if !strings.HasPrefix(id.String(), "property ") {
			t.Errorf("%d is %v", uint32(id), id)
		}
	}
}

func FuzzProperty(f *testing.F) {
	f.Add(uint32(PropKeyProvider), provider(28, 36, utf16le("box\x00csp\x00")...))
	f.Add(uint32(PropEnrollment), []byte{1, 0, 0, 0})
	f.Add(uint32(PropRootPolicies), []byte{0x30, 0})
	f.Add(uint32(PropDisallowedTime), []byte{})
	f.Fuzz(func(t *testing.T, id uint32, v []byte) {
		p := Property{PropertyID(id), 1, v}
		_ = p.String()
		if s, err := p.Text(); err == nil {
			if again, err := TextProperty(p.ID, s).Text(); err != nil || again != s {
				t.Fatalf("%q, then %q, %v", s, again, err)
			}
		}
		if at, err := p.Time(); err == nil {
			if string(TimeProperty(p.ID, at).Value) != string(v) {
				t.Fatalf("%x: %v", v, at)
			}
		}
		if list, err := p.OIDs(); err == nil {
			if string(OIDProperty(p.ID, list...).Value) != string(v) {
				t.Fatalf("%x: %v", v, list)
			}
		}
		if k, err := p.KeyProvider(); err != nil && k != nil {
			t.Fatal(k, err)
		}
		if e, err := p.Enrollment(); err != nil && e != nil {
			t.Fatal(e, err)
		}
		if l, err := p.RootPolicies(); err != nil && l != nil {
			t.Fatal(l, err)
		}
		set, err := p.purposes()
		if _, listErr := p.OIDs(); listErr == nil && err != nil || set&^allPurposes != 0 {
			t.Fatal(set, err)
		}
	})
}
