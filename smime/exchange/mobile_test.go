package exchange_test

import (
	"bytes"
	"crypto/x509"
	"errors"
	"testing"

	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/smime"
	"github.com/gosmime/gosmime/smime/exchange"
	"github.com/gosmime/gosmime/smime/smimetest"
)

// capabilities returns a list of ciphers without parameters.
func capabilities(t testing.TB, dotted ...string) smime.Capabilities {
	t.Helper()
	list := smime.Capabilities{}
	for _, s := range dotted {
		list = append(list, smime.Capability{OID: mustOID(t, s)})
	}
	return list
}

const (
	oidAES128CBC = "2.16.840.1.101.3.4.1.2"
	oidAES192CBC = "2.16.840.1.101.3.4.1.22"
	oidAES256CBC = "2.16.840.1.101.3.4.1.42"
	oidAES256GCM = "2.16.840.1.101.3.4.1.46"
	oid3DES      = "1.2.840.113549.3.7"
)

// TestPolicyValues are the values of MS-ASPROV 2.2.2.13, 2.2.2.48 and 2.2.2.50.
func TestPolicyValues(t *testing.T) {
	for i, n := range []exchange.Negotiation{exchange.NegotiateNothing, exchange.NegotiateStrong, exchange.NegotiateAny} {
		if int(n) != i {
			t.Errorf("%d is %d", i, n)
		}
	}
	for i, e := range []exchange.EncryptionAlgorithm{exchange.EncryptionTripleDES, exchange.EncryptionDES, exchange.EncryptionRC2Bits128, exchange.EncryptionRC2Bits64, exchange.EncryptionRC2Bits40} {
		if int(e) != i {
			t.Errorf("%d is %d", i, e)
		}
	}
	if exchange.SignedSHA1 != 0 || exchange.SignedMD5 != 1 {
		t.Error("SHA-1 is 0 and MD5 is 1")
	}
	if p := exchange.DefaultMobilePolicy(); p != (exchange.MobilePolicy{AllowSMIMEEncryptionAlgorithmNegotiation: exchange.NegotiateAny, AllowSMIMESoftCerts: true}) {
		t.Errorf("%+v", p)
	}
}

func TestMobilePolicyCheck(t *testing.T) {
	plain := exchange.MobileMessage{}
	both := exchange.MobileMessage{Signed: true, Encrypted: true, SoftwareKey: true}
	weak := exchange.MobileMessage{Encrypted: true, Capabilities: []smime.Capabilities{capabilities(t, oid3DES)}}
	for _, tt := range []struct {
		name   string
		change func(*exchange.MobilePolicy)
		m      exchange.MobileMessage
		want   error
	}{
		{"default, plain", nil, plain, nil},
		{"default, both", nil, both, nil},
		{"default, weak recipient", nil, weak, exchange.ErrPolicy},
		{"signed required", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEMessages = true }, exchange.MobileMessage{Encrypted: true}, exchange.ErrPolicy},
		{"signed required and signed", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEMessages = true }, exchange.MobileMessage{Signed: true}, nil},
		{"encrypted required", func(p *exchange.MobilePolicy) { p.RequireEncryptedSMIMEMessages = true }, exchange.MobileMessage{Signed: true}, exchange.ErrPolicy},
		{"encrypted required and encrypted", func(p *exchange.MobilePolicy) { p.RequireEncryptedSMIMEMessages = true }, both, nil},
		{"no soft certificates", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, both, exchange.ErrPolicy},
		{"no soft certificates, smart card", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, exchange.MobileMessage{Signed: true, Encrypted: true}, nil},
		{"no soft certificates, unsigned", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, exchange.MobileMessage{SoftwareKey: true}, nil},
		{"no negotiation", func(p *exchange.MobilePolicy) { p.AllowSMIMEEncryptionAlgorithmNegotiation = exchange.NegotiateNothing }, both, exchange.ErrPolicy},
		{"no negotiation, unencrypted", func(p *exchange.MobilePolicy) { p.AllowSMIMEEncryptionAlgorithmNegotiation = exchange.NegotiateNothing }, plain, nil},
		{"strong negotiation", func(p *exchange.MobilePolicy) { p.AllowSMIMEEncryptionAlgorithmNegotiation = exchange.NegotiateStrong }, both, nil},
		{"RC2-40 is a floor", func(p *exchange.MobilePolicy) { p.RequireEncryptionSMIMEAlgorithm = exchange.EncryptionRC2Bits40 }, both, nil},
		{"MD5 is a floor", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEAlgorithm = exchange.SignedMD5 }, both, nil},
		{"unknown cipher", func(p *exchange.MobilePolicy) { p.RequireEncryptionSMIMEAlgorithm = 5 }, plain, exchange.ErrSetting},
		{"unknown digest", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEAlgorithm = 2 }, plain, exchange.ErrSetting},
		{"unknown negotiation", func(p *exchange.MobilePolicy) { p.AllowSMIMEEncryptionAlgorithmNegotiation = 3 }, plain, exchange.ErrSetting},
	} {
		p := exchange.DefaultMobilePolicy()
		if tt.change != nil {
			tt.change(&p)
		}
		if err := p.Check(tt.m); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestMobilePolicyCipher(t *testing.T) {
	gcm, cbc := capabilities(t, oidAES256GCM, oidAES256CBC), capabilities(t, oidAES256CBC, oidAES128CBC)
	for _, tt := range []struct {
		name string
		to   []smime.Capabilities
		want pkcs7.Cipher
	}{
		{"nobody", nil, pkcs7.AES256CBC},
		{"unknown", []smime.Capabilities{nil}, pkcs7.AES256CBC},
		{"GCM", []smime.Capabilities{gcm, gcm}, pkcs7.AES256GCM},
		{"GCM and unknown", []smime.Capabilities{gcm, nil}, pkcs7.AES256CBC},
		{"GCM and CBC", []smime.Capabilities{gcm, cbc}, pkcs7.AES256CBC},
		{"AES-192", []smime.Capabilities{capabilities(t, oidAES192CBC)}, pkcs7.AES192CBC},
		{"AES-128", []smime.Capabilities{cbc, capabilities(t, oidAES128CBC, oid3DES)}, pkcs7.AES128CBC},
		{"AES-128 and unknown", []smime.Capabilities{nil, capabilities(t, oidAES128CBC)}, 0},
		{"nothing", []smime.Capabilities{{}}, 0},
		{"Triple DES", []smime.Capabilities{gcm, capabilities(t, oid3DES)}, 0},
	} {
		got, err := exchange.DefaultMobilePolicy().Cipher(tt.to...)
		if got != tt.want || (tt.want == 0) != errors.Is(err, exchange.ErrPolicy) {
			t.Errorf("%s: %v, %v", tt.name, got, err)
		}
	}
	if c, err := (exchange.MobilePolicy{}).Cipher(gcm); c != 0 || !errors.Is(err, exchange.ErrPolicy) {
		t.Errorf("without negotiation: %v, %v", c, err)
	}
}

// TestMobilePolicySeals holds that the options make a message that meets the
// policy.
func TestMobilePolicySeals(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	p := exchange.DefaultMobilePolicy()
	p.RequireSignedSMIMEMessages, p.RequireEncryptedSMIMEMessages = true, true
	to, err := smime.NewRecipient(t.Context(), "bob@example.com", bob.Certificate(), ca.Trust(), &smime.RecipientOptions{
		Capabilities: func(string, *x509.Certificate) smime.Capabilities { return capabilities(t, oidAES128CBC) }})
	if err != nil {
		t.Fatal(err)
	}
	opts, err := p.SealOptions(to)
	if err != nil {
		t.Fatal(err)
	}
	var sealed, content bytes.Buffer
	mail := smimetest.Mail("alice@example.com", "bob@example.com", "hello")
	if err := smime.Seal(t.Context(), &sealed, bytes.NewReader(mail), alice, []*smime.Recipient{to}, opts); err != nil {
		t.Fatal(err)
	}
	_, enc, err := smime.Unseal(t.Context(), &content, &sealed, smime.Identities{bob}, ca.Trust(), nil)
	if err != nil || enc.Cipher != pkcs7.AES128CBC || !bytes.Contains(content.Bytes(), []byte("hello")) {
		t.Errorf("%v", err)
	}
	if _, err := (exchange.MobilePolicy{}).SealOptions(to); !errors.Is(err, exchange.ErrPolicy) {
		t.Errorf("%v", err)
	}
}
