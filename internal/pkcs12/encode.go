package pkcs12

import (
	"bytes"
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/oid"
)

const explicit = cbasn1.Tag(0xa0) // [0] EXPLICIT

// The iterations of each key derivation of a file that is written.
const (
	iterations       = 600_000
	iterationsLegacy = 2048
)

// An Entry is a private key that crypto/x509 can encode, its certificate and
// the issuers of that.
type Entry struct {
	Key          crypto.PrivateKey
	Certificate  *x509.Certificate
	Issuers      []*x509.Certificate
	FriendlyName string
}

// Encode returns a file with at least one entry: AES-256 with
// PBKDF2-HMAC-SHA-256, or Triple DES with SHA-1 if legacy. The password and the
// names can't have characters outside the Basic Multilingual Plane.
func Encode(entries []Entry, password string, legacy bool) ([]byte, error) {
	named := false
	for i, e := range entries {
		named = named || e.FriendlyName != ""
		if !isBMP(e.FriendlyName) || utf8.RuneCountInString(e.FriendlyName) > maxFriendlyName {
			return nil, fmt.Errorf("entry %d: friendly name: %w", i, ErrMalformed)
		}
	}
	if (len(entries) > 1 || named) && !legacy {
		return encodeHistory(entries, password)
	}
	enc := pkcs12.Modern2023.WithIterations(iterations)
	if legacy {
		enc = pkcs12.LegacyDES.WithIterations(iterationsLegacy)
	}
	var safes [][]byte
	for i, e := range entries {
		pfx, err := enc.Encode(e.Key, e.Certificate, e.Issuers, password)
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w: %w", i, ErrMalformed, err)
		}
		if len(entries) == 1 && !named {
			return pfx, nil
		}
		safe, err := authenticatedSafe(pfx)
		if err == nil && e.FriendlyName != "" {
			safe, err = nameKeys(safe, e.FriendlyName)
		}
		if err != nil {
			return nil, err
		}
		safes = append(safes, safe)
	}
	return joinSafes(safes, password, alg.SHA1, iterationsLegacy)
}

// encodeHistory writes any number of entries in one file. All of it is
// encrypted under one key, each time with another IV: a derivation for each key
// would make long histories take minutes to open, and more iterations than
// readers allow.
func encodeHistory(entries []Entry, password string) ([]byte, error) {
	if !isBMP(password) {
		return nil, malformed("password with a character outside the Basic Multilingual Plane")
	}
	e, err := newEncoder(password)
	if err != nil {
		return nil, err
	}
	certs, err := e.encryptedSafe(certBags(entries))
	if err != nil {
		return nil, err
	}
	bags, err := e.keyBags(entries)
	if err != nil {
		return nil, err
	}
	return joinSafes([][]byte{certs, plainSafe(bags)}, password, alg.SHA256, iterations)
}

// An encoder encrypts the bags of one file.
type encoder struct {
	kdf *alg.PBKDF2
	key []byte
}

func newEncoder(password string) (*encoder, error) {
	e := &encoder{kdf: alg.NewPBKDF2()}
	content, err := alg.NewContent(alg.AES256CBC, false)
	if err != nil {
		return nil, err
	}
	e.key, err = e.kdf.Key([]byte(password), content.KeyLen())
	return e, err
}

// encrypt applies PBES2 (RFC 8018 section 6.2).
func (e *encoder) encrypt(plain []byte) (id, ciphertext []byte, err error) {
	content, err := alg.NewContent(alg.AES256CBC, false) // with a fresh IV
	if err != nil {
		return nil, nil, err
	}
	enc, err := content.Encrypter(e.key, nil)
	if err != nil {
		return nil, nil, err
	}
	ciphertext, _ = enc.Final(enc.Update(nil, plain))
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oid.PBES2)) })
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(e.kdf.ID.DER())
			b.AddBytes(content.ID.DER())
		})
	})
	id, err = b.Bytes()
	return id, ciphertext, err
}

// isBMP reports whether s can be a BMPString.
func isBMP(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return utf16.RuneLen(r) != 1 })
}

// addBag writes a SafeBag, which is for the certificate or its key if of is not
// nil.
func addBag(b *cryptobyte.Builder, kind oid.OID, of *Entry, value func(*cryptobyte.Builder)) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(kind)) })
		b.AddASN1(explicit, value)
		if of == nil {
			return
		}
		id := sha256.Sum256(of.Certificate.Raw) // any octets, equal for the two (RFC 2985 section 5.5.2)
		attributes := [][]byte{attribute(oid.LocalKeyID, func(b *cryptobyte.Builder) { b.AddASN1OctetString(id[:20]) })}
		if of.FriendlyName != "" {
			attributes = append(attributes, nameAttribute(of.FriendlyName))
		}
		addSet(b, attributes)
	})
}

// attribute returns a PKCS12Attribute with one value.
func attribute(id oid.OID, value func(*cryptobyte.Builder)) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(id)) })
		b.AddASN1(cbasn1.SET, value)
	})
	return b.BytesOrPanic()
}

func nameAttribute(name string) []byte {
	text := bmpPassword(name)
	return attribute(oid.FriendlyName, func(b *cryptobyte.Builder) {
		b.AddASN1(tagBMPString, func(b *cryptobyte.Builder) { b.AddBytes(text[:len(text)-2]) })
	})
}

// addSet writes a SET OF in DER.
func addSet(b *cryptobyte.Builder, elements [][]byte) {
	slices.SortFunc(elements, bytes.Compare)
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		for _, e := range elements {
			b.AddBytes(e)
		}
	})
}

// certBags returns the SafeContents with each certificate once, those of the
// keys first.
func certBags(entries []Entry) ([]byte, error) {
	seen := make(map[string]bool)
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		add := func(c *x509.Certificate, of *Entry) {
			if seen[string(c.Raw)] {
				return
			}
			seen[string(c.Raw)] = true
			addBag(b, oidCertBag, of, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes([]byte(oidX509Certificate)) })
					b.AddASN1(explicit, func(b *cryptobyte.Builder) { b.AddASN1OctetString(c.Raw) })
				})
			})
		}
		for i := range entries {
			add(entries[i].Certificate, &entries[i])
		}
		for _, e := range entries {
			for _, c := range e.Issuers {
				add(c, nil)
			}
		}
	})
	return b.Bytes()
}

// keyBags returns the SafeContents with the encrypted keys.
func (e *encoder) keyBags(entries []Entry) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for i := range entries {
			key, err := x509.MarshalPKCS8PrivateKey(entries[i].Key)
			if err != nil {
				b.SetError(err)
				return
			}
			id, ciphertext, err := e.encrypt(key)
			if err != nil {
				b.SetError(err)
				return
			}
			addBag(b, oidShroudedKeyBag, &entries[i], func(b *cryptobyte.Builder) {
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
func (e *encoder) encryptedSafe(contents []byte, err error) ([]byte, error) {
	if err != nil {
		return nil, err
	}
	id, ciphertext, err := e.encrypt(contents)
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
		b.AddASN1(explicit, content)
	})
}

// authenticatedSafe returns the contents octets of the AuthenticatedSafe of a
// file in DER.
func authenticatedSafe(pfx []byte) ([]byte, error) {
	p, err := readOuter(pfx)
	if err != nil {
		return nil, err
	}
	in := cryptobyte.String(p.content)
	var safe cryptobyte.String
	if !in.ReadASN1(&safe, cbasn1.SEQUENCE) {
		return nil, malformed("AuthenticatedSafe")
	}
	return safe, nil
}

// nameKeys returns the contents octets of an AuthenticatedSafe in DER with name
// added to every encrypted key.
func nameKeys(safe []byte, name string) ([]byte, error) {
	var out cryptobyte.Builder
	for in := cryptobyte.String(safe); !in.Empty(); {
		info := in
		kind, body, err := readContentInfo(&in)
		if err != nil {
			return nil, err
		}
		if kind != oid.Data {
			out.AddBytes(info[:len(info)-len(in)])
			continue
		}
		var contents, bags cryptobyte.String
		if !body.ReadASN1(&contents, cbasn1.OCTET_STRING) || !contents.ReadASN1(&bags, cbasn1.SEQUENCE) {
			return nil, malformed("SafeContents")
		}
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for !bags.Empty() {
				addNamed(b, &bags, name)
			}
		})
		named, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		out.AddBytes(plainSafe(named))
	}
	return out.Bytes()
}

// addNamed copies a bag and adds name if it is that of a key.
func addNamed(b *cryptobyte.Builder, bags *cryptobyte.String, name string) {
	var bag, id, value, set cryptobyte.String
	whole := *bags
	if !bags.ReadASN1(&bag, cbasn1.SEQUENCE) || !bag.ReadASN1(&id, cbasn1.OBJECT_IDENTIFIER) || !bag.ReadASN1Element(&value, explicit) {
		b.SetError(malformed("SafeBag"))
		return
	}
	if oid.OID(id) != oidShroudedKeyBag {
		b.AddBytes(whole[:len(whole)-len(*bags)])
		return
	}
	attributes := [][]byte{nameAttribute(name)}
	for bag.ReadASN1(&set, cbasn1.SET); !set.Empty(); {
		var one cryptobyte.String
		if !set.ReadASN1Element(&one, cbasn1.SEQUENCE) {
			b.SetError(malformed("bagAttributes"))
			return
		}
		attributes = append(attributes, one)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(id) })
		b.AddBytes(value)
		addSet(b, attributes)
	})
}

// joinSafes makes one file of several, as the encoder puts one key in each.
func joinSafes(safes [][]byte, password string, hash alg.Hash, rounds int) ([]byte, error) {
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
	key := deriveKey(hash, 3, bmpPassword(password), salt, rounds, hash.Size())
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
			b.AddASN1Int64(int64(rounds))
		})
	})
	return out.Bytes()
}
