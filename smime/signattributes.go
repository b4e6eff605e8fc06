package smime

import (
	"crypto/rand"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
	"github.com/gosmime/gosmime/pkcs7/ess"
)

// commonAttributes returns what all signatures of a message say alike: the
// receipt request (RFC 2634 section 2.2), and that a signed receipt is inside
// (section 2.4: so it must be wrapped before it is encrypted).
func (d *draft) commonAttributes(opts *SignOptions, authors *authors) ([]pkcs7.Attribute, error) {
	var attrs []pkcs7.Attribute
	kind := d.signedKind()
	if kind == oid.ContentReceipt {
		hints, err := (&ess.ContentHints{ContentType: oid.ContentReceipt.X509()}).Encode()
		if err != nil {
			return nil, err
		}
		attrs = append(attrs, pkcs7.Attribute{Type: oid.AttrContentHints.X509(), Values: [][]byte{hints}})
	}
	if len(opts.RequestReceipt) == 0 {
		return attrs, nil
	}
	if kind != "" {
		return nil, fmt.Errorf("%w: only the innermost signature can ask for one", ErrNoReceipt)
	}
	request, err := newReceiptRequest(opts.RequestReceipt, authors.list)
	if err != nil {
		return nil, err
	}
	return append(attrs, pkcs7.Attribute{Type: oid.AttrReceiptRequest.X509(), Values: [][]byte{request}}), nil
}

// signedKind returns the type of what a message that is signed already has
// under its signature, or nothing.
func (d *draft) signedKind() oid.OID {
	switch form, _ := mimetree.FormOf(d.Root); form {
	case mimetree.FormClear:
		return oid.Data
	case mimetree.FormCMS:
		body, err := decodeCMS(d.Root, d.Section(d.Root.BodyRange()))
		if err != nil {
			return ""
		}
		if signed, err := pkcs7.NewSignedReader(body, nil, &pkcs7.ReadOptions{InsecureHistoric: true}); err == nil {
			return oid.FromX509(signed.ContentType())
		}
	}
	return ""
}

// signedAttributes returns what a signature of id says beside what every
// signature of package pkcs7 says (RFC 8551 section 2.5) and what is common.
func (id *Identity) signedAttributes(opts *SignOptions, common []pkcs7.Attribute) ([]pkcs7.Attribute, error) {
	var attrs []pkcs7.Attribute
	add := func(t oid.OID, value []byte) {
		attrs = append(attrs, pkcs7.Attribute{Type: t.X509(), Values: [][]byte{value}})
	}
	reply, cert, pub := id.der, id.cert, id.pub
	if opts.EncryptTo != nil {
		r := readRecipient("", opts.EncryptTo)
		if err := r.checkReply(); err != nil {
			return nil, fmt.Errorf("smime: EncryptTo: %w", err)
		}
		reply, cert, pub = r.der, r.cert, r.pub
	}
	caps := opts.Capabilities
	if caps == nil {
		caps = ownCapabilities(pub)
	}
	if len(caps) > 0 {
		der, err := caps.MarshalBinary()
		if err != nil {
			return nil, err
		}
		add(oid.AttrSMIMECapabilities, der)
	}
	if canEncrypt(pub) && mayEncrypt(pub, cert) {
		sequence, implicit, err := issuerAndSerial(reply)
		if err != nil {
			return nil, err
		}
		add(oid.AttrEncryptionKeyPreference, implicit)
		add(oid.AttrMicrosoftKeyPreference, sequence)
	}
	return append(attrs, common...), nil
}

// issuerAndSerial names a certificate as the attribute of RFC 8551 section
// 2.5.3 does and as that of Microsoft does.
//
//	SMIMEEncryptionKeyPreference ::= CHOICE {
//	    issuerAndSerialNumber   [0] IssuerAndSerialNumber,
//	    receipentKeyId          [1] RecipientKeyIdentifier,
//	    subjectAltKeyIdentifier [2] SubjectKeyIdentifier }
func issuerAndSerial(cert *x509der.Certificate) (sequence, implicit []byte, err error) {
	build := func(tag cbasn1.Tag) ([]byte, error) {
		var b cryptobyte.Builder
		b.AddASN1(tag, func(b *cryptobyte.Builder) {
			b.AddBytes(cert.Issuer)
			b.AddASN1(cbasn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(cert.SerialDER) })
		})
		return b.Bytes()
	}
	if sequence, err = build(cbasn1.SEQUENCE); err != nil {
		return nil, nil, err
	}
	implicit, err = build(cbasn1.Tag(0).ContextSpecific().Constructed())
	return sequence, implicit, err
}

// newReceiptRequest asks the mailboxes to send a receipt to the authors
// (RFC 2634 section 2.7).
func newReceiptRequest(from []string, authors []mailbox.Address) ([]byte, error) {
	if len(authors) == 0 {
		return nil, fmt.Errorf("%w: nobody to send the receipt to", ErrSender)
	}
	// Unique in the world: the time and a random number.
	id := []byte(time.Now().UTC().Format("20060102150405Z"))
	random := make([]byte, 16)
	_, _ = rand.Read(random) // never fails
	id = append(id, random...)

	var b cryptobyte.Builder
	if len(from) > maxReceiptFrom {
		return nil, fmt.Errorf("%w: receipts from %d mailboxes", ErrLimit, len(from))
	}
	asked := make([]string, len(from))
	for i, box := range from {
		a, err := mailbox.Parse(box)
		if err != nil {
			return nil, fmt.Errorf("%w: receipt from %s", ErrMalformed, clip(box))
		}
		asked[i] = a.String()
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(id)
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			for _, box := range asked {
				addMailbox(b, box)
			}
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range authors[:min(len(authors), maxReceiptNames)] {
				addMailbox(b, a.String())
			}
		})
	})
	return b.Bytes()
}
