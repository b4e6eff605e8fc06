package smime

import (
	"io"
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
	// Raw returns the entity of the layer itself, as it was received.
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
}

func (n *node) Part() []int                { return n.part }
func (n *node) Children() []Layer          { return n.children }
func (n *node) Content() *io.SectionReader { panic("sketch") }
func (n *node) Raw() *io.SectionReader     { panic("sketch") }
func (n *node) Notes() []Note              { panic("sketch") }
func (n *node) Errant() bool               { panic("sketch") }
func (n *node) layer()                     {}

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
}

// Err returns nil only if a signer passed; see [CheckReceipt] for what it is a
// receipt of.
func (l *ReceiptLayer) Err() error { panic("sketch") }

// A SignedLayer is a multipart/signed or a signed application/pkcs7-mime.
type SignedLayer struct {
	node
	Opaque  bool
	Signers []*SignerReport // possibly none
}

// Err returns nil only if ContentSigner's error is.
func (l *SignedLayer) Err() error { panic("sketch") }

// ContentSigner returns who signed the Content of this layer, which may be
// less than the Body of the message.
func (l *SignedLayer) ContentSigner() (*Signer, error) { panic("sketch") }

// An EncryptedLayer is an enveloped or authenticated-enveloped message.
type EncryptedLayer struct {
	node
	Encryption
	Opened        Verdict // a key was found and the content decrypted
	Strength      Verdict // no algorithm on the way to the content is broken
	Authenticated Verdict // nobody without the content key changed it
}

// Err returns nil only if all verdicts passed.
func (l *EncryptedLayer) Err() error { panic("sketch") }

// A CompressedLayer is a compressed message.
type CompressedLayer struct{ node }

// Err returns ErrNotSigned: compression proves nothing.
func (l *CompressedLayer) Err() error { return ErrNotSigned }

// A PlainLayer is anything else, such as the footer a mailing list added.
type PlainLayer struct{ node }

// Err returns ErrNotSigned.
func (l *PlainLayer) Err() error { return ErrNotSigned }

var _ = []Layer{(*SignedLayer)(nil), (*EncryptedLayer)(nil), (*CompressedLayer)(nil), (*PlainLayer)(nil)}
