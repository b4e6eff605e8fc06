package exchange_test

import (
	"bytes"
	"crypto/sha1"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/suites"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
	"github.com/gosmime/gosmime/sst"
)

func storeOf(t testing.TB, certs ...*x509.Certificate) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := sst.Write(&b, sst.Of(certs...)); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func thumbprint(c *x509.Certificate) string { return fmt.Sprintf("%X", sha1.Sum(c.Raw)) }

func TestNewCollection(t *testing.T) {
	late, soon := newAuthority(t, "late", year(2045)), newAuthority(t, "soon", year(2031))
	intermediate := newAuthority(t, "middle", year(2033))
	trust, info, err := exchange.NewCollection(storeOf(t, late.cert, intermediate.cert, soon.cert, soon.cert))
	if err != nil {
		t.Fatal(err)
	}
	if info.Certificates != 3 || !info.ExpiryDate.Equal(year(2031)) || info.ExpiredThumbprint != thumbprint(soon.cert) || len(info.Unreadable) > 0 {
		t.Errorf("%+v", info)
	}
	for horizon, want := range map[int]int{2030: 0, 2031: 0, 2032: 1, 2034: 2, 2050: 3} {
		if list := info.ExpiringBefore(year(horizon)); len(list) != want {
			t.Errorf("%d certificates expire before %d", len(list), horizon)
		}
	}
	alice := late.identity("alice@example.com", nil)
	policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}
	if _, err := trust.Verify(t.Context(), alice.Certificate(), policy); err != nil {
		t.Error(err)
	}
	stranger := newAuthority(t, "stranger", year(2045)).identity("alice@example.com", nil)
	if _, err := trust.Verify(t.Context(), stranger.Certificate(), policy); !errors.Is(err, chain.ErrUnknownIssuer) {
		t.Errorf("%v", err)
	}
}

// TestIntermediatesAreNoAnchors holds that only self-signed certificates of the
// bag vouch for anybody.
func TestIntermediatesAreNoAnchors(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice := ca.Identity("alice@example.com")
	policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}
	for _, tt := range []struct {
		certs []*x509.Certificate
		want  error
	}{
		{[]*x509.Certificate{ca.Issuing(), ca.Root()}, nil},
		{[]*x509.Certificate{ca.Root(), ca.Issuing(), alice.Certificate()}, nil},
		{[]*x509.Certificate{ca.Issuing()}, chain.ErrUnknownIssuer},
		{[]*x509.Certificate{ca.Root()}, chain.ErrUnknownIssuer},
		{[]*x509.Certificate{alice.Certificate()}, chain.ErrUnknownIssuer},
	} {
		trust, _, err := exchange.NewCollection(storeOf(t, tt.certs...))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := trust.Verify(t.Context(), alice.Certificate(), policy); !errors.Is(err, tt.want) {
			t.Errorf("%d certificates: %v, want %v", len(tt.certs), err, tt.want)
		}
	}
}

func TestExpiredCollection(t *testing.T) {
	good, one, two := newAuthority(t, "good", year(2045)), newAuthority(t, "one", year(2023)), newAuthority(t, "two", year(2024))
	store := storeOf(t, one.cert, good.cert, two.cert, one.cert)
	for _, tt := range []struct {
		at   time.Time
		want []*x509.Certificate
	}{
		{year(2022), nil},
		{year(2023), nil}, // the last second counts
		{year(2023).Add(time.Second), []*x509.Certificate{one.cert}},
		{year(2026), []*x509.Certificate{one.cert, two.cert}},
		{time.Time{}, []*x509.Certificate{one.cert, two.cert}},
		{year(2046), []*x509.Certificate{one.cert, good.cert, two.cert}},
	} {
		info, err := exchange.CheckCollection(store, tt.at)
		if tt.want == nil {
			if err != nil || info.ExpiredThumbprint != thumbprint(one.cert) {
				t.Errorf("%v: %v", tt.at, err)
			}
			continue
		}
		e, ok := errors.AsType[*exchange.ExpiredError](err)
		if !ok || len(e.Certificates) != len(tt.want) || info.Certificates != 0 {
			t.Errorf("%v: %v", tt.at, err)
			continue
		}
		for i := range tt.want {
			if !e.Certificates[i].Equal(tt.want[i]) || !strings.Contains(e.Error(), thumbprint(tt.want[i])) {
				t.Errorf("%v: %v", tt.at, err)
			}
		}
	}
}

// TestExpiredInUse loads a collection of which a member has expired: whoever
// does not depend on that member is still verified, in every mode.
func TestExpiredInUse(t *testing.T) {
	good, old, system := newAuthority(t, "good", year(2045)), newAuthority(t, "old", year(2023)), newAuthority(t, "system", year(2045))
	store := storeOf(t, old.cert, good.cert)
	alice, bob := good.identity("alice@example.com", nil), old.identity("bob@example.com", nil)
	for _, mode := range []exchange.Mode{exchange.CollectionOnly, exchange.CollectionThenSystem} {
		trust, info, err := exchange.NewTrust(mode, store, chain.Certs(system.cert))
		if err != nil {
			t.Fatal(err)
		}
		if expired := info.ExpiringBefore(year(2026)); len(expired) != 1 || !expired[0].Equal(old.cert) {
			t.Errorf("%d certificates are reported", len(expired))
		}
		if _, err := trust.Verify(t.Context(), alice.Certificate(), chain.Policy{Purpose: chain.EmailSigning, Mailbox: "alice@example.com"}); err != nil {
			t.Error(err)
		}
		if _, err := trust.Verify(t.Context(), bob.Certificate(), chain.Policy{Purpose: chain.EmailSigning, Mailbox: "bob@example.com"}); !errors.Is(err, chain.ErrExpired) {
			t.Errorf("under the expired root: %v", err)
		}
	}
}

// TestExpiredConfig loads settings whose collection has an expired member.
func TestExpiredConfig(t *testing.T) {
	f, err := os.Open(filepath.Join("testdata", "expired_config.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cfg, _, err := exchange.ParseConfig(f)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	if _, err := exchange.CheckCollection(cfg.CertificateIssuingCA, at); err == nil {
		t.Error("an expired member passed the check of an upload")
	}
	trust, info, err := exchange.NewCollection(cfg.CertificateIssuingCA)
	if err != nil || trust == nil || len(info.ExpiringBefore(at)) != 1 || info.Certificates != 3 {
		t.Errorf("%+v, %v", info, err)
	}
}

func TestNewTrust(t *testing.T) {
	own, system := newAuthority(t, "own", year(2045)), newAuthority(t, "system", year(2045))
	store, roots := storeOf(t, own.cert), chain.Certs(system.cert)
	inside, outside := own.identity("a@example.com", nil), system.identity("a@example.com", nil)
	for _, tt := range []struct {
		name          string
		mode          exchange.Mode
		store         []byte
		system        chain.Source
		err           error
		knows, learns bool // whom the collection vouches for, and whom the system
	}{
		{"collection only", exchange.CollectionOnly, store, nil, nil, true, false},
		{"collection only, roots given", exchange.CollectionOnly, store, roots, nil, true, false},
		{"collection only, none", exchange.CollectionOnly, nil, roots, exchange.ErrNoCollection, false, false},
		{"collection only, empty", exchange.CollectionOnly, storeOf(t), nil, exchange.ErrNoCollection, false, false},
		{"then system", exchange.CollectionThenSystem, store, roots, nil, true, true},
		{"then system, no store", exchange.CollectionThenSystem, nil, roots, nil, false, true},
		{"then system, no roots", exchange.CollectionThenSystem, store, nil, exchange.ErrNoCollection, false, false},
		{"system only", exchange.SystemOnly, store, roots, nil, false, true},
		{"system only, no roots", exchange.SystemOnly, store, nil, exchange.ErrNoCollection, false, false},
		{"unknown mode", 3, store, roots, exchange.ErrSetting, false, false},
		{"no store", exchange.CollectionOnly, []byte("hello"), nil, sst.ErrNotStore, false, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			trust, _, err := exchange.NewTrust(tt.mode, tt.store, tt.system)
			if !errors.Is(err, tt.err) {
				t.Errorf("%v", err)
			}
			if tt.err != nil {
				if trust != nil {
					t.Error("a collection beside the error")
				}
				return
			}
			policy := chain.Policy{Purpose: chain.EmailSigning, Mailbox: "a@example.com"}
			if _, err := trust.Verify(t.Context(), inside.Certificate(), policy); (err == nil) != tt.knows {
				t.Errorf("of the collection: %v", err)
			}
			if _, err := trust.Verify(t.Context(), outside.Certificate(), policy); (err == nil) != tt.learns {
				t.Errorf("of the system: %v", err)
			}
		})
	}
}

// TestUnreadableCertificates holds that one that can't be read hides nobody.
func TestUnreadableCertificates(t *testing.T) {
	ca := newAuthority(t, "ca", year(2045))
	s := sst.Of(ca.cert)
	bad, err := sst.NewElement(sst.Certificate, []byte{0x30, 3, 2, 1, 1})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		elements []sst.Element
		want     error
	}{
		{append([]sst.Element{bad}, s.Elements...), nil},
		{[]sst.Element{bad}, exchange.ErrNoCollection},
	} {
		var b bytes.Buffer
		if err := sst.Write(&b, &sst.Store{Elements: tt.elements}); err != nil {
			t.Fatal(err)
		}
		_, info, err := exchange.NewCollection(b.Bytes())
		if !errors.Is(err, tt.want) {
			t.Errorf("%v", err)
		}
		if tt.want == nil && (len(info.Unreadable) != 1 || info.Certificates != 1) {
			t.Errorf("%+v", info)
		}
		if e, ok := errors.AsType[*sst.Error](err); tt.want != nil && !ok {
			t.Errorf("%v, %v: the reason is missing", err, e)
		}
	}
}

// TestRealStores makes collections of stores that Windows wrote, at a time when
// all or some of their certificates are valid.
func TestRealStores(t *testing.T) {
	for name, tt := range map[string]struct{ certificates, unreadable int }{
		"owentechnicalgroup-AzureAIChatbotDemo-roots.sst": {514, 0},
		"GeekDuanLian-windows-cert-sync-root.sst":         {507, 0},
		"JShimonov-AskSummoner-roots.sst":                 {411, 0},
		"rootsupd2013-updroots.sst":                       {275, 1},
	} {
		t.Run(name, func(t *testing.T) {
			store, err := os.ReadFile(filepath.Join(suites.Corpus(t, "sst", "real-sst"), name))
			if err != nil {
				t.Fatal(err)
			}
			_, info, err := exchange.NewCollection(store)
			if err != nil || info.Certificates+len(info.Unreadable) != tt.certificates || len(info.Unreadable) != tt.unreadable {
				t.Errorf("%d certificates, %d unreadable: %v", info.Certificates, len(info.Unreadable), err)
			}
			due := len(info.ExpiringBefore(year(2026)))
			_, err = exchange.CheckCollection(store, year(2026))
			if e, ok := errors.AsType[*exchange.ExpiredError](err); !ok || len(e.Certificates) != due || due == 0 {
				t.Errorf("%d are due, %v", due, err)
			}
			if info.ExpiryDate.After(year(2026)) || len(info.ExpiredThumbprint) != 40 {
				t.Errorf("%v %s", info.ExpiryDate, info.ExpiredThumbprint)
			}
		})
	}
	checked := 0
	for _, folder := range []string{"derived", "real-sst-damaged"} {
		files, err := filepath.Glob(filepath.Join(suites.Corpus(t, "sst", folder), "*"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			name := filepath.Base(file)
			if strings.HasPrefix(name, "ok-") {
				continue
			}
			checked++
			store, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if _, _, err := exchange.NewCollection(store); err == nil {
				t.Errorf("%s is a collection", name)
			} else if _, ok := errors.AsType[*sst.Error](err); !ok && !errors.Is(err, exchange.ErrNoCollection) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	if checked < 20 {
		t.Errorf("only %d damaged stores", checked)
	}
}
