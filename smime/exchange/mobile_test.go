package exchange_test

import (
	"bytes"
	"context"
	"crypto"
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
	both := exchange.MobileMessage{Signed: true, Encrypted: true, SoftwareKey: true, Digest: crypto.SHA256, Cipher: pkcs7.AES256CBC}
	signed := func(h crypto.Hash) exchange.MobileMessage { return exchange.MobileMessage{Signed: true, Digest: h} }
	encrypted := func(c pkcs7.Cipher) exchange.MobileMessage { return exchange.MobileMessage{Encrypted: true, Cipher: c} }
	require := func(e exchange.EncryptionAlgorithm, n exchange.Negotiation) func(*exchange.MobilePolicy) {
		return func(p *exchange.MobilePolicy) {
			p.RequireEncryptionSMIMEAlgorithm, p.AllowSMIMEEncryptionAlgorithmNegotiation = e, n
		}
	}
	for _, tt := range []struct {
		name   string
		change func(*exchange.MobilePolicy)
		m      exchange.MobileMessage
		want   error
	}{
		{"default, plain", nil, plain, nil},
		{"default, both", nil, both, nil},
		{"no digest", nil, exchange.MobileMessage{Signed: true}, exchange.ErrSetting},
		{"no cipher", nil, exchange.MobileMessage{Encrypted: true}, exchange.ErrSetting},
		{"SHA-1", nil, signed(crypto.SHA1), nil},
		{"MD5", nil, signed(crypto.MD5), exchange.ErrPolicy},
		{"MD5 where required", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEAlgorithm = exchange.SignedMD5 }, signed(crypto.MD5), nil},
		{"MD4 where MD5 is required", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEAlgorithm = exchange.SignedMD5 }, signed(crypto.MD4), exchange.ErrPolicy},
		{"Triple DES where required", nil, encrypted(pkcs7.TripleDES), nil},
		{"DES where Triple DES is required", nil, encrypted(pkcs7.DES), exchange.ErrPolicy},
		{"RC2 where Triple DES is required", nil, encrypted(pkcs7.RC2), exchange.ErrPolicy},
		{"DES where required", require(exchange.EncryptionDES, exchange.NegotiateAny), encrypted(pkcs7.DES), nil},
		{"Triple DES above DES", require(exchange.EncryptionDES, exchange.NegotiateAny), encrypted(pkcs7.TripleDES), nil},
		{"Triple DES is not strong", require(exchange.EncryptionDES, exchange.NegotiateStrong), encrypted(pkcs7.TripleDES), exchange.ErrPolicy},
		{"DES is what is required", require(exchange.EncryptionDES, exchange.NegotiateStrong), encrypted(pkcs7.DES), nil},
		{"RC2 where RC2-40 is required", require(exchange.EncryptionRC2Bits40, exchange.NegotiateAny), encrypted(pkcs7.RC2), nil},
		{"RC2 where RC2-128 is required", require(exchange.EncryptionRC2Bits128, exchange.NegotiateAny), encrypted(pkcs7.RC2), exchange.ErrPolicy},
		{"Triple DES itself", require(exchange.EncryptionTripleDES, exchange.NegotiateNothing), encrypted(pkcs7.TripleDES), nil},
		{"AES in place of Triple DES", require(exchange.EncryptionTripleDES, exchange.NegotiateNothing), encrypted(pkcs7.AES256CBC), exchange.ErrPolicy},
		{"GCM", nil, encrypted(pkcs7.AES256GCM), nil},
		{"signed required", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEMessages = true }, encrypted(pkcs7.AES256CBC), exchange.ErrPolicy},
		{"signed required and signed", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEMessages = true }, signed(crypto.SHA256), nil},
		{"encrypted required", func(p *exchange.MobilePolicy) { p.RequireEncryptedSMIMEMessages = true }, signed(crypto.SHA256), exchange.ErrPolicy},
		{"encrypted required and encrypted", func(p *exchange.MobilePolicy) { p.RequireEncryptedSMIMEMessages = true }, both, nil},
		{"no soft certificates", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, both, exchange.ErrPolicy},
		{"no soft certificates, smart card", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, exchange.MobileMessage{Signed: true, Encrypted: true, Digest: crypto.SHA256, Cipher: pkcs7.AES256CBC}, nil},
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
		t.Run(tt.name, func(t *testing.T) {
			p := exchange.DefaultMobilePolicy()
			if tt.change != nil {
				tt.change(&p)
			}
			if err := p.Check(tt.m); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
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
		t.Run(tt.name, func(t *testing.T) {
			got, err := exchange.DefaultMobilePolicy().Cipher(tt.to...)
			if got != tt.want || (tt.want == 0) != errors.Is(err, exchange.ErrPolicy) {
				t.Errorf("%v, %v", got, err)
			}
		})
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
	opts, err := p.SealOptions(alice, to)
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
	soft := exchange.DefaultMobilePolicy()
	soft.AllowSMIMESoftCerts = false
	key := newKey(t)
	onCard, err := smime.NewIdentity(&card{Signer: key}, ca.Certify(key, "alice@example.com").Certificate())
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		policy exchange.MobilePolicy
		id     *smime.Identity
		to     []*smime.Recipient
		want   error
	}{
		{"zero policy", exchange.MobilePolicy{}, alice, []*smime.Recipient{to}, exchange.ErrPolicy},
		{"nobody signs", p, nil, []*smime.Recipient{to}, exchange.ErrNoSigner},
		{"nobody reads", p, alice, nil, smime.ErrUnverifiedRecipient},
		{"nil recipient", p, alice, []*smime.Recipient{to, nil}, smime.ErrUnverifiedRecipient},
		{"key in software", soft, alice, []*smime.Recipient{to}, exchange.ErrPolicy},
		{"key on a card", soft, onCard, []*smime.Recipient{to}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := tt.policy.SealOptions(tt.id, tt.to...); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

// policyJSON is what Get-MobileDeviceMailboxPolicy | ConvertTo-Json prints, save
// for most settings that have nothing to do with S/MIME.
const policyJSON = `[{"AllowSMIMEEncryptionAlgorithmNegotiation": 1, "AllowSMIMESoftCerts": false, "AlphanumericPasswordRequired": false,
	"PasswordEnabled": true, "MaxInactivityTimeLock": {"IsUnlimited": true}, "RequireEncryptedSMIMEMessages": true, "RequireEncryptionSMIMEAlgorithm": 4,
	"RequireSignedSMIMEAlgorithm": 1, "RequireSignedSMIMEMessages": true, "Name": "Executives", "IsDefault": false},
	{"AllowSMIMEEncryptionAlgorithmNegotiation": "AllowAnyAlgorithmNegotiation", "allowsmimesoftcerts": true, "RequireEncryptedSMIMEMessages": null,
	"RequireEncryptionSMIMEAlgorithm": "TripleDES", "RequireSignedSMIMEAlgorithm": "sha1", "AllowSMIMEFuture": 3, "Name": "Default", "IsDefault": true}]`

func TestParseMobilePolicies(t *testing.T) {
	policies, notes, err := exchange.ParseMobilePolicies(strings.NewReader(policyJSON))
	if err != nil || len(policies) != 2 || len(notes) != 1 || notes[0].Name != "AllowSMIMEFuture" {
		t.Fatalf("%+v, %v, %v", policies, notes, err)
	}
	strict := exchange.MobilePolicy{Name: "Executives", RequireSignedSMIMEMessages: true, RequireEncryptedSMIMEMessages: true, RequireSignedSMIMEAlgorithm: exchange.SignedMD5,
		RequireEncryptionSMIMEAlgorithm: exchange.EncryptionRC2Bits40, AllowSMIMEEncryptionAlgorithmNegotiation: exchange.NegotiateStrong}
	if policies[0] != strict {
		t.Errorf("%+v", policies[0])
	}
	def := exchange.DefaultMobilePolicy()
	def.Name, def.IsDefault = "Default", true
	if policies[1] != def {
		t.Errorf("%+v", policies[1])
	}
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""}, {"no policy", "[]"}, {"a number", "3"}, {"a list of numbers", "[3]"}, {"cut", policyJSON[:200]},
		{"unknown cipher", `{"RequireEncryptionSMIMEAlgorithm": 5}`}, {"unknown name", `{"RequireEncryptionSMIMEAlgorithm": "AES"}`},
		{"no truth value", `{"AllowSMIMESoftCerts": "perhaps"}`}, {"an object", `{"RequireSignedSMIMEMessages": {"a": 1}}`},
		{"twice", `{"AllowSMIMESoftCerts": true, "allowSMIMESoftCerts": false}`}, {"a name of the wrong type", `{"Name": 3}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p, _, err := exchange.ParseMobilePolicies(strings.NewReader(tt.text)); err == nil || p != nil {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

// provisionXML is the response of the command Provision, in XML.
const provisionXML = `<?xml version="1.0" encoding="utf-8"?>
<Provision xmlns="Provision" xmlns:settings="Settings"><settings:DeviceInformation><settings:Status>1</settings:Status></settings:DeviceInformation><Status>1</Status>
<Policies><Policy><PolicyType>MS-EAS-Provisioning-WBXML</PolicyType><Status>1</Status><PolicyKey>1307199584</PolicyKey><Data>
<EASProvisionDoc><DevicePasswordEnabled>1</DevicePasswordEnabled><ApprovedApplicationList><Hash>a</Hash></ApprovedApplicationList>
<RequireSignedSMIMEMessages>1</RequireSignedSMIMEMessages><RequireEncryptedSMIMEMessages>0</RequireEncryptedSMIMEMessages>
<RequireSignedSMIMEAlgorithm>0</RequireSignedSMIMEAlgorithm><RequireEncryptionSMIMEAlgorithm> 2 </RequireEncryptionSMIMEAlgorithm>
<AllowSMIMEEncryptionAlgorithmNegotiation>1</AllowSMIMEEncryptionAlgorithmNegotiation><AllowSMIMESoftCerts/></EASProvisionDoc></Data></Policy></Policies></Provision>`

func TestParseProvisionDoc(t *testing.T) {
	want := exchange.MobilePolicy{RequireSignedSMIMEMessages: true, RequireEncryptionSMIMEAlgorithm: exchange.EncryptionRC2Bits128,
		AllowSMIMEEncryptionAlgorithmNegotiation: exchange.NegotiateStrong, AllowSMIMESoftCerts: true}
	doc := provisionXML[strings.Index(provisionXML, "<EASProvisionDoc>"):strings.Index(provisionXML, "</Data>")]
	prefixed := `<a xmlns:p="Provision">` + strings.NewReplacer("</", "</p:", "<", "<p:").Replace(doc) + `</a>`
	for name, text := range map[string]string{"response": provisionXML, "document": doc, "prefixed": prefixed} {
		t.Run(name, func(t *testing.T) {
			if p, err := exchange.ParseProvisionDoc(strings.NewReader(text)); err != nil || p != want {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
	for _, tt := range []struct{ name, text string }{
		{"nothing", ""}, {"no document", "<Provision/>"}, {"cut", provisionXML[:600]}, {"two documents", "<a>" + doc + doc + "</a>"},
		{"twice", "<EASProvisionDoc><AllowSMIMESoftCerts>1</AllowSMIMESoftCerts><AllowSMIMESoftCerts>0</AllowSMIMESoftCerts></EASProvisionDoc>"},
		{"out of range", "<EASProvisionDoc><RequireSignedSMIMEAlgorithm>2</RequireSignedSMIMEAlgorithm></EASProvisionDoc>"},
		{"no number", "<EASProvisionDoc><RequireSignedSMIMEMessages>yes</RequireSignedSMIMEMessages></EASProvisionDoc>"},
		{"deep", strings.Repeat("<a>", 100) + doc + strings.Repeat("</a>", 100)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if p, err := exchange.ParseProvisionDoc(strings.NewReader(tt.text)); err == nil || p != (exchange.MobilePolicy{}) {
				t.Errorf("%+v, %v", p, err)
			}
		})
	}
}

func FuzzParseProvisionDoc(f *testing.F) {
	f.Add([]byte(provisionXML))
	f.Add([]byte("<EASProvisionDoc><RequireSignedSMIMEAlgorithm>1</RequireSignedSMIMEAlgorithm></EASProvisionDoc>"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := exchange.ParseProvisionDoc(bytes.NewReader(text))
		if err != nil && p != (exchange.MobilePolicy{}) {
			t.Errorf("%+v beside %v", p, err)
		}
		if err == nil && errors.Is(p.Check(exchange.MobileMessage{}), exchange.ErrSetting) {
			t.Errorf("%+v is out of range", p)
		}
	})
}

// TestSenderPolicy sends as the policy of a mobile device asks.
func TestSenderPolicy(t *testing.T) {
	ca := smimetest.NewCA(t)
	alice, bob := ca.Identity("alice@example.com"), ca.Identity("bob@example.com")
	for _, tt := range []struct {
		name   string
		change func(*exchange.MobilePolicy)
		want   error
	}{
		{"both required", func(p *exchange.MobilePolicy) {}, nil},
		{"no key in software", func(p *exchange.MobilePolicy) { p.AllowSMIMESoftCerts = false }, exchange.ErrPolicy},
		{"Triple DES alone", func(p *exchange.MobilePolicy) { p.AllowSMIMEEncryptionAlgorithmNegotiation = exchange.NegotiateNothing }, exchange.ErrPolicy},
		{"out of range", func(p *exchange.MobilePolicy) { p.RequireSignedSMIMEAlgorithm = 7 }, exchange.ErrSetting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := exchange.DefaultMobilePolicy()
			p.RequireSignedSMIMEMessages, p.RequireEncryptedSMIMEMessages = true, true
			tt.change(&p)
			s := exchange.Sender{Identities: []*smime.Identity{alice}, Trust: ca.Directory(bob), Policy: &p}
			var sealed, content bytes.Buffer
			err := s.Send(t.Context(), exchange.Outgoing{Message: bytes.NewReader(smimetest.Mail("alice@example.com", "bob@example.com", "by policy")), To: []exchange.Person{{Mailbox: "bob@example.com"}}},
				func(_ context.Context, _ []string, message io.Reader) error {
					_, err := sealed.ReadFrom(message)
					return err
				})
			if !errors.Is(err, tt.want) || err != nil && sealed.Len() > 0 {
				t.Fatalf("%v, %d bytes", err, sealed.Len())
			}
			if tt.want != nil {
				return
			}
			if _, _, err := smime.Unseal(t.Context(), &content, &sealed, smime.Identities{bob}, ca.Trust(), nil); err != nil {
				t.Error(err)
			}
		})
	}
}
