package smime

import (
	"io"
	"strings"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/stream"
)

// HeaderPolicy is a header confidentiality policy of RFC 9788 section 3.
type HeaderPolicy uint8

const (
	HideSubject HeaderPolicy = iota // hcp_baseline, and Thread-Topic
	HideMost                        // hcp_shy, and Thread-Topic
	HideNothing                     // hcp_no_confidentiality
	PlainHeader                     // no header protection at all
)

// protection returns the policy for package headerprotection.
func (p HeaderPolicy) protection() headerprotection.Policy {
	switch p {
	case HideSubject:
		return headerprotection.HideSubject
	case HideMost:
		return headerprotection.HideMost
	case PlainHeader:
		return headerprotection.PlainHeader
	}
	return headerprotection.HideNothing
}

// A HeaderField is one field of [Message.Header]. Values are unfolded and not
// decoded.
type HeaderField struct {
	Name, Value string
	Signed      bool   // covered by the signature that Message.Signer reports
	Encrypted   bool   // not visible outside
	Outer       string // the unprotected value where it differs
}

// hiddenFields returns fields for package headerprotection.
func hiddenFields(list []HeaderField) []headerprotection.Field {
	var fields []headerprotection.Field
	for _, f := range list {
		fields = append(fields, headerprotection.Field(f))
	}
	return fields
}

// headerFields returns fields of package headerprotection.
func headerFields(list []headerprotection.Field) []HeaderField {
	var fields []HeaderField
	for _, f := range list {
		fields = append(fields, HeaderField(f))
	}
	return fields
}

// readHeader computes the state of each field of the header.
func (m *Message) readHeader() []HeaderField {
	e := headerprotection.Envelope{Outside: nodeOf(m.root).header, Signed: m.signerErr == nil, SameAuthor: sameAuthor}
	for _, l := range m.envelope {
		switch l.(type) {
		case *EncryptedLayer:
			e.Encrypted, e.Layers = true, true
		case *SignedLayer:
			e.Layers = true
		}
	}
	var payload io.ReadSeeker
	if m.payload != nil {
		payload = m.payload.Content()
	}
	m.state = headerprotection.Read(payload, e)
	for _, r := range m.state.Remarks {
		code := NoteHeaderDiffers
		if r.Old {
			code = NoteOldHeader
		}
		m.payload.note(code, r.Detail)
	}
	return headerFields(m.state.Merge())
}

// sameAuthor reports whether two headers name the same author.
func sameAuthor(inner, outside mimetree.Header) bool {
	a, b := findAuthors("", inner), findAuthors("", outside)
	return a.err == nil && b.err == nil && sameAddresses(a.list, b.list)
}

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
	if s == nil || !s.Cipher || compose == nil {
		return nil
	}
	protected := compose(headerFields(headerprotection.Unstructured(s.Fields)))
	visible := compose(headerFields(headerprotection.Unstructured(s.Outer)))
	return headerFields(headerprotection.ReplyHidden(hiddenFields(protected), hiddenFields(visible)))
}

// WriteDisplay writes Body to w without what a sender put into it for programs
// that don't know protected header fields (RFC 9788 section 4.5.3): what they
// say is in [Message.Header]. It is for display, replies and programs that act
// on the text; no signature covers what it writes.
func (m *Message) WriteDisplay(w io.Writer) error {
	_, err := stream.Copy(w, m.display())
	return inputError(err)
}

// display returns what WriteDisplay writes.
func (m *Message) display() io.Reader {
	body := m.Body()
	var readers []io.Reader
	at := int64(0)
	for _, p := range m.decorated() {
		start := p.Body - m.payload.raw.Start
		stripped := headerprotection.StripBody(p, stretch{m.payload.raw.at, p.BodyRange()}.reader())
		readers = append(readers, io.NewSectionReader(body, at, start-at), stripped)
		at = start + p.BodyRange().Len()
	}
	return io.MultiReader(append(readers, io.NewSectionReader(body, at, body.Size()-at))...)
}

// decorated returns the parts of the payload that have a Legacy Display Element.
func (m *Message) decorated() []*mimetree.Part {
	if m.state == nil || !m.state.Encrypted || m.payload == nil {
		return nil
	}
	return headerprotection.Decorated(m.payload.tree)
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
