package smime

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

const pfxExplicit = cbasn1.Tag(0xa0) // [0] EXPLICIT

// writeHistory writes any number of identities in one file. All of it is
// encrypted under one key, each time with another IV: a derivation for each key
// would make long histories take minutes to open, and more iterations than
// readers allow.
func writeHistory(identities []*Identity, keys [][]byte, password string) ([]byte, error) {
	for _, r := range password {
		if utf16.RuneLen(r) != 1 {
			return nil, fmt.Errorf("%w: PKCS #12: a character of the password is outside the Basic Multilingual Plane", ErrMalformed)
		}
	}
	w, err := newPFXWriter(password)
	if err != nil {
		return nil, err
	}
	certs, err := w.encryptedSafe(certBags(identities))
	if err != nil {
		return nil, err
	}
	bags, err := w.keyBags(identities, keys)
	if err != nil {
		return nil, err
	}
	return joinSafes([][]byte{certs, plainSafe(bags)}, password, alg.SHA256, pfxIterations)
}

// A pfxWriter encrypts the bags of one file.
type pfxWriter struct {
	kdf *alg.PBKDF2
	key []byte
}

func newPFXWriter(password string) (*pfxWriter, error) {
	w := &pfxWriter{kdf: alg.NewPBKDF2()}
	content, err := alg.NewContent(alg.AES256CBC, false)
	if err != nil {
		return nil, err
	}
	w.key, err = w.kdf.Key([]byte(password), content.KeyLen())
	return w, err
}

// encrypt applies PBES2 (RFC 8018 section 6.2).
func (w *pfxWriter) encrypt(plain []byte) (id, ciphertext []byte, err error) {
	content, err := alg.NewContent(alg.AES256CBC, false) // with a fresh IV
	if err != nil {
		return nil, nil, err
	}
	enc, err := content.Encrypter(w.key, nil)
	if err != nil {
		return nil, nil, err
	}
	ciphertext, _ = enc.Final(enc.Update(nil, plain))
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.PBES2)) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(w.kdf.ID.DER())
			b.AddBytes(content.ID.DER())
		})
	})
	id, err = b.Bytes()
	return id, ciphertext, err
}

// addBag writes a SafeBag, which is for the certificate or its key if leaf is
// not nil.
func addBag(b *cryptobyte.Builder, kind oid.OID, leaf *x509.Certificate, value func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(kind)) })
		b.AddASN1(pfxExplicit, value)
		if leaf == nil {
			return
		}
		id := sha256.Sum256(leaf.Raw) // any octets, equal for the two (RFC 2985 section 5.5.2)
		b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.LocalKeyID)) })
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { b.AddASN1OctetString(id[:20]) })
			})
		})
	})
}

// certBags returns the SafeContents with each certificate once, those of the
// identities first.
func certBags(identities []*Identity) ([]byte, error) {
	seen := make(map[string]bool)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		add := func(c, leaf *x509.Certificate) {
			if seen[string(c.Raw)] {
				return
			}
			seen[string(c.Raw)] = true
			addBag(b, oidCertBag, leaf, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oidX509Certificate)) })
					b.AddASN1(pfxExplicit, func(b *cryptobyte.Builder) { b.AddASN1OctetString(c.Raw) })
				})
			})
		}
		for _, id := range identities {
			add(id.cert, id.cert)
		}
		for _, id := range identities {
			for _, c := range id.issuers {
				add(c, nil)
			}
		}
	})
	return b.Bytes()
}

// keyBags returns the SafeContents with the encrypted keys.
func (w *pfxWriter) keyBags(identities []*Identity, keys [][]byte) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i, key := range keys {
			id, ciphertext, err := w.encrypt(key)
			if err != nil {
				b.SetError(err)
				return
			}
			addBag(b, oidShroudedKeyBag, identities[i].cert, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddBytes(id)
					b.AddASN1OctetString(ciphertext)
				})
			})
		}
	})
	return b.Bytes()
}

// encryptedSafe returns a ContentInfo with an EncryptedData (RFC 5652 section 8).
func (w *pfxWriter) encryptedSafe(contents []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	id, ciphertext, err := w.encrypt(contents)
	if err != nil {
		return nil, err
	}
	var b cryptobyte.Builder
	addContentInfo(&b, oid.EncryptedData, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(0)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.Data)) })
				b.AddBytes(id)
				b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(ciphertext) })
			})
		})
	})
	return b.Bytes()
}

// plainSafe returns a ContentInfo with contents that are not encrypted.
func plainSafe(contents []byte) []byte {
	var b cryptobyte.Builder
	addContentInfo(&b, oid.Data, func(b *cryptobyte.Builder) { b.AddASN1OctetString(contents) })
	return b.BytesOrPanic()
}

func addContentInfo(b *cryptobyte.Builder, kind oid.OID, content func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(kind)) })
		b.AddASN1(pfxExplicit, content)
	})
}

// authenticatedSafe returns the contents octets of the AuthenticatedSafe of a
// file in DER.
func authenticatedSafe(pfx []byte) ([]byte, error) {
	p, err := readPFXOuter(pfx)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(p.content)
	var safe cryptobyte.String
	if !in.ReadASN1(&safe, cbasn1.SEQUENCE) {
		return nil, fmt.Errorf("%w: AuthenticatedSafe", ErrMalformed)
	}
	return safe, nil
}

// joinSafes makes one file of several, as the encoder puts one key in each.
func joinSafes(safes [][]byte, password string, hash alg.Hash, iterations int) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, s := range safes {
			b.AddBytes(s)
		}
	})
	content, err := b.Bytes()
	if err != nil {
		return nil, err
	}
	salt := make([]byte, 16)
	_, _ = rand.Read(salt) // never fails
	key := pkcs12KDF(hash, 3, bmpPassword(password), salt, iterations, hash.Size())
	mac := hmac.New(hash.New, key)
	mac.Write(content)

	var out cryptobyte.Builder
	out.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(3)
		addContentInfo(b, oid.Data, func(b *cryptobyte.Builder) { b.AddASN1OctetString(content) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(hash.Identifier().OID)) })
					b.AddASN1NULL()
				})
				b.AddASN1OctetString(mac.Sum(nil))
			})
			b.AddASN1OctetString(salt)
			b.AddASN1Int64(int64(iterations))
		})
	})
	return out.Bytes()
}
