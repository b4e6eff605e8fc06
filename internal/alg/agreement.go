package alg

import (
	"bytes"
	"crypto/hkdf"
	"encoding/binary"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Agreement is a key agreement algorithm: the KDF that follows (X9.63 or HKDF), its hash, and the key wrap.
type Agreement struct {
	ID       Identifier
	Hash     Hash
	HKDF     bool
	Cofactor bool
	Wrap     *Wrap
}

// AgreementOf parses a key agreement AlgorithmIdentifier (RFC 5753 section 7.1, RFC 8418 section 2).
func AgreementOf(id Identifier) (*Agreement, error) {
	a := &Agreement{ID: id}
	switch id.OID {
	case oid.DHStdSHA1KDF, oid.DHCofactorSHA1KDF:
		a.Hash = SHA1
	case oid.DHStdSHA224KDF, oid.DHCofactorSHA224KDF:
		a.Hash = SHA224
	case oid.DHStdSHA256KDF, oid.DHCofactorSHA256KDF, oid.DHHKDFSHA256:
		a.Hash = SHA256
	case oid.DHStdSHA384KDF, oid.DHCofactorSHA384KDF, oid.DHHKDFSHA384:
		a.Hash = SHA384
	case oid.DHStdSHA512KDF, oid.DHCofactorSHA512KDF, oid.DHHKDFSHA512:
		a.Hash = SHA512
	default:
		return nil, fail(ErrUnsupported, "key agreement %v", id.OID)
	}
	switch id.OID {
	case oid.DHHKDFSHA256, oid.DHHKDFSHA384, oid.DHHKDFSHA512:
		a.HKDF = true
	case oid.DHCofactorSHA1KDF, oid.DHCofactorSHA224KDF, oid.DHCofactorSHA256KDF, oid.DHCofactorSHA384KDF, oid.DHCofactorSHA512KDF:
		a.Cofactor = true // the cofactor of all curves here is 1, or within the scalar
	}
	wrap, err := ParseIdentifier(id.Params)
	if err != nil {
		return nil, fail(ErrMalformed, "key wrap of key agreement %v", id.OID)
	}
	a.Wrap, err = WrapOf(wrap)
	if err != nil {
		return nil, err
	}
	return a, nil
}

// AgreementFor returns the one to write for a recipient's key and a CEK of that many octets:
// stdDH with the X9.63 KDF for the NIST curves, HKDF for X25519 and X448.
func AgreementFor(pub *PublicKey, cekLen int) (*Agreement, error) {
	var o oid.OID
	switch {
	case pub.Kind == X25519Key:
		o = oid.DHHKDFSHA256
	case pub.Kind == X448Key:
		o = oid.DHHKDFSHA512
	case pub.Kind == EC && pub.Bits == 256:
		o = oid.DHStdSHA256KDF
	case pub.Kind == EC && pub.Bits == 384:
		o = oid.DHStdSHA384KDF
	case pub.Kind == EC && pub.Bits == 521:
		o = oid.DHStdSHA512KDF
	default:
		return nil, fail(ErrUnsupported, "key agreement with a key of %v", pub.Algorithm.OID)
	}
	return AgreementOf(Identifier{OID: o, Params: WrapFor(cekLen).ID.DER()})
}

// KEKs returns the key-encryption keys that z may stand for, the standard's reading first.
// Senders differ in two ways: with HKDF and a ukm (nil: absent) some use it in
// the SharedInfo only, not as the salt too (RFC 8418 section 2.2), and some put
// other parameters into keyInfo than into the message.
func (a *Agreement) KEKs(z, ukm []byte) ([][]byte, error) {
	received := a.Wrap.ID.DER()
	infos := [][]byte{sharedInfo(received, ukm, a.Wrap.KEKLen)}
	if canonical := a.Wrap.canonical(); !bytes.Equal(received, canonical) {
		infos = append(infos, sharedInfo(canonical, ukm, a.Wrap.KEKLen))
	}
	if !a.HKDF {
		var keks [][]byte
		for _, info := range infos {
			keks = append(keks, x963(a.Hash, z, info, a.Wrap.KEKLen))
		}
		return keks, nil
	}
	salts := [][]byte{ukm}
	if len(ukm) > 0 {
		salts = append(salts, nil)
	}
	var keks [][]byte
	for _, salt := range salts {
		for _, info := range infos {
			kek, err := hkdf.Key(a.Hash.New, z, salt, string(info), a.Wrap.KEKLen)
			if err != nil {
				return nil, fail(ErrUnsupported, "HKDF")
			}
			keks = append(keks, kek)
		}
	}
	return keks, nil
}

// canonical is the identifier as the standards write it: absent parameters for
// AES, NULL for Triple DES (RFC 5753 section 7.2).
func (w *Wrap) canonical() []byte {
	id := Identifier{OID: w.ID.OID}
	if id.OID == oid.TripleDESWrap {
		id.Params = []byte(nullDER)
	}
	return id.DER()
}

// sharedInfo makes the ECC-CMS-SharedInfo of RFC 5753 section 7.2.
//
//	ECC-CMS-SharedInfo ::= SEQUENCE {
//	    keyInfo      AlgorithmIdentifier,
//	    entityUInfo  [0] EXPLICIT OCTET STRING OPTIONAL,
//	    suppPubInfo  [2] EXPLICIT OCTET STRING }
func sharedInfo(keyInfo, ukm []byte, kekLen int) []byte {
	b := cryptobyte.NewBuilder(make([]byte, 0, 32+len(keyInfo)+len(ukm)))
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(keyInfo)
		if ukm != nil {
			b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1OctetString(ukm) })
		}
		b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(binary.BigEndian.AppendUint32(nil, uint32(8*kekLen)))
		})
	})
	return b.BytesOrPanic()
}

// x963 is the KDF of SEC 1 section 3.6.1, which is KDF2 of ISO 18033-2 too:
// Hash(z ‖ counter ‖ info).
func x963(h Hash, z, info []byte, n int) []byte {
	return counterKDF(h, n, func(counter []byte) [3][]byte { return [3][]byte{z, counter, info} })
}

// kdf3 is KDF3 of ANS X9.44: Hash(counter ‖ z ‖ info).
func kdf3(h Hash, z, info []byte, n int) []byte {
	return counterKDF(h, n, func(counter []byte) [3][]byte { return [3][]byte{counter, z, info} })
}

func counterKDF(h Hash, n int, input func(counter []byte) [3][]byte) []byte {
	d := h.New()
	out := make([]byte, 0, n+h.Size())
	for i := uint32(1); len(out) < n; i++ {
		d.Reset()
		for _, b := range input(binary.BigEndian.AppendUint32(nil, i)) {
			d.Write(b)
		}
		out = d.Sum(out)
	}
	return out[:n]
}
