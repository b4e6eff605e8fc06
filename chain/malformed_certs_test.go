package chain_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"math/big"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/chain"
	"github.com/gosmime/gosmime/internal/oid"
)

// The elements of the TBSCertificate of version 3 that makeCert makes.
const (
	tbsVersion = iota
	tbsSerial
	tbsAlgorithm
	tbsIssuer
	tbsValidity
	tbsSubject
	tbsKey
	tbsExtensions
)

// reshaped returns p with other elements in its TBSCertificate, signed again.
func reshaped(t testing.TB, p, issuer *party, edit func(parts [][]byte) [][]byte) *party {
	t.Helper()
	var tbs, e cryptobyte.String
	s := cryptobyte.String(p.RawTBSCertificate)
	if !s.ReadASN1(&tbs, asn1.SEQUENCE) {
		t.Fatal("tbsCertificate")
	}
	var parts [][]byte
	for !tbs.Empty() {
		if !tbs.ReadAnyASN1Element(&e, new(asn1.Tag)) {
			t.Fatal("tbsCertificate")
		}
		parts = append(parts, e)
	}
	data := sequence(edit(parts)...)
	sig := build(func(b *cryptobyte.Builder) { b.AddASN1BitString(sign(t, issuer, data)) })
	return &party{&x509.Certificate{Raw: sequence(data, issuer.algorithm(), sig)}, p.key}
}

func set(i int, value ...byte) func([][]byte) [][]byte {
	return func(parts [][]byte) [][]byte { parts[i] = value; return parts }
}

func tlv(tag byte, content string) []byte {
	return build(func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes([]byte(content)) })
	})
}

// named is a Name of one common name in a string type of our choice.
func named(tag byte, content string) []byte {
	return sequence(tlv(0x31, string(sequence([]byte{6, 3, 0x55, 4, 3}, tlv(tag, content)))))
}

func validity(from, to []byte) func([][]byte) [][]byte {
	return set(tbsValidity, sequence(from, to)...)
}

// changed replaces octets of the extensions by as many others.
func changed(from, to string) func([][]byte) [][]byte {
	return func(parts [][]byte) [][]byte {
		if len(from) != len(to) || bytes.Count(parts[tbsExtensions], []byte(from)) != 1 {
			panic("changed")
		}
		parts[tbsExtensions] = bytes.Replace(parts[tbsExtensions], []byte(from), []byte(to), 1)
		return parts
	}
}

// TestOddCertificates judges leaves in unusual forms. oracle says whether
// crypto/x509 reads them: it need not.
func TestOddCertificates(t *testing.T) {
	root := newRoot(t, "Root")
	plain := root.newLeaf(t, alice)
	mailed := root.newLeaf(t, "", func(c *x509.Certificate) { ia5Subject(c, alice) })
	upTo := func(n int) func([][]byte) [][]byte { return func(parts [][]byte) [][]byte { return parts[:n] } }
	both := func(list ...func([][]byte) [][]byte) func([][]byte) [][]byte {
		return func(parts [][]byte) [][]byte {
			for _, f := range list {
				parts = f(parts)
			}
			return parts
		}
	}
	v1 := func(parts [][]byte) [][]byte { return parts[tbsSerial:tbsExtensions] }
	unique := func(parts [][]byte) [][]byte {
		return slices.Insert(parts, tbsExtensions, tagged(1, []byte{0, 1}), tagged(2, []byte{0, 2}))
	}
	end := tlv(0x18, "20990101000000Z")
	more := func(ext ...[]byte) func([][]byte) [][]byte {
		return func(parts [][]byte) [][]byte {
			old := parts[tbsExtensions]
			var inner, list cryptobyte.String
			s := cryptobyte.String(old)
			if !s.ReadASN1(&inner, asn1.Tag(3).ContextSpecific().Constructed()) || !inner.ReadASN1(&list, asn1.SEQUENCE) {
				panic("extensions")
			}
			parts[tbsExtensions] = explicit(3, sequence(append([][]byte{list}, ext...)...))
			return parts
		}
	}
	ext := func(id oid.OID, critical bool, value []byte) []byte {
		return build(func(b *cryptobyte.Builder) { add(b, id, critical, value) })
	}
	for _, c := range []struct {
		name   string
		of     *party
		edit   func([][]byte) [][]byte
		want   chain.Reason
		oracle bool
	}{
		{"as it was", plain, upTo(8), 0, true},
		{"version 1", mailed, v1, 0, true},
		{"version 1 written out", mailed, both(set(tbsVersion, 0xa0, 3, 2, 1, 0), upTo(tbsExtensions)), 0, true},
		{"version 2", mailed, both(set(tbsVersion, 0xa0, 3, 2, 1, 1), upTo(tbsExtensions)), 0, true},
		{"version 2 with unique identifiers", mailed, both(set(tbsVersion, 0xa0, 3, 2, 1, 1), unique, upTo(tbsExtensions+2)), 0, true},
		{"version 3 with unique identifiers", plain, unique, 0, true},
		{"version 3 without extensions", mailed, upTo(tbsExtensions), 0, true},
		{"version 1 with unique identifiers", mailed, both(unique, v1, func(parts [][]byte) [][]byte { return append(parts, tagged(1, []byte{0, 1})) }), chain.ErrMalformed, true},
		{"version 2 with extensions", plain, set(tbsVersion, 0xa0, 3, 2, 1, 1), chain.ErrMalformed, true},
		{"version 4", plain, set(tbsVersion, 0xa0, 3, 2, 1, 3), chain.ErrMalformed, false},

		{"negative serial number", plain, set(tbsSerial, 2, 2, 0x80, 1), 0, false},
		{"serial number 0", plain, set(tbsSerial, 2, 1, 0), 0, true},
		{"serial number of 20 octets and the sign", plain, set(tbsSerial, tlv(2, "\x00"+strings.Repeat("\xff", 20))...), 0, true},
		{"serial number of 60 octets", plain, set(tbsSerial, tlv(2, strings.Repeat("\x11", 60))...), 0, true},
		{"padded serial number", plain, set(tbsSerial, 2, 2, 0, 1), chain.ErrMalformed, false},

		{"UTCTime without seconds", plain, validity(tlv(0x17, "2501010000Z"), end), 0, true},
		{"UTCTime with an offset", plain, validity(tlv(0x17, "250101000000+0200"), end), 0, true},
		{"GeneralizedTime before 2050", plain, validity(tlv(0x18, "20250101000000Z"), end), 0, true},
		{"no end", plain, validity(tlv(0x17, "250101000000Z"), tlv(0x18, "99991231235959Z")), 0, true},
		{"the year 0000", plain, validity(tlv(0x18, "00000101000000Z"), end), 0, true},
		{"GeneralizedTime with fractions", plain, validity(tlv(0x18, "20250101000000.5Z"), end), chain.ErrMalformed, false},
		{"end before the beginning", plain, validity(tlv(0x17, "270101000000Z"), tlv(0x17, "260101000000Z")), chain.ErrNotYetValid, true},

		{"issuer in UTF8String, other case and space", plain, set(tbsIssuer, named(0x0c, " rOOT ")...), 0, true},
		{"issuer in BMPString", plain, set(tbsIssuer, named(0x1e, "\x00R\x00o\x00o\x00t")...), 0, true},
		{"issuer in UniversalString", plain, set(tbsIssuer, named(0x1c, "\x00\x00\x00R\x00\x00\x00o\x00\x00\x00o\x00\x00\x00t")...), 0, false},
		{"issuer in TeletexString", plain, set(tbsIssuer, named(0x14, "Root")...), 0, true},
		{"issuer in IA5String", plain, set(tbsIssuer, named(0x16, "root")...), 0, true},
		{"issuer with a trailing NUL", plain, set(tbsIssuer, named(0x0c, "Root\x00")...), chain.ErrUnknownIssuer, true},
		{"issuer with half a character", plain, set(tbsIssuer, named(0x1e, "\x00R\x00o\x00o\x00t\x00")...), chain.ErrUnknownIssuer, false},

		{"no subject", plain, set(tbsSubject, 0x30, 0), 0, true},
		{"no subject, critical subjectAltName", plain, both(set(tbsSubject, 0x30, 0), func(parts [][]byte) [][]byte {
			parts[tbsExtensions] = explicit(3, sequence(ext(oid.ExtSubjectAltName, true, sequence(tagged(1, []byte(alice))))))
			return parts
		}), 0, true},
		{"subject in UTF-16", plain, set(tbsSubject, named(0x1e, utf16be("Ålice Müller 😀"))...), 0, false},
		{"subject in bad UTF-8", plain, set(tbsSubject, named(0x0c, "\xff\xfe")...), 0, false},

		{"the same extension twice", plain, more(ext(oid.ExtSubjectAltName, false, sequence(tagged(1, []byte(alice))))), chain.ErrMalformed, false},
		{"critical FALSE written out", plain, more(sequence(tlv(6, "\x2a\x03"), []byte{1, 1, 0}, tlv(4, "x"))), 0, true},
		{"critical TRUE as BER has it", plain, changed("\x01\x01\xff", "\x01\x01\x01"), chain.ErrMalformed, false},
		{"a URI that is none", plain, more(ext(oid.ExtIssuerAltName, false, sequence(tagged(6, []byte("http://[:::"))))), 0, true},
		{"subjectAltName with a URI that is none", root.newLeaf(t, ""), more(ext(oid.ExtSubjectAltName, false, sequence(tagged(6, []byte("http://[:::")), tagged(1, []byte(alice))))), 0, false},
		{"keyUsage without a bit", root.newLeaf(t, alice, usages(0)), more(ext(oid.ExtKeyUsage, true, []byte{3, 1, 0})), chain.ErrMalformed, true},
		{"keyUsage with trailing zeros", root.newLeaf(t, alice, usages(0)), more(ext(oid.ExtKeyUsage, true, []byte{3, 3, 0, 0x80, 0})), 0, true},
		{"a subject key identifier of no octets", plain, more(ext(oid.ExtSubjectKeyID, false, []byte{4, 0})), 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := root.reshaped(t, c.of, c.edit)
			_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), p.Certificate, signing())
			t.Log(c.name)
			wantReason(t, err, c.want)
			// Later versions of crypto/x509 read more.
			if _, err := x509.ParseCertificate(p.Raw); err != nil && c.oracle {
				t.Errorf("crypto/x509: %v", err)
			}
		})
	}
}

func (p *party) reshaped(t testing.TB, of *party, edit func([][]byte) [][]byte) *party {
	t.Helper()
	return reshaped(t, of, p, edit)
}

func utf16be(s string) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u>>8), byte(u))
	}
	return string(b)
}

// TestOddSerials finds odd serial numbers in lists and in queries.
func TestOddSerials(t *testing.T) {
	root := newRoot(t, "Root")
	n := 0
	for _, content := range []string{"\x80\x01", "\xff", "\x00", "\x00" + strings.Repeat("\xff", 20), strings.Repeat("\x11", 60), "\x00\x80"} {
		leaf := root.reshaped(t, root.newLeaf(t, alice), set(tbsSerial, tlv(2, content)...))
		leaf.SerialNumber = new(big.Int)
		if s := cryptobyte.String(tlv(2, content)); !s.ReadASN1Integer(leaf.SerialNumber) {
			t.Fatal("INTEGER")
		}
		crl := list{by: root, number: 1, this: -day, next: day}
		if got, _ := outcome(t, root, leaf, nil, nil, crl.der(t)); got != "good" {
			t.Errorf("%x: %s", content, got)
		}
		ocsp := response{by: root, produced: -day, answers: []reply{{cert: leaf, issuer: root, this: -day, next: day}}}
		if got, _ := outcome(t, root, leaf, nil, nil, ocsp.der(t)); got != "good" {
			t.Errorf("%x by OCSP: %s", content, got)
		}
		crl.entries = []listed{{cert: leaf, date: -2 * day}}
		if got, _ := outcome(t, root, leaf, nil, nil, crl.der(t)); got != "revoked" {
			t.Errorf("%x, listed: %s", content, got)
		}
		for e, err := range chain.NewCollection(chain.Untrusted(certs(leaf))).Find(t.Context(), chain.Query{Kind: chain.KindCertificate, Issuer: root.RawSubject, Serial: leaf.SerialNumber}) {
			if err != nil || !bytes.Equal(e.DER(), leaf.Raw) {
				t.Error(err)
			}
			n++
		}
	}
	if n != 6 {
		t.Errorf("found %d", n)
	}
}

// TestOddKeys judges leaves by their keys.
func TestOddKeys(t *testing.T) {
	root := newRoot(t, "Root")
	plain := root.newLeaf(t, alice, usages(0))
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	id := func(o oid.OID, params ...byte) []byte {
		return sequence(build(func(b *cryptobyte.Builder) { o.Add(b) }), params)
	}
	spki := func(algorithm, bits []byte) []byte {
		return sequence(algorithm, build(func(b *cryptobyte.Builder) { b.AddASN1BitString(bits) }))
	}
	modulus := build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(key.N) })
	rsaKey := func(algorithm []byte, e *big.Int) []byte {
		return spki(algorithm, sequence(modulus, build(func(b *cryptobyte.Builder) { b.AddASN1BigInt(e) })))
	}
	exponent := func(bits uint) *big.Int { e := new(big.Int).Lsh(big.NewInt(1), bits); return e.Add(e, big.NewInt(1)) }
	null, f4 := []byte{5, 0}, big.NewInt(65537)
	point := keyBits(t, makeCert(t, root, newP256(t), "x"))
	prime := id(oid.ECPublicKey, tlv(0x30, "\x02\x01\x01")...)
	pssParams := sequence(explicit(0, id(oid.SHA256, null...)), explicit(1, id(oid.MGF1, id(oid.SHA256, null...)...)), explicit(2, []byte{2, 1, 32}))
	const good, unfit, weak = chain.Reason(0), chain.ErrWrongPurpose, chain.ErrWeakAlgorithm
	for _, c := range []struct {
		name          string
		spki          []byte
		sign, encrypt chain.Reason
	}{
		{"RSA, exponent 3", rsaKey(id(oid.RSAEncryption, null...), big.NewInt(3)), good, good},
		{"RSA, exponent 65537", rsaKey(id(oid.RSAEncryption, null...), f4), good, good},
		{"RSA, exponent of 31 bits", rsaKey(id(oid.RSAEncryption, null...), exponent(30)), good, good},
		{"RSA, exponent of 33 bits", rsaKey(id(oid.RSAEncryption, null...), exponent(32)), unfit, unfit},
		{"RSA, exponent 1", rsaKey(id(oid.RSAEncryption, null...), big.NewInt(1)), unfit, unfit},
		{"RSA, even exponent", rsaKey(id(oid.RSAEncryption, null...), big.NewInt(65536)), unfit, unfit},
		{"RSA, negative exponent", rsaKey(id(oid.RSAEncryption, null...), big.NewInt(-3)), unfit, unfit},
		{"RSA without NULL", rsaKey(id(oid.RSAEncryption), f4), good, good},
		{"PSS", rsaKey(id(oid.RSASSAPSS), f4), good, unfit},
		{"PSS with parameters", rsaKey(id(oid.RSASSAPSS, pssParams...), f4), good, unfit},
		{"PSS with broken parameters", rsaKey(id(oid.RSASSAPSS, 0x30, 1, 0), f4), unfit, unfit},
		{"OAEP", rsaKey(id(oid.RSAESOAEP), f4), unfit, good},
		{"P-256", spki(id(oid.ECPublicKey, build(func(b *cryptobyte.Builder) { oid.P256.Add(b) })...), point), good, good},
		{"P-256, off the curve", spki(id(oid.ECPublicKey, build(func(b *cryptobyte.Builder) { oid.P256.Add(b) })...), append(point[:64:64], point[64]^1)), unfit, unfit},
		{"P-224", spki(id(oid.ECPublicKey, build(func(b *cryptobyte.Builder) { oid.P224.Add(b) })...), p224(t)), weak, weak},
		{"curve written out", spki(prime, point), unfit, unfit},
		{"curve inherited", spki(id(oid.ECPublicKey, null...), point), unfit, unfit},
		{"X25519", spki(id(oid.X25519), bytes.Repeat([]byte{9}, 32)), unfit, good},
		{"Ed25519", spki(id(oid.Ed25519), keyBits(t, plain)), good, unfit},
		{"Ed25519 with NULL", spki(id(oid.Ed25519, null...), keyBits(t, plain)), unfit, unfit},
		{"nobody knows", spki(id(unknownOID), []byte{1}), unfit, unfit},
	} {
		t.Run(c.name, func(t *testing.T) {
			leaf := root.reshaped(t, plain, set(tbsKey, c.spki...))
			p := signing()
			for purpose, want := range map[chain.Purpose]chain.Reason{chain.EmailSigning: c.sign, chain.EmailEncryption: c.encrypt} {
				p.Purpose = purpose
				_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, p)
				t.Log(c.name, purpose)
				wantReason(t, err, want)
			}
			if p.InsecureShortKeys = true; c.sign == weak {
				p.Purpose = chain.EmailSigning
				_, err := chain.NewCollection(chain.Anchors(certs(root))).Verify(t.Context(), leaf.Certificate, p)
				wantReason(t, err, 0)
			}
		})
	}
}

func p224(t testing.TB) []byte {
	key, err := ecdsa.GenerateKey(elliptic.P224(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return point
}
