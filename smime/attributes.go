package smime

import (
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/mailbox"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// signedAttributes returns what a signature of id says beside what every
// signature of package pkcs7 says (RFC 8551 section 2.5).
// The receipt request is the same in all signatures of a message (RFC 2634
// section 2.2).
func (id *Identity) signedAttributes(opts *SignOptions, receipt []byte) ([]pkcs7.Attribute, error) {
	var attrs []pkcs7.Attribute
	add := func(t oid.OID, value []byte) {
		attrs = append(attrs, pkcs7.Attribute{Type: t.X509(), Values: [][]byte{value}})
	}
	reply, cert, pub := id.der, id.cert, id.pub
	if opts.EncryptTo != nil {
		r := readRecipient("", opts.EncryptTo)
		if r.err != nil {
			return nil, fmt.Errorf("smime: EncryptTo: %w", r.err)
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
	if canEncrypt(pub) && mayEncrypt(cert) {
		sequence, implicit, err := issuerAndSerial(reply)
		if err != nil {
			return nil, err
		}
		add(oid.AttrEncryptionKeyPreference, implicit)
		add(oid.AttrMicrosoftKeyPreference, sequence)
	}
	if receipt != nil {
		add(oid.AttrReceiptRequest, receipt)
	}
	return attrs, nil
}

// mayEncrypt reports whether the key usage of a certificate allows to encrypt
// to it.
func mayEncrypt(cert *x509.Certificate) bool {
	const usages = x509.KeyUsageKeyEncipherment | x509.KeyUsageKeyAgreement
	return cert.KeyUsage == 0 || cert.KeyUsage&usages != 0
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
	names := func(b *cryptobyte.Builder, box string) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(box)) })
		})
	}
	for _, box := range from {
		if a, err := mailbox.Parse(box); err != nil || !isASCII(a.String()) {
			return nil, fmt.Errorf("%w: receipt from %s", ErrMalformed, clip(box))
		}
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(id)
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			for _, box := range from {
				names(b, box)
			}
		})
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range authors[:min(len(authors), maxReceiptNames)] {
				names(b, a.String())
			}
		})
	})
	return b.Bytes()
}
