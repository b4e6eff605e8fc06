package smime

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
)

// Authors are the addresses that the signer's certificate must name: every
// address of every From, in the message and in its protected header.
type authors struct {
	list    []mailbox.Address
	written int   // how many of list are in From, where the caller requires another one; else 0
	err     error // why nobody can match
	notes   []Note

	named map[*x509.Certificate]*naming // what was found out
}

// maxAuthors bounds the addresses of one From field.
const maxAuthors = 50

// findAuthors compares the From fields of the header sections of one message
// that are not nil, the outermost first, and adds the address that the caller
// requires, if any.
func findAuthors(required string, headers ...mimetree.Header) *authors {
	a := &authors{}
	for _, h := range headers {
		a.add(h)
	}
	if a.err == nil && required != "" {
		a.require(required)
	}
	if a.err == nil && len(a.list) == 0 {
		a.err = fmt.Errorf("%w: there is no From field", ErrSender)
	}
	return a
}

// A position is where a signed entity is in a message.
type position struct {
	around  []mimetree.Header // of the message and of each layer around the entity, the outermost first
	entity  mimetree.Header   // of the signed entity itself
	content mimetree.Header   // of the signed content; nil: the content is no message
	deeper  []mimetree.Header // of what the layers in the content hold, down to the payload

	errant    bool // the entity is one part among others: its content is not that of the message
	encrypts  bool // a layer in the content is encrypted
	cleartext int  // how many of around everybody can see, where a ciphertext may have been changed; else -1
}

// bindingHeaders says which headers bind a signer. It returns the header sections
// at a position whose From fields must all name the same authors, whom the
// certificate must name, the outermost first: programs differ in the one that
// they show. These are the headers around the signed entity, its own and that of
// the signed content, and those of what the content holds unless it is encrypted:
// who signed a ciphertext may not know what is in it.
//
// With disclosed it returns only those that everybody can see or that are
// signed. Whoever changes a ciphertext that is not authenticated can move a piece
// of the plaintext into the others, inside encryption and outside the signature,
// so that an error about these would tell what that piece is.
func bindingHeaders(at position, disclosed bool) []mimetree.Header {
	if disclosed && at.cleartext >= 0 {
		return slices.Concat(at.around[:at.cleartext], []mimetree.Header{at.content})
	}
	headers := slices.Concat(at.around, []mimetree.Header{at.entity, at.content})
	if !at.errant && !at.encrypts {
		headers = append(headers, at.deeper...)
	}
	return headers
}

func (a *authors) add(h mimetree.Header) {
	values := h.Fields("From")
	if a.err != nil || len(values) == 0 {
		return
	}
	if len(values) > 1 {
		// RFC 5322 section 3.6 allows one; programs differ in the one they show.
		a.err = fmt.Errorf("%w: %d From fields", ErrAmbiguousSender, len(values))
		return
	}
	// With its line ends, which not every program takes for blanks.
	named, err := mailbox.List(values[0].Folded())
	if err != nil {
		a.err = fmt.Errorf("%w: From can't be read: %w", ErrAmbiguousSender, err)
		return
	}
	if len(named) > maxAuthors {
		a.err = fmt.Errorf("%w: %d addresses in From", ErrLimit, len(named))
		return
	}
	var list []mailbox.Address
	for _, n := range named {
		list = append(list, n.Address)
		for _, shown := range [...]string{n.Name, n.Comment, n.Group, n.Local} {
			if looksLikeAddress(shown) {
				a.notes = append(a.notes, Note{Code: NoteDisplayName, Detail: quote(shown)})
			}
		}
		if n.InGroup {
			// RFC 5322 section 3.6.2 has none there; readers of RFC 6854 show
			// the name of the group and no address.
			a.err = fmt.Errorf("%w: a group in From", ErrAmbiguousSender)
		}
	}
	if a.err != nil {
		return
	}
	switch {
	case len(list) == 0:
		a.err = fmt.Errorf("%w: From names nobody", ErrSender)
	case a.list == nil:
		a.list = list
	case !sameAddresses(a.list, list):
		a.err = fmt.Errorf("%w: From is %s outside and %s inside", ErrAmbiguousSender, quote(a.list[0].String()), quote(list[0].String()))
	}
	a.sender(h)
}

// sender notes a Sender that is nobody of From. It decides nothing (RFC 5322
// section 3.6.2, and readers show From).
func (a *authors) sender(h mimetree.Header) {
	for _, v := range h.Get("Sender") {
		list, err := mailbox.FromHeader(v)
		if err != nil || len(list) != 1 || !contains(a.list, list[0]) {
			a.notes = append(a.notes, Note{Code: NoteSenderField, Detail: quote(v)})
		}
	}
}

func (a *authors) require(required string) {
	addr, err := mailbox.Parse(required)
	if err != nil {
		a.err = fmt.Errorf("%w: the required sender: %w", ErrSender, err)
		return
	}
	if !contains(a.list, addr) {
		a.written = len(a.list)
		a.list = append(a.list, addr)
	}
}

func contains(list []mailbox.Address, a mailbox.Address) bool {
	for _, b := range list {
		if equal, _ := mailbox.Equal(a, b, false); equal {
			return true
		}
	}
	return false
}

func sameAddresses(a, b []mailbox.Address) bool {
	for _, x := range a {
		if !contains(b, x) {
			return false
		}
	}
	for _, x := range b {
		if !contains(a, x) {
			return false
		}
	}
	return true
}

// looksLikeAddress says that a reader may take a display name for the address.
func looksLikeAddress(name string) bool {
	// Wide and small forms look the same (UAX #15).
	name = strings.NewReplacer("\uff20", "@", "\ufe6b", "@").Replace(name)
	for i := 1; i+1 < len(name); i++ {
		if name[i] == '@' && name[i-1] != ' ' && name[i+1] != ' ' {
			return true
		}
	}
	return false
}

// A senderError says that a certificate names somebody else than the author.
type senderError struct {
	author string   // the address that is not named
	signer []string // the addresses of the certificate
	err    error    // of chain.MatchMailbox
}

func (e *senderError) Error() string { return fmt.Sprintf("%v: %v", ErrSender, e.err) }

func (e *senderError) Unwrap() []error { return []error{ErrSender, e.err} }

// inCertificate returns the first address of a certificate that is an author's.
func (a *authors) inCertificate(cert *x509.Certificate) string {
	list := a.list
	if a.written > 0 {
		list = list[:a.written]
	}
	boxes, _ := chain.Mailboxes(cert) // it has been read
	for _, b := range boxes {
		if have, err := mailbox.Parse(b); err == nil && contains(list, have) {
			return have.String()
		}
	}
	return list[0].String()
}
