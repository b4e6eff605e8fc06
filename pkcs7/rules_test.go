package pkcs7

import (
	"bytes"
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
)

// A crafted message is signed by the rules of this test, not of the package.
type crafted struct {
	key      SigningKey
	typ      oid.OID                       // empty: id-data
	content  string                        // empty: text
	attrs    func(a attributes) attributes // changes what is signed; nil result: no signedAttrs
	unsigned attributes
	front    []byte // nil: as it should be
	crls     [][]byte
	encode   func(set []byte) []byte // of the signed attributes as sent
}

func (c *crafted) message(t *testing.T) []byte {
	t.Helper()
	job, err := newSignJob(&c.key, false)
	if err != nil {
		t.Fatal(err)
	}
	typ, content := cmp.Or(c.typ, oid.Data), cmp.Or(c.content, text)
	if err := job.fixedAttributes(typ, time.Now(), 0); err != nil {
		t.Fatal(err)
	}
	h := job.scheme.Hash().New()
	io.WriteString(h, content)
	list := job.attributes(h.Sum(nil))
	if c.attrs != nil {
		list = c.attrs(list)
	}
	set := sortAttributes(list)
	sig, err := alg.Sign(context.Background(), job.key, job.pub, job.scheme, set)
	if err != nil {
		t.Fatal(err)
	}
	if c.encode != nil {
		set = c.encode(set)
	}
	info := job.encode(set, sig)
	if c.unsigned != nil {
		fields, err := members(info)
		if err != nil {
			t.Fatal(err)
		}
		u := sortAttributes(c.unsigned)
		u[0] = 0xa1
		info = ber.Append(nil, ber.Sequence, true, append(fields, u)...)
	}
	front := c.front
	if front == nil {
		front = encodeFront(1, [][]byte{job.digestID.DER()})
	}
	var out bytes.Buffer
	w := &encapWriter{dst: &out, outer: oid.SignedData, front: front, type_: typ, size: unknownSize, tail: -1}
	io.WriteString(w, content)
	if err := w.finish(encodeTail(false, [][]byte{c.key.Certificate.Raw}, c.crls, [][]byte{info})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func without(id oid.OID) func(attributes) attributes {
	return func(a attributes) (b attributes) {
		for _, x := range a {
			if x.id != id {
				b = append(b, x)
			}
		}
		return b
	}
}

func with(id oid.OID, values ...[]byte) func(attributes) attributes {
	return func(a attributes) attributes { return append(without(id)(a), attribute{id, values}) }
}

func twice(id oid.OID) func(attributes) attributes {
	return func(a attributes) attributes {
		v, _ := a.single(id)
		return append(a, attribute{id, [][]byte{v}})
	}
}

func TestAttributeRules(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	other := newSigner(t, "p256")
	otherCert, err := parseCertificate(other.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	digest := func(h alg.Hash) []byte { return h.Identifier().DER() }
	octets := func(n int) []byte { return ber.Append(nil, ber.OctetString, false, make([]byte, n)) }
	protection := func(d, s oid.OID) []byte {
		return encodeAlgorithmProtection(alg.Identifier{OID: d}, alg.Identifier{OID: s})
	}
	for name, c := range map[string]struct {
		crafted
		want error
	}{
		"as it should be":             {crafted{}, nil},
		"no content type":             {crafted{attrs: without(oid.AttrContentType)}, ErrSyntax},
		"content type twice":          {crafted{attrs: twice(oid.AttrContentType)}, ErrSyntax},
		"another content type":        {crafted{attrs: with(oid.AttrContentType, ber.Append(nil, ber.OID, false, []byte(oid.TSTInfo)))}, ErrSignature},
		"no message digest":           {crafted{attrs: without(oid.AttrMessageDigest)}, ErrSyntax},
		"message digest twice":        {crafted{attrs: twice(oid.AttrMessageDigest)}, ErrSyntax},
		"message digest, two values":  {crafted{attrs: with(oid.AttrMessageDigest, octets(32), octets(32))}, ErrSyntax},
		"message digest, no value":    {crafted{attrs: with(oid.AttrMessageDigest)}, ErrSyntax},
		"message digest too short":    {crafted{attrs: with(oid.AttrMessageDigest, octets(16))}, ErrSyntax},
		"message digest of other":     {crafted{attrs: with(oid.AttrMessageDigest, octets(32))}, ErrDigest},
		"signing time twice":          {crafted{attrs: twice(oid.AttrSigningTime)}, ErrSyntax},
		"signing time garbage":        {crafted{attrs: with(oid.AttrSigningTime, []byte{4, 1, 1})}, ErrSyntax},
		"no signing time":             {crafted{attrs: without(oid.AttrSigningTime)}, nil},
		"protection of other digest":  {crafted{attrs: with(oid.AttrCMSAlgorithmProtection, protection(oid.SHA512, oid.ECDSAWithSHA256))}, ErrSignature},
		"protection of other scheme":  {crafted{attrs: with(oid.AttrCMSAlgorithmProtection, protection(oid.SHA256, oid.ECDSAWithSHA512))}, ErrSignature},
		"protection malformed":        {crafted{attrs: with(oid.AttrCMSAlgorithmProtection, octets(3))}, ErrSyntax},
		"protection twice":            {crafted{attrs: twice(oid.AttrCMSAlgorithmProtection)}, ErrSyntax},
		"no protection":               {crafted{attrs: without(oid.AttrCMSAlgorithmProtection)}, nil},
		"other signing certificate":   {crafted{attrs: with(oid.AttrSigningCertificateV2, encodeSigningCertificate(otherCert, alg.SHA256))}, ErrSignature},
		"garbage signing certificate": {crafted{attrs: with(oid.AttrSigningCertificateV2, octets(1))}, ErrSyntax},
		"no signing certificate":      {crafted{attrs: without(oid.AttrSigningCertificateV2)}, nil},
		"v1 of another digest":        {crafted{attrs: with(oid.AttrSigningCertificate, encodeSigningCertificate(otherCert, alg.SHA256))}, ErrSignature},
		"security label twice":        {crafted{attrs: with(oid.AttrSecurityLabel, octets(1), octets(2))}, ErrSyntax},
		"unknown attribute":           {crafted{attrs: with("\x2a\x03", octets(1), octets(2))}, nil},
		"signing time unsigned":       {crafted{unsigned: attributes{{oid.AttrSigningTime, [][]byte{encodeTime(time.Now())}}}}, ErrSyntax},
		"unknown unsigned":            {crafted{unsigned: attributes{{"\x2a\x03", [][]byte{octets(1)}}}}, nil},
		"sent with BER lengths":       {crafted{encode: longLengths}, nil},
		"sent unsorted":               {crafted{encode: reversed}, nil},
		"digest not announced":        {crafted{front: encodeFront(1, [][]byte{digest(alg.SHA384)})}, nil},
		"no digest announced":         {crafted{front: encodeFront(1, nil)}, nil},
		"version 99":                  {crafted{front: encodeFront(99, [][]byte{digest(alg.SHA256)})}, nil},
		"negative version":            {crafted{front: encodeFront(0xff, [][]byte{digest(alg.SHA256)})}, ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			c.crafted.key = key
			got, _, err := verify(c.crafted.message(t), nil, nil)
			if !errors.Is(err, c.want) || (err == nil) != (got == text) {
				t.Errorf("%s: %q, %v, not %v", name, got, err, c.want)
			}
		})
	}
}

// longLengths returns a SET whose length octets are one more than needed.
func longLengths(set []byte) []byte {
	r, _ := members(set)
	contents := bytes.Join(r, nil)
	return append([]byte{set[0], 0x83, 0, byte(len(contents) >> 8), byte(len(contents))}, contents...)
}

func reversed(set []byte) []byte {
	r, _ := members(set)
	for i, j := 0, len(r)-1; i < j; i, j = i+1, j-1 {
		r[i], r[j] = r[j], r[i]
	}
	return ber.Append(nil, ber.Set, true, r...)
}

// TestOneUnknownSigner shows that a signer that nobody can check does not hide
// the other one, and is not passed over by Verify.
func TestOneUnknownSigner(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	good := signersOf(t, sign(t, text, nil, key), nil)[0]
	fields, err := members(good.raw)
	if err != nil {
		t.Fatal(err)
	}
	fields[4] = ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte{0x2a, 3, 4}))
	unknown := ber.Append(nil, ber.Sequence, true, fields...)
	var out bytes.Buffer
	w := &encapWriter{dst: &out, outer: oid.SignedData, front: encodeFront(1, [][]byte{good.digestID.DER()}), type_: oid.Data, size: unknownSize, tail: -1}
	io.WriteString(w, text)
	if err := w.finish(encodeTail(false, [][]byte{key.Certificate.Raw}, nil, [][]byte{good.raw, unknown})); err != nil {
		t.Fatal(err)
	}
	outcome := map[bool]int{}
	for _, s := range signersOf(t, out.Bytes(), nil) {
		err := s.CheckSignature(key.Certificate)
		if err != nil && (!errors.Is(err, ErrUnsupported) || s.Scheme() != 0) {
			t.Error(err)
		}
		outcome[err == nil]++
	}
	if outcome[true] != 1 || outcome[false] != 1 {
		t.Errorf("%v", outcome)
	}
	if _, _, err := verify(out.Bytes(), nil, nil); !errors.Is(err, ErrUnsupported) {
		t.Error(err)
	}
}

// signBare signs content itself.
func signBare(t *testing.T, key SigningKey, content string) []byte {
	t.Helper()
	job, err := newSignJob(&key, false)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := alg.Sign(context.Background(), job.key, job.pub, job.scheme, []byte(content))
	if err != nil {
		t.Fatal(err)
	}
	info := ber.Append(nil, ber.Sequence, true, []byte{2, 1, 1}, job.id.encode(), job.digestID.DER(), job.sigID.DER(), ber.Append(nil, ber.OctetString, false, sig))
	var out bytes.Buffer
	w := &encapWriter{dst: &out, outer: oid.SignedData, front: encodeFront(1, [][]byte{job.digestID.DER()}), type_: oid.Data, size: unknownSize, tail: -1}
	io.WriteString(w, content)
	if err := w.finish(encodeTail(false, [][]byte{key.Certificate.Raw}, nil, [][]byte{info})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPureWithoutAttributes signs content itself, as RFC 8419 section 4 allows,
// small and large, from a source that can be read again and one that can't.
func TestPureWithoutAttributes(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "ed25519")
	for _, n := range []int{1, 100_000, 6 << 20} {
		msg := signBare(t, key, strings.Repeat("x", n))
		for name, src := range map[string]io.Reader{"seekable": bytes.NewReader(msg), "stream": onlyReader{bytes.NewReader(msg)}} {
			r, err := NewSignedReader(src, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Fatal(err)
			}
			signers, err := r.Signers()
			if err != nil {
				t.Fatal(err)
			}
			err = signers[0].CheckSignature(key.Certificate)
			if n > 4<<20 { // the memory that one message may use
				if !errors.Is(err, ErrLimit) {
					t.Errorf("%s, %d octets: %v", name, n, err)
				}
			} else if err != nil {
				t.Errorf("%s, %d octets: %v", name, n, err)
			}
		}
	}
}

func TestWeakKeysAndDigests(t *testing.T) {
	t.Parallel()
	msg := readPEM(t, goldenFile(t, "rsa-sha1-opaque"))
	r := readSigned(t, msg, nil)
	signers, _ := r.Signers()
	elements, _ := r.UnverifiedElements()
	if err := checkWithAny(signers[0], elements); !errors.Is(err, ErrWeak) {
		t.Errorf("SHA-1: %v", err)
	}
	for _, der := range elements {
		cert := &x509.Certificate{Raw: der}
		if signers[0].ID().Matches(cert) {
			if err := signers[0].Strength(cert); !errors.Is(err, ErrWeak) {
				t.Errorf("Strength: %v", err)
			}
		}
	}
}

// TestEvidence reads an OCSP response from the CRLs of a message.
func TestEvidence(t *testing.T) {
	t.Parallel()
	response := []byte{0x30, 3, 0x0a, 1, 0}
	choice := ber.Append(nil, ber.Context(1), true, ber.Append(nil, ber.OID, false, []byte(oid.OCSPResponseInfo)), response)
	basic := []byte{0x30, 2, 5, 0}
	values := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Context(1), true, ber.Append(nil, ber.Sequence, true, basic)))
	c := crafted{key: newSigner(t, "ed25519"), crls: [][]byte{choice, {0x30, 0}, {0xa1, 0}, {0xa7, 0}},
		unsigned: attributes{{oid.AttrRevocationValues, [][]byte{values}}, {oid.AttrCertValues, [][]byte{{0x30, 2, 0x30, 0}}}}}
	elements, err := readSigned(t, c.message(t), nil).UnverifiedElements()
	if err != nil || len(elements) != 5 {
		t.Fatalf("%x, %v", elements, err)
	}
	if !bytes.Equal(elements[1], response) || !bytes.Equal(elements[2], []byte{0x30, 0}) || !bytes.Contains(bytes.Join(elements[3:], nil), basic) {
		t.Errorf("%x", elements)
	}
	if v := signedVersion(oid.Data, nil, [][]byte{choice}, false); v != 5 {
		t.Errorf("version %d", v)
	}
}
