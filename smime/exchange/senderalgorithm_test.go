package exchange_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

func algorithms(t testing.TB, list string) []exchange.Algorithm {
	t.Helper()
	a, err := exchange.ParseAlgorithms(list)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// TestEncryptionAlgorithms holds that the first of the list that all read is
// used, and that nothing outside of the list is.
func TestEncryptionAlgorithms(t *testing.T) {
	const gcm = "6610,2.16.840.1.101.3.4.1.46"
	aes128, aes256, both, obsolete := []string{oidAES128CBC}, []string{oidAES256CBC}, []string{oidAES256CBC, oidAES128CBC}, []string{oid3DES}
	for _, tt := range []struct {
		name, list string
		skip       bool
		bob, carol []string // capabilities; nil: unknown
		want       pkcs7.Cipher
		err        error
	}{
		{"default", "6610", false, nil, nil, pkcs7.AES256CBC, nil},
		{"nothing set", "", false, nil, nil, pkcs7.AES256CBC, nil},
		{"AES-128 alone", "660E", false, nil, nil, pkcs7.AES128CBC, nil},
		{"AES-192 alone", "660F", false, nil, nil, pkcs7.AES192CBC, nil},
		{"the first", "660E;6610", false, nil, nil, pkcs7.AES128CBC, nil},
		{"the first that both read", "6610;660F;660E", false, both, aes128, pkcs7.AES128CBC, nil},
		{"the first that is known to be read", "6610;660E", false, nil, both, pkcs7.AES256CBC, nil},
		{"GCM by its identifier", gcm, false, nil, nil, pkcs7.AES256GCM, nil},
		{"GCM or CBC", gcm + ";6610", false, aes256, nil, pkcs7.AES256CBC, nil},
		{"GCM-128", "660E,2.16.840.1.101.3.4.1.6", false, nil, nil, pkcs7.AES128GCM, nil},
		{"no downgrade", "6610", false, aes128, both, 0, smime.ErrNoCipher},
		{"no downgrade to an obsolete one", "6610;6603", false, nil, obsolete, 0, exchange.ErrSetting},
		{"no common one", "6610;660E", false, aes256, aes128, 0, exchange.ErrSetting},
		{"obsolete first", "6603;6610", false, nil, nil, 0, exchange.ErrSetting},
		{"obsolete later", "6610;6603;6602:40", false, nil, nil, pkcs7.AES256CBC, nil},
		{"obsolete first, passed over", "6603;6601;6602:128;6610", true, nil, nil, pkcs7.AES256CBC, nil},
		{"obsolete alone, passed over", "6603;6602:40", true, nil, nil, 0, exchange.ErrSetting},
		{"passed over, unreadable", "6603;6610", true, nil, obsolete, 0, smime.ErrNoCipher},
		{"unknown replacement", "6610,1.2.3.4", false, nil, nil, 0, exchange.ErrSetting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := newOffice(t)
			o.config.EncryptionAlgorithms = nil
			if tt.list != "" {
				o.config.EncryptionAlgorithms = algorithms(t, tt.list)
			}
			o.sender.SkipObsolete = tt.skip
			o.sender.Recipients.Capabilities = func(box string, _ *x509.Certificate) smime.Capabilities {
				known := map[string][]string{bob: tt.bob, carol: tt.carol}[box]
				if known == nil {
					return nil
				}
				return capabilities(t, known...)
			}
			list, err := o.send(t, false, true)
			if !errors.Is(err, tt.err) || tt.err != nil && len(list) > 0 {
				t.Errorf("%v", err)
			}
			if failed, ok := errors.AsType[smime.RecipientErrors](err); errors.Is(tt.err, smime.ErrNoCipher) && (!ok || len(failed) != 1) {
				t.Errorf("%v", err)
			}
			if err == nil {
				if enc := o.unseal(t, list[0].mail, bob); enc.Cipher != tt.want {
					t.Errorf("%v, want %v", enc.Cipher, tt.want)
				}
			}
		})
	}
}

// TestForksHaveOneCipher: a copy of less strength would give away what the
// others protect (RFC 8551 section 2.7.3), so that all have the first cipher that
// everybody reads, or there are none.
func TestForksHaveOneCipher(t *testing.T) {
	const all, strong, weak = oidAES256CBC + " " + oidAES128CBC, oidAES256CBC, oidAES128CBC
	for _, tt := range []struct {
		to, first, second string // what each announces
		want              pkcs7.Cipher
		err               error
	}{
		{all, all, all, pkcs7.AES256CBC, nil},
		{all, weak, all, pkcs7.AES128CBC, nil},
		{weak, all, all, pkcs7.AES128CBC, nil},
		{"", "", weak, pkcs7.AES128CBC, nil},
		{strong, weak, strong, 0, exchange.ErrSetting},
		{all, all, oid3DES, 0, smime.ErrNoCipher},
	} {
		for _, forking := range []exchange.BCCForking{exchange.OneMessagePerBCC, exchange.OneMessageForAllBCC, exchange.NoForking} {
			o := newOffice(t)
			o.config.EncryptionAlgorithms = algorithms(t, "6610;660E")
			o.config.BCCEncryptedEmailForking = forking
			o.sender.Recipients.Capabilities = func(box string, _ *x509.Certificate) smime.Capabilities {
				list := map[string]string{hidden1: tt.first, hidden2: tt.second}
				ids, ok := list[box]
				if !ok {
					ids = tt.to
				}
				if ids == "" {
					return nil
				}
				return capabilities(t, strings.Fields(ids)...)
			}
			list, err := o.send(t, true, true, hidden1, hidden2)
			if !errors.Is(err, tt.err) || err != nil && len(list) > 0 {
				t.Errorf("%+v: %d messages: %v", tt, len(list), err)
			}
			for i := range list {
				if enc := o.unseal(t, list[i].mail, list[i].to[0]); enc.Cipher != tt.want {
					t.Errorf("%+v: message %d: %v", tt, i, enc.Cipher)
				}
			}
			if want := [...]int{exchange.OneMessagePerBCC: 3, exchange.OneMessageForAllBCC: 2, exchange.NoForking: 1}[forking]; err == nil && len(list) != want {
				t.Errorf("%+v: %d messages", tt, len(list))
			}
		}
	}
}

func TestSigningAlgorithms(t *testing.T) {
	ca := smimetest.NewCA(t)
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]crypto.Signer{"RSA": rsaKey, "P-256": newKey(t), "P-384": p384, "Ed25519": ed}
	ids := map[string]*smime.Identity{}
	for name, key := range keys {
		ids[name] = ca.Certify(key, alice)
	}
	for _, tt := range []struct {
		list string
		skip bool
		key  string
		want string // micalg
	}{
		{"8004", false, "RSA", "sha-256"},
		{"8004", false, "P-256", "sha-256"},
		{"8004", false, "P-384", "sha-384"},
		{"8004", false, "Ed25519", "sha-512"},
		{"", false, "RSA", "sha-256"},
		{"800C", false, "RSA", "sha-256"},
		{"800C", false, "P-384", "sha-256"},
		{"800D;800C", false, "RSA", "sha-384"},
		{"800E;8004;8003", false, "RSA", "sha-512"},
		{"800E", false, "P-256", "sha-512"},
		{"800D", false, "P-256", "sha-384"},
		{"800D", false, "Ed25519", "sha-512"},
		{"8004,2.16.840.1.101.3.4.2.2", false, "RSA", "sha-384"},
		{"800C,2.16.840.1.101.3.4.2.3", false, "RSA", "sha-512"},
		{"8003,2.16.840.1.101.3.4.2.1", false, "RSA", "sha-256"},
		{"8003", false, "RSA", ""},
		{"8004;800C", false, "RSA", ""},
		{"8003;8004;800C", true, "RSA", "sha-256"},
		{"8003", true, "RSA", ""},
		{"800C,1.2.3", false, "RSA", ""},
	} {
		cfg := exchange.DefaultConfig()
		cfg.SigningAlgorithms = nil
		if tt.list != "" {
			cfg.SigningAlgorithms = algorithms(t, tt.list)
		}
		s := exchange.Sender{Config: &cfg, Identities: []*smime.Identity{ids[tt.key]}, Trust: ca.Trust(), SkipObsolete: tt.skip}
		var list []sent
		m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Sign: true}
		err := s.Send(t.Context(), m, collect(&list))
		if tt.want == "" {
			if e, ok := errors.AsType[*exchange.SettingError](err); !ok || e.Name != "OWASigningAlgorithms" || len(list) > 0 {
				t.Errorf("%s %s: %v", tt.list, tt.key, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s %s: %v", tt.list, tt.key, err)
			continue
		}
		if !strings.Contains(string(list[0].mail), "micalg="+tt.want+";") {
			t.Errorf("%s %s: not %s", tt.list, tt.key, tt.want)
		}
		if _, err := smime.Verify(t.Context(), io.Discard, bytes.NewReader(list[0].mail), ca.Trust(), nil); err != nil {
			t.Errorf("%s %s: %v", tt.list, tt.key, err)
		}
	}
}

// A card is a key that is not in memory, as far as anybody can see.
type card struct {
	crypto.Signer
	signed int
}

func (c *card) Sign(r io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	c.signed++
	return c.Signer.Sign(r, digest, opts)
}

func TestOnlyUseSmartCard(t *testing.T) {
	ca := smimetest.NewCA(t)
	hard := &card{Signer: newKey(t)}
	onCard, soft := ca.Certify(hard, alice), ca.Identity(alice, smimetest.Renewed())
	cfg := exchange.DefaultConfig()
	cfg.OnlyUseSmartCard = true
	for _, tt := range []struct {
		have []*smime.Identity
		err  error
	}{
		{[]*smime.Identity{soft}, exchange.ErrNoSigner},
		{[]*smime.Identity{soft, onCard}, nil},
	} {
		s := exchange.Sender{Config: &cfg, Identities: tt.have, Trust: ca.Trust()}
		var list []sent
		m := exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail(alice, bob, "hello")), To: persons(bob), Sign: true}
		err := s.Send(t.Context(), m, collect(&list))
		if !errors.Is(err, tt.err) || (err == nil) != (len(list) == 1) {
			t.Errorf("%v", err)
		}
		if e, ok := errors.AsType[*exchange.SettingError](err); tt.err != nil && (!ok || e.Name != "OWAOnlyUseSmartCard") {
			t.Errorf("the reason is missing: %v", err)
		}
	}
	if hard.signed != 1 {
		t.Errorf("the card signed %d times", hard.signed)
	}
}
