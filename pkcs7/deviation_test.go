package pkcs7

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gosmime/gosmime/internal/alg"
	"github.com/gosmime/gosmime/internal/ber"
	"github.com/gosmime/gosmime/internal/oid"
	"github.com/gosmime/gosmime/internal/suites"
	"golang.org/x/crypto/cryptobyte"
)

func TestDeviationsOfSigners(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	digest := func(h alg.Hash) []byte { return h.Identifier().DER() }
	null := alg.Identifier{OID: oid.SHA256, Params: []byte{5, 0}}.DER()
	sloppy := func(a attributes) attributes { // BOOLEAN TRUE as 1
		return append(a, attribute{"\x2a\x03", [][]byte{{1, 1, 1}}})
	}
	inSegments := func(set []byte) []byte { return indefinite(t, set, 2) }
	for name, c := range map[string]struct {
		crafted
		want []Deviation
	}{
		"as it should be":                          {crafted{}, nil},
		"digest not announced":                     {crafted{front: encodeFront(1, [][]byte{digest(alg.SHA384)})}, []Deviation{DigestNotAnnounced}},
		"no digest announced":                      {crafted{front: encodeFront(1, nil)}, []Deviation{DigestNotAnnounced}},
		"announced with NULL":                      {crafted{front: encodeFront(1, [][]byte{null})}, nil},
		"sent unsorted":                            {crafted{encode: reversed}, []Deviation{AttributesNotDER}},
		"sent with BER lengths, signed as DER":     {crafted{encode: longLengths}, []Deviation{AttributesNotDER}},
		"sent with indefinite lengths":             {crafted{encode: inSegments}, []Deviation{AttributesNotDER}},
		"signed with a BOOLEAN that is not of DER": {crafted{attrs: sloppy}, []Deviation{AttributesNotDER}},
	} {
		t.Run(name, func(t *testing.T) {
			c.key = key
			msg := c.message(t)
			if got, _, err := verify(msg, nil, nil); err != nil || got != text {
				t.Errorf("%s: %v", name, err)
				return
			}
			if got := signersOf(t, msg, nil)[0].Deviations(); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, not %v", name, got, c.want)
			}
		})
	}
	var s SignerInfo
	var r DecryptReader
	if len(s.Deviations())+len(r.Deviations()) > 0 {
		t.Error("deviations of nothing")
	}
}

// Both identifiers of SHAKE256 announce the digest of Ed448 (RFC 8419 section 3).
func TestDeviationsOfSamples(t *testing.T) {
	t.Parallel()
	n := 0
	for _, name := range []string{"sig-ed448", "o-ed448", "sig-rsa", "sig-pss", "sig-ML-DSA-65", "o-ML-DSA-65", "sig-SLH-DSA-SHAKE-128F"} {
		t.Run(name, func(t *testing.T) {
			s := signersOf(t, readPEM(t, suites.Corpus(t, "samples", name+".der")), nil)[0]
			if got := s.Deviations(); len(got) > 0 {
				t.Errorf("%s: %v", name, got)
			}
			n++
		})
	}
	if n != 7 {
		t.Errorf("%d samples", n)
	}
}

// No other message of the golden set deviates.
func TestDeviationsOfGoldens(t *testing.T) {
	t.Parallel()
	want := map[string]Deviation{
		"bad/signed/attr-unsorted-signed-over-der.p7m": AttributesNotDER, "bad/signed/attr-unsorted-signed-as-sent.p7m": AttributesNotDER,
		"bad/signed/digestalgs-empty.p7m": DigestNotAnnounced, "bad/signed/digestalgs-wrong.p7m": DigestNotAnnounced, "bad/signed/digest-unknown.p7m": DigestNotAnnounced,
	}
	signers, found := 0, 0
	for _, g := range suites.Goldens(t, func(g *suites.Golden) bool {
		return strings.HasSuffix(g.File, ".p7m") || strings.HasSuffix(g.File, ".p7s")
	}) {
		t.Run(g.File, func(t *testing.T) {
			r, err := NewSignedReader(bytes.NewReader(g.Read(t, g.File)), nil, nil)
			if err != nil {
				return
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				return
			}
			for _, s := range r.signers {
				signers++
				var list []Deviation
				if d, ok := want[g.File]; ok {
					list = append(list, d)
					found++
				}
				if got := s.Deviations(); !slices.Equal(got, list) {
					t.Errorf("%s: %v, not %v", g.File, got, list)
				}
			}
		})
	}
	if signers < 100 || found != len(want) {
		t.Errorf("%d of %d signers deviate", found, signers)
	}
}

func TestDeviationsOfEnvelopes(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	recipients, algorithm, ciphertext, mac := dissect(t, encryptTo(t, noise(40), &EncryptOptions{Size: 40}, ToKey(nil, kek)))
	var params, nonce cryptobyte.String
	if s := cryptobyte.String(algorithm.Params); !s.ReadASN1(&params, 0x30) || !params.ReadASN1Element(&nonce, 4) {
		t.Fatal("no parameters")
	}
	short := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(algorithm.OID)), ber.Append(nil, ber.Sequence, true, nonce))
	x25519 := testKeys()[4]
	for name, c := range map[string]struct {
		msg  []byte
		key  DecryptionKey
		want []Deviation
	}{
		"as it should be":  {assemble(recipients, algorithm.DER(), ciphertext, mac), KeyFromKEK(nil, kek), nil},
		"ICVlen left out":  {assemble(recipients, short, ciphertext, mac), KeyFromKEK(nil, kek), []Deviation{TagLength}},
		"and a short tag":  {assemble(recipients, short, ciphertext, mac[:12]), KeyFromKEK(nil, kek), nil},
		"ukm as salt":      {withUKM(t, x25519, true), x25519.decryption(), nil},
		"ukm, but no salt": {withUKM(t, x25519, false), x25519.decryption(), []Deviation{KeyDerivation}},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := NewDecryptReader(t.Context(), bytes.NewReader(c.msg), fixed(c.key), nil)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				return
			}
			if _, err := io.Copy(io.Discard, r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if got := r.Deviations(); !slices.Equal(got, c.want) {
				t.Errorf("%s: %v, not %v", name, got, c.want)
			}
			r.Close()
		})
	}
}

// withUKM makes a message with a ukm that is or is not the salt of HKDF
// (RFC 8418 section 2.2).
func withUKM(t *testing.T, to testKey, salt bool) []byte {
	t.Helper()
	content, err := alg.NewContent(alg.AES128CBC, false)
	if err != nil {
		t.Fatal(err)
	}
	cek, ukm := content.NewKey(), []byte("keying material")
	pub := to.decryption().parse().public
	agreement, err := alg.AgreementFor(pub, len(cek))
	if err != nil {
		t.Fatal(err)
	}
	z, originator, err := alg.Ephemeral(pub)
	if err != nil {
		t.Fatal(err)
	}
	keks, err := agreement.KEKs(z, ukm)
	if err != nil {
		t.Fatal(err)
	}
	kek := keks[0]
	if !salt {
		kek = keks[1]
	}
	wrapped, err := agreement.Wrap.Wrap(kek, cek)
	if err != nil {
		t.Fatal(err)
	}
	var contents cryptobyte.String
	if s := cryptobyte.String(originator); !s.ReadASN1(&contents, 0x30) {
		t.Fatal("no originator")
	}
	id := issuerAndSerial(to.decryption().parse().cert)
	der := ber.Append(nil, ber.Context(1), true, encodeVersion(3),
		ber.Append(nil, ber.Context(0), true, ber.Append(nil, ber.Context(1), true, contents)),
		ber.Append(nil, ber.Context(1), true, encodeOctets(ukm)), agreement.ID.DER(),
		ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.Sequence, true, id.encode(), encodeOctets(wrapped))))
	e, err := content.Encrypter(bytes.Clone(cek), nil)
	if err != nil {
		t.Fatal(err)
	}
	ciphertext, _ := e.Final(e.Update(nil, []byte(text)))
	return rawEnvelope(encodedRecipient{der: der}, content.ID, ciphertext)
}

// Authenticated attributes go under the tag in DER, in whatever order they come,
// and what is in their values stays as it is.
func TestAuthAttributesOrder(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	inner := Attribute{Type: oid.FriendlyName.X509(), Values: [][]byte{{0x31, 6, 0xa0, 2, 5, 0, 0x81, 0}}} // a SET in the order of its tags
	other := Attribute{Type: oid.LocalKeyID.X509(), Values: [][]byte{{4, 1, 1}}}
	msg := encryptTo(t, noise(10), &EncryptOptions{Size: 10, AuthAttributes: []Attribute{inner, other}}, ToKey(nil, kek))
	if got, err := decryptAll(bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil); err != nil || !bytes.Equal(got, noise(10)) {
		t.Errorf("as written: %v", err)
	}
	list := importAttributes([]Attribute{inner, other, {Type: oid.AttrContentType.X509(), Values: [][]byte{ber.Append(nil, ber.OID, false, []byte(oid.Data))}}})
	var encoded [][]byte
	for i := range list {
		encoded = append(encoded, list[i].encode())
	}
	sorted := encodeSet(ber.Context(1), encoded)
	slices.Reverse(encoded)
	unsorted := ber.Append(nil, ber.Context(1), true, encoded...)
	if !bytes.Contains(msg, sorted) {
		t.Fatal("other attributes")
	}
	got, err := decryptAll(bytes.NewReader(bytes.Replace(msg, sorted, unsorted, 1)), fixed(KeyFromKEK(nil, kek)), nil)
	if err != nil || !bytes.Equal(got, noise(10)) {
		t.Errorf("sent unsorted: %v", err)
	}
}

// What must be signed or authenticated is refused where anyone may change it.
func TestMisplacedAttributes(t *testing.T) {
	t.Parallel()
	kek := noise(32)
	n := 0
	for _, id := range []oid.OID{oid.AttrContentType, oid.AttrMessageDigest, oid.AttrSigningTime, oid.AttrCMSAlgorithmProtection} {
		for _, c := range []Cipher{AES256GCM, AES256CBC} {
			msg := encryptTo(t, noise(10), &EncryptOptions{Cipher: c, UnprotectedAttributes: []Attribute{{Type: id.X509(), Values: [][]byte{encodeTime(time.Now())}}}}, ToKey(nil, kek))
			if _, err := decryptAll(bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil); err == nil {
				t.Errorf("%v, %v: unprotected", id, c)
			}
			n++
		}
	}
	if n != 8 {
		t.Errorf("%d messages", n)
	}
}

// A key identifier is an OCTET STRING, of which BER makes segments.
func TestKeyIDInSegments(t *testing.T) {
	t.Parallel()
	key := newSigner(t, "p256")
	msg := sign(t, text, &SignOptions{ByKeyID: true}, key)
	id := key.Certificate.SubjectKeyId
	whole := ber.Append(nil, ber.Context(0), false, id)
	segments := ber.Append(nil, ber.Context(0), true, encodeOctets(id[:5]), encodeOctets(id[5:]))
	info := signersOf(t, msg, nil)[0].raw
	fields, err := members(info)
	if err != nil || !bytes.Equal(fields[1], whole) {
		t.Fatal(err)
	}
	fields[1] = segments
	var out bytes.Buffer
	w := &encapWriter{dst: &out, outer: oid.SignedData, front: encodeFront(3, [][]byte{alg.SHA256.Identifier().DER()}), type_: oid.Data, size: unknownSize, tail: -1}
	io.WriteString(w, text)
	if err := w.finish(encodeTail(false, [][]byte{key.Certificate.Raw}, nil, [][]byte{ber.Append(nil, ber.Sequence, true, fields...)})); err != nil {
		t.Fatal(err)
	}
	if got, _, err := verify(out.Bytes(), nil, nil); err != nil || got != text {
		t.Error(err)
	}
	for _, bad := range [][]byte{{0xa0, 0}, {0xa0, 2, 5, 0}, {0xa0, 3, 4, 1, 1, 0}, {0x80, 0}} {
		if id, ok := parseCertID(bad); ok {
			t.Errorf("%x: %x", bad, id.KeyID)
		}
	}
}

// The MAC of attributes is worth no more than the digest in them.
func TestWeakDigestUnderMAC(t *testing.T) {
	t.Parallel()
	kek, key := noise(32), noise(20)
	mac := alg.Identifier{OID: oid.HMACSHA1}
	for _, h := range []alg.Hash{alg.SHA1, alg.SHA256} {
		sum := h.New()
		io.WriteString(sum, text)
		set := sortAttributes(attributes{
			{oid.AttrContentType, [][]byte{ber.Append(nil, ber.OID, false, []byte(oid.Data))}},
			{oid.AttrMessageDigest, [][]byte{encodeOctets(sum.Sum(nil))}},
		})
		msg := authenticatedData(t, kek, key, mac, h.Identifier(), set)
		var out bytes.Buffer
		_, err := Extract(context.Background(), &out, bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil)
		if (err == nil) == h.Weak() || (out.String() == text) == h.Weak() {
			t.Errorf("%v: %v", h, err)
		}
		x, err := Extract(context.Background(), io.Discard, bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), &DecryptOptions{InsecureHistoric: true})
		if err != nil || (x.Weak != nil) != h.Weak() {
			t.Errorf("%v, historic: %v", h, err)
		}
	}
}

// TestAuthAttributeRules holds RFC 5652 section 9 and RFC 6211 section 2 in an
// AuthenticatedData.
func TestAuthAttributeRules(t *testing.T) {
	t.Parallel()
	kek, key := noise(32), noise(20)
	mac, digest := alg.Identifier{OID: oid.HMACSHA1}, alg.SHA256.Identifier()
	h := alg.SHA256.New()
	io.WriteString(h, text)
	contentType := attribute{oid.AttrContentType, [][]byte{ber.Append(nil, ber.OID, false, []byte(oid.Data))}}
	sum := attribute{oid.AttrMessageDigest, [][]byte{encodeOctets(h.Sum(nil))}}
	protection := func(d, m oid.OID) attribute {
		implicit := alg.Identifier{OID: m}.DER()
		implicit = append([]byte{0xa2}, implicit[1:]...)
		return attribute{oid.AttrCMSAlgorithmProtection, [][]byte{ber.Append(nil, ber.Sequence, true, alg.Identifier{OID: d}.DER(), implicit)}}
	}
	n := 0
	for name, c := range map[string]struct {
		attrs attributes
		want  error
	}{
		"as it should be":         {attributes{contentType, sum}, nil},
		"protected":               {attributes{contentType, sum, protection(oid.SHA256, oid.HMACSHA1)}, nil},
		"protects another digest": {attributes{contentType, sum, protection(oid.SHA512, oid.HMACSHA1)}, ErrDecrypt},
		"protects another MAC":    {attributes{contentType, sum, protection(oid.SHA256, oid.HMACSHA256)}, ErrDecrypt},
		"no content type":         {attributes{sum}, ErrDecrypt},
		"no digest":               {attributes{contentType}, ErrDecrypt},
		"another digest":          {attributes{contentType, {oid.AttrMessageDigest, [][]byte{encodeOctets(noise(32))}}}, ErrDecrypt},
		"digest twice":            {attributes{contentType, sum, sum}, ErrSyntax},
		"digest with two values":  {attributes{contentType, {oid.AttrMessageDigest, [][]byte{sum.values[0], encodeOctets(nil)}}}, ErrSyntax},
		"content type twice":      {attributes{contentType, contentType, sum}, ErrSyntax},
		"another content type":    {attributes{{oid.AttrContentType, [][]byte{ber.Append(nil, ber.OID, false, []byte(oid.TSTInfo))}}, sum}, ErrSyntax},
		"nothing":                 {attributes{}, ErrSyntax},
	} {
		t.Run(name, func(t *testing.T) {
			msg := authenticatedData(t, kek, key, mac, digest, sortAttributes(c.attrs))
			var out bytes.Buffer
			if _, err := Extract(context.Background(), &out, bytes.NewReader(msg), fixed(KeyFromKEK(nil, kek)), nil); !errors.Is(err, c.want) || (err == nil) != (out.String() == text) {
				t.Errorf("%s: %v, not %v", name, err, c.want)
			}
			n++
		})
	}
	if n != 12 {
		t.Errorf("%d cases", n)
	}
}

// authenticatedData makes an AuthenticatedData for a KEK with attributes.
func authenticatedData(t *testing.T, kek, key []byte, mac, digest alg.Identifier, set []byte) []byte {
	t.Helper()
	wrap := alg.WrapFor(len(kek))
	wrap.ID.OID = oid.AES256WrapPad // the key of the MAC has 20 octets
	wrapped, err := wrap.Wrap(kek, key)
	if err != nil {
		t.Fatal(err)
	}
	recipient := ber.Append(nil, ber.Context(2), true, encodeVersion(4), ber.Append(nil, ber.Sequence, true, encodeOctets(nil)), wrap.ID.DER(), encodeOctets(wrapped))
	h := hmac.New(sha1.New, key)
	h.Write(set)
	content := ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.Data)), ber.Append(nil, ber.Context(0), true, encodeOctets([]byte(text))))
	implicit := bytes.Clone(digest.DER())
	implicit[0] = 0xa1
	body := ber.Append(nil, ber.Sequence, true, encodeVersion(0), ber.Append(nil, ber.Set, true, recipient), mac.DER(), implicit, content,
		retag(set, ber.Context(2)), encodeOctets(h.Sum(nil)))
	return ber.Append(nil, ber.Sequence, true, ber.Append(nil, ber.OID, false, []byte(oid.AuthenticatedData)), ber.Append(nil, ber.Context(0), true, body))
}
