package alg

import (
	"bytes"
	"crypto"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An OAEP has the parameters of RSAES-OAEP (RFC 4055 section 4.1).
//
//	RSAES-OAEP-params ::= SEQUENCE {
//	    hashFunc          [0] AlgorithmIdentifier DEFAULT sha1Identifier,
//	    maskGenFunc       [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
//	    pSourceFunc       [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier }
type OAEP struct {
	Hash, MGF crypto.Hash
	Label     []byte
}

// OAEPOf parses the parameters: absent fields have their defaults, nothing falls
// back. The parameters themselves have to be present (RFC 3560 section 3).
func OAEPOf(id Identifier) (*OAEP, error) {
	if id.OID != oid.RSAESOAEP {
		return nil, fail(ErrUnsupported, "key transport %v", id.OID)
	}
	s := cryptobyte.String(id.Params)
	var body, field cryptobyte.String
	var present bool
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() {
		return nil, fail(ErrMalformed, "parameters of RSAES-OAEP")
	}
	h, mgf := SHA1, SHA1
	if err := readHashAndMGF(&body, &h, &mgf); err != nil {
		return nil, err
	}
	o := &OAEP{Hash: h.Crypto(), MGF: mgf.Crypto()}
	if !body.ReadOptionalASN1(&field, &present, asn1.Tag(2).ContextSpecific().Constructed()) || !body.Empty() {
		return nil, fail(ErrMalformed, "parameters of RSAES-OAEP")
	}
	if !present {
		return o, nil
	}
	var source Identifier
	if !ReadIdentifier(&field, &source) || !field.Empty() {
		return nil, fail(ErrMalformed, "pSourceFunc of RSAES-OAEP")
	}
	if source.OID != oid.PSpecified {
		return nil, fail(ErrUnsupported, "label source %v", source.OID)
	}
	p := cryptobyte.String(source.Params)
	if !p.ReadASN1Bytes(&o.Label, asn1.OCTET_STRING) || !p.Empty() {
		return nil, fail(ErrMalformed, "label of RSAES-OAEP")
	}
	return o, nil
}

// Identifier returns the AlgorithmIdentifier to write, defaults omitted.
func (o *OAEP) Identifier() Identifier {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addHashAndMGF(b, hashOfCrypto(o.Hash), hashOfCrypto(o.MGF))
		if len(o.Label) > 0 {
			b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
				Identifier{OID: oid.PSpecified, Params: element(asn1.OCTET_STRING, o.Label)}.add(b)
			})
		}
	})
	return Identifier{OID: oid.RSAESOAEP, Params: b.BytesOrPanic()}
}

func (o *OAEP) equal(p *OAEP) bool {
	return o.Hash == p.Hash && o.MGF == p.MGF && bytes.Equal(o.Label, p.Label)
}
