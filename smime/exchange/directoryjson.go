package exchange

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxDirectory bounds the JSON: the mailboxes of some thousand people fit.
const maxDirectory = 64 << 20

// ParseDirectory reads what a directory prints of people as JSON:
// Get-Mailbox | ConvertTo-Json, and Get-MailUser and Get-MailContact likewise,
// or a page of Microsoft Graph. That is one object, an array of objects, or an
// object whose member "value" is one. Of each the addresses are read, and the
// two attributes with certificates, each value as base64 or as a list of
// octets. Names are in upper or lower case; UTF-16 is read as by [ParseConfig].
//
// A value that can't be read is in DirectoryEntry.Unreadable. The error is
// about JSON, or wraps [ErrMalformed] if an object has no address or if there
// is no object.
func ParseDirectory(r io.Reader) (*Directory, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxDirectory+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxDirectory {
		return nil, fmt.Errorf("%w: the directory is too large", ErrMalformed)
	}
	objects, err := directoryObjects(toUTF8(text))
	if err != nil {
		return nil, err
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("%w: no mailbox", ErrMalformed)
	}
	entries := make([]*DirectoryEntry, len(objects))
	for i, o := range objects {
		if entries[i], err = parseEntry(o); err != nil {
			return nil, fmt.Errorf("mailbox %d: %w", i, err)
		}
	}
	return NewDirectory(entries...), nil
}

// directoryObjects returns the members of each object, by names in lower case.
func directoryObjects(text []byte) ([]map[string]json.RawMessage, error) {
	var list []json.RawMessage
	if err := json.Unmarshal(text, &list); err != nil {
		var page struct {
			Value []json.RawMessage `json:"value"`
		}
		if err := json.Unmarshal(text, &page); err != nil {
			return nil, fmt.Errorf("exchange: directory: %w", err)
		}
		if list = page.Value; list == nil {
			list = []json.RawMessage{text}
		}
	}
	objects := make([]map[string]json.RawMessage, len(list))
	for i, raw := range list {
		members, err := readObject(raw)
		if err != nil {
			return nil, err
		}
		objects[i] = make(map[string]json.RawMessage, len(members))
		for _, m := range members {
			objects[i][strings.ToLower(m.name)] = m.value
		}
	}
	return objects, nil
}

func parseEntry(o map[string]json.RawMessage) (*DirectoryEntry, error) {
	var p Person
	var proxies []string
	for _, name := range []string{"emailaddresses", "proxyaddresses"} {
		for _, s := range addressTexts(o[name], 0) {
			scheme, address, ok := strings.Cut(s, ":")
			if !ok || !strings.EqualFold(scheme, "smtp") {
				continue
			}
			if scheme == "SMTP" && p.Mailbox == "" {
				p.Mailbox = address // upper case marks the primary one
			}
			proxies = append(proxies, address)
		}
	}
	for _, name := range []string{"userprincipalname", "windowsemailaddress", "mail", "primarysmtpaddress"} {
		for _, s := range addressTexts(o[name], 0) {
			if _, bare, ok := strings.Cut(s, ":"); ok {
				s = bare
			}
			if name != "userprincipalname" || p.Mailbox == "" && strings.Contains(s, "@") {
				p.Mailbox = s
			}
		}
	}
	if p.Mailbox == "" {
		return nil, fmt.Errorf("%w: no address", ErrMalformed)
	}
	for _, a := range proxies {
		same := func(b string) bool { return strings.EqualFold(a, b) }
		if !same(p.Mailbox) && !slices.ContainsFunc(p.Proxies, same) {
			p.Proxies = append(p.Proxies, a)
		}
	}
	smimeValues, badSMIME := octets(o["usersmimecertificate"], 0)
	plainValues, badPlain := octets(o["usercertificate"], 0)
	e := NewDirectoryEntry(p, smimeValues, plainValues)
	for _, err := range []error{badSMIME, badPlain} {
		if err != nil {
			e.Unreadable = append(e.Unreadable, err)
		}
	}
	return e, nil
}

// maxNesting bounds the wrappers of a value; PowerShell makes three at most.
const maxNesting = 4

// unwrap returns the value inside the object that Windows PowerShell makes of a
// list, or of an address with its parts.
func unwrap(raw json.RawMessage) json.RawMessage {
	var o map[string]json.RawMessage
	if json.Unmarshal(raw, &o) != nil {
		return nil
	}
	for _, name := range []string{"proxyaddressstring", "address", "addressstring", "value"} {
		for n, v := range o {
			if strings.EqualFold(n, name) {
				return v
			}
		}
	}
	return nil
}

// addressTexts returns the strings of a value that is one, or a list of them.
func addressTexts(raw json.RawMessage, depth int) []string {
	if len(raw) == 0 || depth > maxNesting {
		return nil
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil || s == "" {
			return nil
		}
		return []string{s}
	case '{':
		return addressTexts(unwrap(raw), depth+1)
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil
		}
		var all []string
		for _, item := range list {
			all = append(all, addressTexts(item, depth+1)...)
		}
		return all
	}
	return nil
}

// octets returns the values of an attribute with certificates: base64 text, a
// list of octets, or a list of either. What can't be read is in the error, and
// hides nothing else.
func octets(raw json.RawMessage, depth int) (values [][]byte, bad error) {
	if len(raw) == 0 || string(raw) == "null" {
		return nil, nil
	}
	unreadable := fmt.Errorf("%w: a certificate that is neither base64 nor a list of octets", ErrMalformed)
	if depth > maxNesting {
		return nil, unreadable
	}
	switch raw[0] {
	case '"':
		var s string
		if json.Unmarshal(raw, &s) != nil {
			return nil, unreadable
		}
		if b := octetText(s); b != nil {
			return [][]byte{b}, nil
		}
		return nil, unreadable
	case '{':
		inner := unwrap(raw)
		if inner == nil {
			return nil, unreadable
		}
		return octets(inner, depth+1)
	case '[':
		if first := bytes.TrimLeft(raw[1:], " \t\r\n"); len(first) > 0 && first[0] >= '0' && first[0] <= '9' {
			var b []byte // json reads an array of numbers, too
			if json.Unmarshal(raw, &b) != nil {
				return nil, unreadable
			}
			return [][]byte{b}, nil
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			return nil, unreadable
		}
		for _, item := range list {
			more, err := octets(item, depth+1)
			values = append(values, more...)
			if err != nil {
				bad = err
			}
		}
		return values, bad
	}
	return nil, unreadable
}

func numbers(list []string) []byte {
	b := make([]byte, len(list))
	for i, item := range list {
		n, err := strconv.ParseUint(item, 10, 8)
		if err != nil {
			return nil
		}
		b[i] = byte(n)
	}
	return b
}

// octetText reads base64 of either alphabet, with or without padding and line
// ends, or the decimal octets, separated by spaces, that ConvertTo-Json writes
// where its depth ends. It returns nil for anything else.
func octetText(s string) []byte {
	fields := strings.Fields(s)
	if len(fields) > 1 && len(fields[0]) <= 3 {
		return numbers(fields)
	}
	text := strings.TrimRight(strings.Join(fields, ""), "=")
	text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
	b, err := base64.RawStdEncoding.DecodeString(text)
	if err != nil || len(b) == 0 {
		return nil
	}
	return b
}
