package exchange_test

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/smime/exchange"
)

func mustOID(t testing.TB, s string) x509.OID {
	t.Helper()
	o, err := x509.ParseOID(s)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func sameAlgorithm(a, b exchange.Algorithm) bool {
	return a.ALGID == b.ALGID && a.KeyBits == b.KeyBits && a.OID.Equal(b.OID)
}

func TestParseAlgorithms(t *testing.T) {
	gcm := mustOID(t, "2.16.840.1.101.3.4.1.46")
	for _, tt := range []struct {
		list   string
		want   []exchange.Algorithm
		format string // where it differs
	}{
		{"6610", []exchange.Algorithm{{ALGID: 0x6610}}, ""},
		{"8004", []exchange.Algorithm{{ALGID: 0x8004}}, ""},
		{"660e", []exchange.Algorithm{{ALGID: 0x660E}}, "660E"},
		{"6603;6602:128;6602:64;6601;6602:56", []exchange.Algorithm{{ALGID: 0x6603}, {ALGID: 0x6602, KeyBits: 128}, {ALGID: 0x6602, KeyBits: 64}, {ALGID: 0x6601}, {ALGID: 0x6602, KeyBits: 56}}, ""},
		{"6602:40", []exchange.Algorithm{{ALGID: 0x6602, KeyBits: 40}}, ""},
		{"6602", []exchange.Algorithm{{ALGID: 0x6602}}, ""},
		{"800E;8004;8003", []exchange.Algorithm{{ALGID: 0x800E}, {ALGID: 0x8004}, {ALGID: 0x8003}}, ""},
		{"800C;800D", []exchange.Algorithm{{ALGID: 0x800C}, {ALGID: 0x800D}}, ""},
		{"6610,2.16.840.1.101.3.4.1.46;660F", []exchange.Algorithm{{ALGID: 0x6610, OID: gcm}, {ALGID: 0x660F}}, ""},
		{"6602:128,2.16.840.1.101.3.4.1.46", []exchange.Algorithm{{ALGID: 0x6602, KeyBits: 128, OID: gcm}}, ""},
		{" 6610 ; 6603 ", []exchange.Algorithm{{ALGID: 0x6610}, {ALGID: 0x6603}}, "6610;6603"},
	} {
		got, err := exchange.ParseAlgorithms(tt.list)
		if err != nil {
			t.Errorf("%q: %v", tt.list, err)
			continue
		}
		if !slices.EqualFunc(got, tt.want, sameAlgorithm) {
			t.Errorf("%q: %v", tt.list, got)
		}
		if tt.format == "" {
			tt.format = tt.list
		}
		if s := exchange.FormatAlgorithms(got); s != tt.format {
			t.Errorf("%q is rendered %q", tt.list, s)
		}
	}
	for _, bad := range []string{
		"", ";", "6610;", ";6610", "0x6610", "66100", "661", "661G", "+610", "6699", "8804,1.2.3",
		"6610:256", "6602:", "6602:0", "6602:+40", "6602:040", "6602:41", "6602:-40", "6602:128:64", "8004:160",
		"6610,", "6610,1", "6610,x", "6610,1.2,3", "6610,1.2.-3", "6610:,1.2.3", "6610 6603", "6610\x00", "６６１０",
		strings.Repeat("6610;", 64) + "6610",
	} {
		got, err := exchange.ParseAlgorithms(bad)
		if e, ok := errors.AsType[*exchange.SettingError](err); !ok || e.Reason == "" || !errors.Is(err, exchange.ErrSetting) || got != nil {
			t.Errorf("%q: %v, %v", bad, got, err)
		}
	}
}

func FuzzParseAlgorithms(f *testing.F) {
	for _, s := range []string{"6610", "6603;6602:128;6602:64;6601;6602:56", "800E;8004;8003", "6610,2.16.840.1.101.3.4.1.46", "6602:40,1.2.3;", " 660e"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		list, err := exchange.ParseAlgorithms(s)
		if err != nil {
			if _, ok := errors.AsType[*exchange.SettingError](err); !ok {
				t.Fatalf("%v", err)
			}
			return
		}
		text := exchange.FormatAlgorithms(list)
		again, err := exchange.ParseAlgorithms(text)
		if err != nil || !slices.EqualFunc(list, again, sameAlgorithm) {
			t.Fatalf("%q becomes %q: %v", s, text, err)
		}
		if twice := exchange.FormatAlgorithms(again); twice != text {
			t.Fatalf("%q and %q", text, twice)
		}
	})
}
