package headerprotection

import (
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A Field is one field of a header that was read. Values are unfolded and not
// decoded.
type Field struct {
	Name, Value string
	Signed      bool   // covered by a signature
	Encrypted   bool   // not visible outside
	Outer       string // the unprotected value where it differs
}

// An Envelope is what is around a payload.
type Envelope struct {
	Outside   mimetree.Header // of the message
	Encrypted bool
	Layers    bool // there is encryption or a signature: compression is none (RFC 9787 section 4.1)
	Signed    bool // a signature that proves the author
	// SameAuthor reports whether two headers name the same author.
	SameAuthor func(inner, outside mimetree.Header) bool
}

// A Header is what was found out about the header of a message.
type Header struct {
	Fields    mimetree.Header // protected
	Outer     mimetree.Header // visible outside when the message was composed
	Cipher    bool            // hp="cipher", and the message is encrypted
	Encrypted bool            // the envelope has encryption
	Remarks   []Remark

	offered mimetree.Header // of a payload with protected-headers="v1", which RFC 9788 does not protect
	signed  bool
	foreign bool // From differs from the one outside, and no signature proves it
	outside mimetree.Header
}

// A Remark is something that a reader should know of.
type Remark struct {
	Old    bool   // protected as before RFC 9788; else a field differs outside
	Detail string // how, or the name of the field
}

// Read computes the state of each field (RFC 9788 sections 4.2 and 4.3). It
// relies on what is inside the envelope alone: payload is the entity there, or
// nil if it can't be reached.
func Read(payload io.ReadSeeker, e Envelope) *Header {
	h := &Header{signed: e.Signed, Encrypted: e.Encrypted, outside: e.Outside}
	if payload == nil || !e.Layers {
		return h
	}
	part, _, _, err := mimetree.ReadHeader(payload)
	if err == nil {
		h.read(part, oldHeader(payload, part), e)
	}
	return h
}

// oldHeader returns the message in the payload that has the protected header in
// the way of RFC 8551 section 3.1, or nil.
func oldHeader(payload io.ReadSeeker, part *mimetree.Part) *mimetree.Part {
	if !part.IsMessage() {
		return nil
	}
	if _, err := payload.Seek(part.Body, io.SeekStart); err != nil {
		return nil
	}
	inner, _, _, err := mimetree.ReadHeader(payload)
	if err != nil || !isOldHeader(part, inner) {
		return nil
	}
	return inner
}

// isOldHeader applies the conditions of RFC 9788 section 4.10.1 to a payload and
// the message in it.
func isOldHeader(payload, inner *mimetree.Part) bool {
	if payload.Type.Params["hp"] != "" || inner.Type.Params["hp"] != "" {
		return false
	}
	f, _ := mimetree.FormOf(inner)
	return f == mimetree.FormPlain
}

func (h *Header) read(payload, old *mimetree.Part, e Envelope) {
	// A signed message that forwards somebody else's looks like the old form
	// (RFC 9788 section 4.10.1).
	if old != nil && e.SameAuthor(old.Header, e.Outside) {
		// RFC 9788 section 4.10.2: the intent is inferred from the structure.
		h.Remarks = append(h.Remarks, Remark{Old: true, Detail: "message/rfc822"})
		h.Fields, h.Outer, h.Cipher = old.Header, e.Outside, e.Encrypted
		return
	}
	hp := strings.ToLower(payload.Type.Params["hp"])
	switch {
	case payload.Type.IsDuplicate("hp"):
		return
	case hp == "clear" || hp == "cipher":
		h.Cipher = hp == "cipher" && e.Encrypted
	default:
		if version, ok := payload.Type.Params["protected-headers"]; ok {
			// RFC 9788 section 4.11: other schemes are not relied on. What they
			// have is offered, since a Subject may be nowhere else.
			h.Remarks = append(h.Remarks, Remark{Old: true, Detail: "protected-headers"})
			if strings.EqualFold(version, "v1") {
				h.offered = payload.Header
			}
		}
		return
	}
	for _, f := range payload.Header {
		if !f.Is("HP-Outer") {
			h.Fields = append(h.Fields, f)
			continue
		}
		if name, value, ok := strings.Cut(f.Value, ":"); ok {
			h.Outer = append(h.Outer, mimetree.Field{Name: strings.TrimSpace(name), Value: strings.TrimLeft(value, " \t")})
		}
	}
	h.foreign = !e.Signed && h.Fields.Count("From") > 0 && e.Outside.Count("From") > 0 && !e.SameAuthor(h.Fields, e.Outside)
	h.compare()
}

// compare remarks the fields that a reader sees and that are not, outside, what
// the sender put there.
func (h *Header) compare() {
	sent := h.Fields
	if h.Cipher {
		sent = h.Outer
	}
	for _, name := range [...]string{"From", "To", "Cc", "Subject", "Date", "Reply-To"} {
		was, is := sent.Get(name), h.outside.Get(name)
		if len(is) > 0 && (len(was) == 0 || was[0] != is[0]) || name == "From" && h.foreign {
			h.Remarks = append(h.Remarks, Remark{Detail: name})
		}
	}
}

// A fieldKey is what makes two fields the same.
type fieldKey struct{ name, value string }

func keyOf(name, value string) fieldKey { return fieldKey{strings.ToLower(name), value} }

func keysOf(h mimetree.Header) map[fieldKey]bool {
	set := make(map[fieldKey]bool, len(h))
	for i := range h {
		set[keyOf(h[i].Name, h[i].Value)] = true
	}
	return set
}

// Merge returns the protected fields and then those that stand only outside, or
// inside in a form that RFC 9788 does not know.
// Of two From fields of which no signature tells the author the one outside is
// returned (RFC 9788 section 4.4.2).
func (h *Header) Merge() []Field {
	sent, seen := keysOf(h.Outer), keysOf(h.outside)
	first := make(map[string]string, len(h.outside))
	for i := len(h.outside) - 1; i >= 0; i-- {
		first[strings.ToLower(h.outside[i].Name)] = h.outside[i].Value
	}
	protected := make(map[string]bool, len(h.Fields))
	var list []Field
	for _, f := range h.Fields {
		if prepare.IsStructural(f.Name) || isTrace(f.Name) || h.foreign && f.Is("From") {
			continue
		}
		key := keyOf(f.Name, f.Value)
		protected[key.name] = true
		out := Field{Name: f.Name, Value: f.Value, Signed: h.signed, Encrypted: h.Cipher && !sent[key]}
		if !seen[key] {
			out.Outer = first[key.name]
		}
		list = append(list, out)
	}
	for _, f := range h.offered {
		// An author whom nothing proves is not offered beside the one outside.
		if prepare.IsStructural(f.Name) || isTrace(f.Name) || f.Is("From") || f.Is("Sender") {
			continue
		}
		key := keyOf(f.Name, f.Value)
		protected[key.name] = true
		out := Field{Name: f.Name, Value: f.Value}
		if !seen[key] {
			out.Outer = first[key.name]
		}
		list = append(list, out)
	}
	for _, f := range h.outside {
		if prepare.IsStructural(f.Name) || protected[strings.ToLower(f.Name)] {
			continue
		}
		list = append(list, Field{Name: f.Name, Value: f.Value})
	}
	return list
}
