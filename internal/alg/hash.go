package alg

import (
	"crypto"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha3"
	"crypto/sha512"
	"hash"
	"strings"

	"github.com/gosmime/gosmime/internal/oid"
)

// A Hash is a digest algorithm. The zero Hash is none.
type Hash uint8

const (
	_ Hash = iota
	MD5
	SHA1
	SHA224
	SHA256
	SHA384
	SHA512
	SHA3_224
	SHA3_256
	SHA3_384
	SHA3_512
	SHAKE128 // 32 octets, RFC 8702
	SHAKE256 // 64 octets
	SHA512_224
	SHA512_256
	hashes
)

// hashTable has the facts of each Hash, by its number.
var hashTable = [hashes]struct {
	name   string
	oid    oid.OID
	crypto crypto.Hash
	size   int
	micalg string // RFC 8551 section 3.5.3.2 and RFC 8702; others by analogy
}{
	MD5:        {"MD5", oid.MD5, crypto.MD5, 16, "md5"},
	SHA1:       {"SHA-1", oid.SHA1, crypto.SHA1, 20, "sha-1"},
	SHA224:     {"SHA-224", oid.SHA224, crypto.SHA224, 28, "sha-224"},
	SHA256:     {"SHA-256", oid.SHA256, crypto.SHA256, 32, "sha-256"},
	SHA384:     {"SHA-384", oid.SHA384, crypto.SHA384, 48, "sha-384"},
	SHA512:     {"SHA-512", oid.SHA512, crypto.SHA512, 64, "sha-512"},
	SHA3_224:   {"SHA3-224", oid.SHA3_224, crypto.SHA3_224, 28, "sha3-224"},
	SHA3_256:   {"SHA3-256", oid.SHA3_256, crypto.SHA3_256, 32, "sha3-256"},
	SHA3_384:   {"SHA3-384", oid.SHA3_384, crypto.SHA3_384, 48, "sha3-384"},
	SHA3_512:   {"SHA3-512", oid.SHA3_512, crypto.SHA3_512, 64, "sha3-512"},
	SHAKE128:   {"SHAKE128", oid.SHAKE128, 0, 32, "shake128"},
	SHAKE256:   {"SHAKE256", oid.SHAKE256, 0, 64, "shake256"},
	SHA512_224: {"SHA-512/224", oid.SHA512_224, crypto.SHA512_224, 28, "sha-512/224"},
	SHA512_256: {"SHA-512/256", oid.SHA512_256, crypto.SHA512_256, 32, "sha-512/256"},
}

// HashOf returns the digest algorithm that id names (shake256-len(512) is SHAKE256).
// NULL parameters are read as absent ones (RFC 5754 section 2), but not for
// SHAKE (RFC 8702 section 3.1).
func HashOf(id Identifier) (Hash, error) {
	if id.OID == oid.SHAKE256Len {
		// RFC 8419 section 2.3: the parameter MUST be the INTEGER 512.
		if string(id.Params) != shake512Bits {
			return 0, fail(ErrMalformed, "length of id-shake256-len")
		}
		return SHAKE256, nil
	}
	h := hashOfOID(id.OID)
	switch {
	case h == 0:
		return 0, fail(ErrUnsupported, "digest %v", id.OID)
	case len(id.Params) == 0, h != SHAKE128 && h != SHAKE256 && id.noParams():
		return h, nil
	}
	return 0, fail(ErrMalformed, "parameters of %v", h)
}

// DigestOf returns the digest algorithm of a SignerInfo.
//
// DEVIATION: RFC 5754 section 2 wants the identifier of the digest. Some signers
// write that of the signature, such as sha256WithRSAEncryption, which names one.
func DigestOf(id Identifier) (h Hash, deviates bool, err error) {
	if h, err = HashOf(id); err == nil || !id.noParams() {
		return h, false, err
	}
	row := signatureRowOf(id.OID)
	if row == nil || row.hash == 0 || row.family != rsaPKCS1 && row.family != ecdsaSig {
		return 0, false, err
	}
	return row.hash, true, nil
}

// shake512Bits is INTEGER 512 in DER.
const shake512Bits = "\x02\x02\x02\x00"

func hashOfOID(o oid.OID) Hash {
	for h := MD5; h < hashes; h++ {
		if hashTable[h].oid == o {
			return h
		}
	}
	return 0
}

// hashOfCrypto returns the Hash for one of the standard library; 0: none.
func hashOfCrypto(c crypto.Hash) Hash {
	for h := MD5; h < hashes; h++ {
		if c != 0 && hashTable[h].crypto == c {
			return h
		}
	}
	return 0
}

// New returns a new hash.Hash. It panics for the zero Hash.
func (h Hash) New() hash.Hash {
	switch h {
	case MD5:
		return md5.New()
	case SHA1:
		return sha1.New()
	case SHA224:
		return sha256.New224()
	case SHA256:
		return sha256.New()
	case SHA384:
		return sha512.New384()
	case SHA512:
		return sha512.New()
	case SHA512_224:
		return sha512.New512_224()
	case SHA512_256:
		return sha512.New512_256()
	case SHA3_224:
		return sha3.New224()
	case SHA3_256:
		return sha3.New256()
	case SHA3_384:
		return sha3.New384()
	case SHA3_512:
		return sha3.New512()
	case SHAKE128:
		return &shake{SHAKE: *sha3.NewSHAKE128(), size: 32}
	case SHAKE256:
		return &shake{SHAKE: *sha3.NewSHAKE256(), size: 64}
	}
	panic("alg: New of the zero Hash")
}

// Size returns the length of the digest in octets; 0 for the zero Hash.
func (h Hash) Size() int {
	if h >= hashes {
		return 0
	}
	return hashTable[h].size
}

// Identifier returns the AlgorithmIdentifier to write: parameters absent.
func (h Hash) Identifier() Identifier {
	if h >= hashes {
		return Identifier{}
	}
	return Identifier{OID: hashTable[h].oid}
}

// Crypto returns the number in the standard library; 0 for SHAKE.
func (h Hash) Crypto() crypto.Hash {
	if h >= hashes {
		return 0
	}
	return hashTable[h].crypto
}

// Micalg returns the name of h in the parameter micalg of multipart/signed;
// "unknown" for the zero Hash.
func (h Hash) Micalg() string {
	if h == 0 || h >= hashes {
		return "unknown"
	}
	return hashTable[h].micalg
}

// HashOfMicalg returns the Hash that a value of micalg names, in the spellings of
// older programs too; 0: none.
func HashOfMicalg(name string) Hash {
	name = strings.TrimPrefix(strings.ToLower(name), "rsa-")
	for h := MD5; h < hashes; h++ {
		if m := hashTable[h].micalg; name == m || name == strings.Replace(m, "sha-", "sha", 1) {
			return h
		}
	}
	return 0
}

// OID returns the identifier; "" for the zero Hash.
func (h Hash) OID() oid.OID { return h.Identifier().OID }

// HashOfCrypto returns the Hash for one of the standard library; 0: none.
func HashOfCrypto(c crypto.Hash) Hash { return hashOfCrypto(c) }

// Weak reports whether h is SHA-1 or MD5.
func (h Hash) Weak() bool { return h == MD5 || h == SHA1 }

// String returns the name, such as SHA-256.
func (h Hash) String() string {
	if h == 0 || h >= hashes {
		return "no digest"
	}
	return hashTable[h].name
}

// sum returns the digest of message.
func (h Hash) sum(message []byte) []byte {
	d := h.New()
	d.Write(message)
	return d.Sum(nil)
}

// A shake is SHAKE with the fixed output of RFC 8702 section 3.1.
type shake struct {
	sha3.SHAKE
	size int
}

func (s *shake) Size() int { return s.size }

// Clone implements hash.Cloner.
func (s *shake) Clone() (hash.Cloner, error) {
	c := *s
	return &c, nil
}

// Sum leaves the state as it is.
func (s *shake) Sum(b []byte) []byte {
	state := s.SHAKE
	out := make([]byte, s.size)
	_, _ = state.Read(out) // never fails
	return append(b, out...)
}
