package smime

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gosmime/gosmime/internal/mimetree"
)

// A Layer is a [*SignedLayer], [*EncryptedLayer], [*CompressedLayer],
// [*CertificatesLayer], [*ReceiptLayer] or [*PlainLayer].
type Layer interface {
	// Part returns where the layer is: the indices of the MIME parts that
	// lead to it from the layer that contains it.
	Part() []int
	// Children returns the layers directly inside.
	Children() []Layer
	// Content returns the MIME entity inside this layer, or the entity itself
	// of a PlainLayer. It is empty if the layer could not be opened.
	Content() *io.SectionReader
	// Raw returns the entity of the layer itself, as it was received; of a CMS
	// object that stood alone with the header that Open read it with.
	Raw() *io.SectionReader
	// Notes returns what was tolerated or noticed and decides nothing.
	Notes() []Note
	// Errant says that the layer is outside the cryptographic envelope of the
	// message, beside or below other parts. A signed one is verified and covers
	// less than the message; an encrypted one stays closed until the caller
	// opens Raw by itself.
	Errant() bool
	// Err returns nil only if every verdict of this layer passed. It says
	// nothing about the layers outside or inside.
	Err() error

	layer()
}

type node struct {
	part     []int
	children []Layer
	content  octets
	raw      octets
	notes    []Note
	errant   bool
	header   mimetree.Header // of the entity
	section  octets          // of the header
	tree     *mimetree.Part  // of the entity, in raw.at
	fault    error           // why the layer can't be read

	structure error // [ErrAmbiguousStructure] or nil
}

// doubt notes that the structure is ambiguous.
func (n *node) doubt(structure error) {
	if structure != nil && n.structure == nil {
		n.structure = structure
		n.note(NoteStructure, quote(structure.Error()))
	}
}

func (n *node) Part() []int                { return n.part }
func (n *node) Children() []Layer          { return n.children }
func (n *node) Content() *io.SectionReader { return n.content.reader() }
func (n *node) Raw() *io.SectionReader     { return n.raw.reader() }
func (n *node) Notes() []Note              { return n.notes }
func (n *node) Errant() bool               { return n.errant }
func (n *node) layer()                     {}
func (n *node) self() *node                { return n }

func (n *node) note(code NoteCode, detail string) {
	n.notes = append(n.notes, Note{Code: code, Part: n.part, Detail: detail})
}

// nodeOf returns what all layers have.
func nodeOf(l Layer) *node { return l.(interface{ self() *node }).self() }

// A CertificatesLayer is a certs-only message.
type CertificatesLayer struct {
	node
	Certificates, CRLs [][]byte // unverified
}

// Err returns ErrNotSigned.
func (l *CertificatesLayer) Err() error { return ErrNotSigned }

// A ReceiptLayer is a signed receipt (RFC 2634).
type ReceiptLayer struct {
	node
	Signers []*SignerReport

	signer *Signer
	err    error
}

// Err returns nil only if a signer passed; see [VerifyReceipt] for what it is a
// receipt of.
func (l *ReceiptLayer) Err() error {
	if l.signer == nil && l.err == nil {
		return ErrUnchecked
	}
	return l.err
}

// A SignedLayer is a multipart/signed or a signed application/pkcs7-mime.
type SignedLayer struct {
	node
	Opaque  bool
	Signers []*SignerReport // possibly none

	read   *signedContent
	form   *signedForm
	who    *authors
	signer *Signer
	err    error
}

// Err returns nil only if ContentSigner's error is, and the layer is not errant.
func (l *SignedLayer) Err() error {
	_, err := l.ContentSigner()
	if err == nil && l.errant {
		return ErrNotCovered
	}
	return err
}

// ContentSigner returns who signed the Content of this layer, which may be
// less than the Body of the message.
func (l *SignedLayer) ContentSigner() (*Signer, error) {
	switch {
	case l.fault != nil:
		return nil, l.fault
	case l.err != nil:
		return nil, l.err
	case l.signer == nil:
		return nil, ErrUnchecked
	}
	return l.signer, nil
}

// An EncryptedLayer is an enveloped or authenticated-enveloped message.
type EncryptedLayer struct {
	node
	Encryption
	Opened        Verdict // a key was found and the content decrypted
	Strength      Verdict // no algorithm on the way to the content is broken
	Authenticated Verdict // nobody without the content key changed it

	final struct{ opened, strength, authenticated Verdict } // whatever a program writes into the fields
}

func (l *EncryptedLayer) conclude(opened Verdict) {
	l.Opened = opened
	l.final.opened, l.final.strength, l.final.authenticated = l.Opened, l.Strength, l.Authenticated
}

// Notes implements [Layer].
func (l *EncryptedLayer) Notes() []Note { return l.node.notes }

// Err returns nil only if all verdicts passed. It joins the errors of those
// that did not; of a layer that was not opened only that counts. It is that of
// the check: to change the fields changes nothing.
func (l *EncryptedLayer) Err() error {
	if err := l.final.opened.Err(); err != nil {
		return err
	}
	return errors.Join(l.final.strength.Err(), l.final.authenticated.Err(), l.structure)
}

// confidential returns nil if nobody without the key could read the content and,
// given whether a good signature is around it inside the layer, change it.
func (l *EncryptedLayer) confidential(signed bool) error {
	if err := l.final.opened.Err(); err != nil {
		return err
	}
	err := l.final.strength.Err()
	if !signed {
		err = errors.Join(err, l.final.authenticated.Err())
	}
	return err
}

// A CompressedLayer is a compressed message.
type CompressedLayer struct{ node }

// Err returns ErrNotSigned: compression proves nothing.
func (l *CompressedLayer) Err() error {
	if l.fault != nil {
		return fmt.Errorf("%w: %w", ErrNotSigned, l.fault)
	}
	return ErrNotSigned
}

// A PlainLayer is anything else, such as the footer a mailing list added.
type PlainLayer struct{ node }

// Err returns ErrNotSigned.
func (l *PlainLayer) Err() error { return ErrNotSigned }

var _ = []Layer{(*SignedLayer)(nil), (*EncryptedLayer)(nil), (*CompressedLayer)(nil), (*CertificatesLayer)(nil), (*ReceiptLayer)(nil), (*PlainLayer)(nil)}

// noteParts notes the parts that not every program shows alike: what only
// Outlook can look into, and text in a charset that hides markup.
func noteParts(n *node, p *mimetree.Part, path []int) {
	for i, c := range p.Children {
		at := append(slices.Clone(path), i)
		if c.Type.Type == "application/ms-tnef" {
			n.notes = append(n.notes, Note{Code: NoteWinmail, Part: at})
		}
		if mimetree.RightsManaged(c) {
			n.notes = append(n.notes, Note{Code: NoteRightsManaged, Part: at})
		}
		noteParts(n, c, at)
	}
	if charset, ok := p.Type.Params["charset"]; ok && strings.HasPrefix(p.Type.Type, "text/") && !hasPlainASCII(charset) {
		n.notes = append(n.notes, Note{Code: NoteCharset, Part: path, Detail: quote(charset)})
	}
}

// noteType notes an smime-type that is not what the content is.
func noteType(n *node, p *mimetree.Part, want string) {
	if t, ok := p.Type.Params["smime-type"]; ok && !strings.EqualFold(t, want) {
		n.note(NoteSMIMEType, quote(t))
	}
}

// hasPlainASCII reports whether ASCII is itself in a charset, alone and between
// other text: in UTF-7, UTF-16, HZ, EBCDIC and charsets nobody knows text can be
// markup that a filter does not see.
func hasPlainASCII(charset string) bool {
	charset = strings.ToLower(strings.TrimSpace(charset))
	switch charset {
	case "us-ascii", "ascii", "ansi_x3.4-1968", "unknown-8bit", "utf-8", "utf8", "gb2312", "gbk", "gb18030", "big5", "big5-hkscs", "shift_jis", "shift-jis", "sjis", "ms932",
		"windows-31j", "cp437", "cp874", "cp932", "cp936", "cp949", "cp950", "ks_c_5601-1987", "tis-620", "macintosh", "viscii", "iso-2022-jp", "iso-2022-kr", "iso-2022-jp-2", "iso-2022-jp-ms":
		return true
	}
	for _, family := range [...]string{"iso-8859-", "iso_8859-", "iso8859-", "windows-125", "windows-874", "windows-949", "windows-936", "cp125", "cp85", "cp86", "koi8-", "euc-", "x-mac-"} {
		if strings.HasPrefix(charset, family) {
			return true
		}
	}
	return strings.HasPrefix(charset, "latin")
}
