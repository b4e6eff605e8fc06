package exchange

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// maxConfig bounds the JSON: a collection of some thousand certificates fits.
const maxConfig = 64 << 20

// ParseConfig reads the JSON that Get-SmimeConfig | ConvertTo-Json prints.
// Parameters that are absent or null have their documented defaults; others
// than those of Set-SmimeConfig are those of the directory object and are
// ignored. An algorithm list that can't be read falls back to its default as a
// whole, as Exchange does, and so do values out of range: each fall-back, and
// each unknown parameter whose name begins with OWA, is in notes. The error is
// about JSON, or a [*SettingError] for a value of a wrong type or settings
// that contradict each other.
func ParseConfig(r io.Reader) (c Config, notes []*SettingError, err error) {
	c = DefaultConfig()
	text, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return Config{}, nil, err
	}
	if len(text) > maxConfig {
		return Config{}, nil, &SettingError{Reason: "the configuration is too large"}
	}
	var values map[string]json.RawMessage
	// Windows PowerShell writes a byte order mark.
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &values); err != nil {
		return Config{}, nil, fmt.Errorf("exchange: configuration: %w", err)
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		raw := values[name]
		if string(raw) == "null" {
			continue
		}
		known, err := c.set(name, raw)
		if note, ok := errors.AsType[*fallback](err); ok {
			notes = append(notes, &note.SettingError)
			continue
		}
		if err != nil {
			return Config{}, nil, err
		}
		if !known && strings.HasPrefix(name, "OWA") {
			notes = append(notes, &SettingError{Name: name, Reason: "unknown parameter, ignored"})
		}
	}
	if err := c.Check(); err != nil {
		return Config{}, nil, err
	}
	return c, notes, nil
}

// A fallback is a value that Exchange replaces by its default.
type fallback struct{ SettingError }

// set sets one parameter. known is false if there is none of that name.
func (c *Config) set(name string, raw json.RawMessage) (known bool, err error) {
	if b := c.boolean(name); b != nil {
		return true, decode(name, raw, b)
	}
	if d := c.duration(name); d != nil {
		var ms uint32
		err := decode(name, raw, &ms)
		if err == nil {
			*d = time.Duration(ms) * time.Millisecond
		}
		return true, err
	}
	switch name {
	case "OWABCCEncryptedEmailForking":
		var n uint32
		if err := decode(name, raw, &n); err != nil {
			return true, err
		}
		if n > uint32(NoForking) {
			return true, &SettingError{Name: name, Value: string(raw), Reason: "is 0, 1 or 2"}
		}
		c.BCCEncryptedEmailForking = BCCForking(n)
	case "OWAEncryptionAlgorithms":
		return true, setAlgorithms(name, raw, false, &c.EncryptionAlgorithms)
	case "OWASigningAlgorithms":
		return true, setAlgorithms(name, raw, true, &c.SigningAlgorithms)
	case "OWASenderCertificateAttributesToDisplay":
		return true, c.setAttributes(name, raw)
	case "SMIMECertificateIssuingCA":
		return true, c.setCollection(name, raw)
	default:
		return false, nil
	}
	return true, nil
}

// boolean returns the field of a Boolean parameter.
func (c *Config) boolean(name string) *bool {
	switch name {
	case "OWAAlwaysEncrypt":
		return &c.AlwaysEncrypt
	case "OWAAlwaysSign":
		return &c.AlwaysSign
	case "OWAClearSign":
		return &c.ClearSign
	case "OWATripleWrapSignedEncryptedMail":
		return &c.TripleWrapSignedEncryptedMail
	case "OWAIncludeCertificateChainWithoutRootCertificate":
		return &c.IncludeCertificateChainWithoutRoot
	case "OWAIncludeCertificateChainAndRootCertificate":
		return &c.IncludeCertificateChainAndRoot
	case "OWAIncludeSMIMECapabilitiesInMessage":
		return &c.IncludeSMIMECapabilitiesInMessage
	case "OWASignedEmailCertificateInclusion":
		return &c.SignedEmailCertificateInclusion
	case "OWAUseKeyIdentifier":
		return &c.UseKeyIdentifier
	case "OWACopyRecipientHeaders":
		return &c.CopyRecipientHeaders
	case "OWADisableCRLCheck":
		return &c.DisableCRLCheck
	case "OWACheckCRLOnSend":
		return &c.CheckCRLOnSend
	case "OWAAllowUserChoiceOfSigningCertificate":
		return &c.AllowUserChoiceOfSigningCertificate
	case "OWAOnlyUseSmartCard":
		return &c.OnlyUseSmartCard
	case "OWAEncryptTemporaryBuffers":
		return &c.EncryptTemporaryBuffers
	case "OWAForceSMIMEClientUpgrade":
		return &c.ForceSMIMEClientUpgrade
	case "NoSignOnReply":
		return &c.NoSignOnReply
	case "OWAUseSecondaryProxiesWhenFindingCertificates":
		return &c.UseSecondaryProxiesWhenFindingCerts
	}
	return nil
}

// duration returns the field of a parameter in milliseconds.
func (c *Config) duration(name string) *time.Duration {
	switch name {
	case "OWACRLConnectionTimeout":
		return &c.CRLConnectionTimeout
	case "OWACRLRetrievalTimeout":
		return &c.CRLRetrievalTimeout
	case "OWADLExpansionTimeout":
		return &c.DLExpansionTimeout
	}
	return nil
}

func decode(name string, raw json.RawMessage, v any) error {
	if err := json.Unmarshal(raw, v); err != nil {
		return &SettingError{Name: name, Value: string(raw), Reason: "is of the wrong type"}
	}
	return nil
}

func setAlgorithms(name string, raw json.RawMessage, signing bool, out *[]Algorithm) error {
	var text string
	if err := decode(name, raw, &text); err != nil {
		return err
	}
	if text == "" {
		return nil
	}
	list, err := ParseAlgorithms(text)
	for i := 0; err == nil && i < len(list); i++ {
		if list[i].signs() != signing {
			err = &SettingError{Value: list[i].String(), Reason: "is for the other list"}
		}
	}
	if e, ok := errors.AsType[*SettingError](err); ok {
		return &fallback{SettingError{Name: name, Value: e.Value, Reason: e.Reason + "; the whole list falls back to " + FormatAlgorithms(*out)}}
	}
	*out = list
	return err
}

func (c *Config) setAttributes(name string, raw json.RawMessage) error {
	var text string
	if err := decode(name, raw, &text); err != nil {
		return err
	}
	for _, dotted := range strings.Split(text, ",") {
		if dotted = strings.TrimSpace(dotted); dotted == "" {
			continue
		}
		o, err := x509.ParseOID(dotted)
		if err != nil {
			return &SettingError{Name: name, Value: dotted, Reason: "not an object identifier"}
		}
		c.SenderCertificateAttributesToDisplay = append(c.SenderCertificateAttributesToDisplay, o)
	}
	return nil
}

// setCollection takes base64, or the array of numbers that ConvertTo-Json makes of bytes.
func (c *Config) setCollection(name string, raw json.RawMessage) error {
	var text string
	if json.Unmarshal(raw, &text) == nil {
		b, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return &SettingError{Name: name, Reason: "is not base64"}
		}
		c.CertificateIssuingCA = b
		return nil
	}
	var numbers []uint8Number
	if err := json.Unmarshal(raw, &numbers); err != nil {
		return &SettingError{Name: name, Reason: "is neither base64 nor a list of bytes"}
	}
	c.CertificateIssuingCA = make([]byte, len(numbers))
	for i, n := range numbers {
		c.CertificateIssuingCA[i] = byte(n)
	}
	return nil
}

// uint8Number keeps encoding/json from reading the list as base64.
type uint8Number uint8

// MarshalJSON renders every parameter under its name in Get-SmimeConfig, so
// that [ParseConfig] reads the same Config back.
func (c Config) MarshalJSON() ([]byte, error) {
	values := map[string]any{
		"OWABCCEncryptedEmailForking": uint8(c.BCCEncryptedEmailForking),
		"OWAEncryptionAlgorithms":     FormatAlgorithms(c.EncryptionAlgorithms),
		"OWASigningAlgorithms":        FormatAlgorithms(c.SigningAlgorithms),
		"SMIMECertificateIssuingCA":   nil,
	}
	for _, name := range booleanNames() {
		values[name] = *c.boolean(name)
	}
	for _, name := range durationNames() {
		values[name] = c.duration(name).Milliseconds()
	}
	var oids []string
	for _, o := range c.SenderCertificateAttributesToDisplay {
		oids = append(oids, o.String())
	}
	values["OWASenderCertificateAttributesToDisplay"] = strings.Join(oids, ",")
	if c.CertificateIssuingCA != nil {
		values["SMIMECertificateIssuingCA"] = base64.StdEncoding.EncodeToString(c.CertificateIssuingCA)
	}
	return json.Marshal(values)
}

func booleanNames() []string {
	return []string{"OWAAlwaysEncrypt", "OWAAlwaysSign", "OWAClearSign", "OWATripleWrapSignedEncryptedMail",
		"OWAIncludeCertificateChainWithoutRootCertificate", "OWAIncludeCertificateChainAndRootCertificate",
		"OWAIncludeSMIMECapabilitiesInMessage", "OWASignedEmailCertificateInclusion", "OWAUseKeyIdentifier",
		"OWACopyRecipientHeaders", "OWADisableCRLCheck", "OWACheckCRLOnSend", "OWAAllowUserChoiceOfSigningCertificate",
		"OWAOnlyUseSmartCard", "OWAEncryptTemporaryBuffers", "OWAForceSMIMEClientUpgrade", "NoSignOnReply",
		"OWAUseSecondaryProxiesWhenFindingCertificates"}
}

func durationNames() []string {
	return []string{"OWACRLConnectionTimeout", "OWACRLRetrievalTimeout", "OWADLExpansionTimeout"}
}
