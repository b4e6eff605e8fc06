package alg

import (
	"bytes"
	"context"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"runtime"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A PBKDF2 has the parameters of RFC 8018 appendix A.2.
//
//	PBKDF2-params ::= SEQUENCE {
//	    salt            CHOICE { specified OCTET STRING, otherSource AlgorithmIdentifier },
//	    iterationCount  INTEGER (1..MAX),
//	    keyLength       INTEGER (1..MAX) OPTIONAL,
//	    prf             AlgorithmIdentifier DEFAULT algid-hmacWithSHA1 }
type PBKDF2 struct {
	ID         Identifier
	Iterations int
	KeyLen     int // 0: not given

	salt []byte
	prf  Hash
}

// PBKDF2Of parses. Iterations are for the caller to bound, before Key.
func PBKDF2Of(id Identifier) (*PBKDF2, error) {
	if id.OID != oid.PBKDF2 {
		return nil, fail(ErrUnsupported, "key derivation %v", id.OID)
	}
	k := &PBKDF2{ID: id, prf: SHA1}
	s := cryptobyte.String(id.Params)
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !s.Empty() {
		return nil, fail(ErrMalformed, "parameters of PBKDF2")
	}
	if body.PeekASN1Tag(asn1.SEQUENCE) {
		return nil, fail(ErrUnsupported, "salt of another source")
	}
	var n int64
	if !body.ReadASN1Bytes(&k.salt, asn1.OCTET_STRING) || !body.ReadASN1Integer(&n) || n < 1 {
		return nil, fail(ErrMalformed, "parameters of PBKDF2")
	}
	if k.Iterations = int(n); int64(k.Iterations) != n {
		return nil, fail(ErrUnsupported, "number of iterations")
	}
	if body.PeekASN1Tag(asn1.INTEGER) && (!body.ReadASN1Integer(&k.KeyLen) || k.KeyLen < 1) {
		return nil, fail(ErrMalformed, "key length of PBKDF2")
	}
	if body.Empty() {
		return k, nil
	}
	var prf Identifier
	if !ReadIdentifier(&body, &prf) || !body.Empty() || !prf.noParams() {
		return nil, fail(ErrMalformed, "PRF of PBKDF2")
	}
	if k.prf = HMACHash(prf.OID); k.prf == 0 {
		return nil, fail(ErrUnsupported, "PRF %v", prf.OID)
	}
	return k, nil
}

// NewPBKDF2 makes one with a fresh salt, 600 000 iterations and HMAC-SHA-256.
func NewPBKDF2() *PBKDF2 {
	k := &PBKDF2{Iterations: 600_000, salt: randomBytes(16), prf: SHA256}
	b := cryptobyte.NewBuilder(nil)
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1OctetString(k.salt)
		b.AddASN1Int64(int64(k.Iterations))
		Identifier{OID: oid.HMACSHA256, Params: []byte(nullDER)}.add(b) // RFC 8018 appendix B.1.2
	})
	k.ID = Identifier{OID: oid.PBKDF2, Params: b.BytesOrPanic()}
	return k
}

// Key derives n octets, which must be KeyLen where that is given.
func (k *PBKDF2) Key(password []byte, n int) ([]byte, error) {
	return k.KeyContext(context.Background(), password, n)
}

// KeyContext is Key that ends with ctx: millions of iterations take seconds,
// which crypto/pbkdf2 cannot be asked to give up. The key is T_1 || T_2 || ... of
// RFC 8018 section 5.2.
func (k *PBKDF2) KeyContext(ctx context.Context, password []byte, n int) ([]byte, error) {
	if k.KeyLen != 0 && k.KeyLen != n {
		return nil, fail(ErrMismatch, "key length of PBKDF2")
	}
	const between = 1 << 14 // iterations between looks at ctx
	prf := hmac.New(k.prf.New, password)
	var key, u []byte
	for block := uint32(1); len(key) < n; block++ {
		prf.Reset()
		prf.Write(k.salt)
		prf.Write(binary.BigEndian.AppendUint32(nil, block))
		u = prf.Sum(u[:0])
		t := bytes.Clone(u)
		for i := 1; i < k.Iterations; i++ {
			if i%between == 0 {
				runtime.Gosched() // WebAssembly has one thread: who cancels must run
				if err := ctx.Err(); err != nil {
					return nil, err
				}
			}
			prf.Reset()
			prf.Write(u)
			u = prf.Sum(u[:0])
			subtle.XORBytes(t, t, u)
		}
		key = append(key, t...)
	}
	return key[:n], nil
}

// HMACHash returns the digest of an HMAC; 0: o is none.
func HMACHash(o oid.OID) Hash {
	switch o {
	case oid.HMACSHA1, oid.HMACSHA1IANA:
		return SHA1
	case oid.HMACSHA224:
		return SHA224
	case oid.HMACSHA256:
		return SHA256
	case oid.HMACSHA384:
		return SHA384
	case oid.HMACSHA512:
		return SHA512
	}
	return 0
}

// PWRIWrap wraps a key by id-alg-PWRI-KEK (RFC 3211 section 2.3.1) with AES-CBC
// under kek of 16, 24 or 32 octets. id is the whole identifier to write.
func PWRIWrap(kek, cek []byte) (id Identifier, wrapped []byte, err error) {
	c := AES256CBC
	switch len(kek) {
	case 16:
		c = AES128CBC
	case 24:
		c = AES192CBC
	}
	inner, err := NewContent(c, false)
	if err != nil {
		return Identifier{}, nil, err
	}
	if len(kek) != inner.KeyLen() || len(cek) < 3 || len(cek) > 255 {
		return Identifier{}, nil, fail(ErrMismatch, "length of a key to wrap")
	}
	b, err := inner.block(kek)
	if err != nil {
		return Identifier{}, nil, fail(ErrMismatch, "length of a key to wrap")
	}
	// Count, the complement of three octets, the key, random padding: two blocks at least.
	size := max(2*b.BlockSize(), (4+len(cek)+b.BlockSize()-1)/b.BlockSize()*b.BlockSize())
	out := randomBytes(size)
	out[0], out[1], out[2], out[3] = byte(len(cek)), ^cek[0], ^cek[1], ^cek[2]
	copy(out[4:], cek)
	mode := cipher.NewCBCEncrypter(b, inner.nonce)
	mode.CryptBlocks(out, out)
	mode.CryptBlocks(out, out) // chained on from the last block
	return Identifier{OID: oid.PWRIKEK, Params: inner.ID.DER()}, out, nil
}

// PWRIUnwrap is the reverse (RFC 3211 section 2.3.2); id as received. It also
// takes a plain AES wrap as RFC 3565 section 2.5 allows. What is wrong with the
// wrapped key is always ErrDecrypt.
func PWRIUnwrap(id Identifier, kek, wrapped []byte) ([]byte, error) {
	if id.OID != oid.PWRIKEK {
		w, err := WrapOf(id)
		if err != nil {
			return nil, err
		}
		return w.Unwrap(kek, wrapped)
	}
	inner, err := pwriInner(id)
	if err != nil {
		return nil, err
	}
	b, err := inner.block(kek)
	if err != nil || len(kek) != inner.KeyLen() {
		return nil, ErrDecrypt
	}
	size := b.BlockSize()
	if len(wrapped) < 2*size || len(wrapped)%size != 0 || len(wrapped) > maxWrapped {
		return nil, ErrDecrypt
	}
	// The last block of the first pass was the IV of the second; the last two of
	// the second tell it.
	n := len(wrapped)
	iv := make([]byte, size)
	cipher.NewCBCDecrypter(b, wrapped[n-2*size:n-size]).CryptBlocks(iv, wrapped[n-size:])
	out := make([]byte, n)
	cipher.NewCBCDecrypter(b, iv).CryptBlocks(out, wrapped)
	cipher.NewCBCDecrypter(b, inner.nonce).CryptBlocks(out, out)
	count := int(out[0])
	good := subtle.ConstantTimeLessOrEq(3, count) & subtle.ConstantTimeLessOrEq(count+4, n) &
		subtle.ConstantTimeCompare(out[1:4], []byte{^out[4], ^out[5], ^out[6]})
	if good != 1 {
		clear(out)
		return nil, ErrDecrypt
	}
	return out[4 : 4+count], nil
}

// PWRIKeyLen returns the length of the key that PWRIUnwrap takes.
func PWRIKeyLen(id Identifier) (int, error) {
	if id.OID != oid.PWRIKEK {
		w, err := WrapOf(id)
		if err != nil {
			return 0, err
		}
		return w.KEKLen, nil
	}
	inner, err := pwriInner(id)
	if err != nil {
		return 0, err
	}
	return inner.KeyLen(), nil
}

// pwriInner returns the CBC cipher that is the parameter of id-alg-PWRI-KEK.
func pwriInner(id Identifier) (*Content, error) {
	param, err := ParseIdentifier(id.Params)
	if err != nil {
		return nil, err
	}
	c, err := ContentOf(param)
	if err != nil {
		return nil, err
	}
	if cipherTable[c.Cipher].mode != modeCBC || c.HKDF || c.Cipher == RC2 {
		return nil, fail(ErrUnsupported, "password key wrap by %v", param.OID)
	}
	return c, nil
}
