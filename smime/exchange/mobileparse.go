package exchange

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// maxPolicy bounds the text of policies; one has some four kilobytes.
const maxPolicy = 16 << 20

// ParseMobilePolicies reads what Get-MobileDeviceMailboxPolicy | ConvertTo-Json
// prints, or Get-ActiveSyncMailboxPolicy: one policy, or an array of them.
// Settings that are absent or null have the defaults of the cmdlets. An
// enumeration is its name or its number, names are in upper or lower case, and
// settings that have nothing to do with S/MIME are ignored; notes name those
// that seem to have and are unknown. UTF-16 is read as by [ParseConfig]. The
// error is about JSON, or a [*SettingError].
func ParseMobilePolicies(r io.Reader) (policies []MobilePolicy, notes []*SettingError, err error) {
	text, err := readPolicy(r)
	if err != nil {
		return nil, nil, err
	}
	text = bytes.TrimSpace(toUTF8(text))
	list := []json.RawMessage{text}
	if bytes.HasPrefix(text, []byte("[")) {
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, nil, fmt.Errorf("exchange: policy: %w", err)
		}
	}
	for _, raw := range list {
		parameters, err := readObject(raw)
		if err != nil {
			return nil, nil, err
		}
		p := DefaultMobilePolicy()
		for _, s := range parameters {
			note, err := p.setJSON(s.name, s.value)
			if err != nil {
				return nil, nil, err
			}
			if note != nil {
				notes = append(notes, note)
			}
		}
		policies = append(policies, p)
	}
	if len(policies) == 0 {
		return nil, nil, &SettingError{Reason: "there is no policy"}
	}
	return policies, notes, nil
}

func readPolicy(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxPolicy+1))
	if err == nil && len(text) > maxPolicy {
		err = &SettingError{Reason: "the policy is too large"}
	}
	return text, err
}

// setJSON sets one setting as PowerShell prints it.
func (p *MobilePolicy) setJSON(name string, raw json.RawMessage) (note *SettingError, err error) {
	lower := strings.ToLower(name)
	if string(raw) == "null" {
		return nil, nil
	}
	switch lower {
	case "name":
		return nil, decode(name, raw, &p.Name)
	case "isdefault", "isdefaultpolicy":
		return nil, decode(name, raw, &p.IsDefault)
	}
	var text string
	if raw[0] == '"' {
		if err := decode(name, raw, &text); err != nil {
			return nil, err
		}
	} else {
		text = string(raw)
	}
	known, err := p.set(lower, text)
	if err != nil {
		return nil, err
	}
	if !known && strings.Contains(lower, "smime") {
		return &SettingError{Name: name, Reason: "unknown setting, ignored"}, nil
	}
	return nil, nil
}

// set sets the setting of that name, in lower case, to a name, a number or a
// truth value. It reports whether there is such a setting.
func (p *MobilePolicy) set(lower, text string) (known bool, err error) {
	var names []string
	var take func(n int)
	switch lower {
	case "requiresignedsmimemessages":
		names, take = booleans(), func(n int) { p.RequireSignedSMIMEMessages = n == 1 }
	case "requireencryptedsmimemessages":
		names, take = booleans(), func(n int) { p.RequireEncryptedSMIMEMessages = n == 1 }
	case "allowsmimesoftcerts":
		names, take = booleans(), func(n int) { p.AllowSMIMESoftCerts = n == 1 }
	case "requiresignedsmimealgorithm":
		names, take = []string{"SHA1", "MD5"}, func(n int) { p.RequireSignedSMIMEAlgorithm = SignedAlgorithm(n) }
	case "requireencryptionsmimealgorithm":
		names = []string{"TripleDES", "DES", "RC2128bit", "RC264bit", "RC240bit"}
		take = func(n int) { p.RequireEncryptionSMIMEAlgorithm = EncryptionAlgorithm(n) }
	case "allowsmimeencryptionalgorithmnegotiation":
		names = []string{"BlockNegotiation", "OnlyStrongAlgorithmNegotiation", "AllowAnyAlgorithmNegotiation"}
		take = func(n int) { p.AllowSMIMEEncryptionAlgorithmNegotiation = Negotiation(n) }
	default:
		return false, nil
	}
	for i, n := range names {
		if strings.EqualFold(text, n) || text == strconv.Itoa(i) {
			take(i)
			return true, nil
		}
	}
	return true, &SettingError{Name: lower, Value: text, Reason: "is none of " + strings.Join(names, ", ")}
}

func booleans() []string { return []string{"false", "true"} }

// ParseProvisionDoc reads the provisioning document of ActiveSync in XML
// (MS-ASPROV 2.2.2.28): the element EASProvisionDoc, as the whole document or
// anywhere in a response of the command Provision. WBXML, its form in transit,
// is decoded by the server or client. Elements that are absent or empty have the
// defaults of the cmdlets. The error is a [*SettingError], or about XML.
func ParseProvisionDoc(r io.Reader) (MobilePolicy, error) {
	text, err := readPolicy(r)
	if err != nil {
		return MobilePolicy{}, err
	}
	d := xml.NewDecoder(bytes.NewReader(text))
	p := DefaultMobilePolicy()
	found := false
	for depth := 0; ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return MobilePolicy{}, fmt.Errorf("exchange: policy: %w", err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth++; depth > maxXMLDepth {
				return MobilePolicy{}, &SettingError{Reason: "the policy is nested too deeply"}
			}
			if name := t.Name.Local; name != "EASProvisionDoc" && name != "eas-provisioningdoc" {
				continue
			}
			if found {
				return MobilePolicy{}, &SettingError{Name: "EASProvisionDoc", Reason: "stands there twice"}
			}
			found = true
			if err := p.readElements(d); err != nil {
				return MobilePolicy{}, err
			}
			depth--
		}
	}
	if !found {
		return MobilePolicy{}, &SettingError{Name: "EASProvisionDoc", Reason: "is not there"}
	}
	return p, nil
}

const maxXMLDepth = 32

// readElements reads the children of EASProvisionDoc to its end.
func (p *MobilePolicy) readElements(d *xml.Decoder) error {
	seen := make(map[string]bool)
	for {
		token, err := d.Token()
		if err != nil {
			return fmt.Errorf("exchange: policy: %w", err)
		}
		switch t := token.(type) {
		case xml.EndElement:
			return nil
		case xml.StartElement:
			lower := strings.ToLower(t.Name.Local)
			probe := *p
			known, _ := probe.set(lower, "0")
			if !known {
				if err := d.Skip(); err != nil {
					return fmt.Errorf("exchange: policy: %w", err)
				}
				continue
			}
			if seen[lower] {
				return &SettingError{Name: t.Name.Local, Reason: "stands there twice"}
			}
			seen[lower] = true
			var text string
			if err := d.DecodeElement(&text, &t); err != nil {
				return fmt.Errorf("exchange: policy: %w", err)
			}
			if text = strings.TrimSpace(text); text == "" {
				continue
			}
			if _, err := p.set(lower, text); err != nil {
				return err
			}
		}
	}
}
