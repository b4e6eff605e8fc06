package vectors

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"hash"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// der returns one element with that content.
func der(tag asn1.Tag, content ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(content, nil)) })
	return b.BytesOrPanic()
}

func integer(n int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(n)
	return b.BytesOrPanic()
}

func named(o oid.OID, params ...[]byte) alg.Identifier {
	if len(params) == 0 {
		return alg.Identifier{OID: o}
	}
	return alg.Identifier{OID: o, Params: bytes.Join(params, nil)}
}

// bySize picks an identifier by the size of a key in bits.
func bySize(bits int, o128, o192, o256 oid.OID) oid.OID {
	switch bits {
	case 128:
		return o128
	case 192:
		return o192
	}
	return o256
}

func runWrap(g *group, v *vector) error {
	return unwrap(bySize(g.KeySize, oid.AES128Wrap, oid.AES192Wrap, oid.AES256Wrap), v)
}

func runWrapPad(g *group, v *vector) error {
	return unwrap(bySize(g.KeySize, oid.AES128WrapPad, oid.AES192WrapPad, oid.AES256WrapPad), v)
}

func unwrap(o oid.OID, v *vector) error {
	w, err := alg.WrapOf(named(o))
	if err != nil {
		return err
	}
	got, err := w.Unwrap(v.Key, v.Ct)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, v.Msg) {
		return errWrong
	}
	again, err := w.Wrap(v.Key, v.Msg)
	if err != nil || !bytes.Equal(again, v.Ct) {
		return fmt.Errorf("wrapping: %w", errWrong)
	}
	return nil
}

func runGCM(g *group, v *vector) error {
	return runAEAD(bySize(g.KeySize, oid.AES128GCM, oid.AES192GCM, oid.AES256GCM), g, v)
}

func runCCM(g *group, v *vector) error {
	return runAEAD(bySize(g.KeySize, oid.AES128CCM, oid.AES192CCM, oid.AES256CCM), g, v)
}

func runChaCha(g *group, v *vector) error {
	return checkAEAD(named(oid.ChaCha20Poly1305, der(asn1.OCTET_STRING, v.Iv)), v)
}

func runAEAD(o oid.OID, g *group, v *vector) error {
	return checkAEAD(named(o, der(asn1.SEQUENCE, der(asn1.OCTET_STRING, v.Iv), integer(int64(g.TagSize/8)))), v)
}

// checkAEAD opens and seals, octet by octet and at once.
func checkAEAD(id alg.Identifier, v *vector) error {
	c, err := alg.ContentOf(id)
	if err != nil {
		return err
	}
	for _, step := range []int{1, len(v.Ct) + 1} {
		a, err := c.Authenticator(v.Key, v.Aad, int64(len(v.Ct)))
		if err != nil {
			return err
		}
		d, err := c.Decrypter(v.Key)
		if err != nil {
			return err
		}
		var out []byte
		for rest := v.Ct; len(rest) > 0; {
			n := min(step, len(rest))
			if _, err := a.Write(rest[:n]); err != nil {
				return err
			}
			out = d.Update(out, rest[:n])
			rest = rest[n:]
		}
		if !a.Check(v.Tag) {
			return errRefused
		}
		if out, _ = d.Final(out); !bytes.Equal(out, v.Msg) {
			return errWrong
		}
	}
	e, err := c.EncrypterSize(v.Key, v.Aad, int64(len(v.Msg)))
	if err != nil {
		return err
	}
	out, tag := e.Final(e.Update(nil, v.Msg))
	if !bytes.Equal(out, v.Ct) || !bytes.Equal(tag, v.Tag) {
		return fmt.Errorf("encrypting: %w", errWrong)
	}
	return nil
}

func runCBC(g *group, v *vector) error {
	c, err := alg.ContentOf(named(bySize(g.KeySize, oid.AES128CBC, oid.AES192CBC, oid.AES256CBC), der(asn1.OCTET_STRING, v.Iv)))
	if err != nil {
		return err
	}
	return decryptCBC(c, v)
}

func decryptCBC(c *alg.Content, v *vector) error {
	d, err := c.Decrypter(v.Key)
	if err != nil {
		return err
	}
	out, ok := d.Final(d.Update(nil, v.Ct))
	if !ok {
		return errRefused
	}
	if !bytes.Equal(out, v.Msg) {
		return errWrong
	}
	e, err := c.Encrypter(v.Key, nil)
	if err != nil {
		return err
	}
	if again, _ := e.Final(e.Update(nil, v.Msg)); !bytes.Equal(again, v.Ct) {
		return fmt.Errorf("encrypting: %w", errWrong)
	}
	return nil
}

func runHKDF(h func() hash.Hash) func(*group, *vector) error {
	return func(_ *group, v *vector) error {
		okm, err := hkdf.Key(h, v.Ikm, v.Salt, string(v.Info), v.Size)
		if err != nil {
			return err
		}
		if !bytes.Equal(okm, v.Okm) {
			return errWrong
		}
		return nil
	}
}

func hkdfSHA256() hash.Hash { return sha256.New() }
func hkdfSHA384() hash.Hash { return sha512.New384() }
func hkdfSHA512() hash.Hash { return sha512.New() }

// pbkdf2 returns the identifier of RFC 8018 appendix A.2.
func pbkdf2(prf oid.OID, v *vector) alg.Identifier {
	return named(oid.PBKDF2, der(asn1.SEQUENCE, der(asn1.OCTET_STRING, v.Salt), integer(int64(v.IterationCount)),
		named(prf, der(asn1.NULL)).DER()))
}

func runPBKDF2(prf oid.OID) func(*group, *vector) error {
	return func(_ *group, v *vector) error {
		k, err := alg.PBKDF2Of(pbkdf2(prf, v))
		if err != nil {
			return err
		}
		if got, err := k.Key(v.Password, v.DkLen); err != nil || !bytes.Equal(got, v.Dk) {
			return errWrong
		}
		return nil
	}
}

func runPBES2(prf, cipher oid.OID) func(*group, *vector) error {
	return func(_ *group, v *vector) error {
		id := named(oid.PBES2, der(asn1.SEQUENCE, pbkdf2(prf, v).DER(), named(cipher, der(asn1.OCTET_STRING, v.Iv)).DER()))
		got, err := alg.DecryptPKCS8(der(asn1.SEQUENCE, id.DER(), der(asn1.OCTET_STRING, v.Ct)), v.Password, 1_000_000)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, v.Msg) {
			return errWrong
		}
		return nil
	}
}
