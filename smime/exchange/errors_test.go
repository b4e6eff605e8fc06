package exchange_test

import (
	"crypto/x509"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
)

func TestProblemsHaveTexts(t *testing.T) {
	seen := map[string]bool{}
	for p := exchange.ErrNoCollection; p <= exchange.ErrMalformed; p++ {
		s := p.Error()
		if !strings.HasPrefix(s, "exchange: ") || strings.HasSuffix(s, "exchange: ") || seen[s] {
			t.Errorf("%d: %q", p, s)
		}
		seen[s] = true
	}
	if len(seen) != 5 {
		t.Errorf("%d problems", len(seen))
	}
	for _, p := range []exchange.Problem{0, exchange.ErrMalformed + 1, 255} {
		if s := p.Error(); s == "" || seen[s] {
			t.Errorf("%d: %q", uint8(p), s)
		}
	}
}

// TestErrorsQuoteTheirInput holds that text of a setting is cut and can't reach
// a terminal.
func TestErrorsQuoteTheirInput(t *testing.T) {
	_, err := exchange.ParseAlgorithms("\x1b[31m" + strings.Repeat("ü", 10000))
	if err == nil {
		t.Fatal("no error")
	}
	if s := err.Error(); len(s) > 400 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }) {
		t.Errorf("%q", s)
	}
	_, _, err = exchange.ParseConfig(strings.NewReader(`{"OWAAlwaysSign": "` + strings.Repeat("x", 10000) + `"}`))
	if e, ok := errors.AsType[*exchange.SettingError](err); !ok || len(e.Error()) > 400 {
		t.Errorf("%.500v", err)
	}
	a := newAuthority(t, "a", year(2022))
	many := &exchange.ExpiredError{Certificates: []*x509.Certificate{a.cert, a.cert, a.cert, a.cert, a.cert, a.cert, a.cert}}
	if s := many.Error(); len(s) > 500 || !strings.Contains(s, thumbprint(a.cert)) {
		t.Errorf("%s", s)
	}
}

// TestHeaderLimit holds that a header without end is an error of the limit.
func TestHeaderLimit(t *testing.T) {
	o := newOffice(t)
	long := "From: " + alice + "\r\n" + strings.Repeat("X-Filler: "+strings.Repeat("x", 900)+"\r\n", 20_000) + "\r\n"
	for _, sign := range []bool{false, true} {
		m := exchange.Outgoing{Message: strings.NewReader(long), To: persons(bob), Sign: sign}
		var list []sent
		if err := o.sender.Send(t.Context(), m, collect(&list)); !errors.Is(err, smime.ErrLimit) || len(list) > 0 {
			t.Errorf("sign %v: %d messages, %v", sign, len(list), err)
		}
	}
}

// TestReplacementCiphers holds that a replacement's identifier decides.
func TestReplacementCiphers(t *testing.T) {
	o := newOffice(t)
	for list, want := range map[string]pkcs7.Cipher{
		"6610,2.16.840.1.101.3.4.1.2":     pkcs7.AES128CBC,
		"660E,2.16.840.1.101.3.4.1.22":    pkcs7.AES192CBC,
		"6603,2.16.840.1.101.3.4.1.42":    pkcs7.AES256CBC,
		"6610,2.16.840.1.101.3.4.1.6":     pkcs7.AES128GCM,
		"6610,2.16.840.1.101.3.4.1.26":    pkcs7.AES192GCM,
		"6610,2.16.840.1.101.3.4.1.46":    pkcs7.AES256GCM,
		"6610,1.2.840.113549.1.9.16.3.18": pkcs7.ChaCha20Poly1305,
	} {
		t.Run(list, func(t *testing.T) {
			o.config.EncryptionAlgorithms = algorithms(t, list)
			if enc := o.unseal(t, o.one(t, false, true), bob); enc.Cipher != want {
				t.Errorf("%v, want %v", enc.Cipher, want)
			}
		})
	}
}

func TestConcurrentSends(t *testing.T) {
	o := newOffice(t)
	o.config.AlwaysSign, o.config.AlwaysEncrypt = true, true
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			var list []sent
			m := exchange.Outgoing{Message: strings.NewReader(o.mail()), To: persons(bob, carol), BCC: persons(hidden1)}
			if err := o.sender.Send(t.Context(), m, collect(&list)); err != nil || len(list) != 2 {
				t.Errorf("%d messages: %v", len(list), err)
			}
		})
	}
	all.Wait()
}
