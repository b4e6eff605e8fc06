package smime

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/stream"
	"github.com/gosmime/gosmime/pkcs7"
)

// WriteReceipt writes the signed receipt for a message that s signed, a message
// from id to those whom s named (RFC 2634 section 2.4). Sending it is the
// application's choice: it tells that the mail was read. It fails with
// ErrNoReceipt if s asks for none, or not for one of id, and as [Sign] does if
// id can't sign now. To send it encrypted give it to [Seal], which adds what RFC
// 2634 section 2.4 asks for, not to [Encrypt].
func WriteReceipt(ctx context.Context, w io.Writer, s *Signer, id *Identity) error {
	s.check()
	if id == nil || id.cert == nil {
		return fmt.Errorf("%w: no identity", ErrKeyMismatch)
	}
	from, err := s.receiptFrom(id)
	if err != nil {
		return err
	}
	key, err := id.SigningKey()
	if err != nil {
		return err
	}
	if err := checkSigner(id.cert); err != nil {
		return err
	}
	info := s.report.info
	digest := info.AttributesDigest()
	if digest == nil {
		return fmt.Errorf("%w: the signature has no attributes", ErrNoReceipt)
	}
	value, err := (&receipt{s.layer.kind, s.receipt.contentID, info.Signature()}).marshal()
	if err != nil {
		return err
	}
	var b cryptobyte.Builder
	b.AddASN1OctetString(digest)
	attr, err := b.Bytes()
	if err != nil {
		return err
	}
	key.Attributes = append(key.Attributes, pkcs7.Attribute{Type: oid.AttrMsgSigDigest.X509(), Values: [][]byte{attr}})
	var cms bytes.Buffer
	sw, err := pkcs7.NewSignWriter(ctx, &cms, []pkcs7.SigningKey{key}, &pkcs7.SignOptions{ContentType: oid.ContentReceipt.X509(), Size: int64(len(value))})
	if err != nil {
		return cmsError(err)
	}
	if _, err := sw.Write(value); err != nil {
		return cmsError(err)
	}
	if err := sw.Close(); err != nil {
		return cmsError(err)
	}
	return writeReceiptMessage(w, from, s.receipt.to, cms.Bytes())
}

// receiptFrom returns the address of id that a receipt is asked from.
func (s *Signer) receiptFrom(id *Identity) (string, error) {
	if s.receipt == nil || s.layer.refused {
		return "", ErrNoReceipt
	}
	if len(s.receipt.to) == 0 {
		return "", fmt.Errorf("%w: nobody to send it to", ErrNoReceipt)
	}
	boxes := id.Mailboxes()
	if len(boxes) == 0 {
		return "", fmt.Errorf("%w: the certificate names no mailbox", ErrSender)
	}
	if len(s.receipt.from) == 0 {
		return boxes[0], nil
	}
	for _, box := range boxes {
		if s.receipt.asks(box) {
			return box, nil
		}
	}
	return "", fmt.Errorf("%w: others are asked", ErrNoReceipt)
}

// asks reports whether a receipt is requested from a mailbox.
func (r *receiptRequest) asks(box string) bool {
	if len(r.from) == 0 {
		return true
	}
	want, err := mailbox.Parse(box)
	if err != nil {
		return false
	}
	for _, f := range r.from {
		if a, err := mailbox.Parse(f); err == nil && contains([]mailbox.Address{a}, want) {
			return true
		}
	}
	return false
}

// writeReceiptMessage writes the message. Every address went through the
// parser, so that none can hold a line end.
func writeReceiptMessage(w io.Writer, from string, to []string, cms []byte) error {
	sender, err := mailbox.Parse(from)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrHeader, err)
	}
	var list []string
	for _, t := range to {
		a, err := mailbox.Parse(t)
		if err != nil {
			return fmt.Errorf("%w: %w", ErrHeader, err)
		}
		list = append(list, a.String())
	}
	var b bytes.Buffer
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nSubject: Signed receipt\r\nDate: %s\r\nMessage-ID: <%x@%s>\r\n", sender, strings.Join(list, ",\r\n "),
		time.Now().UTC().Format("Mon, 02 Jan 2006 15:04:05 +0000"), random, sender.Domain)
	b.WriteString("MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=signed-receipt; name=\"smime.p7m\"\r\n" +
		"Content-Transfer-Encoding: base64\r\nContent-Disposition: attachment; filename=\"smime.p7m\"\r\n\r\n")
	text := base64.StdEncoding.EncodeToString(cms)
	for len(text) > 0 {
		n := min(76, len(text))
		b.WriteString(text[:n] + "\r\n")
		text = text[n:]
	}
	_, err = b.WriteTo(stream.FullWriter{W: w})
	return err
}

// A receipt says which signature was verified.
//
//	Receipt ::= SEQUENCE {
//	    version ESSVersion,  -- Version is v1(1)
//	    contentType ContentType,
//	    signedContentIdentifier ContentIdentifier,
//	    originatorSignatureValue OCTET STRING }
type receipt struct {
	kind      oid.OID
	contentID []byte
	signature []byte
}

func (r *receipt) marshal() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(r.kind)) })
		b.AddASN1OctetString(r.contentID)
		b.AddASN1OctetString(r.signature)
	})
	return b.Bytes()
}

// maxReceipt has room for the largest signature there is.
const maxReceipt = 256 << 10

func parseReceipt(der []byte) (*receipt, error) {
	in := cryptobyte.String(der)
	var seq, id, signature cryptobyte.String
	var version int64
	r := &receipt{}
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || !oid.Read(&seq, &r.kind) ||
		!seq.ReadASN1(&id, asn1.OCTET_STRING) || !seq.ReadASN1(&signature, asn1.OCTET_STRING) || !seq.Empty() || version != 1 || len(der) > maxReceipt {
		return nil, fmt.Errorf("%w: Receipt", ErrMalformed)
	}
	r.contentID, r.signature = id, signature
	return r, nil
}
