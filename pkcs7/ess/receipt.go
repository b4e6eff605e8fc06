package ess

import (
	"crypto/x509"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A ReceiptRequest asks for signed receipts (RFC 2634 section 2.7).
//
//	ReceiptRequest ::= SEQUENCE {
//	    signedContentIdentifier ContentIdentifier,
//	    receiptsFrom ReceiptsFrom,
//	    receiptsTo SEQUENCE SIZE (1..ub-receiptsTo) OF GeneralNames }
//
//	ReceiptsFrom ::= CHOICE {
//	    allOrFirstTier [0] AllOrFirstTier, -- INTEGER
//	    receiptList [1] SEQUENCE OF GeneralNames }
type ReceiptRequest struct {
	ContentID []byte
	From      []string // mailboxes; nil: all recipients
	FirstTier bool     // without From: only recipients that no mailing list added
	To        []string // mailboxes
}

// ParseReceiptRequest reads the value of a receipt request attribute.
func ParseReceiptRequest(der []byte) (*ReceiptRequest, error) {
	const field = "ReceiptRequest"
	r := &ReceiptRequest{}
	var seq, id, to, from cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1(&id, asn1.OCTET_STRING) {
		return nil, malformed(field)
	}
	r.ContentID = id
	switch {
	case seq.PeekASN1Tag(primitive(0)):
		if !seq.ReadASN1(&from, primitive(0)) || len(from) != 1 || from[0] > 1 {
			return nil, malformed(field + ".receiptsFrom")
		}
		r.FirstTier = from[0] == 1
	case seq.PeekASN1Tag(constructed(1)):
		names, ok := []string(nil), seq.ReadASN1(&from, constructed(1))
		if ok {
			names, ok = readMailboxes(from)
		}
		if !ok {
			return nil, malformed(field + ".receiptsFrom")
		}
		// A list without a mailbox is a list that names nobody here.
		r.From = append([]string{}, names...)
	default:
		return nil, malformed(field + ".receiptsFrom")
	}
	var ok bool
	if !seq.ReadASN1(&to, asn1.SEQUENCE) || !seq.Empty() || to.Empty() {
		return nil, malformed(field + ".receiptsTo")
	}
	if r.To, ok = readMailboxes(to); !ok {
		return nil, malformed(field + ".receiptsTo")
	}
	return r, nil
}

// Encode returns the DER.
func (r *ReceiptRequest) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(r.ContentID)
		switch {
		case r.From != nil:
			b.AddASN1(constructed(1), func(b *cryptobyte.Builder) { addMailboxes(b, r.From) })
		case r.FirstTier:
			b.AddASN1(primitive(0), func(b *cryptobyte.Builder) { b.AddUint8(1) })
		default:
			b.AddASN1(primitive(0), func(b *cryptobyte.Builder) { b.AddUint8(0) })
		}
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { addMailboxes(b, r.To) })
	})
	if len(r.To) == 0 {
		return nil, malformed("ReceiptRequest.receiptsTo")
	}
	return b.Bytes()
}

// A Receipt is the content of a signed receipt (RFC 2634 section 2.8).
//
//	Receipt ::= SEQUENCE {
//	    version ESSVersion, -- 1
//	    contentType ContentType,
//	    signedContentIdentifier ContentIdentifier,
//	    originatorSignatureValue OCTET STRING }
type Receipt struct {
	ContentType x509.OID
	ContentID   []byte
	Signature   []byte // of the message that is acknowledged
}

// ParseReceipt reads a content of type id-ct-receipt.
func ParseReceipt(der []byte) (*Receipt, error) {
	var seq cryptobyte.String
	var version int
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() || !seq.ReadASN1Integer(&version) || version != 1 {
		return nil, malformed("Receipt.version")
	}
	ref, ok := readReference(&seq)
	if !ok {
		return nil, malformed("Receipt")
	}
	return (*Receipt)(ref), nil
}

// Encode returns the DER.
func (r *Receipt) Encode() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		(*ContentReference)(r).add(b)
	})
	return b.Bytes()
}

// ParseOctets reads the value of an attribute that is an OCTET STRING:
// msgSigDigest and contentIdentifier.
func ParseOctets(der []byte) ([]byte, error) {
	var v cryptobyte.String
	if s := cryptobyte.String(der); !s.ReadASN1(&v, asn1.OCTET_STRING) || !s.Empty() {
		return nil, malformed("OCTET STRING")
	}
	return v, nil
}
