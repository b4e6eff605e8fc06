package smime

import (
	"io"
	"iter"
)

// A Message is a message whose layers were opened as far as possible.
type Message struct{}

// Body returns the innermost MIME entity, exactly as it was signed and
// encrypted, or the message itself if it is plain. The bytes are unverified
// unless [Message.Signer] returns no error.
func (m *Message) Body() *io.SectionReader { panic("sketch") }

// Header returns the header fields of the message with the protection that
// each one has (RFC 9788): the protected value where there is one, else the
// outer one.
func (m *Message) Header() []HeaderField { panic("sketch") }

// A HeaderField is one field of [Message.Header].
type HeaderField struct {
	Name, Value string
	Signed      bool   // covered by the signature that Message.Signer reports
	Encrypted   bool   // not visible outside
	Outer       string // the unprotected value where it differs
}

// Signer returns who signed all of Body. The error is nil only if everything
// that [Verify] asks for holds; if several things are wrong it is the gravest:
// a changed content before an unknown issuer before a wrong name. Only a
// signature inside all encryption counts: one outside says who sent the
// ciphertext, is a layer of its own and gives ErrSignedOutside.
func (m *Message) Signer() (*Signer, error) { panic("sketch") }

// Confidential returns nil only if all of Body was encrypted with algorithms
// that are not broken and nobody without the content key could have changed it:
// the cipher authenticates, or a good signature was inside. Every recipient has
// that key. It says nothing about who sent it.
func (m *Message) Confidential() error { panic("sketch") }

// Root returns the outermost layer.
func (m *Message) Root() Layer { panic("sketch") }

// All returns the layers, each before the ones inside it.
func (m *Message) All() iter.Seq[Layer] { panic("sketch") }

// String returns the tree as indented text, one line for each verdict.
func (m *Message) String() string { panic("sketch") }

// Close releases the message's memory and files. Readers from Body become
// invalid.
func (m *Message) Close() error { panic("sketch") }
