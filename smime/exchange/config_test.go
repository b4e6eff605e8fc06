package exchange_test

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode/utf16"

	"github.com/gosmime/gosmime/smime/exchange"
)

func parse(t *testing.T, text string) (exchange.Config, []*exchange.SettingError) {
	t.Helper()
	c, notes, err := exchange.ParseConfig(strings.NewReader(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return c, notes
}

// defaults is what Get-SmimeConfig | ConvertTo-Json prints for an organization
// that never changed a setting.
const defaults = `{
    "PSComputerName": "outlook.office365.com", "RunspaceId": "6b0a", "PSShowComputerName": false,
    "OWACheckCRLOnSend": false, "OWADLExpansionTimeout": 60000, "OWAUseSecondaryProxiesWhenFindingCertificates": true,
    "OWACRLConnectionTimeout": 60000, "OWACRLRetrievalTimeout": 10000, "OWADisableCRLCheck": false,
    "OWAAlwaysSign": false, "OWAAlwaysEncrypt": false, "OWAClearSign": true,
    "OWAIncludeCertificateChainWithoutRootCertificate": false, "OWAIncludeCertificateChainAndRootCertificate": false,
    "OWAEncryptTemporaryBuffers": true, "OWASignedEmailCertificateInclusion": true, "OWABCCEncryptedEmailForking": 0,
    "OWAIncludeSMIMECapabilitiesInMessage": false, "OWACopyRecipientHeaders": false, "OWAOnlyUseSmartCard": false,
    "OWATripleWrapSignedEncryptedMail": false, "OWAUseKeyIdentifier": false,
    "OWAEncryptionAlgorithms": "6610", "OWASigningAlgorithms": "8004", "OWAForceSMIMEClientUpgrade": true,
    "OWASenderCertificateAttributesToDisplay": null, "OWAAllowUserChoiceOfSigningCertificate": false, "NoSignOnReply": true,
    "SMIMECertificateIssuingCA": null, "SMIMECertificatesExpiryDate": null, "SMIMEExpiredCertificateThumbprint": null,
    "AdminDisplayName": "", "ExchangeVersion": "0.1 (8.0.535.0)", "Name": "Smime Configuration",
    "DistinguishedName": "CN=Smime Configuration,CN=Global Settings", "Identity": "Smime Configuration",
    "ObjectCategory": "x", "ObjectClass": ["top", "msExchContainer"], "WhenChanged": "\/Date(1386000000000)\/",
    "WhenCreated": null, "WhenChangedUTC": null, "WhenCreatedUTC": null, "ExchangeObjectId": "1", "Guid": "2",
    "OrganizationalUnitRoot": "x", "OrganizationId": {"a": {"b": [1, 2]}}, "Id": "x", "OriginatingServer": "x", "IsValid": true, "ObjectState": "Unchanged"
}`

func TestDefaults(t *testing.T) {
	for _, text := range []string{"{}", defaults, `{"OWAEncryptionAlgorithms": null, "OWASigningAlgorithms": ""}`} {
		c, notes := parse(t, text)
		if len(notes) > 0 {
			t.Errorf("notes %v", notes)
		}
		if !reflect.DeepEqual(c, exchange.DefaultConfig()) {
			t.Errorf("%+v", c)
		}
	}
	c := exchange.DefaultConfig()
	if !c.ClearSign || !c.SignedEmailCertificateInclusion || !c.EncryptTemporaryBuffers || !c.ForceSMIMEClientUpgrade || !c.NoSignOnReply || !c.UseSecondaryProxiesWhenFindingCerts ||
		c.CRLConnectionTimeout != time.Minute || c.CRLRetrievalTimeout != 10*time.Second || c.DLExpansionTimeout != time.Minute ||
		exchange.FormatAlgorithms(c.EncryptionAlgorithms) != "6610" || exchange.FormatAlgorithms(c.SigningAlgorithms) != "8004" {
		t.Errorf("%+v", c)
	}
	if list := c.Unenforced(); len(list) > 0 {
		t.Errorf("%v", list)
	}
}

// TestEveryParameter turns each setting away from its default, alone, and
// expects it in its field and, rendered and read again, unchanged.
func TestEveryParameter(t *testing.T) {
	tried := map[string]bool{}
	for _, tt := range []struct {
		name, value string
		field       func(*exchange.Config) any
		want        any
	}{
		{"OWAAlwaysEncrypt", "true", func(c *exchange.Config) any { return c.AlwaysEncrypt }, true},
		{"OWAAlwaysSign", "true", func(c *exchange.Config) any { return c.AlwaysSign }, true},
		{"OWAClearSign", "false", func(c *exchange.Config) any { return c.ClearSign }, false},
		{"OWATripleWrapSignedEncryptedMail", "true", func(c *exchange.Config) any { return c.TripleWrapSignedEncryptedMail }, true},
		{"OWABCCEncryptedEmailForking", "1", func(c *exchange.Config) any { return c.BCCEncryptedEmailForking }, exchange.OneMessageForAllBCC},
		{"OWABCCEncryptedEmailForking", "2", func(c *exchange.Config) any { return c.BCCEncryptedEmailForking }, exchange.NoForking},
		{"OWAIncludeCertificateChainWithoutRootCertificate", "true", func(c *exchange.Config) any { return c.IncludeCertificateChainWithoutRoot }, true},
		{"OWAIncludeCertificateChainAndRootCertificate", "true", func(c *exchange.Config) any { return c.IncludeCertificateChainAndRoot }, true},
		{"OWAIncludeSMIMECapabilitiesInMessage", "true", func(c *exchange.Config) any { return c.IncludeSMIMECapabilitiesInMessage }, true},
		{"OWASignedEmailCertificateInclusion", "false", func(c *exchange.Config) any { return c.SignedEmailCertificateInclusion }, false},
		{"OWAUseKeyIdentifier", "true", func(c *exchange.Config) any { return c.UseKeyIdentifier }, true},
		{"OWACopyRecipientHeaders", "true", func(c *exchange.Config) any { return c.CopyRecipientHeaders }, true},
		{"OWADisableCRLCheck", "true", func(c *exchange.Config) any { return c.DisableCRLCheck }, true},
		{"OWACheckCRLOnSend", "true", func(c *exchange.Config) any { return c.CheckCRLOnSend }, true},
		{"OWACRLConnectionTimeout", "1500", func(c *exchange.Config) any { return c.CRLConnectionTimeout }, 1500 * time.Millisecond},
		{"OWACRLRetrievalTimeout", "4294967295", func(c *exchange.Config) any { return c.CRLRetrievalTimeout }, 4294967295 * time.Millisecond},
		{"OWADLExpansionTimeout", "0", func(c *exchange.Config) any { return c.DLExpansionTimeout }, time.Duration(0)},
		{"OWAAllowUserChoiceOfSigningCertificate", "true", func(c *exchange.Config) any { return c.AllowUserChoiceOfSigningCertificate }, true},
		{"OWAOnlyUseSmartCard", "true", func(c *exchange.Config) any { return c.OnlyUseSmartCard }, true},
		{"OWAEncryptTemporaryBuffers", "false", func(c *exchange.Config) any { return c.EncryptTemporaryBuffers }, false},
		{"OWAForceSMIMEClientUpgrade", "false", func(c *exchange.Config) any { return c.ForceSMIMEClientUpgrade }, false},
		{"NoSignOnReply", "false", func(c *exchange.Config) any { return c.NoSignOnReply }, false},
		{"OWAUseSecondaryProxiesWhenFindingCertificates", "false", func(c *exchange.Config) any { return c.UseSecondaryProxiesWhenFindingCerts }, false},
		{"OWAEncryptionAlgorithms", `"660E;6602:40"`, func(c *exchange.Config) any { return exchange.FormatAlgorithms(c.EncryptionAlgorithms) }, "660E;6602:40"},
		{"OWASigningAlgorithms", `"800E;8004"`, func(c *exchange.Config) any { return exchange.FormatAlgorithms(c.SigningAlgorithms) }, "800E;8004"},
		{"OWASenderCertificateAttributesToDisplay", `"2.5.4.3, 1.2.840.113549.1.9.1"`, func(c *exchange.Config) any { return dotted(c.SenderCertificateAttributesToDisplay) }, "2.5.4.3 1.2.840.113549.1.9.1"},
		{"owaalwaysSIGN", "true", func(c *exchange.Config) any { return c.AlwaysSign }, true}, // PowerShell does not tell the case
		{"nosignonreply", "false", func(c *exchange.Config) any { return c.NoSignOnReply }, false},
		{"OwaBccEncryptedEmailForking", "2", func(c *exchange.Config) any { return c.BCCEncryptedEmailForking }, exchange.NoForking},
		{"OWACrlConnectionTimeout", "1", func(c *exchange.Config) any { return c.CRLConnectionTimeout }, time.Millisecond},
		{"owasigningalgorithms", `"800e"`, func(c *exchange.Config) any { return exchange.FormatAlgorithms(c.SigningAlgorithms) }, "800E"},
		{"smimecertificateissuingca", `[1]`, func(c *exchange.Config) any { return string(c.CertificateIssuingCA) }, "\x01"},
		{"SMIMECertificateIssuingCA", `"AAECAw=="`, func(c *exchange.Config) any { return string(c.CertificateIssuingCA) }, "\x00\x01\x02\x03"},
		{"SMIMECertificateIssuingCA", `[0,1,2,255]`, func(c *exchange.Config) any { return string(c.CertificateIssuingCA) }, "\x00\x01\x02\xff"},
		{"SMIMECertificateIssuingCA", `{"value":[0,1,2],"Count":3}`, func(c *exchange.Config) any { return string(c.CertificateIssuingCA) }, "\x00\x01\x02"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tried[strings.ToLower(tt.name)] = true
			c, notes := parse(t, `{"`+tt.name+`": `+tt.value+`}`)
			if got := tt.field(&c); got != tt.want || len(notes) > 0 {
				t.Errorf("%s %s: %v, notes %v", tt.name, tt.value, got, notes)
			}
			text, err := json.Marshal(c)
			if err != nil {
				t.Errorf("%v", err)
				return
			}
			again, notes := parse(t, string(text))
			if !reflect.DeepEqual(again, c) || len(notes) > 0 {
				t.Errorf("%s %s comes back as %+v, notes %v", tt.name, tt.value, again, notes)
			}
		})
	}
	text, err := json.Marshal(exchange.DefaultConfig())
	var rendered map[string]any
	if err := errors.Join(err, json.Unmarshal(text, &rendered)); err != nil {
		t.Fatal(err)
	}
	for name := range rendered {
		if c, notes := parse(t, `{"`+name+`": null}`); !reflect.DeepEqual(c, exchange.DefaultConfig()) || len(notes) > 0 {
			t.Errorf("%s null: %+v, notes %v", name, c, notes)
		}
		if strings.HasSuffix(name, "ExpiryDate") || strings.HasSuffix(name, "Thumbprint") {
			continue // about the collection, and never set
		}
		if !tried[strings.ToLower(name)] {
			t.Errorf("%s was not tried", name)
		}
	}
	if len(tried) != 26 || len(rendered) != len(tried)+2 {
		t.Errorf("%d parameters were tried, %d are rendered", len(tried), len(rendered))
	}
}

func dotted(list []x509.OID) string {
	var s []string
	for _, o := range list {
		s = append(s, o.String())
	}
	return strings.Join(s, " ")
}

func TestFallBacksAndUnknownParameters(t *testing.T) {
	for _, tt := range []struct {
		text  string
		notes []string // names
	}{
		{`{"OWAEncryptionAlgorithms": "6610;66"}`, []string{"OWAEncryptionAlgorithms"}},
		{`{"OWAEncryptionAlgorithms": "8004"}`, []string{"OWAEncryptionAlgorithms"}},
		{`{"OWASigningAlgorithms": "6610"}`, []string{"OWASigningAlgorithms"}},
		{`{"OWASigningAlgorithms": "8804,1.2.3", "OWAEncryptionAlgorithms": "x"}`, []string{"OWASigningAlgorithms", "OWAEncryptionAlgorithms"}},
		{`{"OWAAlwaysSing": true}`, []string{"OWAAlwaysSing"}},
		{`{"Nothing": null}`, []string{"Nothing"}},
		{`{"Surprise": [1, {}], "owaalwayssignn": true}`, []string{"Surprise", "owaalwayssignn"}},
		// A letter that only Unicode folds to an s: PowerShell does not.
		{`{"OWAAlwaysSign": false, "OWAAlway\u017fSign": true}`, []string{"OWAAlwayſSign"}},
	} {
		c, notes := parse(t, tt.text)
		var names []string
		for _, n := range notes {
			names = append(names, n.Name)
			if n.Reason == "" || !errors.Is(n, exchange.ErrSetting) {
				t.Errorf("%s: %v", tt.text, n)
			}
		}
		if !slices.Equal(names, tt.notes) {
			t.Errorf("%s: notes %v", tt.text, notes)
		}
		if !reflect.DeepEqual(c, exchange.DefaultConfig()) {
			t.Errorf("%s: %+v", tt.text, c)
		}
	}
}

// TestRefusedConfigs holds that what can't be followed is named.
func TestRefusedConfigs(t *testing.T) {
	for text, name := range map[string]string{
		`{"OWAAlwaysSign": "yes"}`:                                             "OWAAlwaysSign",
		`{"OWAAlwaysSign": 1}`:                                                 "OWAAlwaysSign",
		`{"OWABCCEncryptedEmailForking": 3}`:                                   "OWABCCEncryptedEmailForking",
		`{"OWABCCEncryptedEmailForking": -1}`:                                  "OWABCCEncryptedEmailForking",
		`{"OWABCCEncryptedEmailForking": 0.5}`:                                 "OWABCCEncryptedEmailForking",
		`{"OWACRLRetrievalTimeout": -1}`:                                       "OWACRLRetrievalTimeout",
		`{"OWACRLConnectionTimeout": 4294967296}`:                              "OWACRLConnectionTimeout",
		`{"OWADLExpansionTimeout": "60000"}`:                                   "OWADLExpansionTimeout",
		`{"OWAEncryptionAlgorithms": 6610}`:                                    "OWAEncryptionAlgorithms",
		`{"OWASenderCertificateAttributesToDisplay": "2.5.4.3;x"}`:             "OWASenderCertificateAttributesToDisplay",
		`{"SMIMECertificateIssuingCA": "*"}`:                                   "SMIMECertificateIssuingCA",
		`{"SMIMECertificateIssuingCA": [256]}`:                                 "SMIMECertificateIssuingCA",
		`{"SMIMECertificateIssuingCA": {"Count": 3}}`:                          "SMIMECertificateIssuingCA",
		`{"SMIMECertificateIssuingCA": true}`:                                  "SMIMECertificateIssuingCA",
		`{"OWADisableCRLCheck": true, "OWACheckCRLOnSend": true}`:              "OWACheckCRLOnSend",
		`{"OWAAlwaysSign": true, "OWAClearSign": true, "OWAAlwaysSign":false}`: "OWAAlwaysSign",
		`{"OWASignedEmailCertificateInclusion": false, "OWAIncludeCertificateChainAndRootCertificate": true}`:     "OWASignedEmailCertificateInclusion",
		`{"OWASignedEmailCertificateInclusion": false, "OWAIncludeCertificateChainWithoutRootCertificate": true}`: "OWASignedEmailCertificateInclusion",
		`{"OWAAlwaysSign": true, "owaAlwaysSign": false}`:                                                         "owaAlwaysSign",
		`[{}]`:          "",
		`"x"`:           "",
		`{} {}`:         "",
		`{}x`:           "",
		`{"a":1,"a":2}`: "a",
	} {
		t.Run(text, func(t *testing.T) {
			c, notes, err := exchange.ParseConfig(strings.NewReader(text))
			e, ok := errors.AsType[*exchange.SettingError](err)
			if !ok || e.Name != name || notes != nil || !reflect.DeepEqual(c, exchange.Config{}) {
				t.Errorf("%v", err)
			}
		})
	}
	for _, text := range []string{"", "{", `{"a"`, `{"a":}`, `{"a":1,}`, "\xff\xfe{", "nul", `{1:2}`, `{"OWAAlwaysSign": tru}`} {
		if _, _, err := exchange.ParseConfig(strings.NewReader(text)); err == nil {
			t.Errorf("%q was read", text)
		}
	}
	failing := errors.New("unplugged")
	if _, _, err := exchange.ParseConfig(io.MultiReader(strings.NewReader("{"), iotest.ErrReader(failing))); !errors.Is(err, failing) {
		t.Errorf("%v", err)
	}
	var long strings.Builder
	for i := range 1001 {
		fmt.Fprintf(&long, `,"a%d":1`, i)
	}
	if _, _, err := exchange.ParseConfig(strings.NewReader("{" + long.String()[1:] + "}")); !errors.Is(err, exchange.ErrSetting) {
		t.Errorf("%v", err)
	}
}

// TestConfigEncodings reads what the redirections of both PowerShells write.
func TestConfigEncodings(t *testing.T) {
	const text = `{"OWAAlwaysSign": true, "Name": "Ünïcode 🔑"}`
	utf16le, utf16be := []byte{0xFF, 0xFE}, []byte{0xFE, 0xFF}
	for _, u := range utf16.Encode([]rune(text)) {
		utf16le = binary.LittleEndian.AppendUint16(utf16le, u)
		utf16be = binary.BigEndian.AppendUint16(utf16be, u)
	}
	for name, b := range map[string][]byte{"UTF-8": []byte(text), "with BOM": []byte("\xef\xbb\xbf" + text), "UTF-16": utf16le, "UTF-16BE": utf16be} {
		t.Run(name, func(t *testing.T) {
			c, notes, err := exchange.ParseConfig(bytes.NewReader(b))
			if err != nil || len(notes) > 0 || !c.AlwaysSign {
				t.Errorf("%v %v", notes, err)
			}
		})
	}
}

func TestConfigCheck(t *testing.T) {
	named := func(list []exchange.Algorithm) func(*exchange.Config) {
		return func(c *exchange.Config) { c.EncryptionAlgorithms = list }
	}
	for i, tt := range []struct {
		name   string
		change func(*exchange.Config)
	}{
		{"OWAEncryptionAlgorithms", named([]exchange.Algorithm{{ALGID: 0x6699}})},
		{"OWAEncryptionAlgorithms", named([]exchange.Algorithm{{}})},
		{"OWAEncryptionAlgorithms", named([]exchange.Algorithm{{ALGID: 0x6610, KeyBits: 128}})},
		{"OWAEncryptionAlgorithms", named([]exchange.Algorithm{{ALGID: 0x6602, KeyBits: 41}})},
		{"OWAEncryptionAlgorithms", named(slices.Repeat([]exchange.Algorithm{{ALGID: 0x6610}}, 65))},
		{"OWASigningAlgorithms", func(c *exchange.Config) { c.SigningAlgorithms = []exchange.Algorithm{{ALGID: 0x8005}} }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := exchange.DefaultConfig()
			tt.change(&c)
			if e, ok := errors.AsType[*exchange.SettingError](c.Check()); !ok || e.Name != tt.name || e.Reason == "" {
				t.Errorf("%d: %v", i, c.Check())
			}
		})
	}
	for name, change := range map[string]func(*exchange.Config){
		"OWABCCEncryptedEmailForking": func(c *exchange.Config) { c.BCCEncryptedEmailForking = 3 },
		"OWACRLConnectionTimeout":     func(c *exchange.Config) { c.CRLConnectionTimeout = -1 },
		"OWACRLRetrievalTimeout":      func(c *exchange.Config) { c.CRLRetrievalTimeout = time.Microsecond },
		"OWADLExpansionTimeout":       func(c *exchange.Config) { c.DLExpansionTimeout = 4294967296 * time.Millisecond },
		"OWAEncryptionAlgorithms":     func(c *exchange.Config) { c.EncryptionAlgorithms = c.SigningAlgorithms },
		"OWASigningAlgorithms":        func(c *exchange.Config) { c.SigningAlgorithms = c.EncryptionAlgorithms },
		"OWACheckCRLOnSend":           func(c *exchange.Config) { c.CheckCRLOnSend, c.DisableCRLCheck = true, true },
		"OWASignedEmailCertificateInclusion": func(c *exchange.Config) {
			c.SignedEmailCertificateInclusion, c.IncludeCertificateChainAndRoot = false, true
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := exchange.DefaultConfig()
			if err := c.Check(); err != nil {
				t.Error(err)
			}
			change(&c)
			if e, ok := errors.AsType[*exchange.SettingError](c.Check()); !ok || e.Name != name {
				t.Errorf("%v", c.Check())
			}
			if _, err := json.Marshal(c); !errors.Is(err, exchange.ErrSetting) {
				t.Errorf("%s was rendered: %v", name, err)
			}
		})
	}
	if err := new(exchange.Config).Check(); err != nil {
		t.Error(err)
	}
}

func TestUnenforced(t *testing.T) {
	c := exchange.DefaultConfig()
	c.OnlyUseSmartCard, c.DLExpansionTimeout, c.ForceSMIMEClientUpgrade, c.EncryptTemporaryBuffers, c.NoSignOnReply = true, 0, false, false, false
	c.SenderCertificateAttributesToDisplay = []x509.OID{mustOID(t, "2.5.4.3")}
	var names []string
	for _, e := range c.Unenforced() {
		names = append(names, e.Name)
		if e.Reason == "" {
			t.Errorf("%s without a reason", e.Name)
		}
	}
	slices.Sort(names)
	want := []string{"NoSignOnReply", "OWADLExpansionTimeout", "OWAEncryptTemporaryBuffers", "OWAForceSMIMEClientUpgrade", "OWAOnlyUseSmartCard", "OWASenderCertificateAttributesToDisplay"}
	if !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
}

func FuzzParseConfig(f *testing.F) {
	for _, s := range []string{"{}", defaults, `{"OWAEncryptionAlgorithms": "6610;66", "x": 1}`, `{"SMIMECertificateIssuingCA": [1,2]}`,
		`{"SMIMECertificateIssuingCA": {"value":[0,1,2],"Count":3}}`, "\xef\xbb\xbf{}", "\xff\xfe{\x00}\x00", `{"OWACRLRetrievalTimeout": 4294967295}`, `{"a":1,"a":2}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, _, err := exchange.ParseConfig(bytes.NewReader(text))
		if err != nil {
			return
		}
		out, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		again, notes, err := exchange.ParseConfig(bytes.NewReader(out))
		if err != nil || len(notes) > 0 {
			t.Fatalf("%s: %v %v", out, notes, err)
		}
		if !reflect.DeepEqual(c, again) {
			t.Fatalf("%+v becomes %+v", c, again)
		}
	})
}
