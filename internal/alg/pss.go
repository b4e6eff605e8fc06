package alg

import (
	"crypto/rsa"
	"crypto/sha3"
	"crypto/subtle"
	"encoding/binary"
	"math/big"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A pss has the parameters of RSASSA-PSS (RFC 4055 section 3.1). An mgf that
// is SHAKE128 or SHAKE256 is the mask of RFC 8702, else it is MGF1.
//
//	RSASSA-PSS-params ::= SEQUENCE {
//	    hashAlgorithm     [0] HashAlgorithm DEFAULT sha1Identifier,
//	    maskGenAlgorithm  [1] MaskGenAlgorithm DEFAULT mgf1SHA1Identifier,
//	    saltLength        [2] INTEGER DEFAULT 20,
//	    trailerField      [3] INTEGER DEFAULT 1 }
type pss struct {
	hash, mgf Hash
	salt      int
}

// maxSalt is the longest salt that fits into the largest modulus.
const maxSalt = maxRSABits / 8

func parsePSS(params []byte) (pss, error) {
	p := pss{hash: SHA1, mgf: SHA1, salt: 20}
	s := cryptobyte.String(params)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() {
		return pss{}, fail(ErrMalformed, "parameters of RSASSA-PSS")
	}
	if err := readHashAndMGF(&body, &p.hash, &p.mgf); err != nil {
		return pss{}, err
	}
	trailer := 1
	if !readTaggedInt(&body, 2, &p.salt) || !readTaggedInt(&body, 3, &trailer) || !body.Empty() {
		return pss{}, fail(ErrMalformed, "parameters of RSASSA-PSS")
	}
	// RFC 4055 section 3.1: the only trailer is 1.
	if trailer != 1 || p.salt < 0 || p.salt > maxSalt {
		return pss{}, fail(ErrMalformed, "salt or trailer of RSASSA-PSS")
	}
	return p, nil
}

// params returns the DER to write; its defaults are never used for writing.
func (p pss) params() []byte {
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		addHashAndMGF(b, p.hash, p.mgf)
		b.AddASN1(asn1.Tag(2).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(p.salt)) })
	})
	return b.BytesOrPanic()
}

// readHashAndMGF reads the first two fields that RSASSA-PSS-params and
// RSAES-OAEP-params share.
func readHashAndMGF(s *cryptobyte.String, h, mgf *Hash) error {
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, asn1.Tag(0).ContextSpecific().Constructed()) {
		return fail(ErrMalformed, "hashAlgorithm")
	}
	if present {
		if err := readMaskHash(field, h); err != nil {
			return err
		}
	}
	if !s.ReadOptionalASN1(&field, &present, asn1.Tag(1).ContextSpecific().Constructed()) {
		return fail(ErrMalformed, "maskGenAlgorithm")
	}
	if !present {
		return nil
	}
	var gen Identifier
	if !ReadIdentifier(&field, &gen) || !field.Empty() {
		return fail(ErrMalformed, "maskGenAlgorithm")
	}
	if gen.OID != oid.MGF1 {
		return fail(ErrUnsupported, "mask generation %v", gen.OID)
	}
	return readMaskHash(gen.Params, mgf)
}

func readMaskHash(der []byte, h *Hash) error {
	id, err := ParseIdentifier(der)
	if err != nil {
		return err
	}
	got, err := HashOf(id)
	if err != nil {
		return err
	}
	// The SHAKEs of RFC 8702 have identifiers of their own, without parameters.
	if got.Crypto() == 0 {
		return fail(ErrUnsupported, "%v in RSA parameters", got)
	}
	*h = got
	return nil
}

// addHashAndMGF leaves out defaults, as DER asks. Inside, NULL parameters are
// written (RFC 4055 section 2.1).
func addHashAndMGF(b *cryptobyte.Builder, h, mgf Hash) {
	if h != SHA1 {
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			Identifier{OID: h.Identifier().OID, Params: []byte(nullDER)}.add(b)
		})
	}
	if mgf != SHA1 {
		b.AddASN1(asn1.Tag(1).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			Identifier{OID: oid.MGF1, Params: Identifier{OID: mgf.Identifier().OID, Params: []byte(nullDER)}.DER()}.add(b)
		})
	}
}

// readTaggedInt reads an optional explicitly tagged INTEGER.
func readTaggedInt(s *cryptobyte.String, tag uint8, out *int) bool {
	var field cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&field, &present, asn1.Tag(tag).ContextSpecific().Constructed()) {
		return false
	}
	return !present || field.ReadASN1Integer(out) && field.Empty()
}

// verify checks sig over digest. The standard library does it where it can
// express the parameters; it has no way to ask for a salt of exactly no octets,
// nor for a mask by another hash.
//
// DEVIATION: RFC 4055 section 3.1 recommends the same hash for the mask. Another
// one is taken, SHA-1 too: OpenSSL users ask for it, and the mask needs no
// collision resistance.
func (p pss) verify(pub *rsa.PublicKey, digest, sig []byte) error {
	if h := p.hash.Crypto(); h != 0 && p.hash == p.mgf && p.salt > 0 {
		if rsa.VerifyPSS(pub, h, digest, sig, &rsa.PSSOptions{SaltLength: p.salt}) != nil {
			return ErrSignature
		}
		return nil
	}
	em, ok := rsaPublic(pub, sig)
	if !ok || !p.match(em, pub.N.BitLen()-1, digest) {
		return ErrSignature
	}
	return nil
}

// match is EMSA-PSS-VERIFY (RFC 8017 section 9.1.2) on an encoded message of
// the length of the modulus.
func (p pss) match(em []byte, emBits int, digest []byte) bool {
	emLen := (emBits + 7) / 8
	if len(em) > emLen { // the modulus has one bit more than a multiple of 8
		if em[0] != 0 {
			return false
		}
		em = em[1:]
	}
	hLen := p.hash.Size()
	if emLen < hLen+p.salt+2 || em[emLen-1] != 0xbc {
		return false
	}
	db, h := em[:emLen-hLen-1], em[emLen-hLen-1:emLen-1]
	top := byte(0xff >> (8*emLen - emBits))
	if db[0]&^top != 0 {
		return false
	}
	mask := p.mask(h, len(db))
	subtle.XORBytes(db, db, mask)
	db[0] &= top
	pad := len(db) - p.salt - 1
	for _, b := range db[:pad] {
		if b != 0 {
			return false
		}
	}
	if db[pad] != 1 {
		return false
	}
	d := p.hash.New()
	d.Write(make([]byte, 8))
	d.Write(digest)
	d.Write(db[pad+1:])
	return subtle.ConstantTimeCompare(d.Sum(nil), h) == 1
}

func (p pss) mask(seed []byte, n int) []byte {
	switch p.mgf {
	case SHAKE128:
		return sha3.SumSHAKE128(seed, n)
	case SHAKE256:
		return sha3.SumSHAKE256(seed, n)
	}
	return mgf1(p.mgf, seed, n)
}

// mgf1 is MGF1 of RFC 8017 appendix B.2.1.
func mgf1(h Hash, seed []byte, n int) []byte {
	d := h.New()
	out := make([]byte, 0, n+h.Size())
	var counter [4]byte
	for i := uint32(0); len(out) < n; i++ {
		binary.BigEndian.PutUint32(counter[:], i)
		d.Reset()
		d.Write(seed)
		d.Write(counter[:])
		out = d.Sum(out)
	}
	return out[:n]
}

// rsaPublic is RSAVP1 (RFC 8017 section 5.2.2). Everything in it is public.
func rsaPublic(pub *rsa.PublicKey, sig []byte) ([]byte, bool) {
	if len(sig) != pub.Size() {
		return nil, false
	}
	s := new(big.Int).SetBytes(sig)
	if s.Cmp(pub.N) >= 0 {
		return nil, false
	}
	s.Exp(s, big.NewInt(int64(pub.E)), pub.N)
	return s.FillBytes(make([]byte, pub.Size())), true
}
