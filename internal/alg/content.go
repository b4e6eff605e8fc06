package alg

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/des"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"

	"github.com/gosmime/gosmime/internal/oid"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Cipher is a content encryption algorithm. Package pkcs7 takes its constants
// from these.
type Cipher uint16

const (
	_ Cipher = iota
	AES128GCM
	AES192GCM
	AES256GCM
	AES128CCM
	AES256CCM
	ChaCha20Poly1305
	AES128CBC
	AES192CBC
	AES256CBC
	TripleDES // read only
	RC2       // read only
	AES192CCM
	DES // read only
	ciphers
)

// A mode is how a Cipher works.
type mode uint8

const (
	_ mode = iota
	modeGCM
	modeCCM
	modePoly
	modeCBC
)

// A use is what a Cipher is good for.
type use uint8

const (
	current  use = iota
	readOnly     // as strong, but not written
	historic     // weak, and not written
)

// cipherTable has the facts of each Cipher.
var cipherTable = [ciphers]struct {
	name   string
	oid    oid.OID
	mode   mode
	keyLen int // 0: told by the parameters
	ivLen  int // 0: several lengths
	use    use
}{
	AES128GCM:        {"AES-128-GCM", oid.AES128GCM, modeGCM, 16, 0, current},
	AES192GCM:        {"AES-192-GCM", oid.AES192GCM, modeGCM, 24, 0, current},
	AES256GCM:        {"AES-256-GCM", oid.AES256GCM, modeGCM, 32, 0, current},
	AES128CCM:        {"AES-128-CCM", oid.AES128CCM, modeCCM, 16, 0, current},
	AES192CCM:        {"AES-192-CCM", oid.AES192CCM, modeCCM, 24, 0, readOnly},
	AES256CCM:        {"AES-256-CCM", oid.AES256CCM, modeCCM, 32, 0, current},
	ChaCha20Poly1305: {"ChaCha20-Poly1305", oid.ChaCha20Poly1305, modePoly, 32, 12, current},
	AES128CBC:        {"AES-128-CBC", oid.AES128CBC, modeCBC, 16, 16, current},
	AES192CBC:        {"AES-192-CBC", oid.AES192CBC, modeCBC, 24, 16, current},
	AES256CBC:        {"AES-256-CBC", oid.AES256CBC, modeCBC, 32, 16, current},
	TripleDES:        {"Triple DES", oid.TripleDESCBC, modeCBC, 24, 8, historic},
	RC2:              {"RC2", oid.RC2CBC, modeCBC, 0, 8, historic},
	DES:              {"DES", oid.DESCBC, modeCBC, 8, 8, historic},
}

func (c Cipher) known() bool { return c > 0 && c < ciphers }

// OID returns the identifier; "" if c is unknown.
func (c Cipher) OID() oid.OID {
	if !c.known() {
		return ""
	}
	return cipherTable[c].oid
}

// Authenticated reports whether the cipher detects a change of the content.
func (c Cipher) Authenticated() bool { return c.known() && cipherTable[c].mode != modeCBC }

// Writable reports whether messages are made with c.
func (c Cipher) Writable() bool { return c.known() && cipherTable[c].use == current }

// String returns a name such as "AES-256-GCM".
func (c Cipher) String() string {
	if !c.known() {
		return fmt.Sprintf("cipher %d", uint16(c))
	}
	return cipherTable[c].name
}

// A Content is a content encryption algorithm with its nonce or IV.
type Content struct {
	Cipher Cipher
	ID     Identifier // as received or to be written; for CEK-HKDF the outer one
	HKDF   bool       // RFC 9709: the key is derived from the CEK and the identifier
	// TagLen is the length of the tag in octets; 0: not authenticated.
	TagLen int
	// DefaultICVLen says that aes-ICVlen was omitted, so that TagLen is 12; the one pattern of RFC 8551
	// section 3.4, a mac of 16 octets with AES-GCM, is accepted by SetTag and by Check.
	DefaultICVLen bool

	nonce []byte
	inner []byte // the AlgorithmIdentifier that CEK-HKDF takes
	bits  int    // effective key length of RC2
}

// ContentOf parses a ContentEncryptionAlgorithmIdentifier strictly.
func ContentOf(id Identifier) (*Content, error) {
	c := &Content{ID: id}
	if id.OID == oid.CEKHKDFSHA256 {
		inner, err := ParseIdentifier(id.Params)
		if err != nil {
			return nil, err
		}
		c.HKDF, c.inner, id = true, id.Params, inner
	}
	for k := AES128GCM; k < ciphers; k++ {
		if cipherTable[k].oid == id.OID {
			c.Cipher = k
		}
	}
	// RFC 9709 section 2 has no CEK-HKDF within CEK-HKDF: that, too, ends here.
	if c.Cipher == 0 {
		return nil, fail(ErrUnsupported, "content encryption %v", id.OID)
	}
	if err := c.parse(id.Params); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Content) parse(params []byte) error {
	s := cryptobyte.String(params)
	facts := cipherTable[c.Cipher]
	ok := false
	switch {
	case facts.mode == modeGCM:
		ok = c.readAEAD(&s) && len(c.nonce) >= 1 && len(c.nonce) <= 64 && c.TagLen >= 12 && c.TagLen <= 16
	case facts.mode == modeCCM:
		ok = c.readAEAD(&s) && len(c.nonce) >= 7 && len(c.nonce) <= 13 && c.TagLen >= 4 && c.TagLen <= 16 && c.TagLen%2 == 0
		if ok && c.TagLen < 8 {
			return fail(ErrWeak, "tag of %d octets", c.TagLen)
		}
	case c.Cipher == RC2:
		ok = c.readRC2(&s)
	default:
		ok = s.ReadASN1Bytes(&c.nonce, asn1.OCTET_STRING) && len(c.nonce) == facts.ivLen
		if facts.mode == modePoly {
			c.TagLen = 16 // RFC 8103 section 3
		}
	}
	if !ok || !s.Empty() {
		return fail(ErrMalformed, "parameters of content encryption %v", facts.oid)
	}
	return nil
}

// readAEAD reads the parameters of RFC 5084 section 3.
//
//	GCMParameters ::= SEQUENCE {
//	    aes-nonce   OCTET STRING,
//	    aes-ICVlen  INTEGER DEFAULT 12 }
func (c *Content) readAEAD(s *cryptobyte.String) bool {
	var body cryptobyte.String
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Bytes(&c.nonce, asn1.OCTET_STRING) {
		return false
	}
	if body.Empty() {
		c.TagLen, c.DefaultICVLen = 12, true
		return true
	}
	return body.ReadASN1Integer(&c.TagLen) && body.Empty()
}

// readRC2 reads the parameters of RFC 2268 section 6; the version encodes the
// effective key length.
//
//	RC2-CBCParameter ::= SEQUENCE {
//	    rc2ParameterVersion  INTEGER,
//	    iv                   OCTET STRING (SIZE(8)) }
func (c *Content) readRC2(s *cryptobyte.String) bool {
	var body cryptobyte.String
	var version int
	if !s.ReadASN1(&body, asn1.SEQUENCE) || !body.ReadASN1Integer(&version) ||
		!body.ReadASN1Bytes(&c.nonce, asn1.OCTET_STRING) || !body.Empty() || len(c.nonce) != 8 {
		return false
	}
	switch {
	case version == 160:
		c.bits = 40
	case version == 120:
		c.bits = 64
	case version == 58:
		c.bits = 128
	case version >= 256 && version <= 1024:
		c.bits = version
	}
	return c.bits != 0
}

// NewContent returns c with a fresh nonce or IV; with hkdf it is wrapped as RFC 9709 says.
// The historic ciphers are read only: ErrWeak.
func NewContent(c Cipher, hkdf bool) (*Content, error) {
	if c == 0 || c >= ciphers {
		return nil, fail(ErrUnsupported, "cipher %d", c)
	}
	facts := cipherTable[c]
	n := &Content{Cipher: c, HKDF: hkdf}
	if err := n.Strength(); err != nil {
		return nil, err
	}
	switch facts.mode {
	case modeGCM, modeCCM:
		// Twelve octets leave CCM contents of up to 16 MiB−1; seven have no such limit.
		size := 12
		if facts.mode == modeCCM {
			size = 7
		}
		n.nonce, n.TagLen = randomBytes(size), 16
		// aes-ICVlen is written always: OpenSSL can't read its default.
		b := cryptobyte.NewBuilder(nil)
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1OctetString(n.nonce)
			b.AddASN1Int64(int64(n.TagLen))
		})
		n.ID = Identifier{OID: facts.oid, Params: b.BytesOrPanic()}
	default:
		if facts.mode == modePoly {
			n.TagLen = 16
		}
		n.nonce = randomBytes(facts.ivLen)
		n.ID = Identifier{OID: facts.oid, Params: element(asn1.OCTET_STRING, n.nonce)}
	}
	if hkdf {
		n.inner = n.ID.DER()
		n.ID = Identifier{OID: oid.CEKHKDFSHA256, Params: n.inner}
	}
	return n, nil
}

// KeyLen returns the length of the content-encryption key in octets.
func (c *Content) KeyLen() int {
	if c.Cipher == RC2 {
		return (c.bits + 7) / 8
	}
	return cipherTable[c.Cipher].keyLen
}

// NewKey returns a fresh content-encryption key.
func (c *Content) NewKey() []byte { return randomBytes(c.KeyLen()) }

// Authenticated reports whether the cipher detects a change of the content.
func (c *Content) Authenticated() bool { return c.TagLen > 0 }

// Strength returns nil or an error that wraps ErrWeak: Triple DES, RC2, DES.
func (c *Content) Strength() error {
	if row := cipherTable[c.Cipher]; row.use == historic {
		return fail(ErrWeak, "content encryption %v", row.oid)
	}
	return nil
}

// fallbackTag: the sample of RFC 8551 section 3.4 omits aes-ICVlen, which means
// 12, and has a mac of 16 octets.
func (c *Content) fallbackTag(n int) bool {
	return c.DefaultICVLen && n == 16 && cipherTable[c.Cipher].mode == modeGCM
}

// MaxSize returns how many octets of content one key may encrypt.
func (c *Content) MaxSize() int64 {
	switch cipherTable[c.Cipher].mode {
	case modeGCM:
		return 1<<36 - 32 // NIST SP 800-38D section 5.2.1.1
	case modeCCM:
		if l := 15 - len(c.nonce); l < 5 {
			return 1<<(8*l) - 1 // RFC 3610 section 2
		}
		return 1<<36 - 32
	case modePoly:
		return 1<<38 - 64 // RFC 8439 section 2.8
	}
	return 1<<63 - 1
}

// key returns the key of the cipher: the CEK or, by RFC 9709 section 2, what
// HKDF makes of it.
func (c *Content) key(cek []byte) ([]byte, error) {
	ok := len(cek) == c.KeyLen() || c.Cipher == RC2 && len(cek) >= 1 && len(cek) <= 128
	if !ok {
		return nil, fail(ErrDecrypt, "length of the content-encryption key")
	}
	if !c.HKDF {
		return cek, nil
	}
	key, err := hkdf.Key(sha256.New, cek, []byte("The Cryptographic Message Syntax"), string(c.inner), len(cek))
	if err != nil {
		return nil, fail(ErrDecrypt, "key derivation")
	}
	return key, nil
}

// block returns the block cipher.
func (c *Content) block(key []byte) (cipher.Block, error) {
	switch c.Cipher {
	case TripleDES:
		return des.NewTripleDESCipher(key)
	case DES:
		return des.NewCipher(key)
	case RC2:
		return newRC2(key, c.bits), nil
	}
	return aes.NewCipher(key)
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return b
}
