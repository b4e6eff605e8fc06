package smime

import (
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// ReplyHidden returns the header fields of a reply or forward that must not be
// seen outside of its encryption because they tell what m kept confidential,
// each with the value to show instead as Outer; empty: the field is left out
// (RFC 9788 section 6.1.2). The reply itself must then be encrypted, as any must be that
// quotes a message for which [Message.Confidential] is nil.
//
// compose makes the fields of the reply from those of a message: it is called
// with what m protected and with what was visible of m. Addresses of a reply
// are to come from the former only.
func (m *Message) ReplyHidden(compose func(fields []HeaderField) []HeaderField) []HeaderField {
	s := m.state
	if s == nil || !s.cipher || compose == nil {
		return nil
	}
	protected := compose(plainFields(s.fields))
	visible := compose(plainFields(s.outer))
	left := make(map[fieldKey]int, len(visible))
	for _, v := range visible {
		left[keyOf(v.Name, v.Value)]++
	}
	var hidden []HeaderField
	for _, f := range protected {
		if key := keyOf(f.Name, f.Value); left[key] > 0 {
			left[key]--
			continue
		}
		hidden = append(hidden, HeaderField{Name: f.Name, Value: f.Value, Encrypted: true})
	}
	instead := make(map[string]string)
	for _, v := range visible {
		if key := keyOf(v.Name, v.Value); left[key] > 0 {
			instead[key.name] = v.Value
		}
	}
	for i := range hidden {
		hidden[i].Outer = instead[strings.ToLower(hidden[i].Name)]
	}
	return hidden
}

// plainFields returns the fields that are not MIME's.
func plainFields(h mimetree.Header) []HeaderField {
	var list []HeaderField
	for _, f := range h {
		if !prepare.IsStructural(f.Name) {
			list = append(list, HeaderField{Name: f.Name, Value: f.Value})
		}
	}
	return list
}
