package smime

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"github.com/emersion/go-message"

	"github.com/gosmime/gosmime/internal/headerprotection"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/stream"
)

// A Message is a message whose layers were opened as far as possible. Of the
// zero Message every verdict is ErrUnchecked.
type Message struct {
	root    Layer
	raw     octets
	closers []io.Closer

	envelope []Layer           // from the root inwards, up to the first that is not around all of the rest
	payload  *PlainLayer       // the innermost entity, nil if it could not be reached
	headers  []mimetree.Header // of the entities of the envelope and the payload
	fields   []HeaderField
	state    *headerprotection.Header

	signer       *Signer
	signerErr    error
	confidential error
}

// Body returns the innermost MIME entity, exactly as it was signed and
// encrypted, or the message itself if it is plain. The bytes are unverified
// unless [Message.Signer] returns no error. Of a message that could not be opened
// it is what is still closed.
func (m *Message) Body() *io.SectionReader {
	switch {
	case m.payload != nil:
		return m.payload.Content()
	case m.root == nil:
		return octets{}.reader()
	}
	return m.envelope[len(m.envelope)-1].Raw()
}

// Header returns the header fields of the message with the protection that
// each one has (RFC 9788): the protected value where there is one, else the
// outer one. A From inside that is not the one outside counts only if
// [Message.Signer] returns no error: else the one outside is returned, and
// NoteHeaderDiffers says so. Trace fields and those that mail servers and filters
// write, such as Received, Authentication-Results and X-Spam-Flag, are only ever
// those outside.
func (m *Message) Header() []HeaderField { return append([]HeaderField(nil), m.fields...) }

// Signer returns who signed all of Body. The error is nil only if everything
// that [Verify] asks for holds; if several things are wrong it is the gravest:
// a changed content before an unknown issuer before a wrong name. Only a
// signature inside all encryption counts: one outside says who sent the
// ciphertext, is a layer of its own and gives ErrSignedOutside.
func (m *Message) Signer() (*Signer, error) {
	if m.root == nil {
		return nil, ErrUnchecked
	}
	return m.signer, m.signerErr
}

// Confidential returns nil only if all of Body was encrypted with algorithms
// that are not broken and nobody without the content key could have changed it:
// the cipher authenticates, or a good signature was inside. Every recipient has
// that key. It says nothing about who sent it.
func (m *Message) Confidential() error {
	if m.root == nil {
		return ErrUnchecked
	}
	return m.confidential
}

// findConfidential concludes what Confidential returns.
func (m *Message) findConfidential() error {
	var first error
	for _, l := range m.envelope {
		e, ok := l.(*EncryptedLayer)
		if !ok {
			continue
		}
		if err := m.ambiguous(); err != nil {
			return err
		}
		err := e.confidential(m.signerErr == nil)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	if first != nil {
		return first
	}
	for l := range m.All() {
		if _, ok := l.(*EncryptedLayer); ok {
			return ErrMixed
		}
	}
	return ErrNotEncrypted
}

// Root returns the outermost layer.
func (m *Message) Root() Layer { return m.root }

// All returns the layers, each before the ones inside it.
func (m *Message) All() iter.Seq[Layer] {
	return func(yield func(Layer) bool) {
		if m.root != nil {
			walk(m.root, yield)
		}
	}
}

func walk(l Layer, yield func(Layer) bool) bool {
	if !yield(l) {
		return false
	}
	for _, c := range l.Children() {
		if !walk(c, yield) {
			return false
		}
	}
	return true
}

// Close releases the message's memory and files. Readers from Body become
// invalid.
func (m *Message) Close() error {
	var errs []error
	for _, c := range m.closers {
		errs = append(errs, c.Close())
	}
	m.closers = nil
	return errors.Join(errs...)
}

// findEnvelope finds the layers that are around all of the payload.
func (m *Message) findEnvelope() {
	for l := m.root; ; {
		m.envelope = append(m.envelope, l)
		n := nodeOf(l)
		m.headers = append(m.headers, n.header)
		if p, ok := l.(*PlainLayer); ok {
			if n.fault == nil {
				m.payload = p
			}
			break
		}
		if len(n.children) != 1 {
			break
		}
		l = n.children[0]
	}
}

// insideEncryption reports whether no encrypted layer of the envelope is
// inside of n.
func (m *Message) insideEncryption(n *node) bool {
	inside := false
	for _, l := range m.envelope {
		switch {
		case nodeOf(l) == n:
			inside = true
		case inside:
			if _, ok := l.(*EncryptedLayer); ok {
				return false
			}
		}
	}
	return inside
}

// headersBelow returns the headers of the layers of the envelope that are inside
// of the content of n, down to the payload.
func (m *Message) headersBelow(n *node) []mimetree.Header {
	i := slices.IndexFunc(m.envelope, func(l Layer) bool { return nodeOf(l) == n })
	return m.headers[min(i+2, len(m.headers)):]
}

// conclude makes the verdicts on the message out of those on its layers.
func (m *Message) conclude() {
	m.signer, m.signerErr = m.findSigner()
	for _, l := range m.envelope {
		if s, ok := l.(*SignedLayer); ok && m.signer != nil && expanded(s.Signers) {
			m.signer.layer.refused = true
		}
	}
	m.confidential = m.findConfidential()
	m.fields = m.readHeader()
	if m.signer != nil {
		m.signer.shows = m.state.Cipher
	}
	m.noteAddressees()
	for _, l := range m.envelope {
		nodeOf(l).noteRepeated()
	}
}

// noteRepeated notes the fields that a message may have once (RFC 5322 section
// 3.6) and has more often: programs differ in the one they show.
func (n *node) noteRepeated() {
	for _, name := range [...]string{"From", "Sender", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID"} {
		if n.header.Count(name) > 1 {
			n.note(NoteDuplicateField, name)
		}
	}
}

// findSigner takes the innermost good signature; any that is around all of
// the body, and inside of all encryption, will do.
func (m *Message) findSigner() (*Signer, error) {
	outside := false
	var locked, first error
	for i := len(m.envelope) - 1; i >= 0; i-- {
		switch l := m.envelope[i].(type) {
		case *EncryptedLayer:
			if err := l.Opened.Err(); err != nil && locked == nil {
				locked = err
			}
			outside = true
		case *SignedLayer:
			if outside {
				return nil, outsideError(first, locked)
			}
			signer, err := l.ContentSigner()
			if err == nil {
				if err = m.ambiguous(); err == nil {
					return signer, nil
				}
				err = fmt.Errorf("%w: %w", ErrNotCovered, err)
			}
			if first == nil {
				first = err
			}
		case *ReceiptLayer:
			return nil, fmt.Errorf("%w: %w", ErrNotSigned, errIsReceipt)
		case *PlainLayer:
			if l.fault != nil {
				first = fmt.Errorf("%w: %w", ErrNotSigned, l.fault)
			}
		}
	}
	switch {
	case first != nil:
		return nil, first
	case locked != nil:
		return nil, lockedError(locked)
	}
	for l := range m.All() {
		if s, ok := l.(*SignedLayer); ok && s.errant {
			return nil, ErrNotCovered
		}
	}
	return nil, ErrNotSigned
}

// lockedError is that of what is signed only inside of encryption, if at all.
func lockedError(err error) error {
	if errors.Is(err, ErrMixed) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrLocked, err)
}

// errIsReceipt is the cause where a message is a receipt and no content.
const errIsReceipt constError = "it is a receipt"

// ambiguous returns an error if other programs may show other text than the
// payload.
func (m *Message) ambiguous() error { return ambiguous(m.envelope) }

func ambiguous(layers []Layer) error {
	for _, l := range layers {
		if err := nodeOf(l).structure; err != nil {
			return err
		}
	}
	return nil
}

// outsideError is that of a message with a signature outside of encryption,
// which matters only if there is none inside.
func outsideError(inside, locked error) error {
	switch {
	case inside != nil:
		return inside
	case locked != nil:
		return fmt.Errorf("%w: %w", ErrSignedOutside, locked)
	}
	return ErrSignedOutside
}

// Entity returns what WriteDisplay writes as an entity of go-message, by which a
// program that shows mail walks through the parts with their transfer encodings
// undone. It is unverified unless [Message.Signer] returns no error. It does not
// say which part is signed by whom: see [Message.Parts]. Text in a charset, or a part in an encoding, that go-message does not
// know is left as it is. A header section beyond 1 MiB is an error; depth and
// number of parts were bounded by Open.
func (m *Message) Entity() (*message.Entity, error) {
	e, err := message.ReadWithOptions(m.display(), &message.ReadOptions{MaxHeaderBytes: 1 << 20})
	if err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return e, nil
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
	marked := m.decorated()
	if len(marked) == 0 {
		return m.Body()
	}
	return withoutLegacyDisplay(m.payload.raw, marked)
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

// String returns the tree as indented text, one line for each verdict. Text of
// the message is quoted.
func (m *Message) String() string {
	var b strings.Builder
	line(&b, 0, "signer", verdictText(m.Signer()))
	line(&b, 0, "confidential", errorText(m.Confidential()))
	if m.root != nil {
		describe(&b, m.root, 0)
	}
	return b.String()
}
