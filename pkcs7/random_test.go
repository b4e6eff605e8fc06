package pkcs7

import (
	"bytes"
	"context"
	"crypto"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/gosmime/gosmime/internal/oid"
)

// A lottery makes messages of random combinations of what there is to choose
// from. A seed tells which, so that a failure can be repeated.
type lottery struct {
	*rand.Rand
	t     *testing.T
	ssl   *peer
	log   []string
	keys  map[string]SigningKey
	roots string
}

const (
	lotterySeed   = 20261122
	lotteryRounds = 40
)

func newLottery(t *testing.T) *lottery {
	l := &lottery{t: t, ssl: newPeer(t, "openssl"), keys: map[string]SigningKey{}}
	var roots []byte
	for _, kind := range []string{"rsa", "p256", "p384", "p521"} {
		k := newSigner(t, kind)
		l.keys[kind] = k
		l.ssl.keyFiles(testKey{kind, k.Certificate, k.Key})
		roots = append(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: k.Certificate.Raw})...)
	}
	l.roots = l.ssl.file("roots.pem", roots)
	return l
}

// draw begins a round.
func (l *lottery) draw(round int) {
	l.Rand = rand.New(rand.NewPCG(lotterySeed, uint64(round)))
	l.log = []string{fmt.Sprintf("round %d", round)}
}

func (l *lottery) note(format string, args ...any) {
	l.log = append(l.log, fmt.Sprintf(format, args...))
}

func (l *lottery) coin() bool { return l.IntN(2) == 0 }

func pick[T any](l *lottery, list ...T) T { return list[l.IntN(len(list))] }

func (l *lottery) content() []byte {
	b := make([]byte, pick(l, 0, 1, 15, 16, 1000, smallContent-1, smallContent, smallContent+1, 200_000))
	for i := range b {
		b[i] = byte(l.Uint32())
	}
	return b
}

func (l *lottery) signer() SigningKey {
	kind := pick(l, "rsa", "p256", "p384", "p521")
	k := l.keys[kind]
	schemes := map[string][]Scheme{
		"rsa":  {0, RSAPKCS1SHA256, RSAPKCS1SHA384, RSAPKCS1SHA512, RSAPSSSHA256, RSAPSSSHA384, RSAPSSSHA512},
		"p256": {0, ECDSASHA256, ECDSASHA384, ECDSASHA512}, "p384": {0, ECDSASHA384}, "p521": {0, ECDSASHA512},
	}
	k.Scheme = pick(l, schemes[kind]...)
	for range l.IntN(3) {
		k.Attributes = append(k.Attributes, l.attribute(byte(len(k.Attributes))))
	}
	l.note("%s %v with %d attributes", kind, k.Scheme, len(k.Attributes))
	return k
}

// attribute returns one of a type that nobody knows.
func (l *lottery) attribute(n byte) Attribute {
	a := Attribute{Type: oid.OID([]byte{0x2a, 3, n + 1}).X509()}
	for range 1 + l.IntN(3) {
		a.Values = append(a.Values, encodeOctets(make([]byte, l.IntN(300))))
	}
	slices.SortFunc(a.Values, bytes.Compare)
	a.Values = slices.CompactFunc(a.Values, bytes.Equal)
	return a
}

// change adds something to a message.
func (l *lottery) change(msg []byte, content []byte, detached bool) []byte {
	var out bytes.Buffer
	var err error
	switch l.IntN(3) {
	case 0:
		opts := &SignOptions{ByKeyID: l.coin()}
		if detached {
			opts.Detached = bytes.NewReader(content)
		}
		err = AddSigner(context.Background(), &out, bytes.NewReader(msg), l.signer(), opts)
		l.note("signer added")
	case 1:
		var outside io.Reader
		if detached {
			outside = bytes.NewReader(content)
		}
		n := l.IntN(len(signersOf(l.t, msg, outside)))
		err = AddUnsigned(&out, bytes.NewReader(msg), n, l.attribute(9))
		l.note("unsigned attribute added to %d", n)
	default:
		err = AddElements(&out, bytes.NewReader(msg), l.keys[pick(l, "rsa", "p256")].Certificate.Raw)
		l.note("certificate added")
	}
	if err != nil {
		l.t.Fatalf("%v: %v", l.log, err)
	}
	return out.Bytes()
}

// both verifies a message by this package and by OpenSSL.
func (l *lottery) both(msg, content []byte, detached bool) {
	l.t.Helper()
	args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", l.ssl.file("msg", msg), "-CAfile", l.roots, "-certfile", l.roots, "-purpose", "any"}
	var outside io.Reader
	if detached {
		outside = bytes.NewReader(content)
		args = append(args, "-content", l.ssl.file("content", content))
	}
	if out, err := l.ssl.run(nil, args...); err != nil || !bytes.Equal(out, content) {
		l.t.Errorf("%v: openssl: %d octets, %v", l.log, len(out), err)
	}
	for n, s := range signersOf(l.t, msg, outside) {
		good := false
		for _, k := range l.keys {
			good = good || s.ID().Matches(k.Certificate) && s.CheckSignature(k.Certificate) == nil
		}
		if !good {
			l.t.Errorf("%v: signer %d does not hold", l.log, n)
		}
	}
}

func TestRandomSigned(t *testing.T) {
	t.Parallel()
	l := newLottery(t)
	for round := range lotteryRounds {
		l.draw(round)
		content, detached := l.content(), l.coin()
		opts := &SignOptions{ByKeyID: l.coin(), NoCertificates: l.IntN(4) == 0}
		if l.coin() {
			opts.Size = int64(len(content))
		}
		var keys []SigningKey
		for range 1 + l.IntN(3) {
			keys = append(keys, l.signer())
		}
		l.note("%d octets, detached %v, %+v", len(content), detached, *opts)
		var msg []byte
		if detached {
			msg = signDetached(t, string(content), opts, keys...)
		} else {
			msg = sign(t, string(content), opts, keys...)
		}
		l.both(msg, content, detached)
		for range l.IntN(3) {
			msg = l.change(msg, content, detached)
		}
		l.both(msg, content, detached)
	}
}

func TestRandomSignedByOpenSSL(t *testing.T) {
	t.Parallel()
	l := newLottery(t)
	for round := range lotteryRounds {
		l.draw(1000 + round)
		content, detached := l.content(), l.coin()
		args := []string{"cms", "-sign", "-binary", "-outform", "DER", "-in", l.ssl.file("content", content), "-md", pick(l, "sha256", "sha384", "sha512", "sha224")}
		pss := false
		kinds := []string{"rsa", "p256", "p384", "p521"}
		l.Shuffle(len(kinds), func(i, j int) { kinds[i], kinds[j] = kinds[j], kinds[i] })
		for _, kind := range kinds[:1+l.IntN(2)] {
			args = append(args, "-signer", kind+".crt", "-inkey", kind+".key")
			if kind == "rsa" && l.coin() {
				pss = true
				args = append(args, "-keyopt", "rsa_padding_mode:pss")
				if l.coin() {
					args = append(args, "-keyopt", "rsa_pss_saltlen:"+pick(l, "-1", "0", "20", "64"))
				}
			}
		}
		if !detached {
			args = append(args, "-nodetach")
		}
		for _, flag := range []string{"-keyid", "-nocerts", "-nosmimecap", "-noattr", "-cades", "-stream"} {
			// OpenSSL can't stream PSS or nothing, and puts detached content inside then.
			if l.IntN(3) == 0 && (flag != "-stream" || !pss && !detached && len(content) > 0) && (flag != "-cades" || !slices.Contains(args, "-noattr")) {
				args = append(args, flag)
			}
		}
		l.note("%d octets, detached %v, %v", len(content), detached, args[6:])
		msg, err := l.ssl.run(nil, args...)
		if err != nil {
			t.Errorf("%v: %v", l.log, err)
			continue
		}
		l.both(msg, content, detached)
		for range l.IntN(3) {
			msg = l.change(msg, content, detached)
		}
		l.both(msg, content, detached)
	}
}

// readsUnprotected reports whether OpenSSL reads unprotected attributes beside
// an authenticated cipher. Older releases look for them under the
// tag [3] (RFC 5083 section 2.1: [2]). The control is a message of OpenSSL's own
// that gets an attribute under either tag: one of the two must be read.
func (l *lottery) readsUnprotected() bool {
	content := []byte("a control")
	key := hex.EncodeToString(make([]byte, 32))
	msg, err := l.ssl.run(nil, "cms", "-encrypt", "-binary", "-outform", "DER", "-aes-256-gcm", "-in", l.ssl.file("control", content),
		"-secretkey", key, "-secretkeyid", "01")
	if err != nil {
		l.t.Fatal(err)
	}
	reads := func(tag uint8) bool {
		file := l.ssl.file("control.der", withLastField(l.t, msg, tag, l.attribute(0)))
		got, err := l.ssl.run(nil, "cms", "-decrypt", "-binary", "-inform", "DER", "-in", file, "-secretkey", key, "-secretkeyid", "01")
		return err == nil && bytes.Equal(got, content)
	}
	rightly := reads(2)
	if !rightly && !reads(3) {
		l.t.Fatal("openssl reads unprotected attributes under neither tag")
	}
	return rightly
}

// withLastField returns a message in DER whose content has one more field: an
// implicitly tagged set of one attribute.
func withLastField(t *testing.T, msg []byte, tag uint8, a Attribute) []byte {
	t.Helper()
	var info, explicit, fields, contentType cryptobyte.String
	s := cryptobyte.String(msg)
	if !s.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1Element(&contentType, asn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&explicit, asn1.Tag(0).ContextSpecific().Constructed()) || !explicit.ReadASN1(&fields, asn1.SEQUENCE) {
		t.Fatal("not a ContentInfo in DER")
	}
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(contentType)
		b.AddASN1(asn1.Tag(0).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddBytes(fields)
				b.AddASN1(asn1.Tag(tag).ContextSpecific().Constructed(), func(b *cryptobyte.Builder) {
					b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
						oid.FromX509(a.Type).Add(b)
						b.AddASN1(asn1.SET, func(b *cryptobyte.Builder) {
							for _, v := range a.Values {
								b.AddBytes(v)
							}
						})
					})
				})
			})
		})
	})
	return b.BytesOrPanic()
}

// A way is a recipient with what opens its message in both programs.
type way struct {
	name string
	to   Recipient
	key  DecryptionKey
	args []string
}

func (l *lottery) ways() []way {
	kek := noise(32)
	list := []way{
		{"kek", ToKey([]byte{1, 2}, kek), KeyFromKEK([]byte{1, 2}, kek), []string{"-secretkey", hex.EncodeToString(kek), "-secretkeyid", "0102"}},
	}
	for _, k := range interopKeys() {
		cert, key := l.ssl.keyFiles(k)
		args := []string{"-recip", cert, "-inkey", key}
		opts := &RecipientOptions{ByKeyID: l.coin(), PKCS1v15: l.coin(), OAEPHash: pick(l, 0, crypto.SHA1, crypto.SHA384), MGFHash: pick(l, 0, crypto.SHA1)}
		list = append(list, way{fmt.Sprintf("%s %+v", k.name, *opts), ToCertificate(k.cert, opts), k.decryption(), args})
	}
	for _, k := range testKeys()[4:] { // OpenSSL skips them
		list = append(list, way{k.name, ToCertificate(k.cert, nil), k.decryption(), nil})
	}
	l.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list[:1+l.IntN(5)]
}

func TestRandomEncrypted(t *testing.T) {
	t.Parallel()
	l := newLottery(t)
	l.draw(0)
	readsUnprotected := l.readsUnprotected()
	theirs, ours := 0, 0
	for round := range lotteryRounds {
		l.draw(2000 + round)
		content := l.content()
		opts := &EncryptOptions{Cipher: pick(l, writtenCiphers...), CEKHKDF: l.IntN(4) == 0}
		if l.coin() {
			opts.Size = int64(len(content))
		}
		if l.coin() {
			opts.UnprotectedAttributes = []Attribute{l.attribute(1)}
		}
		if opts.Cipher.Authenticated() && l.IntN(3) == 0 {
			opts.AuthAttributes = []Attribute{l.attribute(2), l.attribute(3)}
		}
		ways := l.ways()
		var to []Recipient
		for _, w := range ways {
			to = append(to, w.to)
			l.note("%s", w.name)
		}
		l.note("%d octets, %v, HKDF %v, size %d", len(content), opts.Cipher, opts.CEKHKDF, opts.Size)
		msg := encryptTo(t, content, opts, to...)
		file := l.ssl.file("msg", msg)
		for _, w := range ways {
			src := io.Reader(bytes.NewReader(msg))
			if l.coin() {
				src = unseekable(msg)
			}
			if got, err := decryptAll(src, fixed(w.key), nil); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: for %s: %d octets, %v", l.log, w.name, len(got), err)
			}
			ours++
			// OpenSSL 3.0 knows neither these ciphers nor authenticated attributes.
			if w.args == nil || opts.CEKHKDF || len(opts.AuthAttributes) > 0 || opts.Cipher == ChaCha20Poly1305 || isCCMCipher(opts.Cipher) {
				continue
			}
			if opts.Cipher.Authenticated() && len(opts.UnprotectedAttributes) > 0 && !readsUnprotected {
				continue
			}
			got, err := l.ssl.run(nil, append([]string{"cms", "-decrypt", "-binary", "-inform", "DER", "-in", file}, w.args...)...)
			if err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: openssl for %s: %d octets, %v", l.log, w.name, len(got), err)
			}
			theirs++
		}
	}
	if theirs < lotteryRounds/4 || ours < 2*lotteryRounds {
		t.Errorf("%d messages opened by openssl, %d by us", theirs, ours)
	}
}

func isCCMCipher(c Cipher) bool { return c == AES128CCM || c == AES192CCM || c == AES256CCM }

func TestRandomEncryptedByOpenSSL(t *testing.T) {
	t.Parallel()
	l := newLottery(t)
	for round := range lotteryRounds {
		l.draw(3000 + round)
		content := l.content()
		args := []string{"cms", "-encrypt", "-binary", "-outform", "DER", "-in", l.ssl.file("content", content),
			pick(l, "-aes-128-cbc", "-aes-192-cbc", "-aes-256-cbc", "-aes-128-gcm", "-aes-192-gcm", "-aes-256-gcm")}
		if l.coin() {
			args = append(args, "-keyid")
		}
		if len(content) > 0 && l.coin() { // OpenSSL can't stream nothing by AES-GCM
			args = append(args, "-stream")
		}
		var keys []DecryptionKey
		if l.IntN(3) == 0 {
			kek := noise(32)
			args = append(args, "-secretkey", hex.EncodeToString(kek), "-secretkeyid", "0102")
			keys = append(keys, KeyFromKEK([]byte{1, 2}, kek))
		}
		for range 1 + l.IntN(3) {
			k := pick(l, interopKeys()...)
			cert, _ := l.ssl.keyFiles(k)
			args = append(args, "-recip", cert)
			keys = append(keys, k.decryption())
			switch {
			case k.name == "RSA-2048" && l.coin():
				args = append(args, "-keyopt", "rsa_padding_mode:oaep", "-keyopt", "rsa_oaep_md:"+pick(l, "sha1", "sha256", "sha512"))
			case k.name != "RSA-2048" && l.coin():
				args = append(args, "-keyopt", "ecdh_kdf_md:"+pick(l, "sha1", "sha256", "sha384"))
			}
		}
		l.note("%d octets, %v", len(content), args[6:])
		msg, err := l.ssl.run(nil, args...)
		if err != nil {
			t.Errorf("%v: %v", l.log, err)
			continue
		}
		for _, k := range keys {
			if got, err := decryptAll(unseekable(msg), fixed(k), nil); err != nil || !bytes.Equal(got, content) {
				t.Errorf("%v: %d octets, %v", l.log, len(got), err)
			}
		}
	}
}
