package chain_test

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/x509der"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

const day = 24 * time.Hour

// A listed is an entry of a CRL under construction; times are relative to judged.
type listed struct {
	cert       *party
	date       time.Duration
	reason     int // 0: no extension
	invalidity *time.Duration
	issuer     *party // certificateIssuer
	unknown    bool   // a critical extension that nobody knows
}

// A list is a CRL under construction; times are relative to judged.
type list struct {
	by         *party
	number     int64 // 0: none
	base       int64 // 0: complete
	this, next time.Duration
	endless    bool // no nextUpdate
	entries    []listed
	idp        []byte
	freshest   []byte
	padding    int    // octets of an extension that means nothing
	version    []byte // extension of Microsoft's CAs; nil: none
	unknown    bool   // a critical extension that nobody knows
	v1         bool
	noKeyID    bool
	breakIt    bool // spoil the signature
}

func add(b *cryptobyte.Builder, id oid.OID, critical bool, value []byte) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		id.Add(b)
		if critical {
			b.AddASN1Boolean(true)
		}
		b.AddASN1OctetString(value)
	})
}

func build(f cryptobyte.BuilderContinuation) []byte {
	var b cryptobyte.Builder
	f(&b)
	return b.BytesOrPanic()
}

func enum(n int) []byte { return []byte{0x0a, 1, byte(n)} }

func generalized(at time.Time) []byte {
	return build(func(b *cryptobyte.Builder) { b.AddASN1GeneralizedTime(at) })
}

const unknownOID oid.OID = "\x2a\x03\x04"

// edDSA is the AlgorithmIdentifier of the keys that newKey makes.
func edDSA() []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { oid.Ed25519.Add(b) })
	})
}

// algorithm is the identifier of the signatures of p.
func (p *party) algorithm() []byte {
	if k, ok := p.key.(interface{ identifier() []byte }); ok {
		return k.identifier()
	}
	return edDSA()
}

func sign(t testing.TB, by *party, tbs []byte) []byte {
	t.Helper()
	sig, err := by.key.Sign(rand.Reader, tbs, crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	return sig
}

// der makes the CRL.
func (l list) der(t testing.TB) []byte {
	t.Helper()
	tbs := build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			if !l.v1 {
				b.AddASN1Int64(1)
			}
			b.AddBytes(l.by.algorithm())
			b.AddBytes(l.by.RawSubject)
			b.AddBytes(generalized(judged.Add(l.this)))
			if !l.endless {
				b.AddBytes(generalized(judged.Add(l.next)))
			}
			if len(l.entries) > 0 {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					for _, e := range l.entries {
						e.add(b)
					}
				})
			}
			if !l.v1 {
				l.addExtensions(b)
			}
		})
	})
	sig := sign(t, l.by, tbs)
	if l.breakIt {
		sig[0] ^= 1
	}
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(tbs)
			b.AddBytes(l.by.algorithm())
			b.AddASN1BitString(sig)
		})
	})
}

func (e listed) add(b *cryptobyte.Builder) {
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(e.cert.SerialNumber)
		b.AddBytes(generalized(judged.Add(e.date)))
		exts := build(func(b *cryptobyte.Builder) {
			if e.reason != 0 {
				add(b, oid.ExtReasonCode, false, enum(e.reason))
			}
			if e.invalidity != nil {
				add(b, oid.ExtInvalidityDate, false, generalized(judged.Add(*e.invalidity)))
			}
			if e.issuer != nil {
				add(b, oid.ExtCertificateIssuer, true, directoryNames(e.issuer.RawSubject))
			}
			if e.unknown {
				add(b, unknownOID, true, []byte{5, 0})
			}
		})
		if len(exts) > 0 {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(exts) })
		}
	})
}

func (l list) addExtensions(b *cryptobyte.Builder) {
	integer := func(n int64) []byte { return build(func(b *cryptobyte.Builder) { b.AddASN1Int64(n) }) }
	exts := build(func(b *cryptobyte.Builder) {
		if !l.noKeyID && len(l.by.SubjectKeyId) > 0 {
			add(b, oid.ExtAuthorityKeyID, false, build(func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.Tag(0).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(l.by.SubjectKeyId) })
				})
			}))
		}
		if l.number != 0 {
			add(b, oid.ExtCRLNumber, false, integer(l.number))
		}
		if l.base != 0 {
			add(b, oid.ExtDeltaCRLIndicator, true, integer(l.base))
		}
		if l.idp != nil {
			add(b, oid.ExtIssuingDistributionPoint, true, l.idp)
		}
		if l.freshest != nil {
			add(b, oid.ExtFreshestCRL, false, l.freshest)
		}
		if l.padding > 0 {
			add(b, unknownOID, false, make([]byte, l.padding))
		}
		if l.version != nil {
			add(b, oid.ExtCAVersion, false, l.version)
		}
		if l.unknown {
			add(b, unknownOID, true, []byte{5, 0})
		}
	})
	if len(exts) > 0 {
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(exts) })
		})
	}
}

func tagged(n uint8, content []byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.Tag(n).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	})
}

func explicit(n uint8, content ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.Tag(n).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(content, nil)) })
	})
}

func sequence(parts ...[]byte) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(parts, nil)) })
	})
}

// directoryNames is a GeneralNames of one directoryName.
func directoryNames(name []byte) []byte { return sequence(explicit(4, name)) }

// point is a DistributionPointName of one URL as both extensions have it.
func point(url string) []byte { return explicit(0, explicit(0, tagged(6, []byte(url)))) }

// flags is a ReasonFlags with the tag.
func flags(tag uint8, bits ...int) []byte {
	content := make([]byte, 3)
	content[0] = 7
	for _, n := range bits {
		content[1+n/8] |= 0x80 >> (n % 8)
	}
	return tagged(tag, content)
}

// A response is an OCSP response under construction; times are relative to
// judged.
type response struct {
	by       *party
	named    *party // by ResponderID; nil: by
	byKey    bool
	produced time.Duration
	answers  []reply
	certs    []*party
	status   int // of the OCSPResponse
	unknown  bool
	nonce    []byte // value of the extension; nil: none
	breakIt  bool
}

// A reply is a SingleResponse under construction.
type reply struct {
	cert, issuer *party
	hash         oid.OID // zero: SHA-256
	state        string  // good, revoked or unknown
	date         time.Duration
	reason       int
	this, next   time.Duration
	endless      bool
	unknown      bool
	spoil        int // 1: name hash, 2: key hash, 3: serial number
}

func (r response) der(t testing.TB) []byte {
	t.Helper()
	named := r.named
	if named == nil {
		named = r.by
	}
	id := explicit(1, named.RawSubject)
	if r.byKey {
		sum := sha1.Sum(keyBits(t, named))
		id = explicit(2, build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(sum[:]) }))
	}
	var singles []byte
	for _, a := range r.answers {
		singles = append(singles, a.der(t)...)
	}
	tbs := [][]byte{id, generalized(judged.Add(r.produced)), sequence(singles)}
	exts := build(func(b *cryptobyte.Builder) {
		if r.nonce != nil {
			add(b, oid.OCSPNonce, false, r.nonce)
		}
		if r.unknown {
			add(b, unknownOID, true, []byte{5, 0})
		}
	})
	if len(exts) > 0 {
		tbs = append(tbs, explicit(1, sequence(exts)))
	}
	data := sequence(tbs...)
	sig := sign(t, r.by, data)
	if r.breakIt {
		sig[0] ^= 1
	}
	basic := [][]byte{data, r.by.algorithm(), build(func(b *cryptobyte.Builder) { b.AddASN1BitString(sig) })}
	if len(r.certs) > 0 {
		var all []byte
		for _, c := range r.certs {
			all = append(all, c.Raw...)
		}
		basic = append(basic, explicit(0, sequence(all)))
	}
	return sequence(enum(r.status), explicit(0, sequence(
		build(func(b *cryptobyte.Builder) { oid.OCSPBasic.Add(b) }),
		build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(sequence(basic...)) }),
	)))
}

func keyBits(t testing.TB, p *party) []byte {
	t.Helper()
	c, err := x509der.Parse(p.Raw)
	if err != nil {
		t.Fatal(err)
	}
	return c.KeyBits()
}

func (a reply) der(t testing.TB) []byte {
	t.Helper()
	algorithm, newHash := a.hash, func() hash.Hash { return sha256.New() }
	switch a.hash {
	case "":
		algorithm = oid.SHA256
	case oid.SHA1:
		newHash = sha1.New
	case oid.SHA384:
		newHash = sha512.New384
	case oid.SHA512:
		newHash = sha512.New
	}
	sum := func(in []byte, spoil bool) []byte {
		h := newHash()
		h.Write(in)
		out := h.Sum(nil)
		if spoil {
			out[0] ^= 1
		}
		return build(func(b *cryptobyte.Builder) { b.AddASN1OctetString(out) })
	}
	serial := build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(a.cert.SerialNumber) })
	if a.spoil == 3 {
		serial[len(serial)-1] ^= 1
	}
	certID := sequence(
		sequence(build(func(b *cryptobyte.Builder) { algorithm.Add(b); b.AddASN1NULL() })),
		sum(a.issuer.RawSubject, a.spoil == 1), sum(keyBits(t, a.issuer), a.spoil == 2), serial)
	status := tagged(0, nil)
	switch a.state {
	case "revoked":
		status = explicit(1, generalized(judged.Add(a.date)), explicit(0, enum(a.reason)))
	case "unknown":
		status = tagged(2, nil)
	}
	single := [][]byte{certID, status, generalized(judged.Add(a.this))}
	if !a.endless {
		single = append(single, explicit(0, generalized(judged.Add(a.next))))
	}
	if a.unknown {
		single = append(single, explicit(1, sequence(build(func(b *cryptobyte.Builder) { add(b, unknownOID, true, []byte{5, 0}) }))))
	}
	return sequence(single...)
}
