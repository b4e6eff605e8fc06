package alg

import (
	"bytes"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Identifier is an AlgorithmIdentifier.
//
//	AlgorithmIdentifier ::= SEQUENCE {
//	    algorithm   OBJECT IDENTIFIER,
//	    parameters  ANY DEFINED BY algorithm OPTIONAL }
type Identifier struct {
	OID    oid.OID
	Params []byte // one DER element; nil: absent
	Raw    []byte // as received; nil: made here
}

// ReadIdentifier reads a DER AlgorithmIdentifier. Params and Raw of what it
// returns are parts of s.
func ReadIdentifier(s *cryptobyte.String, out *Identifier) bool {
	var raw, body cryptobyte.String
	if !s.ReadASN1Element(&raw, asn1.SEQUENCE) {
		return false
	}
	inner := raw
	if !inner.ReadASN1(&body, asn1.SEQUENCE) {
		return false
	}
	id := Identifier{Raw: raw}
	if !oid.Read(&body, &id.OID) {
		return false
	}
	if !body.Empty() {
		var params cryptobyte.String
		var tag asn1.Tag
		if !body.ReadAnyASN1Element(&params, &tag) || !body.Empty() {
			return false
		}
		id.Params = params
	}
	*out = id
	return true
}

// ParseIdentifier reads one AlgorithmIdentifier that fills der.
func ParseIdentifier(der []byte) (Identifier, error) {
	var id Identifier
	s := cryptobyte.String(der)
	if !ReadIdentifier(&s, &id) || !s.Empty() {
		return Identifier{}, fail(ErrMalformed, "AlgorithmIdentifier")
	}
	return id, nil
}

// DER returns the encoding: Raw where there is one.
func (a Identifier) DER() []byte {
	if a.Raw != nil {
		return a.Raw
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, 16+len(a.OID)+len(a.Params)))
	a.add(b)
	return b.BytesOrPanic()
}

// Equal compares modulo encoding, as RFC 6211 section 2 asks: absent parameters equal NULL,
// omitted defaults equal explicit ones.
func (a Identifier) Equal(b Identifier) bool {
	if a.OID != b.OID {
		return false
	}
	if bytes.Equal(a.Params, b.Params) || a.noParams() && b.noParams() {
		return true
	}
	switch a.OID {
	case oid.RSASSAPSS:
		p, perr := parsePSS(a.Params)
		q, qerr := parsePSS(b.Params)
		return perr == nil && qerr == nil && p == q
	case oid.RSAESOAEP:
		p, perr := OAEPOf(a)
		q, qerr := OAEPOf(b)
		return perr == nil && qerr == nil && p.equal(q)
	case oid.AES128GCM, oid.AES192GCM, oid.AES256GCM, oid.AES128CCM, oid.AES192CCM, oid.AES256CCM:
		p, perr := ContentOf(a)
		q, qerr := ContentOf(b)
		return perr == nil && qerr == nil && p.TagLen == q.TagLen && bytes.Equal(p.nonce, q.nonce)
	}
	return false
}

// noParams reports whether the parameters are absent or NULL, which older
// standards confuse (RFC 5754 section 2).
func (a Identifier) noParams() bool { return len(a.Params) == 0 || string(a.Params) == nullDER }

// namesCurve reports whether the parameters are the name of a curve of the NIST.
func (a Identifier) namesCurve() bool {
	s := cryptobyte.String(a.Params)
	var name oid.OID
	return oid.Read(&s, &name) && s.Empty() && curveOf(name) != nil
}

func (a Identifier) add(b *cryptobyte.Builder) {
	if a.Raw != nil {
		b.AddBytes(a.Raw)
		return
	}
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		a.OID.Add(b)
		b.AddBytes(a.Params)
	})
}

// nullDER is NULL.
const nullDER = "\x05\x00"

// element returns the DER of one element with that content.
func element(tag asn1.Tag, content []byte) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, 6+len(content)))
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(content) })
	return b.BytesOrPanic()
}
