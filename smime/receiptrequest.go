package smime

import (
	"bytes"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/mimetree"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/prepare"
)

// A receiptRequest is who asks whom for a receipt.
//
//	ReceiptRequest ::= SEQUENCE {
//	    signedContentIdentifier ContentIdentifier,
//	    receiptsFrom ReceiptsFrom,
//	    receiptsTo SEQUENCE SIZE (1..ub-receiptsTo) OF GeneralNames }
//
//	ReceiptsFrom ::= CHOICE {
//	    allOrFirstTier [0] AllOrFirstTier,
//	    receiptList [1] SEQUENCE OF GeneralNames }
type receiptRequest struct {
	contentID []byte
	from      []string // empty: everybody
	firstTier bool
	to        []string
}

// maxReceiptNames is ub-receiptsTo. The other list has no bound in RFC 2634.
const (
	maxReceiptNames = 16
	maxReceiptFrom  = 1000
)

func parseReceiptRequest(der []byte) (*receiptRequest, error) {
	malformed := func(what string) (*receiptRequest, error) {
		return nil, fmt.Errorf("%w: receipt request: %s", ErrMalformed, what)
	}
	in := cryptobyte.String(der)
	var seq, id, from, to cryptobyte.String
	var tag asn1.Tag
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || !seq.ReadASN1(&id, asn1.OCTET_STRING) ||
		!seq.ReadAnyASN1(&from, &tag) || !seq.ReadASN1(&to, asn1.SEQUENCE) || !seq.Empty() {
		return malformed("structure")
	}
	r := &receiptRequest{contentID: id}
	var ok bool
	switch tag {
	case asn1.Tag(0).ContextSpecific():
		if len(from) != 1 || from[0] > 1 {
			return malformed("allOrFirstTier")
		}
		r.firstTier = from[0] == 1
	case asn1.Tag(1).ContextSpecific().Constructed():
		if r.from, ok = generalNames(from, maxReceiptFrom); !ok || len(r.from) == 0 {
			return malformed("receiptList")
		}
	default:
		return malformed("receiptsFrom")
	}
	if r.to, ok = generalNames(to, maxReceiptNames); !ok {
		return malformed("receiptsTo")
	}
	return r, nil
}

// generalNames returns the mailboxes of a list of at most limit GeneralNames.
func generalNames(list cryptobyte.String, limit int) ([]string, bool) {
	var names []string
	for n := 0; !list.Empty(); n++ {
		var gn cryptobyte.String
		if n == limit || !list.ReadASN1(&gn, asn1.SEQUENCE) {
			return nil, false
		}
		for !gn.Empty() {
			var name cryptobyte.String
			var tag asn1.Tag
			if !gn.ReadAnyASN1(&name, &tag) {
				return nil, false
			}
			if box, ok := mailboxName(tag, name); ok && len(names) < 10*limit {
				names = append(names, box)
			}
		}
	}
	return names, true
}

// mailboxName returns the mailbox of a GeneralName: an rfc822Name, or the
// otherName of RFC 9598 section 3.
//
//	OtherName ::= SEQUENCE {
//	    type-id OBJECT IDENTIFIER,
//	    value   [0] EXPLICIT ANY DEFINED BY type-id }
func mailboxName(tag asn1.Tag, name cryptobyte.String) (string, bool) {
	switch tag {
	case asn1.Tag(1).ContextSpecific():
		return string(name), true
	case otherName:
		var id oid.OID
		var value, text cryptobyte.String
		if oid.Read(&name, &id) && id == oid.SmtpUTF8Mailbox && name.ReadASN1(&value, otherName) && value.ReadASN1(&text, asn1.UTF8String) {
			return string(text), true
		}
	}
	return "", false
}

// otherName is the tag of that choice, and of its value.
const otherName asn1.Tag = 0xa0

// addMailbox writes GeneralNames of one mailbox.
func addMailbox(b *cryptobyte.Builder, box string) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		if prepare.IsASCII(box) {
			b.AddASN1(asn1.Tag(1).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(box)) })
			return
		}
		b.AddASN1(otherName, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.SmtpUTF8Mailbox)) })
			b.AddASN1(otherName, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(box)) })
			})
		})
	})
}

// A receiptTarget is what a receipt for a signed content needs to know of it.
type receiptTarget struct {
	kind    oid.OID // eContentType
	refused bool    // more than one request, or one that must not be answered
}

// receiptTargetOf holds RFC 2634 section 2.3: signatures that hold and request
// different receipts get none, and a receipt gets none either.
//
// DEVIATION: what a mailing list expanded gets none, whatever its
// mlReceiptPolicy says: to send receipts elsewhere is more than the signer asked.
func receiptTargetOf(sc *signedContent, reports []*SignerReport) receiptTarget {
	t := receiptTarget{kind: sc.kind, refused: sc.kind == oid.ContentReceipt || noReceiptFor(&sc.head)}
	t.refused = t.refused || expanded(reports)
	var first []byte
	for _, r := range reports {
		if !r.Integrity.passed {
			continue
		}
		for _, a := range r.info.Signed() {
			if oid.FromX509(a.Type) != oid.AttrReceiptRequest || len(a.Values) != 1 {
				continue
			}
			if first != nil && !bytes.Equal(first, a.Values[0]) {
				t.refused = true
			}
			first = a.Values[0]
		}
	}
	return t
}

// expanded reports whether a mailing list signed that it sent the message on.
// It says so in the outermost signature (RFC 2634 section 4.2); that one which
// does not hold says so too does no harm.
func expanded(reports []*SignerReport) bool {
	for _, r := range reports {
		for _, a := range r.info.Signed() {
			if oid.FromX509(a.Type) == oid.AttrMLExpansionHistory {
				return true
			}
		}
	}
	return false
}

// noReceiptFor reports whether a content must not be answered: only the
// innermost signature can ask (RFC 2634 section 2.3), and what is itself
// signed has another one inside.
func noReceiptFor(h *head) bool {
	p, section := h.part()
	if p == nil {
		return true
	}
	f, _ := mimetree.FormOf(p)
	if f != mimetree.FormCMS {
		return f == mimetree.FormClear
	}
	kind, err := sniffBytes(p, h.buf[min(len(section), len(h.buf)):])
	return err == nil && kind == oid.SignedData
}
