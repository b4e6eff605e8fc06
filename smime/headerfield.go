package smime

import (
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A HeaderField is one field of [Message.Header]. Values are unfolded and not
// decoded.
type HeaderField struct {
	Name, Value string
	Signed      bool   // covered by the signature that Message.Signer reports
	Encrypted   bool   // not visible outside
	Outer       string // the unprotected value where it differs
}

// payloadPart returns the header of the payload.
func (m *Message) payloadPart() *mimetree.Part {
	part, _, _, err := mimetree.ReadHeader(m.payload.Content())
	if err != nil {
		return nil
	}
	return part
}

// oldHeader returns the message in the payload that has the protected header
// in the way of RFC 8551 section 3.1, or nil.
func (m *Message) oldHeader() *mimetree.Part {
	payload := m.payloadPart()
	if payload == nil || !isMessage(payload) {
		return nil
	}
	body := m.payload.Content()
	if _, err := body.Seek(payload.Body, io.SeekStart); err != nil {
		return nil
	}
	inner, _, _, err := mimetree.ReadHeader(body)
	if err != nil || !isOldHeader(payload, inner) {
		return nil
	}
	return inner
}

// headerState is what was found out about the header of a message.
type headerState struct {
	fields    mimetree.Header // protected
	outer     mimetree.Header // visible outside when the message was composed
	cipher    bool            // hp="cipher", and the message is encrypted
	encrypted bool            // the envelope has encryption
	signed    bool
	foreign   bool // From differs from the one outside, and no signature proves it
}

// protectedHeader computes the state of each field (RFC 9788 sections 4.2 and
// 4.3). It relies on what is inside the envelope alone.
func (m *Message) protectedHeader() []HeaderField {
	p := &headerState{signed: m.signerErr == nil}
	outside := nodeOf(m.root).header
	cryptographic := false // compression is none (RFC 9787 section 4.1)
	for _, l := range m.envelope {
		switch l.(type) {
		case *EncryptedLayer:
			p.encrypted, cryptographic = true, true
		case *SignedLayer:
			cryptographic = true
		}
	}
	if m.payload != nil && cryptographic {
		m.findProtected(p, outside)
	}
	m.state = p
	return p.merge(outside)
}

func (m *Message) findProtected(p *headerState, outside mimetree.Header) {
	payload := m.payloadPart()
	if payload == nil {
		return
	}
	if inner := m.oldHeader(); inner != nil && sameAuthor(inner.Header, outside) {
		// RFC 9788 section 4.10.2: the intent is inferred from the structure.
		m.payload.note(NoteOldHeader, "message/rfc822")
		p.fields, p.outer, p.cipher = inner.Header, outside, p.encrypted
		return
	}
	hp := strings.ToLower(payload.Type.Params["hp"])
	switch {
	case payload.Type.IsDuplicate("hp"):
		return
	case hp == "clear" || hp == "cipher":
		p.cipher = hp == "cipher" && p.encrypted
	default:
		if _, ok := payload.Type.Params["protected-headers"]; ok {
			// RFC 9788 section 4.11: other schemes are not relied on.
			m.payload.note(NoteOldHeader, "protected-headers")
		}
		return
	}
	for _, f := range payload.Header {
		if !f.Is("HP-Outer") {
			p.fields = append(p.fields, f)
			continue
		}
		if name, value, ok := strings.Cut(f.Value, ":"); ok {
			p.outer = append(p.outer, mimetree.Field{Name: strings.TrimSpace(name), Value: strings.TrimLeft(value, " \t")})
		}
	}
	p.foreign = !p.signed && p.fields.Count("From") > 0 && outside.Count("From") > 0 && !sameAuthor(p.fields, outside)
	m.noteDifferences(p, outside)
}

// sameAuthor tells the old form of header protection from a signed message
// that forwards somebody else's: both look alike (RFC 9788 section 4.10.1).
func sameAuthor(inner, outside mimetree.Header) bool {
	a, b := findAuthors("", inner), findAuthors("", outside)
	return a.err == nil && b.err == nil && sameAddresses(a.list, b.list)
}

// noteDifferences notes the fields that a reader sees and that are not, outside,
// what the sender put there.
func (m *Message) noteDifferences(p *headerState, outside mimetree.Header) {
	sent := p.fields
	if p.cipher {
		sent = p.outer
	}
	for _, name := range [...]string{"From", "To", "Cc", "Subject", "Date", "Reply-To"} {
		was, is := sent.Get(name), outside.Get(name)
		if len(is) > 0 && (len(was) == 0 || was[0] != is[0]) || name == "From" && p.foreign {
			m.payload.note(NoteHeaderDiffers, name)
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

// merge returns the protected fields and then those that stand only outside.
// Of two From fields of which no signature tells the author the one outside is
// returned (RFC 9788 section 4.4.2).
func (p *headerState) merge(outside mimetree.Header) []HeaderField {
	sent, seen := keysOf(p.outer), keysOf(outside)
	first := make(map[string]string, len(outside))
	for i := len(outside) - 1; i >= 0; i-- {
		first[strings.ToLower(outside[i].Name)] = outside[i].Value
	}
	protected := make(map[string]bool, len(p.fields))
	var list []HeaderField
	for _, f := range p.fields {
		if prepare.IsStructural(f.Name) || p.foreign && f.Is("From") {
			continue
		}
		key := keyOf(f.Name, f.Value)
		protected[key.name] = true
		h := HeaderField{Name: f.Name, Value: f.Value, Signed: p.signed, Encrypted: p.cipher && !sent[key]}
		if !seen[key] {
			h.Outer = first[key.name]
		}
		list = append(list, h)
	}
	for _, f := range outside {
		if prepare.IsStructural(f.Name) || protected[strings.ToLower(f.Name)] {
			continue
		}
		list = append(list, HeaderField{Name: f.Name, Value: f.Value})
	}
	return list
}

// noteAddressees notes a message that was signed for somebody else than the
// reader whose key opened it: who could read it can have encrypted it anew.
func (m *Message) noteAddressees() {
	var reader *EncryptedLayer
	for _, l := range m.envelope {
		if e, ok := l.(*EncryptedLayer); ok && e.Key != nil {
			reader = e
		}
	}
	if reader == nil || m.signer == nil {
		return
	}
	to, named := 0, false
	for _, f := range m.fields {
		if !f.Signed || !strings.EqualFold(f.Name, "To") && !strings.EqualFold(f.Name, "Cc") {
			continue
		}
		list, err := mailbox.FromHeader(f.Value)
		if err != nil {
			continue
		}
		to += len(list)
		for _, box := range reader.Key.Mailboxes() {
			if a, err := mailbox.Parse(box); err == nil && contains(list, a) {
				named = true
			}
		}
	}
	if to > 0 && !named {
		reader.note(NoteNotAddressed, "")
	}
}
