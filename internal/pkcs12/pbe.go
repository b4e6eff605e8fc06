package pkcs12

import (
	"bytes"
	"crypto/hmac"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

// The password-based ciphers of RFC 7292 appendix C that are read.
const (
	oidPBE3DES3   oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x03" // 1.2.840.113549.1.12.1.3
	oidPBE3DES2   oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x04" // 1.2.840.113549.1.12.1.4
	oidPBERC2_128 oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x05" // 1.2.840.113549.1.12.1.5
	oidPBERC2_40  oid.OID = "\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01\x06" // 1.2.840.113549.1.12.1.6
)

// An encodedPassword is a password in the two encodings in use: BMPString with
// two zero octets at its end for the functions of PKCS #12, and UTF-8 for PBKDF2
// (RFC 9579 section 5; RFC 8018 section 3).
type encodedPassword struct{ bmp, utf8 []byte }

// encodings returns what programs make of a password, the standard form first.
func encodings(password string) []encodedPassword {
	list := []encodedPassword{{bmpPassword(password), []byte(password)}}
	if password == "" {
		// DEVIATION: RFC 7292 appendix B.1 makes two zero octets of an empty
		// password; to some programs it has none.
		return append(list, encodedPassword{nil, nil})
	}
	if widened := widenedPassword(password); !bytes.Equal(widened, list[0].bmp) {
		list = append(list, encodedPassword{widened, []byte(password)})
	}
	return list
}

func bmpPassword(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return append(b, 0, 0)
}

// widenedPassword puts a zero before each octet of the UTF-8 form.
//
// DEVIATION: OpenSSL before 1.1.0 encodes passwords so instead of as the
// BMPString of RFC 7292 appendix B.1, whatever characters the octets are.
func widenedPassword(s string) []byte {
	var b []byte
	for i := range len(s) {
		b = append(b, 0, s[i])
	}
	return append(b, 0, 0)
}

func bmpText(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.BigEndian.Uint16(b[2*i:])
	}
	return string(utf16.Decode(units))
}

// unlock checks the MAC, which also shows how the password is to be encoded.
func (d *decoder) unlock(o *outer) error {
	if !o.hasMAC {
		return nil
	}
	for _, p := range d.passwords {
		ok, err := d.checkMAC(o, p)
		if err != nil {
			return err
		}
		if ok {
			d.passwords = []encodedPassword{p}
			return nil
		}
		if o.macAlg.OID == oid.PBMAC1 {
			break // in which all have the same form
		}
	}
	return ErrPassword
}

func (d *decoder) checkMAC(o *outer, password encodedPassword) (bool, error) {
	if o.macAlg.OID == oid.PBMAC1 {
		return d.checkPBMAC1(o, password)
	}
	hash, err := alg.HashOf(o.macAlg)
	if err != nil {
		return false, classify("MAC", err)
	}
	if err := d.spend(o.iterations); err != nil {
		return false, err
	}
	mac := hmac.New(hash.New, deriveKey(hash, 3, password.bmp, o.salt, int(o.iterations), hash.Size()))
	mac.Write(o.content)
	return subtle.ConstantTimeCompare(mac.Sum(nil), o.mac) == 1, nil
}

// checkPBMAC1 checks a MAC of RFC 9579.
//
//	PBMAC1-params ::= SEQUENCE {
//	    keyDerivationFunc AlgorithmIdentifier {{PBMAC1-KDFs}},
//	    messageAuthScheme AlgorithmIdentifier {{PBMAC1-MACs}} }
func (d *decoder) checkPBMAC1(o *outer, password encodedPassword) (bool, error) {
	in := cryptobyte.String(o.macAlg.Params)
	var seq cryptobyte.String
	var kdfID, macID alg.Identifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !alg.ReadIdentifier(&seq, &kdfID) || !alg.ReadIdentifier(&seq, &macID) || !seq.Empty() {
		return false, malformed("PBMAC1 parameters")
	}
	kdf, err := d.pbkdf2(kdfID)
	if err != nil {
		return false, err
	}
	hash := alg.HMACHash(macID.OID)
	if hash == 0 {
		return false, fmt.Errorf("PBMAC1 with %v: %w", macID.OID, ErrUnsupported)
	}
	// RFC 9579 section 4: the key length must be there. A short key would make
	// the MAC a guess, and each further block of a long one costs all iterations.
	if kdf.KeyLen < 20 || kdf.KeyLen > 64 {
		return false, malformed("PBMAC1 key length")
	}
	key, err := kdf.Key(password.utf8, kdf.KeyLen)
	if err != nil {
		return false, classify("PBMAC1", err)
	}
	mac := hmac.New(hash.New, key)
	mac.Write(o.content)
	return subtle.ConstantTimeCompare(mac.Sum(nil), o.mac) == 1, nil
}

// spend counts the iterations of a key derivation before they are done.
func (d *decoder) spend(iterations int64) error {
	if iterations < 1 {
		return malformed("iteration count")
	}
	if iterations > maxIterations || d.work+iterations > maxIterationsTotal {
		return fmt.Errorf("%d iterations of key derivation: %w", iterations, ErrLimit)
	}
	d.work += iterations
	return nil
}

func (d *decoder) pbkdf2(id alg.Identifier) (*alg.PBKDF2, error) {
	kdf, err := alg.PBKDF2Of(id)
	if err != nil {
		return nil, classify("key derivation", err)
	}
	return kdf, d.spend(int64(kdf.Iterations))
}

// decrypt undoes PBES2 (RFC 8018 section 6.2) or one of the ciphers of PKCS #12.
// The plaintext is one that is right. Without a MAC every encoding of the
// password is tried.
func (d *decoder) decrypt(id alg.Identifier, ciphertext []byte, right func([]byte) bool) ([]byte, error) {
	for i, p := range d.passwords {
		if i > 0 && id.OID == oid.PBES2 {
			break // in which all have the same form
		}
		plain, err := d.decryptWith(p, id, ciphertext)
		if err == nil && right(plain) {
			return plain, nil
		}
		if err != nil && !errors.Is(err, ErrPassword) {
			return nil, err
		}
	}
	return nil, ErrPassword
}

func (d *decoder) decryptWith(password encodedPassword, id alg.Identifier, ciphertext []byte) ([]byte, error) {
	content, key, err := d.pbeKey(password, id)
	if err != nil {
		return nil, err
	}
	if content.TagLen > 0 {
		return openAuthenticated(content, key, ciphertext)
	}
	dec, err := content.Decrypter(key)
	if err != nil {
		return nil, classify("encryption by password", err)
	}
	plain, ok := dec.Final(dec.Update(nil, ciphertext))
	if !ok {
		return nil, ErrPassword
	}
	return plain, nil
}

// openAuthenticated decrypts a ciphertext that ends with its tag.
func openAuthenticated(content *alg.Content, key, ciphertext []byte) ([]byte, error) {
	n := len(ciphertext) - content.TagLen
	if n < 0 {
		return nil, malformed("ciphertext is shorter than its tag")
	}
	a, err := content.Authenticator(key, nil, int64(n))
	if err == nil {
		_, err = a.Write(ciphertext[:n])
	}
	if err != nil {
		return nil, classify("encryption by password", err)
	}
	if !a.Check(ciphertext[n:]) {
		return nil, ErrPassword
	}
	dec, err := content.Decrypter(key)
	if err != nil {
		return nil, classify("encryption by password", err)
	}
	plain, _ := dec.Final(dec.Update(nil, ciphertext[:n]))
	return plain, nil
}

// pbeKey returns the cipher that id asks for and its key.
func (d *decoder) pbeKey(password encodedPassword, id alg.Identifier) (*alg.Content, []byte, error) {
	if id.OID == oid.PBES2 {
		return d.pbes2Key(password, id)
	}
	in := cryptobyte.String(id.Params)
	var seq, salt cryptobyte.String
	var iterations int64
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1(&salt, cbasn1.OCTET_STRING) || !seq.ReadASN1Integer(&iterations) || !seq.Empty() {
		return nil, nil, malformed("parameters of encryption by password")
	}
	if err := d.spend(iterations); err != nil {
		return nil, nil, err
	}
	derive := func(purpose byte, n int) []byte {
		return deriveKey(alg.SHA1, purpose, password.bmp, salt, int(iterations), n)
	}
	iv := derive(2, 8)
	var keyLen, rc2Version int
	switch id.OID {
	case oidPBE3DES3:
		keyLen = 24
	case oidPBE3DES2:
		keyLen = 16
	case oidPBERC2_128:
		keyLen, rc2Version = 16, 58
	case oidPBERC2_40:
		keyLen, rc2Version = 5, 160
	default:
		return nil, nil, fmt.Errorf("encryption by password with %v: %w", id.OID, ErrUnsupported)
	}
	key := derive(1, keyLen)
	if id.OID == oidPBE3DES2 {
		key = append(key, key[:8]...)
	}
	content, err := alg.ContentOf(pbeCipher(rc2Version, iv))
	if err != nil {
		return nil, nil, classify("encryption by password", err)
	}
	return content, key, nil
}

// pbeCipher returns Triple DES, or RC2 if it has a version (RFC 8018 appendix
// B.2.3: the effective key bits), as CMS writes it.
func pbeCipher(rc2Version int, iv []byte) alg.Identifier {
	var b cryptobyte.Builder
	if rc2Version == 0 {
		b.AddASN1OctetString(iv)
		return alg.Identifier{OID: oid.TripleDESCBC, Params: b.BytesOrPanic()}
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(int64(rc2Version))
		b.AddASN1OctetString(iv)
	})
	return alg.Identifier{OID: oid.RC2CBC, Params: b.BytesOrPanic()}
}

// pbes2Key reads the parameters of PBES2.
//
//	PBES2-params ::= SEQUENCE {
//	    keyDerivationFunc AlgorithmIdentifier {{PBES2-KDFs}},
//	    encryptionScheme  AlgorithmIdentifier {{PBES2-Encs}} }
func (d *decoder) pbes2Key(password encodedPassword, id alg.Identifier) (*alg.Content, []byte, error) {
	in := cryptobyte.String(id.Params)
	var seq cryptobyte.String
	var kdfID, encID alg.Identifier
	if !in.ReadASN1(&seq, cbasn1.SEQUENCE) || !alg.ReadIdentifier(&seq, &kdfID) || !alg.ReadIdentifier(&seq, &encID) || !seq.Empty() {
		return nil, nil, malformed("PBES2 parameters")
	}
	content, err := alg.ContentOf(encID)
	if err != nil {
		return nil, nil, classify("encryption by password", err)
	}
	n := content.KeyLen()
	same := derivation{string(kdfID.DER()), n}
	if key := d.derived[same]; key != nil {
		return content, key, nil
	}
	kdf, err := d.pbkdf2(kdfID)
	if err != nil {
		return nil, nil, err
	}
	key, err := kdf.Key(password.utf8, n)
	if err != nil {
		return nil, nil, classify("encryption by password", err)
	}
	if d.derived == nil {
		d.derived = make(map[derivation][]byte)
	}
	d.derived[same] = key
	return content, key, nil
}

// deriveKey derives n octets (RFC 7292 appendix B.2). purpose is 1 for a key,
// 2 for an IV and 3 for a MAC key. The names are those of the RFC.
func deriveKey(hash alg.Hash, purpose byte, password, salt []byte, iterations, n int) []byte {
	h := hash.New()
	u, v := h.Size(), h.BlockSize()
	d := make([]byte, v)
	for i := range d {
		d[i] = purpose
	}
	i := append(fill(salt, v), fill(password, v)...)
	var out []byte
	a := make([]byte, 0, u)
	b := make([]byte, v)
	for len(out) < n {
		h.Reset()
		h.Write(d)
		h.Write(i)
		a = h.Sum(a[:0])
		for range iterations - 1 {
			h.Reset()
			h.Write(a)
			a = h.Sum(a[:0])
		}
		out = append(out, a...)
		for j := range b {
			b[j] = a[j%u]
		}
		for j := 0; j < len(i); j += v {
			addOne(i[j:j+v], b)
		}
	}
	return out[:n]
}

// fill repeats s to a multiple of v octets.
func fill(s []byte, v int) []byte {
	if len(s) == 0 {
		return nil
	}
	out := make([]byte, (len(s)+v-1)/v*v)
	for i := range out {
		out[i] = s[i%len(s)]
	}
	return out
}

// addOne sets x to x + b + 1 modulo 2^(8·len(x)).
func addOne(x, b []byte) {
	carry := 1
	for k := len(x) - 1; k >= 0; k-- {
		carry += int(x[k]) + int(b[k])
		x[k] = byte(carry)
		carry >>= 8
	}
}
