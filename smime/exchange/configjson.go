package exchange

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf16"
)

// maxConfig bounds the JSON: a collection of some thousand certificates fits.
const maxConfig = 64 << 20

// ParseConfig reads the JSON that Get-SmimeConfig | ConvertTo-Json prints, in
// UTF-8 or, with a byte order mark, in UTF-16 as Windows PowerShell redirects
// it. Parameters that are absent or null have their documented defaults; names
// are those of PowerShell, in upper or lower case; the attributes of the
// directory object are ignored. An algorithm list that can't
// be read falls back to its default as a whole, as in Exchange: each such
// fall-back and each unknown parameter is in notes. The error is about JSON, or
// a [*SettingError] for a value of a wrong type or out of range, a parameter
// that stands there twice, or settings that contradict each other.
func ParseConfig(r io.Reader) (c Config, notes []*SettingError, err error) {
	text, err := io.ReadAll(io.LimitReader(r, maxConfig+1))
	if err != nil {
		return Config{}, nil, err
	}
	if len(text) > maxConfig {
		return Config{}, nil, &SettingError{Reason: "the configuration is too large"}
	}
	parameters, err := readObject(toUTF8(text))
	if err != nil {
		return Config{}, nil, err
	}
	c = DefaultConfig()
	for _, p := range parameters {
		name, known := canonical(p.name)
		switch {
		case !known:
			notes = append(notes, &SettingError{Name: p.name, Reason: "unknown parameter, ignored"})
			continue
		case string(p.value) == "null":
			continue
		}
		err := c.set(name, p.value)
		if note, ok := errors.AsType[*fallback](err); ok {
			notes = append(notes, &note.SettingError)
			continue
		}
		if err != nil {
			return Config{}, nil, err
		}
	}
	if err := c.Check(); err != nil {
		return Config{}, nil, err
	}
	return c, notes, nil
}

// toUTF8 removes a byte order mark, by which UTF-16 is known.
func toUTF8(text []byte) []byte {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(text, []byte{0xFF, 0xFE}):
		order = binary.LittleEndian
	case bytes.HasPrefix(text, []byte{0xFE, 0xFF}):
		order = binary.BigEndian
	default:
		return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	}
	units := make([]uint16, 0, len(text)/2)
	for i := 2; i+1 < len(text); i += 2 {
		units = append(units, order.Uint16(text[i:]))
	}
	return []byte(string(utf16.Decode(units)))
}

type parameter struct {
	name  string
	value json.RawMessage
}

// maxParameters bounds the object; Get-SmimeConfig prints about fifty.
const maxParameters = 1000

// readObject reads one JSON object in which no name stands twice: of two values
// nobody knows which was meant.
func readObject(text []byte) ([]parameter, error) {
	wrap := func(err error) error { return fmt.Errorf("exchange: configuration: %w", err) }
	d := json.NewDecoder(bytes.NewReader(text))
	start, err := d.Token()
	if err != nil {
		return nil, wrap(err)
	}
	if start != json.Delim('{') {
		return nil, &SettingError{Reason: "the configuration is no JSON object"}
	}
	var list []parameter
	seen := make(map[string]bool)
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, wrap(err)
		}
		name, _ := token.(string) // the decoder lets nothing else stand here
		p := parameter{name: name}
		if err := d.Decode(&p.value); err != nil {
			return nil, wrap(err)
		}
		fold := strings.ToLower(p.name)
		if seen[fold] {
			return nil, &SettingError{Name: p.name, Reason: "stands there twice"}
		}
		seen[fold] = true
		if list = append(list, p); len(list) > maxParameters {
			return nil, &SettingError{Reason: "too many parameters"}
		}
	}
	if _, err := d.Token(); err != nil {
		return nil, wrap(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, &SettingError{Reason: "something stands after the JSON object"}
	}
	return list, nil
}

// canonical returns the name as the documentation spells it: PowerShell does
// not tell upper from lower case.
func canonical(name string) (spelt string, known bool) {
	lower := strings.ToLower(name) // as names are compared that stand there twice
	for _, list := range [][]string{booleanNames(), durationNames(), otherNames(), directoryAttributes()} {
		for _, n := range list {
			if strings.ToLower(n) == lower {
				return n, true
			}
		}
	}
	return name, false
}

// directoryAttributes are what Get-SmimeConfig prints of the directory object,
// PowerShell of the session, and what the collection shows of itself.
func directoryAttributes() []string {
	return []string{"AdminDisplayName", "DistinguishedName", "ExchangeObjectId", "ExchangeVersion", "Guid", "Id", "Identity",
		"IsValid", "Name", "ObjectCategory", "ObjectClass", "ObjectState", "OrganizationId", "OrganizationalUnitRoot",
		"OriginatingServer", "WhenChanged", "WhenChangedUTC", "WhenCreated", "WhenCreatedUTC",
		"PSComputerName", "PSShowComputerName", "PSSourceJobInstanceId", "RunspaceId",
		"SMIMECertificatesExpiryDate", "SMIMEExpiredCertificateThumbprint"}
}

// A fallback is a value that Exchange replaces by its default.
type fallback struct{ SettingError }

// set sets one parameter; an attribute of the directory object sets nothing.
func (c *Config) set(name string, raw json.RawMessage) error {
	if b := c.boolean(name); b != nil {
		return decode(name, raw, b)
	}
	if d := c.duration(name); d != nil {
		var ms uint32
		if err := decode(name, raw, &ms); err != nil {
			return err
		}
		*d = time.Duration(ms) * time.Millisecond
		return nil
	}
	switch name {
	case "OWABCCEncryptedEmailForking":
		var n uint32
		if err := decode(name, raw, &n); err != nil {
			return err
		}
		if n > uint32(NoForking) {
			return &SettingError{Name: name, Value: string(raw), Reason: "is 0, 1 or 2"}
		}
		c.BCCEncryptedEmailForking = BCCForking(n)
	case "OWAEncryptionAlgorithms":
		return setAlgorithms(name, raw, false, &c.EncryptionAlgorithms)
	case "OWASigningAlgorithms":
		return setAlgorithms(name, raw, true, &c.SigningAlgorithms)
	case "OWASenderCertificateAttributesToDisplay":
		return c.setAttributes(name, raw)
	case "SMIMECertificateIssuingCA":
		return c.setCollection(name, raw)
	}
	return nil
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
	if err == nil {
		err = checkAlgorithms(name, list, signing)
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

// setCollection takes base64, or the list of numbers that ConvertTo-Json makes
// of bytes; Windows PowerShell may put that into an object as its value.
func (c *Config) setCollection(name string, raw json.RawMessage) error {
	var wrapped struct {
		Value json.RawMessage `json:"value"`
	}
	if raw[0] == '{' && json.Unmarshal(raw, &wrapped) == nil && wrapped.Value != nil {
		raw = wrapped.Value
	}
	var b []byte
	if err := json.Unmarshal(raw, &b); err != nil {
		return &SettingError{Name: name, Reason: "is neither base64 nor a list of bytes"}
	}
	c.CertificateIssuingCA = b
	return nil
}

// MarshalJSON renders every parameter under its name in Get-SmimeConfig, with
// the two values about the collection that only Get-SmimeConfig has, so
// that [ParseConfig] reads the same Config back, with the default in place of
// an empty algorithm list. It fails as [Config.Check] does.
func (c Config) MarshalJSON() ([]byte, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	values := map[string]any{
		"OWABCCEncryptedEmailForking": uint8(c.BCCEncryptedEmailForking),
		"OWAEncryptionAlgorithms":     FormatAlgorithms(c.EncryptionAlgorithms),
		"OWASigningAlgorithms":        FormatAlgorithms(c.SigningAlgorithms),
		"SMIMECertificateIssuingCA":   nil,
		// What only Get-SmimeConfig has: about the collection, null without one.
		"SMIMECertificatesExpiryDate":       nil,
		"SMIMEExpiredCertificateThumbprint": nil,
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
		if _, info, err := NewCollection(c.CertificateIssuingCA); err == nil {
			values["SMIMECertificatesExpiryDate"] = info.ExpiryDate.UTC()
			values["SMIMEExpiredCertificateThumbprint"] = info.ExpiredThumbprint
		}
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

func otherNames() []string {
	return []string{"OWABCCEncryptedEmailForking", "OWAEncryptionAlgorithms", "OWASigningAlgorithms",
		"OWASenderCertificateAttributesToDisplay", "SMIMECertificateIssuingCA"}
}
