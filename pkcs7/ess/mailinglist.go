package ess

import (
	"math/big"
	"slices"
	"time"

	"github.com/gosmime/gosmime/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Expansion says that a mailing list has sent a message on (RFC 2634
// section 4.4). The outermost signature of a message has one for every list.
//
//	MLData ::= SEQUENCE {
//	    mailListIdentifier EntityIdentifier,
//	    expansionTime GeneralizedTime,
//	    mlReceiptPolicy MLReceiptPolicy OPTIONAL }
//
//	MLReceiptPolicy ::= CHOICE {
//	    none [0] NULL,
//	    insteadOf [1] SEQUENCE SIZE (1..MAX) OF GeneralNames,
//	    inAdditionTo [2] SEQUENCE SIZE (1..MAX) OF GeneralNames }
type Expansion struct {
	List     pkcs7.CertID
	Time     time.Time
	Receipts ReceiptPolicy
	Names    []string // mailboxes that go with Receipts
}

// A ReceiptPolicy says what a mailing list makes of receipt requests.
type ReceiptPolicy uint8

const (
	ReceiptsAsRequested  ReceiptPolicy = iota
	NoReceipts                         // nobody gets one
	ReceiptsInsteadTo                  // Names get them instead
	ReceiptsInAdditionTo               // Names get them, too
)

// ParseExpansionHistory reads the value of an mlExpansionHistory attribute, at
// most 64 lists.
func ParseExpansionHistory(der []byte) ([]Expansion, error) {
	const field = "MLExpansionHistory"
	var seq cryptobyte.String
	s := cryptobyte.String(der)
	if !s.ReadASN1(&seq, asn1.SEQUENCE) || !s.Empty() {
		return nil, malformed(field)
	}
	var list []Expansion
	for !seq.Empty() {
		var data cryptobyte.String
		var e Expansion
		if !seq.ReadASN1(&data, asn1.SEQUENCE) || !readEntity(&data, &e.List) ||
			!data.ReadASN1GeneralizedTime(&e.Time) || !readPolicy(&data, &e) {
			return nil, malformed(field)
		}
		if list = append(list, e); len(list) > maxNames {
			return nil, tooMany(field)
		}
	}
	return list, nil
}

// readEntity reads
//
//	EntityIdentifier ::= CHOICE {
//	    issuerAndSerialNumber IssuerAndSerialNumber,
//	    subjectKeyIdentifier SubjectKeyIdentifier }
func readEntity(s *cryptobyte.String, out *pkcs7.CertID) bool {
	var key, seq cryptobyte.String
	if s.PeekASN1Tag(asn1.OCTET_STRING) {
		ok := s.ReadASN1(&key, asn1.OCTET_STRING)
		out.KeyID = key
		return ok
	}
	return s.ReadASN1(&seq, asn1.SEQUENCE) && readIssuerAndSerial(&seq, out)
}

// readIssuerAndSerial reads the contents of an IssuerAndSerialNumber.
func readIssuerAndSerial(seq *cryptobyte.String, out *pkcs7.CertID) bool {
	var issuer cryptobyte.String
	out.Serial = new(big.Int)
	ok := seq.ReadASN1Element(&issuer, asn1.SEQUENCE) && seq.ReadASN1Integer(out.Serial) && seq.Empty()
	out.Issuer = issuer
	return ok
}

func readPolicy(s *cryptobyte.String, e *Expansion) bool {
	if s.Empty() {
		return true
	}
	var v cryptobyte.String
	var tag asn1.Tag
	if !s.ReadAnyASN1(&v, &tag) || !s.Empty() {
		return false
	}
	ok := true
	switch tag {
	case primitive(0):
		e.Receipts, ok = NoReceipts, v.Empty()
	case constructed(1):
		e.Receipts = ReceiptsInsteadTo
		e.Names, ok = readMailboxes(v)
	case constructed(2):
		e.Receipts = ReceiptsInAdditionTo
		e.Names, ok = readMailboxes(v)
	default:
		ok = false
	}
	return ok
}

// EncodeExpansionHistory returns the DER of a history, in the order of the
// expansions.
func EncodeExpansionHistory(list []Expansion) ([]byte, error) {
	if len(list) == 0 || len(list) > maxNames {
		return nil, tooMany("MLExpansionHistory")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i := range list {
			b.AddASN1(asn1.SEQUENCE, list[i].add)
		}
	})
	return b.Bytes()
}

func (e *Expansion) add(b *cryptobyte.Builder) {
	switch {
	case e.List.Serial != nil:
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(e.List.Issuer)
			b.AddASN1BigInt(e.List.Serial)
		})
	case len(e.List.KeyID) > 0:
		b.AddASN1OctetString(e.List.KeyID)
	default:
		b.SetError(malformed("MLData.mailListIdentifier"))
	}
	b.AddASN1GeneralizedTime(e.Time.UTC())
	switch e.Receipts {
	case ReceiptsAsRequested:
	case NoReceipts:
		b.AddASN1(primitive(0), func(*cryptobyte.Builder) {})
	case ReceiptsInsteadTo, ReceiptsInAdditionTo:
		b.AddASN1(constructed(uint8(e.Receipts)-1), func(b *cryptobyte.Builder) { addMailboxes(b, e.Names) })
	default:
		b.SetError(malformed("MLData.mlReceiptPolicy"))
	}
}

// Loops reports whether a list is in a history already: then it must not send
// the message on again (RFC 2634 section 4.1).
func Loops(history []Expansion, list pkcs7.CertID) bool {
	return slices.ContainsFunc(history, func(e Expansion) bool {
		if list.Serial != nil {
			return e.List.Serial != nil && e.List.Serial.Cmp(list.Serial) == 0 && string(e.List.Issuer) == string(list.Issuer)
		}
		return len(list.KeyID) > 0 && string(e.List.KeyID) == string(list.KeyID)
	})
}
