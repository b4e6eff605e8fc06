package smime

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"github.com/gosmime/gosmime/pkcs7"
)

// Capabilities is an ordered list of algorithms that somebody can read
// (RFC 8551 section 2.5.2), most preferred first.
type Capabilities []Capability

// A Capability is one SMIMECapability.
type Capability struct {
	OID        x509.OID
	Parameters []byte // DER, or nil
}

// Reads reports whether the list has the content cipher. Nothing is inferred
// from other entries.
func (c Capabilities) Reads(cipher pkcs7.Cipher) bool {
	if !alg.Cipher(cipher).Writable() {
		return false
	}
	want := alg.Cipher(cipher).OID()
	for _, e := range c {
		if oid.FromX509(e.OID) == want {
			return true
		}
	}
	return false
}

// maxCapabilities bounds a list: real ones have about a dozen entries.
const maxCapabilities = 256

// ParseCapabilities reads the value of an SMIMECapabilities attribute or of
// the certificate extension of RFC 4262. The error wraps ErrMalformed. The
// result of an empty list is not nil: somebody said to read nothing.
//
//	SMIMECapabilities ::= SEQUENCE OF SMIMECapability
//	SMIMECapability ::= SEQUENCE {
//	    capabilityID OBJECT IDENTIFIER,
//	    parameters   ANY DEFINED BY capabilityID OPTIONAL }
func ParseCapabilities(der []byte) (Capabilities, error) {
	in := cryptobyte.String(der)
	var list cryptobyte.String
	if !in.ReadASN1(&list, cbasn1.SEQUENCE) || !in.Empty() {
		return nil, fmt.Errorf("%w: SMIMECapabilities", ErrMalformed)
	}
	caps := Capabilities{}
	for !list.Empty() {
		var entry, id, params cryptobyte.String
		if len(caps) == maxCapabilities || !list.ReadASN1(&entry, cbasn1.SEQUENCE) || !entry.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) {
			return nil, fmt.Errorf("%w: SMIMECapabilities entry %d", ErrMalformed, len(caps))
		}
		var c Capability
		if err := c.OID.UnmarshalBinary(id); err != nil {
			return nil, fmt.Errorf("%w: SMIMECapabilities entry %d: %w", ErrMalformed, len(caps), err)
		}
		if !entry.Empty() {
			var tag cbasn1.Tag
			if !entry.ReadAnyASN1Element(&params, &tag) || !entry.Empty() {
				return nil, fmt.Errorf("%w: SMIMECapabilities entry %d", ErrMalformed, len(caps))
			}
			c.Parameters = append([]byte(nil), params...)
		}
		caps = append(caps, c)
	}
	return caps, nil
}

// MarshalBinary returns the list as an SMIMECapabilities in DER.
func (c Capabilities) MarshalBinary() ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, e := range c {
			id, err := e.OID.MarshalBinary()
			if err != nil || len(id) == 0 {
				b.SetError(fmt.Errorf("%w: capability %d has no identifier", ErrMalformed, i))
				return
			}
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(id) })
				b.AddBytes(e.Parameters)
			})
		}
	})
	return b.Bytes()
}

// clone returns a copy that shares nothing with c.
func (c Capabilities) clone() Capabilities {
	c = slices.Clone(c)
	for i := range c {
		c[i].Parameters = bytes.Clone(c[i].Parameters)
	}
	return c
}

// certificateCapabilities returns those of the certificate (RFC 4262), or nil.
func certificateCapabilities(der *x509der.Certificate) Capabilities {
	e := der.Extension(oid.AttrSMIMECapabilities)
	if e == nil {
		return nil
	}
	caps, err := ParseCapabilities(e.Value)
	if err != nil {
		return nil
	}
	return caps
}

// OwnCapabilities returns what this package reads, for replies that are
// encrypted to cert; of a certificate that is nil or cannot be read, only the
// ciphers. It leaves out CEK-HKDF (RFC 9709), which few programs write or read
// and which prevents nothing where replies use AES-GCM.
//
// The list begins with AES-256-GCM. Announce a list of your own if the owner of
// the key also reads mail in another program: Thunderbird 153 shows a blank
// page, and no error, for a message encrypted with AES-GCM.
func OwnCapabilities(cert *x509.Certificate) Capabilities {
	if cert == nil {
		return ownCapabilities(nil)
	}
	der, err := x509der.Parse(cert.Raw)
	if err != nil {
		return ownCapabilities(nil)
	}
	pub, err := alg.ParsePublicKey(der.SPKI)
	if err != nil {
		return ownCapabilities(nil)
	}
	return ownCapabilities(pub)
}

// ownCapabilities returns the list for replies to the key pub. Every entry is built from identifiers (RFC 8551 section 2.5.2: parameters are
// absent where nothing is to be told apart).
func ownCapabilities(pub *alg.PublicKey) Capabilities {
	var caps Capabilities
	add := func(id oid.OID, params []byte) {
		caps = append(caps, Capability{OID: id.X509(), Parameters: params})
	}
	for _, id := range []oid.OID{oid.AES256GCM, oid.AES128GCM, oid.ChaCha20Poly1305, oid.AES256CBC, oid.AES192CBC, oid.AES128CBC} {
		add(id, nil)
	}
	if pub == nil {
		return caps
	}
	wrap := func(keyLen int) []byte { return alg.WrapFor(keyLen).ID.DER() }
	if pub.Kind.Transport() == alg.KeyTransport {
		oaep := alg.OAEP{Hash: crypto.SHA256, MGF: crypto.SHA256}
		add(oid.RSAESOAEP, oaep.Identifier().Params)
	}
	if agreement := pub.Kind.AnnouncedAgreement(); agreement != "" {
		// RFC 5753 section 6: the parameters are the key wrap.
		add(agreement, wrap(32))
		add(agreement, wrap(16))
	}
	return caps
}

// oaepFor returns the parameters of RSAES-OAEP that the list announces, the
// strongest first, or nil.
func oaepFor(caps Capabilities) *alg.OAEP {
	var best *alg.OAEP
	for _, e := range caps {
		if oid.FromX509(e.OID) != oid.RSAESOAEP {
			continue
		}
		o, err := alg.OAEPOf(alg.Identifier{OID: oid.RSAESOAEP, Params: e.Parameters})
		if err != nil {
			o = untaggedOAEP(e.Parameters)
		}
		if o == nil || len(o.Label) > 0 || o.Hash != o.MGF {
			continue
		}
		if best == nil || better(o.Hash, best.Hash) {
			best = o
		}
	}
	return best
}

// better prefers SHA-256, which everybody who has OAEP has, over the others
// and any SHA-2 over SHA-1.
func better(a, b crypto.Hash) bool {
	rank := func(h crypto.Hash) int {
		switch h {
		case crypto.SHA256:
			return 3
		case crypto.SHA384, crypto.SHA512:
			return 2
		case crypto.SHA1:
			return 1
		}
		return 0
	}
	return rank(a) > rank(b)
}

// untaggedOAEP reads the capability as RFC 3560 section 5 prints it.
//
// DEVIATION: the examples there lack the tags [0] and [1] that RFC 4055 asks
// for, and programs copied them.
func untaggedOAEP(params []byte) *alg.OAEP {
	in := cryptobyte.String(params)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !in.Empty() {
		return nil
	}
	var first, second cryptobyte.String
	if !seq.ReadASN1Element(&first, cbasn1.SEQUENCE) || !seq.ReadASN1Element(&second, cbasn1.SEQUENCE) || !seq.Empty() {
		return nil
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(first) })
		b.AddASN1(cbasn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(second) })
	})
	tagged, err := b.Bytes()
	if err != nil {
		return nil
	}
	o, err := alg.OAEPOf(alg.Identifier{OID: oid.RSAESOAEP, Params: tagged})
	if err != nil {
		return nil
	}
	return o
}
