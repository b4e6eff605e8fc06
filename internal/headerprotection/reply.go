package headerprotection

import (
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// ReplyHidden returns the fields of a reply that must not be seen outside of its
// encryption, each with the value to show instead as Outer (RFC 9788 section
// 6.1.2). protected are the fields of the reply made from what the message
// protected, visible those made from what was visible of it.
func ReplyHidden(protected, visible []Field) []Field {
	left := make(map[fieldKey]int, len(visible))
	for _, v := range visible {
		left[keyOf(v.Name, v.Value)]++
	}
	var hidden []Field
	for _, f := range protected {
		if key := keyOf(f.Name, f.Value); left[key] > 0 {
			left[key]--
			continue
		}
		hidden = append(hidden, Field{Name: f.Name, Value: f.Value, Encrypted: true})
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

// Unstructured returns the fields that are not MIME's.
func Unstructured(h mimetree.Header) []Field {
	var list []Field
	for _, f := range h {
		if !prepare.IsStructural(f.Name) {
			list = append(list, Field{Name: f.Name, Value: f.Value})
		}
	}
	return list
}
